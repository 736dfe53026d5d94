// Package wire reads and writes what front doors exchange with callers: JSON
// that is read strictly, signatures, bodies with a limit. It knows bytes and
// no rules.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// depthMax is how deep JSON may be nested.
const depthMax = 64

// ErrJSON means that a body is not JSON as we take it: UTF-8, no name twice in
// an object, no U+0000, nested no deeper than 64, a whole number of bytes. It
// never repeats what was sent.
var ErrJSON = errors.New("not valid JSON")

// Kind is a kind of JSON value.
type Kind byte

// The kinds. The zero kind is a member that is absent.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// Value is a JSON value with its bytes as received.
type Value struct {
	kind     Kind
	raw      []byte // as received
	text     string // of a string
	members  []member
	elements []Value
}

type member struct {
	name  string
	value Value
}

// Parse reads one JSON value and nothing after it.
func Parse(body []byte) (Value, error) {
	p := parser{rest: body}
	p.space()
	value, err := p.value(0)
	if err != nil {
		return Value{}, err
	}
	if p.space(); len(p.rest) > 0 {
		return Value{}, ErrJSON
	}
	return value, nil
}

// Kind returns the kind; Absent for a member that is not there.
func (v Value) Kind() Kind { return v.kind }

// Is reports whether the value is of a kind.
func (v Value) Is(kind Kind) bool { return v.kind == kind }

// IsGiven reports whether the value is there and not null.
func (v Value) IsGiven() bool { return v.kind != Absent && v.kind != Null }

// Raw returns the value's bytes as received, without space around them.
func (v Value) Raw() string { return string(v.raw) }

// Get returns a member of an object, an absent value if there is none.
func (v Value) Get(name string) Value {
	for i := range v.members {
		if v.members[i].name == name {
			return v.members[i].value
		}
	}
	return Value{}
}

// Names returns the names of an object's members, in order.
func (v Value) Names() []string {
	names := make([]string, len(v.members))
	for i, m := range v.members {
		names[i] = m.name
	}
	return names
}

// Elements returns the elements of an array.
func (v Value) Elements() []Value { return v.elements }

// IsEmptyArray reports an array without elements, which PHP clients write for {}.
func (v Value) IsEmptyArray() bool { return v.kind == Array && len(v.elements) == 0 }

// Text returns a string's text.
func (v Value) Text() (string, bool) { return v.text, v.kind == String }

// Bool returns a boolean.
func (v Value) Bool() (value, ok bool) {
	return v.kind == Bool && v.raw[0] == 't', v.kind == Bool
}

// Int returns a number that is written as a whole one, without fraction or
// exponent, and fits 64 bits; 0 if it is none.
func (v Value) Int() (int64, bool) {
	if v.kind != Number || bytes.ContainsAny(v.raw, ".eE") {
		return 0, false
	}
	number, err := strconv.ParseInt(string(v.raw), 10, 64)
	if err != nil {
		return 0, false
	}
	return number, true
}

// Compact returns the value without insignificant space.
func (v Value) Compact() string {
	var to bytes.Buffer
	if err := json.Compact(&to, v.raw); err != nil {
		return string(v.raw) // it was parsed: it cannot fail
	}
	return to.String()
}

// Texts calls see with every string in the value, names of members among them.
func (v Value) Texts(see func(string)) {
	if v.kind == String {
		see(v.text)
	}
	for _, m := range v.members {
		see(m.name)
		m.value.Texts(see)
	}
	for _, element := range v.elements {
		element.Texts(see)
	}
}

// parser reads from the front of rest.
type parser struct {
	rest []byte
}

func (p *parser) space() {
	for len(p.rest) > 0 && (p.rest[0] == ' ' || p.rest[0] == '\t' || p.rest[0] == '\n' || p.rest[0] == '\r') {
		p.rest = p.rest[1:]
	}
}

// take takes a byte if it is next.
func (p *parser) take(want byte) bool {
	if len(p.rest) == 0 || p.rest[0] != want {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) value(depth int) (Value, error) {
	if len(p.rest) == 0 || depth > depthMax {
		return Value{}, ErrJSON
	}
	start := p.rest
	var value Value
	var err error
	switch p.rest[0] {
	case '{':
		value, err = p.object(depth)
	case '[':
		value, err = p.array(depth)
	case '"':
		value.kind = String
		value.text, err = p.text()
	case 't':
		value.kind, err = Bool, p.word("true")
	case 'f':
		value.kind, err = Bool, p.word("false")
	case 'n':
		value.kind, err = Null, p.word("null")
	default:
		value.kind, err = Number, p.number()
	}
	value.raw = start[: len(start)-len(p.rest) : len(start)-len(p.rest)]
	return value, err
}

func (p *parser) word(word string) error {
	if !bytes.HasPrefix(p.rest, []byte(word)) {
		return ErrJSON
	}
	p.rest = p.rest[len(word):]
	return nil
}

func (p *parser) object(depth int) (Value, error) {
	object := Value{kind: Object}
	p.take('{')
	if p.space(); p.take('}') {
		return object, nil
	}
	names := map[string]bool{}
	for {
		p.space()
		name, err := p.text()
		if err != nil || names[name] {
			return Value{}, ErrJSON
		}
		names[name] = true
		if p.space(); !p.take(':') {
			return Value{}, ErrJSON
		}
		p.space()
		value, err := p.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		object.members = append(object.members, member{name, value})
		p.space()
		if p.take(',') {
			continue
		}
		if p.take('}') {
			return object, nil
		}
		return Value{}, ErrJSON
	}
}

func (p *parser) array(depth int) (Value, error) {
	array := Value{kind: Array}
	p.take('[')
	if p.space(); p.take(']') {
		return array, nil
	}
	for {
		p.space()
		element, err := p.value(depth + 1)
		if err != nil {
			return Value{}, err
		}
		array.elements = append(array.elements, element)
		p.space()
		if p.take(',') {
			continue
		}
		if p.take(']') {
			return array, nil
		}
		return Value{}, ErrJSON
	}
}

// number reads a number as RFC 8259 writes it.
func (p *parser) number() error {
	p.take('-')
	if !p.take('0') && !p.digits() {
		return ErrJSON
	}
	if p.take('.') && !p.digits() {
		return ErrJSON
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return ErrJSON
		}
	}
	return nil
}

func (p *parser) digits() bool {
	n := 0
	for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
		n++
	}
	p.rest = p.rest[n:]
	return n > 0
}

// text reads a string. Most have no escapes and are taken as they stand.
func (p *parser) text() (string, error) {
	if !p.take('"') {
		return "", ErrJSON
	}
	for n, c := range p.rest {
		switch {
		case c == '"':
			plain := p.rest[:n]
			if !utf8.Valid(plain) {
				return "", ErrJSON
			}
			p.rest = p.rest[n+1:]
			return string(plain), nil
		case c < ' ':
			return "", ErrJSON
		case c == '\\':
			return p.escaped(n)
		}
	}
	return "", ErrJSON
}

// escapes has the letters that follow a backslash.
var escapes = map[byte]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// escaped reads the rest of a string whose first n bytes have no escape.
func (p *parser) escaped(n int) (string, error) {
	text := append([]byte(nil), p.rest[:n]...)
	p.rest = p.rest[n:]
	for len(p.rest) > 0 {
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch {
		case c == '"':
			if !utf8.Valid(text) {
				return "", ErrJSON
			}
			return string(text), nil
		case c < ' ':
			return "", ErrJSON
		case c != '\\':
			text = append(text, c)
		case p.take('u'):
			r, err := p.unit()
			if err != nil {
				return "", err
			}
			text = utf8.AppendRune(text, r)
		default:
			if len(p.rest) == 0 || escapes[p.rest[0]] == 0 {
				return "", ErrJSON
			}
			text = append(text, escapes[p.rest[0]])
			p.rest = p.rest[1:]
		}
	}
	return "", ErrJSON
}

// unit reads what follows \u: a rune, or a pair of surrogates. U+0000 is
// refused: no store keeps it alike.
func (p *parser) unit() (rune, error) {
	first, err := p.hex()
	if err != nil || first == 0 {
		return 0, ErrJSON
	}
	if !utf16.IsSurrogate(first) {
		return first, nil
	}
	if !p.take('\\') || !p.take('u') {
		return 0, ErrJSON
	}
	second, err := p.hex()
	if err != nil {
		return 0, err
	}
	whole := utf16.DecodeRune(first, second)
	if whole == utf8.RuneError {
		return 0, ErrJSON
	}
	return whole, nil
}

func (p *parser) hex() (rune, error) {
	if len(p.rest) < 4 {
		return 0, ErrJSON
	}
	for _, c := range p.rest[:4] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return 0, ErrJSON
		}
	}
	number, err := strconv.ParseUint(string(p.rest[:4]), 16, 16)
	p.rest = p.rest[4:]
	if err != nil {
		return 0, ErrJSON
	}
	return rune(number), nil
}
