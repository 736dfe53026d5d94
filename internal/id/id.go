// Package id names things.
//
// An [ID] is 128 bits that grow with time (UUID version 7), so that new rows
// land at the end of an index. Each kind of thing has its own type, and each
// front door its own spelling: "rfd_06a…" in our API, a UUID at Ping and CHIP,
// decimal digits at Smart Glocal and Pike.
package id

import (
	"bytes"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
)

// Kind is a type parameter that says what an [ID] names.
type Kind interface {
	// Prefix is the three letters before the underscore, as in "rfd".
	Prefix() string
}

// ID names one thing of kind K. The zero value names nothing.
type ID[K Kind] [16]byte

// Source returns fresh ids in growing order. It is given from outside, so
// that tests and simulations decide.
type Source func() [16]byte

// errSpelling never repeats the text: it may be anything.
var errSpelling = errors.New("not an id")

// crockford is base32 without the letters that are mistaken for digits.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

const (
	crockfordLength = 26 // 128 bits at 5 bits a letter
	decimalLength   = 39 // digits of 2^128 - 1
	uuidLength      = 36
)

// IsZero reports whether the id names nothing.
func (i ID[K]) IsZero() bool { return i == ID[K]{} }

// String returns the spelling of our own API: "rfd_" and 26 letters.
func (i ID[K]) String() string {
	var kind K
	return kind.Prefix() + "_" + crockford.EncodeToString(i[:])
}

// MarshalText writes the spelling of our own API; nothing for the zero id.
func (i ID[K]) MarshalText() ([]byte, error) {
	if i.IsZero() {
		return nil, nil
	}
	return []byte(i.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (i *ID[K]) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*i = ID[K]{}
		return nil
	}
	return i.Parse(string(text))
}

// Parse reads the spelling of our own API.
func (i *ID[K]) Parse(text string) error {
	var kind K
	letters, ok := strings.CutPrefix(text, kind.Prefix()+"_")
	if !ok || len(letters) != crockfordLength {
		return errSpelling
	}
	raw, err := crockford.DecodeString(letters)
	if err != nil || len(raw) != len(i) { // base32 passes over the ends of lines
		return errSpelling
	}
	parsed := ID[K](raw)
	if parsed.String() != text { // the last letter has two bits to spare
		return errSpelling
	}
	*i = parsed
	return nil
}

// Decimal returns the id as a decimal number without leading zeros.
func (i ID[K]) Decimal() string {
	return new(big.Int).SetBytes(i[:]).String()
}

// ParseDecimal reads what Decimal wrote and nothing else.
func (i *ID[K]) ParseDecimal(text string) error {
	if text == "" || len(text) > decimalLength || strings.Trim(text, "0123456789") != "" {
		return errSpelling
	}
	number, ok := new(big.Int).SetString(text, 10)
	if !ok || number.BitLen() > 128 || (text[0] == '0' && text != "0") {
		return errSpelling
	}
	number.FillBytes(i[:])
	return nil
}

// UUID returns the id in lower case with hyphens.
func (i ID[K]) UUID() string {
	var text [uuidLength]byte
	hex.Encode(text[0:8], i[0:4])
	hex.Encode(text[9:13], i[4:6])
	hex.Encode(text[14:18], i[6:8])
	hex.Encode(text[19:23], i[8:10])
	hex.Encode(text[24:36], i[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// ParseUUID reads a UUID with hyphens, in lower or upper case.
func (i *ID[K]) ParseUUID(text string) error {
	if len(text) != uuidLength || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return errSpelling
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(raw) != len(i) {
		return errSpelling
	}
	*i = ID[K](raw)
	return nil
}

// Compare orders ids by their bytes, which is the order in which they were made.
func (i ID[K]) Compare(other ID[K]) int { return bytes.Compare(i[:], other[:]) }

// ParseAny reads an id in any spelling of ours: "pay_…", a UUID, or decimal
// digits after a prefix of a provider's, as in "ps_123".
func ParseAny[K Kind](to *ID[K], text string) error {
	if to.Parse(text) == nil || to.ParseUUID(text) == nil {
		return nil
	}
	_, digits, ok := strings.Cut(text, "_")
	if !ok {
		return errSpelling
	}
	return to.ParseDecimal(digits)
}
