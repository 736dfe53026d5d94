package chip

import (
	"strings"
	"time"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

const (
	headerKey   = "Idempotency-Key"
	keyBytesMax = 255
	keyLifetime = 30 * 24 * time.Hour // domain time; afterwards a key is new again (C2)
)

// readKey reads the idempotency key, where it is obeyed (C2).
func (c *call) readKey(called method) error {
	choice := keysOf.Of(c.tenant.Settings)
	if choice == keysOff || called.keys == "" || called.keys == keysOfAll && choice != keysOfAll {
		return nil
	}
	values := c.request.Header.Values(headerKey)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return nil
	case len(values) > 1 || !wire.IsVisible(values[0], keyBytesMax):
		return badKey
	}
	c.keyText = values[0]
	return nil
}

// setKey lets a repeat of the call be known by its key. Its scope is the
// secret key and the path; parts are what the body says.
func (d *Door) setKey(c *call, parts ...string) error {
	if c.keyText == "" {
		return nil
	}
	hash, _, err := d.keyHash(c)
	c.key = payment.Key{Hash: hash, Fingerprint: dialect.Fingerprint(parts...)}
	return err
}

// keyHash returns the name of the call's key, and what it was used for. A use
// that is too long ago makes the next one another key.
func (d *Door) keyHash(c *call) (payment.KeyHash, *payment.KeyRecord, error) {
	scope := []string{c.credential.ID.String(), strings.ToLower(c.path)}
	for {
		hash := dialect.Key(c.tenant.ID, Name, c.keyText, scope...)
		used, err := d.config.Reader.Key(c.ctx, c.tenant.ID, hash)
		if err != nil || used == nil || d.config.Now().Sub(used.At) <= keyLifetime {
			return hash, used, err
		}
		scope = append(scope, used.At.Format(time.RFC3339Nano))
	}
}

// malformed is the answer to a call whose body cannot be a command. That the
// key was used for another, and that there is no such purchase, go before it.
func (d *Door) malformed(c *call, said error) error {
	if c.keyText != "" {
		_, used, err := d.keyHash(c)
		if err != nil {
			return err
		}
		if used != nil {
			return keyConflict // or the time has passed in which the same body was right
		}
	}
	if c.id != "" {
		if _, err := d.view(c); err != nil {
			return err
		}
	}
	return said
}

// replay gives an answer again that showed a purchase.
func (d *Door) replay(c *call, used *payment.KeyRecord, status int) (int, any, error) {
	view, err := d.config.Reader.View(c.ctx, c.tenant.ID, used.Payment)
	if err != nil {
		return 0, nil, err
	}
	return status, d.shower(c.tenant).purchase(view.AsOf(used.Version)), nil
}
