package row

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/daead/subtle"
)

// PersonalKey seals what is personal about one owner: a payment, an order, or
// a person who called. Whoever destroys it has erased what it sealed, wherever
// that lies. It is empty if it was destroyed, or if there never was one.
type PersonalKey []byte

// errPersonal means that what was sealed is damaged, or is another row's.
var errPersonal = errors.New("a personal column is damaged, or belongs to another row")

// NewPersonalKey draws a key.
func NewPersonalKey(random io.Reader) (PersonalKey, error) {
	key := make(PersonalKey, subtle.AESSIVKeySize)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("draw a personal key: %w", err)
	}
	return key, nil
}

// Seal encrypts what is personal in one column of one row. It uses no luck
// (AES-SIV): a commit that runs again writes the same bytes. No text needs no
// seal, and stays nil.
func (k PersonalKey) Seal(column string, id [16]byte, text []byte) ([]byte, error) {
	if len(text) == 0 {
		return nil, nil
	}
	cipher, err := subtle.NewAESSIV(k)
	if err != nil {
		return nil, fmt.Errorf("use a personal key: %w", err)
	}
	return seal(cipher, column, id, text)
}

func seal(cipher *subtle.AESSIV, column string, id [16]byte, text []byte) ([]byte, error) {
	sealed, err := cipher.EncryptDeterministically(text, place(column, id))
	if err != nil {
		return nil, fmt.Errorf("seal what is personal: %w", err)
	}
	return sealed, nil
}

// Open decrypts what [PersonalKey.Seal] sealed for the same column and row.
// What a destroyed key has sealed is nil.
func (k PersonalKey) Open(column string, id [16]byte, sealed []byte) ([]byte, error) {
	if len(k) == 0 || len(sealed) == 0 {
		return nil, nil
	}
	cipher, err := subtle.NewAESSIV(k)
	if err != nil {
		return nil, fmt.Errorf("use a personal key: %w", err)
	}
	text, err := cipher.DecryptDeterministically(sealed, place(column, id))
	if err != nil {
		return nil, errPersonal
	}
	return text, nil
}

// try opens what the key has sealed. What it cannot open, because it is damaged
// or its key is another since a backup without keys was restored, is as if it had
// been erased: a payment must be refunded whatever became of its words.
func (k PersonalKey) try(column string, id [16]byte, sealed []byte) ([]byte, error) {
	text, err := k.Open(column, id, sealed)
	if errors.Is(err, errPersonal) {
		return nil, nil
	}
	return text, err
}

// open reads the JSON that was sealed. Where there is none that can be opened,
// the value stays as it is.
func (k PersonalKey) open(column string, id [16]byte, sealed []byte, into any) error {
	text, err := k.try(column, id, sealed)
	if err != nil || text == nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// place binds what is sealed to its column and row: copied to another, it
// cannot be opened.
func place(column string, id [16]byte) []byte { return append([]byte(column+"/"), id[:]...) }
