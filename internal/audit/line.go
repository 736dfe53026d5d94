package audit

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/refundry/refundry/internal/wire"
)

// readLine reads a line of an export. What nobody proves must not look as if it
// were proven: whoever reads the line, and takes the other of two members of a
// name, or heeds the case of names, must read what is checked here.
func readLine(text []byte) (line Line, err error) {
	given, err := wire.Parse(text)
	if err != nil {
		return Line{}, errLine
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&line) != nil {
		return Line{}, errLine
	}
	again, err := json.Marshal(line)
	if err != nil {
		return Line{}, errLine
	}
	if read, err := wire.Parse(again); err != nil || !alike(given, read) {
		return Line{}, errLine
	}
	return line, nil
}

// alike reports whether two values say the same, whatever the order of members.
func alike(a, b wire.Value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case wire.Object:
		names := a.Names()
		return len(names) == len(b.Names()) && !slices.ContainsFunc(names, func(name string) bool {
			return !alike(a.Get(name), b.Get(name))
		})
	case wire.Array:
		return slices.EqualFunc(a.Elements(), b.Elements(), alike)
	case wire.String:
		text, _ := a.Text()
		other, _ := b.Text()
		return text == other
	case wire.Absent, wire.Null, wire.Bool, wire.Number:
	}
	return a.Raw() == b.Raw()
}
