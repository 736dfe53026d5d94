package row_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

func told() payment.Event {
	return payment.Event{
		Tenant: payment.TenantID{1}, Kind: "refund.created", Payment: payment.PaymentID{1, 2}, Subject: [16]byte{1, 3}, Version: 4,
		At: time.UnixMicro(5).UTC(), Actor: "key:x", Door: "api", Request: "req_1", Detail: "{}",
	}
}

func digestOf(facts ...row.Fact) [32]byte { return row.Facts{Facts: facts}.Digest() }

// An event that was sealed before anybody knew of callers has the digest that
// it had then.
func TestEventsWithoutCallerKeepTheirDigest(t *testing.T) {
	event := told()
	text := append(append([]byte{}, event.Payment[:]...), event.Subject[:]...)
	text = binary.BigEndian.AppendUint64(text, 4)
	text = binary.BigEndian.AppendUint64(text, 5)
	for _, part := range []string{"refund.created", "key:x", "api", "req_1", "{}"} {
		text = append(binary.BigEndian.AppendUint32(text, uint32(len(part))), part...) //nolint:gosec // short
	}
	if digestOf(row.Fact{Event: event}) != sha256.Sum256(text) {
		t.Error("the digest is another")
	}
}

// Callers who differ in anything have other digests, and none of them is that
// of other events.
func TestDigestsTellCallersApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func() row.Fact {
			fact := row.Fact{Event: told()}
			fact.Address = rapid.StringN(0, 3, 3).Draw(t, "address")
			fact.Sealed = []byte(rapid.StringN(0, 3, 3).Draw(t, "sealed"))
			fact.Person[15] = rapid.ByteRange(0, 2).Draw(t, "person")
			if fact.Person.IsZero() {
				fact.Sealed = nil
			}
			return fact
		}
		a, b := draw(), draw()
		same := a.Address == b.Address && string(a.Sealed) == string(b.Sealed) && a.Person == b.Person
		if (digestOf(a) == digestOf(b)) != same {
			t.Errorf("%+v and %+v", a, b)
		}
		if (digestOf(a, b) == digestOf(b, a)) != same {
			t.Errorf("in another order: %+v and %+v", a, b)
		}
	})
}

// A person's name opens with the person's key in the event that it was sealed
// with, and in no other; without the key it is erased.
func TestPersonsAreSealedToTheirEvent(t *testing.T) {
	event := told()
	event.User, event.Address = "ann", "203.0.113.7"
	facts := []row.Facts{{Tenant: event.Tenant, Facts: []row.Fact{{Event: event}}}}
	owners := row.Persons(facts)
	key, err := row.NewPersonalKey(rand.Reader)
	if err != nil || len(owners) != 1 {
		t.Fatal(owners, err)
	}
	if err := row.Seal(facts, map[row.Owner]row.PersonalKey{owners[0]: key}); err != nil {
		t.Fatal(err)
	}
	sealed := facts[0].Facts[0]
	if sealed.User != "" || sealed.Address != "" || sealed.Person != payment.PersonOf(event.Tenant, "ann") {
		t.Fatalf("sealed: %+v", sealed)
	}
	opened, erased, moved := sealed, sealed, sealed
	if isErased, err := row.Unseal(&opened, key); err != nil || isErased || opened.User != "ann" || opened.Address != "203.0.113.7" {
		t.Errorf("opened %+v: %v", opened, err)
	}
	if isErased, err := row.Unseal(&erased, nil); err != nil || !isErased || erased.User != "" {
		t.Errorf("erased %+v: %v", erased, err)
	}
	moved.Version++
	if _, err := row.Unseal(&moved, key); err == nil {
		t.Error("it opens in another event")
	}
}
