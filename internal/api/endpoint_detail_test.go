package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// What only a front door understands of its endpoints goes to that door, and to
// no other.
func TestEndpointsOfPrimerHaveDetails(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		made := w.call(t, "POST", "/v1/endpoints", `{"door": "primer", "url": "https://shop.example/primer",
			"description": "Refunds", "types": ["PAYMENT.REFUND"]}`).want(t, 201)
		if !strings.Contains(made.text, `"detail":{"description":"Refunds","types":["PAYMENT.REFUND"]}`) {
			t.Errorf("got %s", made.text)
		}
		path := "/v1/endpoints/" + made.string(t, "id")
		w.call(t, "PATCH", path, `{"is_disabled": true}`).want(t, 200)
		if kept := w.call(t, "GET", path, "").want(t, 200); !strings.Contains(kept.text, `"types":["PAYMENT.REFUND"]`) {
			t.Errorf("a change of something else has changed it: %s", kept.text)
		}
		w.call(t, "PATCH", path, `{"types": ["payment.refund"]}`).wantCode(t, 422, "invalid_request")
		w.call(t, "PATCH", path, `{"types": ["PAYMENT.REFUND"], "description": "4242424242424242"}`).
			wantCode(t, 422, "card_number_refused")
		w.call(t, "POST", "/v1/endpoints", `{"url": "https://shop.example/x", "description": "x"}`).wantCode(t, 422, "invalid_request")
		w.call(t, "POST", "/v1/endpoints", `{"door": "chip", "url": "https://shop.example/x", "types": ["PAYMENT.REFUND"]}`).
			wantCode(t, 422, "invalid_request")
	})
}

// An endpoint says how its deliveries go.
func TestEndpointsShowTheirHealth(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		path := "/v1/endpoints/" + w.call(t, "POST", "/v1/endpoints", `{"url": "`+w.hear+`", "kinds": ["dispute.won"]}`).
			want(t, 201).string(t, "id")
		if none := w.call(t, "GET", path, "").want(t, 200); !strings.Contains(none.text,
			`"health":{"state":"healthy","waiting":0,"deliveries":0,"delivered":0,"failing":0,"given_up":0}`) {
			t.Errorf("got %s", none.text)
		}
		w.call(t, "POST", path+"/test", "").want(t, 202)
		eventually(t, "the webhook arrives", func() bool {
			got := w.call(t, "GET", path, "").text
			return strings.Contains(got, `"health":{"state":"healthy","last_success_at":"`) &&
				strings.Contains(got, `"deliveries":1,"delivered":1,"failing":0,"given_up":0}`)
		})
	})
}

// hearing is somebody who hears webhooks, and answers with a status.
func hearing(t *testing.T, status int) (url string, heard func() []string) {
	t.Helper()
	var mutex sync.Mutex
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mutex.Lock()
		defer mutex.Unlock()
		bodies = append(bodies, string(body))
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		return slices.Clone(bodies)
	}
}

// told returns the only webhook of a kind that was heard, once it is.
func told(t *testing.T, heard func() []string, kind string) (body string) {
	t.Helper()
	eventually(t, kind+" is told", func() bool {
		at := slices.IndexFunc(heard(), func(body string) bool { return strings.Contains(body, `{"type":"`+kind+`"`) })
		if at >= 0 {
			body = heard()[at]
		}
		return at >= 0
	})
	return body
}

// An endpoint to which nothing can be delivered for five days is disabled. The
// tenant's others are told so, and that somebody has enabled it again.
func TestEndpointsThatFailForDaysAreDisabled(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		broken, _ := hearing(t, http.StatusInternalServerError)
		well, heard := hearing(t, http.StatusNoContent)
		add := func(url string) string {
			return w.call(t, "POST", "/v1/endpoints", `{"url": "`+url+`"}`).want(t, 201).string(t, "id")
		}
		id := add(broken)
		add(well)
		path := "/v1/endpoints/" + id
		w.call(t, "POST", path+"/test", "").want(t, 202)
		eventually(t, "it fails", func() bool {
			return strings.Contains(w.call(t, "GET", path, "").text, `"health":{"state":"failing","failing_since":"`)
		})
		if got := w.call(t, "GET", path, "").text; !strings.Contains(got, `"status_code":500}`) ||
			!strings.Contains(got, `"waiting":1,"next_attempt_at":"`) {
			t.Errorf("got %s", got)
		}
		w.pass(t, 120*time.Hour)
		body := told(t, heard, "endpoint.disabled")
		if !strings.Contains(body, `"data":{"endpoint":"`+id+`","reason":"failing","failing_since":"`) {
			t.Errorf("told %s", body)
		}
		if got := w.call(t, "GET", path, "").text; !strings.Contains(got, `"disabled_for":"failing"`) ||
			!strings.Contains(got, `"health":{"state":"disabled"`) {
			t.Errorf("got %s", got)
		}
		if got := w.call(t, "PATCH", path, `{"is_disabled": false}`).want(t, 200).text; strings.Contains(got, "disabled_for") ||
			!strings.Contains(got, `"health":{"state":"healthy","last_failure"`) {
			t.Errorf("got %s", got)
		}
		if body := told(t, heard, "endpoint.enabled"); !strings.Contains(body, `"data":{"endpoint":"`+id+`"}`) {
			t.Errorf("told %s", body)
		}
		feed := w.call(t, "GET", "/v1/events", "").want(t, 200).text
		if !strings.Contains(feed, `"kind":"endpoint.disabled","endpoint":"`+id) || !strings.Contains(feed, `"reason":"failing"`) ||
			!strings.Contains(feed, `"kind":"endpoint.enabled","endpoint":"`+id) {
			t.Errorf("the feed has %s", feed)
		}
	})
}

// What somebody disables is told too, and only to those who take it.
func TestDisabledEndpointsAreTold(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		well, heard := hearing(t, http.StatusNoContent)
		deaf, silence := hearing(t, http.StatusNoContent)
		w.call(t, "POST", "/v1/endpoints", `{"url": "`+well+`", "kinds": ["endpoint.disabled"], "format": "cloudevents"}`).want(t, 201)
		w.call(t, "POST", "/v1/endpoints", `{"url": "`+deaf+`", "kinds": ["refund.succeeded"]}`).want(t, 201)
		path := "/v1/endpoints/" + w.call(t, "POST", "/v1/endpoints", `{"url": "`+deaf+`"}`).want(t, 201).string(t, "id")
		w.call(t, "PATCH", path, `{"is_disabled": true}`).want(t, 200)
		w.call(t, "PATCH", path, `{"is_disabled": true}`).want(t, 200)
		eventually(t, "it is told", func() bool { return len(heard()) > 0 })
		if got := heard(); len(got) != 1 || !strings.Contains(got[0], `"type":"com.refundry.endpoint.disabled"`) ||
			!strings.Contains(got[0], `"reason":"asked"`) {
			t.Errorf("told %s", got)
		}
		if got := silence(); len(got) != 0 {
			t.Errorf("told %s", got)
		}
	})
}

// Whoever tests an endpoint is told which delivery that is, however many test
// it at once. A replay says where its deliveries begin.
func TestWhatWasSentIsNamed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		makePayment(t, w)
		path := "/v1/endpoints/" + w.call(t, "POST", "/v1/endpoints", `{"url": "`+w.hear+`"}`).want(t, 201).string(t, "id")
		var mutex sync.Mutex
		named := map[string]bool{}
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				tried := w.call(t, "POST", path+"/test", "")
				id, _ := tried.body["id"].(string)
				mutex.Lock()
				defer mutex.Unlock()
				named[id] = tried.status == http.StatusAccepted && tried.header.Get("Location") == "/v1/deliveries/"+id
			})
		}
		wait.Wait()
		for id, isRight := range named {
			if read := w.call(t, "GET", "/v1/deliveries/"+id, ""); !isRight || read.body["kind"] != "endpoint.tried" {
				t.Errorf("%s: %t, read %s", id, isRight, read.text)
			}
		}
		if len(named) != 20 {
			t.Errorf("20 tests have named %d deliveries", len(named))
		}
		replayed := w.call(t, "POST", path+"/replay", `{}`).want(t, 202)
		list := w.call(t, "GET", "/v1/deliveries?since="+replayed.string(t, "first"), "").want(t, 200)
		if made := int64(strings.Count(list.text, `"kind":`)); made == 0 || made != replayed.number(t, "deliveries") ||
			strings.Contains(list.text, "endpoint.tried") {
			t.Errorf("a replay of %s has made %s", replayed.text, list.text)
		}
		none := w.call(t, "POST", path+"/replay", `{"until": "2001-01-01T00:00:00Z"}`).want(t, 202)
		if _, isThere := none.body["first"]; isThere {
			t.Errorf("a replay of nothing: %s", none.text)
		}
		w.call(t, "GET", "/v1/deliveries?since=dlv_1", "").wantCode(t, 422, "invalid_request")
	})
}
