package ping

import (
	"context"
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// voice tells events, section 6.
type voice struct {
	door *Door
}

// What is told. The status is in the body.
const (
	wordRefund       = "refund"
	wordPayment      = "payment"
	wordDisbursement = "disbursement"
	wordPoke         = "poke"
)

// tellings says which events are told, and as what. A refund that came back
// after it had been told as completed is not: nothing follows an end.
var tellings = map[payment.EventKind]string{
	payment.EventRefundCreated: wordRefund,
	"refund.succeeded":         wordRefund,
	"refund.declined":          wordRefund,
	"refund.failed":            wordRefund,
	"refund.canceled":          wordRefund,
	payment.EventRefundAdopted: wordRefund,
	"payment.pending":          wordPayment,
	"payment.authorized":       wordPayment,
	"payment.captured":         wordPayment,
	"payment.declined":         wordPayment,
	"payment.failed":           wordPayment,
	"payment.canceled":         wordPayment,
	"payment.expired":          wordPayment,
	payment.EventPayoutCreated: wordDisbursement,
	payment.EventEndpointTried: wordPoke,
}

// Door implements [webhook.Voice].
func (v voice) Door() payment.Door { return Name }

// Tells implements [webhook.Voice]. Callbacks of a refund, and of a payment, go
// out in order, and an end does not wait for what it makes old.
func (v voice) Tells(telling payment.Telling, tenant *payment.Tenant, endpoint payment.Endpoint) []webhook.Told {
	kind := telling.Event.Kind
	word := tellings[kind]
	if !hears(endpoint, word) {
		return nil
	}
	told := webhook.Told{Word: word}
	switch word {
	case wordRefund:
		if kind == payment.EventRefundCreated && !settingCallbackPending.Of(tenant.Settings) {
			return nil
		}
		told.Thread, told.Hurries = telling.Event.Subject, kind != payment.EventRefundCreated
	case wordPayment:
		told.Thread, told.Hurries = telling.Payment.ID, payment.PaymentLife.IsEnd(telling.Payment.Status)
	}
	return []webhook.Told{told}
}

// hears reports whether an endpoint is told something. One without an id is a
// payment's own, or the one that is poked.
func hears(endpoint payment.Endpoint, word string) bool {
	switch {
	case word == "":
		return false
	case word == wordPoke:
		return true
	case endpoint.ID.IsZero():
		return word == wordPayment
	case endpoint.Detail == "":
		return true
	case word == wordRefund:
		return endpoint.Detail == tellsRefunds
	case word == wordDisbursement:
		return endpoint.Detail == tellsDisbursements
	default:
		return false
	}
}

// toldRefund tells a refund's status.
type toldRefund struct {
	ID         string         `json:"id"`
	Status     string         `json:"status"`
	Details    *shownDetails  `json:"details"`
	Payment    string         `json:"payment_id"`
	Order      string         `json:"payment_order_id"`
	Amount     money.Minor    `json:"amount"`
	Currency   money.Currency `json:"currency"`
	Provider   string         `json:"provider"`
	OccurredAt string         `json:"occurred_at"`
}

// shownDetails says why something did not happen.
type shownDetails struct {
	Code         string            `json:"code"`
	Message      string            `json:"message"`
	ProviderData map[string]string `json:"provider_data"`
}

// toldPayment tells a payment's status. Of money that came in, the documented
// name is given beside ours.
type toldPayment struct {
	ID            string        `json:"id"`
	Order         string        `json:"payment_order_id"`
	Status        string        `json:"status"`
	OccurredAt    string        `json:"occurred_at"`
	Details       *shownDetails `json:"details"`
	Funds         *shownFunds   `json:"funds"`
	ReceivedFunds *money.Minor  `json:"received_funds,omitempty"`
}

// toldDisbursement tells that a recipient was paid.
type toldDisbursement struct {
	ID          string `json:"id"`
	DisbursedAt string `json:"disbursed_at"`
}

// toldPoke tells nothing.
type toldPoke struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	OccurredAt string `json:"occurred_at"`
}

// Body implements [webhook.Voice].
func (v voice) Body(event webhook.Event, view payment.View, _ *payment.Tenant) ([]byte, error) {
	subject := payment.ResourceID(event.Subject).UUID()
	switch event.Word {
	case wordPoke:
		return wire.Encode(toldPoke{subject, wordPoke, shownTime(event.At)}), nil
	case wordDisbursement:
		return wire.Encode(toldDisbursement{subject, event.At.UTC().Format(spaceTimeLayout)}), nil
	case wordPayment:
		return wire.Encode(tellPayment(event, view)), nil
	default:
		return wire.Encode(tellRefund(event, view)), nil
	}
}

func tellPayment(event webhook.Event, view payment.View) toldPayment {
	p, doc := view.Payment, documentOf(view)
	word := doc.word(p.Status)
	told := toldPayment{
		ID: doc.paymentID(p), Order: doc.orderID(p), Status: word, OccurredAt: shownTime(event.At), Funds: fundsOf(p, word),
	}
	if told.Funds != nil {
		told.ReceivedFunds = &told.Funds.ReceivedTotal
	}
	return told
}

func tellRefund(event webhook.Event, view payment.View) toldRefund {
	p, doc := view.Payment, documentOf(view)
	refund, _ := view.Refund(event.Subject)
	return toldRefund{
		ID: refund.ID.UUID(), Status: refundWords[refund.Status], Details: detailsOf(refund), Payment: doc.paymentID(p),
		Order: doc.orderID(p), Amount: refund.Amount.Minor, Currency: refund.Amount.Currency, Provider: doc.Provider,
		OccurredAt: shownTime(event.At),
	}
}

// failureCodes says what a refund's failure is called. A refund that an
// operator stopped is declined, for a reason of its own.
var failureCodes = map[payment.RefundStatus]string{
	payment.RefundDeclined: "provider_declined",
	payment.RefundFailed:   "provider_error",
	payment.RefundCanceled: "refund_canceled",
}

// detailsOf says why a refund did not happen; nothing of one that did, or may.
func detailsOf(r payment.Refund) *shownDetails {
	code, ok := failureCodes[r.Status]
	if !ok {
		return nil
	}
	details := &shownDetails{Code: code, Message: r.Failure.Message, ProviderData: map[string]string{}}
	if r.Status == payment.RefundFailed && r.Failure.ProcessorCode != "" {
		details.ProviderData["status"] = r.Failure.ProcessorCode
	}
	return details
}

// IsOver implements [webhook.Forgetter]. A PENDING that nobody has heard of is
// not told once the end is known; what gives back once more what had come back
// is not shown here, and not told.
func (v voice) IsOver(event webhook.Event, now payment.View) bool {
	switch event.Word {
	case wordRefund:
		for _, refund := range now.FinalRefunds() {
			if refund.ID == event.Subject {
				return event.Kind == payment.EventRefundCreated && !refund.Status.IsRunning()
			}
		}
		return true
	case wordPayment:
		isPending := event.Kind == "payment.pending" || event.Kind == "payment.authorized"
		return isPending && payment.PaymentLife.IsEnd(now.Payment.Status)
	}
	return false
}

// Sign implements [webhook.Voice].
func (v voice) Sign(ctx context.Context, letter webhook.Letter) (http.Header, []byte, error) {
	header, err := v.door.sign(ctx, letter)
	return header, letter.Body, err
}

// How often and how long callbacks are tried: after attempt n the pause is
// min(5 s·2^(n-1), 6 h), a fifth more or less.
const (
	attempts   = 20
	pauseFirst = 5 * time.Second
	pauseMost  = 6 * time.Hour
	jitter     = 0.2
	timeout    = 10 * time.Second
)

// schedule is when attempts are made, counted from the first.
var schedule = func() []time.Duration {
	gaps, pause := make([]time.Duration, attempts), pauseFirst
	for n := 1; n < attempts; n++ {
		gaps[n] = gaps[n-1] + pause
		pause = min(2*pause, pauseMost)
	}
	return gaps
}()

// Schedule implements [webhook.Voice]. A poke is sent once.
func (v voice) Schedule(event webhook.Event, _ setting.Values) ([]time.Duration, time.Duration) {
	if event.Word == wordPoke {
		return schedule[:1], timeout
	}
	return schedule, timeout
}

// Jitter implements [webhook.Jitterer].
func (v voice) Jitter() float64 { return jitter }

// Acknowledges implements [webhook.Voice]: any 2xx does.
func (v voice) Acknowledges(status int) bool { return webhook.IsSuccess(status) }
