package row

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/refundry/refundry/internal/payment"
)

// Owner names whose personal key is meant: that of a payment, with all that
// hangs on it, of an order, or of a person who called.
type Owner struct {
	Tenant payment.TenantID
	ID     [16]byte
}

// compare is the one order in which everybody makes keys, and so waits for
// others who do.
func (o Owner) compare(other Owner) int {
	if order := o.Tenant.Compare(other.Tenant); order != 0 {
		return order
	}
	return bytes.Compare(o.ID[:], other.ID[:])
}

// Persons returns the persons whom events name, and others, each once, in the
// order in which keys are made.
func Persons(facts []Facts, others ...Owner) []Owner {
	owners := slices.Clone(others)
	for _, f := range facts {
		for _, fact := range f.Facts {
			if fact.User != "" {
				owners = append(owners, Owner{fact.Tenant, payment.PersonOf(fact.Tenant, fact.User)})
			}
		}
	}
	slices.SortFunc(owners, Owner.compare)
	return slices.Compact(owners)
}

// columnEvent is the column that a person's name and address are sealed in.
const columnEvent = "event"

// Seal takes user and address out of the events that name a person, and keeps
// them sealed under the person's key. Of a person who was erased, nothing is
// kept but the id.
func Seal(facts []Facts, keys map[Owner]PersonalKey) error {
	for _, f := range facts {
		for i := range f.Facts {
			fact := &f.Facts[i]
			if fact.User == "" {
				continue
			}
			fact.Person = payment.PersonOf(fact.Tenant, fact.User)
			text := appendText(appendText(nil, fact.User), fact.Address)
			fact.User, fact.Address = "", ""
			key := keys[Owner{fact.Tenant, fact.Person}]
			if len(key) == 0 {
				continue
			}
			var err error
			if fact.Sealed, err = key.Seal(columnEvent, fact.place(), text); err != nil {
				return err
			}
		}
	}
	return nil
}

// place is what of an event its sealed part is bound to: all that the event
// says, so that it opens nowhere else.
func (f Fact) place() [16]byte {
	sum := sha256.Sum256(append(appendEvent(nil, f.Event), f.Person[:]...))
	return [16]byte(sum[:16])
}

// Unseal gives an event its user and address back, as far as the key of its
// person opens them. It reports whether the person was erased; an error means
// that the event is damaged.
func Unseal(fact *Fact, key PersonalKey) (isErased bool, err error) {
	if fact.Person.IsZero() {
		return false, nil
	}
	text, err := key.Open(columnEvent, fact.place(), fact.Sealed)
	if err != nil || text == nil {
		return err == nil, err
	}
	user, rest, ok := cutText(text)
	address, rest, alsoOK := cutText(rest)
	if !ok || !alsoOK || len(rest) > 0 {
		return false, errPersonal
	}
	fact.User, fact.Address = user, address
	return false, nil
}

// cutText reads what [appendText] wrote.
func cutText(from []byte) (text string, rest []byte, ok bool) {
	const lengthBytes = 4
	if len(from) < lengthBytes {
		return "", nil, false
	}
	length := int64(binary.BigEndian.Uint32(from))
	if from = from[lengthBytes:]; int64(len(from)) < length {
		return "", nil, false
	}
	return string(from[:length]), from[length:], true
}
