package processor_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
)

var done = payment.Outcome{Kind: payment.AttemptSucceeded, ProcessorRef: "ref_1"}

// keyed is a company that takes the same attempt twice for one refund.
var keyed = processor.Capabilities{Idempotency: processor.IdempotencyKey, Settling: 2 * time.Second}

// What certainly never arrived is sent again, as a new attempt each time, with
// growing pauses.
func TestNotSent(t *testing.T) {
	t.Parallel()
	firm := &company{refunds: func(_ context.Context, call int, _ processor.Request) (payment.Outcome, error) {
		if call <= 3 {
			return payment.Outcome{Kind: payment.AttemptNotSent}, nil
		}
		return done, nil
	}}
	w := start(t, wanted{processor: firm})
	r := w.refund(w.pay(1000).ID, 1000, "")
	for attempts := 1; attempts <= 3; attempts++ {
		w.until("an attempt was not sent", 0, func() bool {
			view, now := w.see(r.ID)
			return len(view.Attempts) == attempts && view.Attempts[attempts-1].Outcome == payment.AttemptNotSent &&
				!now.IsSubmitted() && now.Status == payment.RefundPending
		})
		w.advance(time.Second<<(attempts-1) - time.Millisecond)
		w.advance(time.Millisecond)
	}
	w.untilStatus(r.ID, payment.RefundSucceeded, 0)
	if calls, attempts := firm.called(); calls != 4 || attempts != 4 {
		t.Errorf("%d calls of %d attempts", calls, attempts)
	}
	view, _ := w.see(r.ID)
	w.checkBooks(view)
}

// A refund that was not sent has not left: it can still be canceled.
func TestNotSentCanBeCanceled(t *testing.T) {
	t.Parallel()
	firm := &company{refunds: always(payment.Outcome{Kind: payment.AttemptNotSent}, nil)}
	w := start(t, wanted{processor: firm})
	r := w.refund(w.pay(1000).ID, 1000, "")
	w.until("it was not sent", 0, func() bool {
		view, now := w.see(r.ID)
		return len(view.Attempts) == 1 && !now.IsSubmitted()
	})
	w.do(payment.CancelRefund{Meta: w.meta(), Payment: r.Payment, Refund: r.ID, Code: "canceled"})
	w.until("nothing is left to do", time.Second, func() bool { return w.isQuiet(payment.TaskSubmitRefund) })
	if calls, _ := firm.called(); calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

// Where nothing tells what became of a call, nothing is assumed: no answer, a
// call that hangs, a bug, a word that is none.
func TestUnknown(t *testing.T) {
	t.Parallel()
	for name, refunds := range map[string]func(context.Context, int, processor.Request) (payment.Outcome, error){
		"silence": always(payment.Outcome{}, errSilence),
		"a call that hangs": func(ctx context.Context, _ int, _ processor.Request) (payment.Outcome, error) {
			<-ctx.Done()
			return payment.Outcome{}, ctx.Err()
		},
		"a no beside an error": always(payment.Outcome{Kind: payment.AttemptDeclined}, errSilence),
		"no outcome at all":    always(payment.Outcome{}, nil),
		"a word that is none":  always(payment.Outcome{Kind: "REJECTED?"}, nil),
		"a bug":                func(context.Context, int, processor.Request) (payment.Outcome, error) { panic("a bug") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, wanted{processor: &company{
				refunds: refunds, can: processor.Capabilities{Timeout: 20 * time.Millisecond},
			}})
			r := w.refund(w.pay(1000).ID, 1000, "")
			w.untilStatus(r.ID, payment.RefundUnknown, 0)
			view, now := w.see(r.ID)
			if now.PendingReason != payment.PendingResolution || view.Payment.Reserved != 1000 {
				t.Errorf("%s, reserved %d", now.PendingReason, view.Payment.Reserved)
			}
		})
	}
}

// What nobody can find out, and what nobody may try again, is for a person. It
// stays reserved.
func TestReview(t *testing.T) {
	t.Parallel()
	silent := func() *company { return &company{refunds: always(payment.Outcome{}, errSilence)} }
	ignorant := func(int) (payment.Outcome, error) { return payment.Outcome{}, processor.ErrNotFound }
	expired := keyed
	expired.KeyLifetime = time.Second
	for name, row := range map[string]struct {
		processor processor.Processor
		connector string
		step      time.Duration
	}{
		"nobody can be asked":                   {silent(), connector, time.Second},
		"it is not known, and has no key":       {&answering{company: silent(), inquires: ignorant}, connector, time.Second},
		"it is not known, and its key is over":  {&answering{company: withCan(silent(), expired), inquires: ignorant}, connector, time.Second},
		"there is no such connector":            {silent(), "elsewhere", 0},
		"it stays silent for a week":            {withCan(silent(), keyed), connector, 2 * time.Hour},
		"it is asked, and silent, for a week":   {&answering{company: silent(), inquires: silence}, connector, 2 * time.Hour},
		"it is pending for a week, says itself": {pendingFor(silent()), connector, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, wanted{processor: row.processor, carrier: func(c *processor.Config) { c.BreakerFailures = 1_000_000 }})
			p := w.do(payment.CreatePayment{
				Meta: w.meta(), Status: payment.PaymentCaptured, Connector: row.connector, Amount: euros(1000),
			}).View.Payment
			r := w.refund(p.ID, 1000, "")
			w.until("a person must look", row.step, func() bool {
				_, now := w.see(r.ID)
				return now.NeedsReview()
			})
			view, now := w.see(r.ID)
			if !now.Status.IsRunning() || view.Payment.Reserved != 1000 || len(view.Attempts) > 1 {
				t.Errorf("%s, reserved %d, %d attempts", now.Status, view.Payment.Reserved, len(view.Attempts))
			}
			w.until("nobody tries again", 0, func() bool {
				return w.isQuiet(payment.TaskSubmitRefund, payment.TaskInquireRefund)
			})
		})
	}
}

// What a person must look at still ends by itself if the company tells how.
func TestLateNewsEndsAReview(t *testing.T) {
	t.Parallel()
	w := start(t, wanted{processor: &company{refunds: always(payment.Outcome{}, errSilence)}})
	r := w.refund(w.pay(1000).ID, 1000, "")
	w.until("a person must look", time.Second, func() bool {
		_, now := w.see(r.ID)
		return now.NeedsReview()
	})
	view, _ := w.see(r.ID)
	w.receive(processor.Notice{
		Tenant: w.tenant, Connector: connector, Payment: r.Payment, Refund: r.ID, Attempt: view.Attempts[0].ID, Outcome: done,
	})
	view, now := w.see(r.ID)
	if now.Status != payment.RefundSucceeded || now.NeedsReview() {
		t.Errorf("it is %s, needs review: %v", now.Status, now.NeedsReview())
	}
	w.checkBooks(view)
}

// After a week of our own absence the company is asked before a person is.
func TestAskedBeforeGivingUp(t *testing.T) {
	t.Parallel()
	back := atomic.Bool{}
	firm := &answering{company: &company{refunds: always(payment.Outcome{}, errSilence)}}
	firm.inquires = func(int) (payment.Outcome, error) {
		if !back.Load() {
			return payment.Outcome{}, errSilence
		}
		return done, nil
	}
	w := start(t, wanted{processor: firm})
	r := w.refund(w.pay(1000).ID, 1000, "")
	w.untilStatus(r.ID, payment.RefundUnknown, 0)
	back.Store(true)
	w.advance(8 * 24 * time.Hour)
	w.untilStatus(r.ID, payment.RefundSucceeded, 0)
}

// A company without questions is sent the same attempt again, where that
// cannot pay twice; never another one.
func TestResend(t *testing.T) {
	t.Parallel()
	firm := withCan(&company{refunds: func(_ context.Context, call int, _ processor.Request) (payment.Outcome, error) {
		switch call {
		case 1, 2:
			return payment.Outcome{}, errSilence
		case 3:
			return payment.Outcome{Kind: payment.AttemptNotSent}, nil // says nothing about the first call
		default:
			return done, nil
		}
	}}, keyed)
	w := start(t, wanted{processor: firm})
	r := w.refund(w.pay(1000).ID, 1000, "")
	w.untilStatus(r.ID, payment.RefundSucceeded, 500*time.Millisecond)
	if calls, attempts := firm.called(); calls != 4 || attempts != 1 {
		t.Errorf("%d calls of %d attempts", calls, attempts)
	}
}

// "Not found" is no no: nothing is sent again before the company has had its
// time to take note.
func TestNotFoundSettles(t *testing.T) {
	t.Parallel()
	can := keyed
	can.Settling = time.Minute
	firm := &answering{
		company: withCan(&company{refunds: func(_ context.Context, call int, _ processor.Request) (payment.Outcome, error) {
			if call == 1 {
				return payment.Outcome{}, errSilence
			}
			return done, nil
		}}, can),
		inquires: func(int) (payment.Outcome, error) { return payment.Outcome{}, processor.ErrNotFound },
	}
	w := start(t, wanted{processor: firm})
	r := w.refund(w.pay(1000).ID, 1000, "")
	w.untilStatus(r.ID, payment.RefundUnknown, 0)
	for range 59 {
		before := firm.inquired()
		w.advance(time.Second)
		if _, now := w.see(r.ID); now.Status != payment.RefundUnknown {
			t.Fatalf("it is %s", now.Status)
		}
		if before < 5 { // let it be asked now and then
			w.until("it was asked", 0, func() bool { return firm.inquired() > before })
		}
	}
	if calls, _ := firm.called(); calls != 1 {
		t.Fatalf("it was sent %d times within its settling time", calls)
	}
	w.untilStatus(r.ID, payment.RefundSucceeded, time.Second)
	if calls, attempts := firm.called(); calls != 2 || attempts != 1 {
		t.Errorf("%d calls of %d attempts", calls, attempts)
	}
}

// Without a whole timeout left on the lease nothing is started.
func TestLease(t *testing.T) {
	t.Parallel()
	t.Run("too short from the start", func(t *testing.T) {
		t.Parallel()
		firm := &company{refunds: always(done, nil)}
		w := start(t, wanted{processor: firm, leaseLeft: never})
		r := w.refund(w.pay(1000).ID, 1000, "")
		w.until("it was tried", 0, func() bool { return w.ran.Load() > 3 })
		view, _ := w.see(r.ID)
		if calls, _ := firm.called(); calls != 0 || len(view.Attempts) != 0 {
			t.Errorf("%d calls, %d attempts", calls, len(view.Attempts))
		}
	})
	t.Run("too short after the commit", func(t *testing.T) {
		t.Parallel()
		firm := &company{refunds: always(done, nil)}
		asked := atomic.Int64{}
		w := start(t, wanted{processor: firm, leaseLeft: func(real leaseLeft) leaseLeft {
			return func(j job.Job) time.Duration {
				if asked.Add(1) == 2 {
					return 0
				}
				return real(j)
			}
		}})
		r := w.refund(w.pay(1000).ID, 1000, "")
		w.untilStatus(r.ID, payment.RefundSucceeded, time.Second)
		view, _ := w.see(r.ID)
		if calls, _ := firm.called(); calls != 1 || len(view.Attempts) != 2 ||
			view.Attempts[0].Outcome != payment.AttemptNotSent {
			t.Errorf("%d calls, attempts %+v", calls, view.Attempts)
		}
	})
}

// A company that does not answer is left in peace: refunds wait without an
// attempt, and go on when it is back.
func TestBreaker(t *testing.T) {
	t.Parallel()
	firm := func() (*answering, *atomic.Bool) {
		back := &atomic.Bool{}
		return &answering{
			company: withCan(&company{refunds: func(context.Context, int, processor.Request) (payment.Outcome, error) {
				if !back.Load() {
					return payment.Outcome{}, errSilence
				}
				return payment.Outcome{Kind: payment.AttemptSucceeded}, nil
			}}, keyed),
			inquires: func(int) (payment.Outcome, error) {
				if !back.Load() {
					return payment.Outcome{}, errSilence
				}
				return payment.Outcome{}, processor.ErrNotFound
			},
		}, back
	}
	open := func(w *world) payment.PaymentID {
		p := w.pay(100_000)
		for range 3 {
			w.untilStatus(w.refund(p.ID, 100, "").ID, payment.RefundUnknown, 0)
		}
		return p.ID
	}
	t.Run("while it is open", func(t *testing.T) {
		t.Parallel()
		silent, _ := firm()
		w := start(t, wanted{processor: silent, carrier: func(c *processor.Config) {
			c.BreakerFailures, c.BreakerPause = 3, time.Hour
		}})
		r := w.refund(open(w), 100, "")
		calls := w.calls.Load()
		for range 5 {
			ran := w.ran.Load()
			w.until("jobs were tried", time.Second, func() bool { return w.ran.Load() > ran })
		}
		if _, now := w.see(r.ID); now.AttemptCount > 0 || w.calls.Load() > calls {
			t.Errorf("%d attempts, %d calls", now.AttemptCount, w.calls.Load()-calls)
		}
	})
	t.Run("when it is back", func(t *testing.T) {
		t.Parallel()
		silent, back := firm()
		w := start(t, wanted{processor: silent, carrier: func(c *processor.Config) {
			c.BreakerFailures, c.BreakerPause = 3, 20*time.Millisecond
		}})
		p := open(w)
		r := w.refund(p, 100, "")
		back.Store(true)
		w.until("all have ended", time.Second, func() bool {
			view, now := w.see(r.ID)
			return now.Status == payment.RefundSucceeded && view.Payment.Refunded == 400
		})
	})
}

// A connector is called no more often than its limit says.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	firm := &company{refunds: always(payment.Outcome{Kind: payment.AttemptSucceeded}, nil)}
	seconds := atomic.Int64{}
	w := start(t, wanted{processor: firm, carrier: func(c *processor.Config) {
		c.PerSecond = 2
		c.Machine = func() time.Time { return time.Unix(1_000_000+seconds.Load(), 0) }
	}})
	p := w.pay(100_000)
	for range 6 {
		w.refund(p.ID, 100, "")
	}
	for second := int64(1); second <= 3; second++ {
		w.until("the second's calls were made", time.Second, func() bool {
			calls, _ := firm.called()
			return calls == int(2*second)
		})
		ran := w.ran.Load()
		if second < 3 {
			w.until("others were tried", time.Second, func() bool { return w.ran.Load() > ran+4 })
		}
		if calls, _ := firm.called(); calls != int(2*second) {
			t.Fatalf("%d calls in %d seconds", calls, second)
		}
		seconds.Add(1)
	}
}
