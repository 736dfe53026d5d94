package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func refundOf(of string, minor int64) string {
	return fmt.Sprintf(`{"payment": %q, "amount": %d, "currency": "EUR"}`, of, minor)
}

// later is a time at which no test will be.
func later(w *world) string { return w.now().Add(300 * 24 * time.Hour).UTC().Format(time.RFC3339) }

// with adds members to an object.
func with(body, members string) string { return strings.TrimSuffix(body, "}") + ", " + members + "}" }

// A refund does what its preview has said, to the cent and the line.
func TestPreviewIsWhatTheRefundDoes(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.set(t, `{"policy.approval_above": 3000, "policy.approvers": 2}`)
		for _, members := range []string{
			`"amount": 2501, "currency": "EUR"`, `"items": [{"position": 1, "quantity": 1}]`, `"full": true`,
		} {
			body := `{"payment": "` + makePayment(t, w) + `", "not_before": "` + later(w) + `", ` + members + `}`
			previewed := w.call(t, "POST", "/v1/refunds/preview", body).want(t, 200)
			token := previewed.string(t, "preview_token")
			opened := w.call(t, "POST", "/v1/refunds", with(body, `"preview_token": "`+token+`"`)).want(t, 201)
			refunds, _ := previewed.body["refunds"].([]any)
			if len(refunds) != 1 {
				t.Fatalf("%d refunds in %s", len(refunds), previewed.text)
			}
			promised, _ := refunds[0].(map[string]any)
			for _, name := range []string{"amount", "status", "items"} {
				if diff := cmp.Diff(promised[name], opened.body[name]); diff != "" {
					t.Errorf("%s: %s (-preview +refund):\n%s", members, name, diff)
				}
			}
			needed := opened.body["approvals_needed"]
			if needed == nil {
				needed = "0"
			}
			if fmt.Sprint(previewed.body["approvals_needed"]) != fmt.Sprint(needed) {
				t.Errorf("%s: %v approvals were previewed, %v are needed", members, previewed.body["approvals_needed"], needed)
			}
			if previewed.string(t, "not_before") != opened.string(t, "not_before") {
				t.Errorf("%s: it begins at another time", members)
			}
		}
	})
}

// What was previewed and is no longer so is refused, and does nothing.
func TestOutdatedPreviewsAreRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.capture(t, "1000")
		body := `{"payment": "` + of + `", "full": true, "not_before": "` + later(w) + `"}`
		token := w.call(t, "POST", "/v1/refunds/preview", body).want(t, 200).string(t, "preview_token")
		bound := with(body, `"preview_token": "`+token+`"`)
		w.call(t, "POST", "/v1/refunds", refundOf(of, 1)).want(t, 201)
		got := w.call(t, "POST", "/v1/refunds", bound).wantCode(t, 409, "preview_outdated")
		if got.number(t, "refundable") != 999 || strings.Contains(got.text, token) {
			t.Errorf("got %s", got.text)
		}
		if left := w.call(t, "GET", "/v1/payments/"+of, "").number(t, "refundable"); left != 999 {
			t.Errorf("%d are left, want 999", left)
		}
		asked := w.call(t, "POST", "/v1/refunds/preview", bound).want(t, 200)
		if asked.body["is_allowed"] != false || asked.body["preview_token"] != nil ||
			!strings.Contains(asked.text, `"refusal":{"code":"preview_outdated"`) {
			t.Errorf("got %s", asked.text)
		}
	})
}

// A preview changes nothing, names the rule that says no, and says what would be left.
func TestPreviewDoesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.capture(t, "1000")
		before := w.call(t, "GET", "/v1/payments/"+of, "").want(t, 200)
		got := w.call(t, "POST", "/v1/refunds/preview", refundOf(of, 1001), "Idempotency-Key: k").want(t, 200)
		if !strings.Contains(got.text, `"is_allowed":false,"refusal":{"code":"refundable_amount_exceeded","detail":"only 10.00 EUR`) {
			t.Errorf("got %s", got.text)
		}
		if left := w.call(t, "POST", "/v1/refunds/preview", refundOf(of, 400), "Idempotency-Key: k").number(t, "refundable"); left != 600 {
			t.Errorf("%d would be left, want 600", left)
		}
		after := w.call(t, "GET", "/v1/payments/"+of, "").want(t, 200)
		if diff := cmp.Diff(before.text, after.text); diff != "" {
			t.Errorf("a preview has changed the payment:\n%s", diff)
		}
		w.call(t, "POST", "/v1/refunds", refundOf(of, 1), "Idempotency-Key: k").want(t, 201) // it was not used up
	})
}

// An equal refund a moment later is a mistake, unless it is said to be none.
func TestEqualRefundsAreMistakesUnlessAllowed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.set(t, `{"policy.duplicate_minutes": 5}`)
		of := w.capture(t, "1000")
		w.call(t, "POST", "/v1/refunds", refundOf(of, 100)).want(t, 201)
		w.call(t, "POST", "/v1/refunds", refundOf(of, 100)).wantCode(t, 409, "duplicate_refund")
		refused := w.call(t, "POST", "/v1/refunds/preview", refundOf(of, 100)).want(t, 200)
		if refused.body["is_allowed"] != false {
			t.Errorf("the preview takes it for none: %s", refused.text)
		}
		w.call(t, "POST", "/v1/refunds", with(refundOf(of, 100), `"allow_duplicate": false`)).wantCode(t, 409, "duplicate_refund")
		w.call(t, "POST", "/v1/refunds", with(refundOf(of, 100), `"allow_duplicate": true`)).want(t, 201)
		if got := w.call(t, "POST", "/v1/refunds/preview", refundOf(of, 100), "Idempotency-Key: own"); got.body["is_allowed"] != true {
			t.Errorf("with a key of its own it is no mistake: %s", got.text)
		}
		w.call(t, "POST", "/v1/refunds", refundOf(of, 100), "Idempotency-Key: own").want(t, 201)
	})
}

// A key does not become another person's by naming one: who has asked cannot
// approve, and what a person does is counted whichever key is used.
func TestUsersAreKnownAcrossKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.set(t, `{"policy.approval_above": 500, "policy.daily_count_user": 2}`)
		of, other := w.capture(t, "5000"), "Authorization: Bearer "+w.keyWith(t, "refunds:write", "refunds:approve")
		big := w.call(t, "POST", "/v1/refunds", refundOf(of, 600), "Refundry-User: anna").want(t, 201)
		if big.string(t, "user") != "anna" {
			t.Errorf("nobody asked: %s", big.text)
		}
		approve := "/v1/refunds/" + big.string(t, "id") + "/approve"
		send(t, w.server, "POST", approve, "", other, "Refundry-User: anna").wantCode(t, 403, "self_approval")
		w.call(t, "POST", approve, "", "Refundry-User: ben").wantCode(t, 403, "self_approval")
		approved := send(t, w.server, "POST", approve, "", other, "Refundry-User: ben").want(t, 200)
		if !strings.Contains(approved.text, `"user":"ben"`) {
			t.Errorf("nobody approved: %s", approved.text)
		}
		send(t, w.server, "POST", "/v1/refunds", refundOf(of, 1), other, "Refundry-User: anna").want(t, 201)
		w.call(t, "POST", "/v1/refunds", refundOf(of, 2), "Refundry-User: anna").wantCode(t, 403, "velocity_exceeded")
		w.call(t, "POST", "/v1/refunds", refundOf(of, 2), "Refundry-User: ben").want(t, 201)
	})
}

func TestUsersAreVisibleCharacters(t *testing.T) {
	t.Parallel()
	w := setup(t)
	body := refundOf(w.capture(t, "100"), 1)
	for _, bad := range []string{"", "a b", "é", strings.Repeat("u", 256)} {
		got := w.call(t, "POST", "/v1/refunds", body, "Refundry-User: "+bad).wantCode(t, 422, "invalid_request")
		if bad != "" && strings.Contains(got.text, bad) {
			t.Errorf("it is repeated: %s", got.text)
		}
	}
	w.call(t, "POST", "/v1/refunds", body, "Refundry-User: 4242424242424242").wantCode(t, 422, "card_number_refused")
	w.call(t, "POST", "/v1/refunds", body, "Refundry-User: a", "Refundry-User: b").wantCode(t, 422, "invalid_request")
	w.call(t, "POST", "/v1/refunds", body, "Refundry-User: "+strings.Repeat("u", 255)).want(t, 201)
}
