package chip

import (
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// RenderError returns the status and the body that an action's error is
// answered with.
func RenderError(action string, err error) (int, string) {
	said := say(action, err)
	return said.status, string(wire.Encode(said.wrong))
}

// ReadAsk returns how much a refund's body asks for, 0 for all that is left,
// and the code of what is wrong with it.
func ReadAsk(raw []byte) (amount int64, code string) {
	ask, said := readAsk(raw, true)
	if said == nil {
		return int64(ask.Amount), ""
	}
	for _, flaws := range said.wrong.members {
		code = flaws.here[0].Code
	}
	return int64(ask.Amount), code
}

// HasRule reports whether a rule has a word.
func HasRule(rule payment.RuleName) bool { return rules[rule] != nil }

// HasFault reports whether a class of error has a word.
func HasFault(code fault.Code) bool { return faults[code] != nil }

// HasPayment and HasRefund report whether a status has a word.
func HasPayment(status payment.PaymentStatus) bool { return paymentWords[status] != "" }

// HasRefund reports whether a refund's status has a word.
func HasRefund(status payment.RefundStatus) bool {
	_, has := refundWords[status]
	return has
}

// HasAvailability reports whether an availability has a word.
func HasAvailability(availability payment.Availability) bool {
	return availabilityWords[availability] != ""
}

// Spaced writes JSON as webhooks have it.
func Spaced(compact string) string { return string(spaced([]byte(compact))) }

// IsUntold reports whether a dispute's reversal need not be told at a version.
func IsUntold(version int64, refunds []payment.Refund, d payment.Dispute) bool {
	event := webhook.Event{Word: eventChargebackReversed, Subject: d.ID, Version: version}
	return voice{}.IsOver(event, payment.View{Refunds: refunds, Disputes: []payment.Dispute{d}})
}
