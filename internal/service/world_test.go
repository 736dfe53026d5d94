package service_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/service"
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

// world is a whole sandbox with somebody who listens to its webhooks.
type world struct {
	t        *testing.T
	service  *service.Service
	url      string
	file     service.SandboxFile
	operator *httptest.Server
	receiver *receiver
}

// start starts a whole sandbox. One with a database is one more replica of it.
func start(t *testing.T, database string) *world {
	t.Helper()
	s, err := service.Open(t.Context(), service.Config{
		Data: t.TempDir(), Database: database, IsSandbox: true, Machine: time.Now,
		NewID: func() [16]byte { return uuid.Must(uuid.NewV7()) }, Luck: mathrand.Float64,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	server, operator := httptest.NewServer(s.Handler()), httptest.NewServer(s.OperatorHandler())
	w := &world{t: t, service: s, url: server.URL, operator: operator, receiver: newReceiver(t)}
	t.Cleanup(func() {
		server.Close()
		operator.Close()
		stop()
		<-done
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, w.file, err = s.PrepareSandbox(t.Context(), server.URL); err != nil {
		t.Fatal(err)
	}
	if err := s.PrepareEndpoints(t.Context(), map[payment.Door]string{
		"smartglocal": w.receiver.url + "/smartglocal", "pike": w.receiver.url + "/pike", "api": w.receiver.url + "/api",
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

// object is any JSON object.
type object = map[string]any

// send sends a request and returns the status and the answer.
func send(t *testing.T, request *http.Request) (int, object) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	var answer object
	if len(body) > 0 {
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Errorf("no JSON: %s", body)
		}
	}
	return response.StatusCode, answer
}

// api calls the own API with the demo tenant's key.
func (w *world) api(method, path string, body any, header ...string) (int, object) {
	w.t.Helper()
	return w.call(w.url, method, path, body, append(header, "Authorization", "Bearer "+w.file.API.Key)...)
}

// operate calls the own API as the operator.
func (w *world) operate(method, path string, body any) (int, object) {
	w.t.Helper()
	return w.call(w.operator.URL, method, path, body)
}

func (w *world) call(base, method, path string, body any, header ...string) (int, object) {
	w.t.Helper()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, base+path, content)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return send(w.t, request)
}

// set changes a setting of the demo tenant.
func (w *world) set(name string, value any) {
	w.t.Helper()
	if err := w.service.SetSettings(w.t.Context(), map[string]any{name: value}); err != nil {
		w.t.Fatal(err)
	}
}

// advance moves the test clock.
func (w *world) advance(by string) {
	w.t.Helper()
	if status, answer := w.api(http.MethodPost, "/sandbox/clock", object{"advance": by}); status != http.StatusOK {
		w.t.Fatalf("clock: %d %v", status, answer)
	}
}

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
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return send(w.t, request)
}

func sign(t *testing.T, path, body string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

// verifies reports whether a webhook was signed by a provider.
func verifies(t *testing.T, path string, body []byte, signature string) bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256(body)
	return err == nil && rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, sum[:], raw) == nil
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
type receiver struct {
	url    string
	mutex  sync.Mutex
	all    []webhook
	answer func(webhook) int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{answer: func(webhook) int { return http.StatusOK }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		raw, _ := io.ReadAll(request.Body)
		came := webhook{path: request.URL.Path, header: request.Header, raw: raw}
		_ = json.Unmarshal(raw, &came.body)
		r.mutex.Lock()
		came.status = r.answer(came)
		r.all = append(r.all, came)
		r.mutex.Unlock()
		w.WriteHeader(came.status)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// list returns the webhooks that came to a path so far.
func (r *receiver) list(path string) []webhook {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var list []webhook
	for _, came := range r.all {
		if came.path == path {
			list = append(list, came)
		}
	}
	return list
}

// eventually fails the test if something does not become true.
func eventually(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !isSo() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("never: %s", what)
		}
	}
}

// at returns what is at a path in an answer, as in "session.acquiring_payments.0.refunds".
func at(answer any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch value := answer.(type) {
		case object:
			answer = value[step]
		case []any:
			n := int(step[0] - '0')
			if n >= len(value) {
				return nil
			}
			answer = value[n]
		default:
			return nil
		}
	}
	return answer
}

// clean fails the test if anything differs from what it must be.
func (w *world) clean() {
	w.t.Helper()
	result, err := w.service.Verify(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, found := range result.Findings {
		w.t.Errorf("verify: %+v", found)
	}
}

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
