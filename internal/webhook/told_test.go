package webhook_test

import (
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// word returns the word of a webhook's body.
func word(body string) string {
	_, rest, _ := strings.Cut(body, `"word":"`)
	word, _, _ := strings.Cut(rest, `"`)
	return word
}

func TestAnEventIsToldInEachOfItsWordsInOrder(t *testing.T) {
	t.Parallel()
	w, r := setup(t, plan{voice: voice{words: []string{"captured", "paid"}}}), newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	if first, second := word(r.answers(t, 200)), word(r.answers(t, 200)); first != "captured" || second != "paid" {
		t.Errorf("told %s, then %s", first, second)
	}
	w.nothingLeft(t)
	r.none(t)
}

func TestAPaymentsOwnCallbackIsToldBesideTheEndpoints(t *testing.T) {
	t.Parallel()
	w, endpoint, own := setup(t, plan{}), newReceiver(t), newReceiver(t)
	tenant, _ := w.tenant(t, endpoint.url)
	answer, err := w.engine.Do(t.Context(), payment.CreatePayment{
		Meta: meta(tenant), Status: payment.PaymentCaptured, Connector: "sandbox", Amount: money.Of(100_000, "EUR"),
		Callback: own.url,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.refund(t, tenant, answer.View.Payment.ID, 100)
	signed, unsigned := endpoint.next(t), own.next(t)
	if signed.header.Get("Webhook-Signature") == "" || unsigned.header.Get("Webhook-Signature") != "" ||
		signed.body != unsigned.body {
		t.Errorf("the endpoint was told %s, the callback %s", signed.body, unsigned.body)
	}
	signed.status <- 200
	unsigned.status <- 200
	w.nothingLeft(t)
}

func TestImportsAreNotTold(t *testing.T) {
	t.Parallel()
	w, r := setup(t, plan{voice: voice{tells: func(payment.Telling) []webhook.Told { return []webhook.Told{{Word: "any"}} }}}),
		newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	for _, isImport := range []bool{true, false} {
		if _, err := w.engine.Do(t.Context(), payment.CreatePayment{
			Meta: meta(tenant), Status: payment.PaymentCaptured, Connector: "sandbox", Amount: money.Of(1, "EUR"),
			IsImport: isImport,
		}); err != nil {
			t.Fatal(err)
		}
	}
	r.answers(t, 200)
	w.nothingLeft(t)
	r.none(t)
}

func TestAnEndpointCanBeTried(t *testing.T) {
	t.Parallel()
	w, r := setup(t, plan{}), newReceiver(t)
	tenant, _ := w.tenant(t)
	if _, err := w.engine.Do(t.Context(), payment.TryEndpoint{
		Meta: meta(tenant), Endpoint: payment.Endpoint{URL: r.url},
	}); err != nil {
		t.Fatal(err)
	}
	if body := r.answers(t, 200); word(body) != "opened" || !strings.Contains(body, `"version":0,"refunds":0`) {
		t.Errorf("told %s", body)
	}
	w.nothingLeft(t)
}

func TestPausesVaryByThePartThatADoorSays(t *testing.T) {
	t.Parallel()
	for luck, want := range map[float64]time.Duration{0: 8 * time.Second, 0.5: 10 * time.Second, 1: 12 * time.Second} {
		w, r := setup(t, plan{luck: luck, voice: voice{jitter: 0.2, gaps: []time.Duration{0, 10 * time.Second}}}), newReceiver(t)
		tenant, _ := w.tenant(t, r.url)
		w.refund(t, tenant, w.capture(t, tenant), 100)
		r.answers(t, 500)
		w.attempts(t, tenant, 1)
		w.advance(want - time.Microsecond)
		if w.isDue(t) {
			t.Errorf("luck %g: it is due before %s", luck, want)
		}
		w.advance(time.Microsecond)
		r.answers(t, 200)
		w.attempts(t, tenant, 2)
	}
}

// A final word cancels an earlier one that nobody has heard, however long that
// would still wait, and then is told at once.
func TestAFinalWordOvertakesWhatHasNothingLeftToTell(t *testing.T) {
	t.Parallel()
	v := voice{
		gaps: []time.Duration{0, time.Hour},
		tells: func(telling payment.Telling) []webhook.Told {
			told := webhook.Told{Word: string(telling.Event.Kind), Thread: telling.Refund.ID}
			switch telling.Event.Kind {
			case payment.EventRefundCreated:
			case "refund.canceled":
				told.Hurries = true
			default:
				return nil
			}
			return []webhook.Told{told}
		},
		isOver: func(event webhook.Event, now payment.View) bool {
			refund, _ := now.Refund(event.Subject)
			return event.Kind == payment.EventRefundCreated && !refund.Status.IsRunning()
		},
	}
	w, r := setup(t, plan{voice: v}), newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	of := w.capture(t, tenant)
	opened, err := w.engine.Do(t.Context(), payment.OpenRefund{
		Meta: meta(tenant), Payment: of, Ask: payment.Ask{Amount: 100}, NotBefore: w.now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := word(r.answers(t, 500)); got != "refund.created" {
		t.Fatalf("told %s", got)
	}
	w.attempts(t, tenant, 1)
	if _, err := w.engine.Do(t.Context(), payment.CancelRefund{
		Meta: meta(tenant), Payment: of, Refund: opened.Refund.ID, Code: "canceled",
	}); err != nil {
		t.Fatal(err)
	}
	if got := word(r.answers(t, 200)); got != "refund.canceled" {
		t.Errorf("told %s", got)
	}
	eventually(t, func() bool {
		all := w.deliveries(t, tenant)
		return len(all) == 2 && all[0].Status == webhook.StatusDelivered && all[1].Status == webhook.StatusCanceled
	})
}
