package smartglocal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/webhook"
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
func (v voice) Tells(telling payment.Telling, tenant *payment.Tenant) (thread [16]byte, tells bool) {
	kind := telling.Event.Kind
	if _, known := types[kind]; !known {
		return thread, false
	}
	switch {
	case kind == "payment.captured" && telling.Event.Version == 1:
		return thread, false // it was made elsewhere: nobody waits to hear of it
	case kind == eventDisputeOpen && (telling.Dispute.Kind == payment.DisputeInquiry || telling.Dispute.Amount.Minor == 0):
		return thread, false // no money moves
	case telling.Refund.Status == payment.RefundDeclined, telling.Refund.Status == payment.RefundFailed,
		telling.Refund.Status == payment.RefundCanceled:
		if !choices[v.brand].TellFailed.Of(tenant.Settings) {
			return thread, false
		}
	}
	return telling.Payment.ID, true
}

// Body implements [webhook.Voice].
func (v voice) Body(event webhook.Event, view payment.View, tenant *payment.Tenant) ([]byte, error) {
	kind := types[event.Kind]
	if kind == "" {
		kind = waitingTypes[view.Payment.WaitsAt()]
	}
	if kind == "" {
		return nil, fmt.Errorf("no word for %s", event.Kind)
	}
	s := shower{
		brand: v.brand, version: v.version(event, view, tenant), switches: choices[v.brand], tenant: tenant,
		withInfo: kind == typeFinished || v.brand == Pike,
	}
	return encode(told{Type: kind, Session: s.session(view)}), nil
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
func (v voice) Sign(ctx context.Context, letter webhook.Letter) (http.Header, error) {
	credential, err := v.door.config.Auth.CredentialWhere(ctx, letter.Tenant, KindProject, isOf(v.brand))
	if err != nil {
		return nil, err
	}
	key, err := v.door.signer(credential)
	if err != nil {
		return nil, err
	}
	signature, err := sign(key, letter.Body)
	if err != nil {
		return nil, errors.Join(errors.New("webhook not signed"), err)
	}
	return http.Header{"Content-Type": {"application/json"}, headerSign: {signature}}, nil
}

// Schedule implements [webhook.Voice].
func (v voice) Schedule(values setting.Values) ([]time.Duration, time.Duration) {
	return choices[v.brand].schedule(values)
}

// Acknowledges implements [webhook.Voice]: any 2xx does (C11).
func (v voice) Acknowledges(status int) bool { return status >= 200 && status < 300 }
