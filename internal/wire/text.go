package wire

import "encoding/json"

// IsVisible reports whether a text is 1 to most visible ASCII characters.
func IsVisible(text string, most int) bool {
	if text == "" || len(text) > most {
		return false
	}
	for _, letter := range []byte(text) {
		if letter <= ' ' || letter > '~' {
			return false
		}
	}
	return true
}

// IsDigits reports whether a text is so many decimal digits.
func IsDigits(text string, least, most int) bool {
	if len(text) < least || len(text) > most {
		return false
	}
	for _, letter := range []byte(text) {
		if letter < '0' || letter > '9' {
			return false
		}
	}
	return true
}

// RawJSON is JSON text as a member of an answer; nothing for the empty text.
func RawJSON(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

// Encode writes JSON as providers do: text as it is, without escaping what
// only HTML minds, and without a line's end.
func Encode(shown any) []byte {
	var text buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(shown); err != nil {
		panic("wire: an answer of ours cannot be written: " + err.Error())
	}
	return text[:len(text)-1]
}

// buffer is a growing text.
type buffer []byte

// Write implements [io.Writer].
func (b *buffer) Write(text []byte) (int, error) {
	*b = append(*b, text...)
	return len(text), nil
}
