package api

import "github.com/refundry/refundry/internal/payment"

// doorIDsSchema is what showDoorIDs writes.
var doorIDsSchema = shown("DoorIDs", "The ids by which each front door knows the payment, and takes it.",
	must("smartglocal", someText, "At Smart Glocal: the session's."),
	must("pike", someText, "At Pike: the session's."),
	must("ping", someText, "At Ping Payments."),
	must("chip", someText, "At CHIP: the purchase's."),
	may("primer", someText, "At Primer. Absent: it has no short id."),
)

// showDoorIDs writes how each front door spells the payment's id.
func showDoorIDs(w *writer, p payment.Payment) {
	session, uuid := "ps_"+p.ID.Decimal(), p.ID.UUID()
	w.begin("ids")
	w.string("smartglocal", session)
	w.string("pike", session)
	w.string("ping", uuid)
	w.string("chip", uuid)
	w.maybe("primer", p.ShortID)
	w.end()
}
