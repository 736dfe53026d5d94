package api

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/wire"
)

// What texts and lists may hold. They are limits of ours: the largest that a
// processor takes is about as long.
const (
	nameMax        = 255      // letters of a name, a reason, a reference
	noteMax        = 2000     // letters of free text
	metadataMax    = 16 << 10 // bytes
	itemsMax       = 500
	tagsMax        = 32
	positionMax    = 1_000_000 // other lists of a payment's lines go on counting
	quantityMax    = 1_000_000_000
	clockTolerance = 5 * time.Minute // by which a caller's clock may be ahead of ours
)

// read reads a request's body, which must be a JSON object. An empty body is
// an object without members.
func (a *API) read(w http.ResponseWriter, r *http.Request) (object, error) {
	if kind := r.Header.Get("Content-Type"); kind != "" && !isJSON(kind) {
		return object{}, &problem{code: codeMediaType, detail: "send application/json"}
	}
	text, err := wire.Body(w, r, a.config.BodyMax)
	if err != nil {
		return object{}, err
	}
	return parse(text)
}

// isJSON reports whether a media type is JSON's, whatever its parameters.
func isJSON(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}

func parse(text []byte) (object, error) {
	if len(text) == 0 {
		text = []byte("{}")
	}
	value, err := wire.Parse(text)
	if err != nil {
		return object{}, err
	}
	in := object{faults: &faults{}, value: value, pointer: "#"}
	if !value.Is(wire.Object) {
		in.wrong("", "must be an object")
		return object{}, in.err()
	}
	return in, nil
}

// faults gathers what is wrong with a body.
type faults struct {
	wrongs        []wrong
	hasCardNumber bool
}

// object is a JSON object that is being read, and its place in the body. Its
// methods note what is wrong and return zero values; [object.err] has the sum.
type object struct {
	*faults

	value   wire.Value
	pointer string
}

// wrongsMax is how many faults an answer lists.
const wrongsMax = 20

// wrong notes a fault of a member, or of the object itself for no name.
func (o object) wrong(name, detail string) {
	pointer := o.pointer
	if name != "" {
		pointer += "/" + name
	}
	if len(o.wrongs) < wrongsMax {
		o.wrongs = append(o.wrongs, wrong{Pointer: pointer, Detail: detail})
	}
}

// err returns what is wrong, nil if nothing is.
func (o object) err() error {
	if len(o.wrongs) == 0 {
		return nil
	}
	p := &problem{code: codeInvalid, detail: "the request is not valid: see errors", errors: o.wrongs}
	if o.hasCardNumber {
		p.code, p.detail = codeCardNumber, "something in the request looks like a card number"
	}
	return p
}

// only notes members that are not known. Their names are not repeated, for a
// name may be a secret: those that are known are said instead.
func (o object) only(members []openapi.Member) {
	known := make([]string, len(members))
	for i, member := range members {
		known[i] = member.Name
	}
	for _, name := range o.value.Names() {
		if !slices.Contains(known, name) {
			o.wrong("", "has a member that is not one of "+strings.Join(known, ", "))
			return
		}
	}
}

// text reads a text of at most most letters; empty if it is absent or null.
func (o object) text(name string, most int) string {
	value := o.value.Get(name)
	if !value.IsGiven() {
		return ""
	}
	text, ok := value.Text()
	switch {
	case !ok:
		o.wrong(name, "must be a text")
	case len(text) > most && utf8.RuneCountInString(text) > most:
		o.wrong(name, "must have at most "+strconv.Itoa(most)+" letters")
	case wire.HasCardNumber(text):
		o.hasCardNumber = true
		o.wrong(name, "looks like a card number")
	default:
		return text
	}
	return ""
}

// identifier reads what another party calls something. It may look like
// anything, a card number too.
func (o object) identifier(name string) string {
	value := o.value.Get(name)
	text, ok := value.Text()
	switch {
	case !value.IsGiven():
	case !ok || text == "" || utf8.RuneCountInString(text) > nameMax:
		o.wrong(name, "must be a text of 1 to "+strconv.Itoa(nameMax)+" letters")
		return ""
	}
	return text
}

// neededIdentifier reads an identifier that must be there.
func (o object) neededIdentifier(name string) string {
	if !o.value.Get(name).IsGiven() {
		o.wrong(name, "is required")
	}
	return o.identifier(name)
}

// required reads a text that must be there.
func (o object) required(name string, most int) string {
	text := o.text(name, most)
	if value := o.value.Get(name); !value.IsGiven() || value.Is(wire.String) && value.Raw() == `""` {
		o.wrong(name, "is required")
	}
	return text
}

// word reads one of a few words; empty if it is absent or null.
func (o object) word(name string, words ...string) string {
	value := o.value.Get(name)
	if !value.IsGiven() {
		return ""
	}
	text, _ := value.Text()
	if !slices.Contains(words, text) {
		o.wrong(name, "must be one of "+strings.Join(words, ", "))
		return ""
	}
	return text
}

// number reads a whole number between least and most; fallback if it is absent.
func (o object) number(name string, least, most, fallback int64) int64 {
	value := o.value.Get(name)
	if value.Is(wire.Absent) {
		return fallback
	}
	number, ok := value.Int()
	if !ok || number < least || number > most {
		o.wrong(name, "must be a whole number from "+strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10))
		return fallback
	}
	return number
}

// amount reads an amount in minor units that must be there.
func (o object) amount(name string) money.Minor {
	if o.value.Get(name).Is(wire.Absent) {
		o.wrong(name, "is required: a whole number of minor units")
		return 0
	}
	return money.Minor(o.number(name, 1, int64(money.Max), 0))
}

// currency reads an ISO 4217 code; empty if it is absent.
func (o object) currency(name string) money.Currency {
	value := o.value.Get(name)
	if value.Is(wire.Absent) {
		return ""
	}
	text, _ := value.Text()
	code, err := money.ParseCurrency(text)
	if err != nil || string(code) != text {
		o.wrong(name, "must be an ISO 4217 code in upper case")
		return ""
	}
	return code
}

// flag reads true or false.
func (o object) flag(name string) bool {
	value := o.value.Get(name)
	flag, ok := value.Bool()
	if !ok && value.IsGiven() {
		o.wrong(name, "must be true or false")
	}
	return flag
}

// earliest is before any payment that somebody may still refund.
var earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// time reads a time (RFC 3339) that is not after latest; zero if it is absent.
func (o object) time(name string, latest time.Time) time.Time {
	value := o.value.Get(name)
	if !value.IsGiven() {
		return time.Time{}
	}
	text, _ := value.Text()
	at, err := parseTime(text)
	switch {
	case err != nil:
		o.wrong(name, "must be a time as in 2026-03-01T12:00:00Z (RFC 3339)")
	case at.Before(earliest) || at.After(latest):
		o.wrong(name, "is out of range")
	default:
		return at.UTC().Truncate(time.Microsecond)
	}
	return time.Time{}
}

// timeForm is how RFC 3339 writes a time. [time.Parse] takes more.
var timeForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)

// errTime never repeats the text.
var errTime = errors.New("not a time")

// parseTime reads a time as RFC 3339 has it, to the letter.
func parseTime(text string) (time.Time, error) {
	if !timeForm.MatchString(text) {
		return time.Time{}, errTime
	}
	return time.Parse(time.RFC3339Nano, text)
}

// metadata reads a JSON object of the caller's own; empty if it is absent.
func (o object) metadata(name string) string {
	value := o.value.Get(name)
	switch {
	case !value.IsGiven():
		return ""
	case !value.Is(wire.Object):
		o.wrong(name, "must be an object")
	case len(value.Raw()) > metadataMax:
		o.wrong(name, "must have at most "+strconv.Itoa(metadataMax)+" bytes")
	case value.HasCardNumber():
		o.hasCardNumber = true
		o.wrong(name, "has something in it that looks like a card number")
	default:
		return value.Compact()
	}
	return ""
}

// object reads an object; false if it is absent or null.
func (o object) object(name string) (object, bool) {
	value := o.value.Get(name)
	if !value.IsGiven() {
		return object{}, false
	}
	if !value.Is(wire.Object) {
		o.wrong(name, "must be an object")
		return object{}, false
	}
	return object{faults: o.faults, value: value, pointer: o.pointer + "/" + name}, true
}

// objects reads a list of at most most objects.
func (o object) objects(name string, most int) []object {
	value := o.value.Get(name)
	if value.Is(wire.Absent) {
		return nil
	}
	elements := value.Elements()
	if !value.Is(wire.Array) || len(elements) > most {
		o.wrong(name, "must be a list of at most "+strconv.Itoa(most))
		return nil
	}
	objects := make([]object, len(elements))
	for i, element := range elements {
		objects[i] = object{faults: o.faults, value: element, pointer: o.pointer + "/" + name + "/" + strconv.Itoa(i)}
		if !element.Is(wire.Object) {
			objects[i].wrong("", "must be an object")
		}
	}
	return objects
}

// texts reads a list of at most most texts.
func (o object) texts(name string, most int) []string {
	value := o.value.Get(name)
	if !value.IsGiven() {
		return nil
	}
	elements := value.Elements()
	if !value.Is(wire.Array) || len(elements) > most {
		o.wrong(name, "must be a list of at most "+strconv.Itoa(most)+" texts")
		return nil
	}
	texts := make([]string, 0, len(elements))
	for _, element := range elements {
		text, ok := element.Text()
		switch {
		case !ok || text == "" || utf8.RuneCountInString(text) > nameMax:
			o.wrong(name, "must be a list of texts of 1 to "+strconv.Itoa(nameMax)+" letters")
			return nil
		case wire.HasCardNumber(text):
			o.hasCardNumber = true
			o.wrong(name, "has something in it that looks like a card number")
			return nil
		}
		texts = append(texts, text)
	}
	return texts
}
