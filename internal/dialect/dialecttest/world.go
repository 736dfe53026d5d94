// Package dialecttest is how front doors are tested: a whole service over a
// real store, spoken to over real HTTP, with somebody who listens to its
// webhooks; and the suite that every dialect passes.
package dialecttest

import (
	"context"
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
	"github.com/refundry/refundry/internal/wire"
)

// OnBoth runs a test on both stores, each with a service of its own.
func OnBoth(t *testing.T, test func(t *testing.T, w *World)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, Start(t, ""))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Start(t, pgtest.Database(t)))
	})
}

// World is a whole sandbox with somebody who listens to its webhooks.
type World struct {
	T        *testing.T
	Service  *service.Service
	URL      string // of the one port
	File     service.SandboxFile
	Receiver *Receiver

	operator string
}

// Start starts a whole sandbox on SQLite, or with a database on Postgres; a
// second one with the same database is one more replica. Options change its
// configuration.
func Start(t *testing.T, database string, options ...func(*service.Config)) *World {
	t.Helper()
	config := service.Config{
		Data: t.TempDir(), Database: database, IsSandbox: true, Machine: time.Now,
		NewID: func() [16]byte { return uuid.Must(uuid.NewV7()) }, Luck: mathrand.Float64,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	for _, option := range options {
		option(&config)
	}
	s, err := service.Open(t.Context(), config)
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
	w := &World{T: t, Service: s, URL: server.URL, Receiver: NewReceiver(t), operator: operator.URL}
	t.Cleanup(func() {
		server.Close()
		operator.Close()
		stop()
		<-done
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if config.IsSandbox {
		if _, w.File, err = s.PrepareSandbox(t.Context(), server.URL); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// Tell lets the webhooks of doors come to the receiver, at the door's name.
func (w *World) Tell(doors ...payment.Door) {
	w.T.Helper()
	urls := map[payment.Door]string{}
	for _, door := range doors {
		urls[door] = w.Receiver.URL + "/" + string(door)
	}
	if err := w.Service.PrepareEndpoints(w.T.Context(), urls); err != nil {
		w.T.Fatal(err)
	}
}

// Set changes a setting of the demo tenant.
func (w *World) Set(name string, value any) {
	w.T.Helper()
	if err := w.Service.SetSettings(w.T.Context(), map[string]any{name: value}); err != nil {
		w.T.Fatal(err)
	}
}

// Advance moves the test clock, as in "2h".
func (w *World) Advance(by string) {
	w.T.Helper()
	if got := w.API(http.MethodPost, "/sandbox/clock", `{"advance":"`+by+`"}`); got.Status != http.StatusOK {
		w.T.Fatalf("clock: %s", got)
	}
}

// meanwhile is how much domain time goes by while a test waits a tenth of a second.
const meanwhile = "20s"

// Meanwhile waits until something is so while domain time goes on. What a busy
// machine did not ask about in time is asked about minutes later only.
func (w *World) Meanwhile(what string, isSo func() bool) {
	w.T.Helper()
	looks := 0
	Eventually(w.T, what, func() bool {
		if isSo() {
			return true
		}
		if looks++; looks%10 == 0 {
			w.Advance(meanwhile)
		}
		return false
	})
}

// Clean fails the test if anything in the store differs from what it must be.
func (w *World) Clean() {
	w.T.Helper()
	result, err := w.Service.Verify(w.T.Context())
	if err != nil {
		w.T.Fatal(err)
	}
	for _, found := range result.Findings {
		w.T.Errorf("verify: %+v", found)
	}
}

// Answered is an answer.
type Answered struct {
	Status int
	Header http.Header
	Raw    string
	Body   any // decoded JSON: map[string]any, []any, …; numbers are json.Number
}

// String shows an answer in a failed test.
func (a Answered) String() string { return http.StatusText(a.Status) + " " + a.Raw }

// At returns what is at a path in the answer, as in "transactions.1.amount".
func (a Answered) At(path string) any { return At(a.Body, path) }

// At returns what is at a path in a decoded value; nil if nothing is. "last"
// is a list's last element.
func At(value any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch at := value.(type) {
		case map[string]any:
			value = at[step]
		case []any:
			n := 0
			for _, digit := range step {
				n = n*10 + int(digit-'0')
			}
			if step == "last" {
				n = len(at) - 1
			}
			if n < 0 || n >= len(at) {
				return nil
			}
			value = at[n]
		default:
			return nil
		}
	}
	return value
}

// Decode decodes JSON with exact numbers; nil if it is none.
func Decode(raw string) any {
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	return value
}

// Call sends a request to the one port, with pairs of header names and values.
// A redirect is not followed: no front door sends one.
func (w *World) Call(method, path, body string, header ...string) Answered {
	w.T.Helper()
	return call(w.T, method, w.URL+path, body, header...)
}

// API calls the own API with the demo tenant's key.
func (w *World) API(method, path, body string, header ...string) Answered {
	w.T.Helper()
	return w.Call(method, path, body, append(header, "Authorization", "Bearer "+w.File.API.Key)...)
}

// Operate calls the own API as the operator, on behalf of the demo tenant: it
// opens and moves disputes, for instance. The header Refundry-Tenant names
// another tenant.
func (w *World) Operate(method, path, body string, header ...string) Answered {
	w.T.Helper()
	return call(w.T, method, w.operator+path, body, header...)
}

func call(t *testing.T, method, url, body string, header ...string) Answered {
	t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, url, content)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header[http.CanonicalHeaderKey(header[i])] = []string{header[i+1]}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Errorf("%s %s: %v", method, url, err)
		return Answered{}
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return Answered{Status: response.StatusCode, Header: response.Header, Raw: string(raw), Body: Decode(string(raw))}
}

// SignRSA signs a body with the private key in a file, as PEM of PKCS #8: as
// Smart Glocal and Pike ask their merchants to.
func SignRSA(t *testing.T, path, body string) string {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(file)
	if block == nil {
		t.Fatalf("no PEM in %s", path)
	}
	key, err := wire.ParseRSAPrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := wire.SignRSA(key, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// Webhook is one that arrived.
type Webhook struct {
	Path   string
	Header http.Header
	Raw    string
	Body   any
	Status int // that it was answered with
}

// At returns what is at a path in the webhook.
func (h Webhook) At(path string) any { return At(h.Body, path) }

// Receiver takes webhooks and answers as it is told.
type Receiver struct {
	URL string

	mutex  sync.Mutex
	all    []Webhook
	answer func(Webhook) int
}

// NewReceiver returns a receiver that answers 200.
func NewReceiver(t *testing.T) *Receiver {
	t.Helper()
	r := &Receiver{answer: func(Webhook) int { return http.StatusOK }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		raw, _ := io.ReadAll(request.Body)
		came := Webhook{Path: request.URL.Path, Header: request.Header, Raw: string(raw), Body: Decode(string(raw))}
		r.mutex.Lock()
		came.Status = r.answer(came)
		r.all = append(r.all, came)
		r.mutex.Unlock()
		w.WriteHeader(came.Status)
	}))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// Answer lets the receiver answer otherwise from now on.
func (r *Receiver) Answer(answer func(Webhook) int) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.answer = answer
}

// List returns the webhooks that came so far to a path, in order; all for "".
func (r *Receiver) List(path string) []Webhook {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var list []Webhook
	for _, came := range r.all {
		if path == "" || came.Path == path {
			list = append(list, came)
		}
	}
	return list
}

// Await waits for the n-th webhook (1, 2, …) that came to a path and fits.
func (r *Receiver) Await(t *testing.T, path string, n int, what string, fits func(Webhook) bool) Webhook {
	t.Helper()
	var found Webhook
	Eventually(t, what, func() bool {
		count := 0
		for _, came := range r.List(path) {
			if fits(came) {
				if count++; count == n {
					found = came
					return true
				}
			}
		}
		return false
	})
	return found
}

// Eventually fails the test if something does not become true.
func Eventually(t *testing.T, what string, isSo func() bool) {
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
