package row_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// fuzzKey is the same in every run.
var fuzzKey = row.PersonalKey(bytes.Repeat([]byte("key4"), 16))

// Of all bytes only those open that this key has sealed for this column of this row;
// the text is the one that was sealed. A key of another length opens nothing.
func FuzzOpen(f *testing.F) {
	sealed, err := fuzzKey.Seal("payment", [16]byte{1}, []byte("Anna"))
	if err != nil {
		f.Fatal(err)
	}
	for _, bad := range [][]byte{nil, {}, {0}, sealed, sealed[:16], sealed[:15], append(bytes.Clone(sealed), 0), bytes.Repeat([]byte{0}, 16), sealed[1:]} {
		f.Add(bad, "payment", []byte{1}, []byte(fuzzKey))
		f.Add(bad, "refund", []byte{1}, []byte(fuzzKey))
		f.Add(bad, "payment", []byte{2}, []byte(fuzzKey[:63]))
	}
	f.Fuzz(func(t *testing.T, sealed []byte, column string, raw, key []byte) {
		var id [16]byte
		copy(id[:], raw)
		text, err := fuzzKey.Open(column, id, sealed)
		switch {
		case err != nil && text != nil:
			t.Errorf("%x opens as %q beside %v", sealed, text, err)
		case err == nil && len(sealed) > 0:
			again, err := fuzzKey.Seal(column, id, text)
			if err != nil || !bytes.Equal(again, sealed) {
				t.Errorf("%x opens as %q, and was not sealed: %v", sealed, text, err)
			}
		}
		if !bytes.Equal(key, fuzzKey) && len(key) > 0 && len(sealed) > 0 {
			if text, err := row.PersonalKey(key).Open(column, id, sealed); err == nil {
				if again, err := row.PersonalKey(key).Seal(column, id, text); err != nil || !bytes.Equal(again, sealed) {
					t.Errorf("%x opens with another key", sealed)
				}
			}
		}
	})
}

// A row's detail is read as what was written, or its column is damaged: bytes that
// nobody sealed say nothing.
func FuzzDetail(f *testing.F) {
	whole := payment.Refund{
		ID: payment.RefundID{2}, Reason: "returned", Note: "too small", Lines: []payment.RefundLine{{Position: 1, Amount: 5}},
		List: &[]payment.Item{{Position: 1, Metadata: `{"a":1}`}}, Evidence: []payment.Evidence{{Note: "seen"}},
		Failure: payment.Failure{Message: "no"},
	}
	ring := row.NewRing(bytes.NewReader(nil))
	ring.Put(row.Owner{}, fuzzKey)
	detail, sealed, _ := ring.Refund(whole)
	for _, text := range []string{"", "null", "{}", "[]", detail, `{"list":[],"evidence":[{}]}`, `{"failure":null,"failure_message":"x"}`, `{"retry_of":"x"}`} {
		f.Add(text, sealed)
		f.Add(text, []byte("nobody sealed this"))
		f.Add(text, []byte{})
	}
	f.Fuzz(func(t *testing.T, detail string, sealed []byte) {
		read := payment.Refund{ID: whole.ID}
		if err := row.ParseRefundDetail(detail, fuzzKey, sealed, nil, &read); err == nil {
			written, sealedAgain, _ := ring.Refund(read)
			again := payment.Refund{ID: whole.ID}
			if err := row.ParseRefundDetail(written, fuzzKey, sealedAgain, nil, &again); err != nil || ring.Err() != nil {
				t.Fatalf("%s is written as %s: %v", detail, written, err)
			}
			if twice, _, _ := ring.Refund(again); twice != written {
				t.Errorf("%s is written as %s, and then as %s", detail, written, twice)
			}
			if _, err := fuzzKey.Open("refund", whole.ID, sealed); err != nil {
				bare := payment.Refund{ID: whole.ID}
				if err := row.ParseRefundDetail(detail, fuzzKey, nil, nil, &bare); err != nil || !reflect.DeepEqual(bare, read) {
					t.Errorf("%s: %x says something: %+v", detail, sealed, read)
				}
			}
		}
		var p, again payment.Payment
		if row.ParsePaymentDetail(detail, fuzzKey, sealed, &p) == nil {
			if err := row.ParsePaymentDetail(row.PaymentDetail(p), fuzzKey, ring.Payment(p), &again); err != nil || row.PaymentDetail(again) != row.PaymentDetail(p) {
				t.Errorf("%s is %+v, and then %+v: %v", detail, p, again, err)
			}
		}
	})
}

// What a column's text is read as is written and read as the same again.
func FuzzTexts(f *testing.F) {
	for _, text := range []string{
		"", "null", "[]", `["a"]`, `[{"minor":5,"currency":"EUR"}]`, "pending//1/1772366400000000;succeeded/x/2/0", "/", "a/b/c/d", "a/b/1", ";",
		"a//9223372036854775807/-9223372036854775808", "a//+1/01", `{"rule":"amount","refundable":{"minor":1,"currency":"EUR"},"from":1}`,
		`{"refundable":{"minor":1}}`, `{"wrongs":[{"pointer":"#"}]}`, "a//1/-62135596800000000",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if history, err := row.ParseHistory[payment.RefundStatus](text); err == nil {
			again, err := row.ParseHistory[payment.RefundStatus](row.History(history))
			if err != nil || row.History(again) != row.History(history) || len(again) != len(history) {
				t.Errorf("%q is the history %v, and then %v: %v", text, history, again, err)
			}
		}
		if list, err := row.ParseTexts[money.Currency](text); err == nil {
			if again, err := row.ParseTexts[money.Currency](row.Texts(list)); err != nil || row.Texts(again) != row.Texts(list) {
				t.Errorf("%q is %q, and then %q: %v", text, list, again, err)
			}
		}
		if amounts, err := row.ParseAmounts(text); err == nil {
			if again, err := row.ParseAmounts(row.Amounts(amounts)); err != nil || row.Amounts(again) != row.Amounts(amounts) {
				t.Errorf("%q is %v, and then %v: %v", text, amounts, again, err)
			}
		}
		if reason, err := row.ParseReason(text); err == nil {
			if again, err := row.ParseReason(row.Reason(reason)); err != nil || row.Reason(again) != row.Reason(reason) {
				t.Errorf("%q is %v, and then %v: %v", text, reason, again, err)
			}
		}
	})
}

// Who is named in an event is read from what was sealed for this event, or nobody is.
func FuzzUnseal(f *testing.F) {
	facts := []row.Facts{{Facts: []row.Fact{{Event: payment.Event{Kind: "refund.created", User: "anna", Address: "203.0.113.7"}}}}}
	person := payment.PersonOf(payment.TenantID{}, "anna")
	if err := row.Seal(facts, map[row.Owner]row.PersonalKey{{ID: person}: fuzzKey}); err != nil {
		f.Fatal(err)
	}
	good := facts[0].Facts[0]
	short, err := fuzzKey.Seal("event", [16]byte{}, []byte{0, 0, 0, 9, 'a'})
	if err != nil {
		f.Fatal(err)
	}
	for _, sealed := range [][]byte{good.Sealed, good.Sealed[:20], nil, {}, short} {
		f.Add(sealed, "refund.created")
		f.Add(sealed, "refund.failed")
	}
	f.Fuzz(func(t *testing.T, sealed []byte, kind string) {
		fact := row.Fact{Event: payment.Event{Kind: payment.EventKind(kind)}, Person: person, Sealed: sealed}
		isErased, err := row.Unseal(&fact, fuzzKey)
		isGood := bytes.Equal(sealed, good.Sealed) && kind == "refund.created"
		if isGood != (fact.User == "anna" && fact.Address == "203.0.113.7") || !isGood && (fact.User != "" || err == nil && len(sealed) > 0) ||
			isErased != (len(sealed) == 0) {
			t.Errorf("%x in %q: %q at %q, %t, %v", sealed, kind, fact.User, fact.Address, isErased, err)
		}
	})
}
