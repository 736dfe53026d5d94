package smartglocal_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/webhook"
)

// world is the front door over a real store and a real engine. Nobody runs
// jobs: tests say themselves what the outside world does.
type world struct {
	t        *testing.T
	url      string
	folder   string // of the store
	door     *smartglocal.Door
	engine   *engine.Engine
	store    *sqlite.Store
	reader   *countingReader
	auth     *auth.Auth
	tenant   payment.TenantID
	log      *safeBuffer
	newID    func() [16]byte
	offset   atomic.Int64 // microseconds by which time has moved on
	mutex    sync.Mutex
	tellings []payment.Telling
}

// began is when time stands still in tests, until they move it.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (w *world) now() time.Time { return began.Add(time.Duration(w.offset.Load()) * time.Microsecond) }

func (w *world) pass(by time.Duration) { w.offset.Add(by.Microseconds()) }

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

// Route implements [engine.Router]: the world hears everything.
func (w *world) Route(telling payment.Telling, _ *payment.Tenant) []engine.Route {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.tellings = append(w.tellings, telling)
	return nil
}

// countingReader counts questions.
type countingReader struct {
	payment.Reader
	count atomic.Int64
}

func (r *countingReader) View(ctx context.Context, t payment.TenantID, id payment.PaymentID) (payment.View, error) {
	r.count.Add(1)
	return r.Reader.View(ctx, t, id)
}

func (r *countingReader) Order(ctx context.Context, t payment.TenantID, id payment.OrderID,
) (payment.Order, []payment.Facet, error) {
	r.count.Add(1)
	return r.Reader.Order(ctx, t, id)
}

func (r *countingReader) Find(ctx context.Context, t payment.TenantID, a payment.Alias) ([16]byte, bool, error) {
	r.count.Add(1)
	return r.Reader.Find(ctx, t, a)
}

func (r *countingReader) Key(ctx context.Context, t payment.TenantID, h payment.KeyHash) (*payment.KeyRecord, error) {
	r.count.Add(1)
	return r.Reader.Key(ctx, t, h)
}

type lateEngine struct{ engine *engine.Engine }

func (l *lateEngine) Do(ctx context.Context, c payment.Command, finish ...payment.TaskRef) (payment.Answer, error) {
	return l.engine.Do(ctx, c, finish...)
}

// setup starts a sandbox's front door with a project of each brand that is named.
func setup(t *testing.T, brands ...smartglocal.Brand) *world {
	t.Helper()
	return start(t, true, brands...)
}

func start(t *testing.T, isSandbox bool, brands ...smartglocal.Brand) *world {
	t.Helper()
	w := &world{t: t, folder: t.TempDir(), log: &safeBuffer{}, newID: countingIDs()}
	log := slog.New(slog.NewJSONHandler(w.log, nil))
	var err error
	if w.store, err = sqlite.Open(sqlite.Config{
		Path: filepath.Join(w.folder, "refundry.db"), Now: w.now, Machine: time.Now, NewID: w.newID,
		Lease: time.Minute, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	w.auth = auth.New(auth.Config{
		Store: w.store, Keyring: keyring(), Specs: slices.Concat(payment.PolicySpecs, smartglocal.Specs()),
		Now: w.now, Machine: w.now, NewID: w.newID,
	})
	late := &lateEngine{}
	w.reader = &countingReader{Reader: w.store}
	w.door = smartglocal.New(dialect.Config{
		Engine: late, Reader: w.reader, Auth: w.auth, Now: w.now, NewID: w.newID, IsSandbox: isSandbox,
		Connector: "sandbox", Log: log,
	})
	w.engine = engine.New(engine.Config{
		Store: w.store, Router: w, Starter: nobody{}, NewID: w.newID, Lanes: 1, Log: log, Metrics: nobody{},
	})
	late.engine = w.engine
	w.run()
	mux := http.NewServeMux()
	w.door.Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.tenant = w.newTenant("shop")
	for _, brand := range brands {
		w.newProject(w.tenant, brand, string(brand))
	}
	return w
}

func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.engine.Run(ctx)
	}()
	w.t.Cleanup(func() {
		cancel()
		<-done
		if err := w.store.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

var by = auth.By{Actor: "operator:test"}

func (w *world) newTenant(name string) payment.TenantID {
	w.t.Helper()
	tenant, err := w.auth.CreateTenant(w.t.Context(), by, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return tenant.ID
}

// newProject makes a project whose merchant signs with the tests' key.
func (w *world) newProject(tenant payment.TenantID, brand smartglocal.Brand, name string) auth.Credential {
	w.t.Helper()
	id := auth.CredentialID(w.newID())
	made, _ := projects.LoadOrStore(tenant.String()+id.String()+string(brand)+name,
		sync.OnceValues(func() (auth.Credential, error) {
			return smartglocal.NewProject(context.Background(), w.auth, id, tenant, brand, name,
				pemOf(w.t, &merchant().PublicKey))
		}))
	project, err := made.(func() (auth.Credential, error))()
	if err != nil {
		w.t.Fatal(err)
	}
	if project, err = w.auth.PutCredential(w.t.Context(), by, project); err != nil {
		w.t.Fatal(err)
	}
	return project
}

// Making an RSA key takes long, so that worlds share what has one: projects by
// their ids, which are the same in every world, and the key of all merchants.
var (
	projects sync.Map
	keyring  = sync.OnceValue(func() *auth.Keyring {
		keyring, err := auth.NewKeyring()
		if err != nil {
			panic(err)
		}
		return keyring
	})
	merchant = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })
)

func newKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

func pemOf(t *testing.T, key *rsa.PublicKey) string {
	t.Helper()
	text, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: text}))
}

func sign(t *testing.T, key *rsa.PrivateKey, body string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(signature)
}

// set changes settings of the tenant.
func (w *world) set(name string, value any) {
	w.t.Helper()
	if err := w.auth.SetSettings(w.t.Context(), by, w.tenant, map[string]any{name: value}); err != nil {
		w.t.Fatal(err)
	}
}

// do runs a command, as somebody else would.
func (w *world) do(command payment.Command) payment.Answer {
	w.t.Helper()
	answer, err := w.engine.Do(w.t.Context(), command)
	if err != nil {
		w.t.Fatalf("%T: %v", command, err)
	}
	return answer
}

func (w *world) meta() payment.Meta { return payment.Meta{Tenant: w.tenant, Actor: "test"} }

// reply is what came back.
type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// at returns what is at a path, as in "session.acquiring_payments.0.refunds".
func (r reply) at(path string) any { return at(r.body, path) }

func at(value any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch inner := value.(type) {
		case map[string]any:
			value = inner[step]
		case []any:
			n := int(step[0] - '0')
			if n >= len(inner) {
				return nil
			}
			value = inner[n]
		default:
			return nil
		}
	}
	return value
}

// raw sends a request as it is.
func (w *world) raw(method, path, body string, header http.Header) reply {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header = header
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	r := reply{status: response.StatusCode, header: response.Header, text: string(text)}
	if response.Header.Get("Content-Type") == "application/json" {
		r.body = wellFormed(w.t, text)
	}
	return r
}

// call calls a method of v1 as a merchant of a brand does.
func (w *world) call(brand smartglocal.Brand, method, body string, header ...string) reply {
	w.t.Helper()
	return w.callAs("v1", string(brand), method, body, header...)
}

// callAs calls a method of a version as a project's merchant.
func (w *world) callAs(version, project, method, body string, header ...string) reply {
	w.t.Helper()
	all := http.Header{"X-Partner-Project": {project}, "X-Partner-Sign": {sign(w.t, merchant(), body)}}
	for i := 0; i < len(header); i += 2 {
		all.Add(header[i], header[i+1])
	}
	return w.raw(http.MethodPost, "/api/"+version+"/"+method, body, all)
}

// hear returns the webhooks of a brand so far, rendered as of their events.
func (w *world) hear(brand smartglocal.Brand) []map[string]any {
	w.t.Helper()
	voice := w.voice(brand)
	tenant, err := w.auth.Tenant(w.t.Context(), w.tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mutex.Lock()
	tellings := slices.Clone(w.tellings)
	w.mutex.Unlock()
	var heard []map[string]any
	for _, telling := range tellings {
		event := telling.Event
		told := voice.Tells(telling, tenant, payment.Endpoint{})
		if len(told) == 0 || telling.IsImport || event.Tenant != w.tenant {
			continue
		}
		if told[0].Thread != [16]byte(event.Payment) {
			w.t.Errorf("%s is not in its session's thread", event.Kind)
		}
		view, err := w.store.View(w.t.Context(), w.tenant, event.Payment)
		if err != nil {
			w.t.Fatal(err)
		}
		body, err := voice.Body(webhook.Event{
			Kind: event.Kind, Word: told[0].Word, Payment: event.Payment, Subject: event.Subject, Version: event.Version, At: event.At,
		}, view.AsOf(event.Version), tenant)
		if err != nil {
			w.t.Fatal(err)
		}
		heard = append(heard, wellFormed(w.t, body))
	}
	return heard
}

func (w *world) voice(brand smartglocal.Brand) webhook.Voice {
	voices := w.door.Voices()
	return voices[slices.IndexFunc(voices, func(v webhook.Voice) bool { return v.Door() == brand.Door() })]
}

// types lists the types of webhooks.
func types(heard []map[string]any) []string {
	var list []string
	for _, body := range heard {
		list = append(list, body["type"].(string))
	}
	return list
}

// wellFormed reads a body and holds it to what every message must keep.
func wellFormed(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatalf("no JSON: %s", text)
	}
	if bytes.Contains(text, []byte("null")) {
		t.Errorf("null is emitted: %s", text)
	}
	if bytes.HasSuffix(text, []byte("\n")) || bytes.Contains(text, []byte(`\u0026`)) {
		t.Errorf("it is not written as the provider does: %s", text)
	}
	session, _ := body["session"].(map[string]any)
	for _, list := range []string{"acquiring_payments", "payment_list"} {
		payments, _ := session[list].([]any)
		for _, of := range payments {
			if _, ok := of.(map[string]any)["refunds"].([]any); !ok {
				t.Errorf("a payment without refunds: %s", text)
			}
		}
	}
	walk(body, func(name string, value any) {
		given, _ := value.(string)
		switch {
		case name == "currency" && given != strings.ToLower(given):
			t.Errorf("a currency is not in lower case: %s", text)
		case strings.HasSuffix(name, "_at") && !isTime(given):
			t.Errorf("%s is %q: %s", name, given, text)
		}
	})
	return body
}

func isTime(text string) bool {
	_, err := time.Parse("2006-01-02T15:04:05.000000Z", text)
	return err == nil && len(text) == len("2024-05-27T02:03:00.000000Z")
}

// walk sees every member of everything.
func walk(value any, see func(name string, value any)) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			see(name, member)
			walk(member, see)
		}
	case []any:
		for _, element := range value {
			walk(element, see)
		}
	}
}
