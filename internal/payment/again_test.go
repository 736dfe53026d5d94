package payment_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// mugs is a captured payment of two mugs, of two merchants.
func mugs(t *rapid.T, connector string) *model {
	m := newModel()
	if _, err := m.run(t, payment.CreatePayment{
		Meta: m.meta(), Status: payment.PaymentCaptured, Connector: connector, Amount: money.Of(6_000, "EUR"),
		Items: itemsOf(3_000, 3_000),
	}); err != nil {
		t.Fatal(err)
	}
	return m
}

// first asks for the first mug.
func (m *model) first() payment.OpenRefund {
	return payment.OpenRefund{
		Meta: m.meta(), Payment: m.view.Payment.ID,
		Ask: payment.Ask{How: payment.AskItems, Items: []payment.ItemAsk{{Position: 1, Quantity: 1}}},
	}
}

// does runs a command that is not refused.
func (m *model) does(t *rapid.T, command payment.Command) payment.Answer {
	t.Helper()
	answer, err := m.run(t, command)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// Money that moved after all is of the lines that were named: of no other
// merchant's, and with their units.
func TestALateSuccessIsOfTheLinesThatWereNamed(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := mugs(t, "con")
		opened := m.does(t, m.first()).Refund
		m.end(t, opened, payment.AttemptDeclined)
		m.does(t, payment.RecordOutcome{
			Meta: m.meta(), Payment: opened.Payment, Refund: opened.ID, Attempt: m.view.Attempts[0].ID, Connector: "con",
			Outcome: payment.Outcome{Kind: payment.AttemptSucceeded},
		})
		adopted := m.view.Refunds[len(m.view.Refunds)-1]
		if diff := cmp.Diff(opened.Lines, adopted.Lines); adopted.Corrects != opened.ID || diff != "" {
			t.Errorf("it is of other lines:\n%s", diff)
		}
		if _, err := m.run(t, m.first()); err == nil {
			t.Error("the same mug is refunded again")
		}
	})
}

// A retry is of the lines of what it retries, however it says how much.
func TestARetryIsOfTheLinesThatWereNamed(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := mugs(t, "con")
		declined := m.does(t, m.first()).Refund
		m.end(t, declined, payment.AttemptDeclined)
		retry := payment.OpenRefund{
			Meta: m.meta(), Payment: declined.Payment, RetryOf: declined.ID, Ask: payment.Ask{Amount: declined.Amount.Minor},
		}
		if diff := cmp.Diff(declined.Lines, m.does(t, retry).Refund.Lines); diff != "" {
			t.Errorf("it is of other lines:\n%s", diff)
		}
	})
}

// Where success is final, a capture gives back no more than it took, whatever
// is not shown there.
func TestACaptureGivesBackNoMoreThanItTook(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		of := m.does(t, payment.CreatePayment{
			Meta: m.meta(), Status: payment.PaymentAuthorized, Connector: "con", Amount: money.Of(20_000, "EUR"),
		}).View.Payment.ID
		for range 2 {
			m.does(t, payment.CapturePayment{Meta: m.meta(), Payment: of, Amount: 10_000, IsAtOnce: true})
		}
		second := m.view.Captures[1].ID
		back := m.does(t, payment.OpenRefund{Meta: m.meta(), Payment: of, Ask: payment.Ask{Amount: 12_000}}).Refund
		m.giveBack(t, back)
		hidden := m.does(t, payment.OpenRefund{Meta: m.meta(), Payment: of, Ask: payment.Ask{Amount: 10_000, Capture: second}}).Refund
		m.end(t, hidden, payment.AttemptSucceeded)
		if _, err := m.run(t, payment.OpenRefund{
			Meta: m.meta(), Payment: of, Ask: payment.Ask{Amount: 8_000, Capture: second}, IsFinal: true,
		}); err == nil {
			t.Errorf("the capture took %d and gives back 18000", m.view.Captures[1].Amount)
		}
	})
}

// A retry that asks for more than was named gives the units back all the same.
func TestARetryOfMoreKeepsUnits(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		pair := itemsOf(6_000)
		pair[0].Quantity = 2
		m.does(t, payment.CreatePayment{
			Meta: m.meta(), Status: payment.PaymentCaptured, Connector: "con", Amount: money.Of(6_000, "EUR"), Items: pair,
		})
		declined := m.does(t, m.first()).Refund
		m.end(t, declined, payment.AttemptDeclined)
		lines := m.does(t, payment.OpenRefund{
			Meta: m.meta(), Payment: declined.Payment, RetryOf: declined.ID, Ask: payment.Ask{Amount: declined.Amount.Minor + 500},
		}).Refund.Lines
		if len(lines) != 1 || lines[0].Quantity != 1 || lines[0].Amount != 3_500 {
			t.Errorf("it is of %+v", lines)
		}
	})
}

// Whoever has seen a refund has seen the same one when the name of who asked is
// erased, and another one if somebody else had asked.
func TestADigestOutlivesAName(t *testing.T) {
	t.Parallel()
	asked := payment.Refund{User: "anna", Person: payment.PersonID{1}, Amount: money.Of(100, "EUR")}
	erased, other := asked, asked
	erased.User, other.Person = "", payment.PersonID{2}
	if asked.Digest() != erased.Digest() || asked.Digest() == other.Digest() {
		t.Errorf("asked %s, erased %s, other %s", asked.Digest(), erased.Digest(), other.Digest())
	}
}
