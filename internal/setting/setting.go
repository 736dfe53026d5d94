// Package setting describes what a tenant may change: each setting has a
// name, a type, a default and a sentence, declared once by the package that
// obeys it.
//
// A setting's name begins with the door or the part it belongs to, as in
// "pike.parallel_refunds" or "policy.maximum_amount".
package setting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/fault"
)

// Values are one tenant's settings by name: bool, int64, string or []string.
// What is not there has its default. They are read-only once decoded.
type Values map[string]any

// Spec describes one setting to people and checks what they set it to.
type Spec struct {
	Name    string
	Doc     string
	Default any
	Choices []string               // what a string may be; empty: anything
	Min     int64                  // the least that a number may be
	Max     int64                  // the most that it may be; 0: no limit
	Most    int                    // texts that a list may have; 0: no limit
	Takes   func(text string) bool // whether a list may have a text; nil: any
}

// Type says what the setting takes.
func (s Spec) Type() string {
	switch s.Default.(type) {
	case bool:
		return "boolean"
	case int64:
		return "integer"
	case string:
		return "string"
	default:
		return "strings"
	}
}

// units are the words in a number's name that say what it counts.
var units = []struct{ word, unit string }{
	{"days", "days"}, {"hours", "hours"}, {"minutes", "minutes"}, {"seconds", "seconds"},
	{"amount", "minor_units"}, {"above", "minor_units"},
}

// longest is how much of a unit of time a setting may be: a hundred years.
// More is a slip, and would not fit into a duration.
var longest = map[string]int64{"days": 36_500, "hours": 876_000, "minutes": 52_560_000, "seconds": 3_153_600_000}

// Unit says what a number counts, as its name has it; empty: things.
func (s Spec) Unit() string {
	if _, isNumber := s.Default.(int64); !isNumber {
		return ""
	}
	for _, word := range strings.FieldsFunc(s.Name, func(r rune) bool { return r == '_' || r == '.' }) {
		for _, known := range units {
			if word == known.word {
				return known.unit
			}
		}
	}
	return ""
}

// Check returns the value as kept in [Values], or a fault that says what the setting takes.
func (s Spec) Check(value any) (any, error) {
	switch s.Default.(type) {
	case bool:
		if flag, ok := value.(bool); ok {
			return flag, nil
		}
		return nil, fault.New(fault.Invalid, "%s takes true or false", s.Name)
	case int64:
		if number, ok := value.(int64); ok && number >= s.Min && (s.Max == 0 || number <= s.Max) {
			return number, nil
		}
		if s.Max > 0 {
			return nil, fault.New(fault.Invalid, "%s takes a whole number from %d to %d", s.Name, s.Min, s.Max)
		}
		return nil, fault.New(fault.Invalid, "%s takes a whole number of at least %d", s.Name, s.Min)
	case string:
		if text, ok := value.(string); ok && (len(s.Choices) == 0 || slices.Contains(s.Choices, text)) {
			return text, nil
		}
		if len(s.Choices) > 0 {
			return nil, fault.New(fault.Invalid, "%s takes one of %s", s.Name, strings.Join(s.Choices, ", "))
		}
		return nil, fault.New(fault.Invalid, "%s takes a text", s.Name)
	default:
		if texts, ok := value.([]string); ok {
			return texts, s.checkTexts(texts)
		}
		return nil, fault.New(fault.Invalid, "%s takes a list of texts", s.Name)
	}
}

func (s Spec) checkTexts(texts []string) error {
	if s.Most > 0 && len(texts) > s.Most {
		return fault.New(fault.Invalid, "%s takes at most %d texts", s.Name, s.Most)
	}
	if s.Takes != nil && slices.ContainsFunc(texts, func(text string) bool { return !s.Takes(text) }) {
		return fault.New(fault.Invalid, "%s has a text that it does not take", s.Name)
	}
	return nil
}

// Bool is a switch.
type Bool struct{ Spec }

// NewBool describes a switch.
func NewBool(name string, byDefault bool, doc string) Bool {
	return Bool{Spec{Name: name, Doc: doc, Default: byDefault}}
}

// Of returns the tenant's choice.
func (b Bool) Of(values Values) bool { return of[bool](b.Spec, values) }

// Int is a whole number.
type Int struct{ Spec }

// NewInt describes a whole number that is at least minimum. One that counts
// time, by its name, is a hundred years at the most.
func NewInt(name string, byDefault, minimum int64, doc string) Int {
	spec := Spec{Name: name, Doc: doc, Default: byDefault, Min: minimum}
	spec.Max = longest[spec.Unit()]
	return Int{spec}
}

// Of returns the tenant's choice. One from before there was a limit is the limit.
func (i Int) Of(values Values) int64 {
	value := of[int64](i.Spec, values)
	if i.Max > 0 {
		return min(value, i.Max)
	}
	return value
}

// Text is one of several words.
type Text struct{ Spec }

// NewText describes a choice among words, the first being the default.
func NewText(name, doc string, choices ...string) Text {
	return Text{Spec{Name: name, Doc: doc, Default: choices[0], Choices: choices}}
}

// Of returns the tenant's choice.
func (t Text) Of(values Values) string { return of[string](t.Spec, values) }

// List is a list of texts, empty by default.
type List struct{ Spec }

// NewList describes a list of texts.
func NewList(name, doc string) List {
	return List{Spec{Name: name, Doc: doc, Default: []string{}}}
}

// Limited returns the list with at most so many texts, each of which is taken.
func (l List) Limited(most int, takes func(text string) bool) List {
	l.Most, l.Takes = most, takes
	return l
}

// Of returns the tenant's choice.
func (l List) Of(values Values) []string { return of[[]string](l.Spec, values) }

func of[T any](spec Spec, values Values) T {
	if value, ok := values[spec.Name].(T); ok {
		return value
	}
	return spec.Default.(T)
}

// Decode reads values from a JSON object.
func Decode(text []byte) (Values, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var raw map[string]any
	if err := decoder.Decode(&raw); err != nil {
		return nil, fmt.Errorf("decode settings: %w", err)
	}
	values := make(Values, len(raw))
	for name, value := range raw {
		plain, err := DecodeValue(value)
		if err != nil {
			return nil, fmt.Errorf("setting %s: %w", name, err)
		}
		values[name] = plain
	}
	return values, nil
}

// DecodeValue turns what encoding/json made of a value (with UseNumber) into
// one of the types of [Values].
func DecodeValue(value any) (any, error) {
	switch value := value.(type) {
	case bool, string:
		return value, nil
	case json.Number:
		number, err := value.Int64()
		if err != nil {
			return nil, fault.New(fault.Invalid, "a setting takes whole numbers only")
		}
		return number, nil
	case []any:
		texts := make([]string, 0, len(value))
		for _, element := range value {
			text, ok := element.(string)
			if !ok {
				return nil, fault.New(fault.Invalid, "a setting takes lists of texts only")
			}
			texts = append(texts, text)
		}
		return texts, nil
	default:
		return nil, fault.New(fault.Invalid, "a setting is true, false, a whole number, a text or a list of texts")
	}
}

// Encode writes values as a JSON object with sorted names.
func Encode(values Values) ([]byte, error) {
	if values == nil {
		values = Values{}
	}
	return json.Marshal(values)
}
