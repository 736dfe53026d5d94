package ping

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// form reads what a caller sends and gathers everything that is wrong with it.
type form struct {
	problems []problem
}

// How long texts may be, in characters, and JSON in bytes.
const (
	descriptionMax = 500
	messageMax     = 255
	nameMax        = 500
	tagMax         = 255
	urlMax         = 2000
	jsonBytesMax   = 16 << 10
)

// wrong notes that a property is wrong.
func (f *form) wrong(code, property, description string) {
	f.problems = append(f.problems, problem{Description: description, Error: code, Property: property})
}

// err returns everything that is wrong, nil if nothing is.
func (f *form) err() error {
	if len(f.problems) == 0 {
		return nil
	}
	return &word{http.StatusUnprocessableEntity, f.problems}
}

// given reports whether a property has a value. That one is needed, and not
// there, is wrong.
func (f *form) given(v wire.Value, property, kind string, isNeeded bool) bool {
	switch {
	case v.IsGiven():
		return true
	case isNeeded && v.Is(wire.Null):
		f.wrong(nullValue, property, "null value where "+kind+" expected")
	case isNeeded:
		f.wrong(missingValue, property, "no value where "+kind+" expected")
	}
	return false
}

// is reports whether a property has a value of a kind; another one is wrong.
func (f *form) is(v wire.Value, kind wire.Kind, property, name string, isNeeded bool) bool {
	if !f.given(v, property, name, isNeeded) {
		return false
	}
	if !v.Is(kind) {
		f.wrong(invalidType, property, name+" expected")
		return false
	}
	return true
}

// amount reads minor units, a whole number of 64 bits that is at least so much.
func (f *form) amount(v wire.Value, property string, least int64) int64 {
	if !f.is(v, wire.Number, property, "integer", true) {
		return 0
	}
	number, isWhole := v.Int()
	switch {
	case !isWhole && strings.ContainsAny(v.Raw(), ".eE"):
		f.wrong(invalidType, property, "integer expected")
	case !isWhole || number < least:
		f.wrong(outOfRange, property, "the number is out of range")
		return 0
	}
	return number
}

// minor returns an amount as the books hold it. What they cannot hold is one
// more than they can: every rule refuses it in its own place.
func minor(number int64) money.Minor { return min(money.Minor(number), money.Max+1) }

// text reads a text of at most so many characters; a needed one is not empty.
func (f *form) text(v wire.Value, property string, most int, isNeeded bool) string {
	if !f.is(v, wire.String, property, "string", isNeeded) {
		return ""
	}
	text, _ := v.Text()
	switch {
	case isNeeded && text == "":
		f.wrong(invalidValue, property, "the string must not be empty")
	case utf8.RuneCountInString(text) > most:
		f.wrong(outOfRange, property, "the string is too long")
	case v.HasCardNumber():
		f.wrong(invalidValue, property, "a card number must not be sent here")
	}
	return text
}

// object reads JSON that is kept as it is: an object; empty if there is none.
func (f *form) object(v wire.Value, property string) string {
	if !f.is(v, wire.Object, property, "object", false) {
		return ""
	}
	switch {
	case len(v.Raw()) > jsonBytesMax:
		f.wrong(outOfRange, property, "the object is too large")
	case v.HasCardNumber():
		f.wrong(invalidValue, property, "a card number must not be sent here")
	case len(v.Names()) > 0:
		return v.Compact()
	}
	return ""
}

// choice reads one of several words.
func (f *form) choice(v wire.Value, property string, words []string, description string) string {
	if !f.is(v, wire.String, property, "string", true) {
		return ""
	}
	text, _ := v.Text()
	if !isKnown(words, text) {
		f.wrong(invalidValue, property, description)
		return ""
	}
	return text
}

// uuid reads a UUID and returns it in lower case; empty if there is none.
func (f *form) uuid(v wire.Value, property string) string {
	if !f.is(v, wire.String, property, "string", false) {
		return ""
	}
	text, _ := v.Text()
	var id payment.ResourceID
	if id.ParseUUID(text) != nil || id.IsZero() {
		f.wrong(invalidValue, property, "UUID expected")
		return ""
	}
	return id.UUID()
}

// url reads where callbacks go; empty if nowhere.
func (f *form) url(v wire.Value, property string, isNeeded, isSandbox bool) string {
	if !f.is(v, wire.String, property, "string", isNeeded) {
		return ""
	}
	text, _ := v.Text()
	to, err := url.Parse(text)
	isAbsolute := err == nil && to.Hostname() != "" && (to.Scheme == "https" || to.Scheme == "http" && isSandbox)
	if !isAbsolute || to.User != nil || to.Fragment != "" || len(text) > urlMax {
		f.wrong(invalidValue, property, "absolute URL expected")
		return ""
	}
	return text
}

// time reads a time of a query: RFC 3339 with at most nine fraction digits. A
// plus sign that nobody escaped arrives as a space.
func (f *form) time(text, property string) time.Time {
	if text == "" {
		return time.Time{}
	}
	text = strings.ReplaceAll(strings.ToUpper(text), " ", "+")
	read, err := time.Parse(time.RFC3339Nano, text)
	_, fraction, _ := strings.Cut(text, ".")
	digits := len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
	if err != nil || digits > 9 || strings.Contains(text, ",") || read.IsZero() { // which would narrow nothing
		f.wrong(invalidValue, property, "RFC 3339 time expected")
	}
	return read.UTC()
}

func isUUID(text string) bool {
	var id payment.ResourceID
	return id.ParseUUID(text) == nil
}

// isObject reports whether JSON text is an object.
func isObject(text string) bool { return bytes.HasPrefix([]byte(text), []byte("{")) }
