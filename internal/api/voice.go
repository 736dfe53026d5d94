package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/webhook"
)

// Voice tells events in the words of our own API, signed as Standard Webhooks
// has it.
type Voice struct{ auth *auth.Auth }

var _ webhook.Voice = Voice{}

// Voice returns the API's voice.
func (a *API) Voice() webhook.Voice { return Voice{a.config.Auth} }

// Door implements [webhook.Voice].
func (Voice) Door() payment.Door { return payment.DoorAPI }

// untold are events that say nothing to a merchant: the feed has them.
var untold = map[payment.EventKind]bool{
	payment.EventRefundSubmitted:   true,
	payment.EventRefundNotSent:     true,
	payment.EventPaymentOrderMoved: true,
	payment.EventRefundDeferred:    true,
	payment.EventPaymentUpdated:    true,
}

// Tells implements [webhook.Voice]. Deliveries go out in any order: each has
// the version that it tells of.
func (Voice) Tells(telling payment.Telling, _ *payment.Tenant, _ payment.Endpoint) []webhook.Told {
	kind := telling.Event.Kind
	if telling.Event.Payment.IsZero() || untold[kind] {
		return nil
	}
	return []webhook.Told{{Word: string(kind)}}
}

// Body implements [webhook.Voice]: what the event is about, as the API showed
// it at that version.
func (Voice) Body(event webhook.Event, view payment.View, _ *payment.Tenant) ([]byte, error) {
	view = view.AsOf(event.Version)
	w := newWriter()
	w.begin("")
	w.string("type", string(event.Kind))
	w.time("timestamp", event.At)
	w.begin("data")
	noun, _, _ := strings.Cut(string(event.Kind), ".")
	switch noun {
	case "refund":
		refund, found := view.Refund(event.Subject)
		if !found {
			return nil, fmt.Errorf("the payment has no refund to tell of %s", event.Kind)
		}
		showRefund(w, noun, refund)
	case "dispute":
		dispute, found := view.Dispute(event.Subject)
		if !found {
			return nil, fmt.Errorf("the payment has no dispute to tell of %s", event.Kind)
		}
		showDispute(w, noun, dispute)
	default:
		showPayment(w, "payment", view)
	}
	w.end()
	w.end()
	return w.text, nil
}

// Sign implements [webhook.Voice].
func (v Voice) Sign(ctx context.Context, letter webhook.Letter) (http.Header, []byte, error) {
	secret, err := v.auth.EndpointSecret(ctx, letter.Tenant, letter.Endpoint)
	if err != nil {
		return nil, nil, err
	}
	return webhook.SignStandard(secret, letter), letter.Body, nil
}

// Schedule implements [webhook.Voice].
func (Voice) Schedule(webhook.Event, setting.Values) ([]time.Duration, time.Duration) {
	return webhook.StandardSchedule, webhook.StandardTimeout
}

// Acknowledges implements [webhook.Voice].
func (Voice) Acknowledges(status int) bool { return webhook.IsSuccess(status) }
