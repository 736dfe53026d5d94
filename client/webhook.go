package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// WebhookTolerance is how far the time of a webhook may be from now: what is
// older may have been recorded by somebody and sent again.
const WebhookTolerance = 5 * time.Minute

// ErrWebhook means that a webhook was not sent by Refundry, or not now. Answer
// it with 400.
var ErrWebhook = errors.New("refundry: the webhook cannot be trusted")

// Webhook is what Refundry tells. It may come twice, and out of order: the ID is
// the same at every attempt, the sequence grows with every event of a payment.
type Webhook struct {
	ID        string    // the delivery's
	Kind      string    // as in "refund.succeeded"
	At        time.Time // when it happened
	Sequence  int64
	Payment   *Payment // what it is about, as it was then; the others are nil
	Refund    *Refund
	Dispute   *Dispute
	AttemptAt time.Time
}

// VerifyWebhook checks that Refundry has sent a webhook, as Standard Webhooks
// has it (v1), and reads it. The body has to be as it came; now is the time.
// While a secret is rotated, the old one and the new one are good.
func VerifyWebhook(secret Key, header http.Header, body []byte, now time.Time) (Webhook, error) {
	id, stamp := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	at := time.Unix(seconds, 0)
	if err != nil || at.Before(now.Add(-WebhookTolerance)) || at.After(now.Add(WebhookTolerance)) {
		return Webhook{}, fmt.Errorf("%w: it was not sent now", ErrWebhook)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(secret), "whsec_"))
	if err != nil || len(key) == 0 {
		return Webhook{}, fmt.Errorf("%w: the secret is none", ErrWebhook)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	if !isSigned(header.Get("Webhook-Signature"), mac.Sum(nil)) {
		return Webhook{}, fmt.Errorf("%w: no signature fits", ErrWebhook)
	}
	webhook, err := readWebhook(body)
	if err != nil {
		return Webhook{}, err
	}
	webhook.ID, webhook.AttemptAt = id, at
	return webhook, nil
}

// isSigned reports whether one of several signatures is the one wanted, in the
// one spelling that it has.
func isSigned(signatures string, want []byte) bool {
	for signature := range strings.FieldsSeq(signatures) {
		version, text, _ := strings.Cut(signature, ",")
		given, err := base64.StdEncoding.Strict().DecodeString(text)
		if version == "v1" && err == nil && hmac.Equal(given, want) {
			return true
		}
	}
	return false
}

func readWebhook(body []byte) (Webhook, error) {
	var told struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Sequence  int64     `json:"sequence"`
		Data      struct {
			Payment *Payment `json:"payment"`
			Refund  *Refund  `json:"refund"`
			Dispute *Dispute `json:"dispute"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &told); err != nil {
		return Webhook{}, fmt.Errorf("refundry: the webhook cannot be read: %w", err)
	}
	return Webhook{
		Kind: told.Type, At: told.Timestamp, Sequence: told.Sequence, Payment: told.Data.Payment, Refund: told.Data.Refund,
		Dispute: told.Data.Dispute,
	}, nil
}
