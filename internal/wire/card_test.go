package wire_test

import (
	"testing"

	"github.com/refundry/refundry/internal/wire"
)

func TestHasCardNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"4242424242424242":                                      true,
		"card 4242 4242 4242 4242.":                             true,
		"4242-4242-4242-4242":                                   true,
		"x4111111111111111x":                                    true,
		"4242424242424243":                                      false, // Luhn
		"1242424242424242":                                      false, // no scheme's
		"42424242424242424242":                                  false, // 20 digits
		"4242  4242 4242 4242":                                  false, // two spaces
		"42424242-4242-4242-4242-424242424242":                  false, // a UUID
		"order 42424242-4242-4242-4242-424242424242 paid":       false,
		"42424242-4242-4242-4242-424242424242 4242424242424242": true,
		"42424242-4242-4242-4242-42424242424242":                false, // too long for both
	} {
		if got := wire.HasCardNumber(text); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}
