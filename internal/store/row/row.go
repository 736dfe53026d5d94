// Package row says how domain values are written in columns, alike in both
// stores: times as integer microseconds, lists and rare fields as JSON text.
package row

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// Micros writes a time: microseconds since 1970, 0 for the zero time.
func Micros(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

// Time reads what [Micros] wrote.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// History writes a history: marks as status/note/version/micros, a semicolon between.
func History[S ~string](history payment.History[S]) string {
	var text strings.Builder
	for i, mark := range history {
		if i > 0 {
			text.WriteByte(';')
		}
		text.WriteString(string(mark.Status))
		text.WriteByte('/')
		text.WriteString(string(mark.Note))
		text.WriteByte('/')
		text.WriteString(strconv.FormatInt(mark.Version, 10))
		text.WriteByte('/')
		text.WriteString(strconv.FormatInt(Micros(mark.At), 10))
	}
	return text.String()
}

// ParseHistory reads what [History] wrote.
func ParseHistory[S ~string](text string) (payment.History[S], error) {
	if text == "" {
		return nil, nil
	}
	history := make(payment.History[S], 0, strings.Count(text, ";")+1)
	for piece := range strings.SplitSeq(text, ";") {
		status, rest, _ := strings.Cut(piece, "/")
		note, rest, _ := strings.Cut(rest, "/")
		version, micros, ok := strings.Cut(rest, "/")
		versionNumber, versionErr := strconv.ParseInt(version, 10, 64)
		microsNumber, microsErr := strconv.ParseInt(micros, 10, 64)
		if !ok || versionErr != nil || microsErr != nil {
			return nil, fmt.Errorf("history column is damaged at mark %d", len(history)+1)
		}
		history = append(history, payment.Mark[S]{
			Status: S(status), Note: payment.Note(note), Version: versionNumber, At: Time(microsNumber),
		})
	}
	return history, nil
}

// asJSON writes a value that cannot fail to be written.
func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic("row: " + err.Error())
	}
	return string(text)
}

func optional[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

func orZero[T any](value *T) T {
	var zero T
	if value == nil {
		return zero
	}
	return *value
}

// Amount joins the two columns of an amount.
func Amount(minor int64, currency string) money.Amount {
	return money.Of(money.Minor(minor), money.Currency(currency))
}

// Texts writes a list of texts as a JSON array, empty text for none.
func Texts[S ~string](list []S) string {
	if len(list) == 0 {
		return ""
	}
	return asJSON(list)
}

// ParseTexts reads what [Texts] wrote.
func ParseTexts[S ~string](text string) ([]S, error) {
	if text == "" {
		return nil, nil
	}
	var list []S
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("list column is damaged: %w", err)
	}
	return list, nil
}

// Moment is a payment at one of its versions.
type Moment struct {
	Payment payment.PaymentID
	Version int64
}

// Moments returns at which versions of which payments events happened, each once.
func Moments(events []payment.Event) (moments []Moment) {
	seen := map[Moment]bool{}
	for _, e := range events {
		if at := (Moment{e.Payment, e.Version}); !seen[at] {
			seen[at] = true
			moments = append(moments, at)
		}
	}
	return moments
}
