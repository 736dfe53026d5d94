package ping

import (
	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// keyMax is how long an idempotency key may be.
const keyMax = 255

// key reads the idempotency key of a refund. It belongs to the tenant, and
// stands for what the command is made of.
func (c *call) key(parts ...string) (payment.Key, error) {
	values := c.request.Header.Values(headerKey)
	if len(values) == 0 {
		return payment.Key{}, nil
	}
	if len(values) > 1 || !wire.IsVisible(values[0], keyMax) {
		return payment.Key{}, badKey
	}
	return payment.Key{Hash: dialect.Key(c.tenant.ID, Name, values[0]), Fingerprint: dialect.Fingerprint(parts...)}, nil
}
