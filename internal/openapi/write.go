package openapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// pair is one member of an object that is written.
type pair struct {
	name  string
	value any
}

// object is a JSON object whose members keep their order.
type object []pair

// with returns the object with a text added, if there is one.
func (o object) with(name, text string) object {
	if text == "" {
		return o
	}
	return append(o, pair{name, text})
}

// MarshalJSON implements [json.Marshaler].
func (o object) MarshalJSON() ([]byte, error) {
	var to bytes.Buffer
	to.WriteByte('{')
	for i, member := range o {
		if i > 0 {
			to.WriteByte(',')
		}
		name, err := encode(member.name)
		if err != nil {
			return nil, err
		}
		value, err := encode(member.value)
		if err != nil {
			return nil, err
		}
		to.Write(name)
		to.WriteByte(':')
		to.Write(value)
	}
	to.WriteByte('}')
	return to.Bytes(), nil
}

// encode writes JSON without escaping what only HTML minds.
func encode(value any) ([]byte, error) {
	var to bytes.Buffer
	encoder := json.NewEncoder(&to)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(to.Bytes(), []byte("\n")), err
}

// writing is a document that is being written: its components are gathered as
// they are used.
type writing struct {
	components map[string]map[string]object // by section and name
}

// component writes a component, the first time that it is used.
func (w *writing) component(section, name string, body func() object) {
	if w.components[section] == nil {
		w.components[section] = map[string]object{}
	}
	if _, written := w.components[section][name]; !written {
		w.components[section][name] = nil // its own parts need not write it again
		w.components[section][name] = body()
	}
}

// section returns the components of a section, by name.
func (w *writing) section(section string) object {
	var to object
	for _, name := range slices.Sorted(maps.Keys(w.components[section])) {
		to = append(to, pair{name, w.components[section][name]})
	}
	return to
}

// indented spreads JSON over lines.
func indented(value any) []byte {
	text, err := encode(value)
	if err != nil {
		panic("openapi: a document that is not JSON: " + err.Error()) // it is made of what a program declares
	}
	var to bytes.Buffer
	if err := json.Indent(&to, text, "", "  "); err != nil {
		panic("openapi: " + err.Error())
	}
	to.WriteByte('\n')
	return to.Bytes()
}
