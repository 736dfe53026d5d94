package payment_test

import (
	"cmp"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// itemsOf returns items of merchants a, b and c with these totals.
func itemsOf(totals ...money.Minor) []payment.Item {
	items := make([]payment.Item, len(totals))
	for i, total := range totals {
		items[i] = payment.Item{Name: "thing", Quantity: 1, Total: total, Tax: total / 5, Merchant: string(rune('a' + i%3))}
	}
	return items
}

func sum(items []payment.Item) money.Minor {
	var sum money.Minor
	for _, item := range items {
		sum += item.Total
	}
	return sum
}

// listed makes a captured payment with these items.
func listed(t *rapid.T, m *model, totals ...money.Minor) {
	items := itemsOf(totals...)
	if _, err := m.run(t, payment.CreatePayment{
		Meta: m.meta(), Status: payment.PaymentCaptured, Connector: "con", Amount: money.Of(sum(items), "EUR"), Items: items,
	}); err != nil {
		t.Fatal(err)
	}
}

// openList asks for a refund after which a list is to remain.
func (m *model) openList(t *rapid.T, amount money.Minor, list []payment.Item) (payment.Refund, error) {
	answer, err := m.run(t, payment.OpenRefund{
		Meta: m.meta(), Payment: m.view.Payment.ID, Source: payment.SourceDialect, IsFinal: true,
		Ask: payment.Ask{How: payment.AskList, Amount: amount, List: list},
	})
	return answer.Refund, err
}

// end lets a refund leave and come to an end.
func (m *model) end(t *rapid.T, refund payment.Refund, kind payment.AttemptOutcome) {
	answer, err := m.run(t, payment.StartAttempt{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID, InquireAt: m.now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.run(t, payment.RecordOutcome{
		Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID, Attempt: answer.Attempt.ID, Connector: "con",
		Outcome: payment.Outcome{Kind: kind}, Next: m.now,
	}); err != nil {
		t.Fatal(err)
	}
}

// However lists take each other's place and refunds end, the lines add up to
// what was taken and not given back, the books owe each merchant its lines,
// and the past keeps its lists.
func TestLawsOfAList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		amounts := rapid.SliceOfN(rapid.IntRange(0, 5_000), 1, 5).Draw(t, "lines")
		amounts[0]++
		var totals []money.Minor
		for _, amount := range amounts {
			totals = append(totals, money.Minor(amount))
		}
		listed(t, m, totals...)
		lists := map[int64][]payment.Item{}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) {
				m.owes(t)
				lists[m.view.Payment.Version] = m.view.List()
			},
			"list":    m.list,
			"replace": m.replace,
			"open":    m.open,
			"start":   m.start,
			"fact":    m.fact,
			"cancel":  m.cancel,
		})
		m.past(t)
		for version, list := range lists {
			if then := m.view.AsOf(version).List(); !reflect.DeepEqual(lines(then), lines(list)) {
				t.Fatalf("version %d had the lines %+v and is remembered with %+v", version, list, then)
			}
		}
	})
}

// lines returns what of items a door shows.
func lines(items []payment.Item) (shown []payment.Item) {
	for _, item := range items {
		item.Until = 0
		shown = append(shown, item)
	}
	return shown
}

// list asks for a refund with a list: each line keeps a part.
func (m *model) list(t *rapid.T) {
	list := m.view.List()
	if len(list) == 0 {
		return
	}
	is := sum(list)
	for i := range list {
		list[i].Total = money.Minor(rapid.Int64Range(0, int64(list[i].Total)).Draw(t, "keeps"))
	}
	if rapid.Bool().Draw(t, "leaves out nothing") {
		list = slices.DeleteFunc(list, func(item payment.Item) bool { return item.Total == 0 })
	}
	_, _ = m.openList(t, is-sum(list), list)
}

// replace lets money go from the first line to the last.
func (m *model) replace(t *rapid.T) {
	list := m.view.List()
	if len(list) == 0 {
		return
	}
	moves := money.Minor(rapid.Int64Range(0, int64(list[0].Total)).Draw(t, "moves"))
	list[0].Total -= moves
	list[len(list)-1].Total += moves
	_, _ = m.run(t, payment.ReplaceItems{Meta: m.meta(), Payment: m.view.Payment.ID, List: list})
}

// owes checks that the books owe each merchant what its lines have left.
func (m *model) owes(t *rapid.T) {
	owed := map[string]money.Minor{}
	for _, line := range m.view.Remaining() {
		owed[line.Merchant] += line.Amount
	}
	m.overdrawn = m.overdrawn || m.view.Payment.Excess > 0 // a fact took more than there was: somebody owes it
	for _, merchant := range []string{"a", "b", "c", payment.MainMerchant} {
		if got := -m.books.Of(ledger.Payable(merchant), "EUR"); got != owed[merchant] && !m.overdrawn {
			t.Fatalf("the books owe %s %d, the lines %d", merchant, got, owed[merchant])
		}
	}
}

// rule returns the rule that said no, empty if none did.
func rule(err error) payment.RuleName {
	var refusal *payment.Refusal
	if errors.As(err, &refusal) {
		return refusal.Rule
	}
	return ""
}

func check(t *testing.T, test func(*rapid.T)) {
	t.Helper()
	t.Parallel()
	once := false
	rapid.Check(t, func(t *rapid.T) {
		if !once {
			once = true
			test(t)
		}
	})
}

func TestAListTakesEffectOnSuccessOnly(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		listed(t, m, 10_000, 19_900)
		refund, err := m.openList(t, 10_000, itemsOf(10_000, 9_900))
		if err != nil {
			t.Fatal(err)
		}
		if got := sum(m.view.List()); got != 29_900 {
			t.Fatalf("while it runs the lines are %d", got)
		}
		if _, err := m.openList(t, 1, itemsOf(9_999, 9_900)); rule(err) != payment.RuleOneAtATime {
			t.Fatalf("a second list: %v", err)
		}
		if _, err := m.run(t, payment.OpenRefund{
			Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: 1},
		}); rule(err) != payment.RuleOneAtATime {
			t.Fatalf("an amount beside a list: %v", err)
		}
		m.end(t, refund, payment.AttemptSucceeded)
		if got := m.view.List(); len(got) != 2 || got[0].Total != 10_000 || got[1].Total != 9_900 {
			t.Fatalf("afterwards the lines are %+v", got)
		}
		declined, err := m.openList(t, 19_900, nil)
		if err != nil {
			t.Fatal(err)
		}
		m.end(t, declined, payment.AttemptDeclined)
		if got := sum(m.view.List()); got != 19_900 {
			t.Fatalf("after a decline the lines are %d", got)
		}
	})
}

// Lines may be replaced before anything was captured, and after a part was:
// they stay what they are, and the books owe what was captured.
func TestLinesAreReplacedBeforeTheWholeIsCaptured(t *testing.T) {
	check(t, func(t *rapid.T) {
		for _, captured := range []money.Minor{0, 12_000} {
			m := newModel()
			items := itemsOf(10_000, 19_900)
			if _, err := m.run(t, payment.CreatePayment{
				Meta: m.meta(), Status: payment.PaymentAuthorized, Connector: "con", Amount: money.Of(29_900, "EUR"), Items: items,
			}); err != nil {
				t.Fatal(err)
			}
			if captured > 0 {
				if _, err := m.run(t, payment.CapturePayment{
					Meta: m.meta(), Payment: m.view.Payment.ID, Amount: captured, IsAtOnce: true,
				}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := m.run(t, payment.ReplaceItems{
				Meta: m.meta(), Payment: m.view.Payment.ID, List: itemsOf(20_000, 9_900),
			}); err != nil {
				t.Fatal(err)
			}
			if got := m.view.List(); len(got) != 2 || got[0].Total != 20_000 || got[1].Total != 9_900 {
				t.Fatalf("%d captured: the lines are %+v", captured, got)
			}
			if captured == 0 {
				continue
			}
			refund, err := m.openList(t, 5_000, itemsOf(15_000, 9_900))
			if err != nil {
				t.Fatal(err)
			}
			m.end(t, refund, payment.AttemptSucceeded)
			if got := sum(m.view.List()); got != 24_900 {
				t.Fatalf("the lines are %d", got)
			}
		}
	})
}

func TestAListIsRefusedByItsRules(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		listed(t, m, 10_000, 19_900)
		moved := itemsOf(11_000, 8_900)
		newcomer := itemsOf(10_000, 9_900)
		newcomer[1].Merchant = "z"
		tests := map[string]struct {
			amount money.Minor
			list   []payment.Item
			want   payment.RuleName
		}{
			"the sum is not the lines'": {10_000, itemsOf(10_000, 10_000), payment.RuleListSum},
			"a recipient gains":         {10_000, moved, payment.RuleRecipients},
			"a recipient is new":        {10_000, newcomer, payment.RuleRecipients},
			"all of it":                 {29_900, nil, ""},
		}
		for name, test := range tests {
			before, books := m.view, maps.Clone(m.books)
			if _, err := m.openList(t, test.amount, test.list); rule(err) != test.want {
				t.Fatalf("%s: %v", name, err)
			}
			m.view, m.books = before, books
		}
	})
}

// captured makes a payment and captures pieces of it.
func captured(t *rapid.T, m *model, pieces ...money.Minor) []payment.CaptureID {
	return capturedAs(t, m, payment.CreatePayment{}, pieces...)
}

func capturedAs(t *rapid.T, m *model, made payment.CreatePayment, pieces ...money.Minor) []payment.CaptureID {
	var whole money.Minor
	for _, piece := range pieces {
		whole += piece
	}
	made.Meta, made.Status, made.Connector = m.meta(), payment.PaymentAuthorized, cmp.Or(made.Connector, "con")
	made.Amount = money.Of(whole, "EUR")
	if _, err := m.run(t, made); err != nil {
		t.Fatal(err)
	}
	var ids []payment.CaptureID
	for _, piece := range pieces {
		answer, err := m.run(t, payment.CapturePayment{
			Meta: m.meta(), Payment: m.view.Payment.ID, Amount: piece, IsAtOnce: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, answer.View.Captures[len(answer.View.Captures)-1].ID)
	}
	return ids
}

func TestARefundOfOneCapture(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		captures := captured(t, m, 1_000, 3_200)
		ask := func(capture payment.CaptureID, how payment.How, amount money.Minor) (payment.Refund, payment.RuleName) {
			answer, err := m.run(t, payment.OpenRefund{
				Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{How: how, Amount: amount, Capture: capture},
			})
			return answer.Refund, rule(err)
		}
		if _, no := ask(captures[0], payment.AskAmount, 1_001); no != payment.RuleRefundable {
			t.Fatalf("more than the capture: %s", no)
		}
		if refund, no := ask(captures[0], payment.AskRemaining, 0); no != "" || refund.Amount.Minor != 1_000 {
			t.Fatalf("the capture: %s %s", refund.Amount, no)
		}
		if _, no := ask(captures[0], payment.AskRemaining, 0); no != payment.RuleNothingLeft {
			t.Fatalf("the capture again: %s", no)
		}
		if _, no := ask(payment.CaptureID{1}, payment.AskRemaining, 0); no != payment.RuleCapture {
			t.Fatalf("no capture: %s", no)
		}
		if refund, no := ask(payment.CaptureID{}, payment.AskRemaining, 0); no != "" || refund.Amount.Minor != 3_200 {
			t.Fatalf("the rest: %s %s", refund.Amount, no)
		}
	})
}

func TestRefusalsAreCountedWhereADoorSays(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		listed(t, m, 10_000)
		try := func(amount money.Minor) (payment.RuleName, int64) {
			book := payment.NewBook(m.now, m.newID)
			book.PutTenant(&m.tenant)
			book.PutView(m.view)
			_, err := payment.OpenRefund{
				Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: amount},
				Rules: []payment.Rule{{Name: payment.RuleExists}, {Name: payment.RuleFailures, Limit: 2}},
			}.Apply(book)
			for _, change := range book.Changes.Views {
				if err != nil && change.View.Payment.Version != m.view.Payment.Version {
					t.Fatal("a refusal has raised the version")
				}
				m.view = change.View
			}
			return rule(err), m.view.Payment.Failures
		}
		for _, want := range []struct {
			rule     payment.RuleName
			failures int64
		}{{payment.RuleRefundable, 1}, {payment.RuleRefundable, 2}, {payment.RuleFailures, 2}} {
			if no, failures := try(10_001); no != want.rule || failures != want.failures {
				t.Fatalf("%s after %d, want %s after %d", no, failures, want.rule, want.failures)
			}
		}
		if no, _ := try(1); no != payment.RuleFailures {
			t.Fatalf("a good one is let through: %s", no)
		}
	})
}

func TestADeferredRefundIsDeferredOnce(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		listed(t, m, 10_000)
		answer, err := m.run(t, payment.OpenRefund{
			Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: 1}, AnswerBy: m.now.Add(2 * time.Second),
		})
		if err != nil {
			t.Fatal(err)
		}
		deferral := payment.DeferRefund{Meta: m.meta(), Payment: m.view.Payment.ID, Refund: answer.Refund.ID}
		first, err := m.run(t, deferral)
		if err != nil || first.Unchanged || !first.Refund.IsDeferred() || first.Refund.Status != payment.RefundPending {
			t.Fatalf("%+v %v", first.Refund, err)
		}
		again, err := m.run(t, deferral)
		if err != nil || !again.Unchanged {
			t.Fatalf("again: %+v %v", again.Refund, err)
		}
		m.end(t, first.Refund, payment.AttemptSucceeded)
		if then, _ := m.view.Refunds[0].AsOf(first.Refund.Version - 1); then.IsDeferred() {
			t.Fatal("it was deferred before it was")
		}
	})
}
