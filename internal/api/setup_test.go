package api_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// world is a server over a real store and a real engine, whose jobs nobody
// runs, with two tenants.
type world struct {
	server     *httptest.Server // for callers with a key
	operator   *httptest.Server // for operators
	engine     *engine.Engine
	store      *sqlite.Store
	path       string // of the store's file
	auth       *auth.Auth
	batches    *batch.Clerk
	tenant     payment.TenantID
	key        string // of the tenant
	stranger   string // the key of another tenant
	hear       string // where webhooks can be sent
	strangerID string // of the stranger's key
	log        *safeBuffer
	offset     atomic.Int64 // seconds by which time has moved on
	isReal     bool         // time goes on by itself
	tills      atomic.Int64 // tenants that tests have made: no two have the same name
}

// began is when time stands still in tests, until they move it.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (w *world) now() time.Time {
	if w.isReal {
		return time.Now().Add(time.Duration(w.offset.Load()) * time.Second)
	}
	return began.Add(time.Duration(w.offset.Load()) * time.Second)
}

// countingIDs returns ids that are the same in every run.
func countingIDs() func() [16]byte {
	var count atomic.Uint64
	return func() [16]byte {
		var id [16]byte
		copy(id[:], []byte{1, 0x9c, 0x40, 0xaf, 0x7d, 0x29})
		binary.BigEndian.PutUint64(id[8:], count.Add(1))
		return id
	}
}

// safeBuffer is a log that can be read while it is written.
type safeBuffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (b *safeBuffer) Write(text []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(text)
}

func (b *safeBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

// nobody runs no jobs and measures nothing.
type nobody struct{}

func (nobody) Reserve(payment.Task) (claim [16]byte, ok bool) { return claim, false }
func (nobody) Start(context.Context, []payment.Task)          {}
func (nobody) Release(payment.Task)                           {}
func (nobody) Committed(int, time.Duration)                   {}
func (nobody) LostRace()                                      {}

// policies are the settings of tests. There are more, and there will be others.
var policies = []setting.Spec{
	payment.PolicyReasons.Spec, payment.PolicyReasonRequired.Spec, payment.ReasonTitles.Spec, payment.ReasonWords.Spec,
	payment.ReasonDefaults.Spec, payment.ReasonsRetired.Spec,

	payment.PolicyPartial.Spec, payment.PolicyMaximum.Spec, payment.PolicyUndoSeconds.Spec, payment.PolicyApprovalAbove.Spec,
	payment.PolicyApprovers.Spec, payment.PolicyHaltedConnectors.Spec,
}

// dialect is a front door that other tests import payments of.
const dialect payment.Door = "dialect"

func setup(t testing.TB) *world {
	t.Helper()
	w := &world{log: &safeBuffer{}, hear: "https://shop.example/refunds"}
	log := slog.New(slog.NewJSONHandler(w.log, nil))
	newID := countingIDs()
	w.path = filepath.Join(t.TempDir(), "refundry.db")
	var err error
	if w.store, err = sqlite.Open(sqlite.Config{
		Path: w.path, Now: w.now, Machine: time.Now, NewID: newID,
		Lease: time.Minute, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	keyring, err := auth.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	w.auth = auth.New(auth.Config{
		Store: w.store, Uses: w.store, Keyring: keyring, Specs: policies,
		Now: w.now, Machine: time.Now, NewID: newID,
	})
	late := &lateEngine{}
	var replay webhook.Replayer
	w.batches = batch.New(batch.Config{
		Engine: late, Store: w.store, Reader: w.store, Router: late, Door: api.Door(w.store, []string{"dialect.session"}),
		LeaseLeft: func(job.Job) time.Duration { return time.Minute }, Lease: time.Minute, Now: w.now, NewID: newID, Log: log,
	})
	a := api.New(api.Config{
		Engine: late, Reader: w.store, Feed: w.store, Auth: w.auth, Deliveries: w.store, Audit: w.store, Batches: w.batches,
		Doors: []payment.Door{dialect},
		ReasonWords: map[payment.Door]func(setting.Values) []string{"ping": func(setting.Values) []string {
			return []string{"fraudulent", "requested_by_customer", "other"}
		}},
		Import:      map[payment.Door]api.ImportDocument{dialect: importDialect},
		AliasKinds:  []string{"dialect.session"},
		Credentials: map[auth.Kind]api.MakeCredential{"project": makeProject},
		Reports: map[string]api.Report{
			"smartglocal": {Doc: "Days.", Columns: []string{"from", "until"}, Write: goodReport},
			"good":        {Write: goodReport}, "bad": {Write: badReport}, "broken": {Write: brokenReport},
		},
		Replay: func(ctx context.Context, meta payment.Meta, tenant *payment.Tenant, what webhook.Replay) (webhook.Replayed, error) {
			return replay.Replay(ctx, meta, tenant, what)
		},
		StreamPause: time.Millisecond,
		Now:         w.now, NewID: newID, IsSandbox: true, Connector: "sandbox", Log: log,
		Connectors: []string{"sandbox", "sandbox_captures"},
	})
	router := webhook.NewRouter(a.Voice())
	replay = webhook.Replayer{Engine: late, Feed: w.store, Reader: w.store, Memory: w.store, Router: router}
	w.engine = engine.New(engine.Config{
		Store: w.store, Router: router, Starter: nobody{}, NewID: newID, Lanes: 1,
		Log: log, Metrics: nobody{}, Connectors: payment.Connectors{"sandbox_captures": {RefundsCaptures: true}},
	})
	late.engine, late.router = w.engine, router
	w.run(t)
	w.tenant, w.key = w.newTenant(t, "shop")
	_, w.stranger = w.newTenant(t, "stranger")
	w.serve(t, a)
	return w
}

type lateEngine struct {
	engine *engine.Engine
	router engine.Router
}

func (l *lateEngine) Route(telling payment.Telling, tenant *payment.Tenant) []engine.Route {
	return l.router.Route(telling, tenant)
}

func (l *lateEngine) Do(ctx context.Context, c payment.Command, finish ...payment.TaskRef) (payment.Answer, error) {
	return l.engine.Do(ctx, c, finish...)
}

// importDialect is what the dialect must know of an imported payment.
func importDialect(line wire.Value) ([]byte, []payment.Alias, error) {
	session, _ := line.Get("session").Text()
	return []byte(`{}`), []payment.Alias{{Kind: "dialect.session", Value: session}}, nil
}

// makeProject makes a credential of the dialect's own kind.
func makeProject(_ context.Context, id auth.CredentialID, tenant payment.TenantID, body wire.Value,
) (auth.Credential, map[string]string, error) {
	name, _ := body.Get("name").Text()
	if name == "" {
		return auth.Credential{}, nil, fault.New(fault.Invalid, "a project has a name")
	}
	return auth.Credential{Tenant: tenant, ID: id, Kind: "project", Lookup: name, Public: `{"key": 1}`},
		map[string]string{"provider_key": "PEM"}, nil
}

func (w *world) run(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.engine.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (w *world) newTenant(t testing.TB, name string) (payment.TenantID, string) {
	t.Helper()
	by := auth.By{Actor: "operator:test"}
	tenant, err := w.auth.CreateTenant(t.Context(), by, name)
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := w.auth.CreateAPIKey(t.Context(), by, tenant.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	return tenant.ID, key.Reveal()
}

// serve lets callers in at one server, and operators at another, as a service does.
func (w *world) serve(t testing.TB, a *api.API) {
	t.Helper()
	mux := http.NewServeMux()
	a.Register(mux)
	w.server = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(answer, r.WithContext(wire.WithAddress(r.Context(), "203.0.113.7"))) // as package web does
	}))
	operator := auth.Identity{Actor: "operator:local", IsOperator: true}
	w.operator = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(answer, r.WithContext(api.WithIdentity(r.Context(), operator)))
	}))
	t.Cleanup(w.server.Close)
	t.Cleanup(w.operator.Close)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any // of a JSON object
}

// member returns a number of the answer's body.
func (a answer) number(t *testing.T, name string) int64 {
	t.Helper()
	number, ok := a.body[name].(json.Number)
	if !ok {
		t.Fatalf("no number %s in %d %s", name, a.status, a.text)
	}
	whole, err := number.Int64()
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

func (a answer) string(t testing.TB, name string) string {
	t.Helper()
	text, ok := a.body[name].(string)
	if !ok {
		t.Fatalf("no text %s in %d %s", name, a.status, a.text)
	}
	return text
}

// send sends a request to one of the servers. Headers are "Name: value".
func send(t testing.TB, server *httptest.Server, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	got, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: got.StatusCode, header: got.Header, text: string(text)}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	_ = decoder.Decode(&a.body) // not every answer is an object
	return a
}

// call sends a request with the tenant's key.
func (w *world) call(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	return send(t, w.server, method, path, body, append(headers, "Authorization: Bearer "+w.key)...)
}

// operate sends a request as an operator, about the tenant.
func (w *world) operate(t testing.TB, method, path, body string) answer {
	t.Helper()
	return send(t, w.operator, method, path, body, "Refundry-Tenant: shop")
}

// want ends the test if the answer has another status.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d %s, want %d", a.status, a.text, status)
	}
	return a
}

// wantCode ends the test if the answer is no problem with this status and code.
func (a answer) wantCode(t *testing.T, status int, code string) answer {
	t.Helper()
	a.want(t, status)
	if got := a.string(t, "code"); got != code {
		t.Fatalf("got code %s in %s, want %s", got, a.text, code)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("got %s, want application/problem+json", got)
	}
	return a
}

// capture makes a captured payment and returns its id.
func (w *world) capture(t testing.TB, amount string) string {
	t.Helper()
	return w.call(t, "POST", "/v1/payments", `{"amount": `+amount+`, "currency": "EUR"}`).want(t, 201).string(t, "id")
}
