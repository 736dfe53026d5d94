package processor_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
	"github.com/refundry/refundry/internal/setting"
)

// set gives the world's tenant its settings.
func (w *world) set(values setting.Values) {
	w.t.Helper()
	tenant, err := w.store.Tenant(w.t.Context(), w.tenant)
	if err != nil {
		tenant = payment.Tenant{ID: w.tenant, Name: "acme"}
	}
	tenant.Settings = values
	if err := w.store.Change(w.t.Context(), auth.Change{
		Of: w.tenant, Tenant: &tenant, Events: []payment.Event{{
			Tenant: w.tenant, Kind: auth.EventSettingsChanged, Subject: w.tenant, At: w.clock.Now(), Actor: "operator:test",
		}},
	}); err != nil {
		w.t.Fatal(err)
	}
}

func halted(of string) setting.Values {
	if of == "" {
		return setting.Values{payment.PolicyHalted.Name: true}
	}
	return setting.Values{payment.PolicyHaltedConnectors.Name: []string{"elsewhere", of}}
}

// While refunds are stopped none leaves, however often it is tried, and none is
// lost: it goes once it may.
func TestHaltedRefundsDoNotLeave(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]string{"all": "", "a connector's": connector} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			firm := &company{refunds: always(done, nil)}
			w := start(t, wanted{processor: firm})
			p := w.pay(1000)
			w.set(setting.Values{payment.PolicyUndoSeconds.Name: int64(60)})
			r := w.refund(p.ID, 1000, "")
			w.set(halted(of))
			w.advance(time.Minute)
			w.until("it is held", 0, func() bool {
				_, now := w.see(r.ID)
				return now.PendingReason == payment.PendingHalted
			})
			before := w.ran.Load()
			for range 60 {
				w.advance(time.Minute)
			}
			view, now := w.see(r.ID)
			if calls, _ := firm.called(); calls != 0 || now.Status != payment.RefundPending || now.IsSubmitted() || view.Payment.Reserved != 1000 {
				t.Fatalf("%d calls; it is %s, %d reserved", calls, now.Status, view.Payment.Reserved)
			}
			if tries := w.ran.Load() - before; tries > 40 {
				t.Errorf("it was tried %d times in an hour", tries)
			}
			if marks := now.History; marks[len(marks)-1].Note != payment.NoteHalted || len(marks) != 3 {
				t.Errorf("it is noted more than once: %+v", marks)
			}
			w.set(setting.Values{})
			w.untilStatus(r.ID, payment.RefundSucceeded, time.Minute)
		})
	}
}

// What has left is asked about while refunds are stopped, and sent again only
// once they are not.
func TestHaltedRefundsAreNotSentAgain(t *testing.T) {
	t.Parallel()
	firm := withCan(&company{refunds: func(_ context.Context, call int, _ processor.Request) (payment.Outcome, error) {
		if call == 1 {
			return payment.Outcome{}, errSilence
		}
		return done, nil
	}}, keyed)
	w := start(t, wanted{processor: firm})
	r := w.refund(w.pay(1000).ID, 1000, "")
	w.untilStatus(r.ID, payment.RefundUnknown, 0)
	w.set(halted(""))
	for range 30 {
		w.advance(time.Minute)
	}
	if calls, _ := firm.called(); calls != 1 {
		t.Fatalf("%d calls", calls)
	}
	w.set(setting.Values{})
	w.untilStatus(r.ID, payment.RefundSucceeded, time.Minute)
	if calls, attempts := firm.called(); calls != 2 || attempts != 1 {
		t.Errorf("%d calls of %d attempts", calls, attempts)
	}
}

// A person's second try goes to a company that cannot pay twice, as the same
// attempt, and to no other.
func TestAPersonSendsAgain(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		can   processor.Capabilities
		end   payment.RefundStatus
		calls int
	}{
		"the company knows the attempt":     {keyed, payment.RefundSucceeded, 2},
		"the company would take it for new": {processor.Capabilities{}, payment.RefundUnknown, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			back := atomic.Bool{}
			firm := withCan(&company{refunds: func(context.Context, int, processor.Request) (payment.Outcome, error) {
				if !back.Load() {
					return payment.Outcome{}, errSilence
				}
				return done, nil
			}}, row.can)
			w := start(t, wanted{processor: &answering{company: firm, inquires: silence}, carrier: patient})
			r := w.refund(w.pay(1000).ID, 1000, "")
			w.untilReview(r.ID, 2*time.Hour)
			calls, _ := firm.called()
			back.Store(true)
			w.do(payment.ResendRefund{Meta: w.operator(), Payment: r.Payment, Refund: r.ID})
			w.until("it was tried", 0, func() bool { return w.isQuiet(payment.TaskResendRefund) })
			_, now := w.see(r.ID)
			more, attempts := firm.called()
			if now.Status != row.end || now.NeedsReview() != (row.end == payment.RefundUnknown) || more-calls != row.calls-1 || attempts != 1 {
				t.Errorf("it is %s, needs review: %v; %d more calls, %d attempts", now.Status, now.NeedsReview(), more-calls, attempts)
			}
		})
	}
}

// A person's question is asked, and without an answer the refund is theirs again.
func TestAPersonAsksAgain(t *testing.T) {
	t.Parallel()
	back := atomic.Bool{}
	firm := &answering{company: &company{refunds: always(payment.Outcome{}, errSilence)}}
	firm.inquires = func(call int) (payment.Outcome, error) {
		if back.Load() {
			return done, nil
		}
		return silence(call)
	}
	w := start(t, wanted{processor: firm, carrier: patient})
	r := w.refund(w.pay(1000).ID, 1000, "")
	w.untilReview(r.ID, 2*time.Hour)
	w.do(payment.InquireRefund{Meta: w.operator(), Payment: r.Payment, Refund: r.ID})
	w.untilReview(r.ID, 0)
	back.Store(true)
	w.do(payment.InquireRefund{Meta: w.operator(), Payment: r.Payment, Refund: r.ID})
	w.untilStatus(r.ID, payment.RefundSucceeded, 0)
	view, _ := w.see(r.ID)
	w.checkBooks(view)
}

// What a person settles is a fact: books and totals follow, and a company that
// says otherwise later is heard.
func TestAPersonSettles(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		to       payment.RefundStatus
		later    payment.AttemptOutcome
		refunded int64
		end      payment.RefundStatus
	}{
		"as succeeded":                   {payment.RefundSucceeded, "", 1000, payment.RefundSucceeded},
		"as failed":                      {payment.RefundFailed, "", 0, payment.RefundFailed},
		"as succeeded, and it was not":   {payment.RefundSucceeded, payment.AttemptFailed, 0, payment.RefundReturned},
		"as failed, and money had moved": {payment.RefundFailed, payment.AttemptSucceeded, 1000, payment.RefundFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, wanted{processor: &company{refunds: always(payment.Outcome{}, errSilence)}})
			r := w.refund(w.pay(1000).ID, 1000, "")
			w.untilReview(r.ID, time.Second)
			w.do(payment.SettleRefund{
				Meta: w.operator(), Payment: r.Payment, Refund: r.ID, To: row.to, Evidence: "statement of May 4th, line 3",
			})
			view, now := w.see(r.ID)
			if now.Status != row.to || now.NeedsReview() {
				t.Fatalf("it is %s", now.Status)
			}
			if row.later != "" {
				w.receive(processor.Notice{
					Tenant: w.tenant, Connector: connector, Payment: r.Payment, Refund: r.ID, Attempt: view.Attempts[0].ID,
					Outcome: payment.Outcome{Kind: row.later, ProcessorRef: "ref_1"},
				})
			}
			view, now = w.see(r.ID)
			if now.Status != row.end || int64(view.Payment.Refunded) != row.refunded || view.Payment.Reserved != 0 {
				t.Errorf("it is %s, %+v", now.Status, view.Payment.Totals)
			}
			w.checkBooks(view)
		})
	}
}

// patient lets no breaker open.
func patient(c *processor.Config) { c.BreakerFailures = 1_000_000 }

// operator signs what a person does.
func (w *world) operator() payment.Meta {
	return payment.Meta{Tenant: w.tenant, Actor: "operator:ann", Door: payment.DoorAPI}
}

// untilReview waits until a person must look at a refund.
func (w *world) untilReview(refund payment.RefundID, step time.Duration) {
	w.t.Helper()
	w.until("a person must look", step, func() bool {
		_, now := w.see(refund)
		return now.NeedsReview() && w.isQuiet(payment.TaskInquireRefund, payment.TaskSubmitRefund)
	})
}

// A refund that nobody approves ends when its time is over, and no sooner.
func TestApprovalExpires(t *testing.T) {
	t.Parallel()
	w := start(t, wanted{processor: &company{refunds: always(done, nil)}})
	w.set(setting.Values{payment.PolicyApprovalAbove.Name: int64(1), payment.PolicyApprovalExpires.Name: int64(2)})
	r := w.refund(w.pay(1000).ID, 1000, "")
	w.advance(2*time.Hour - time.Second)
	if _, now := w.see(r.ID); now.Status != payment.RefundAwaitingApproval {
		t.Fatalf("it is %s", now.Status)
	}
	w.untilStatus(r.ID, payment.RefundCanceled, time.Second)
	view, now := w.see(r.ID)
	if now.Failure.Code != "approval_expired" || view.Payment.Reserved != 0 {
		t.Errorf("%+v, %d reserved", now.Failure, view.Payment.Reserved)
	}
	w.checkBooks(view)
}

// A refund that takes longer than its company said, and longer than a policy
// bears, is told to be stuck: once, and it goes on.
func TestStuckIsToldOnce(t *testing.T) {
	t.Parallel()
	firm := withCan(&company{refunds: always(payment.Outcome{Kind: payment.AttemptPending}, nil)}, processor.Capabilities{Expected: 24 * time.Hour})
	w := start(t, wanted{processor: firm})
	w.set(setting.Values{payment.PolicyStuckHours.Name: int64(6)})
	r := w.refund(w.pay(1000).ID, 1000, "")
	w.until("it has left", 0, func() bool {
		_, now := w.see(r.ID)
		return now.PendingReason == payment.PendingProcessor
	})
	_, now := w.see(r.ID)
	if expected := now.SubmittedAt.Add(24 * time.Hour); !now.ExpectedBy.Equal(expected) {
		t.Errorf("expected by %s, want %s", now.ExpectedBy, expected)
	}
	w.advance(29 * time.Hour)
	if _, now := w.see(r.ID); now.IsStuck() {
		t.Fatal("it is stuck too early")
	}
	w.until("it is stuck", time.Hour, func() bool {
		_, now := w.see(r.ID)
		return now.IsStuck() && w.isQuiet(payment.TaskWatchRefund)
	})
	if log := w.logged.String(); !strings.Contains(log, `"msg":"refund stuck","refund_id":"`+r.ID.String()+`"`) {
		t.Errorf("the log does not name the refund: %s", log)
	}
	view, now := w.see(r.ID)
	w.receive(processor.Notice{
		Tenant: w.tenant, Connector: connector, Payment: r.Payment, Refund: r.ID, Attempt: view.Attempts[0].ID, Outcome: done,
	})
	view, now = w.see(r.ID)
	stuck := 0
	for _, mark := range now.History {
		if mark.Note == payment.NoteStuck {
			stuck++
		}
	}
	if now.Status != payment.RefundSucceeded || now.IsStuck() || stuck != 1 {
		t.Errorf("it is %s, and was stuck %d times", now.Status, stuck)
	}
	w.checkBooks(view)
}

// A processor is told the refund's reason with what the tenant's catalogue says
// of it, when the attempt is sent and when it is sent again.
func TestProcessorsAreToldTheReason(t *testing.T) {
	t.Parallel()
	told := make(chan payment.Reason, 2)
	firm := &company{
		can: processor.Capabilities{Idempotency: processor.IdempotencyKey},
		refunds: func(_ context.Context, call int, request processor.Request) (payment.Outcome, error) {
			told <- request.Reason
			if call == 1 {
				return payment.Outcome{}, errSilence
			}
			return done, nil
		},
	}
	w := start(t, wanted{processor: firm})
	p := w.pay(1000)
	want := payment.Reason{Code: "returned", Title: "Back", Words: map[payment.Door]string{"ping": "requested_by_customer"}}
	w.set(payment.ReasonSettings([]payment.Reason{{Code: "late"}, want}))
	r := w.do(payment.OpenRefund{
		Meta: w.meta(), Payment: p.ID, Ask: payment.Ask{How: payment.AskAmount, Amount: 100}, Reason: "returned",
	}).Refund
	w.untilStatus(r.ID, payment.RefundSucceeded, time.Minute)
	for range 2 {
		if diff := cmp.Diff(want, <-told); diff != "" {
			t.Errorf("(-want +told):\n%s", diff)
		}
	}
}
