package payment_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// policed returns a model of a tenant with settings, and a captured payment.
func policed(t *rapid.T, settings setting.Values, totals ...money.Minor) *model {
	m := newModel()
	m.tenant.Settings = settings
	listed(t, m, totals...)
	m.now = m.now.Add(time.Minute)
	return m
}

// by returns the meta of a key, on behalf of a user.
func (m *model) by(actor, user string) payment.Meta {
	meta := m.meta()
	meta.Actor, meta.User = actor, user
	return meta
}

// gives opens a refund of an amount.
func (m *model) gives(t *rapid.T, meta payment.Meta, amount money.Minor) (payment.Refund, error) {
	answer, err := m.run(t, payment.OpenRefund{
		Meta: meta, Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: amount}, Source: payment.SourceAPI,
	})
	return answer.Refund, err
}

// must opens a refund that is not refused.
func (m *model) must(t *rapid.T, meta payment.Meta, amount money.Minor) payment.Refund {
	refund, err := m.gives(t, meta, amount)
	if err != nil {
		t.Fatal(err)
	}
	return refund
}

// A day has room for so many refunds, and so much, of whom the policy names.
func TestVelocity(t *testing.T) {
	tests := map[string]struct {
		policy        setting.Int
		limit         int64
		first, second payment.Meta
		want          payment.RuleName
	}{
		"count of a key":                       {payment.PolicyDailyCountKey, 1, payment.Meta{Actor: "a"}, payment.Meta{Actor: "a"}, payment.RuleVelocity},
		"count of another key":                 {payment.PolicyDailyCountKey, 1, payment.Meta{Actor: "a"}, payment.Meta{Actor: "b"}, ""},
		"amount of a key":                      {payment.PolicyDailyAmountKey, 150, payment.Meta{Actor: "a"}, payment.Meta{Actor: "a"}, payment.RuleVelocity},
		"amount of a key that is just reached": {payment.PolicyDailyAmountKey, 200, payment.Meta{Actor: "a"}, payment.Meta{Actor: "a"}, ""},
		"count of a user, whatever the key":    {payment.PolicyDailyCountUser, 1, payment.Meta{Actor: "a", User: "ann"}, payment.Meta{Actor: "b", User: "ann"}, payment.RuleVelocity},
		"amount of a user":                     {payment.PolicyDailyAmountUser, 150, payment.Meta{Actor: "a", User: "ann"}, payment.Meta{Actor: "a", User: "ann"}, payment.RuleVelocity},
		"nobody is no user":                    {payment.PolicyDailyCountUser, 1, payment.Meta{Actor: "a"}, payment.Meta{Actor: "a"}, ""},
		"count in all":                         {payment.PolicyDailyCountTenant, 1, payment.Meta{Actor: "a"}, payment.Meta{Actor: "b"}, payment.RuleVelocity},
		"amount in all":                        {payment.PolicyDailyAmountTenant, 150, payment.Meta{Actor: "a"}, payment.Meta{Actor: "b"}, payment.RuleVelocity},
	}
	check(t, func(t *rapid.T) {
		for name, test := range tests {
			m := policed(t, setting.Values{test.policy.Name: test.limit}, 1000)
			m.must(t, m.by(test.first.Actor, test.first.User), 100)
			second := m.by(test.second.Actor, test.second.User)
			_, err := m.gives(t, second, 100)
			if rule(err) != test.want {
				t.Fatalf("%s: %v", name, err)
			}
			if refusal := refusalOf(err); refusal != nil && !refusal.From.Equal(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)) {
				t.Fatalf("%s: it will be allowed from %s", name, refusal.From)
			}
			m.now = m.now.Add(24 * time.Hour)
			m.must(t, second, 100)
		}
	})
}

// What did not happen counts on no day; money that went and came back does.
func TestVelocityGivesBack(t *testing.T) {
	ends := map[string]struct {
		end  func(*model, *rapid.T, payment.Refund)
		back bool
	}{
		"canceled": {func(m *model, t *rapid.T, r payment.Refund) {
			if _, err := m.run(t, payment.CancelRefund{Meta: m.meta(), Payment: r.Payment, Refund: r.ID}); err != nil {
				t.Fatal(err)
			}
		}, true},
		"declined":  {func(m *model, t *rapid.T, r payment.Refund) { m.end(t, r, payment.AttemptDeclined) }, true},
		"failed":    {func(m *model, t *rapid.T, r payment.Refund) { m.end(t, r, payment.AttemptFailed) }, true},
		"succeeded": {func(m *model, t *rapid.T, r payment.Refund) { m.end(t, r, payment.AttemptSucceeded) }, false},
		"returned": {func(m *model, t *rapid.T, r payment.Refund) {
			m.end(t, r, payment.AttemptSucceeded)
			m.tells(t, r, payment.Outcome{Kind: payment.AttemptReturned})
		}, false},
	}
	check(t, func(t *rapid.T) {
		for name, test := range ends {
			m := policed(t, setting.Values{payment.PolicyDailyCountTenant.Name: int64(1), payment.PolicyDailyAmountKey.Name: int64(100)}, 1000)
			refund := m.must(t, m.meta(), 100)
			if _, err := m.gives(t, m.meta(), 100); rule(err) != payment.RuleVelocity {
				t.Fatal(err)
			}
			m.now = m.now.Add(24 * time.Hour)
			test.end(m, t, refund)
			m.now = m.now.Add(-24 * time.Hour) // the day on which it was opened
			if _, err := m.gives(t, m.meta(), 100); (err == nil) != test.back {
				t.Fatalf("%s: %v", name, err)
			}
		}
	})
}

// Without a policy that asks, nothing is counted and nothing is read.
func TestNothingIsCountedThatNobodyAsksFor(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, setting.Values{payment.PolicyMaximum.Name: int64(500)}, 1000)
		need := payment.OpenRefund{Meta: m.meta(), Payment: m.view.Payment.ID}.Need()
		if ids := need.Counters(m.view.Payment, &m.tenant, m.now); len(ids) > 0 {
			t.Fatalf("%v are read", ids)
		}
		if refund := m.must(t, m.meta(), 100); len(refund.Counted.By) > 0 || len(m.counters) > 0 {
			t.Fatalf("%v were counted", m.counters)
		}
	})
}

// tells records what a processor says of a refund's last attempt.
func (m *model) tells(t *rapid.T, refund payment.Refund, outcome payment.Outcome) payment.Answer {
	last := m.view.Attempts[len(m.view.Attempts)-1]
	answer, err := m.run(t, payment.RecordOutcome{
		Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID, Attempt: last.ID, Connector: "con", Outcome: outcome, Next: m.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// starts lets a refund leave.
func (m *model) starts(t *rapid.T, refund payment.Refund, expected time.Duration) (payment.Answer, error) {
	return m.run(t, payment.StartAttempt{
		Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID, InquireAt: m.now, Expected: expected,
	})
}

func refusalOf(err error) *payment.Refusal {
	refusal, _ := err.(*payment.Refusal) //nolint:errorlint // commands return it as it is
	return refusal
}

// While refunds are stopped none is opened, none leaves, none is sent again;
// those that are under way come to their end.
func TestKillSwitch(t *testing.T) {
	check(t, func(t *rapid.T) {
		for name, switched := range map[string]setting.Values{
			"all":              {payment.PolicyHalted.Name: true},
			"of the connector": {payment.PolicyHaltedConnectors.Name: []string{"con"}},
		} {
			m := policed(t, nil, 1000)
			waiting, gone := m.must(t, m.meta(), 100), m.must(t, m.meta(), 200)
			started, err := m.starts(t, gone, 0)
			if err != nil {
				t.Fatal(err)
			}
			m.tells(t, gone, payment.Outcome{Kind: payment.AttemptUnknown})
			m.tenant.Settings = switched
			if _, err := m.gives(t, m.meta(), 100); rule(err) != payment.RuleHalted {
				t.Fatalf("%s: it is opened: %v", name, err)
			}
			if _, err := m.starts(t, waiting, 0); rule(err) != payment.RuleHalted {
				t.Fatalf("%s: it leaves: %v", name, err)
			}
			again := payment.ResendAttempt{Meta: m.meta(), Payment: gone.Payment, Refund: gone.ID, Attempt: started.Attempt.ID}
			if _, err := m.run(t, again); rule(err) != payment.RuleHalted {
				t.Fatalf("%s: it is sent again: %v", name, err)
			}
			held, err := m.run(t, payment.HoldRefund{Meta: m.meta(), Payment: waiting.Payment, Refund: waiting.ID})
			if err != nil || held.Refund.PendingReason != payment.PendingHalted || held.Refund.Status != payment.RefundPending {
				t.Fatalf("%s: it is held: %+v %v", name, held.Refund, err)
			}
			if answer := m.tells(t, gone, payment.Outcome{Kind: payment.AttemptSucceeded}); answer.Refund.Status != payment.RefundSucceeded {
				t.Fatalf("%s: what had left is %s", name, answer.Refund.Status)
			}
			if _, err := m.run(t, again); rule(err) != payment.RuleFence {
				t.Fatalf("%s: what has ended is sent again: %v", name, err)
			}
			m.tenant.Settings = setting.Values{payment.PolicyHaltedConnectors.Name: []string{"other"}}
			if answer, err := m.starts(t, waiting, 0); err != nil || answer.Refund.PendingReason != payment.PendingProcessor {
				t.Fatalf("%s: afterwards: %+v %v", name, answer.Refund, err)
			}
		}
	})
}

// Before its window a payment can be refunded only by what leaves later.
func TestEarliest(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, setting.Values{payment.PolicyEarliestHours.Name: int64(48), payment.PolicyWindowDays.Name: int64(10)}, 1000)
		opens := m.view.Payment.CapturedAt().Add(48 * time.Hour)
		_, err := m.gives(t, m.meta(), 100)
		if rule(err) != payment.RuleNextDay || !refusalOf(err).From.Equal(opens) {
			t.Fatalf("too early: %v", err)
		}
		later, err := m.run(t, payment.OpenRefund{
			Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: 100}, NotBefore: opens,
		})
		if err != nil || later.Refund.Status != payment.RefundScheduled {
			t.Fatalf("one that leaves later: %+v %v", later.Refund, err)
		}
		if allowed := payment.Refundability(m.view, &m.tenant, m.now); !allowed.From.Equal(opens) ||
			!allowed.Until.Equal(m.view.Payment.CapturedAt().AddDate(0, 0, 10)) || allowed.Max.Minor != 0 {
			t.Fatalf("%+v", allowed)
		}
		m.now = opens
		m.must(t, m.meta(), 100)
		m.now = m.view.Payment.CapturedAt().AddDate(0, 0, 10).Add(time.Microsecond)
		if _, err := m.gives(t, m.meta(), 100); rule(err) != payment.RuleWindow {
			t.Fatalf("too late: %v", err)
		}
	})
}

// A yes comes from somebody else, about what they have seen.
func TestApprovals(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, setting.Values{payment.PolicyApprovalAbove.Name: int64(500), payment.PolicyApprovers.Name: int64(2)}, 2000)
		refund := m.must(t, m.by("key:a", "ann"), 600)
		if refund.Status != payment.RefundAwaitingApproval || m.view.Payment.Reserved != 600 {
			t.Fatalf("%s, %d reserved", refund.Status, m.view.Payment.Reserved)
		}
		yes := func(meta payment.Meta, seen payment.Digest) (payment.Refund, payment.RuleName) {
			answer, err := m.run(t, payment.ApproveRefund{Meta: meta, Payment: refund.Payment, Refund: refund.ID, Digest: seen})
			return answer.Refund, rule(err)
		}
		no := func(meta payment.Meta) payment.RuleName {
			_, err := m.run(t, payment.RejectRefund{Meta: meta, Payment: refund.Payment, Refund: refund.ID})
			return rule(err)
		}
		for name, test := range map[string]struct {
			meta payment.Meta
			seen payment.Digest
			want payment.RuleName
		}{
			"the same key":           {m.by("key:a", "bob"), "", payment.RuleSelfApproval},
			"the same person":        {m.by("operator:x", "ann"), "", payment.RuleSelfApproval},
			"who has seen another":   {m.by("operator:x", "bob"), "0123", payment.RuleSeen},
			"who has seen an amount": {m.by("operator:x", "bob"), altered(refund).Digest(), payment.RuleSeen},
		} {
			if _, got := yes(test.meta, test.seen); got != test.want {
				t.Fatalf("%s: %s", name, got)
			}
		}
		if no(m.by("key:a", "")) != payment.RuleSelfApproval {
			t.Fatal("the requester can reject")
		}
		one, got := yes(m.by("operator:x", "bob"), refund.Digest())
		if got != "" || one.Status != payment.RefundAwaitingApproval || one.Approvals[0].Digest != refund.Digest() || one.Digest() != refund.Digest() {
			t.Fatalf("one of two: %+v %s", one, got)
		}
		if _, got := yes(m.by("operator:y", "bob"), ""); got != payment.RuleSelfApproval {
			t.Fatalf("the same person twice: %s", got)
		}
		if two, got := yes(m.by("operator:y", "cat"), ""); got != "" || two.Status != payment.RefundPending {
			t.Fatalf("two of two: %s %s", two.Status, got)
		}
		if no(m.by("operator:z", "")) != payment.RuleStatus {
			t.Fatal("it can be rejected afterwards")
		}
		refund = m.must(t, m.by("key:a", "ann"), 700)
		if no(m.by("operator:z", "")) != "" {
			t.Fatal("it cannot be rejected")
		}
		if rejected, _ := m.view.Refund(refund.ID); rejected.Status != payment.RefundCanceled || rejected.Failure.Code != "rejected" || m.view.Payment.Reserved != 600 {
			t.Fatalf("%s, %+v, %d reserved", rejected.Status, rejected.Failure, m.view.Payment.Reserved)
		}
	})
}

// altered is a refund that asks for one cent more.
func altered(refund payment.Refund) payment.Refund {
	refund.Amount.Minor++
	return refund
}

// An approval that does not come in time ends the refund, and no sooner.
func TestApprovalsExpire(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, setting.Values{payment.PolicyApprovalAbove.Name: int64(1), payment.PolicyApprovalExpires.Name: int64(2)}, 2000)
		refund := m.must(t, m.meta(), 600)
		if len(m.tasks) != 1 || m.tasks[0].Kind != payment.TaskExpireRefund || !m.tasks[0].DueAt.Equal(refund.ExpiresAt) {
			t.Fatalf("%+v", m.tasks)
		}
		expire := payment.ExpireRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID}
		m.now = refund.ExpiresAt.Add(-time.Microsecond)
		if _, err := m.run(t, expire); rule(err) != payment.RuleStatus {
			t.Fatalf("too early: %v", err)
		}
		m.now = refund.ExpiresAt
		answer, err := m.run(t, expire)
		if err != nil || answer.Refund.Status != payment.RefundCanceled || answer.Refund.Failure.Code != "approval_expired" || m.view.Payment.Reserved != 0 {
			t.Fatalf("%+v %v", answer.Refund, err)
		}
	})
}

// Whoever tries to start a refund, and however often, within the undo window
// it can be canceled.
func TestUndo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		settings := setting.Values{payment.PolicyUndoSeconds.Name: int64(60)}
		if rapid.Bool().Draw(t, "needs approval") {
			settings[payment.PolicyApprovalAbove.Name] = int64(1)
		}
		m := policed(t, settings, 2000)
		refund := m.must(t, m.meta(), 600)
		opened := m.now
		for range rapid.IntRange(0, 12).Draw(t, "tries") {
			m.now = m.now.Add(time.Duration(rapid.IntRange(0, 9_999).Draw(t, "ms")) * time.Millisecond)
			switch rapid.IntRange(0, 3).Draw(t, "who") {
			case 0:
				_, _ = m.run(t, payment.StartRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID})
			case 1:
				_, _ = m.starts(t, refund, 0)
			case 2:
				_, _ = m.run(t, payment.ApproveRefund{Meta: m.by("operator:x", ""), Payment: refund.Payment, Refund: refund.ID})
			default:
				_, _ = m.run(t, payment.ExpireRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID})
			}
		}
		_, err := m.run(t, payment.CancelRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID, Code: "canceled"})
		if m.now.Before(opened.Add(time.Minute)) && err != nil {
			t.Fatalf("after %s it cannot be canceled: %v", m.now.Sub(opened), err)
		}
	})
}
