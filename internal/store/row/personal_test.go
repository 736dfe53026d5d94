package row_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/store/row"
)

// What is sealed opens again with the same key, in the same column of the same
// row, and nowhere else; a destroyed key opens nothing.
func TestPersonalIsSealedToItsPlace(t *testing.T) {
	key, err := row.NewPersonalKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := row.NewPersonalKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOf(rapid.Byte()).Draw(t, "text")
		id := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		sealed, err := key.Seal("payment", id, text)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := key.Seal("payment", id, text)
		opened, err := key.Open("payment", id, sealed)
		if err != nil || !bytes.Equal(opened, text) || !bytes.Equal(sealed, again) {
			t.Fatalf("opened %x, %v", opened, err)
		}
		if erased, err := row.PersonalKey(nil).Open("payment", id, sealed); err != nil || erased != nil {
			t.Fatalf("a destroyed key opened %x, %v", erased, err)
		}
		if len(text) == 0 {
			return
		}
		id[3] ^= 1
		_, errRow := key.Open("payment", id, sealed)
		id[3] ^= 1
		_, errColumn := key.Open("refund", id, sealed)
		_, errKey := other.Open("payment", id, sealed)
		if errRow == nil || errColumn == nil || errKey == nil {
			t.Fatalf("opened elsewhere: %v, %v, %v", errRow, errColumn, errKey)
		}
	})
}
