package primer

import (
	"encoding/json"

	"github.com/refundry/refundry/internal/wire"
)

// withoutNulls writes a value without what is null in it, which the API never
// shows. rename says what a member of the value itself is called; nil: as it is.
func withoutNulls(value wire.Value, rename map[string]string) json.RawMessage {
	switch value.Kind() {
	case wire.Object:
		members := newObject()
		for _, name := range value.Names() {
			member := value.Get(name)
			if to, ok := rename[name]; ok && !value.Get(to).IsGiven() {
				name = to
			}
			if member.IsGiven() {
				members.set(name, withoutNulls(member, nil))
			}
		}
		return members.json()
	case wire.Array:
		list := []json.RawMessage{}
		for _, element := range value.Elements() {
			if element.IsGiven() {
				list = append(list, withoutNulls(element, nil))
			}
		}
		return wire.Encode(list)
	case wire.Absent, wire.Null, wire.Bool, wire.Number, wire.String:
	}
	return json.RawMessage(value.Raw())
}

// object is a JSON object whose members keep their order.
type object struct {
	names  []string
	values map[string]json.RawMessage
}

func newObject() *object { return &object{values: map[string]json.RawMessage{}} }

// parseObject reads what is stored; anything but an object is an empty one.
func parseObject(text []byte) *object {
	members := newObject()
	value, err := wire.Parse(text)
	if err != nil {
		return members
	}
	for _, name := range value.Names() {
		members.set(name, json.RawMessage(value.Get(name).Raw()))
	}
	return members
}

// set adds a member, or gives one another value.
func (o *object) set(name string, value json.RawMessage) {
	if _, known := o.values[name]; !known {
		o.names = append(o.names, name)
	}
	o.values[name] = value
}

func (o *object) json() json.RawMessage {
	text := []byte{'{'}
	for i, name := range o.names {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, wire.Encode(name)...), ':'), o.values[name]...)
	}
	return append(text, '}')
}
