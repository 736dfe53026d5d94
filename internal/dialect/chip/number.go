package chip

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/wire"
)

// numbers are the running numbers of a company; each is written with these
// letters before it.
type numbers string

// The running numbers, of purchases and of their refunds.
const (
	purchaseNumbers numbers = "CH"
	paymentNumbers  numbers = ""
)

// nextNumber returns the next of a company's running numbers. There are gaps.
func (d *Door) nextNumber(c *call, of numbers) (string, error) {
	number, err := d.numbers.Next(c.ctx, d.config.Counter, c.tenant.ID, "chip"+string(of))
	return string(of) + strconv.FormatInt(number, 10), err
}

// numberMax bounds how long a number may be written.
const numberMax = 64

// decimalForm is how a decimal number is written. Its exponent has two digits
// at the most, so that no number takes long to read.
var decimalForm = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?$`)

// wholeForm is how a text writes a whole number: PHP writes floats.
var wholeForm = regexp.MustCompile(`^[+-]?[0-9]+(\.0+)?$`)

// readDecimal reads a number, or a text that is one, exactly.
func readDecimal(value wire.Value) (*big.Rat, bool) {
	text, isText := value.Text()
	if !isText {
		text = value.Raw()
	}
	if !isText && !value.Is(wire.Number) || len(text) > numberMax || !decimalForm.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// problemOf is what is wrong with one value.
type problemOf struct{ code, message string }

// readWhole reads a whole number that is at least so large: a number, however
// it is written, or a text of digits. One that is too large for us is the
// largest there is, so that it is refused as what it is: too much.
func readWhole(value wire.Value, least money.Minor) (money.Minor, *problemOf) {
	text, isText := value.Text()
	if isText && !wholeForm.MatchString(strings.TrimSpace(text)) {
		return 0, &problemOf{codeInvalid, "A valid integer is required."}
	}
	number, ok := readDecimal(value)
	switch {
	case !ok || !number.IsInt():
		return 0, &problemOf{codeInvalid, "A valid integer is required."}
	case number.Cmp(new(big.Rat).SetInt64(int64(least))) < 0:
		return 0, &problemOf{codeMinValue, fmt.Sprintf("Ensure this value is greater than or equal to %d.", least)}
	case !number.Num().IsInt64():
		return math.MaxInt64, nil
	}
	return money.Minor(number.Num().Int64()), nil
}
