package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// A key is the same with quotes and without, and a repeat is the first answer
// to the byte, marked as such, however things have moved on.
func TestKeysAreOneIntention(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.capture(t, "1000")
		body := refundOf(of, 100)
		first := w.call(t, "POST", "/v1/refunds", body, "Idempotency-Key: k-1").want(t, 201)
		if first.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("the first answer is a replay")
		}
		path := "/v1/refunds/" + first.string(t, "id")
		eventually(t, "it has succeeded", func() bool { return w.call(t, "GET", path, "").body["status"] == "succeeded" })
		for _, spelling := range []string{"k-1", `"k-1"`} {
			again := w.call(t, "POST", "/v1/refunds", body, "Idempotency-Key: "+spelling).want(t, 201)
			if again.text != first.text || again.header.Get("Idempotent-Replayed") != "true" ||
				again.header.Get("Location") != first.header.Get("Location") {
				t.Errorf("%s: got %s %v, at first %s", spelling, again.text, again.header, first.text)
			}
		}
		if left := w.call(t, "GET", "/v1/payments/"+of, "").number(t, "refundable"); left != 900 {
			t.Errorf("%d are left", left)
		}
		send(t, w.server, "POST", "/v1/refunds", body, "Idempotency-Key: k-1", "Authorization: Bearer "+w.stranger).
			wantCode(t, 404, "not_found") // another tenant's key is another
	})
}

// A key that is used for something else is refused, and the refusal names what
// it was used for, and both requests by their fingerprints. A refused request
// leaves its key free.
func TestKeysOfAnotherRequestAreRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.capture(t, "1000")
		w.call(t, "POST", "/v1/refunds", refundOf(of, 5000), "Idempotency-Key: k").want(t, 409)
		first := w.call(t, "POST", "/v1/refunds", refundOf(of, 100), "Idempotency-Key: k").want(t, 201)
		used := func(body string) (map[string]any, string) {
			got := w.call(t, "POST", "/v1/refunds", body, `Idempotency-Key: "k"`).wantCode(t, 422, "idempotency_key_reused")
			member, _ := got.body["key_used"].(map[string]any)
			return member, got.text
		}
		got, text := used(refundOf(of, 200))
		if got["refund"] != first.string(t, "id") || got["payment"] != of || got["at"] == nil ||
			got["fingerprint"] == got["first_fingerprint"] {
			t.Errorf("got %s", text)
		}
		other, _ := used(refundOf(w.capture(t, "1000"), 100))
		same, _ := used(refundOf(of, 200))
		if same["fingerprint"] != got["fingerprint"] || other["fingerprint"] == got["fingerprint"] ||
			other["first_fingerprint"] != got["first_fingerprint"] || other["payment"] != of {
			t.Errorf("got %v, %v and %v", got, same, other)
		}
		previewed := w.call(t, "POST", "/v1/refunds/preview", refundOf(of, 200), "Idempotency-Key: k").want(t, 200)
		if member, _ := previewed.body["key_used"].(map[string]any); member["refund"] != got["refund"] || member["at"] != got["at"] {
			t.Errorf("previewed %s", previewed.text)
		}
		batch := w.call(t, "POST", "/v1/batches", `{}`, "Idempotency-Key: k").wantCode(t, 422, "idempotency_key_reused")
		if member, _ := batch.body["key_used"].(map[string]any); member["refund"] != got["refund"] ||
			member["first_fingerprint"] != got["first_fingerprint"] || member["fingerprint"] == got["first_fingerprint"] ||
			strings.Trim(fmt.Sprint(member["fingerprint"]), "0") == "" {
			t.Errorf("a batch: %s", batch.text)
		}
		made := w.call(t, "POST", "/v1/payments", `{"amount": 1, "currency": "EUR"}`, "Idempotency-Key: p").want(t, 201)
		crossed := w.call(t, "POST", "/v1/refunds", refundOf(of, 1), "Idempotency-Key: p").wantCode(t, 422, "idempotency_key_reused")
		if member, _ := crossed.body["key_used"].(map[string]any); member["payment"] != made.string(t, "id") || member["refund"] != nil {
			t.Errorf("got %s", crossed.text)
		}
	})
}

// Of many who send one key at once, one is answered first and the others with
// the same once more: there is one refund.
func TestKeysAtOnceAreOneRefund(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.capture(t, "1000")
		var mutex sync.Mutex
		texts, firsts := map[string]bool{}, 0
		var wait sync.WaitGroup
		for i := range 16 {
			wait.Go(func() {
				key := "Idempotency-Key: at once"
				if i%2 == 0 {
					key = `Idempotency-Key: "at once"`
				}
				got := w.call(t, "POST", "/v1/refunds", refundOf(of, 100), strings.ReplaceAll(key, "at once", "at-once"))
				mutex.Lock()
				defer mutex.Unlock()
				if got.status != http.StatusCreated {
					t.Errorf("got %d %s", got.status, got.text)
				}
				texts[got.text] = true
				if got.header.Get("Idempotent-Replayed") == "" {
					firsts++
				}
			})
		}
		wait.Wait()
		if len(texts) != 1 || firsts != 1 {
			t.Errorf("%d answers, %d of them the first", len(texts), firsts)
		}
	})
}

// A preview with a key that was used says what the key stands for.
func TestPreviewsKnowUsedKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.capture(t, "1000")
		body := refundOf(of, 100)
		preview := func(body, key string) answer {
			return w.call(t, "POST", "/v1/refunds/preview", body, "Idempotency-Key: "+key).want(t, 200)
		}
		if fresh := preview(body, "k"); fresh.body["replays"] != nil || fresh.body["preview_token"] == nil {
			t.Errorf("of a fresh key: %s", fresh.text)
		}
		first := w.call(t, "POST", "/v1/refunds", body, "Idempotency-Key: k").want(t, 201)
		w.call(t, "POST", "/v1/refunds", refundOf(of, 850)).want(t, 201) // now as much could not be refunded once more
		again := preview(body, `"k"`)
		if again.body["is_allowed"] != true || again.body["replays"] != first.string(t, "id") || again.body["preview_token"] != nil ||
			again.number(t, "amount") != 100 || again.number(t, "refundable") != 50 {
			t.Errorf("of a used key: %s", again.text)
		}
		misused := preview(refundOf(of, 10), "k")
		if misused.body["is_allowed"] != false || misused.body["replays"] != nil || misused.body["preview_token"] != nil ||
			!strings.Contains(misused.text, `"refusal":{"code":"idempotency_key_reused"`) {
			t.Errorf("of a misused key: %s", misused.text)
		}
		for range 2 { // a preview uses nothing up
			replay := w.call(t, "POST", "/v1/refunds", body, "Idempotency-Key: k").want(t, 201)
			if replay.text != first.text {
				t.Errorf("the replay is %s", replay.text)
			}
		}
		if got := preview(body, "other"); got.body["is_allowed"] != false {
			t.Errorf("of another key: %s", got.text)
		}
		send(t, w.server, "POST", "/v1/refunds/preview", fmt.Sprintf(`{"payment": %q, "full": true}`, of), "Idempotency-Key: k",
			"Authorization: Bearer "+w.stranger).wantCode(t, 404, "not_found")
	})
}
