package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Digest gathers what a key or a command is made of. Each part is preceded by
// its length, so that no two lists of parts look alike.
type Digest struct{ parts []byte }

// Text adds a text.
func (d *Digest) Text(text string) *Digest {
	d.parts = binary.AppendUvarint(d.parts, uint64(len(text)))
	d.parts = append(d.parts, text...)
	return d
}

// Bytes adds bytes.
func (d *Digest) Bytes(bytes []byte) *Digest {
	d.parts = binary.AppendUvarint(d.parts, uint64(len(bytes)))
	d.parts = append(d.parts, bytes...)
	return d
}

// Number adds a number.
func (d *Digest) Number(number int64) *Digest {
	d.parts = binary.AppendVarint(d.parts, number)
	return d
}

// Time adds a time, by its microseconds.
func (d *Digest) Time(at time.Time) *Digest {
	if at.IsZero() {
		return d.Number(0)
	}
	return d.Number(at.UnixMicro())
}

// Sum returns the first 128 bits of the parts' SHA-256.
func (d *Digest) Sum() [16]byte {
	whole := sha256.Sum256(d.parts)
	return [16]byte(whole[:16])
}

// Hex returns the sum as text.
func (d *Digest) Hex() string {
	sum := d.Sum()
	return hex.EncodeToString(sum[:])
}
