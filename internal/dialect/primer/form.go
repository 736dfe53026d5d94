package primer

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// violation is one thing that is wrong with a request.
type violation struct {
	Path        string `json:"path"`
	Description string `json:"description"`
}

// form is a body, or an object in it, that is read member by member. What is
// wrong with it is gathered: a caller hears of everything at once.
type form struct {
	value  wire.Value
	path   string // of the object, empty for the body itself
	strict bool   // null is refused; otherwise it is as good as absent
	wrong  []violation
}

func (f *form) refuse(name, description string) {
	f.wrong = append(f.wrong, violation{"$" + f.path + "." + name, description})
}

// only refuses members that the API does not know. Their names are not
// repeated: they may be anything.
func (f *form) only(names ...string) {
	for _, name := range f.value.Names() {
		if !slices.Contains(names, name) {
			f.wrong = append(f.wrong, violation{"$" + f.path, "Additional properties are not allowed"})
			return
		}
	}
}

// member returns a member, absent if it is null and may be.
func (f *form) member(name string) wire.Value {
	value := f.value.Get(name)
	if !value.Is(wire.Null) {
		return value
	}
	if f.strict {
		f.refuse(name, "Value must not be null")
	}
	return wire.Value{}
}

// text returns a text of at most so many characters; empty: it is absent.
func (f *form) text(name string, most int) string {
	value := f.member(name)
	text, ok := value.Text()
	switch {
	case value.Is(wire.Absent):
	case !ok:
		f.refuse(name, "Value must be a valid string")
	case utf8.RuneCountInString(text) > most:
		f.refuse(name, "Value is too long")
	case wire.HasCardNumber(text):
		f.refuse(name, noCardNumbers)
	default:
		return text
	}
	return ""
}

const noCardNumbers = "Value must not contain a card number"

// required returns a text that must be there.
func (f *form) required(name string, most int) string {
	if value := f.value.Get(name); !value.IsGiven() || value.Raw() == `""` {
		f.refuse(name, "Value is required")
		return ""
	}
	return f.text(name, most)
}

// word returns one of several words, empty if it is absent.
func (f *form) word(name string, words ...string) string {
	text := f.text(name, textMax)
	if text != "" && !slices.Contains(words, text) {
		f.refuse(name, "Value must be one of "+strings.Join(words, ", "))
		return ""
	}
	return text
}

// amount returns minor units, and whether there are any. They are written as a
// whole number; 0 passes here, and whether it may be asked for is a rule's business.
func (f *form) amount(name string) (minor money.Minor, isGiven bool) {
	value := f.member(name)
	if value.Is(wire.Absent) {
		return 0, false
	}
	whole, ok := value.Int()
	switch {
	case !ok:
		f.refuse(name, "Value must be a valid integer")
	case whole < 0:
		f.refuse(name, "Value must be greater than or equal to 0")
	}
	return money.Minor(whole), true
}

func (f *form) flag(name string, byDefault bool) bool {
	value := f.member(name)
	if value.Is(wire.Absent) {
		return byDefault
	}
	flag, ok := value.Bool()
	if !ok {
		f.refuse(name, "Value must be a valid boolean")
	}
	return flag
}

// object returns an object's own form; what is wrong with it is added by [form.join].
func (f *form) object(name string) *form {
	inner := &form{value: f.member(name), path: f.path + "." + name, strict: f.strict}
	if !inner.value.Is(wire.Absent) && !inner.value.Is(wire.Object) {
		f.refuse(name, "Value must be a valid object")
	}
	return inner
}

func (f *form) join(inner *form) { f.wrong = append(f.wrong, inner.wrong...) }

// stored returns an object as it is stored and echoed, unread but for what may
// not be kept; nothing for an absent one. What is null in it is left out.
func (f *form) stored(name string) wire.Value {
	value := f.object(name).value
	if value.HasCardNumber() {
		f.refuse(name, noCardNumbers)
	}
	return value
}

// metadata returns an object of texts and whole numbers, as JSON; nothing for
// an absent one. A name may not be empty: that has an error of its own.
func (f *form) metadata() (string, error) {
	value := f.stored("metadata")
	if slices.Contains(value.Names(), "") {
		return "", emptyMetadataKey
	}
	for _, name := range value.Names() {
		if !isPlain(value.Get(name)) {
			f.refuse("metadata", "Values must be strings or integers")
			break
		}
	}
	return value.Compact(), nil
}

// isPlain reports whether a value is one that metadata may have.
func isPlain(value wire.Value) bool {
	_, isWhole := value.Int()
	return isWhole || value.Is(wire.String)
}

// uuid returns a UUID; zero if there is none.
func (f *form) uuid(name string) payment.CaptureID {
	value := f.member(name)
	if value.Is(wire.Absent) {
		return payment.CaptureID{}
	}
	var id payment.CaptureID
	text, _ := value.Text()
	if id.ParseUUID(text) != nil {
		f.refuse(name, "Value must be a valid UUID")
	}
	if id.IsZero() {
		return noCapture
	}
	return id
}

// noCapture is what the UUID without a bit is read as: it names nothing, which
// must not be taken for a caller who named nothing.
var noCapture = payment.CaptureID{0xff}

// expandEvents is the only thing that can be expanded.
const expandEvents = "transactions.events"

// expand reports whether a SALE's events are asked for. This may be null everywhere.
func (f *form) expand() bool {
	value := f.value.Get("expand")
	if !value.IsGiven() {
		return false
	}
	isFine := value.Is(wire.Array)
	for _, element := range value.Elements() {
		text, _ := element.Text()
		isFine = isFine && text == expandEvents
	}
	if !isFine {
		f.refuse("expand", "Value must be a list of "+expandEvents)
	}
	return len(value.Elements()) > 0
}
