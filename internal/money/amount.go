// Package money counts money in whole minor units.
//
// There is no float and no rounding here: EUR 12.34 is {1234, "EUR"} and JPY
// 500 is {500, "JPY"}. Sums that do not fit, and sums across currencies, are
// errors.
package money

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Minor is a count of minor units whose currency is known from its owner,
// such as the totals of one payment.
type Minor int64

// Max is the largest amount, in minor units, that any front door takes: the
// largest whole number that a JavaScript client reads exactly. It leaves room
// to add a thousand of them without overflow.
const Max Minor = 1<<53 - 1

// Amount is a count of minor units with its currency.
type Amount struct {
	Minor    Minor
	Currency Currency
}

// ErrOverflow and ErrCurrencies are the two ways in which a sum can fail.
var (
	ErrOverflow   = errors.New("amount out of range")
	ErrCurrencies = errors.New("amounts of different currencies")
)

// Of returns an amount.
func Of(minor Minor, currency Currency) Amount { return Amount{Minor: minor, Currency: currency} }

// Add returns a + b.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, ErrCurrencies
	}
	sum := a.Minor + b.Minor
	if (sum > a.Minor) != (b.Minor > 0) {
		return Amount{}, ErrOverflow
	}
	return Amount{sum, a.Currency}, nil
}

// IsPositive reports whether there is anything.
func (a Amount) IsPositive() bool { return a.Minor > 0 }

// String returns major units and currency for people, as in "12.34 EUR".
func (a Amount) String() string { return a.Major() + " " + string(a.Currency) }

// Major returns the amount in decimal major units, with as many decimals as
// the currency has: "12.34" for EUR, "500" for JPY.
func (a Amount) Major() string {
	exponent := a.Currency.Exponent()
	digits := strconv.FormatInt(int64(a.Minor), 10)
	sign := ""
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "-", rest
	}
	if exponent == 0 {
		return sign + digits
	}
	for len(digits) <= exponent {
		digits = "0" + digits
	}
	point := len(digits) - exponent
	return sign + digits[:point] + "." + digits[point:]
}

// Share returns floor(total × part / whole) without losing bits on the way.
// It is the one division by which amounts are spread; see [Spread].
// It needs 0 ≤ part ≤ whole, 0 < whole and 0 ≤ total.
func Share(total Minor, part, whole int64) Minor {
	if total < 0 || part < 0 || whole <= 0 || part > whole {
		panic(fmt.Sprintf("money: share of %d/%d", part, whole))
	}
	high, low := bits.Mul64(uint64(total), uint64(part))
	quotient, _ := bits.Div64(high, low, uint64(whole))
	return Minor(quotient)
}

// Spread divides total over weights, cumulatively: the parts before and up to
// each line are a floored share of the whole, so parts always add up to total
// and no part is more than one minor unit from its exact share. A part never
// exceeds its weight as long as total does not exceed the sum of weights.
// It needs at least one weight above zero, and none below.
func Spread(total Minor, weights []Minor) []Minor {
	var whole int64
	for _, weight := range weights {
		whole += int64(weight)
	}
	parts := make([]Minor, len(weights))
	var weight int64
	var before Minor
	for i := range weights {
		weight += int64(weights[i])
		upTo := Share(total, weight, whole)
		parts[i] = upTo - before
		before = upTo
	}
	return parts
}
