package api

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/payment"
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
func keyOf(tenant payment.TenantID, scope, text string, command *digest) payment.Key {
	if text == "" {
		return payment.Key{}
	}
	name := new(digest).bytes(tenant[:]).text(scope).text(text)
	return payment.Key{Hash: payment.KeyHash(name.sum()), Fingerprint: payment.Fingerprint(command.sum())}
}

// digest gathers what a key or a command is made of. Each part is preceded by
// its length, so that no two lists of parts look alike.
type digest struct{ parts []byte }

func (d *digest) text(text string) *digest {
	d.parts = binary.AppendUvarint(d.parts, uint64(len(text)))
	d.parts = append(d.parts, text...)
	return d
}

func (d *digest) bytes(bytes []byte) *digest {
	d.parts = binary.AppendUvarint(d.parts, uint64(len(bytes)))
	d.parts = append(d.parts, bytes...)
	return d
}

func (d *digest) number(number int64) *digest {
	d.parts = binary.AppendVarint(d.parts, number)
	return d
}

func (d *digest) time(at time.Time) *digest {
	if at.IsZero() {
		return d.number(0)
	}
	return d.number(at.UnixMicro())
}

// sum returns the first 128 bits of the parts' SHA-256.
func (d *digest) sum() [16]byte {
	whole := sha256.Sum256(d.parts)
	return [16]byte(whole[:16])
}

// hex returns the sum as text.
func (d *digest) hex() string {
	sum := d.sum()
	return hex.EncodeToString(sum[:])
}
