package primer

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
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

// voice tells events, each to every notification of the account that wants it,
// in no order.
type voice struct{ door *Door }

// The types of event that are told, and the body of a try.
const (
	typePaymentStatus = "PAYMENT.STATUS"
	typePaymentRefund = "PAYMENT.REFUND"
	typeDisputeOpened = "DISPUTE.OPENED"
	typeDisputeStatus = "DISPUTE.STATUS"
	typeTry           = "TRY"
)

// webhookVersion is that of every body but DISPUTE.OPENED's, which is older.
const (
	webhookVersion = "2.4"
	openedVersion  = "2.1"
)

// told is the body of an event about a payment.
type told struct {
	EventType          string             `json:"eventType"`
	Date               string             `json:"date"` // of this attempt
	NotificationConfig notificationConfig `json:"notificationConfig"`
	Version            string             `json:"version"`
	SignedAt           string             `json:"signedAt"` // of this attempt, Unix seconds
	Payment            json.RawMessage    `json:"payment"`
}

type notificationConfig struct {
	ID          string `json:"id"`
	Description string `json:"description"`
}

// types says what of a payment and its refunds may be told, and as what.
// Whether a payment's status has changed in this door's eyes is seen when it is
// told, see [voice.IsOver].
var types = map[payment.EventKind]string{
	"payment.created":             typePaymentStatus,
	"payment.pending":             typePaymentStatus,
	"payment.authorized":          typePaymentStatus,
	"payment.captured":            typePaymentStatus,
	"payment.declined":            typePaymentStatus,
	"payment.failed":              typePaymentStatus,
	"payment.canceled":            typePaymentStatus,
	"payment.expired":             typePaymentStatus,
	payment.EventPaymentWaiting:   typePaymentStatus, // at its capture: it is authorized
	payment.EventPaymentCapturing: typePaymentStatus,
	"refund.succeeded":            typePaymentRefund,
	"refund.declined":             typePaymentRefund,
	"refund.failed":               typePaymentRefund,
	"refund.canceled":             typePaymentRefund,
	payment.EventRefundAdopted:    typePaymentRefund,
}

// eventDisputeOpen is the first event of a dispute.
const eventDisputeOpen payment.EventKind = "dispute.open"

// Door implements [webhook.Voice].
func (v voice) Door() payment.Door { return Name }

// Tells implements [webhook.Voice].
func (v voice) Tells(telling payment.Telling, _ *payment.Tenant, endpoint payment.Endpoint) []webhook.Told {
	kind := telling.Event.Kind
	if kind == payment.EventEndpointTried {
		return []webhook.Told{{Word: typeTry}}
	}
	if !webhook.Wants(endpoint, kind) {
		return nil
	}
	words := []string{types[kind]}
	if !telling.Dispute.ID.IsZero() {
		words = disputeTypes(kind, telling.Dispute)
	}
	wanted := readNotification(endpoint.Detail)
	var list []webhook.Told
	for _, word := range words {
		if word != "" && wanted.wants(word) {
			list = append(list, webhook.Told{Word: word})
		}
	}
	return list
}

// disputeTypes says as what an event of a dispute is told. A question is no
// dispute yet: clients would take DISPUTE.OPENED for one.
// Only its steps are told: that it may be lost twice is none.
func disputeTypes(kind payment.EventKind, d payment.Dispute) []string {
	if _, isStep := disputeWords[payment.DisputeStatus(strings.TrimPrefix(string(kind), "dispute."))]; !isStep {
		return nil
	}
	if kind == eventDisputeOpen && d.Kind == payment.DisputeChargeback {
		return []string{typeDisputeOpened, typeDisputeStatus}
	}
	return []string{typeDisputeStatus}
}

// IsOver implements [webhook.Forgetter]: what of a payment has changed is its
// status here, or a refund that is shown here.
func (v voice) IsOver(event webhook.Event, now payment.View) bool {
	then := now.AsOf(event.Version)
	switch event.Word {
	case typePaymentStatus:
		return statusOf(then) == statusOf(now.AsOf(event.Version-1))
	case typePaymentRefund:
		return !slices.ContainsFunc(then.FinalRefunds(), func(r payment.Refund) bool { return r.ID == event.Subject })
	}
	return false
}

// Body implements [webhook.Voice]. When an event about a payment is told, its
// signature says.
func (v voice) Body(event webhook.Event, view payment.View, tenant *payment.Tenant) ([]byte, error) {
	switch event.Word {
	case typeTry:
		return wire.Encode(map[string]string{"message": "Testing your webhook connection"}), nil
	case typePaymentStatus, typePaymentRefund:
		shown := shower{settings: tenant.Settings}.payment(view)
		return wire.Encode(told{
			EventType: event.Word, Date: shownTime(event.At), NotificationConfig: configOf(event.Endpoint, tenant),
			Version: webhookVersion, SignedAt: signedAt(event.At), Payment: wire.Encode(shown),
		}), nil
	}
	dispute, found := view.Dispute(event.Subject)
	if !found {
		return nil, fault.New(fault.Internal, "the event's dispute is not there")
	}
	if event.Word == typeDisputeOpened {
		return wire.Encode(shownOpened(view, dispute)), nil
	}
	return wire.Encode(shownDispute(view, dispute)), nil
}

func signedAt(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// isDated reports whether a webhook's attempts say when they are made.
func isDated(word string) bool { return word == typePaymentStatus || word == typePaymentRefund }

// BodyNote says what each attempt to make a delivery says anew; empty: nothing.
func BodyNote(word string) string {
	if isDated(word) {
		return "date and signedAt are each attempt's own, and it is signed with them"
	}
	return ""
}

// Sign implements [webhook.Voice]. Each attempt says when it is made, and is
// signed anew.
func (v voice) Sign(ctx context.Context, letter webhook.Letter) (http.Header, []byte, error) {
	body := letter.Body
	if isDated(letter.Event.Word) {
		var attempt told
		if err := json.Unmarshal(body, &attempt); err != nil {
			return nil, nil, fmt.Errorf("read a webhook of ours: %w", err)
		}
		attempt.Date, attempt.SignedAt = shownTime(letter.At), signedAt(letter.At)
		body = wire.Encode(attempt)
	}
	primary, secondary, err := v.secrets(ctx, letter.Tenant, letter.At)
	if err != nil {
		return nil, nil, err
	}
	header := http.Header{"Content-Type": {"application/json"}, "X-Signature-Primary": {sign(primary, body)}}
	if secondary != nil {
		header.Set("X-Signature-Secondary", sign(secondary, body))
	}
	return header, body, nil
}

// configOf returns which notification of the account an endpoint is.
func configOf(id payment.EndpointID, tenant *payment.Tenant) notificationConfig {
	config := notificationConfig{ID: id.UUID(), Description: defaultDescription}
	for _, endpoint := range tenant.Endpoints {
		if endpoint.ID == id {
			config.Description = readNotification(endpoint.Detail).Description
		}
	}
	return config
}

// sign returns the signature of a body: HMAC-SHA256, in padded Base64.
func sign(secret, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// secondaryFor is how long the secret before the newest signs too.
const secondaryFor = 24 * time.Hour

// byVoice is how changes are signed that the voice makes by itself.
var byVoice = auth.By{Actor: "webhook:primer"}

// secrets returns what an account's webhooks are signed with: the newest
// secret, and for a day the one before it. An account without any gets one.
func (v voice) secrets(ctx context.Context, tenant payment.TenantID, at time.Time) (primary, secondary []byte, err error) {
	of := v.door.config.Auth
	newest, err := of.Secret(ctx, byVoice, tenant, KindWebhookSecret, webhookSecretName, func() (string, []byte, error) {
		return "", []byte(auth.NewAPIKey(rand.Reader).Reveal()), nil
	})
	if err != nil {
		return nil, nil, err
	}
	if primary, err = of.Open(newest); err != nil || !at.Before(newest.CreatedAt.Add(secondaryFor)) {
		return primary, nil, err
	}
	before, err := of.CredentialWhere(ctx, tenant, KindWebhookSecret, func(c auth.Credential) bool { return c.ID != newest.ID })
	if fault.CodeOf(err) == fault.NotFound {
		return primary, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	secondary, err = of.Open(before)
	return primary, secondary, err
}

// pauses are between the attempts of a delivery, about.
var pauses = []time.Duration{
	10 * time.Second, 60 * time.Second, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute,
}

// attemptTimeout is how long an attempt may take.
const attemptTimeout = 10 * time.Second

// Schedule implements [webhook.Voice].
func (v voice) Schedule(webhook.Event, setting.Values) ([]time.Duration, time.Duration) {
	gaps := []time.Duration{0}
	for _, pause := range pauses {
		gaps = append(gaps, gaps[len(gaps)-1]+pause)
	}
	return gaps, attemptTimeout
}

// Jitter implements [webhook.Jitterer].
func (v voice) Jitter() float64 { return 0.1 }

// Acknowledges implements [webhook.Voice].
func (v voice) Acknowledges(status int) bool { return webhook.IsSuccess(status) }
