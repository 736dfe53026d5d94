package chip_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/wire"
)

// isSigned reports whether a webhook's signature is of its raw body, by the
// published rule and not by ours.
func isSigned(t *testing.T, publicKey string, h dialecttest.Webhook) bool {
	t.Helper()
	key, err := wire.ParseRSAPublicKey([]byte(publicKey))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(h.Header.Get("X-Signature"))
	sum := sha256.Sum256([]byte(h.Raw))
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
}

// The vectors of the specification verify, or do not.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	vectors := example(t, "signature-vectors")
	key := text(dialecttest.At(vectors, "public_key_pem"))
	all, _ := dialecttest.At(vectors, "vectors").([]any)
	if len(all) != 8 {
		t.Fatalf("%d vectors", len(all))
	}
	public, err := wire.ParseRSAPublicKey([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	for _, vector := range all {
		body := text(dialecttest.At(vector, "body"))
		h := dialecttest.Webhook{Header: http.Header{}, Raw: body}
		h.Header.Set("X-Signature", text(dialecttest.At(vector, "signature")))
		want := dialecttest.At(vector, "valid")
		if isSigned(t, key, h) != want || wire.VerifyRSA(public, []byte(body), h.Header.Get("X-Signature")) != want {
			t.Errorf("%s: want %v", dialecttest.At(vector, "name"), want)
		}
	}
}

// Each webhook has a key pair of its own, which signs what it is told, over
// the raw bytes; the provider writes spaces in it. One that an operator made,
// and a success_callback, are signed by the company's key.
func TestSignatures(t *testing.T) {
	s := setup(t)
	first, second := s.hook("/first"), s.hook("/second")
	company := text(must(t, s.get("public_key/"), 200).Body)
	if first == second || first == company || company != text(must(t, s.get("public_key/"), 200).Body) {
		t.Error("the keys are not each their own")
	}
	s.Tell("chip")
	id := s.paid(5900, "success_callback", `"`+s.Receiver.URL+`/callback"`, "purchase.notes", `"a <b> & \"c\", d: é"`)
	keys := map[string]string{"/chip": company, "/callback": company}
	hooks, _ := must(t, s.get("webhooks/"), 200).At("results").([]any)
	for _, hook := range hooks {
		keys[text(dialecttest.At(hook, "title"))] = text(dialecttest.At(hook, "public_key"))
	}
	for path, key := range keys {
		told := s.told(path, "purchase.paid", 1)
		if !isSigned(t, key, told) {
			t.Errorf("%s: the signature does not verify", path)
		}
		told.Raw += " "
		if isSigned(t, key, told) {
			t.Errorf("%s: another body verifies", path)
		}
		if told.Header.Get("Content-Type") != "application/json" || !strings.Contains(told.Raw, `"type": "purchase", "id": "`+id+`", `) ||
			!strings.Contains(told.Raw, `"notes": "a <b> & \"c\", d: é"`) {
			t.Errorf("%s: %v %s", path, told.Header, told.Raw)
		}
	}
	if len(keys) != 4 {
		t.Errorf("keys: %d", len(keys))
	}
}

// A webhook is told what it asks for, and nothing else.
func TestWebhooksAskForEvents(t *testing.T) {
	s := setup(t)
	s.hook("/some", "payment.refunded", "purchase.hold", "purchase.viewed")
	s.hook("/all")
	s.hook("/refunds", "purchase.refund_failure")
	id := s.pay(s.create("skip_capture", "true", "success_callback", `"`+s.Receiver.URL+`/callback"`))
	must(t, s.act(id, "capture", ""), 200)
	must(t, s.refund(id, `{"amount":100}`), 200)
	if told := s.told("/some", "payment.refunded", 1); !strings.HasPrefix(told.Raw, `{"type": "payment", "id": "`) {
		t.Errorf("a Payment has spaces too: %s", told.Raw)
	}
	s.told("/all", "payment.refunded", 1)
	s.told("/callback", "purchase.captured", 1)
	if got := s.events("/some"); got != "purchase.hold payment.refunded" {
		t.Errorf("some: %s", got)
	}
	if got := s.events("/all"); got != "purchase.created purchase.hold purchase.captured purchase.paid payment.refunded" &&
		got != "purchase.created purchase.hold purchase.paid purchase.captured payment.refunded" {
		t.Errorf("all: %s", got)
	}
	if got := s.events("/refunds"); got != "" {
		t.Errorf("refunds: %s", got)
	}
	must(t, s.refund(id, ""), 200)
	s.told("/all", "payment.refunded", 2)
	if got := s.events("/callback"); got != "purchase.captured" {
		t.Errorf("callback: %s", got)
	}
}

// Webhooks are made, listed, changed and ended.
func TestWebhookResource(t *testing.T) {
	s := setup(t)
	made := must(t, s.post("webhooks/", `{"title":"a","callback":"`+s.Receiver.URL+`/a","all_events":true,"events":["purchase.paid"]}`), 201)
	path := "webhooks/" + text(made.At("id")) + "/"
	if made.At("all_events") != true || text(made.At("events")) != "[]" || made.At("type") != "webhook" {
		t.Errorf("made: %s", made.Raw)
	}
	if got := must(t, s.get(path), 200); got.Raw != made.Raw {
		t.Errorf("read: %s", got.Raw)
	}
	patched := must(t, s.call("PATCH", path, `{"title":"b"}`), 200)
	if patched.At("title") != "b" || patched.At("all_events") != true || patched.At("public_key") != made.At("public_key") {
		t.Errorf("patched: %s", patched.Raw)
	}
	refuses(t, "no events left", s.call("PATCH", path, `{"all_events":false}`), 400, "events required")
	patched = must(t, s.call("PATCH", path, `{"all_events":false,"events":["payment.refunded","payment.refunded"]}`), 200)
	if text(patched.At("events")) != "[payment.refunded]" || patched.At("callback") != made.At("callback") {
		t.Errorf("patched: %s", patched.Raw)
	}
	refuses(t, "put in part", s.call("PUT", path, `{"title":"c"}`), 400, "callback required")
	put := must(t, s.call("PUT", path, `{"title":"c","callback":"`+s.Receiver.URL+`/c","events":["purchase.paid"]}`), 200)
	if put.At("title") != "c" || put.At("all_events") != false || put.At("created_on") != made.At("created_on") {
		t.Errorf("put: %s", put.Raw)
	}
	s.paid(500)
	if told := s.told("/c", "purchase.paid", 1); !isSigned(t, text(made.At("public_key")), told) {
		t.Error("the key has changed")
	}
	if got := must(t, s.call("DELETE", path, ""), 204); got.Raw != "" {
		t.Errorf("deleted: %q", got.Raw)
	}
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
		refuses(t, method+" what is gone", s.call(method, path, "{}"), 404, "__all__ not_found")
	}
	if got := must(t, s.get("webhooks/"), 200); got.Raw != `{"results":[],"next":null,"previous":null}` {
		t.Errorf("listed: %s", got.Raw)
	}
}

func TestBadWebhooks(t *testing.T) {
	s := setup(t)
	for body, code := range map[string]string{
		`{"callback":"https://shop.example/","all_events":true}`:                                             "title required",
		`{"title":null,"callback":"https://shop.example/","all_events":true}`:                                "title null",
		`{"title":"","callback":"https://shop.example/","all_events":true}`:                                  "title min_length",
		`{"title":"` + strings.Repeat("a", 101) + `","callback":"https://shop.example/","all_events":true}`:  "title max_length",
		`{"title":"a","all_events":true}`:                                                                    "callback required",
		`{"title":"a","callback":"shop.example","all_events":true}`:                                          "callback invalid",
		`{"title":"a","callback":"ftp://shop.example/","all_events":true}`:                                   "callback invalid",
		`{"title":"a","callback":"https://u:p@shop.example/","all_events":true}`:                             "callback invalid",
		`{"title":"a","callback":"https://shop.example/` + strings.Repeat("a", 500) + `","all_events":true}`: "callback max_length",
		`{"title":"a","callback":"https://shop.example/4444333322221111","all_events":true}`:                 "callback invalid",
		`{"title":"a","callback":"https://shop.example/"}`:                                                   "events required",
		`{"title":"a","callback":"https://shop.example/","events":[]}`:                                       "events required",
		`{"title":"a","callback":"https://shop.example/","events":["purchase.refunded"]}`:                    "events invalid_choice",
		`{"title":"a","callback":"https://shop.example/","events":"payment.refunded"}`:                       "events invalid",
		`{"title":"a","callback":"https://shop.example/","all_events":"yes","events":["payment.refunded"]}`:  "all_events invalid",
		`[7]`: "__all__ parse_error",
		`{`:   "__all__ parse_error",
	} {
		refuses(t, body[:min(len(body), 80)], s.post("webhooks/", body), 400, code)
	}
}

// A delivery is made at minute 0, 2, 8, 26, 80, 242, 728 and 2186, with the
// same bytes, and a later event of the purchase waits for it; then it is given up.
func TestDeliverySchedule(t *testing.T) {
	s := setup(t)
	key := s.hook("/hook", "payment.refunded")
	s.Receiver.Answer(func(h dialecttest.Webhook) int {
		if number(h.At("payment.amount")) == 100 {
			return http.StatusInternalServerError
		}
		return http.StatusNoContent
	})
	id := s.paid(5900)
	must(t, s.refund(id, `{"amount":100}`), 200)
	arrived := func(n int) {
		t.Helper()
		dialecttest.Eventually(t, fmt.Sprint(n, " attempts"), func() bool { return len(s.Receiver.List("/hook")) == n })
	}
	arrived(1)
	must(t, s.refund(id, `{"amount":200}`), 200)
	last := 0
	for n, minute := range []int{2, 8, 26, 80, 242, 728, 2186} {
		s.Advance(fmt.Sprintf("%dm", minute-last-1))
		if got := len(s.Receiver.List("/hook")); got != n+1 {
			t.Errorf("before minute %d: %d attempts", minute, got)
		}
		s.Advance("1m1s")
		last = minute
		want := n + 2
		if minute == 2186 {
			want++ // the next event goes on
		}
		arrived(want)
	}
	all := s.Receiver.List("/hook")
	for n, h := range all[:8] {
		if h.Raw != all[0].Raw || h.Header.Get("X-Signature") != all[0].Header.Get("X-Signature") || !isSigned(t, key, h) {
			t.Errorf("attempt %d differs: %s", n+1, h.Raw)
		}
	}
	if number(all[8].At("payment.amount")) != 200 {
		t.Errorf("the next: %s", all[8].Raw)
	}
	s.Advance("72h")
	if got := len(s.Receiver.List("/hook")); got != 9 {
		t.Errorf("%d attempts in the end", got)
	}
}

// Any 2xx acknowledges; a redirect does not, and is not followed. A tenant may
// have a schedule of its own.
func TestAcknowledgement(t *testing.T) {
	s := setup(t)
	s.Set("chip.webhook_schedule", []string{"0s", "10s", "20s", "30s"})
	s.hook("/hook", "purchase.paid")
	answers := []int{302, 404, 299}
	s.Receiver.Answer(func(dialecttest.Webhook) int {
		next := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		return next
	})
	s.paid(5900)
	for n := range 3 {
		dialecttest.Eventually(t, fmt.Sprint("attempt ", n+1), func() bool { return len(s.Receiver.List("/hook")) == n+1 })
		s.Advance("11s")
	}
	s.Advance("1h")
	if got := len(s.Receiver.List("")); got != 3 {
		t.Errorf("%d attempts", got)
	}
}

// A webhook shows its object as it was when the event happened, however late
// it arrives.
func TestWebhooksAreSnapshots(t *testing.T) {
	s := setup(t)
	s.hook("/hook")
	s.Receiver.Answer(func(dialecttest.Webhook) int { return http.StatusServiceUnavailable })
	id := s.create()
	dialecttest.Eventually(t, "the first attempt", func() bool { return len(s.Receiver.List("/hook")) == 1 })
	s.pay(id)
	must(t, s.refund(id, `{"amount":900}`), 200)
	must(t, s.refund(id, ""), 200)
	s.Receiver.Answer(func(dialecttest.Webhook) int { return http.StatusOK })
	s.Advance("3m")
	s.told("/hook", "payment.refunded", 2)
	paid := s.told("/hook", "purchase.paid", 1)
	if paid.At("status") != "paid" || number(paid.At("refundable_amount")) != 5900 || steps(dialecttest.Answered{Body: paid.Body}) != "created paid" {
		t.Errorf("told late: %s", paid.Raw)
	}
	created := s.told("/hook", "purchase.created", 1)
	if created.At("status") != "created" || created.At("payment") != nil || created.At("transaction_data.payment_method") != "" {
		t.Errorf("told late: %s", created.Raw)
	}
	if got := s.events("/hook"); got != "purchase.created purchase.created purchase.paid payment.refunded payment.refunded" {
		t.Errorf("told: %s", got)
	}
}

// No member is of a wrong type anywhere: numbers are whole, and nothing is
// null that must not be.
func TestTypes(t *testing.T) {
	s := setup(t)
	s.hook("/hook")
	id := s.paid(5900)
	must(t, s.refund(id, `{"amount":100}`), 200)
	s.told("/hook", "payment.refunded", 1)
	foreign := uuidOf(t, must(t, s.API(http.MethodPost, "/v1/payments", `{"amount":5900,"currency":"MYR"}`), 201))
	bodies := []any{s.purchase(s.create()).Body, s.purchase(id).Body, s.purchase(foreign).Body}
	for _, told := range s.Receiver.List("/hook") {
		bodies = append(bodies, told.Body)
	}
	for _, body := range bodies {
		name := "purchase-paid"
		if dialecttest.At(body, "type") == "payment" {
			name = "refund-response-partial"
		}
		for _, problem := range wrongTypes(example(t, name), body, "") {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

// nullable has the members that an example has a value of, and others do not.
var nullable = map[string]bool{"payment": true, "viewed_on": true}

// wrongTypes lists the members of an example that a body does not have, or of
// another type.
func wrongTypes(want, got any, at string) []string {
	var found []string
	for name, member := range want.(map[string]any) {
		value, is := got.(map[string]any)[name]
		_, isObject := member.(map[string]any)
		switch {
		case !is:
			found = append(found, at+name+" is absent")
		case member == nil || value == nil && nullable[at+name], name == "extra":
		case fmt.Sprintf("%T", member) != fmt.Sprintf("%T", value):
			found = append(found, fmt.Sprintf("%s%s is %T", at, name, value))
		case isObject:
			found = append(found, wrongTypes(member, value, at+name+".")...)
		}
		if n, ok := value.(json.Number); ok && !isWhole(n) {
			found = append(found, at+name+" is not whole")
		}
	}
	return found
}
