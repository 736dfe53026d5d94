package api

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

const (
	keyHeader  = "Idempotency-Key"
	keyTextMax = 255
)

// keyScope keeps the keys of our own API apart from those of other doors.
const keyScope = "api"

// idempotencyKey reads the request's key, bare or quoted; empty: there is none.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header[keyHeader]
	if len(values) == 0 {
		return "", nil
	}
	text := values[0]
	isQuoted := len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"'
	if isQuoted {
		text = text[1 : len(text)-1]
	}
	good := len(values) == 1 && len(text) >= 1 && len(text) <= keyTextMax
	for i := 0; i < len(text) && good; i++ {
		letter := text[i]
		good = letter > ' ' && letter <= '~' && (!isQuoted || letter != '"' && letter != '\\')
	}
	if !good {
		return "", &problem{code: codeKey, detail: "an idempotency key has 1 to 255 visible ASCII characters"}
	}
	return text, nil
}

// keyOf returns the key of a command; none for the empty text.
func keyOf(tenant payment.TenantID, scope, text string, command *wire.Digest) payment.Key {
	if text == "" {
		return payment.Key{}
	}
	name := new(wire.Digest).Bytes(tenant[:]).Text(scope).Text(text)
	return payment.Key{Hash: payment.KeyHash(name.Sum()), Fingerprint: payment.Fingerprint(command.Sum())}
}

// misuse says of a key that was used for another request what that was. Any
// other error stays as it is.
func (a *API) misuse(ctx context.Context, err error) error {
	refusal, ok := errors.AsType[*payment.Refusal](err)
	if !ok || refusal.Rule != payment.RuleKeyMisuse || refusal.Earlier == nil {
		return err
	}
	p := problemOf(refusal)
	p.used = a.usedFor(ctx, refusal)
	return p
}

// usedFor returns what the key of a refusal was used for. If that cannot be
// read, what is known is enough.
func (a *API) usedFor(ctx context.Context, refusal *payment.Refusal) *keyUsed {
	record := refusal.Earlier
	used := &keyUsed{
		At: string(appendTime(nil, record.At)), First: hex.EncodeToString(record.Fingerprint[:]),
		Now: hex.EncodeToString(refusal.Asked[:]),
	}
	if record.Payment.IsZero() {
		return used
	}
	used.Payment = record.Payment.String()
	view, err := a.config.Reader.View(ctx, record.Tenant, record.Payment)
	if err != nil {
		return used
	}
	if refund, found := view.Refund(record.Subject); found {
		used.Refund = refund.ID.String()
	}
	if dispute, found := view.Dispute(record.Subject); found {
		used.Dispute = dispute.ID.String()
	}
	return used
}
