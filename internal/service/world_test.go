package service_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/service"
	"github.com/refundry/refundry/internal/wire"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// onBoth runs a test on both stores.
func onBoth(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "")
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, pgtest.Database(t))
	})
}

// world is a whole sandbox whose answers are read with plain numbers.
type world struct {
	*dialecttest.World

	t        *testing.T
	service  *service.Service
	url      string
	file     service.SandboxFile
	receiver receiver
}

// start starts a whole sandbox. One with a database is one more replica of it.
func start(t *testing.T, database string) *world {
	t.Helper()
	w := dialecttest.Start(t, database)
	w.Tell("smartglocal", "pike", "api")
	return &world{World: w, t: t, service: w.Service, url: w.URL, file: w.File, receiver: receiver{w.Receiver}}
}

// object is any JSON object.
type object = map[string]any

// plain reads an answer with plain numbers.
func plain(t *testing.T, got dialecttest.Answered) (int, object) {
	t.Helper()
	var answer object
	if got.Raw != "" {
		if err := json.Unmarshal([]byte(got.Raw), &answer); err != nil {
			t.Errorf("no JSON: %s", got.Raw)
		}
	}
	return got.Status, answer
}

// encoded is a body as it is sent; nothing for nil.
func (w *world) encoded(body any) string {
	w.t.Helper()
	if body == nil {
		return ""
	}
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// api calls the own API with the demo tenant's key.
func (w *world) api(method, path string, body any, header ...string) (int, object) {
	w.t.Helper()
	return plain(w.t, w.API(method, path, w.encoded(body), header...))
}

// operate calls the own API as the operator.
func (w *world) operate(method, path string, body any, header ...string) (int, object) {
	w.t.Helper()
	return plain(w.t, w.Operate(method, path, w.encoded(body), header...))
}

// set changes a setting of the demo tenant.
func (w *world) set(name string, value any) { w.t.Helper(); w.Set(name, value) }

// advance moves the test clock.
func (w *world) advance(by string) { w.t.Helper(); w.Advance(by) }

// clean fails the test if anything differs from what it must be.
func (w *world) clean() { w.t.Helper(); w.Clean() }

// project returns the demo tenant's project of a brand.
func (w *world) project(brand string) service.SandboxProject {
	if brand == "pike" {
		return w.file.Pike
	}
	return w.file.SmartGlocal
}

// signed calls a method of Smart Glocal or Pike as a merchant does.
func (w *world) signed(brand, method, body string, header ...string) (int, object) {
	w.t.Helper()
	project := w.project(brand)
	return w.post("/api/v1/"+method, body, append([]string{
		"X-PARTNER-PROJECT", project.Project, "X-PARTNER-SIGN", sign(w.t, project.PrivateKeyFile, body),
	}, header...)...)
}

// post sends a body as it is.
func (w *world) post(path, body string, header ...string) (int, object) {
	w.t.Helper()
	return plain(w.t, w.Call(http.MethodPost, path, body, header...))
}

func sign(t *testing.T, path, body string) string {
	t.Helper()
	return dialecttest.SignRSA(t, path, body)
}

// verifies reports whether a webhook was signed by a provider.
func verifies(t *testing.T, path string, body []byte, signature string) bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	key, err := wire.ParseRSAPublicKey(text)
	return err == nil && wire.VerifyRSA(key, body, signature)
}

// webhook is one that arrived.
type webhook struct {
	path   string
	header http.Header
	raw    []byte
	body   object
	status int // that it was answered with
}

// receiver takes webhooks and answers as it is told.
type receiver struct{ *dialecttest.Receiver }

func seen(came dialecttest.Webhook) webhook {
	w := webhook{path: came.Path, header: came.Header, raw: []byte(came.Raw), status: came.Status}
	_ = json.NewDecoder(bytes.NewReader(w.raw)).Decode(&w.body)
	return w
}

// answers lets the receiver answer otherwise from now on.
func (r receiver) answers(answer func(webhook) int) {
	r.Answer(func(came dialecttest.Webhook) int { return answer(seen(came)) })
}

// list returns the webhooks that came to a path so far.
func (r receiver) list(path string) []webhook {
	var list []webhook
	for _, came := range r.List(path) {
		list = append(list, seen(came))
	}
	return list
}

// eventually fails the test if something does not become true.
func eventually(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	dialecttest.Eventually(t, what, isSo)
}

// at returns what is at a path in an answer, as in "session.acquiring_payments.0.refunds".
func at(answer any, path string) any { return dialecttest.At(answer, path) }

// decimalOf spells a payment's id as Smart Glocal and Pike do.
func decimalOf(t *testing.T, id string) string {
	t.Helper()
	var of payment.PaymentID
	if err := of.Parse(id); err != nil {
		t.Fatal(err)
	}
	return of.Decimal()
}

// paymentOf returns the payment of a session that was made here.
func paymentOf(session string) string {
	var of payment.PaymentID
	if err := of.ParseDecimal(strings.TrimPrefix(session, "ps_")); err != nil {
		return ""
	}
	return of.String()
}
