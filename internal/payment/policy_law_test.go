package payment_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// policies draws what a tenant's policies may be.
func policies(t *rapid.T) setting.Values {
	values := setting.Values{}
	number := func(spec setting.Spec, choices ...int64) {
		if n := rapid.SampledFrom(choices).Draw(t, spec.Name); n > 0 {
			values[spec.Name] = n
		}
	}
	number(payment.PolicyDailyCountKey.Spec, 0, 2, 5)
	number(payment.PolicyDailyCountUser.Spec, 0, 2)
	number(payment.PolicyDailyCountTenant.Spec, 0, 4)
	number(payment.PolicyDailyAmountKey.Spec, 0, 3_000)
	number(payment.PolicyDailyAmountUser.Spec, 0, 2_000)
	number(payment.PolicyDailyAmountTenant.Spec, 0, 5_000)
	number(payment.PolicyApprovalAbove.Spec, 0, 1_000)
	number(payment.PolicyApprovers.Spec, 1, 2)
	number(payment.PolicyApprovalExpires.Spec, 0, 1)
	number(payment.PolicyUndoSeconds.Spec, 0, 90)
	number(payment.PolicyMaximum.Spec, 0, 2_500)
	number(payment.PolicyDuplicateMinutes.Spec, 0, 3)
	number(payment.PolicyStuckHours.Spec, 0, 1)
	number(payment.PolicyEarliestHours.Spec, 0, 1)
	values[payment.PolicyPartial.Name] = rapid.SampledFrom([]bool{true, true, true, false}).Draw(t, "partial")
	return values
}

// someone draws who asks.
func (m *model) someone(t *rapid.T) payment.Meta {
	meta := m.meta()
	meta.Actor = rapid.SampledFrom([]string{"key:a", "key:b", "operator:c"}).Draw(t, "actor")
	meta.User = rapid.SampledFrom([]string{"", "ann", "bob"}).Draw(t, "user")
	return meta
}

// Whatever a tenant's policies are and whoever asks for what, the laws of a
// payment hold, counters count what is not over without money moving, and
// previews say what then happens.
func TestLawsUnderPolicies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		m.tenant.Settings = policies(t)
		if rapid.Bool().Draw(t, "captures") {
			perCapture(t, m, 1_500, 700, 2_800)
		} else {
			listed(t, m, 1_500, 700, 2_800)
		}
		m.view.Payment.Availability = rapid.SampledFrom([]payment.Availability{
			"", "", "", payment.RefundsPartialOnly, payment.RefundsWholeOnly, payment.RefundsNone,
		}).Draw(t, "availability")
		m.now = m.now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
		t.Repeat(map[string]func(*rapid.T){
			"":        m.counted,
			"open":    m.openAny,
			"judge":   m.judge,
			"go on":   m.goOn,
			"start":   m.start,
			"fact":    m.fact,
			"cancel":  m.cancel,
			"dispute": m.dispute,
			"move":    m.move,
			"review":  m.review,
			"wait": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * time.Minute)
			},
			"sleep":    func(*rapid.T) { m.now = m.now.Add(24 * time.Hour) },
			"halt":     func(t *rapid.T) { m.halt(rapid.Bool().Draw(t, "halted")) },
			"allowed":  m.allowed,
			"withdraw": m.withdraw,
		})
		m.past(t)
	})
}

func (m *model) halt(halted bool) { m.tenant.Settings[payment.PolicyHalted.Name] = halted }

// ask draws what a refund asks for.
func (m *model) ask(t *rapid.T) payment.OpenRefund {
	command := payment.OpenRefund{
		Meta: m.someone(t), Payment: m.view.Payment.ID, Source: payment.SourceAPI,
		Ask: payment.Ask{Amount: money.Minor(rapid.IntRange(1, 3_000).Draw(t, "amount"))},
	}
	command.Ask.How = rapid.SampledFrom([]payment.How{
		payment.AskAmount, payment.AskAmount, payment.AskRemaining, payment.AskWhole, payment.AskItems,
	}).Draw(t, "how")
	if command.Ask.How == payment.AskItems {
		command.Ask.Items = []payment.ItemAsk{{Position: rapid.IntRange(1, 3).Draw(t, "position"), Quantity: 1}}
	}
	if refund, ok := m.refund(t); ok && rapid.Bool().Draw(t, "retries") {
		command.RetryOf = refund.ID
	}
	return command
}

// openAny opens a refund, and compares what comes of it with its preview.
func (m *model) openAny(t *rapid.T) {
	command := m.ask(t)
	shown := payment.Preview(m.view, &m.tenant, command, m.now, m.counts(command.Need())...)
	narrow := payment.Preview(m.narrow(command.Need()), &m.tenant, command, m.now, m.counts(command.Need())...)
	if diff := cmp.Diff(shown, narrow, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("a preview by what the command needs (-all +needed):\n%s", diff)
	}
	if rapid.Bool().Draw(t, "binds") {
		command.Expect = shown.Digest
	}
	answer, err := m.run(t, command)
	if err != nil {
		if shown.Refusal == nil || rule(err) != shown.Refusal.Rule {
			t.Fatalf("%v, but the preview said %v", err, shown.Refusal)
		}
		return
	}
	if shown.Refusal != nil || len(answer.Refunds) != len(shown.Refunds) {
		t.Fatalf("it was opened as %d, but the preview said %v and %d", len(answer.Refunds), shown.Refusal, len(shown.Refunds))
	}
	var sum money.Minor
	for i, refund := range answer.Refunds {
		sum += refund.Amount.Minor
		then := shown.Refunds[i]
		if then.Amount != refund.Amount || !slices.Equal(then.Lines, refund.Lines) || then.Capture != refund.Capture ||
			then.Status != refund.Status || then.ApprovalsNeeded != refund.ApprovalsNeeded || !then.NotBefore.Equal(refund.NotBefore) {
			t.Fatalf("%+v was previewed as %+v", refund, then)
		}
		if refund.Group != answer.Refund.Group || refund.Group.IsZero() != (len(answer.Refunds) == 1) {
			t.Fatalf("%d refunds of the group %s", len(answer.Refunds), refund.Group)
		}
	}
	if sum != shown.Amount.Minor || answer.View.Payment.Refundable() != shown.Left {
		t.Fatalf("%d goes back and %s is left, previewed were %s and %s", sum, answer.View.Payment.Refundable(), shown.Amount, shown.Left)
	}
}

// allowed compares what may be asked for with what is refused.
func (m *model) allowed(t *rapid.T) {
	meta := m.someone(t)
	need := payment.OpenRefund{Meta: meta, Payment: m.view.Payment.ID}.Need()
	counters := m.counts(need)
	allowed := payment.Refundability(m.view, &m.tenant, m.now, counters...)
	narrow := m.narrow(payment.NeedOfRefundability(meta, m.view.Payment.ID))
	if diff := cmp.Diff(allowed, payment.Refundability(narrow, &m.tenant, m.now, counters...), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("refundability by what it needs (-all +needed):\n%s", diff)
	}
	amount := money.Minor(rapid.SampledFrom([]money.Minor{
		allowed.Min.Minor, allowed.Max.Minor, allowed.Max.Minor + 1, allowed.Min.Minor - 1,
		money.Minor(rapid.IntRange(1, 5_000).Draw(t, "amount")),
	}).Draw(t, "choice"))
	shown := payment.Preview(m.view, &m.tenant, payment.OpenRefund{
		Meta: meta, Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: amount}, Repeats: true,
	}, m.now, counters...)
	fits := amount > 0 && amount >= allowed.Min.Minor && amount <= allowed.Max.Minor
	isPieces := shown.Refusal != nil && shown.Refusal.Rule == payment.RuleVelocity && len(shown.Refunds) > 1
	if fits != (shown.Refusal == nil) && !isPieces { // each piece counts
		t.Fatalf("%d of %s to %s: %v", amount, allowed.Min, allowed.Max, shown.Refusal)
	}
	if (allowed.Max.Minor == 0) != (len(allowed.Refusals) > 0) {
		t.Fatalf("%s can be refunded, and the reasons why not are %v", allowed.Max, allowed.Refusals)
	}
}

// judge lets somebody say yes or no to a refund that waits for approval.
func (m *model) judge(t *rapid.T) {
	refund, ok := m.refund(t)
	if !ok {
		return
	}
	meta, seen := m.someone(t), refund.Digest()
	group := m.view.Group(refund.ID)
	var answer payment.Answer
	var err error
	if rapid.Bool().Draw(t, "yes") {
		answer, err = m.run(t, payment.ApproveRefund{Meta: meta, Payment: refund.Payment, Refund: refund.ID, Digest: seen})
	} else {
		answer, err = m.run(t, payment.RejectRefund{Meta: meta, Payment: refund.Payment, Refund: refund.ID, Digest: seen})
	}
	if err != nil {
		return
	}
	if meta.Actor == refund.Actor || meta.User != "" && meta.User == refund.User {
		t.Fatal("somebody has judged what they asked for themselves")
	}
	for _, other := range group {
		now, _ := m.view.Refund(other.ID)
		if other.Status == payment.RefundAwaitingApproval && now.Status != answer.Refund.Status {
			t.Fatalf("one of a group is %s, another %s", answer.Refund.Status, now.Status)
		}
	}
	if answer.Refund.Status == payment.RefundPending || answer.Refund.Status == payment.RefundScheduled {
		if len(answer.Refund.Approvals) < answer.Refund.ApprovalsNeeded {
			t.Fatalf("%d of %d have agreed", len(answer.Refund.Approvals), answer.Refund.ApprovalsNeeded)
		}
	}
}

// goOn does what only time causes.
func (m *model) goOn(t *rapid.T) {
	refund, ok := m.refund(t)
	if !ok {
		return
	}
	_, err := m.run(t, payment.StartRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID})
	if err == nil && m.now.Before(refund.NotBefore) {
		t.Fatal("a refund was started before its time")
	}
	_, err = m.run(t, payment.ExpireRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID})
	if err == nil && m.now.Before(refund.ExpiresAt) {
		t.Fatal("a refund has expired before its time")
	}
	_, _ = m.run(t, payment.HoldRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID})
	answer, err := m.run(t, payment.WatchRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID})
	if err == nil && !answer.Unchanged && (refund.IsStuck() || m.now.Sub(refund.SubmittedAt) < time.Hour) {
		t.Fatal("a refund is stuck twice, or too early")
	}
	now, _ := m.view.Refund(refund.ID)
	if now.Status.IsRunning() == (now.PendingReason == payment.PendingNone) {
		t.Fatalf("a refund that is %s waits for %q", now.Status, now.PendingReason)
	}
}

// review lets an operator act.
func (m *model) review(t *rapid.T) {
	refund, ok := m.refund(t)
	if !ok {
		return
	}
	meta := m.someone(t)
	_, _ = m.run(t, payment.FlagRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID})
	switch rapid.IntRange(0, 2).Draw(t, "act") {
	case 0:
		_, _ = m.run(t, payment.InquireRefund{Meta: meta, Payment: refund.Payment, Refund: refund.ID})
	case 1:
		_, _ = m.run(t, payment.ResendRefund{Meta: meta, Payment: refund.Payment, Refund: refund.ID})
	default:
		to := rapid.SampledFrom([]payment.RefundStatus{payment.RefundSucceeded, payment.RefundFailed, payment.RefundReturned}).Draw(t, "to")
		flagged, _ := m.view.Refund(refund.ID)
		answer, err := m.run(t, payment.SettleRefund{
			Meta: meta, Payment: refund.Payment, Refund: refund.ID, To: to, Evidence: "the bank says so",
		})
		if err == nil && (meta.Actor != "operator:c" || !flagged.NeedsReview() || answer.Refund.Status != to || len(answer.Refund.Evidence) != 1) {
			t.Fatalf("%s has settled %+v", meta.Actor, answer.Refund)
		}
	}
}

// withdraw cancels a group.
func (m *model) withdraw(t *rapid.T) {
	refund, ok := m.refund(t)
	if !ok {
		return
	}
	group := m.view.Group(refund.ID)
	_, err := m.run(t, payment.CancelRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID, Code: "canceled", Group: true})
	hasLeft := slices.ContainsFunc(group, func(r payment.Refund) bool { return r.Status.IsRunning() && r.IsSubmitted() })
	if err == nil && hasLeft {
		t.Fatal("a group was canceled of which a part had left")
	}
}

// counted checks every counter of the day on which its refunds were opened.
func (m *model) counted(t *rapid.T) {
	want := map[payment.CounterID]int64{}
	for _, refund := range m.view.Refunds {
		switch refund.Status {
		case payment.RefundCanceled, payment.RefundDeclined, payment.RefundFailed:
			continue
		}
		for _, kind := range refund.Counted.By {
			id := payment.CounterID{Tenant: m.tenant.ID, Kind: kind, Day: refund.Counted.Day}
			adds := int64(1)
			switch kind {
			case payment.AmountOfKey, payment.AmountOfTenant, payment.AmountOfUser:
				id.Currency, adds = "EUR", int64(refund.Amount.Minor)
			}
			switch kind {
			case payment.CountOfKey, payment.AmountOfKey:
				id.Name = refund.Actor
			case payment.CountOfUser, payment.AmountOfUser:
				id.Name = refund.Person.String()
			}
			want[id] += adds
		}
	}
	for id, value := range m.counters {
		if value != want[id] {
			t.Fatalf("%s of %q counts %d, the refunds %d", id.Kind, id.Name, value, want[id])
		}
	}
}

// perCapture makes a payment of several captures at a processor that refunds captures.
func perCapture(t *rapid.T, m *model, pieces ...money.Minor) []payment.CaptureID {
	return capturedAs(t, m, payment.CreatePayment{Connector: capturesConnector, Items: itemsOf(pieces...)}, pieces...)
}
