package webhook_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

func wantAgain(t *testing.T, verdict job.Verdict, at time.Time) {
	t.Helper()
	if verdict != job.Again(at) {
		t.Errorf("verdict %+v, want again at %s", verdict, at)
	}
}

func TestCrashBeforeTheRecordResendsTheSameBytes(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	dying := setup(t, plan{runsNo: true, recordsNo: true, voice: retrying()})
	tenant, _ := dying.tenant(t, r.url)
	of := dying.capture(t, tenant)
	dying.refund(t, tenant, of, 100)
	jobs := dying.claim(t, lease)
	go func() { _, _ = dying.teller.Handle(context.Background(), jobs[0]) }() // waits for a record that never comes
	told := r.answers(t, 200)
	dying.refund(t, tenant, of, 200) // the payment goes on
	dying.stop()

	next := setup(t, plan{path: dying.path, clock: dying.clock, voice: retrying()})
	if again := r.answers(t, 200); again != told {
		t.Errorf("told %s, after the crash %s", told, again)
	}
	if second := r.answers(t, 200); second == told {
		t.Errorf("told %s a third time", second)
	}
	next.nothingLeft(t)
	for _, d := range next.deliveries(t, tenant) {
		if d.Status != webhook.StatusDelivered || d.Attempts != 1 {
			t.Errorf("delivery %+v", d)
		}
	}
}

func TestWhatAStaleHolderLearnedIsKept(t *testing.T) {
	t.Parallel()
	w, r := setup(t, plan{runsNo: true, voice: retrying()}), newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	stale := w.claim(t, -time.Minute) // its lease has ended
	if _, _, err := w.store.Reap(t.Context(), 20, 10); err != nil {
		t.Fatal(err)
	}
	current := w.claim(t, lease)

	handle := func(j job.Job, status int) job.Verdict {
		var verdict job.Verdict
		var err error
		var handling sync.WaitGroup
		handling.Go(func() { verdict, err = w.teller.Handle(t.Context(), j) })
		r.answers(t, status)
		handling.Wait()
		if err != nil {
			t.Fatal(err)
		}
		return verdict
	}
	if verdict := handle(stale[0], 500); verdict != job.Ended() {
		t.Errorf("verdict %+v", verdict)
	}
	w.attempts(t, tenant, 1)
	if kept, err := w.store.Renew(t.Context(), []payment.TaskRef{current[0].Ref()}, lease); err != nil || len(kept) != 1 {
		t.Errorf("the stale holder ended the job of the current one: %v", err)
	}
	handle(stale[0], 200)
	if d, _ := w.attempts(t, tenant, 2); d.Status != webhook.StatusDelivered {
		t.Errorf("delivery %+v", d)
	}
	verdict, err := w.teller.Handle(t.Context(), current[0])
	if err != nil || verdict != job.Done() {
		t.Errorf("verdict %+v, %v: it was delivered meanwhile", verdict, err)
	}
	r.none(t)
}

// picky is a real store that refuses to record one delivery.
type picky struct {
	store

	mutex   sync.Mutex
	refuses payment.DeliveryID
	largest int
}

func (p *picky) Attempted(ctx context.Context, results []webhook.Result) error {
	p.mutex.Lock()
	p.largest = max(p.largest, len(results))
	refuses := p.refuses
	p.mutex.Unlock()
	if slices.ContainsFunc(results, func(r webhook.Result) bool { return r.Delivery.ID == refuses }) {
		return errors.New("this one cannot be written")
	}
	return p.store.Attempted(ctx, results)
}

func TestResultsThatWaitAreRecordedTogetherAndSpareEachOther(t *testing.T) {
	t.Parallel()
	const events = 9
	p := &picky{}
	w := setup(t, plan{runsNo: true, recordsNo: true, wraps: func(s store) webhook.Store {
		p.store = s
		return p
	}})
	r := newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	for range events {
		w.refund(t, tenant, w.capture(t, tenant), 100)
	}
	jobs := w.claim(t, lease)
	p.refuses = jobs[4].Subject
	errs := make([]error, events)
	var handling sync.WaitGroup
	for i, j := range jobs {
		handling.Go(func() { _, errs[i] = w.teller.Handle(t.Context(), j) })
		r.answers(t, 200)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.teller.Run(ctx) })
	handling.Wait()
	cancel()
	running.Wait()

	for i, err := range errs {
		if (err != nil) != (i == 4) {
			t.Errorf("result %d: %v", i, err)
		}
	}
	for _, d := range w.deliveries(t, tenant) {
		if isOpen := d.Status == webhook.StatusOpen; isOpen != (d.ID == p.refuses) {
			t.Errorf("delivery %+v", d)
		}
	}
	if p.largest < 2 {
		t.Errorf("at most %d results were recorded together", p.largest)
	}
}
