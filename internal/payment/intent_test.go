package payment_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// The same intention twice within minutes is a mistake, in whichever way it
// names its amount; another one is not.
func TestDuplicateIntent(t *testing.T) {
	units := func(of ...int64) (asks []payment.ItemAsk) {
		for i := range of {
			if of[i] != 0 {
				asks = append(asks, payment.ItemAsk{Position: i + 1, Quantity: of[i]})
			}
		}
		return asks
	}
	backwards := units(1, 1)
	slices.Reverse(backwards)
	tests := map[string]struct {
		first, second payment.Ask
		want          payment.RuleName
	}{
		"an amount":                            {payment.Ask{Amount: 100}, payment.Ask{Amount: 100}, payment.RuleDuplicate},
		"another amount":                       {payment.Ask{Amount: 100}, payment.Ask{Amount: 101}, ""},
		"units, whatever they come to":         {payment.Ask{How: payment.AskItems, Items: units(1)}, payment.Ask{How: payment.AskItems, Items: units(1)}, payment.RuleDuplicate},
		"units in another order":               {payment.Ask{How: payment.AskItems, Items: units(1, 1)}, payment.Ask{How: payment.AskItems, Items: backwards}, payment.RuleDuplicate},
		"units of another line":                {payment.Ask{How: payment.AskItems, Items: units(1)}, payment.Ask{How: payment.AskItems, Items: units(0, 1)}, ""},
		"an amount that units came to":         {payment.Ask{How: payment.AskItems, Items: units(1)}, payment.Ask{Amount: 33}, ""},
		"all of it":                            {payment.Ask{How: payment.AskRemaining}, payment.Ask{How: payment.AskRemaining}, payment.RuleDuplicate},
		"the whole":                            {payment.Ask{How: payment.AskWhole}, payment.Ask{How: payment.AskWhole}, payment.RuleDuplicate},
		"the rest after a part":                {payment.Ask{Amount: 100}, payment.Ask{How: payment.AskRemaining}, ""},
		"the rest, which is as much as before": {payment.Ask{Amount: 150}, payment.Ask{How: payment.AskRemaining}, payment.RuleDuplicate},
	}
	check(t, func(t *rapid.T) {
		for name, test := range tests {
			m := newModel()
			m.tenant.Settings = setting.Values{payment.PolicyDuplicateMinutes.Name: int64(5)}
			if _, err := m.run(t, payment.CreatePayment{
				Meta: m.meta(), Status: payment.PaymentCaptured, Connector: "con", Amount: money.Of(300, "EUR"),
				Items: []payment.Item{{Name: "a", Quantity: 3, Total: 100}, {Name: "b", Quantity: 3, Total: 200}},
			}); err != nil {
				t.Fatal(err)
			}
			open := func(ask payment.Ask, change func(*payment.OpenRefund)) (payment.Refund, error) {
				command := payment.OpenRefund{Meta: m.meta(), Payment: m.view.Payment.ID, Ask: ask}
				change(&command)
				answer, err := m.run(t, command)
				return answer.Refund, err
			}
			plain := func(*payment.OpenRefund) {}
			first, err := open(test.first, plain)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, err := open(test.second, plain); rule(err) != test.want {
				t.Fatalf("%s: %v", name, err)
			}
			if test.want == "" {
				continue
			}
			for way, change := range map[string]func(*payment.OpenRefund){
				"on purpose":   func(c *payment.OpenRefund) { c.Repeats = true },
				"by another":   func(c *payment.OpenRefund) { c.Actor = "key:other" },
				"with its key": func(c *payment.OpenRefund) { c.Key.Hash[0]++ },
			} {
				back := m.fork()
				if _, err := open(test.second, change); rule(err) == payment.RuleDuplicate {
					t.Fatalf("%s, %s: %v", name, way, err)
				}
				back()
			}
			if _, err := m.run(t, payment.CancelRefund{Meta: m.meta(), Payment: first.Payment, Refund: first.ID}); err != nil {
				t.Fatal(err)
			}
			if _, err := open(test.second, plain); err != nil {
				t.Fatalf("%s: after the first was canceled: %v", name, err)
			}
		}
	})
}

// fork returns what takes back all that happens from now on.
func (m *model) fork() (back func()) {
	view, books, counters := m.view, ledger.Balances{}, maps.Clone(m.counters)
	for account, sums := range m.books {
		books[account] = maps.Clone(sums)
	}
	return func() { m.view, m.books, m.counters = view, books, counters }
}

// A list that was asked for is asked for once, and the next list is another.
func TestDuplicateLists(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, setting.Values{payment.PolicyDuplicateMinutes.Name: int64(5)}, 1000, 1000)
		first, err := m.openList(t, 100, itemsOf(900, 1000))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.openList(t, 100, itemsOf(900, 1000)); rule(err) != payment.RuleDuplicate {
			t.Fatalf("while it runs: %v", err)
		}
		m.end(t, first, payment.AttemptSucceeded)
		if _, err := m.openList(t, 100, itemsOf(900, 1000)); rule(err) != payment.RuleDuplicate {
			t.Fatalf("once it has succeeded: %v", err)
		}
		if _, err := m.openList(t, 100, itemsOf(800, 1000)); err != nil {
			t.Fatalf("the next: %v", err)
		}
	})
}

// Where the tenant has a list of reasons, a refund has one of them.
func TestReasons(t *testing.T) {
	catalogue := setting.Values{payment.PolicyReasons.Name: []string{"returned", "broken"}}
	required := setting.Values{payment.PolicyReasonRequired.Name: true}
	check(t, func(t *rapid.T) {
		for name, test := range map[string]struct {
			settings setting.Values
			reason   string
			want     payment.RuleName
		}{
			"no list":            {nil, "anything", ""},
			"on the list":        {catalogue, "broken", ""},
			"not on the list":    {catalogue, "bored", payment.RuleReason},
			"none, and need not": {catalogue, "", ""},
			"none, and must":     {required, "", payment.RuleReason},
			"any, and must":      {required, "anything", ""},
		} {
			m := policed(t, test.settings, 1000)
			if _, err := m.run(t, payment.OpenRefund{
				Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: 1}, Reason: test.reason,
			}); rule(err) != test.want {
				t.Fatalf("%s: %v", name, err)
			}
		}
	})
}

// A refund is retried by a new one, once it is certain that its money has not
// moved, and by one at a time.
func TestRetry(t *testing.T) {
	check(t, func(t *rapid.T) {
		for name, test := range map[string]struct {
			end  payment.AttemptOutcome
			want payment.RuleName
		}{
			"running":   {"", payment.RuleStatus},
			"unknown":   {payment.AttemptUnknown, payment.RuleStatus},
			"succeeded": {payment.AttemptSucceeded, payment.RuleStatus},
			"declined":  {payment.AttemptDeclined, ""},
			"failed":    {payment.AttemptFailed, ""},
		} {
			m := policed(t, nil, 1000)
			refund := m.must(t, m.meta(), 100)
			if test.end != "" {
				m.end(t, refund, test.end)
			}
			retry := func(of payment.RefundID) (payment.Refund, payment.RuleName) {
				answer, err := m.run(t, payment.OpenRefund{Meta: m.meta(), Payment: refund.Payment, Ask: payment.Ask{Amount: 100}, RetryOf: of})
				return answer.Refund, rule(err)
			}
			if _, got := retry(payment.RefundID{1}); got != payment.RuleExists {
				t.Fatalf("%s: of none: %s", name, got)
			}
			again, got := retry(refund.ID)
			if got != test.want {
				t.Fatalf("%s: %s", name, got)
			}
			if got != "" {
				continue
			}
			if _, got := retry(refund.ID); got != payment.RuleOneAtATime {
				t.Fatalf("%s: twice at a time: %s", name, got)
			}
			m.end(t, again, payment.AttemptSucceeded)
			if _, got := retry(refund.ID); got != payment.RuleStatus {
				t.Fatalf("%s: once it was: %s", name, got)
			}
		}
	})
}

// Money that moved after all is not sent once more by a retry.
func TestRetryOfWhatWasAdopted(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, nil, 1000)
		refund := m.must(t, m.meta(), 100)
		m.end(t, refund, payment.AttemptFailed)
		m.tells(t, refund, payment.Outcome{Kind: payment.AttemptSucceeded})
		if _, err := m.run(t, payment.OpenRefund{
			Meta: m.meta(), Payment: refund.Payment, Ask: payment.Ask{Amount: 100}, RetryOf: refund.ID,
		}); rule(err) != payment.RuleStatus {
			t.Fatalf("it is retried: %v", err)
		}
	})
}
