package chip_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/wire"
)

// notServed has the examples that no server receives or sends, with the reason.
var notServed = map[string]string{
	"error-object-form": "clients must understand it, servers must not send it",
}

// Every example that a server receives is understood, and what is answered and
// told has the same members, of the same types, with the same values but ids,
// times and addresses.
func TestExamples(t *testing.T) {
	s := setup(t)
	shown := map[string]any{} // by example
	sent := map[string]bool{}
	send := func(name string) string {
		sent[name] = true
		return string(wire.Encode(example(t, name)))
	}
	tellExamples(s, shown, send)
	refundExamples(s, shown, send)
	errorExamples(s, shown)
	files, err := os.ReadDir("testdata/examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), ".json")
		got, isShown := shown[name]
		switch {
		case isShown:
			for _, difference := range differences(name, example(t, name), got) {
				t.Error(difference)
			}
		case !sent[name] && notServed[name] == "" && name != "signature-vectors":
			t.Errorf("%s is not exercised", name)
		}
	}
}

// tellExamples makes purchases, with webhooks that are told of them.
func tellExamples(s shop, shown map[string]any, send func(string) string) {
	t := s.T
	literal := s.withBrand(send("purchase-create-request"))
	shown["purchase-created"] = must(t, s.post("purchases/", literal), 201).Body
	hook := strings.Replace(send("webhook-create-request"), "https://merchant.example", s.Receiver.URL, 1)
	made := must(t, s.post("webhooks/", hook), 201)
	shown["webhook-create-response"] = made.Body
	shown["webhook-list-response"] = must(t, s.get("webhooks/"), 200).Body
	shown["public-key-response"] = must(t, s.get("public_key/"), 200).Body
	shown["payment-methods-response"] = must(t,
		s.get("payment_methods/?currency=MYR&time=1717200000&brand_id="+s.File.CHIP.BrandID), 200).Body
	must(t, s.call("PATCH", "webhooks/"+text(made.At("id"))+"/", `{"all_events":true}`), 200)

	id := s.viewed(5900)
	shown["purchase-paid"] = s.purchase(id).Body
	shown["webhook-purchase-paid"] = s.told("/hooks/chip", "purchase.paid", 1).Body
	must(t, s.Operate("POST", "/v1/disputes", `{"payment":"`+own(t, id)+`"}`), 201)
	back := s.told("/hooks/chip", "payment.charged_back", 1)
	shown["webhook-payment-charged-back"] = back.Body
	dispute := s.disputeOf(text(back.At("id")))
	must(t, s.Operate("POST", "/v1/disputes/"+dispute+"/move", `{"to":"won"}`), 200)
	shown["webhook-payment-chargeback-reversed"] = s.told("/hooks/chip", "payment.chargeback_reversed", 1).Body

	held := s.pay(s.create("skip_capture", "true"))
	if got := must(t, s.post("purchases/"+held+"/capture/", send("capture-request-partial")), 200); number(got.At("payment.amount")) != 4000 {
		t.Errorf("captured: %s", got.Raw)
	}
	marked := must(t, s.post("purchases/"+s.create()+"/mark_as_paid/", send("mark-as-paid-request")), 200)
	if number(marked.At("payment.paid_on")) != 1717200090 || marked.At("marked_as_paid") != true {
		t.Errorf("marked: %s", marked.Raw)
	}
}

// viewed makes a purchase whose payer has looked at it before paying, as in
// the examples.
func (s shop) viewed(price int) string {
	s.T.Helper()
	id := s.create("purchase.products", priced(price))
	if got := s.Call(http.MethodGet, "/p/"+id+"/", ""); got.Status != 200 {
		s.T.Fatalf("the page: %s", got)
	}
	return s.pay(id)
}

func (s shop) withBrand(body string) string {
	return strings.Replace(body, "9c1f2a77-3f0e-4a0c-9b0d-52b6f9b3d6a1", s.File.CHIP.BrandID, 1)
}

// refundExamples refunds purchases, so that each outcome is told.
func refundExamples(s shop, shown map[string]any, send func(string) string) {
	t := s.T
	full := s.viewed(5900)
	shown["refund-response-full"] = must(t, s.refund(full, send("refund-request-full")), 200).Body
	shown["purchase-refunded"] = s.purchase(full).Body
	shown["webhook-payment-refunded"] = s.told("/hooks/chip", "payment.refunded", 1).Body
	shown["error-already-refunded"] = must(t, s.refund(full, ""), 400).Body

	part := s.viewed(5900)
	shown["refund-response-partial"] = must(t, s.refund(part, send("refund-request-partial")), 200).Body
	must(t, s.refund(part, `{"amount":500}`), 200)
	shown["purchase-partially-refunded"] = s.purchase(part).Body
	shown["error-amount-max"] = must(t, s.refund(part, `{"amount":4401}`), 400).Body
	shown["error-amount-min"] = must(t, s.refund(part, `{"amount":0}`), 400).Body
	shown["error-amount-invalid"] = must(t, s.refund(part, `{"amount":10.5}`), 400).Body
	shown["error-amount-null"] = must(t, s.refund(part, `{"amount":null}`), 400).Body

	s.Set("chip.refund_mode", "pending")
	pending := s.viewed(5900)
	s.plan(pending, "PENDING")
	shown["refund-response-pending"] = must(t, s.refund(pending, ""), 200).Body
	shown["webhook-purchase-pending-refund"] = s.told("/hooks/chip", "purchase.pending_refund", 1).Body
	shown["error-refund-wrong-status"] = must(t, s.refund(pending, ""), 400).Body

	failing := s.viewed(5900)
	s.plan(failing, "FAILED")
	must(t, s.refund(failing, ""), 200)
	shown["webhook-purchase-refund-failure"] = s.told("/hooks/chip", "purchase.refund_failure", 1).Body
	shown["purchase-after-failed-refund"] = s.purchase(failing).Body
	s.Set("chip.refund_mode", "sync")
	shown["error-refund-declined"] = must(t, s.refund(s.paid(9001), ""), 400).Body
}

// plan lets refunds of a purchase come to something.
func (s shop) plan(id string, outcomes ...string) {
	s.T.Helper()
	must(s.T, s.API("POST", "/sandbox/plans",
		fmt.Sprintf(`{"match":{"payment":%q},"outcomes":%s}`, id, wire.Encode(outcomes))), 201)
}

// errorExamples makes mistakes.
func errorExamples(s shop, shown map[string]any) {
	t := s.T
	shown["error-auth-failed"] = must(t, s.Call("GET", "/api/v1/public_key/", "", "Authorization", "Bearer nobody"), 401).Body
	shown["error-auth-missing"] = must(t, s.Call("GET", "/api/v1/public_key/", ""), 401).Body
	shown["error-not-found"] = must(t, s.get("purchases/4a0f6f3e-2d53-4f53-8c0a-0c3f7f1f9d02/"), 404).Body
	shown["error-method-not-allowed"] = must(t, s.get("purchases/"), 405).Body
	shown["error-nested"] = must(t, s.post("purchases/", s.body("purchase.products", priced(-1))), 400).Body
}

// differs has the members whose values are not compared, but for their type:
// ids, times, addresses, and what is the merchant's.
var differs = regexp.MustCompile(`(^|\.)(id|[a-z]+_id|[a-z_]+_on|timestamp|due|issued|processing_time|expiry_(year|month)|` +
	`reference_generated|client_ip|created_from_ip|checkout_url|public_key|callback)$|^issuer_details\.`)

// otherwise has members that differ in these examples, with the reason.
var otherwise = map[string]string{
	"purchase-created.client.full_name":                                         "the example's request does not say it",
	"public-key-response.":                                                      "a key",
	"purchase-after-failed-refund.transaction_data.attempts.0.error.code":       "the sandbox fails otherwise",
	"purchase-after-failed-refund.transaction_data.attempts.0.error.message":    "the sandbox fails otherwise",
	"webhook-purchase-refund-failure.transaction_data.attempts.0.error.code":    "the sandbox fails otherwise",
	"webhook-purchase-refund-failure.transaction_data.attempts.0.error.message": "the sandbox fails otherwise",
}

// differences lists where a value is not as an example.
func differences(name string, want, got any) []string {
	var found []string
	note := func(at string, want, got any) {
		if otherwise[name+"."+at] == "" {
			found = append(found, fmt.Sprintf("%s: %s is %s, want %s", name, at, wire.Encode(got), wire.Encode(want)))
		}
	}
	var compare func(at string, want, got any)
	compare = func(at string, want, got any) {
		if fmt.Sprintf("%T", want) != fmt.Sprintf("%T", got) {
			note(at, want, got)
			return
		}
		switch want := want.(type) {
		case map[string]any:
			got := got.(map[string]any)
			names := slices.Sorted(maps.Keys(want))
			if others := slices.Sorted(maps.Keys(got)); !slices.Equal(names, others) {
				note(at, names, others)
			}
			for _, member := range names {
				compare(strings.TrimPrefix(at+"."+member, "."), want[member], got[member])
			}
		case []any:
			got := got.([]any)
			if len(want) != len(got) {
				if !differs.MatchString(at) {
					note(at, want, got)
				}
				return
			}
			for n := range want {
				compare(fmt.Sprintf("%s.%d", at, n), want[n], got[n])
			}
		case json.Number:
			if isWhole(want) != isWhole(got.(json.Number)) || want != got && !differs.MatchString(at) {
				note(at, want, got)
			}
		default:
			if want != got && !differs.MatchString(at) && !isReference(at, want, got) {
				note(at, want, got)
			}
		}
	}
	compare("", want, got)
	return found
}

func isWhole(n json.Number) bool {
	_, err := n.Int64()
	return err == nil
}

// isReference reports whether a text has a number that is generated in it, as
// the example has another.
func isReference(at string, want, got any) bool {
	isOne := strings.HasSuffix(at, "description") || strings.HasSuffix(at, "related_to.reference")
	before, _, _ := strings.Cut(text(want), "CH1042")
	return isOne && strings.HasPrefix(text(got), before+"CH")
}

// Ids are UUIDs in lower case, times are seconds, and the numbers that stand
// for references do not repeat.
func TestIDsAndTimes(t *testing.T) {
	s := setup(t)
	seen := map[string]bool{}
	for range 3 {
		id := s.paid(300)
		for _, got := range []dialecttest.Answered{s.purchase(id), must(t, s.refund(id, `{"amount":100}`), 200), must(t, s.refund(id, ""), 200)} {
			for _, name := range []string{"id", "company_id", "brand_id", "client_id", "account_id", "related_to.id"} {
				if value := got.At(name); value != nil && !isUUID(text(value)) {
					t.Errorf("%s is %s", name, value)
				}
			}
			for _, name := range []string{"created_on", "updated_on", "payment.paid_on"} {
				if age := time.Since(time.Unix(number(got.At(name)), 0)); age < -time.Minute || age > time.Minute {
					t.Errorf("%s is %s", name, got.At(name))
				}
			}
			generated := text(got.At("reference_generated"))
			if seen[generated] || !regexp.MustCompile(`^(CH)?[0-9]+$`).MatchString(generated) {
				t.Errorf("generated: %s", generated)
			}
			seen[generated] = true
		}
	}
}

// Purchases and refunds are counted apart.
func TestRunningNumbers(t *testing.T) {
	s := setup(t)
	for n := 1; n <= 3; n++ {
		id := s.paid(300)
		generated := text(s.purchase(id).At("reference_generated"))
		refund := must(t, s.refund(id, ""), 200)
		if generated != fmt.Sprint("CH", n) || refund.At("reference_generated") != fmt.Sprint(n) ||
			refund.At("related_to.reference") != generated || refund.At("payment.description") != "Refund: "+generated {
			t.Errorf("purchase %d: %s, %s", n, generated, refund.Raw)
		}
	}
}

func isUUID(text string) bool {
	return regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(text)
}
