package payment_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// Where success is final a returned refund stays counted, and its re-refund is
// not there; elsewhere the money can go back once more.
func TestFinalDoorsKeepWhatWasReturned(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		listed(t, m, 10_000, 19_900)
		refund, err := m.openList(t, 10_000, itemsOf(10_000, 9_900))
		if err != nil {
			t.Fatal(err)
		}
		m.giveBack(t, refund)
		m.owes(t)
		if left := m.view.Payment.Totals.Refundable(); left != 29_900 {
			t.Fatalf("%d can be refunded", left)
		}
		if sum(m.view.List()) != 19_900 || m.view.FinalLeft() != 19_900 {
			t.Fatalf("where success is final, %d and %d are left", sum(m.view.List()), m.view.FinalLeft())
		}
		if _, err := m.openList(t, 19_901, nil); rule(err) != payment.RuleListSum {
			t.Fatalf("more than that: %v", err)
		}
		if _, err := m.run(t, payment.OpenRefund{
			Meta: m.meta(), Payment: refund.Payment, RetryOf: refund.ID, Ask: payment.Ask{Amount: 10_000},
		}); err != nil {
			t.Fatal(err)
		}
		if len(m.view.FinalRefunds()) != 1 || m.view.FinalLeft() != 19_900 {
			t.Fatalf("the re-refund is shown: %+v", m.view.FinalRefunds())
		}
		m.owes(t)
	})
}

// Where success is final a capture stays given back, whatever is returned.
func TestACaptureStaysGivenBackAtAFinalDoor(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		captures := captured(t, m, 1_000, 3_200)
		open := func(isFinal bool) (payment.Refund, error) {
			answer, err := m.run(t, payment.OpenRefund{
				Meta: m.meta(), Payment: m.view.Payment.ID, IsFinal: isFinal,
				Ask: payment.Ask{How: payment.AskRemaining, Capture: captures[0]},
			})
			return answer.Refund, err
		}
		refund, err := open(true)
		if err != nil {
			t.Fatal(err)
		}
		m.giveBack(t, refund)
		if _, err := open(true); rule(err) != payment.RuleNothingLeft {
			t.Fatalf("at a final door: %v", err)
		}
		if again, err := open(false); err != nil || again.Amount.Minor != 1_000 {
			t.Fatalf("elsewhere: %s %v", again.Amount, err)
		}
	})
}

// giveBack lets a refund succeed and come back.
func (m *model) giveBack(t *rapid.T, refund payment.Refund) {
	m.end(t, refund, payment.AttemptSucceeded)
	m.comesBack(t, refund)
}

// comesBack lets a refund that succeeded be returned.
func (m *model) comesBack(t *rapid.T, refund payment.Refund) {
	at := slices.IndexFunc(m.view.Attempts, func(a payment.Attempt) bool { return a.Refund == refund.ID })
	if _, err := m.run(t, payment.RecordOutcome{
		Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID, Attempt: m.view.Attempts[at].ID, Connector: "con",
		Outcome: payment.Outcome{Kind: payment.AttemptReturned}, Next: m.now,
	}); err != nil {
		t.Fatal(err)
	}
}

// What a refund gives back once more is what came back: nobody else's lines.
func TestMoneyThatCameBackGoesBackFromItsLines(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		listed(t, m, 60_000, 40_000)
		refund, err := m.openList(t, 60_000, []payment.Item{{Total: 40_000, Merchant: "b"}})
		if err != nil {
			t.Fatal(err)
		}
		m.giveBack(t, refund)
		retry := payment.OpenRefund{
			Meta: m.meta(), Payment: refund.Payment, RetryOf: refund.ID, Ask: payment.Ask{Amount: 60_000},
		}
		again, err := m.run(t, retry)
		if err != nil {
			t.Fatal(err)
		}
		m.end(t, again.Refund, payment.AttemptSucceeded)
		m.owes(t)
		for _, left := range [][]payment.RefundLine{m.view.Remaining(), linesOf(m.view.List())} {
			if len(left) != 1 || left[0].Merchant != "b" || left[0].Amount != 40_000 {
				t.Fatalf("what is left: %+v", left)
			}
		}
		if m.view.FinalLeft() != 40_000 {
			t.Fatalf("%d is left where success is final", m.view.FinalLeft())
		}
	})
}

func linesOf(items []payment.Item) []payment.RefundLine {
	lines := make([]payment.RefundLine, len(items))
	for i, item := range items {
		lines[i] = payment.RefundLine{Position: item.Position, Amount: item.Total, Merchant: item.Merchant}
	}
	return lines
}

// However refunds return and go once more, where success is final no more is
// shown as given back than was captured, and the lines are what is left.
func TestFinalDoorsNeverShowMoreThanWasCaptured(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		listed(t, m, 6_000, 3_000, 1_000)
		for range rapid.IntRange(1, 8).Draw(t, "refunds") {
			left := m.view.Payment.Totals.Refundable()
			if left == 0 {
				break
			}
			open := payment.OpenRefund{Meta: m.meta(), Payment: m.view.Payment.ID}
			open.Ask.Amount = money.Minor(rapid.IntRange(1, int(left)).Draw(t, "amount"))
			if n := len(m.view.Refunds); n > 0 && rapid.Bool().Draw(t, "retries") {
				if earlier := m.view.Refunds[n-1]; earlier.Status == payment.RefundReturned {
					open.RetryOf, open.Ask.Amount = earlier.ID, min(earlier.Amount.Minor, left)
				}
			}
			// The lines are what a caller sees: one that is not shown may have taken of them.
			if shown := sum(m.view.List()); shown > 0 && open.RetryOf.IsZero() && rapid.Bool().Draw(t, "lists") {
				amount := min(left, shown)
				open.IsFinal = true
				open.Ask = payment.Ask{How: payment.AskList, Amount: amount, List: cutTo(m.view.List(), shown-amount)}
			}
			answer, err := m.run(t, open)
			if err != nil {
				t.Fatal(err)
			}
			switch rapid.IntRange(0, 2).Draw(t, "end") {
			case 0:
				m.end(t, answer.Refund, payment.AttemptDeclined)
			case 1:
				m.end(t, answer.Refund, payment.AttemptSucceeded)
			default:
				m.giveBack(t, answer.Refund)
			}
			m.owes(t)
			// A refund that is not shown, and was no retry, may have taken what lines show.
			list, left := sum(m.view.List()), m.view.FinalLeft()
			if list > left || (list < left && !m.hides()) {
				t.Fatalf("the lines add up to %d, %d is left", list, left)
			}
			var shown money.Minor
			for _, refund := range m.view.FinalRefunds() {
				if refund.Status == payment.RefundSucceeded || refund.Status == payment.RefundReturned {
					shown += refund.Amount.Minor
				}
			}
			if shown > m.view.Payment.Captured {
				t.Fatalf("%d is shown as given back", shown)
			}
		}
	})
}

// hides reports whether a refund is not shown where success is final although it
// retries none.
func (m *model) hides() bool {
	shown := m.view.FinalRefunds()
	return slices.ContainsFunc(m.view.Refunds, func(r payment.Refund) bool {
		return r.RetryOf.IsZero() && !slices.ContainsFunc(shown, func(s payment.Refund) bool { return s.ID == r.ID })
	})
}

// cutTo returns lines that add up to an amount, the first ones first.
func cutTo(list []payment.Item, amount money.Minor) []payment.Item {
	var kept []payment.Item
	for _, item := range list {
		item.Total = min(item.Total, amount)
		if item.Tax = min(item.Tax, item.Total); item.Total > 0 {
			kept, amount = append(kept, item), amount-item.Total
		}
	}
	return kept
}

// Whatever refunds run beside each other, come back and go again, the books owe
// each merchant what its lines say.
func TestBooksFollowLinesWhateverIsShown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		listed(t, m, 6_000, 3_000, 1_000)
		var open []payment.Refund
		for range rapid.IntRange(1, 14).Draw(t, "steps") {
			left := m.view.Payment.Totals.Refundable()
			if len(open) > 0 && (left == 0 || rapid.Bool().Draw(t, "ends")) {
				i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
				r := open[i]
				open = append(open[:i:i], open[i+1:]...)
				switch rapid.IntRange(0, 2).Draw(t, "end") {
				case 0:
					m.end(t, r, payment.AttemptDeclined)
				case 1:
					m.end(t, r, payment.AttemptSucceeded)
				default:
					m.giveBack(t, r)
				}
			} else if left > 0 {
				o := payment.OpenRefund{Meta: m.meta(), Payment: m.view.Payment.ID}
				o.Ask.Amount = money.Minor(rapid.IntRange(1, int(left)).Draw(t, "amount"))
				if final := min(m.view.FinalLeft(), sum(m.view.List())); final > 0 && len(open) == 0 && rapid.Bool().Draw(t, "lists") {
					amount := min(left, final)
					o.IsFinal = true
					o.Ask = payment.Ask{How: payment.AskList, Amount: amount, List: cutTo(m.view.List(), sum(m.view.List())-amount)}
				}
				a, err := m.run(t, o)
				if rule(err) == payment.RuleOneAtATime {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				open = append(open, a.Refund)
			}
			m.owes(t)
		}
	})
}
