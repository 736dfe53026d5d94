package row_test

import (
	"crypto/rand"
	"testing"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// BenchmarkSeal writes the columns of a refund: one without words has nothing
// to seal. With cold, each refund's payment is another, as in most commits.
func BenchmarkSeal(b *testing.B) {
	plain := payment.Refund{
		Tenant: payment.TenantID{1}, ID: payment.RefundID{2}, Payment: payment.PaymentID{3}, Reason: "returned",
		Amount: money.Of(2450, "EUR"), Lines: []payment.RefundLine{{Position: 1, Amount: 2450}},
	}
	worded := plain
	worded.Note, worded.Message, worded.Metadata = "The hat was too small", "Your hat is back with us", `{"return":77}`
	owner := row.Owner{Tenant: plain.Tenant, ID: plain.Payment}
	ring := row.NewRing(rand.Reader)
	ring.Make([]row.Owner{owner})
	key := row.PersonalKey(ring.Key(owner))
	for name, refund := range map[string]payment.Refund{"plain": plain, "worded": worded} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ring.Refund(refund)
			}
		})
	}
	b.Run("worded cold", func(b *testing.B) {
		for b.Loop() {
			ring.Put(owner, key)
			ring.Refund(worded)
		}
	})
	detail, sealed, _ := ring.Refund(worded)
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			var r payment.Refund
			r.ID = worded.ID
			if err := row.ParseRefundDetail(detail, key, sealed, nil, &r); err != nil || r.Note != worded.Note {
				b.Fatal(err)
			}
		}
	})
	b.Run("new key", func(b *testing.B) {
		for b.Loop() {
			if _, err := row.NewPersonalKey(rand.Reader); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A refund without words has nothing to seal, and every text that is personal is
// in what is sealed and nowhere else.
func TestRefundIsSplit(t *testing.T) {
	t.Parallel()
	owner := row.Owner{Tenant: payment.TenantID{1}, ID: payment.PaymentID{3}}
	ring := row.NewRing(rand.Reader)
	ring.Make([]row.Owner{owner})
	refund := payment.Refund{Tenant: payment.TenantID{1}, Payment: payment.PaymentID{3}, Reason: "returned"}
	if detail, sealed, _ := ring.Refund(refund); sealed != nil || detail == "" {
		t.Errorf("sealed %x beside %s", sealed, detail)
	}
	refund.Evidence = []payment.Evidence{{Actor: "operator:a"}, {Note: "n"}}
	detail, sealed, _ := ring.Refund(refund)
	var read payment.Refund
	if err := row.ParseRefundDetail(detail, ring.Key(owner), sealed, nil, &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Evidence) != 2 || read.Evidence[0].Actor != "operator:a" || read.Evidence[1].Note != "n" {
		t.Errorf("read as %+v", read.Evidence)
	}
	if refund.Evidence[1].Note != "n" {
		t.Error("what was written has changed")
	}
	if ring.Refund(payment.Refund{Payment: payment.PaymentID{4}, Note: "n"}); ring.Err() == nil {
		t.Error("a refund without a key was written")
	}
}
