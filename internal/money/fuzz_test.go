package money_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/money"
)

// A currency is three letters of ours, whatever their case, and no other text
// that a library would take for them.
func FuzzParseCurrency(f *testing.F) {
	for _, text := range []string{"", "EUR", "eur", "Eur", "EU", "EURO", "ſek", "ıdr", "EUR\x00", " EUR", "DEM", "\xff\xff\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		currency, err := money.ParseCurrency(text)
		switch {
		case err != nil && (currency != "" || !errors.Is(err, money.ErrCurrency)):
			t.Errorf("%q: %q beside %v", text, currency, err)
		case err == nil && (len(text) != 3 || string(currency) != strings.ToUpper(text)):
			t.Errorf("%q is %q", text, currency)
		case err == nil:
			again, err := money.ParseCurrency(string(currency))
			if err != nil || again != currency || currency.Exponent() > 4 {
				t.Errorf("%q is %q: %v", currency, again, err)
			}
		}
	})
}

// An amount in major units says exactly the minor units, with the decimals of its
// currency.
func FuzzMajor(f *testing.F) {
	for _, minor := range []int64{0, 1, -1, 99, 100, -100, 1234567, 1<<53 - 1, -1 << 63, 1<<63 - 1} {
		for _, currency := range []string{"EUR", "JPY", "BHD", "CLF"} {
			f.Add(minor, currency)
		}
	}
	f.Fuzz(func(t *testing.T, minor int64, code string) {
		currency, err := money.ParseCurrency(code)
		if err != nil {
			return
		}
		text := money.Of(money.Minor(minor), currency).Major()
		value, ok := new(big.Rat).SetString(text)
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(currency.Exponent())), nil)
		if !ok || value.Mul(value, new(big.Rat).SetInt(scale)).Cmp(new(big.Rat).SetInt64(minor)) != 0 {
			t.Errorf("%d of %s is %s", minor, currency, text)
		}
		_, decimals, _ := strings.Cut(text, ".")
		if len(decimals) != currency.Exponent() {
			t.Errorf("%d of %s is %s", minor, currency, text)
		}
	})
}

// A sum is exact, or there is none.
func FuzzAdd(f *testing.F) {
	f.Add(int64(1), int64(2), true)
	f.Add(int64(1<<63-1), int64(1), true)
	f.Add(int64(-1<<63), int64(-1), true)
	f.Add(int64(-1<<63), int64(0), false)
	f.Fuzz(func(t *testing.T, a, b int64, isSame bool) {
		other := money.Currency("EUR")
		if !isSame {
			other = "SEK"
		}
		sum, err := money.Of(money.Minor(a), "EUR").Add(money.Of(money.Minor(b), other))
		exact := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		switch {
		case err == nil && (!isSame || sum.Currency != "EUR" || big.NewInt(int64(sum.Minor)).Cmp(exact) != 0):
			t.Errorf("%d + %d = %v", a, b, sum)
		case err != nil && (sum != money.Amount{} || isSame && exact.IsInt64()):
			t.Errorf("%d + %d: %v, %v", a, b, sum, err)
		}
	})
}
