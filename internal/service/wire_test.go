package service_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// example returns an example body of the wire specification.
func example(t *testing.T, brand, name string) (raw string, body object) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "examples", brand, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatal(err)
	}
	return string(text), body
}

// varies says which texts of an example are of its own time and ids.
var varies = regexp.MustCompile(`^(ps|pm|rf)_\d+$|^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`)

// like fails the test if an answer has not the form of an example: the same
// members everywhere, the same types, the same values but for ids, times and
// what the outside world calls things.
func like(t *testing.T, where string, got, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		given, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s is %v, not an object", where, got)
			return
		}
		for name := range given {
			if _, known := want[name]; !known {
				t.Errorf("%s has %s, which the example has not", where, name)
			}
		}
		for name := range want {
			if given[name] == nil {
				t.Errorf("%s has no %s", where, name)
				continue
			}
			like(t, where+"."+name, given[name], want[name])
		}
	case []any:
		given, ok := got.([]any)
		if !ok || len(given) != len(want) {
			t.Errorf("%s is %v, want %d elements", where, got, len(want))
			return
		}
		for i := range want {
			like(t, fmt.Sprintf("%s.%d", where, i), given[i], want[i])
		}
	case string:
		given, ok := got.(string)
		freely := regexp.MustCompile(`transaction_info|redirect`).MatchString(where)
		if !ok || !freely && varies.MatchString(want) != varies.MatchString(given) ||
			!freely && !varies.MatchString(want) && given != want {
			t.Errorf("%s is %v, want %q", where, got, want)
		}
	default:
		if got != want {
			t.Errorf("%s is %v, want %v", where, got, want)
		}
	}
}

// lastWebhook waits for the n-th webhook of a type at a brand's endpoint.
func (w *world) lastWebhook(brand, kind string, n int) webhook {
	w.t.Helper()
	var found webhook
	eventually(w.t, kind+" comes", func() bool {
		count := 0
		for _, came := range w.receiver.list("/" + brand) {
			if came.body["type"] == kind {
				if count++; count == n {
					found = came
					return true
				}
			}
		}
		return false
	})
	if !verifies(w.t, w.project(brand).ProviderPublicKeyFile, found.raw, found.header.Get("X-Partner-Sign")) {
		w.t.Errorf("the signature of %s is not the provider's", kind)
	}
	return found
}

// withSession puts a session's id into an example.
func withSession(text string, session any) string {
	return strings.ReplaceAll(text, "ps_3230", fmt.Sprint(session))
}

// Every request of the examples gets the answer of the examples, and the
// webhooks of the examples arrive, at both brands.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, brand := range []string{"smartglocal", "pike"} {
		t.Run(brand, func(t *testing.T) {
			onBoth(t, func(t *testing.T, database string) {
				w := start(t, database)
				w.playExamples(brand)
				if brand == "smartglocal" {
					w.playGates()
				}
				w.clean()
			})
		})
	}
}

func (w *world) playExamples(brand string) {
	t := w.t
	request, _ := example(t, brand, "session-init-payment-request")
	_, wanted := example(t, brand, "session-init-payment-response")
	status, answer := w.signed(brand, "session/init/payment", request)
	if status != http.StatusOK {
		t.Fatalf("init: %d %v", status, answer)
	}
	like(t, "init", answer, wanted)
	session := at(answer, "session.id")
	finished := w.lastWebhook(brand, "payment_finished", 1)
	if brand == "smartglocal" {
		_, wanted = example(t, brand, "webhook-payment-finished")
		like(t, "payment_finished", finished.body, wanted)
	}
	ask, _ := example(t, brand, "session-status-request")
	_, answer = w.signed(brand, "session/status", withSession(ask, session))
	_, wanted = example(t, brand, "session-status-response-paid")
	like(t, "status", answer, wanted)

	w.set(brand+".partial_refunds_enabled", true)
	if brand == "smartglocal" {
		part, _ := example(t, brand, "refund-request-partial")
		_, answer = w.signed(brand, "session/refund", withSession(part, session))
		_, wanted = example(t, brand, "refund-response-partial")
		like(t, "partial refund", answer, wanted)
		w.lastWebhook(brand, "payment_refunded", 1)
		_, answer = w.signed(brand, "session/status", withSession(ask, session))
		_, wanted = example(t, brand, "session-status-response-refunded")
		if at(answer, "session.acquiring_payments.0.refunds.0.status") != "accepted" ||
			at(wanted, "session.acquiring_payments.0.refunds.0.status") != "accepted" {
			t.Errorf("after a refund: %v", answer)
		}
	}
	w.playFull(brand, request)
	w.playV2(brand, request)
	w.playChargeback(brand, request)
}

// paid makes a payment that is paid, and returns its session.
func (w *world) paid(brand, request string) string {
	w.t.Helper()
	_, answer := w.signed(brand, "session/init/payment", request)
	session := fmt.Sprint(at(answer, "session.id"))
	eventually(w.t, "it is paid", func() bool {
		_, now := w.signed(brand, "session/status", `{"session_id":"`+session+`"}`)
		return at(now, "session.status") == "accepted"
	})
	return session
}

// refundTold waits for the webhook that tells of a session's refund.
func (w *world) refundTold(brand, session string) webhook {
	w.t.Helper()
	var found webhook
	eventually(w.t, "the refund of "+session+" is told", func() bool {
		for _, came := range w.receiver.list("/" + brand) {
			if came.body["type"] == "payment_refunded" && at(came.body, "session.id") == session {
				found = came
				return true
			}
		}
		return false
	})
	return found
}

func (w *world) playFull(brand, request string) {
	session := w.paid(brand, request)
	full, _ := example(w.t, brand, "refund-request-full")
	_, answer := w.signed(brand, "session/refund", withSession(full, session))
	_, wanted := example(w.t, brand, "refund-response")
	like(w.t, "full refund", answer, wanted)
	_, wanted = example(w.t, brand, "webhook-payment-refunded")
	like(w.t, "payment_refunded", w.refundTold(brand, session).body, wanted)
}

func (w *world) playV2(brand, request string) {
	project := w.project(brand)
	call := func(method, body string) object {
		_, answer := w.post("/api/v2/"+method, body, "X-PARTNER-PROJECT", project.Project,
			"X-PARTNER-SIGN", sign(w.t, project.PrivateKeyFile, body))
		return answer
	}
	session := fmt.Sprint(at(call("session/init/payment", request), "session.id"))
	eventually(w.t, "it is paid", func() bool {
		return at(call("session/status", `{"session_id":"`+session+`"}`), "session.status") == "accepted"
	})
	full, _ := example(w.t, brand, "refund-request-full")
	answer := call("session/refund", withSession(full, session))
	_, wanted := example(w.t, brand, "refund-response-v2")
	like(w.t, "v2 refund", answer, wanted)
	told := w.refundTold(brand, session)
	if brand == "pike" {
		_, wanted = example(w.t, brand, "webhook-payment-refunded-v2")
		like(w.t, "v2 payment_refunded", told.body, wanted)
	} else if at(told.body, "session.payment_list") == nil {
		w.t.Error("a session made with v2 is told of in v1")
	}
}

func (w *world) playChargeback(brand, request string) {
	session := w.paid(brand, request)
	status, dispute := w.operate(http.MethodPost, "/v1/disputes", object{"payment": session})
	if status != http.StatusCreated {
		w.t.Fatalf("dispute: %d %v", status, dispute)
	}
	_, wanted := example(w.t, brand, "webhook-payment-refunded-chargeback")
	like(w.t, "chargeback", w.refundTold(brand, session).body, wanted)
	if status, _ := w.signed(brand, "session/chargeback", `{"session_id":"`+session+`"}`); status != http.StatusForbidden {
		w.t.Errorf("a merchant's chargeback: %d", status)
	}
}

// playGates plays what is behind switches: confirm, act, capture, decline.
func (w *world) playGates() {
	t, brand := w.t, "smartglocal"
	create, _ := example(t, brand, "session-create-request")
	_, answer := w.signed(brand, "session/create", create)
	_, wanted := example(t, brand, "session-create-response")
	like(t, "create", answer, wanted)
	session := at(answer, "session.id")
	for _, name := range []string{"auto_confirm", "require_action", "delayed_capture"} {
		w.set("smartglocal."+name, name != "auto_confirm")
	}
	begin, _ := example(t, brand, "session-start-payment-request")
	if status, answer := w.signed(brand, "session/start/payment", withSession(begin, session)); status != http.StatusOK {
		t.Fatalf("start: %d %v", status, answer)
	}
	_, wanted = example(t, brand, "webhook-ready-to-confirm")
	like(t, "ready_to_confirm", w.lastWebhook(brand, "ready_to_confirm", 1).body, wanted)
	ask := fmt.Sprintf(`{"session_id":"%v"}`, session)
	_, answer = w.signed(brand, "session/status", ask)
	_, wanted = example(t, brand, "session-status-response-ready-to-confirm")
	like(t, "status", answer, wanted)
	_, answer = w.signed(brand, "session/confirm", ask)
	if at(answer, "session.status") != "in_progress" || at(answer, "session.acquiring_payments.0.status") != "pending" {
		t.Errorf("confirm: %v", answer)
	}
	acting := w.lastWebhook(brand, "action_required", 1)
	_, wanted = example(t, brand, "webhook-action-required")
	at(wanted, "session.acquiring_payments.0.amount_details").(object)["amount"] = 10000.0
	redirect := at(wanted, "session.acquiring_payments.0.customer_interaction.redirect").(object)
	given := at(acting.body, "session.acquiring_payments.0.customer_interaction.redirect").(object)
	redirect["qs"], redirect["params"] = given["qs"], given["params"] // the bank's own
	like(t, "action_required", acting.body, wanted)
	page := fmt.Sprint(at(acting.body, "session.acquiring_payments.0.customer_interaction.redirect.url"))
	payer := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	form, err := payer.Post(page, "application/x-www-form-urlencoded", strings.NewReader("result=pass"))
	if err != nil {
		t.Fatal(err)
	}
	_ = form.Body.Close()
	_, wanted = example(t, brand, "webhook-ready-to-capture")
	like(t, "ready_to_capture", w.lastWebhook(brand, "ready_to_capture", 1).body, wanted)
	_, answer = w.signed(brand, "session/refund", ask)
	_, wanted = example(t, brand, "error-invalid-request-not-refundable")
	like(t, "refund before capture", answer, wanted)
	if status, answer := w.signed(brand, "session/capture",
		fmt.Sprintf(`{"session_id":"%v","amount_details":{"amount":4000,"currency":"usd"}}`, session)); status != http.StatusOK {
		t.Fatalf("capture: %d %v", status, answer)
	}
	eventually(t, "it is captured", func() bool {
		_, now := w.signed(brand, "session/status", ask)
		return at(now, "session.status") == "accepted" &&
			at(now, "session.acquiring_payments.0.amount_details.amount") == 4000.0
	})
}

// The words of every error of the examples.
func TestExampleErrors(t *testing.T) {
	t.Parallel()
	w := start(t, "")
	request, _ := example(t, "smartglocal", "session-init-payment-request")
	session := w.paid("smartglocal", request)
	project := w.file.SmartGlocal
	part := `{"session_id":"` + session + `","amount_details":{"amount":%s,"currency":"usd"}}`
	ask := func(name string, want int, body string, header ...string) {
		t.Helper()
		all := append([]string{"X-PARTNER-PROJECT", project.Project, "X-PARTNER-SIGN", sign(t, project.PrivateKeyFile, body)}, header...)
		status, answer := w.post("/api/v1/session/refund", body, all...)
		_, wanted := example(t, "smartglocal", name)
		if status != want {
			t.Errorf("%s: %d, want %d", name, status, want)
		}
		like(t, name, answer, wanted)
	}
	ask("error-invalid-request-amount", 400, fmt.Sprintf(part, "10001"))
	ask("error-identification", 401, fmt.Sprintf(part, "1"), "X-PARTNER-PROJECT", "nobody")
	ask("error-authentication", 401, fmt.Sprintf(part, "1"), "X-PARTNER-SIGN", "AAAA")
	w.signed("smartglocal", "session/refund", fmt.Sprintf(part, "100"), "X-PARTNER-IDEMPOTENCY-KEY", "k1")
	ask("error-idempotency-key", 400, fmt.Sprintf(part, "100"), "X-PARTNER-IDEMPOTENCY-KEY", "k1")
	w.refundTold("smartglocal", session)
	w.set("smartglocal.partial_refunds_enabled", false)
	eventually(t, "the switch is seen", func() bool {
		status, _ := w.signed("smartglocal", "session/refund", fmt.Sprintf(part, "99999999"))
		return status == http.StatusBadRequest || status == http.StatusForbidden
	})
	ask("error-authorization-partial-disabled", 403, fmt.Sprintf(part, "100"))
}

// All vectors behave as they are marked, through real requests.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	w := start(t, "")
	text, err := os.ReadFile("testdata/examples/smartglocal/signature-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		PublicKey string `json:"public_key_pem"`
		Vectors   []struct {
			Name, Body, Signature string
			Valid                 bool
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if status, answer := w.operate(http.MethodPost, "/v1/tenants", object{"name": "vectors"}); status != http.StatusCreated {
		t.Fatalf("tenant: %d %v", status, answer)
	}
	status, answer := w.operate(http.MethodPost, "/v1/keys", object{
		"kind": "project", "brand": "smartglocal", "name": "vectors", "public_keys": []string{file.PublicKey},
	}, "Refundry-Tenant", "vectors")
	if status != http.StatusCreated {
		t.Fatalf("project: %d %v", status, answer)
	}
	if len(file.Vectors) != 14 {
		t.Fatalf("%d vectors", len(file.Vectors))
	}
	for _, vector := range file.Vectors {
		status, answer := w.post("/api/v1/session/status", vector.Body, "X-PARTNER-PROJECT", "vectors",
			"X-PARTNER-SIGN", vector.Signature)
		if isRefused := status == http.StatusUnauthorized; isRefused == vector.Valid {
			t.Errorf("%s: %d %v", vector.Name, status, answer)
		}
	}
}
