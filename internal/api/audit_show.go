package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

// auditSchema is what auditShower writes.
var auditSchema = shown("AuditEntry", "Something that somebody did.",
	must("id", someText, "The entry's place in the trail: that of the event in the feed."),
	must("commit", commitNumber, "Which has sealed it."),
	must("at", someTime, ""),
	must("kind", &openapi.Schema{Type: openapi.String, Example: "refund.approved"}, "What was done. New kinds may come."),
	must("actor", someText, "Who did it: `key:…`, `operator:…`, or a part of Refundry."),
	may("by_key", keyID, "The key that did it. Absent: it was no key."),
	may("user", someText, "The person on whose behalf. Absent: nobody was named, or the person was erased."),
	may("person", personID, "Names that person, erased or not."),
	may("erased", someFlag, "`true`: the person was erased, and user and address with it."),
	may("damaged", someFlag, "`true`: the key of its person does not open what names the person: one of the two "+
		"is not what it was. Run `refundry verify`; it looks at the rest of the entry, too."),
	may("address", someText, "The IP address that it was asked from. Absent: not over the network, or the person was erased."),
	may("door", someDoor, "Where it was asked for."),
	may("request_id", someText, "The request that asked for it."),
	may("payment", paymentID, "The payment that it is about."),
	may("refund", refundID, ""), may("dispute", disputeID, ""), may("order", orderID, ""), may("payout", payoutID, ""),
	may("batch", batchID, ""), may("resource", resourceID, ""), may("endpoint", endpointID, ""), may("key", keyID, ""),
	may("tenant", tenantID, ""), may("erased_person", personID, "Who was erased."),
	may("version", someVersion, "The payment's, when it happened; else the order's, the batch's or the tenant's."),
	may("before", &openapi.Schema{Type: openapi.Object}, "What was changed, as it was: members of the subject, and the sums of "+
		"its payment in `payment`. Absent: it was not there before, or nothing of it is shown."),
	may("after", &openapi.Schema{Type: openapi.Object}, "What was changed, as it became."),
	may("detail", &openapi.Schema{Type: openapi.Object}, "What else a change of settings says."),
)

// auditShower writes entries. It reads a payment once, however many entries
// are about it.
type auditShower struct {
	api    *API
	tenant payment.TenantID
	views  map[payment.PaymentID]*rewound
}

// rewound is a payment on its way back: entries come the newest first, and each
// step back from the entry before is a short one, however many refunds there are.
type rewound struct{ now, then payment.View }

// asOf returns the payment as it stood at a version.
func (r *rewound) asOf(version int64) payment.View {
	if version > r.then.Payment.Version {
		r.then = r.now
	}
	r.then = r.then.AsOf(version)
	return r.then
}

func (s *auditShower) show(ctx context.Context, w *writer, e audit.Entry) error {
	w.begin("")
	w.string("id", e.Cursor.String())
	w.number("commit", e.Cursor.Commit)
	w.time("at", e.At)
	w.string("kind", string(e.Kind))
	w.string("actor", e.Actor)
	if key, ok := strings.CutPrefix(e.Actor, "key:"); ok {
		w.string("by_key", key)
	}
	w.maybe("user", e.User)
	named(w, "person", e.Person)
	if e.IsErased {
		w.flag("erased", true)
	}
	if e.IsDamaged {
		w.flag("damaged", true)
	}
	w.maybe("address", e.Address)
	w.maybe("door", string(e.Door))
	w.maybe("request_id", e.Request)
	named(w, "payment", e.Payment)
	if e.Kind == payment.EventPersonErased {
		named(w, "erased_person", payment.PersonID(e.Subject))
	} else {
		showSubject(w, e.Event)
	}
	if e.Version > 0 {
		w.number("version", e.Version)
	}
	err := s.showChange(ctx, w, e.Event)
	w.end()
	return err
}

// members are members of an object, as JSON.
type members map[string]json.RawMessage

// showChange writes what an event has changed.
func (s *auditShower) showChange(ctx context.Context, w *writer, event payment.Event) error {
	if event.Detail != "" {
		showSettingsChange(w, event.Detail)
		return nil
	}
	if event.Payment.IsZero() {
		return nil
	}
	view, known := s.views[event.Payment]
	if !known {
		var gone *payment.Refusal // somebody has deleted it: the trail must say what it can
		now, err := s.api.config.Reader.View(ctx, s.tenant, event.Payment)
		if err != nil && !errors.As(err, &gone) {
			return err
		}
		view = &rewound{now: now, then: now}
		s.views[event.Payment] = view
	}
	if view.now.Payment.ID.IsZero() {
		return nil
	}
	then := view.asOf(event.Version)
	after := membersOf(then, event)
	var before members
	if event.Version > 1 {
		before = membersOf(then.AsOf(event.Version-1), event)
	}
	if before["id"] == nil { // it was not there
		after, before = after.born(), nil
	}
	showMembers(w, "before", before.without(after))
	showMembers(w, "after", after.without(before))
	return nil
}

// showSettingsChange writes what the detail of a change of settings says.
func showSettingsChange(w *writer, detail string) {
	var said members
	if json.Unmarshal([]byte(detail), &said) != nil {
		return // every detail is an object of ours
	}
	for _, name := range []string{"before", "after"} {
		w.raw(name, string(said[name]))
		delete(said, name)
	}
	showMembers(w, "detail", said)
}

// unshown are the members of a subject that are in no entry: what is always
// changed, what has entries of its own, and what says who did something, which
// is said by the entry itself, as long as it may be.
var unshown = []string{"id", "payment", "updated_at", "version", "refunds", "disputes", "approvals", "evidence", "user"}

// bornWith are the members that are shown of a new subject: what a person wants
// to see of it, without any free text.
var bornWith = []string{
	"status", "pending_reason", "amount", "currency", "kind", "source", "captured", "refunded", "reserved", "disputed",
	"excess", "refundable", "in_payment",
}

// inPayment is where the sums of a subject's payment are, until they are written.
const inPayment = "in_payment"

// membersOf returns what an event's subject was in a view, as the own API shows
// it; nothing if it was not there.
func membersOf(view payment.View, event payment.Event) members {
	w := newWriter()
	group, _, _ := strings.Cut(string(event.Kind), ".")
	switch group {
	case "payment":
		showPayment(w, "", view)
	case "refund":
		if refund, ok := view.Refund(event.Subject); ok {
			showRefund(w, "", refund)
		}
	case "dispute":
		if dispute, ok := view.Dispute(event.Subject); ok {
			showDispute(w, "", dispute)
		}
	}
	var all members
	if len(w.text) == 0 || json.Unmarshal(w.text, &all) != nil {
		return members{}
	}
	if group != "payment" {
		sums := newWriter()
		sums.begin("")
		showTotals(sums, view.Payment.Totals)
		sums.end()
		all[inPayment] = sums.text
	}
	return all
}

// born returns what is shown of a subject that is new.
func (m members) born() members {
	kept := members{"id": m["id"]}
	for name, value := range m {
		if slices.Contains(bornWith, name) {
			kept[name] = value
		}
	}
	return kept
}

// without returns the members that are not the same in another.
func (m members) without(other members) members {
	kept := members{}
	for name, value := range m {
		if !slices.Contains(unshown, name) && !bytes.Equal(value, other[name]) {
			kept[name] = value
		}
	}
	return kept
}

func showMembers(w *writer, name string, of members) {
	if len(of) == 0 {
		return
	}
	w.begin(name)
	for _, member := range sortedKeys(of) {
		if member == inPayment {
			w.raw("payment", string(of[member]))
		} else {
			w.raw(member, string(of[member]))
		}
	}
	w.end()
}

// exportSchema is what package audit writes.
var exportSchema = shown("AuditLine", "A line of an export.",
	must("line", someWord("AuditLineKind", "`commit`: what follows was sealed together. `event`: with exactly what the digest "+
		"covers. `checkpoint`: the end.", audit.LineCommit, audit.LineEvent, audit.LineCheckpoint), ""),
	may("tenant", tenantID, ""),
	may("number", commitNumber, "Of the commit."),
	may("hash", someHash, "Of the chain."),
	may("at", someTime, "When it was committed."),
	may("digest", someHash, "Of the tenant's part of the commit."),
	may("events", someCount, "In the commit, or in the file."),
	may("first", someCount, "The first commit that the file is about."),
	may("commits", someCount, "In the file."),
	may("commit", commitNumber, "Of the event."),
	may("payment", someUUID, "All zeros: none."),
	may("subject", someUUID, ""),
	may("version", someCount, ""),
	may("at_micros", someCount, "Microseconds since 1970."),
	may("kind", someText, ""), may("actor", someText, ""), may("door", someText, ""), may("request", someText, ""),
	may("detail", someText, "JSON, as it was sealed; or empty."),
	may("person", someUUID, "On whose behalf."),
	may("sealed", someText, "User and address under the person's key (base64)."),
	may("address", someText, "Where nobody was named."),
	may("postings", listOf(shown("AuditPosting", "A posting that the event made.",
		must("cause", someText, ""), must("debit", someAccount, ""), must("credit", someAccount, ""),
		must("amount", someAmount, ""), must("currency", someCurrency, ""),
	)), ""),
	may("payout", shown("AuditPayout", "A payout that the event tells of.",
		must("order", someUUID, ""), must("merchant", someText, ""), must("amount", someAmount, ""),
		must("currency", someCurrency, ""), must("at_micros", someCount, ""),
	), ""),
)

var someUUID = &openapi.Schema{
	Name: "UUID", Doc: "An id, as its bytes are.", Type: openapi.String,
	Pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", Example: "019c40af-7d29-7000-8000-000000000001",
}
