package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// Voice tells events in the words of our own API, signed as Standard Webhooks
// has it.
type Voice struct{ auth *auth.Auth }

var (
	_ webhook.Voice  = Voice{}
	_ webhook.Narrow = Voice{}
)

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

// alone are events about no payment that are told all the same.
var alone = map[payment.EventKind]bool{
	payment.EventEndpointTried: true, auth.EventEndpointDisabled: true, auth.EventEndpointEnabled: true,
}

// isAlone reports whether events of a kind are told although they are about no payment.
func isAlone(kind payment.EventKind) bool {
	return alone[kind] || strings.HasPrefix(string(kind), "batch.")
}

// isTold reports whether events of a kind are told at all.
func isTold(kind payment.EventKind) bool {
	return isAlone(kind) || !untold[kind] && slices.Contains([]string{nounRefund, "payment", "dispute"}, nounOf(kind))
}

// eventKinds are all kinds of event.
var eventKinds = slices.Concat(payment.EventKinds, batch.EventKinds, auth.EventKinds)

// toldKinds are the kinds of event that an endpoint of our own API can be told.
var toldKinds = func() (words []string) {
	for _, known := range eventKinds {
		if isTold(known.Kind) {
			words = append(words, string(known.Kind))
		}
	}
	return words
}()

// Tells implements [webhook.Voice]. Deliveries go out in any order, each with
// the version that it tells of, unless the endpoint wants those of a payment in
// order.
func (Voice) Tells(telling payment.Telling, _ *payment.Tenant, endpoint payment.Endpoint) []webhook.Told {
	kind := telling.Event.Kind
	isAlone := isAlone(kind)
	if !isTold(kind) || !isAlone && telling.Event.Payment.IsZero() {
		return nil
	}
	told := webhook.Told{Word: string(kind)}
	if optionsOf(endpoint).IsOrdered && !isAlone {
		told.Thread = telling.Payment.ID
	}
	return []webhook.Told{told}
}

// Body implements [webhook.Voice]: what the event is about, as the API showed
// it at that version. sequence grows with every event of a payment.
func (Voice) Body(event webhook.Event, view payment.View, tenant *payment.Tenant) ([]byte, error) {
	w := newWriter()
	w.begin("")
	if optionsAt(tenant, event.Endpoint).Format == FormatCloudEvents {
		beginCloudEvent(w, event, tenant.ID)
	} else {
		w.string("type", string(event.Kind))
		w.time("timestamp", event.At)
		if event.Version > 0 {
			w.number("sequence", event.Version)
		}
	}
	w.begin("data")
	if err := showTold(w, event, view); err != nil {
		return nil, err
	}
	w.end()
	w.end()
	return w.text, nil
}

// beginCloudEvent writes the attributes of a CloudEvent. Its id is the same
// for every endpoint that is told the event.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
func beginCloudEvent(w *writer, event webhook.Event, tenant payment.TenantID) {
	w.string("specversion", "1.0")
	w.string("id", new(wire.Digest).Text(string(event.Kind)).Bytes(event.Subject[:]).Number(event.Version).Hex())
	w.string("source", "urn:refundry:"+tenant.String())
	w.string("type", "com.refundry."+string(event.Kind))
	if !event.Payment.IsZero() {
		w.string("subject", event.Payment.String())
		w.number("sequence", event.Version)
	}
	w.time("time", event.At)
	w.string("datacontenttype", "application/json")
}

// IsOfRefund implements [webhook.Narrow].
func (Voice) IsOfRefund(event webhook.Event) bool { return nounOf(event.Kind) == nounRefund }

// nounRefund begins the kinds of events that show a refund and nothing else.
const nounRefund = "refund"

// nounOf returns what events of a kind are about.
func nounOf(kind payment.EventKind) string {
	noun, _, _ := strings.Cut(string(kind), ".")
	return noun
}

// showTold writes what an event is about, as of its version.
func showTold(w *writer, event webhook.Event, view payment.View) error {
	noun := nounOf(event.Kind)
	if noun == nounRefund {
		refund, found := view.Refund(event.Subject)
		if found {
			refund, found = refund.AsOf(event.Version)
		}
		if !found {
			return fmt.Errorf("the payment has no refund to tell of %s", event.Kind)
		}
		showRefund(w, noun, refund)
		return nil
	}
	view = view.AsOf(event.Version)
	switch noun {
	case "dispute":
		dispute, found := view.Dispute(event.Subject)
		if !found {
			return fmt.Errorf("the payment has no dispute to tell of %s", event.Kind)
		}
		showDispute(w, noun, dispute)
	case "batch":
		named(w, noun, batch.ID(event.Subject))
	case "endpoint":
		if event.Kind == payment.EventEndpointTried {
			w.string("message", "This webhook tells nothing: somebody wanted to see whether it arrives.")
			return nil
		}
		return showTurned(w, event)
	default:
		showPayment(w, "payment", view)
	}
	return nil
}

// showTurned writes which endpoint was disabled or enabled, and why.
func showTurned(w *writer, event webhook.Event) error {
	detail, err := wire.Parse([]byte(event.Detail))
	if err != nil {
		return fmt.Errorf("read what an event says: %w", err)
	}
	named(w, "endpoint", payment.EndpointID(event.Subject))
	for _, member := range []string{"reason", "failing_since"} {
		if text, ok := detail.Get(member).Text(); ok {
			w.string(member, text)
		}
	}
	return nil
}

// Sign implements [webhook.Voice].
func (v Voice) Sign(ctx context.Context, letter webhook.Letter) (http.Header, []byte, error) {
	keys, err := v.keysOf(ctx, letter)
	if err != nil {
		return nil, nil, err
	}
	tenant, err := v.auth.Tenant(ctx, letter.Tenant)
	if err != nil {
		return nil, nil, err
	}
	header := webhook.SignStandard(keys, letter)
	if optionsAt(tenant, letter.Endpoint).Format == FormatCloudEvents {
		header.Set("Content-Type", "application/cloudevents+json")
	}
	return header, letter.Body, nil
}

// Patience implements [webhook.Patient].
func (Voice) Patience(settings setting.Values) time.Duration { return webhook.PatienceOf(settings) }

// Obeys implements [webhook.Obeyer].
func (Voice) Obeys() bool { return true }

// Schedule implements [webhook.Voice].
func (Voice) Schedule(webhook.Event, setting.Values) ([]time.Duration, time.Duration) {
	return webhook.StandardSchedule, webhook.StandardTimeout
}

// Acknowledges implements [webhook.Voice].
func (Voice) Acknowledges(status int) bool { return webhook.IsSuccess(status) }
