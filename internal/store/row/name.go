package row

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/refundry/refundry/internal/payment"
)

// sealedName is the name of a person whom a refund names, under the key of that
// person: who is erased in the audit trail is erased here too.
type sealedName struct {
	Person payment.PersonID `json:"person"`
	Name   []byte           `json:"name"`
}

// namings returns where a refund names persons.
func namings(r *payment.Refund) (users []*string, persons []*payment.PersonID) {
	users, persons = append(users, &r.User), append(persons, &r.Person)
	for i := range r.Approvals {
		users, persons = append(users, &r.Approvals[i].User), append(persons, &r.Approvals[i].Person)
	}
	for i := range r.Evidence {
		users, persons = append(users, &r.Evidence[i].User), append(persons, &r.Evidence[i].Person)
	}
	return users, persons
}

// PersonsNamed returns the persons whom refunds name that a commit writes: their
// keys must be known before.
func PersonsNamed(changes *payment.Changes) (owners []Owner) {
	for _, change := range changes.Views {
		for _, r := range change.View.Refunds {
			before, existed := change.Read.Refund(r.ID)
			if existed && before.Version == r.Version && !IsErasing(change) {
				continue
			}
			users, persons := namings(&r)
			for i, user := range users {
				if *user != "" {
					owners = append(owners, Owner{r.Tenant, *persons[i]})
				}
			}
		}
	}
	return owners
}

// takeNames takes the names of persons out of a refund, and seals them. Of who
// was erased, nothing is kept but the id.
func (r *Ring) takeNames(refund payment.Refund) (payment.Refund, []sealedName) {
	var names []sealedName
	refund.Approvals, refund.Evidence = slices.Clone(refund.Approvals), slices.Clone(refund.Evidence)
	users, persons := namings(&refund)
	for i, user := range users {
		if *user == "" {
			continue
		}
		person := *persons[i]
		sealed := r.seal(Owner{refund.Tenant, person}, columnName, refund.ID, []byte(*user))
		isKnown := slices.ContainsFunc(names, func(n sealedName) bool { return n.Person == person })
		if sealed != nil && !isKnown {
			names = append(names, sealedName{person, sealed})
		}
		*user = ""
	}
	return refund, names
}

// personsOf lists, as JSON, in hexadecimal, whose keys open the names of a
// refund: what a store asks for beside the row.
func personsOf(names []sealedName) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = hex.EncodeToString(n.Person[:])
	}
	return asJSON(list)
}

// PersonKeys are keys of persons.
type PersonKeys map[payment.PersonID]PersonalKey

// ParsePersonKeys reads keys as a store has joined them: the id and the key of
// each person.
func ParsePersonKeys(joined []byte) (PersonKeys, error) {
	const idBytes, pairBytes = 16, 16 + 64
	if len(joined)%pairBytes != 0 {
		return nil, errors.New("keys of persons are damaged")
	}
	if len(joined) == 0 {
		return nil, nil
	}
	keys := PersonKeys{}
	for pair := range slices.Chunk(slices.Clone(joined), pairBytes) {
		keys[payment.PersonID(pair[:idBytes])] = PersonalKey(pair[idBytes:])
	}
	return keys, nil
}

// name gives a refund the names that can be opened. What an older version wrote
// is in the clear.
func (k PersonKeys) name(r *payment.Refund, names []sealedName) error {
	opened := make(map[payment.PersonID]string, len(names))
	for _, n := range names {
		text, err := k[n.Person].try(columnName, r.ID, n.Name)
		if err != nil {
			return err
		}
		opened[n.Person] = string(text)
	}
	users, persons := namings(r)
	for i, user := range users {
		switch {
		case *user != "":
			*persons[i] = payment.PersonOf(r.Tenant, *user)
		case !persons[i].IsZero():
			*user = opened[*persons[i]]
		}
	}
	return nil
}

// ForgetName takes a person's name out of the detail of a refund that an older
// version wrote in the clear. It reports whether it was there.
func ForgetName(text string, person Owner) (forgotten string, isNamed bool, err error) {
	var detail refundDetail
	if err := json.Unmarshal([]byte(text), &detail); err != nil {
		return "", false, fmt.Errorf("refund detail column is damaged: %w", err)
	}
	r := payment.Refund{User: detail.User, Approvals: detail.Approvals, Evidence: detail.Evidence}
	users, persons := namings(&r)
	for i, user := range users {
		if *user != "" && payment.PersonOf(person.Tenant, *user) == person.ID {
			*user, *persons[i], isNamed = "", person.ID, true
		}
	}
	if detail.User = r.User; !r.Person.IsZero() {
		detail.Person = &r.Person
	}
	return asJSON(detail), isNamed, nil
}
