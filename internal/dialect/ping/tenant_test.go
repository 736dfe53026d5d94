package ping_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

const (
	refundURL = "payment_refund_callback_url"
	here      = "https://merchant.example/a"
	there     = "https://merchant.example/b"
)

// URLs are set by any of their names; what is not named stays, null takes away.
func TestTenantURLs(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		shows := func(what string, want ...any) {
			t.Helper()
			got := w.must("tenant", w.get("tenant"), 200)
			said := fmt.Sprint(got.At("credit_account_top_up_callback_url"), got.At("disbursement_callback_url"),
				got.At("merchant_status_callback_url"), got.At(refundURL))
			if said != fmt.Sprint(want...) {
				t.Errorf("%s: %s, want %s", what, said, fmt.Sprint(want...))
			}
		}
		shows("at first", nil, nil, nil, nil)
		for _, name := range []string{
			refundURL, "payment_refund_status_callback_url", "refund_callback_url", "refund_status_callback_url",
		} {
			w.must("null", w.put("tenant", `{"`+refundURL+`":null}`), 204)
			shows("cleared", nil, nil, nil, nil)
			w.must(name, w.put("tenant", `{"`+name+`":"`+here+`"}`), 204)
			shows(name, nil, nil, nil, here)
		}
		w.must("as C# sends it", w.put("tenant", `{"credit_account_top_up_callback_url":"`+here+`",`+
			`"merchant_status_callback_url":"`+there+`","disbursement_callback_url":null}`), 204)
		shows("others stay", here, nil, there, here)
		w.must("nothing", w.put("tenant", `{}`), 204)
		w.must("an unknown name", w.put("tenant", `{"unmatched_deposit_callback_url":"`+there+`"}`), 204)
		shows("nothing", here, nil, there, here)
		w.must("changed", w.put("tenant", `{"refund_callback_url":"`+there+`","refund_status_callback_url":"`+there+`"}`), 204)
		shows("changed", here, nil, there, there)
		for body, property := range map[string]string{
			`{"refund_callback_url":"` + here + `","refund_status_callback_url":"` + there + `"}`: "refund_status_callback_url",
			`{"refund_callback_url":"` + here + `","refund_status_callback_url":null}`:            "refund_status_callback_url",
			`{"` + refundURL + `":""}`:                             refundURL,
			`{"` + refundURL + `":"merchant.example"}`:             refundURL,
			`{"` + refundURL + `":"https://a:b@merchant.example"}`: refundURL,
		} {
			says(t, body, w.put("tenant", body), 422, "invalid_value", property)
		}
		says(t, "no text", w.put("tenant", `{"disbursement_callback_url":7}`), 422, "invalid_type", "disbursement_callback_url")
		shows("a refusal changes nothing", here, nil, there, there)
		w.Clean()
	})
}

// However many set the URLs at once, there is one endpoint of each kind, and
// null takes it away. All URLs of a call are those of one commit.
func TestTenantURLsAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		endpoints := func() (n int) {
			for _, endpoint := range w.Operate(http.MethodGet, "/v1/endpoints", "").At("endpoints").([]any) {
				if dialecttest.At(endpoint, "door") == "ping" {
					n++
				}
			}
			return n
		}
		urls := func(n int) string {
			return fmt.Sprintf(`{"%s":"%s/%d","disbursement_callback_url":"%s/%d"}`, refundURL, here, n, here, n)
		}
		for round := range 2 {
			var calls []func() dialecttest.Answered
			for n := range 5 {
				calls = append(calls, func() dialecttest.Answered { return w.put("tenant", urls(n)) })
			}
			for _, got := range atOnce(calls...) {
				w.must("put", got, 204)
			}
			got := w.get("tenant")
			if n := endpoints(); n != 2 || got.At(refundURL) == nil || got.At(refundURL) != got.At("disbursement_callback_url") {
				t.Errorf("round %d: %d endpoints, %s", round, n, got)
			}
			w.must("null", w.put("tenant", `{"`+refundURL+`":null,"disbursement_callback_url":null}`), 204)
			if got := w.get("tenant"); endpoints() != 0 || got.At(refundURL) != nil {
				t.Errorf("round %d: %s", round, got)
			}
		}
		w.must("again", w.put("tenant", urls(7)), 204)
		if got := w.get("tenant"); endpoints() != 2 || got.At(refundURL) != here+"/7" {
			t.Errorf("again: %s", got)
		}
	})
}

// Generating a key replaces the one before, at once and everywhere.
func TestSigningKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		says(t, "none yet", w.get("signing_key"), 404, "not_found", "")
		if got := w.get("tenant"); got.At("callback_signing_key") != nil {
			t.Errorf("%s", got)
		}
		var before any
		for range 3 {
			made := w.must("generate", w.post("signing_key/generate", ""), 200).At("public_key")
			key, tenant := w.get("signing_key").At("key"), w.get("tenant").At("callback_signing_key")
			if made == before || made != key || made != tenant {
				t.Errorf("made %v, key %v, tenant %v", made, key, tenant)
			}
			before = made
		}
		valid := 0
		for _, key := range w.Operate(http.MethodGet, "/v1/keys", "").At("keys").([]any) {
			if dialecttest.At(key, "kind") == "ping_signing_key" && dialecttest.At(key, "revoked_at") == nil {
				valid++
			}
		}
		if valid != 1 {
			t.Errorf("%d keys are valid", valid)
		}
	})
}

// A poke is sent once, signed, whatever it is answered.
func TestPoke(t *testing.T) {
	w := start(t)
	public := w.must("generate", w.post("signing_key/generate", ""), 200).At("public_key").(string)
	w.Receiver.Answer(func(dialecttest.Webhook) int { return http.StatusInternalServerError })
	w.must("poke", w.post("poke", `{"callback_url":"`+w.Receiver.URL+`/poke"}`), 200)
	came := w.Receiver.Await(t, "/poke", 1, "a poke", func(came dialecttest.Webhook) bool { return came.At("type") == "poke" })
	if !verifies(t, public, []byte(came.Raw), came.Header.Get("signature")) {
		t.Errorf("%v %s", came.Header, came.Raw)
	}
	w.Advance("48h")
	w.must("another", w.post("poke", `{"callback_url":"`+w.Receiver.URL+`/another"}`), 200)
	w.Receiver.Await(t, "/another", 1, "another poke", func(dialecttest.Webhook) bool { return true })
	if n := len(w.Receiver.List("/poke")); n != 1 {
		t.Errorf("it came %d times", n)
	}
	for body, code := range map[string]string{
		`{}`: "missing_value", `{"callback_url":null}`: "null_value", `{"callback_url":1}`: "invalid_type",
		`{"callback_url":"x"}`: "invalid_value",
	} {
		says(t, body, w.post("poke", body), 422, code, "callback_url")
	}
}
