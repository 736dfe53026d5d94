package chip_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/service"
	"github.com/refundry/refundry/internal/wire"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// shop is a merchant of CHIP with a whole service behind it.
type shop struct{ *dialecttest.World }

// setup starts a service on SQLite.
func setup(t *testing.T, options ...func(*service.Config)) shop {
	t.Helper()
	t.Parallel()
	return patient(dialecttest.Start(t, "", options...))
}

// onBoth runs a test on both stores.
func onBoth(t *testing.T, test func(t *testing.T, s shop)) {
	t.Helper()
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) { test(t, patient(w)) })
}

// patient lets refunds wait for as long as a busy machine may take.
func patient(w *dialecttest.World) shop {
	if w.File.CHIP.Key != "" {
		w.Set("chip.refund_sync_timeout", int64(20_000))
	}
	return shop{w}
}

// call calls the API as the merchant.
func (s shop) call(method, path, body string, header ...string) dialecttest.Answered {
	s.T.Helper()
	return s.Call(method, "/api/v1/"+path, body, append(header, "Authorization", "Bearer "+s.File.CHIP.Key)...)
}

func (s shop) get(path string) dialecttest.Answered {
	s.T.Helper()
	return s.call(http.MethodGet, path, "")
}

func (s shop) post(path, body string, header ...string) dialecttest.Answered {
	s.T.Helper()
	return s.call(http.MethodPost, path, body, header...)
}

// must ends the test unless an answer has a status.
func must(t *testing.T, got dialecttest.Answered, status int) dialecttest.Answered {
	t.Helper()
	if got.Status != status {
		t.Fatalf("%d, want %d: %s", got.Status, status, got.Raw)
	}
	return got
}

// refuses fails the test unless an answer is a no with a status, and says only
// this, as in "amount max_value".
func refuses(t *testing.T, what string, got dialecttest.Answered, status int, code string) {
	t.Helper()
	if got.Status != status || codeOf(got) != code {
		t.Errorf("%s: %d %s, want %d %s", what, got.Status, got.Raw, status, code)
	}
}

// codeOf returns where something is wrong, and its code; all of them, if there
// are several.
func codeOf(a dialecttest.Answered) string {
	var found []string
	var walk func(at string, value any)
	walk = func(at string, value any) {
		switch value := value.(type) {
		case map[string]any:
			if code, ok := value["code"].(string); ok {
				found = append(found, at+" "+code)
				return
			}
			for name, member := range value {
				walk(strings.TrimPrefix(at+"."+name, "."), member)
			}
		case []any:
			for n, element := range value {
				if _, isFlaw := dialecttest.At(element, "code").(string); isFlaw {
					walk(at, element)
				} else {
					walk(fmt.Sprintf("%s.%d", at, n), element)
				}
			}
		}
	}
	walk("", a.Body)
	return strings.Join(found, ", ")
}

func text(value any) string { return fmt.Sprint(value) }

// number returns a JSON number that is written as a whole one.
func number(value any) int64 {
	n, err := json.Number(text(value)).Int64()
	if err != nil {
		return -1
	}
	return n
}

// body returns the body that makes a purchase of 5900, with members set: their
// names are paths, their values JSON; "" takes a member away.
func (s shop) body(edits ...string) string {
	s.T.Helper()
	whole := dialecttest.Decode(`{"brand_id":"` + s.File.CHIP.BrandID + `","client":{"email":"buyer@example.com",` +
		`"full_name":"Buyer"},"purchase":{"currency":"MYR","products":[{"name":"T-shirt","price":5900}]}}`)
	for i := 0; i < len(edits); i += 2 {
		at := whole.(map[string]any)
		steps := strings.Split(edits[i], ".")
		for _, step := range steps[:len(steps)-1] {
			at = at[step].(map[string]any)
		}
		last := steps[len(steps)-1]
		if edits[i+1] == "" {
			delete(at, last)
		} else {
			at[last] = json.RawMessage(edits[i+1])
		}
	}
	return string(wire.Encode(whole))
}

// create makes a purchase of 5900 and returns its id.
func (s shop) create(edits ...string) string {
	s.T.Helper()
	return text(must(s.T, s.post("purchases/", s.body(edits...)), http.StatusCreated).At("id"))
}

// priced makes a purchase of another price.
func priced(price int) string { return fmt.Sprintf(`[{"name":"T-shirt","price":%d}]`, price) }

// card is a payer's form with the first test card.
func card(edits ...string) string {
	values := url.Values{
		"cardholder_name": {"Buyer"}, "card_number": {"4444333322221111"}, "expires": {"10/39"}, "cvc": {"123"},
		"flow": {"payform"},
	}
	for i := 0; i < len(edits); i += 2 {
		values.Set(edits[i], edits[i+1])
	}
	return values.Encode()
}

// submit sends a payer's form.
func (s shop) submit(id, form string) dialecttest.Answered {
	s.T.Helper()
	return s.Call(http.MethodPost, "/p/"+id+"/", form, "Content-Type", "application/x-www-form-urlencoded")
}

// pay lets the payer pay a purchase.
func (s shop) pay(id string) string {
	s.T.Helper()
	if got := s.submit(id, card()); got.Status != http.StatusOK && got.Status != http.StatusFound {
		s.T.Fatalf("pay: %d %s", got.Status, got.Raw)
	}
	return id
}

// paid makes a purchase of a price that is paid.
func (s shop) paid(price int, edits ...string) string {
	s.T.Helper()
	return s.pay(s.create(append(edits, "purchase.products", priced(price))...))
}

// purchase reads a purchase.
func (s shop) purchase(id string) dialecttest.Answered {
	s.T.Helper()
	return must(s.T, s.get("purchases/"+id+"/"), http.StatusOK)
}

// refund asks for a refund.
func (s shop) refund(id, body string, header ...string) dialecttest.Answered {
	s.T.Helper()
	return s.post("purchases/"+id+"/refund/", body, header...)
}

// is fails the test unless a purchase has a status, an availability and an
// amount that can be refunded.
func is(t *testing.T, what string, got dialecttest.Answered, status, availability string, amount int64) {
	t.Helper()
	if got.At("type") != "purchase" || got.At("status") != status || got.At("refund_availability") != availability ||
		number(got.At("refundable_amount")) != amount || got.At("status_history.last.status") != status {
		t.Errorf("%s: %s %s %s, want %s %s %d: %s", what, got.At("status"), got.At("refund_availability"),
			got.At("refundable_amount"), status, availability, amount, got.Raw)
	}
}

// steps lists the statuses of a purchase's history.
func steps(got dialecttest.Answered) string {
	var list []string
	history, _ := got.At("status_history").([]any)
	for _, step := range history {
		list = append(list, text(dialecttest.At(step, "status")))
	}
	return strings.Join(list, " ")
}

// hook makes a webhook that comes to the receiver at a path, and returns its key.
func (s shop) hook(path string, events ...string) string {
	s.T.Helper()
	body := map[string]any{"title": path, "callback": s.Receiver.URL + path, "all_events": len(events) == 0, "events": events}
	return text(must(s.T, s.post("webhooks/", string(wire.Encode(body))), http.StatusCreated).At("public_key"))
}

// told waits for the n-th webhook of an event at a path.
func (s shop) told(path, event string, n int) dialecttest.Webhook {
	s.T.Helper()
	return s.Receiver.Await(s.T, path, n, event, func(h dialecttest.Webhook) bool { return h.At("event_type") == event })
}

// toldOf waits for the first webhook of an event about a purchase at a path.
func (s shop) toldOf(path, event, id string) dialecttest.Webhook {
	s.T.Helper()
	return s.Receiver.Await(s.T, path, 1, event+" of "+id, func(h dialecttest.Webhook) bool {
		return h.At("event_type") == event && (h.At("id") == id || h.At("related_to.id") == id)
	})
}

// events lists the events that came to a path.
func (s shop) events(path string) string {
	var list []string
	for _, came := range s.Receiver.List(path) {
		list = append(list, text(came.At("event_type")))
	}
	return strings.Join(list, " ")
}

// eventsOf lists the events about a purchase that came to a path.
func (s shop) eventsOf(path, id string) string {
	var list []string
	for _, came := range s.Receiver.List(path) {
		if came.At("id") == id || came.At("related_to.id") == id {
			list = append(list, text(came.At("event_type")))
		}
	}
	return strings.Join(list, " ")
}

// becomes waits until a purchase has a status.
func (s shop) becomes(id, status string) dialecttest.Answered {
	s.T.Helper()
	var got dialecttest.Answered
	dialecttest.Eventually(s.T, id+" is "+status, func() bool {
		got = s.purchase(id)
		return got.At("status") == status
	})
	return got
}

// own spells a purchase's id as our own API does.
func own(t *testing.T, id string) string {
	t.Helper()
	var own payment.PaymentID
	if err := own.ParseUUID(id); err != nil {
		t.Fatal(err)
	}
	return own.String()
}

// example reads an example of the specification.
func example(t *testing.T, name string) any {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "examples", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return dialecttest.Decode(string(content))
}

// disputeOf spells a chargeback's id as our own API does.
func (s shop) disputeOf(id string) string {
	s.T.Helper()
	var own payment.DisputeID
	if err := own.ParseUUID(id); err != nil {
		s.T.Fatal(err)
	}
	return own.String()
}

// operate calls the own API as the operator, on behalf of a tenant.
func (s shop) operate(tenant, method, path, body string) dialecttest.Answered {
	s.T.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Refundry-Tenant", tenant)
	answer := httptest.NewRecorder()
	s.Service.OperatorHandler().ServeHTTP(answer, request)
	raw := answer.Body.String()
	return dialecttest.Answered{Status: answer.Code, Header: answer.Header(), Raw: raw, Body: dialecttest.Decode(raw)}
}

// newKey makes a tenant, and returns its key.
func (s shop) newKey(tenant string) string {
	s.T.Helper()
	must(s.T, s.operate("", http.MethodPost, "/v1/tenants", `{"name":"`+tenant+`"}`), 201)
	return text(must(s.T, s.operate(tenant, http.MethodPost, "/v1/keys", `{"kind":"chip_key","name":"shop"}`), 201).At("key"))
}

// imported imports a payment that was made elsewhere, and returns its own id.
func (s shop) imported(tenant, line string) string {
	s.T.Helper()
	got := s.operate(tenant, http.MethodPost, "/v1/payments/import", line+"\n")
	id, _ := dialecttest.At(got.Body, "id").(string)
	if id == "" {
		s.T.Fatalf("import: %s", got.Raw)
	}
	return id
}

// uuidOf spells the id of a payment of our own API as a purchase's.
func uuidOf(t *testing.T, made dialecttest.Answered) string {
	t.Helper()
	var id payment.PaymentID
	if err := id.Parse(text(made.At("id"))); err != nil {
		t.Fatal(err)
	}
	return id.UUID()
}
