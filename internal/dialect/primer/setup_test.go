package primer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/dialect/primer"
	"github.com/refundry/refundry/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is the service with somebody who speaks Primer's API.
type world struct {
	*dialecttest.World
	key string
}

func as(w *dialecttest.World) *world { return &world{w, w.File.Primer.Key} }

// setup starts a sandbox on SQLite whose webhooks are listened to.
func setup(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := as(dialecttest.Start(t, ""))
	w.Tell(primer.Name)
	return w
}

// call calls the API, with more headers if there are any.
func (w *world) call(method, path, body string, header ...string) dialecttest.Answered {
	w.T.Helper()
	return w.Call(method, path, body, append([]string{"X-API-KEY", w.key, "X-API-VERSION", "2.4"}, header...)...)
}

func (w *world) post(path, body string, header ...string) dialecttest.Answered {
	w.T.Helper()
	return w.call(http.MethodPost, path, body, header...)
}

func (w *world) get(path string) dialecttest.Answered {
	w.T.Helper()
	return w.call(http.MethodGet, path, "")
}

// createBody asks for a payment.
const createBody = `{"orderId":"order-123","currencyCode":"EUR","amount":%d,"paymentMethodToken":%q,"customerId":"cust-123"}`

// authorized makes a payment that waits for its capture, and returns its id.
func (w *world) authorized(amount int64) string { return w.made(amount, "token") }

// made makes a payment with a token, and returns its id.
func (w *world) made(amount int64, token string) string {
	w.T.Helper()
	made := w.post("/payments", fmt.Sprintf(createBody, amount, token))
	id, ok := made.At("id").(string)
	if made.Status != http.StatusOK || !ok {
		w.T.Fatalf("create: %s", made)
	}
	return id
}

// settled makes a payment that is captured, and returns its id.
func (w *world) settled(amount int64) string {
	w.T.Helper()
	id := w.authorized(amount)
	w.ok("capture", w.post("/payments/"+id+"/capture", ""), "SETTLED")
	return id
}

func refundOf(id string) string { return "/payments/" + id + "/refund" }

// ok fails the test unless a call was answered with a payment in a status.
func (w *world) ok(what string, got dialecttest.Answered, status string) {
	w.T.Helper()
	if got.Status != http.StatusOK || got.At("status") != status {
		w.T.Errorf("%s: %s, want %s", what, got, status)
	}
}

// refused fails the test unless a call was refused with an errorId.
func (w *world) refused(what string, got dialecttest.Answered, status int, id string) {
	w.T.Helper()
	if got.Status != status || got.At("error.errorId") != id || got.At("error.description") == nil ||
		got.At("error.diagnosticsId") == nil {
		w.T.Errorf("%s: %d %s, want %d %s", what, got.Status, got, status, id)
	}
}

// statuses returns the processorStatus of each REFUND.
func statuses(of any) []string {
	var list []string
	for i := 1; dialecttest.At(of, fmt.Sprintf("transactions.%d", i)) != nil; i++ {
		list = append(list, dialecttest.At(of, fmt.Sprintf("transactions.%d.processorStatus", i)).(string))
	}
	return list
}

// becomes waits until a payment's refunds have these statuses.
func (w *world) becomes(id string, want ...string) dialecttest.Answered {
	w.T.Helper()
	var got dialecttest.Answered
	dialecttest.Eventually(w.T, "refunds become "+strings.Join(want, ", "), func() bool {
		got = w.get("/payments/" + id)
		return strings.Join(statuses(got.Body), " ") == strings.Join(want, " ")
	})
	return got
}

// hooks returns the webhooks of a type that came so far.
func (w *world) hooks(eventType string) []dialecttest.Webhook {
	var list []dialecttest.Webhook
	for _, came := range w.Receiver.List("/" + string(primer.Name)) {
		if came.At("eventType") == eventType {
			list = append(list, came)
		}
	}
	return list
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/examples/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// operateFor calls the own API as the operator, on behalf of a tenant.
func (w *world) operateFor(tenant, method, path, body string) dialecttest.Answered {
	w.T.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Refundry-Tenant", tenant)
	answer := httptest.NewRecorder()
	w.Service.OperatorHandler().ServeHTTP(answer, request)
	raw := answer.Body.String()
	return dialecttest.Answered{Status: answer.Code, Header: answer.Header(), Raw: raw, Body: dialecttest.Decode(raw)}
}
