package auth

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keyring encrypts what we must be able to use again, such as signing keys,
// with AES-256-GCM. Every secret is bound to its row: copied to another, it
// cannot be opened.
type Keyring struct {
	keys    *keyset.Handle
	primary tink.AEAD
}

// ErrSealed means that a secret cannot be opened: another key, or another row.
var ErrSealed = errors.New("a stored secret cannot be decrypted: another master key, or another row")

// NewKeyring makes a keyring with a fresh key.
func NewKeyring() (*Keyring, error) {
	keys, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a master key: %w", err)
	}
	return newKeyring(keys)
}

// ParseKeyring reads what [Keyring.Bytes] wrote.
func ParseKeyring(content []byte) (*Keyring, error) {
	keys, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(content)))
	if err != nil {
		return nil, errors.New("the master key cannot be read") // the cause may quote it
	}
	return newKeyring(keys)
}

func newKeyring(keys *keyset.Handle) (*Keyring, error) {
	primary, err := aead.New(keys)
	if err != nil {
		return nil, fmt.Errorf("use the master key: %w", err)
	}
	return &Keyring{keys: keys, primary: primary}, nil
}

// Bytes returns the keyring in the clear, for the operator's own file.
func (k *Keyring) Bytes() []byte {
	var content bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.keys, keyset.NewJSONWriter(&content)); err != nil {
		panic("auth: a keyring of ours cannot be written: " + err.Error())
	}
	return content.Bytes()
}

// Seal encrypts a secret for one row.
func (k *Keyring) Seal(secret, row []byte) ([]byte, error) {
	sealed, err := k.primary.Encrypt(secret, row)
	if err != nil {
		return nil, fmt.Errorf("encrypt a secret: %w", err)
	}
	return sealed, nil
}

// Open decrypts a secret of one row; [ErrSealed].
func (k *Keyring) Open(sealed, row []byte) ([]byte, error) {
	secret, err := k.primary.Decrypt(sealed, row)
	if err != nil {
		return nil, ErrSealed
	}
	return secret, nil
}
