package payment

import (
	"crypto/sha256"

	"github.com/refundry/refundry/internal/id"
)

// EventPersonErased tells that the key of a person was destroyed: what is known
// of the person by name cannot be read any more. Its subject is the person.
const EventPersonErased EventKind = "person.erased"

// PersonID names a person on whose behalf a tenant's keys call. It follows from
// the name, so that what a person did is found without reading any name.
type PersonID = id.ID[personKind]

type personKind struct{}

// Prefix implements [id.Kind].
func (personKind) Prefix() string { return "per" }

// Person returns the person on whose behalf a command comes; zero: nobody says.
func (m Meta) Person() PersonID {
	if m.User == "" {
		return PersonID{}
	}
	return PersonOf(m.Tenant, m.User)
}

// PersonOf returns the id of the person that a tenant calls by a name.
func PersonOf(tenant TenantID, user string) PersonID {
	sum := sha256.Sum256(append(append([]byte("person\x00"), tenant[:]...), user...))
	return PersonID(sum[:len(PersonID{})])
}
