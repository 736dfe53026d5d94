package smartglocal

import (
	"crypto/sha256"
	"net/http"

	"github.com/refundry/refundry/internal/payment"
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
	if len(values) > 1 || !isVisible(values[0], keyBytesMax) {
		return badKey
	}
	sum := sha256.New()
	sum.Write(c.tenant.ID[:])
	sum.Write(c.project.ID[:])
	sum.Write([]byte(c.path + "\x00" + values[0]))
	c.key = payment.Key{Hash: payment.KeyHash(sum.Sum(nil)[:16]), Refuses: true}
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
