package api_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
)

// follow opens a stream, and returns how its next event is read: its id, its
// kind and what it says.
func follow(t *testing.T, w *world, path string, headers ...string) func() (id, kind, data string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.key)
	r.Header.Set("Accept", "text/event-stream")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	got, err := w.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = got.Body.Close() })
	if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %d %s", got.StatusCode, got.Header)
	}
	lines := bufio.NewScanner(got.Body)
	return func() (id, kind, data string) {
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				id = value
			case "event":
				kind = value
			case "data":
				return id, kind, value
			}
		}
		return "", "", "" // it has ended
	}
}

// A stream has what the pages have, goes on as things happen, and goes on where
// another broke off.
func TestStreamTellsEveryEventOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.capture(t, "100")
	next := follow(t, w, "/v1/events")
	var seen []string
	var last string
	for len(seen) == 0 || !strings.HasPrefix(seen[len(seen)-1], "payment.captured") {
		id, kind, data := next()
		seen, last = append(seen, kind+" "+data), id
	}
	of := w.capture(t, "200")
	id, kind, data := next()
	seen = append(seen, kind+" "+data)
	if kind != "payment.captured" || !strings.Contains(data, of) || id <= last {
		t.Errorf("behind %s came %s %s %s", last, id, kind, data)
	}
	page := w.call(t, "GET", "/v1/events?limit=1000", "").want(t, 200)
	events, _ := page.body["events"].([]any)
	if len(events) != len(seen) {
		t.Errorf("the stream has %d events, the page %d", len(seen), len(events))
	}
	for _, resumed := range []func() (string, string, string){
		follow(t, w, "/v1/events", "Last-Event-ID: "+last), follow(t, w, "/v1/events?after="+last),
		follow(t, w, "/v1/events?after=1-0", "Last-Event-ID: "+last),
	} {
		if again, _, got := resumed(); again != id || got != data {
			t.Errorf("behind %s came %s %s, want %s", last, again, got, id)
		}
	}
	w.call(t, "GET", "/v1/events?after=x", "", "Accept: text/event-stream").wantCode(t, 422, "invalid_request")
}

// A stream ends when its server stops: a stop need not wait for it.
func TestStreamEndsWithTheServer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	next := follow(t, w, "/v1/events")
	for kind := ""; kind != "key.created"; {
		_, kind, _ = next()
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := w.server.Config.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if id, _, _ := next(); id != "" {
		t.Errorf("after the stop came %s", id)
	}
}

func TestStreamsAreCounted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for range api.StreamsMax {
		follow(t, w, "/v1/events")
	}
	got := w.call(t, "GET", "/v1/events", "", "Accept: text/event-stream").wantCode(t, 503, "unavailable")
	if got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// quiet is a feed in which nothing happens, and a store that knows a key until
// it is revoked.
type quiet struct {
	auth.Store

	mutex     sync.Mutex
	isRevoked bool
}

func (q *quiet) Events(context.Context, payment.TenantID, payment.Cursor, int) ([]payment.FeedEvent, error) {
	return nil, nil
}

func (q *quiet) Credential(context.Context, auth.Kind, string) (auth.Credential, error) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if q.isRevoked {
		return auth.Credential{}, fmt.Errorf("no such key")
	}
	return auth.Credential{Tenant: payment.TenantID{1}}, nil
}

// A quiet stream says that it is alive, and ends soon after its key.
func TestQuietStreamBeatsUntilItsKeyIsRevoked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &quiet{}
		mux := http.NewServeMux()
		api.New(api.Config{
			Feed: q, Auth: auth.New(auth.Config{Store: q, Now: time.Now, Machine: time.Now}),
		}).Register(mux)
		answer := httptest.NewRecorder()
		done := make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		go func() {
			defer close(done)
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/events", nil)
			r.Header.Set("Authorization", "Bearer rfk_x")
			r.Header.Set("Accept", "text/html, text/event-stream; q=0.5")
			mux.ServeHTTP(answer, r)
		}()
		time.Sleep(3*api.StreamBeat + time.Second)
		synctest.Wait()
		if beats := strings.Count(answer.Body.String(), ": alive\n\n"); beats != 3 {
			t.Errorf("%d beats in 3 pauses", beats)
		}
		q.mutex.Lock()
		q.isRevoked = true
		q.mutex.Unlock()
		began := time.Now()
		<-done
		if took := time.Since(began); took > api.StreamBeat {
			t.Errorf("it ended after %s", took)
		}
	})
}

// What is written of an event is what a page shows of it.
func TestStreamShowsWhatPagesShow(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.fill(t, "$SCHEDULED $ENDPOINT")
	page := w.call(t, "GET", "/v1/events?limit=1000", "").want(t, 200)
	events, _ := page.body["events"].([]any)
	next := follow(t, w, "/v1/events")
	var shown []string
	for range events {
		_, _, data := next()
		shown = append(shown, data)
	}
	if whole := `{"events":[` + strings.Join(shown, ",") + `]`; !strings.HasPrefix(page.text, whole) {
		t.Errorf("the page is %s, the stream %s", page.text, whole)
	}
	if !slices.ContainsFunc(shown, func(text string) bool { return strings.Contains(text, "endpoint.created") }) {
		t.Error("no event is about the endpoint")
	}
}
