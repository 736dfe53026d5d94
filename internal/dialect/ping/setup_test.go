package ping_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is a whole sandbox, spoken to as Ping's clients do.
type world struct{ *dialecttest.World }

// start starts a sandbox on SQLite.
func start(t *testing.T) world {
	t.Helper()
	t.Parallel()
	return world{dialecttest.Start(t, "")}
}

// onBoth runs a test on both stores.
func onBoth(t *testing.T, test func(t *testing.T, w world)) {
	t.Helper()
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.T = t
		test(t, world{w})
	})
}

const (
	marios    = "7f1f5a3e-3b0a-4c55-9a0e-2f4a5d1c0b11"
	luigis    = "8a2c6b4f-4c1b-4d66-8b1f-3a5b6e2d1c22"
	liquidity = "9b3d7c50-5d2c-4e77-9c20-4b6c7f3e2d33"
	version   = "2025-12-09"
)

// call calls the API below its mount.
func (w world) call(method, path, body string, header ...string) dialecttest.Answered {
	w.T.Helper()
	return w.Call(method, "/payments/api/v1/"+path, body, append([]string{
		"tenant_id", w.File.Ping.TenantID, "x-api-secret", w.File.Ping.Secret, "Content-Type", "application/json",
	}, header...)...)
}

func (w world) get(path string) dialecttest.Answered {
	w.T.Helper()
	return w.call(http.MethodGet, path, "")
}

func (w world) put(path, body string) dialecttest.Answered {
	w.T.Helper()
	return w.call(http.MethodPut, path, body)
}

func (w world) post(path, body string, header ...string) dialecttest.Answered {
	w.T.Helper()
	return w.call(http.MethodPost, path, body, header...)
}

// must ends the test unless an answer has a status.
func (w world) must(what string, got dialecttest.Answered, status int) dialecttest.Answered {
	w.T.Helper()
	if got.Status != status {
		w.T.Fatalf("%s: %d %s, want %d", what, got.Status, got.Raw, status)
	}
	return got
}

// order opens an order and returns its path.
func (w world) order() string {
	w.T.Helper()
	made := w.must("order", w.post("payment_orders", `{"currency":"SEK","split_parameters":{},"split_tree_id":null}`), 200)
	return "payment_orders/" + made.At("id").(string)
}

// line is an order item.
func line(amount int64, merchant string) string {
	return fmt.Sprintf(`{"amount":%d,"name":"Test Purchase","vat_rate":25.0,"merchant_id":%q}`, amount, merchant)
}

// asking asks for a payment.
func asking(provider, method, parameters string, total int64, lines ...string) string {
	return fmt.Sprintf(`{"currency":"SEK","total_amount":%d,"provider":%q,"method":%q,"provider_method_parameters":%s,`+
		`"order_items":[%s]}`, total, provider, method, parameters, strings.Join(lines, ","))
}

// dummy makes a payment in an order that becomes this at once, and returns its path.
func (w world) dummy(order, status string, total int64, lines ...string) string {
	w.T.Helper()
	if len(lines) == 0 {
		lines = []string{line(total, marios)}
	}
	made := w.must("dummy", w.post(order+"/payments",
		asking("dummy", "dummy", `{"desired_payment_status":"`+status+`"}`, total, lines...)), 200)
	return order + "/payments/" + made.At("id").(string)
}

// paid makes a completed payment of 29900 in an order of its own.
func (w world) paid() string {
	w.T.Helper()
	return w.dummy(w.order(), "COMPLETED", 29900)
}

// by makes a payment with a provider that completes by itself, and waits for it.
func (w world) by(provider, method string, total int64) string {
	w.T.Helper()
	order := w.order()
	made := w.must(provider, w.post(order+"/payments", asking(provider, method, "{}", total, line(total, marios))), 200)
	at := order + "/payments/" + made.At("id").(string)
	w.until(at, "status", "COMPLETED")
	return at
}

// until waits until something is shown at a path of a resource.
func (w world) until(resource, path string, want any) dialecttest.Answered {
	w.T.Helper()
	var got dialecttest.Answered
	dialecttest.Eventually(w.T, fmt.Sprintf("%s is %v", path, want), func() bool {
		got = w.get(resource)
		return reflect.DeepEqual(got.At(path), want)
	})
	return got
}

// refunding asks for a refund; lines are what remains.
func refunding(amount int64, lines ...string) string {
	return fmt.Sprintf(`{"amount":%d,"currency":"SEK","reason":"requested_by_customer","order_items":[%s]}`, amount,
		strings.Join(lines, ","))
}

// number is a JSON number of an answer.
func number(n int64) json.Number { return json.Number(fmt.Sprint(n)) }

// says fails the test unless a call was refused so. code is the one in
// additional_information of an operation_forbidden, else the error.
func says(t *testing.T, what string, got dialecttest.Answered, status int, code, property string) {
	t.Helper()
	said := got.At("errors.0.error")
	if inner := got.At("errors.0.additional_information.code"); inner != nil && said == "operation_forbidden" {
		said = inner
	}
	var of any
	if property != "" {
		of = property
	}
	if got.Status != status || said != code || got.At("errors.0.property") != of {
		t.Errorf("%s: %d %s, want %d %s %s", what, got.Status, got.Raw, status, code, property)
	}
}

// tell lets the tenant's callbacks come to the receiver, each at its own path.
func (w world) tell() {
	w.T.Helper()
	w.must("tenant", w.put("tenant", `{"payment_refund_callback_url":"`+w.Receiver.URL+`/refunds",`+
		`"disbursement_callback_url":"`+w.Receiver.URL+`/disbursements"}`), 204)
}

// exercised has every example file that a test has sent, or compared with.
var exercised sync.Map

const examples = "testdata/examples"

// example returns an example's text.
func example(t *testing.T, name string) string {
	t.Helper()
	exercised.Store(name+".json", true)
	text, err := os.ReadFile(filepath.Join(examples, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// free are the members whose values are ids, times and addresses, and differ
// each time. Their types do not.
var free = []string{
	"id", "payment_id", "payment_order_id", "allocation_id", "disbursement_id", "refund_id", "occurred_at", "created_at",
	"merchant_id", "order_item_merchant_id", "refunded_at", "allocated_at", "settled_at", "disbursed_at", "href",
	"public_key", "key", "pay_url",
}

// matches fails the test unless a body is like an example: the same names in
// every object, the same types, and the same values but those that are free.
func matches(t *testing.T, name, raw string) {
	t.Helper()
	same(t, name, dialecttest.Decode(example(t, name)), dialecttest.Decode(raw), "")
	if t.Failed() {
		t.Logf("%s: %s", name, raw)
	}
}

func same(t *testing.T, where string, want, got any, member string) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		of, ok := got.(map[string]any)
		if !ok || !slices.Equal(names(want), names(of)) {
			t.Errorf("%s: %v, want %v", where, got, want)
			return
		}
		for name := range want {
			same(t, where+"."+name, want[name], of[name], name)
		}
	case []any:
		of, ok := got.([]any)
		if !ok || len(of) != len(want) {
			t.Errorf("%s: %v, want %v", where, got, want)
			return
		}
		for i := range want {
			same(t, fmt.Sprintf("%s.%d", where, i), want[i], of[i], member)
		}
	case json.Number:
		of, ok := got.(json.Number)
		wanted, _ := want.Float64()
		found, _ := of.Float64()
		if !ok || wanted != found {
			t.Errorf("%s: %v, want %v", where, got, want)
		}
	default:
		isFree := slices.Contains(free, member) && reflect.TypeOf(want) == reflect.TypeOf(got)
		if !isFree && !reflect.DeepEqual(want, got) {
			t.Errorf("%s: %v, want %v", where, got, want)
		}
	}
}

// like fails the test unless a body has the names and types of an example:
// what of it is a tenant's own differs.
func like(t *testing.T, where string, want, got any) {
	t.Helper()
	if reflect.TypeOf(want) != reflect.TypeOf(got) {
		t.Errorf("%s: %T, want %T", where, got, want)
		return
	}
	switch want := want.(type) {
	case map[string]any:
		of := got.(map[string]any)
		if !slices.Equal(names(want), names(of)) {
			t.Errorf("%s: %v, want %v", where, names(of), names(want))
		}
		for name := range want {
			like(t, where+"."+name, want[name], of[name])
		}
	case []any:
		for i, element := range got.([]any) {
			like(t, fmt.Sprintf("%s.%d", where, i), want[0], element)
		}
	}
}

func names(of map[string]any) []string {
	var list []string
	for name := range of {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// verifies reports whether a public key, 32 bytes in Base64, verifies a
// signature in Base64.
func verifies(t *testing.T, public string, body []byte, signature string) bool {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(public)
	if err != nil || len(key) != ed25519.PublicKeySize {
		t.Fatalf("no public key: %s", public)
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	return err == nil && ed25519.Verify(key, body, raw)
}
