package api

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/refundry/refundry/internal/id"
)

// writer writes JSON by hand: answers are many, and their form is known.
type writer struct{ text []byte }

// answerBytes is about as long as a refund.
const answerBytes = 512

func newWriter() *writer { return &writer{text: make([]byte, 0, answerBytes)} }

// comma separates what follows from what is there.
func (w *writer) comma() {
	if n := len(w.text); n > 0 && w.text[n-1] != '{' && w.text[n-1] != '[' && w.text[n-1] != ':' {
		w.text = append(w.text, ',')
	}
}

// begin begins an object, or with a name a member that is one.
func (w *writer) begin(name string) {
	w.name(name)
	w.text = append(w.text, '{')
}

func (w *writer) end() { w.text = append(w.text, '}') }

// beginList begins a member that is a list.
func (w *writer) beginList(name string) {
	w.name(name)
	w.text = append(w.text, '[')
}

func (w *writer) endList() { w.text = append(w.text, ']') }

// name begins a member, or an element if the name is empty. Names are ours
// and need no escapes.
func (w *writer) name(name string) {
	w.comma()
	if name != "" {
		w.text = append(w.text, '"')
		w.text = append(w.text, name...)
		w.text = append(w.text, '"', ':')
	}
}

// string writes a member that is a text.
func (w *writer) string(name, value string) {
	w.name(name)
	w.text = appendString(w.text, value)
}

// text writes a member that is a text, if there is one.
func (w *writer) maybe(name, value string) {
	if value != "" {
		w.string(name, value)
	}
}

func (w *writer) number(name string, value int64) {
	w.name(name)
	w.text = strconv.AppendInt(w.text, value, 10)
}

func (w *writer) flag(name string, value bool) {
	w.name(name)
	w.text = strconv.AppendBool(w.text, value)
}

// time writes a member that is a time, if there is one.
func (w *writer) time(name string, at time.Time) {
	if !at.IsZero() {
		w.name(name)
		w.text = append(w.text, '"')
		w.text = appendTime(w.text, at)
		w.text = append(w.text, '"')
	}
}

// raw writes a member that is JSON already, if there is one.
func (w *writer) raw(name, value string) {
	if value != "" {
		w.name(name)
		w.text = append(w.text, value...)
	}
}

// any writes a member that anything is.
func (w *writer) any(name string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic("api: a value of ours that is not JSON")
	}
	w.name(name)
	w.text = append(w.text, text...)
}

// named writes a member that is an id, if there is one.
func named[K id.Kind](w *writer, name string, id id.ID[K]) {
	if !id.IsZero() {
		w.string(name, id.String())
	}
}

// appendTime writes a time with microseconds, so that times sort as texts.
func appendTime(to []byte, at time.Time) []byte {
	return at.UTC().AppendFormat(to, "2006-01-02T15:04:05.000000Z")
}

const hexDigits = "0123456789abcdef"

// appendString writes a text with JSON's escapes. It is valid UTF-8: it was
// when it came in.
func appendString(to []byte, text string) []byte {
	to = append(to, '"')
	for i := range len(text) {
		switch letter := text[i]; {
		case letter == '"' || letter == '\\':
			to = append(to, '\\', letter)
		case letter < ' ':
			to = append(to, '\\', 'u', '0', '0', hexDigits[letter>>4], hexDigits[letter&0xf])
		default:
			to = append(to, letter)
		}
	}
	return append(to, '"')
}
