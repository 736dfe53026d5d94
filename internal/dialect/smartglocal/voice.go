package smartglocal

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// voice tells events of one brand. There are five types and no other: clients
// throw on unknown ones.
type voice struct {
	door  *Door
	brand Brand
}

// told is a webhook's body.
type told struct {
	Type    string   `json:"type"`
	Session *session `json:"session"`
}

// The types of webhook.
const (
	typeFinished = "payment_finished"
	typeRefunded = "payment_refunded"
)

// eventDisputeOpen is a chargeback's only event that has a word here.
const eventDisputeOpen payment.EventKind = "dispute.open"

// types says which events are told, and as what. payment.waiting is told as
// what the payment waits for.
var types = map[payment.EventKind]string{
	"payment.captured":          typeFinished,
	"payment.declined":          typeFinished,
	"payment.failed":            typeFinished,
	"payment.canceled":          typeFinished,
	"payment.expired":           typeFinished,
	"refund.succeeded":          typeRefunded,
	"refund.declined":           typeRefunded,
	"refund.failed":             typeRefunded,
	"refund.canceled":           typeRefunded,
	"refund.returned":           typeRefunded,
	payment.EventRefundAdopted:  typeRefunded,
	eventDisputeOpen:            typeRefunded,
	payment.EventPaymentWaiting: "",
}

// waitingTypes says how a wait is told.
var waitingTypes = map[payment.GateKind]string{
	payment.GateConfirmation: "ready_to_confirm",
	payment.GatePayer:        "action_required",
	payment.GateCapture:      "ready_to_capture",
}

// Door implements [webhook.Voice].
func (v voice) Door() payment.Door { return v.brand.Door() }

// Tells implements [webhook.Voice]. Webhooks of a session go out in order.
func (v voice) Tells(telling payment.Telling, tenant *payment.Tenant, _ payment.Endpoint) []webhook.Told {
	kind := telling.Event.Kind
	word, known := types[kind]
	if !known {
		return nil
	}
	if kind == payment.EventPaymentWaiting {
		word = waitingTypes[telling.Payment.WaitsAt()]
	}
	switch {
	case kind == eventDisputeOpen && (telling.Dispute.Kind == payment.DisputeInquiry || telling.Dispute.Amount.Minor == 0):
		return nil // no money moves
	case telling.Refund.Status == payment.RefundDeclined, telling.Refund.Status == payment.RefundFailed,
		telling.Refund.Status == payment.RefundCanceled:
		if !choices[v.brand].TellFailed.Of(tenant.Settings) {
			return nil
		}
	}
	return []webhook.Told{{Word: word, Thread: telling.Payment.ID}}
}

// Body implements [webhook.Voice].
func (v voice) Body(event webhook.Event, view payment.View, tenant *payment.Tenant) ([]byte, error) {
	s := shower{
		brand: v.brand, version: v.version(event, view, tenant), switches: choices[v.brand], tenant: tenant,
		withInfo: event.Word == typeFinished || v.brand == Pike,
	}
	return wire.Encode(told{Type: event.Word, Session: s.session(view)}), nil
}

// version returns the version of the call that made the payment; for a payment
// that was made elsewhere, of the call that asked for the refund (C10).
func (v voice) version(event webhook.Event, view payment.View, tenant *payment.Tenant) Version {
	if always := choices[v.brand].WebhookVersion.Of(tenant.Settings); always != auto {
		return Version(always)
	}
	if view.Payment.Home == v.Door() {
		if version := readDocument(view.Facet(v.Door(), view.Payment.ID)).Version; version != "" {
			return version
		}
	}
	if readDocument(view.Facet(v.Door(), event.Subject)).Version == V2 {
		return V2
	}
	return V1
}

// Sign implements [webhook.Voice]. The same body has the same signature at
// every attempt.
func (v voice) Sign(ctx context.Context, letter webhook.Letter) (http.Header, []byte, error) {
	credential, err := v.door.config.Auth.CredentialWhere(ctx, letter.Tenant, KindProject, isOf(v.brand))
	if err != nil {
		return nil, nil, err
	}
	key, err := v.door.signer(credential)
	if err != nil {
		return nil, nil, err
	}
	signature, err := wire.SignRSA(key, letter.Body)
	if err != nil {
		return nil, nil, errors.Join(errors.New("webhook not signed"), err)
	}
	return http.Header{"Content-Type": {"application/json"}, headerSign: {signature}}, letter.Body, nil
}

// Schedule implements [webhook.Voice].
func (v voice) Schedule(_ webhook.Event, values setting.Values) ([]time.Duration, time.Duration) {
	return choices[v.brand].schedule(values)
}

// Acknowledges implements [webhook.Voice]: any 2xx does (C11).
func (v voice) Acknowledges(status int) bool { return webhook.IsSuccess(status) }
