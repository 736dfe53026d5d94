package chip

import (
	"context"
	"crypto/rsa"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// voice tells events. A webhook's body is the purchase, or the Payment, with
// the name of the event in it.
type voice struct{ door *Door }

// The events that are told.
const (
	eventCreated            = "purchase.created"
	eventPaid               = "purchase.paid"
	eventPaymentFailure     = "purchase.payment_failure"
	eventHold               = "purchase.hold"
	eventCaptured           = "purchase.captured"
	eventReleased           = "purchase.released"
	eventCancelled          = "purchase.cancelled"
	eventPendingRefund      = "purchase.pending_refund"
	eventRefundFailure      = "purchase.refund_failure"
	eventRefunded           = "payment.refunded"
	eventChargedBack        = "payment.charged_back"
	eventChargebackReversed = "payment.chargeback_reversed"
)

// The domain's events that are told depending on what is around them.
const (
	kindCaptured        payment.EventKind = "payment.captured"
	kindCanceled        payment.EventKind = "payment.canceled"
	kindRefundSucceeded payment.EventKind = "refund.succeeded"
	kindRefundDeclined  payment.EventKind = "refund.declined"
	kindRefundFailed    payment.EventKind = "refund.failed"
	kindRefundCanceled  payment.EventKind = "refund.canceled"
	kindDisputeOpen     payment.EventKind = "dispute.open"
	kindDisputeWon      payment.EventKind = "dispute.won"
	kindDisputeCanceled payment.EventKind = "dispute.canceled"
)

// always has the events that are told whatever is around them.
var always = map[payment.EventKind]string{
	"payment.created":             eventCreated,
	"payment.authorized":          eventHold,
	"payment.declined":            eventPaymentFailure,
	"payment.failed":              eventPaymentFailure,
	payment.EventPaymentTryFailed: eventPaymentFailure,
	payment.EventRefundDeferred:   eventPendingRefund,
	kindRefundSucceeded:           eventRefunded,
	payment.EventRefundAdopted:    eventRefunded,
	"refund.returned":             eventRefundFailure,
}

// wordsOf returns as what an event is told, in this order.
func wordsOf(t payment.Telling) []string {
	kind := t.Event.Kind
	if word, ok := always[kind]; ok {
		return append([]string{word}, chargebacksAtEnd(t)...)
	}
	wasHeld := !t.Payment.History.ReachedAt(payment.PaymentAuthorized).IsZero()
	switch kind {
	case kindCaptured:
		if wasHeld {
			return []string{eventCaptured, eventPaid}
		}
		return []string{eventPaid}
	case kindCanceled:
		if wasHeld {
			return []string{eventReleased}
		}
		return []string{eventCancelled}
	case payment.EventRefundCreated:
		if t.Refund.Door != Name { // its caller waits for nothing
			return []string{eventPendingRefund}
		}
	case kindRefundDeclined, kindRefundFailed, kindRefundCanceled:
		if t.Refund.IsDeferred() || t.Refund.Door != Name { // else the caller's answer has told it
			return append([]string{eventRefundFailure}, chargebacksAtEnd(t)...)
		}
		return chargebacksAtEnd(t)
	case kindDisputeOpen:
		if t.Dispute.Takes() && t.Dispute.Amount.Minor > 0 && t.Payment.Reserved == 0 {
			return []string{eventChargedBack}
		}
	case kindDisputeWon, kindDisputeCanceled:
		if t.Dispute.Kind != payment.DisputeInquiry && t.Dispute.Amount.Minor > 0 {
			return []string{eventChargebackReversed}
		}
	default: // it has no word here
	}
	return nil
}

// chargebacksAtEnd returns the words for chargebacks that opened while a
// refund ran, now that it has ended and no other runs: until then they were
// not told of. There is one word for each, with its number from the second on.
func chargebacksAtEnd(t payment.Telling) []string {
	isEnd := slices.Contains([]payment.EventKind{
		kindRefundSucceeded, kindRefundDeclined, kindRefundFailed, kindRefundCanceled,
	}, t.Event.Kind)
	if !isEnd || t.Payment.Reserved > 0 || t.Payment.Disputed == 0 {
		return nil
	}
	hidden := len(hiddenUntil(t.Event.Version, t.Refunds, t.Disputes))
	var words []string
	for number := 1; number <= hidden; number++ {
		word := eventChargedBack
		if number > 1 {
			word += "/" + strconv.Itoa(number)
		}
		words = append(words, word)
	}
	return words
}

// hiddenUntil returns the chargebacks that opened while refunds ran which have
// all ended at a version, and which nobody could be told of before.
func hiddenUntil(version int64, refunds []payment.Refund, disputes []payment.Dispute) []payment.Dispute {
	var hidden []payment.Dispute
	for _, dispute := range disputes {
		if dispute.Takes() && dispute.Amount.Minor > 0 && isHidden(version, refunds, dispute) {
			hidden = append(hidden, dispute)
		}
	}
	return hidden
}

// isHidden reports whether nobody could be told of a chargeback before a
// version: some refund ran when it opened, and at every moment since.
func isHidden(version int64, refunds []payment.Refund, dispute payment.Dispute) bool {
	opened := dispute.History.First().Version
	isHidden := opened <= version && runs(refunds, opened-1)
	for _, refund := range refunds { // whenever one ended, was it quiet?
		for _, mark := range refund.History {
			isBetween := mark.Version >= opened && mark.Version < version
			isHidden = isHidden && (!isBetween || runs(refunds, mark.Version))
		}
	}
	return isHidden
}

// runs reports whether a refund ran as of a version.
func runs(refunds []payment.Refund, version int64) bool {
	return slices.ContainsFunc(refunds, func(r payment.Refund) bool {
		return r.History.AsOf(version).Last().Status.IsRunning()
	})
}

// Door implements [webhook.Voice].
func (v voice) Door() payment.Door { return Name }

// Tells implements [webhook.Voice]. What is about a purchase goes out in order.
func (v voice) Tells(t payment.Telling, _ *payment.Tenant, endpoint payment.Endpoint) []webhook.Told {
	words := wordsOf(t)
	if len(words) == 0 || !webhook.Wants(endpoint, t.Event.Kind) {
		return nil
	}
	if endpoint.ID.IsZero() { // success_callback
		words = successOf(words)
	} else if h, isHook := readHook(endpoint); isHook && !h.AllEvents {
		words = slices.DeleteFunc(words, func(word string) bool { return !slices.Contains(h.Events, eventOf(word)) })
	}
	told := make([]webhook.Told, 0, len(words))
	for _, word := range words {
		told = append(told, webhook.Told{Word: word, Thread: t.Payment.ID})
	}
	return told
}

// successOf returns as what a success_callback is told, once: it is paid, or captured.
func successOf(words []string) []string {
	if words[0] == eventPaid || words[0] == eventCaptured {
		return words[:1]
	}
	return nil
}

// eventOf returns the event of a word.
func eventOf(word string) string {
	event, _, _ := strings.Cut(word, "/")
	return event
}

// IsOver implements [webhook.Forgetter]: that a chargeback is reversed is
// nothing to whoever was never told of it. Only here is it known what ran
// beside it: the command that moves a dispute does not look at refunds.
func (v voice) IsOver(event webhook.Event, now payment.View) bool {
	dispute, _ := now.Dispute(event.Subject)
	return event.Word == eventChargebackReversed && isHidden(event.Version, now.Refunds, dispute)
}

// Body implements [webhook.Voice].
func (v voice) Body(event webhook.Event, view payment.View, tenant *payment.Tenant) ([]byte, error) {
	s := v.door.shower(tenant).of(view)
	word := eventOf(event.Word)
	var shown *paymentObject
	switch word {
	case eventRefunded:
		refund, _ := view.Refund(event.Subject)
		shown = s.refund(refund)
	case eventChargedBack, eventChargebackReversed:
		shown = s.chargeback(disputeOf(event, view))
	default:
		purchase := s.purchase()
		purchase.EventType = word
		return spaced(wire.Encode(purchase)), nil
	}
	shown.EventType = word
	return spaced(wire.Encode(shown)), nil
}

// disputeOf returns the dispute that an event tells of: its subject, or one
// that the subject, a refund, has kept back.
func disputeOf(event webhook.Event, view payment.View) payment.Dispute {
	if dispute, ok := view.Dispute(event.Subject); ok {
		return dispute
	}
	hidden := hiddenUntil(event.Version, view.Refunds, view.Disputes)
	number := 1
	if _, text, ok := strings.Cut(event.Word, "/"); ok {
		number, _ = strconv.Atoi(text) // ours
	}
	switch {
	case number <= len(hidden):
		return hidden[number-1]
	case len(view.Disputes) > 0:
		return view.Disputes[len(view.Disputes)-1]
	}
	return payment.Dispute{}
}

// spaced writes JSON with a space after each comma and colon, as the provider
// does in webhooks.
func spaced(compact []byte) []byte {
	text := make([]byte, 0, len(compact)+len(compact)/8)
	isString, isEscaped := false, false
	for _, letter := range compact {
		text = append(text, letter)
		switch {
		case isEscaped:
			isEscaped = false
		case isString && letter == '\\':
			isEscaped = true
		case letter == '"':
			isString = !isString
		case !isString && (letter == ',' || letter == ':'):
			text = append(text, ' ')
		}
	}
	return text
}

// headerSign has the signature.
const headerSign = "X-Signature"

// Sign implements [webhook.Voice]: by the webhook's own key, or, where it has
// none, by the company's.
func (v voice) Sign(ctx context.Context, letter webhook.Letter) (http.Header, []byte, error) {
	key, err := v.door.signer(ctx, letter)
	if err != nil {
		return nil, nil, err
	}
	signature, err := wire.SignRSA(key, letter.Body)
	if err != nil {
		return nil, nil, err
	}
	return http.Header{"Content-Type": {"application/json"}, headerSign: {signature}}, letter.Body, nil
}

// signer returns the key that signs a webhook. One that an operator made has a
// secret that is no key.
func (d *Door) signer(ctx context.Context, letter webhook.Letter) (*rsa.PrivateKey, error) {
	if !letter.Endpoint.IsZero() {
		secret, err := d.config.Auth.EndpointSecret(ctx, letter.Tenant, letter.Endpoint)
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return nil, err
		}
		if key, notKey := wire.ParseRSAPrivateKey(secret); err == nil && notKey == nil {
			return key, nil
		}
	}
	company, err := d.company(ctx, auth.By{Actor: "clock"}, letter.Tenant)
	if err != nil {
		return nil, err
	}
	secret, err := d.config.Auth.Open(company)
	if err != nil {
		return nil, err
	}
	return wire.ParseRSAPrivateKey(secret)
}

// Schedule implements [webhook.Voice].
func (v voice) Schedule(_ webhook.Event, values setting.Values) ([]time.Duration, time.Duration) {
	return schedule(values)
}

// Acknowledges implements [webhook.Voice]: any 2xx does.
func (v voice) Acknowledges(status int) bool { return webhook.IsSuccess(status) }
