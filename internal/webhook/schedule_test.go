package webhook_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/webhook"
)

func TestAttemptsAreMadeExactlyOnSchedule(t *testing.T) {
	t.Parallel()
	gaps := []time.Duration{0, 15 * time.Second, 45 * time.Second, 30 * time.Minute}
	w, r := setup(t, plan{voice: voice{gaps: gaps}}), newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	body := r.answers(t, 500)
	for made := 1; made < len(gaps); made++ {
		w.attempts(t, tenant, made)
		w.advance(gaps[made] - gaps[made-1] - time.Microsecond)
		if w.isDue(t) {
			t.Fatalf("attempt %d is due too early", made+1)
		}
		w.advance(time.Microsecond)
		if again := r.answers(t, 500); again != body {
			t.Errorf("attempt %d said %s, the first %s", made+1, again, body)
		}
	}
	d, attempts := w.attempts(t, tenant, len(gaps))
	for i, attempt := range attempts {
		if want := began.Add(gaps[i]); attempt.At != want || attempt.StatusCode != http.StatusInternalServerError || attempt.Number != i+1 {
			t.Errorf("attempt %+v, want it at %s", attempt, want)
		}
	}
	if d.Status != webhook.StatusGivenUp || d.EndedAt != w.now() || string(d.Body) != body {
		t.Errorf("delivery %+v", d)
	}
	w.nothingLeft(t)
	r.none(t)
}

// nothingLeft ends the test if jobs are left.
func (w *world) nothingLeft(t *testing.T) {
	t.Helper()
	eventually(t, func() bool {
		waiting, buried, err := w.store.Count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(waiting) == 0 && buried == 0
	})
}

func TestLaterAcknowledgementEndsTheDelivery(t *testing.T) {
	t.Parallel()
	w, r := setup(t, plan{voice: voice{gaps: []time.Duration{0, time.Second, time.Hour}}}), newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	body := r.answers(t, 500)
	w.attempts(t, tenant, 1)
	w.advance(time.Second)
	if again := r.answers(t, 200); again != body {
		t.Errorf("said %s, then %s", body, again)
	}
	if d, _ := w.attempts(t, tenant, 2); d.Status != webhook.StatusDelivered {
		t.Errorf("delivery %+v", d)
	}
	w.nothingLeft(t)
}

func TestLateTellerComesBackWithoutABurst(t *testing.T) {
	t.Parallel()
	gaps := []time.Duration{0, time.Minute, 2 * time.Minute, 3 * time.Minute, 20 * time.Minute}
	w, r := setup(t, plan{voice: voice{gaps: gaps}}), newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	r.answers(t, 500)
	w.attempts(t, tenant, 1)
	w.advance(10 * time.Minute) // as if no replica had run
	for made := 2; made < len(gaps)-1; made++ {
		r.answers(t, 500)
		w.attempts(t, tenant, made)
		w.advance(30*time.Second - time.Microsecond)
		if w.isDue(t) {
			t.Fatalf("attempt %d comes at once", made+1)
		}
		w.advance(time.Microsecond)
	}
	r.answers(t, 500)
	w.attempts(t, tenant, len(gaps)-1)
	w.advance(9*time.Minute - time.Microsecond)
	if w.isDue(t) {
		t.Fatal("the last attempt is due before the schedule's time")
	}
	w.advance(time.Microsecond)
	r.answers(t, 500)
	if _, made := w.attempts(t, tenant, len(gaps)); made[len(gaps)-1].At != began.Add(20*time.Minute) {
		t.Errorf("the last attempt was made at %s", made[len(gaps)-1].At)
	}
}

func TestResendBeginsTheScheduleAnew(t *testing.T) {
	t.Parallel()
	w, r := setup(t, plan{voice: voice{gaps: []time.Duration{0, time.Second}}}), newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	body := r.answers(t, 500)
	w.attempts(t, tenant, 1)
	w.advance(time.Second)
	r.answers(t, 500)
	d, _ := w.attempts(t, tenant, 2)
	if err := w.store.Resend(t.Context(), tenant, d.ID); err != nil {
		t.Fatal(err)
	}
	w.runner.Poke()
	r.answers(t, 500)
	if d, _ = w.attempts(t, tenant, 3); d.Status != webhook.StatusOpen {
		t.Fatalf("delivery %+v", d)
	}
	w.advance(time.Second)
	if again := r.answers(t, 200); again != body {
		t.Errorf("said %s, then %s", body, again)
	}
	if d, _ = w.attempts(t, tenant, 4); d.Status != webhook.StatusDelivered {
		t.Errorf("delivery %+v", d)
	}
}
