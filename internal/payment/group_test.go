package payment_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// A refund over several captures becomes one for each, the oldest first, all
// of one group; or it is refused as a whole.
func TestARefundOverSeveralCaptures(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		captures := perCapture(t, m, 1_000, 3_200, 800)
		open := func(ask payment.Ask) (payment.Answer, payment.RuleName) {
			answer, err := m.run(t, payment.OpenRefund{Meta: m.meta(), Payment: m.view.Payment.ID, Ask: ask})
			return answer, rule(err)
		}
		wantParts := func(answer payment.Answer, of []payment.CaptureID, amounts ...money.Minor) {
			if len(answer.Refunds) != len(amounts) {
				t.Fatalf("%d refunds", len(answer.Refunds))
			}
			for i, refund := range answer.Refunds {
				if refund.Capture != of[i] || refund.Amount.Minor != amounts[i] || refund.Group != answer.Refund.Group {
					t.Fatalf("part %d is %s of %s", i, refund.Amount, refund.Capture)
				}
			}
			if group := answer.View.Group(answer.Refund.ID); len(group) != len(amounts) {
				t.Fatalf("the group has %d", len(group))
			}
		}
		if _, no := open(payment.Ask{Amount: 5_001}); no != payment.RuleRefundable || len(m.view.Refunds) != 0 {
			t.Fatalf("too much: %s, %d refunds", no, len(m.view.Refunds))
		}
		one, _ := open(payment.Ask{Amount: 600})
		wantParts(one, captures, 600)
		if !one.Refund.Group.IsZero() {
			t.Fatal("one refund is a group")
		}
		two, _ := open(payment.Ask{Amount: 1_000})
		wantParts(two, captures, 400, 600)
		named, _ := open(payment.Ask{Amount: 500, Capture: captures[2]})
		wantParts(named, captures[2:], 500)
		if _, no := open(payment.Ask{Amount: 301, Capture: captures[2]}); no != payment.RuleRefundable {
			t.Fatalf("more than a capture has: %s", no)
		}
		if _, no := open(payment.Ask{How: payment.AskList, Amount: 2_900, List: nil}); no != payment.RuleCapture && no != payment.RuleOneAtATime {
			t.Fatalf("a list of several: %s", no)
		}
		rest, _ := open(payment.Ask{How: payment.AskRemaining})
		wantParts(rest, captures[1:], 2_600, 300)
		if _, no := open(payment.Ask{How: payment.AskRemaining}); no != payment.RuleNothingLeft {
			t.Fatalf("once more: %s", no)
		}
		m.end(t, two.Refunds[1], payment.AttemptDeclined)
		if again, _ := open(payment.Ask{How: payment.AskRemaining}); again.Refund.Capture != captures[1] || again.Refund.Amount.Minor != 600 {
			t.Fatalf("what came free is %s of %s", again.Refund.Amount, again.Refund.Capture)
		}
	})
}

// A door that answers with one refund is given one, or a no that says how much it
// may be.
func TestOneRefundOverSeveralCaptures(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		captures := perCapture(t, m, 1_000, 3_200)
		open := func(amount money.Minor) (payment.Answer, error) {
			return m.run(t, payment.OpenRefund{
				Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: amount},
				Rules: []payment.Rule{{Name: payment.RuleCapture, On: true}},
			})
		}
		var refusal *payment.Refusal
		if _, err := open(1_001); !errors.As(err, &refusal) || refusal.Rule != payment.RuleCapture || refusal.Refundable.Minor != 1_000 {
			t.Fatalf("over two: %v", err)
		}
		for n, amount := range []money.Minor{refusal.Refundable.Minor, 3_200} {
			if one, err := open(amount); err != nil || len(one.Refunds) != 1 || one.Refund.Capture != captures[n] {
				t.Fatalf("of one: %+v %v", one.Refunds, err)
			}
		}
	})
}

// What was refunded elsewhere names no capture: it is taken from the oldest.
func TestCapturesAfterARefundMadeElsewhere(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		captures := perCapture(t, m, 1_000, 3_200)
		if _, err := m.run(t, payment.AdoptRefund{
			Meta: m.meta(), Payment: m.view.Payment.ID, Connector: "con", ProcessorRef: "r1", Amount: money.Of(1_300, "EUR"),
		}); err != nil {
			t.Fatal(err)
		}
		lefts := m.view.LeftOfCaptures()
		if lefts[0].Left != 0 || lefts[1].Left != 2_900 {
			t.Fatalf("%d and %d are left", lefts[0].Left, lefts[1].Left)
		}
		answer, err := m.run(t, payment.OpenRefund{
			Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{How: payment.AskRemaining},
		})
		if err != nil || len(answer.Refunds) != 1 || answer.Refund.Capture != captures[1] || answer.Refund.Amount.Minor != 2_900 {
			t.Fatalf("%+v %v", answer.Refunds, err)
		}
	})
}

// A group of which a part has ended is canceled for the rest, and not at all
// once a part has left.
func TestCancelTheRestOfAGroup(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		perCapture(t, m, 1_000, 1_000, 1_000)
		opened, err := m.run(t, payment.OpenRefund{Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{How: payment.AskWhole}})
		if err != nil {
			t.Fatal(err)
		}
		cancel := func(of payment.Refund, group bool) (payment.Answer, payment.RuleName) {
			answer, err := m.run(t, payment.CancelRefund{Meta: m.meta(), Payment: of.Payment, Refund: of.ID, Code: "canceled", Group: group})
			return answer, rule(err)
		}
		if _, no := cancel(opened.Refunds[0], false); no != "" {
			t.Fatal(no)
		}
		if _, err := m.starts(t, opened.Refunds[1], 0); err != nil {
			t.Fatal(err)
		}
		if _, no := cancel(opened.Refunds[2], true); no != payment.RuleStatus || m.view.Payment.Reserved != 2_000 {
			t.Fatalf("while a part is on its way: %s, %d reserved", no, m.view.Payment.Reserved)
		}
		m.tells(t, opened.Refunds[1], payment.Outcome{Kind: payment.AttemptNotSent})
		if answer, no := cancel(opened.Refunds[2], true); no != "" || len(answer.Refunds) != 2 || m.view.Payment.Reserved != 0 {
			t.Fatalf("the rest: %s, %d canceled", no, len(answer.Refunds))
		}
		if _, no := cancel(opened.Refunds[2], true); no != payment.RuleStatus {
			t.Fatalf("once more: %s", no)
		}
	})
}

// However an amount or units fall on captures, the parts of each line add up to
// what one refund would have given back of it.
func TestPartsOfLinesAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var pieces []money.Minor
		for _, piece := range rapid.SliceOfN(rapid.IntRange(1, 3_000), 2, 5).Draw(t, "captures") {
			pieces = append(pieces, money.Minor(piece))
		}
		m := newModel()
		perCapture(t, m, pieces...)
		ask := payment.Ask{Amount: money.Minor(rapid.Int64Range(1, int64(m.view.Payment.Captured)).Draw(t, "amount"))}
		if rapid.Bool().Draw(t, "units") {
			ask = payment.Ask{How: payment.AskItems}
			for i := range pieces {
				if i == 0 || rapid.Bool().Draw(t, "line") {
					ask.Items = append(ask.Items, payment.ItemAsk{Position: i + 1, Quantity: 1})
				}
			}
		}
		command := payment.OpenRefund{Meta: m.meta(), Payment: m.view.Payment.ID, Ask: ask}
		single := m.view
		single.Payment.PerCapture = false
		want := payment.Preview(single, &m.tenant, command, m.now).Refunds[0]
		answer, err := m.run(t, command)
		if err != nil {
			t.Fatal(err)
		}
		got := map[int]payment.RefundLine{}
		for _, refund := range answer.Refunds {
			var sum money.Minor
			for _, line := range refund.Lines {
				if line.Tax < 0 || line.Tax > line.Amount {
					t.Fatalf("%d tax in %d", line.Tax, line.Amount)
				}
				sum += line.Amount
				line.Amount += got[line.Position].Amount
				line.Tax += got[line.Position].Tax
				line.Quantity += got[line.Position].Quantity
				got[line.Position] = line
			}
			if sum != refund.Amount.Minor {
				t.Fatalf("the lines of %s are %d", refund.Amount, sum)
			}
		}
		for _, line := range want.Lines {
			if got[line.Position] != line {
				t.Fatalf("line %d is %+v, want %+v", line.Position, got[line.Position], line)
			}
		}
	})
}

// The whole of what is asked for decides whether it needs approval, and one
// yes, or no, is about all of it.
func TestAGroupIsApprovedAsOne(t *testing.T) {
	check(t, func(t *rapid.T) {
		for name, judge := range map[string]func(payment.Refund) payment.Command{
			"yes": func(r payment.Refund) payment.Command {
				return payment.ApproveRefund{Meta: payment.Meta{Tenant: r.Tenant, Actor: "operator:x"}, Payment: r.Payment, Refund: r.ID, Digest: r.Digest()}
			},
			"no": func(r payment.Refund) payment.Command {
				return payment.RejectRefund{Meta: payment.Meta{Tenant: r.Tenant, Actor: "operator:x"}, Payment: r.Payment, Refund: r.ID}
			},
			"never mind": func(r payment.Refund) payment.Command {
				return payment.CancelRefund{Meta: payment.Meta{Tenant: r.Tenant, Actor: r.Actor}, Payment: r.Payment, Refund: r.ID, Code: "canceled", Group: true}
			},
		} {
			m := newModel()
			m.tenant.Settings = setting.Values{payment.PolicyApprovalAbove.Name: int64(1_100)}
			perCapture(t, m, 1_000, 3_200)
			opened, err := m.run(t, payment.OpenRefund{Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: 1_200}})
			if err != nil || len(opened.Refunds) != 2 || opened.Refunds[0].Status != payment.RefundAwaitingApproval {
				t.Fatalf("%+v %v", opened.Refunds, err)
			}
			answer, err := m.run(t, judge(opened.Refunds[1]))
			if err != nil || len(answer.Refunds) != 2 || answer.Refunds[0].Status != answer.Refunds[1].Status ||
				answer.Refunds[0].Status == payment.RefundAwaitingApproval || answer.Refund.ID != opened.Refunds[1].ID {
				t.Fatalf("%s: %+v %v", name, answer.Refunds, err)
			}
		}
	})
}
