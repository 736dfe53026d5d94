package chip

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/wire"
)

// form reads the members of an object, and notes what is wrong with them in
// the shape of the object. Members that nobody asks for are ignored.
type form struct {
	value wire.Value
	wrong *flaws
}

// How long things may be, in characters.
const (
	textMax  = 500 // where nothing else is said
	urlMax   = 500
	emailMax = 254
	listMax  = 100      // elements
	rawMax   = 16 << 10 // bytes of JSON that is only echoed
)

// has reports whether a member is there and not null.
func (f form) has(name string) bool { return f.value.Get(name).IsGiven() }

func (f form) flaw(name, code, message string) { f.wrong.at(name).add(code, message) }

// required returns a member that must be there, and whether it is.
func (f form) required(name string) (wire.Value, bool) {
	value := f.value.Get(name)
	switch {
	case value.Is(wire.Absent):
		f.flaw(name, codeRequired, "This field is required.")
	case value.Is(wire.Null):
		f.flaw(name, codeNull, "This field may not be null.")
	}
	return value, value.IsGiven()
}

// object returns the form of a member that is an object; PHP clients write an
// empty one as [].
func (f form) object(name string) form {
	value := f.value.Get(name)
	if value.IsGiven() && !value.Is(wire.Object) && !value.IsEmptyArray() {
		f.flaw(name, codeInvalid, "This must be an object.")
	}
	return form{value, f.wrong.at(name)}
}

// text returns a text of at most so many characters; absent and null are the
// empty one.
func (f form) text(name string, most int) string {
	value := f.value.Get(name)
	if !value.IsGiven() {
		return ""
	}
	text, ok := value.Text()
	switch {
	case !ok:
		f.flaw(name, codeInvalid, "Not a valid string.")
	case utf8.RuneCountInString(text) > most:
		f.flaw(name, codeMaxLength, fmt.Sprintf("Ensure this field has no more than %d characters.", most))
	case wire.HasCardNumber(text):
		f.flaw(name, codeInvalid, "Card numbers must not be sent here.")
	default:
		return text
	}
	return ""
}

// needed returns a text that must be there and not be empty.
func (f form) needed(name string, most int) string {
	if _, ok := f.required(name); !ok {
		return ""
	}
	text := f.text(name, most)
	if text == "" && f.wrong.at(name).isEmpty() {
		f.flaw(name, codeMinLength, "This field may not be blank.")
	}
	return text
}

// email returns an e-mail address, as far as one can tell by looking at it.
func (f form) email(name string) string {
	text := f.text(name, emailMax)
	at := strings.LastIndexByte(text, '@')
	if text != "" && (at < 1 || at == len(text)-1 || strings.ContainsAny(text, " \t\r\n<>,;")) {
		f.flaw(name, codeInvalid, "Enter a valid email address.")
		return ""
	}
	return text
}

// url returns a URL where a payer, or a webhook, can be sent.
func (f form) url(name string) string {
	text := f.text(name, urlMax)
	if text == "" || isWebURL(text) {
		return text
	}
	f.flaw(name, codeInvalid, "Enter a valid URL.")
	return ""
}

func isWebURL(text string) bool {
	to, err := url.Parse(text) // it refuses control characters
	return err == nil && (to.Scheme == "http" || to.Scheme == "https") && to.Hostname() != "" && to.User == nil &&
		to.Fragment == "" && !strings.Contains(text, " ")
}

// flag returns a boolean, false if there is none.
func (f form) flag(name string) bool {
	value := f.value.Get(name)
	flag, ok := value.Bool()
	if value.IsGiven() && !ok {
		f.flaw(name, codeInvalid, "Must be a valid boolean.")
	}
	return flag
}

// uuid reads an id in the spelling of a UUID, and reports whether there is one.
func (f form) uuid(name string, to interface{ ParseUUID(text string) error }) bool {
	value := f.value.Get(name)
	if !value.IsGiven() {
		return false
	}
	text, ok := value.Text()
	if !ok || to.ParseUUID(text) != nil {
		f.flaw(name, codeInvalid, "Must be a valid UUID.")
		return false
	}
	return true
}

// whole returns a whole number, at least as large as it must be; the second
// result is false if there is none, or a wrong one.
func (f form) whole(name string, least money.Minor) (money.Minor, bool) {
	value := f.value.Get(name)
	if !value.IsGiven() {
		return 0, false
	}
	minor, flaw := readWhole(value, least)
	if flaw == nil && minor > money.Max {
		flaw = &problemOf{codeMaxValue, maxText(money.Max)}
	}
	if flaw != nil {
		f.flaw(name, flaw.code, flaw.message)
		return 0, false
	}
	return minor, true
}

// optional returns a whole number, nil if there is none.
func (f form) optional(name string) *money.Minor {
	if minor, ok := f.whole(name, 0); ok {
		return &minor
	}
	return nil
}

// texts returns a list of texts, nil if there is none.
func (f form) texts(name string, most int) []string {
	value := f.value.Get(name)
	if !value.IsGiven() {
		return nil
	}
	if !value.Is(wire.Array) || len(value.Elements()) > listMax {
		f.flaw(name, codeInvalid, "This must be a list of strings.")
		return nil
	}
	texts := []string{}
	for _, element := range value.Elements() {
		text, ok := element.Text()
		if !ok || utf8.RuneCountInString(text) > most || wire.HasCardNumber(text) {
			f.flaw(name, codeInvalid, "This must be a list of strings.")
			return nil
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// raw returns JSON of a kind that is only echoed; empty if there is none.
func (f form) raw(name string, kind wire.Kind) string {
	value := f.value.Get(name)
	switch {
	case !value.IsGiven(), kind == wire.Object && value.IsEmptyArray():
		return ""
	case !value.Is(kind):
		f.flaw(name, codeInvalid, "This has a wrong type.")
	case len(value.Raw()) > rawMax:
		f.flaw(name, codeMaxLength, "This is larger than 16 KiB.")
	case value.HasCardNumber():
		f.flaw(name, codeInvalid, "Card numbers must not be sent here.")
	default:
		return value.Compact()
	}
	return ""
}
