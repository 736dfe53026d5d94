package payment_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// What was previewed is what happens, or nothing does.
func TestPreviewBinds(t *testing.T) {
	check(t, func(t *rapid.T) {
		for name, test := range map[string]struct {
			between func(*model)
			want    payment.RuleName
		}{
			"nothing between":        {func(*model) {}, ""},
			"time":                   {func(m *model) { m.now = m.now.Add(time.Hour) }, ""},
			"a refund":               {func(m *model) { m.must(t, m.meta(), 100) }, payment.RulePreview},
			"a policy that needs it": {func(m *model) { m.tenant.Settings = setting.Values{payment.PolicyApprovalAbove.Name: int64(1)} }, payment.RulePreview},
		} {
			m := policed(t, nil, 700, 300)
			command := payment.OpenRefund{Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{How: payment.AskRemaining}}
			shown := payment.Preview(m.view, &m.tenant, command, m.now)
			if shown.Refusal != nil || shown.Amount != money.Of(1000, "EUR") || shown.Tax != 200 || shown.Left.Minor != 0 {
				t.Fatalf("%+v", shown)
			}
			test.between(m)
			command.Expect = shown.Digest
			if _, err := m.run(t, command); rule(err) != test.want {
				t.Fatalf("%s: %v", name, err)
			}
		}
	})
}

// A preview that is refused says by which rule, and to which numbers.
func TestPreviewOfWhatIsRefused(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, setting.Values{
			payment.PolicyMaximum.Name: int64(500), payment.PolicyApprovalAbove.Name: int64(100), payment.PolicyUndoSeconds.Name: int64(60),
		}, 700, 300)
		ask := func(amount money.Minor) payment.Previewed {
			return payment.Preview(m.view, &m.tenant, payment.OpenRefund{
				Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: amount},
			}, m.now)
		}
		no := ask(600)
		if no.Refusal == nil || no.Refusal.Rule != payment.RuleMaximum || no.Amount.Minor != 600 || len(no.Refunds) != 1 || len(no.Refunds[0].Lines) != 2 || no.Left.Minor != 1000 {
			t.Fatalf("%+v", no)
		}
		yes := ask(400)
		if yes.Refusal != nil || yes.ApprovalsNeeded != 1 || !yes.NotBefore.Equal(m.now.Add(time.Minute)) || yes.Left.Minor != 600 ||
			yes.Refunds[0].Status != payment.RefundAwaitingApproval || !yes.Refunds[0].ID.IsZero() {
			t.Fatalf("%+v", yes)
		}
		other := payment.Preview(m.view, &m.tenant, payment.OpenRefund{Meta: m.meta(), Payment: payment.PaymentID{1}}, m.now)
		if other.Refusal == nil || other.Refusal.Rule != payment.RuleExists {
			t.Fatalf("of no payment: %+v", other)
		}
	})
}

// What can be refunded, and why not, is said rule by rule.
func TestRefundability(t *testing.T) {
	check(t, func(t *rapid.T) {
		for name, test := range map[string]struct {
			settings setting.Values
			before   func(*model)
			min, max money.Minor
			no       payment.RuleName
		}{
			"all of it":              {nil, func(*model) {}, 1, 1000, ""},
			"what a refund has left": {nil, func(m *model) { m.must(t, m.meta(), 300) }, 1, 700, ""},
			"nothing":                {nil, func(m *model) { m.must(t, m.meta(), 1000) }, 0, 0, payment.RuleNothingLeft},
			"up to the maximum":      {setting.Values{payment.PolicyMaximum.Name: int64(400)}, func(*model) {}, 1, 400, ""},
			"the whole only":         {setting.Values{payment.PolicyPartial.Name: false}, func(*model) {}, 1000, 1000, ""},
			"the whole, which is too much": {setting.Values{payment.PolicyPartial.Name: false, payment.PolicyMaximum.Name: int64(400)},
				func(*model) {}, 0, 0, payment.RuleMaximum},
			"stopped":         {setting.Values{payment.PolicyHalted.Name: true}, func(*model) {}, 0, 0, payment.RuleHalted},
			"one at a time":   {setting.Values{payment.PolicyOneAtATime.Name: true}, func(m *model) { m.must(t, m.meta(), 1) }, 0, 0, payment.RuleOneAtATime},
			"a dispute's":     {nil, func(m *model) { m.disputes(t, 400) }, 1, 600, ""},
			"while disputed":  {setting.Values{payment.PolicyDuringDispute.Name: false}, func(m *model) { m.disputes(t, 400) }, 0, 0, payment.RuleDispute},
			"a day's room":    {setting.Values{payment.PolicyDailyAmountTenant.Name: int64(500)}, func(m *model) { m.must(t, m.meta(), 300) }, 1, 200, ""},
			"a day's number":  {setting.Values{payment.PolicyDailyCountTenant.Name: int64(1)}, func(m *model) { m.must(t, m.meta(), 300) }, 0, 0, payment.RuleVelocity},
			"a day with none": {setting.Values{payment.PolicyDailyAmountKey.Name: int64(300)}, func(m *model) { m.must(t, m.meta(), 300) }, 0, 0, payment.RuleVelocity},
		} {
			m := policed(t, test.settings, 700, 300)
			test.before(m)
			need := payment.OpenRefund{Meta: m.meta(), Payment: m.view.Payment.ID}.Need()
			allowed := payment.Refundability(m.view, &m.tenant, m.now, m.counts(need)...)
			if allowed.Min.Minor != test.min || allowed.Max.Minor != test.max {
				t.Fatalf("%s: %s to %s", name, allowed.Min, allowed.Max)
			}
			if test.no == "" != (len(allowed.Refusals) == 0) || test.no != "" && allowed.Refusals[0].Rule != test.no {
				t.Fatalf("%s: %v", name, allowed.Refusals)
			}
			var items money.Minor
			left := m.view.Payment.Totals.Refundable()
			for _, item := range allowed.Items {
				if items += item.Amount; item.Amount > left {
					t.Fatalf("%s: an item has %d left of %d", name, item.Amount, left)
				}
			}
			if m.view.Payment.Disputed == 0 && items != left || allowed.Captures[0].Left != left {
				t.Fatalf("%s: the items have %d left of %d; captures %+v", name, items, left, allowed.Captures)
			}
		}
	})
}

// disputes opens a dispute that a processor tells of.
func (m *model) disputes(t *rapid.T, amount money.Minor) payment.Dispute {
	answer, err := m.run(t, payment.OpenDispute{
		Meta: m.meta(), Payment: m.view.Payment.ID, Kind: payment.DisputeChargeback, Amount: amount, IsFact: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	dispute, _ := answer.View.Dispute(answer.Dispute.ID)
	return dispute
}

// A payment of which nothing was taken says so, and nothing else.
func TestRefundabilityBeforeCapture(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		m.tenant.Settings = setting.Values{payment.PolicyWindowDays.Name: int64(10)}
		if _, err := m.run(t, payment.CreatePayment{
			Meta: m.meta(), Status: payment.PaymentAuthorized, Connector: "con", Amount: money.Of(100, "EUR"),
		}); err != nil {
			t.Fatal(err)
		}
		allowed := payment.Refundability(m.view, &m.tenant, m.now)
		if len(allowed.Refusals) != 1 || allowed.Refusals[0].Rule != payment.RuleStatus || !allowed.Until.IsZero() {
			t.Fatalf("%+v", allowed)
		}
	})
}
