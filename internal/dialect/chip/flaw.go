package chip

import (
	"github.com/refundry/refundry/internal/wire"
)

// flaw is one thing that is wrong.
type flaw struct {
	Message string `json:"message"`
	Code    string `json:"code"`
}

// flaws is what is wrong with a value, in the shape of the value: a list for
// itself, or what is wrong with its members, or with its elements.
type flaws struct {
	here     []flaw
	members  map[string]*flaws
	elements []*flaws
}

// at returns the place of a member.
func (f *flaws) at(name string) *flaws {
	if f.members == nil {
		f.members = map[string]*flaws{}
	}
	if f.members[name] == nil {
		f.members[name] = &flaws{}
	}
	return f.members[name]
}

// element returns the place of the next element of a list.
func (f *flaws) element() *flaws {
	f.elements = append(f.elements, &flaws{})
	return f.elements[len(f.elements)-1]
}

func (f *flaws) add(code, message string) { f.here = append(f.here, flaw{message, code}) }

// isEmpty reports whether nothing is wrong.
func (f *flaws) isEmpty() bool {
	if len(f.here) > 0 {
		return false
	}
	for _, member := range f.members {
		if !member.isEmpty() {
			return false
		}
	}
	for _, element := range f.elements {
		if !element.isEmpty() {
			return false
		}
	}
	return true
}

// MarshalJSON writes what is wrong and leaves out what is not. Elements keep
// their places.
func (f *flaws) MarshalJSON() ([]byte, error) {
	if len(f.here) > 0 {
		return wire.Encode(f.here), nil
	}
	if len(f.elements) > 0 {
		return wire.Encode(f.elements), nil
	}
	wrong := map[string]*flaws{}
	for name, member := range f.members {
		if !member.isEmpty() {
			wrong[name] = member
		}
	}
	return wire.Encode(wrong), nil
}
