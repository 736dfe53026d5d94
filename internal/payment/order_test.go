package payment_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// What a split set aside is what settling pays out, whatever comes back or is
// disputed in between.
func TestSettlingPaysWhatWasSetAside(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		do := func(command payment.Command) payment.Answer {
			answer, err := m.run(t, command)
			if err != nil {
				t.Fatal(err)
			}
			return answer
		}
		do(payment.OpenOrder{Meta: m.meta(), Currency: "EUR", Amount: 10_000})
		do(payment.CreatePayment{
			Meta: m.meta(), Status: payment.PaymentCaptured, Connector: "con", Order: m.order.ID,
			Amount: money.Of(10_000, "EUR"), Items: itemsOf(6_000, 4_000),
		})
		amount := money.Minor(rapid.IntRange(1, 9_000).Draw(t, "amount"))
		refund := do(payment.OpenRefund{
			Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: amount},
		}).Refund
		m.end(t, refund, payment.AttemptSucceeded)
		do(payment.MoveOrder{Meta: m.meta(), Order: m.order.ID, To: payment.OrderSplit, Skips: true})
		aside := map[string]money.Minor{}
		for _, merchant := range []string{"a", "b"} {
			aside[merchant] = -m.books.Of(ledger.Allocated(merchant), "EUR")
		}
		if aside["a"]+aside["b"] != 10_000-amount {
			t.Fatalf("set aside: %v", aside)
		}
		if rapid.Bool().Draw(t, "returns") {
			m.comesBack(t, refund)
		} else {
			do(payment.OpenDispute{
				Meta: m.meta(), Payment: m.view.Payment.ID, Kind: payment.DisputeChargeback, Amount: 1_000, IsFact: true,
				Connector: "con", ProcessorRef: "d",
			})
		}
		do(payment.MoveOrder{Meta: m.meta(), Order: m.order.ID, To: payment.OrderSettled, PaysOut: true})
		for merchant, was := range aside {
			if left := -m.books.Of(ledger.Allocated(merchant), "EUR"); left != 0 {
				t.Fatalf("of %d set aside for %s, %d stay", was, merchant, left)
			}
		}
	})
}

// What a processor took once is recorded once; another connector's id is no such
// thing, and no id is none.
func TestTakenOnceIsRecordedOnce(t *testing.T) {
	t.Parallel()
	m := newModel()
	book := payment.NewBook(m.now, m.newID)
	book.PutTenant(&m.tenant)
	for n, test := range []struct {
		connector, reference string
		want                 payment.RuleName
	}{
		{"con", "ch_1", ""}, {"con", "ch_1", payment.RuleAlias}, {"con", "ch_2", ""}, {"other", "ch_1", ""}, {"con", "", ""}, {"con", "", ""},
	} {
		_, err := payment.CreatePayment{
			Meta: m.meta(), Status: payment.PaymentCaptured, Connector: test.connector, ProcessorRef: test.reference,
			Amount: money.Of(900, "EUR"),
		}.Apply(book)
		if (err != nil) != (test.want != "") || err != nil && rule(err) != test.want {
			t.Errorf("payment %d: %v", n+1, err)
		}
	}
}
