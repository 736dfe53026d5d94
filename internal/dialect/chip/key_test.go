package chip_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

const headerKey = "Idempotency-Key"

// A repeat of a refund's key is answered as the first time, whatever has
// happened since; another body is a conflict.
func TestRefundKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		id := s.paid(5900)
		first := must(t, s.refund(id, `{"amount":1000}`, headerKey, "a"), 200)
		must(t, s.refund(id, `{"amount":500}`, headerKey, "b"), 200)
		for _, same := range []string{`{"amount":1000}`, `{"amount":"1000"}`, `{"amount":1000.0,"x":1}`} {
			if again := s.refund(id, same, headerKey, "a"); again.Status != 200 || again.Raw != first.Raw {
				t.Errorf("%s again: %d %s\nfirst: %s", same, again.Status, again.Raw, first.Raw)
			}
		}
		for _, other := range []string{"", `{"amount":1001}`, `{"amount":0}`, `{"amount":9999999}`, `{"amout":1}`, "?"} {
			refuses(t, "another body: "+other, s.refund(id, other, headerKey, "a"), 409, "__all__ conflict")
		}
		is(t, "afterwards", s.purchase(id), "refunded", "all", 4400)
		other := s.paid(5900)
		must(t, s.refund(other, `{"amount":700}`, headerKey, "a"), 200) // another path
		for _, bad := range []string{strings.Repeat("k", 256), "a b", "é"} {
			refuses(t, "a bad key", s.refund(id, `{"amount":1}`, headerKey, bad), 400, "__all__ invalid")
		}
		s.Clean()
	})
}

// A refused refund frees its key; one that was accepted and then declined is
// declined again.
func TestKeysOfRefusedRefunds(t *testing.T) {
	s := setup(t)
	id := s.paid(9001)
	refuses(t, "too much", s.refund(id, `{"amount":9002}`, headerKey, "a"), 400, "amount max_value")
	refuses(t, "declined", s.refund(id, `{"amount":9001}`, headerKey, "a"), 400, "__all__ purchase_refund_error")
	before := s.purchase(id)
	refuses(t, "declined again", s.refund(id, `{"amount":9001}`, headerKey, "a"), 400, "__all__ purchase_refund_error")
	if after := s.purchase(id); after.Raw != before.Raw {
		t.Errorf("the repeat changed something: %s", after.Raw)
	}
	must(t, s.refund(id, `{"amount":100}`, headerKey, "b"), 200)
}

// While the first runs its repeat is a conflict, and nobody else sees a thing.
func TestKeysOfRunningRefunds(t *testing.T) {
	s := setup(t)
	id := s.paid(9004)
	var first dialecttest.Answered
	done := make(chan struct{})
	go func() {
		defer close(done)
		first = s.refund(id, "", headerKey, "a")
	}()
	dialecttest.Eventually(t, "it runs", func() bool {
		return number(s.API(http.MethodGet, "/v1/payments/"+own(t, id), "").At("reserved")) == 9004
	})
	refuses(t, "while it runs", s.refund(id, "", headerKey, "a"), 409, "__all__ conflict")
	is(t, "while it runs", s.purchase(id), "paid", "all", 9004)
	s.Advance("5s")
	<-done
	if must(t, first, 200).At("type") != "payment" {
		t.Errorf("done: %s", first.Raw)
	}
	if again := s.refund(id, "", headerKey, "a"); again.Raw != first.Raw {
		t.Errorf("done, again: %s", again.Raw)
	}
}

// Once a refund is deferred, a repeat of its key is the purchase as it was
// then, even when the refund has ended.
func TestKeysOfPendingRefunds(t *testing.T) {
	s := setup(t)
	s.Set("chip.refund_sync_timeout", int64(100))
	id := s.paid(9004)
	first := must(t, s.refund(id, "", headerKey, "a"), 200)
	is(t, "deferred", first, "pending_refund", "none", 9004)
	if again := s.refund(id, "", headerKey, "a"); again.Raw != first.Raw {
		t.Errorf("deferred, again: %s", again.Raw)
	}
	s.Advance("5s")
	s.becomes(id, "refunded")
	if again := s.refund(id, "", headerKey, "a"); again.Raw != first.Raw {
		t.Errorf("ended, again: %s", again.Raw)
	}
}

// Capture and charge obey keys too, create does not, unless a switch says so;
// and another lets no call obey them.
func TestKeysOfOtherCalls(t *testing.T) {
	s := setup(t)
	held := s.held()
	captured := must(t, s.act(held, "capture", `{"amount":4000}`, headerKey, "a"), 200)
	must(t, s.refund(held, `{"amount":100}`), 200)
	if again := s.act(held, "capture", `{"amount":4000}`, headerKey, "a"); again.Raw != captured.Raw {
		t.Errorf("captured again: %s", again.Raw)
	}
	refuses(t, "another amount", s.act(held, "capture", "", headerKey, "a"), 409, "__all__ conflict")
	token := s.pay(s.create("force_recurring", "true"))
	id := s.create()
	charged := must(t, s.act(id, "charge", `{"recurring_token":"`+token+`"}`, headerKey, "a"), 200)
	if again := s.act(id, "charge", `{"recurring_token":"`+token+`"}`, headerKey, "a"); again.Raw != charged.Raw {
		t.Errorf("charged again: %s", again.Raw)
	}
	refuses(t, "another token", s.act(id, "charge", `{"recurring_token":"`+id+`"}`, headerKey, "a"), 409, "__all__ conflict")

	first := must(t, s.post("purchases/", s.body(), headerKey, "a"), 201)
	if again := must(t, s.post("purchases/", s.body(), headerKey, "a"), 201); again.At("id") == first.At("id") {
		t.Error("create obeys a key")
	}
	s.Set("chip.idempotency_key", "all")
	first = must(t, s.post("purchases/", s.body(), headerKey, "b"), 201)
	s.pay(text(first.At("id")))
	s.Advance("10s")
	if again := must(t, s.post("purchases/", s.body(), headerKey, "b"), 201); again.Raw != first.Raw {
		t.Errorf("created again: %s", again.Raw)
	}
	refuses(t, "another body", s.post("purchases/", s.body("reference", `"x"`), headerKey, "b"), 409, "__all__ conflict")
	refuses(t, "a bad body", s.post("purchases/", "?", headerKey, "b"), 409, "__all__ conflict")

	s.Set("chip.idempotency_key", "off")
	paid := s.paid(5900)
	for range 2 {
		must(t, s.refund(paid, `{"amount":100}`, headerKey, "a b"), 200)
	}
	is(t, "two refunds", s.purchase(paid), "refunded", "all", 5700)
}

// A key is kept for 30 days, and is of one secret key.
func TestKeysEnd(t *testing.T) {
	s := setup(t)
	id := s.paid(5900)
	first := must(t, s.refund(id, `{"amount":100}`, headerKey, "a"), 200)
	s.Advance("719h")
	if again := s.refund(id, `{"amount":100}`, headerKey, "a"); again.Raw != first.Raw {
		t.Errorf("after 29 days: %s", again.Raw)
	}
	s.Advance("2h")
	second := must(t, s.refund(id, `{"amount":200}`, headerKey, "a"), 200)
	if again := s.refund(id, `{"amount":200}`, headerKey, "a"); again.Raw != second.Raw {
		t.Errorf("the second use: %s", again.Raw)
	}
	key := text(must(t, s.Operate(http.MethodPost, "/v1/keys", `{"kind":"chip_key"}`), 201).At("key"))
	got := s.Call(http.MethodPost, "/api/v1/purchases/"+id+"/refund/", `{"amount":200}`, "Authorization", "Bearer "+key, headerKey, "a")
	if got.Status != 200 || got.At("id") == second.At("id") {
		t.Errorf("another secret key: %s", got)
	}
}
