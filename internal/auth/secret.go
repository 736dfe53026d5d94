package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/refundry/refundry/internal/fault"
)

// Secret is what only its owner may read. It prints as stars, however it is
// printed, logged or encoded.
type Secret string

const stars = "***"

// Reveal returns the secret itself. It is called only where the secret leaves
// for its owner.
func (s Secret) Reveal() string { return string(s) }

// String returns stars.
func (Secret) String() string { return stars }

// Format writes stars, whatever the verb.
func (Secret) Format(to fmt.State, _ rune) { _, _ = io.WriteString(to, stars) }

// LogValue returns stars.
func (Secret) LogValue() slog.Value { return slog.StringValue(stars) }

// MarshalText returns stars.
func (Secret) MarshalText() ([]byte, error) { return []byte(stars), nil }

const (
	keyPrefix  = "rfk_"
	keyLetters = 26 // of 32 kinds each: 130 bits
	alphabet   = "abcdefghijklmnopqrstuvwxyz234567"
)

// NewAPIKey returns a fresh key. It is shown once; only its digest is kept.
func NewAPIKey(random io.Reader) Secret {
	letters := draw(random, keyLetters)
	for i, letter := range letters {
		letters[i] = alphabet[int(letter)%len(alphabet)]
	}
	return Secret(keyPrefix + string(letters))
}

// Digest returns what an API key is found by. Finding it takes as long for any
// wrong key: how much of a digest is right says nothing about the key.
func Digest(key Secret) string { return digest(key.Reveal()) }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

const (
	secretPrefix   = "whsec_"
	secretBytes    = 32 // as Standard Webhooks has it
	secretBytesMin = 24 // its least
	secretBytesMax = 64 // and most
)

// NewEndpointSecret returns a fresh secret, as Standard Webhooks spells it.
func NewEndpointSecret(random io.Reader) Secret {
	return Secret(secretPrefix + base64.StdEncoding.EncodeToString(draw(random, secretBytes)))
}

// parseEndpointSecret reads a secret as Standard Webhooks spells it.
func parseEndpointSecret(secret Secret) ([]byte, error) {
	text := strings.TrimPrefix(string(secret), secretPrefix)
	raw, err := base64.StdEncoding.DecodeString(text)
	isOneSpelling := base64.StdEncoding.EncodeToString(raw) == text
	isMarked := bytes.HasPrefix(raw, rotatedMark) // it would be read as two, see [secretsOf]
	if err != nil || len(raw) < secretBytesMin || len(raw) > secretBytesMax || !isOneSpelling || isMarked {
		return nil, fault.New(fault.Invalid, "a secret is %s and Base64 of %d to %d bytes",
			secretPrefix, secretBytesMin, secretBytesMax)
	}
	return raw, nil
}

// draw returns random bytes. A source that has none is a broken machine:
// nothing safe can be made on it.
func draw(random io.Reader, length int) []byte {
	bytes := make([]byte, length)
	if _, err := io.ReadFull(random, bytes); err != nil {
		panic("auth: no random bytes: " + err.Error())
	}
	return bytes
}
