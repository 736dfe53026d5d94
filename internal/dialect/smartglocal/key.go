package smartglocal

import (
	"net/http"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// keyBytesMax is how long an idempotency key may be (C5).
const keyBytesMax = 255

// readKey reads the idempotency key. Its scope is the project and the method,
// of both versions together; a repeat is refused, never replayed (C5).
func (d *Door) readKey(c *call, header http.Header) error {
	values := header.Values(headerKey)
	if len(values) == 0 {
		return nil
	}
	if len(values) > 1 || !wire.IsVisible(values[0], keyBytesMax) {
		return badKey
	}
	c.key = payment.Key{
		Hash:    dialect.Key(c.tenant.ID, c.brand.Door(), values[0], c.project.ID.String(), c.path),
		Refuses: true,
	}
	return nil
}

// malformed is the answer to a call whose body cannot be a command: the key's
// refusal goes before it.
func (d *Door) malformed(c *call, said error) error {
	if c.key.Hash == (payment.KeyHash{}) {
		return said
	}
	used, err := d.config.Reader.Key(c.ctx, c.tenant.ID, c.key.Hash)
	switch {
	case err != nil:
		return err
	case used != nil:
		return rules[payment.RuleKey]
	default:
		return said
	}
}
