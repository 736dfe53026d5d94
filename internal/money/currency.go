package money

import (
	_ "embed"
	"errors"
	"strings"
)

// Currency is an ISO 4217 code in upper case, as in "EUR".
type Currency string

// iso4217 has a line per currency: code, exponent, and "withdrawn" for codes
// that old payments may still carry.
//
//go:embed iso4217.csv
var iso4217 string

type currencyFacts struct {
	exponent  int
	withdrawn bool
}

var currencies = readCurrencies(iso4217)

// ErrCurrency means that a text is not a currency we know. The text is not
// repeated: it may be anything.
var ErrCurrency = errors.New("unknown currency")

func readCurrencies(table string) map[Currency]currencyFacts {
	known := map[Currency]currencyFacts{}
	for line := range strings.Lines(table) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		if len(fields) < 2 || len(fields[0]) != 3 || len(fields[1]) != 1 {
			continue // the heading
		}
		known[Currency(fields[0])] = currencyFacts{
			exponent:  int(fields[1][0] - '0'),
			withdrawn: len(fields) > 2 && fields[2] == "withdrawn",
		}
	}
	return known
}

// ParseCurrency reads a code in any case. Withdrawn codes are known: payments
// made with them can still be refunded.
func ParseCurrency(text string) (Currency, error) {
	code := Currency(strings.ToUpper(text))
	if _, known := currencies[code]; !known || len(text) != len(code) { // a letter of another alphabet may become one of ours
		return "", ErrCurrency
	}
	return code, nil
}

// Exponent returns how many decimals the currency has: JPY 0, EUR 2, BHD 3.
func (c Currency) Exponent() int { return currencies[c].exponent }

// IsWithdrawn reports whether the code is no longer in use.
func (c Currency) IsWithdrawn() bool { return currencies[c].withdrawn }
