package payment_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// A refund that takes too long is told once; what is expected later by then is
// given more time.
func TestStuck(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, setting.Values{payment.PolicyStuckHours.Name: int64(24)}, 1000)
		refund := m.must(t, m.meta(), 100)
		began := m.now
		started, err := m.starts(t, refund, 48*time.Hour)
		if err != nil || !started.Refund.ExpectedBy.Equal(started.Refund.SubmittedAt.Add(48*time.Hour)) {
			t.Fatalf("expected by %s: %v", started.Refund.ExpectedBy, err)
		}
		due := func() time.Time {
			for _, task := range m.tasks {
				if task.Kind == payment.TaskWatchRefund {
					return task.DueAt
				}
			}
			return time.Time{}
		}
		if !due().Equal(started.Refund.ExpectedBy.Add(24 * time.Hour)) {
			t.Fatalf("looked at on %s", due())
		}
		m.now = m.now.Add(time.Hour)
		later := m.tells(t, refund, payment.Outcome{Kind: payment.AttemptPending, Expected: 72 * time.Hour}).Refund
		if !later.ExpectedBy.Equal(later.UpdatedAt.Add(72 * time.Hour)) {
			t.Fatalf("expected by %s", later.ExpectedBy)
		}
		if then, _ := later.AsOf(started.Refund.Version); !then.ExpectedBy.Equal(started.Refund.ExpectedBy) {
			t.Fatalf("it was expected by %s, and is remembered by %s", started.Refund.ExpectedBy, then.ExpectedBy)
		}
		watch := payment.WatchRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID}
		m.now = started.Refund.ExpectedBy.Add(24 * time.Hour)
		if answer, err := m.run(t, watch); err != nil || !answer.Unchanged || !due().Equal(later.ExpectedBy.Add(24*time.Hour)) {
			t.Fatalf("%+v %v, looked at again on %s", answer.Refund, err, due())
		}
		if _, err := m.run(t, payment.FlagRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID}); err != nil {
			t.Fatal(err)
		}
		m.now = later.ExpectedBy.Add(24 * time.Hour)
		answer, err := m.run(t, watch)
		if err != nil || !answer.Refund.IsStuck() || answer.Refund.Status != payment.RefundPending || !answer.Refund.NeedsReview() {
			t.Fatalf("%+v %v", answer.Refund, err)
		}
		if age := answer.Refund.Age(m.now); age < m.now.Sub(began)-time.Second {
			t.Fatalf("it is %s old", age)
		}
		if _, err := m.run(t, watch); rule(err) != payment.RuleStatus {
			t.Fatalf("it is told twice: %v", err)
		}
		ended := m.tells(t, refund, payment.Outcome{Kind: payment.AttemptSucceeded}).Refund
		if ended.IsStuck() || ended.PendingReason != payment.PendingNone || ended.Age(m.now.Add(time.Hour)) > m.now.Sub(began)+time.Second {
			t.Fatalf("%+v", ended)
		}
	})
}

// Where no policy asks, nobody looks.
func TestNobodyWatchesUnasked(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, nil, 1000)
		refund := m.must(t, m.meta(), 100)
		if _, err := m.starts(t, refund, time.Hour); err != nil || len(m.tasks) > 0 {
			t.Fatalf("%+v %v", m.tasks, err)
		}
	})
}

// Every refund that has not ended says why.
func TestPendingReasons(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, nil, 1000)
		is := func(refund payment.RefundID, want payment.PendingReason) {
			if now, _ := m.view.Refund(refund); now.PendingReason != want {
				t.Fatalf("a refund that is %s waits for %q, not %q", now.Status, now.PendingReason, want)
			}
		}
		r := m.must(t, m.meta(), 100)
		is(r.ID, payment.PendingNotSent)
		if _, err := m.starts(t, r, 0); err != nil {
			t.Fatal(err)
		}
		is(r.ID, payment.PendingProcessor)
		m.tells(t, r, payment.Outcome{Kind: payment.AttemptNotSent})
		is(r.ID, payment.PendingNotSent)
		m.tenant.Settings = setting.Values{payment.PolicyHalted.Name: true}
		if _, err := m.run(t, payment.HoldRefund{Meta: m.meta(), Payment: r.Payment, Refund: r.ID}); err != nil {
			t.Fatal(err)
		}
		is(r.ID, payment.PendingHalted)
		m.tenant.Settings = setting.Values{payment.PolicyApprovalAbove.Name: int64(1), payment.PolicyUndoSeconds.Name: int64(60)}
		if _, err := m.starts(t, r, 0); err != nil {
			t.Fatal(err)
		}
		m.tells(t, r, payment.Outcome{Kind: payment.AttemptUnknown})
		is(r.ID, payment.PendingResolution)
		m.tells(t, r, payment.Outcome{Kind: payment.AttemptFailed})
		is(r.ID, payment.PendingNone)
		r = m.must(t, m.meta(), 100)
		is(r.ID, payment.PendingApproval)
		if _, err := m.run(t, payment.ApproveRefund{Meta: m.by("operator:x", ""), Payment: r.Payment, Refund: r.ID}); err != nil {
			t.Fatal(err)
		}
		is(r.ID, payment.PendingSchedule)
	})
}

// What a person may do with a refund depends on where it is, and on the person.
func TestReview(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, nil, 1000)
		r := m.must(t, m.meta(), 100)
		inquire := payment.InquireRefund{Meta: m.by("operator:x", ""), Payment: r.Payment, Refund: r.ID}
		resend := payment.ResendRefund{Meta: inquire.Meta, Payment: r.Payment, Refund: r.ID}
		settle := payment.SettleRefund{Meta: inquire.Meta, Payment: r.Payment, Refund: r.ID, To: payment.RefundSucceeded, Evidence: "a letter"}
		for _, command := range []payment.Command{inquire, resend, settle} {
			if _, err := m.run(t, command); rule(err) != payment.RuleStatus {
				t.Fatalf("%T of what has not left: %v", command, err)
			}
		}
		if _, err := m.starts(t, r, 0); err != nil {
			t.Fatal(err)
		}
		m.tells(t, r, payment.Outcome{Kind: payment.AttemptUnknown})
		for _, command := range []payment.Command{resend, settle} {
			if _, err := m.run(t, command); rule(err) != payment.RuleStatus {
				t.Fatalf("%T of what needs no review: %v", command, err)
			}
		}
		flag := payment.FlagRefund{Meta: m.meta(), Payment: r.Payment, Refund: r.ID}
		task := func(command payment.Command, kind payment.TaskKind) {
			if _, err := m.run(t, flag); err != nil {
				t.Fatal(err)
			}
			answer, err := m.run(t, command)
			if err != nil || len(m.tasks) != 1 || m.tasks[0].Kind != kind || answer.Refund.NeedsReview() {
				t.Fatalf("%T: %+v %v", command, m.tasks, err)
			}
		}
		task(inquire, payment.TaskInquireRefund)
		task(resend, payment.TaskResendRefund)
		if _, err := m.run(t, flag); err != nil {
			t.Fatal(err)
		}
		for name, test := range map[string]struct {
			change func(*payment.SettleRefund)
			want   payment.RuleName
		}{
			"by a key":         {func(c *payment.SettleRefund) { c.Actor = "key:a" }, payment.RuleSelfApproval},
			"without evidence": {func(c *payment.SettleRefund) { c.Evidence = " " }, payment.RuleReason},
			"as canceled":      {func(c *payment.SettleRefund) { c.To = payment.RefundCanceled }, payment.RuleStatus},
		} {
			command := settle
			test.change(&command)
			if _, err := m.run(t, command); rule(err) != test.want {
				t.Fatalf("%s: %v", name, err)
			}
		}
		settle.Key.Hash[0]++
		settle.References = []payment.Reference{{Kind: "arn", Value: "7"}}
		answer, err := m.run(t, settle)
		if err != nil || answer.Refund.Status != payment.RefundSucceeded || m.view.Payment.Refunded != 100 ||
			len(answer.Refund.References) != 1 || answer.Refund.Evidence[0].Actor != "operator:x" || answer.Refund.Evidence[0].Note != "a letter" {
			t.Fatalf("%+v %v", answer.Refund, err)
		}
		if again, err := m.run(t, settle); err != nil || again.Replayed == nil || again.Replayed.Subject != r.ID {
			t.Fatalf("again: %+v %v", again.Replayed, err)
		}
	})
}

// What could never be sent is sent anew.
func TestResendOfWhatNeverLeft(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, nil, 1000)
		r := m.must(t, m.meta(), 100)
		if _, err := m.run(t, payment.FlagRefund{Meta: m.meta(), Payment: r.Payment, Refund: r.ID}); err != nil {
			t.Fatal(err)
		}
		if _, err := m.run(t, payment.ResendRefund{Meta: m.meta(), Payment: r.Payment, Refund: r.ID}); err != nil ||
			len(m.tasks) != 1 || m.tasks[0].Kind != payment.TaskSubmitRefund {
			t.Fatalf("%+v %v", m.tasks, err)
		}
	})
}

// A dispute that takes what was given back says how much, once what has not
// left is stopped.
// A person may carry out by hand what never left, and says so, or that nothing
// was done: it is an attempt like any other, and the books follow.
func TestSettlingWhatNeverLeft(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, nil, 1000)
		r := m.must(t, m.meta(), 400)
		settle := payment.SettleRefund{
			Meta: m.meta(), Payment: r.Payment, Refund: r.ID, Evidence: "a transfer on March 2",
			To: rapid.SampledFrom([]payment.RefundStatus{payment.RefundSucceeded, payment.RefundFailed}).Draw(t, "to"),
		}
		settle.Actor = "operator:local"
		if _, err := m.run(t, settle); rule(err) != payment.RuleStatus {
			t.Fatalf("the machinery has not given it up: %v", err)
		}
		if _, err := m.run(t, payment.FlagRefund{Meta: m.meta(), Payment: r.Payment, Refund: r.ID}); err != nil {
			t.Fatal(err)
		}
		answer, err := m.run(t, settle)
		if err != nil {
			t.Fatal(err)
		}
		settled, _ := answer.View.Refund(r.ID)
		if settled.Status != settle.To || settled.AttemptCount != 1 || len(settled.Evidence) != 1 || settled.SubmittedAt.IsZero() {
			t.Fatalf("%+v", settled)
		}
		if _, err := m.run(t, settle); rule(err) != payment.RuleStatus {
			t.Fatalf("it is settled twice: %v", err)
		}
	})
}

func TestDoubleLoss(t *testing.T) {
	check(t, func(t *rapid.T) {
		for name, test := range map[string]struct {
			refunded, left, waiting, disputed money.Minor
			want                              money.Minor
		}{
			"beside a refund":           {300, 0, 0, 700, 0},
			"of a part that went back":  {300, 0, 0, 800, 100},
			"of what went back":         {1000, 0, 0, 1000, 1000},
			"of what is under way":      {0, 400, 0, 1000, 400},
			"of what has not left":      {0, 0, 1000, 1000, 0},
			"of all of these":           {200, 300, 500, 900, 400},
			"more than there is at all": {300, 0, 0, 2000, 300},
		} {
			m := policed(t, nil, 1000)
			if test.refunded > 0 {
				m.end(t, m.must(t, m.meta(), test.refunded), payment.AttemptSucceeded)
			}
			if test.left > 0 {
				if _, err := m.starts(t, m.must(t, m.meta(), test.left), 0); err != nil {
					t.Fatal(err)
				}
			}
			if test.waiting > 0 {
				m.must(t, m.meta(), test.waiting)
			}
			dispute := m.disputes(t, test.disputed)
			if dispute.DoubleLoss != test.want || dispute.IsDoubleLoss() != (test.want > 0) {
				t.Fatalf("%s: %d are lost twice", name, dispute.DoubleLoss)
			}
			told := m.told[told{dispute.ID, dispute.Version}]
			if last := dispute.History.Last(); (last.Note == payment.NoteDoubleLoss) != (test.want > 0) || !told {
				t.Fatalf("%s: %+v", name, dispute.History)
			}
			exposed := m.view.Exposure()
			if exposed.DoubleLoss != test.want && test.disputed <= 1000 || exposed.Total != exposed.Refunded+exposed.Reserved+exposed.Disputed {
				t.Fatalf("%s: %+v", name, exposed)
			}
			if _, err := m.run(t, payment.MoveDispute{Meta: m.meta(), Payment: dispute.Payment, Dispute: dispute.ID, To: payment.DisputeWon}); err != nil {
				t.Fatal(err)
			}
			if now, _ := m.view.Dispute(dispute.ID); now.IsDoubleLoss() || m.view.Exposure().DoubleLoss != 0 {
				t.Fatalf("%s: it is won, and still a loss", name)
			}
		}
	})
}
