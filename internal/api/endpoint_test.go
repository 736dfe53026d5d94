package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

func TestEndpointsAreChanged(t *testing.T) {
	t.Parallel()
	w := setup(t)
	made := w.call(t, "POST", "/v1/endpoints", `{"url": "https://shop.example/a", "kinds": ["refund.created"], "is_ordered": true, "format": "cloudevents"}`).
		want(t, 201)
	path := "/v1/endpoints/" + made.string(t, "id")
	if made.header.Get("Location") != path || made.body["is_ordered"] != true || made.body["format"] != "cloudevents" {
		t.Errorf("made %s at %s", made.text, made.header.Get("Location"))
	}
	for _, step := range []struct{ change, want string }{
		{`{}`, `"url":"https://shop.example/a","kinds":["refund.created"],"is_disabled":false,"is_ordered":true,"format":"cloudevents"`},
		{`{"url": "https://shop.example/b"}`, `"url":"https://shop.example/b","kinds":["refund.created"],"is_disabled":false`},
		{`{"is_disabled": true, "kinds": null}`, `"kinds":["refund.created"],"is_disabled":true`},
		{`{"kinds": [], "is_ordered": false}`, `"url":"https://shop.example/b","is_disabled":true,"disabled_for":"asked","format":"cloudevents"`},
		{`{"is_disabled": false, "format": "plain"}`, `"url":"https://shop.example/b","is_disabled":false,"created_at"`},
	} {
		changed := w.call(t, "PATCH", path, step.change).want(t, 200)
		read := w.call(t, "GET", path, "").want(t, 200)
		if !strings.Contains(changed.text, step.want) || read.text != changed.text {
			t.Errorf("%s: got %s, read %s", step.change, changed.text, read.text)
		}
	}
	for _, bad := range []string{
		`{"url": ""}`, `{"url": "ftp://x"}`, `{"url": "https://user:secret@x"}`, `{"kinds": [1]}`, `{"is_disabled": "yes"}`,
		`{"format": "xml"}`, `{"secret": "whsec_x"}`,
	} {
		w.call(t, "PATCH", path, bad).wantCode(t, 422, "invalid_request")
	}
	theirs := w.call(t, "POST", "/v1/endpoints", `{"url": "https://shop.example/c", "door": "dialect"}`).want(t, 201)
	if theirs.body["secret"] != nil || theirs.body["public_key"] != nil {
		t.Errorf("another door signs with keys of its own: %s", theirs.text)
	}
	other := "/v1/endpoints/" + theirs.string(t, "id")
	w.call(t, "PATCH", other, `{"is_ordered": true}`).wantCode(t, 422, "invalid_request")
	w.call(t, "POST", other+"/rotate", "").wantCode(t, 409, "conflict")
	w.call(t, "POST", other+"/test", "").wantCode(t, 409, "conflict")
}

// What is told after a rotation is signed with both secrets until the overlap
// has ended, and a disabled endpoint is told what it missed by a replay.
func TestEndpointsAreRotatedAndReplayed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	made := w.call(t, "POST", "/v1/endpoints", `{"url": "https://shop.example/a"}`).want(t, 201)
	path := "/v1/endpoints/" + made.string(t, "id")
	rotated := w.call(t, "POST", path+"/rotate", `{"overlap_seconds": 60}`).want(t, 200)
	if rotated.string(t, "secret") == made.string(t, "secret") || rotated.string(t, "previous_until") != "2026-03-01T12:01:00.000000Z" {
		t.Errorf("rotated: %s", rotated.text)
	}
	for _, step := range []struct{ seconds, want int }{{0, 2}, {59, 2}, {60, 1}} {
		w.offset.Store(int64(step.seconds))
		if got := w.signatures(t, made.string(t, "id")); got != step.want {
			t.Errorf("after %d s there are %d signatures, want %d", step.seconds, got, step.want)
		}
	}
	w.call(t, "PATCH", path, `{"is_disabled": true}`).want(t, 200)
	w.call(t, "POST", path+"/test", "").wantCode(t, 409, "conflict")
	w.call(t, "POST", path+"/replay", "").wantCode(t, 409, "conflict")
	of := w.capture(t, "100")
	w.call(t, "PATCH", path, `{"is_disabled": false}`).want(t, 200)
	if got := w.read(t, "/v1/deliveries?payment="+of, "deliveries"); len(got) != 0 {
		t.Errorf("a disabled endpoint is told %v", got)
	}
	replayed := w.call(t, "POST", path+"/replay", `{"from": "2026-03-01T12:01:00Z"}`).want(t, 202)
	if replayed.number(t, "deliveries") != 1 || replayed.body["has_more"] != false {
		t.Errorf("replayed: %s", replayed.text)
	}
	if got := w.read(t, "/v1/deliveries?payment="+of, "deliveries"); len(got) != 1 {
		t.Errorf("after the replay it is told %v", got)
	}
	missed := w.call(t, "POST", path+"/replay", `{"only_missed": true}`).want(t, 202)
	if missed.number(t, "deliveries") != 0 {
		t.Errorf("what is on its way was missed: %s", missed.text)
	}
	page := w.call(t, "POST", path+"/replay", `{"limit": 1}`).want(t, 202)
	rest := w.call(t, "POST", path+"/replay", fmt.Sprintf(`{"after": %q}`, page.string(t, "next"))).want(t, 202)
	if page.body["has_more"] != true || page.number(t, "deliveries")+rest.number(t, "deliveries") != 1 {
		t.Errorf("in two: %s, %s", page.text, rest.text)
	}
	w.call(t, "POST", path+"/replay", `{"after": "x"}`).wantCode(t, 422, "invalid_request")
}

// signatures returns how many of version v1 an attempt to an endpoint has.
func (w *world) signatures(t *testing.T, endpoint string) int {
	t.Helper()
	var id payment.EndpointID
	if err := id.Parse(endpoint); err != nil {
		t.Fatal(err)
	}
	header, _, err := api.New(api.Config{Auth: w.auth}).Voice().Sign(t.Context(), webhook.Letter{
		Tenant: w.tenant, Endpoint: id, Sent: w.now(), Body: []byte(`{}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(header.Get("Webhook-Signature"), "v1,")
}

// What endpoints are told is as the document says.
func TestWebhooksKeepTheContract(t *testing.T) {
	t.Parallel()
	w := setup(t)
	c := newContract(t)
	endpoint := w.call(t, "POST", "/v1/endpoints", `{"url": "https://shop.example/a"}`).want(t, 201).string(t, "id")
	w.fill(t, "$PAYMENT $SCHEDULED $WAITING $DISPUTE $BATCH")
	w.call(t, "POST", "/v1/endpoints/"+endpoint+"/test", "").want(t, 202)
	deliveries, err := w.store.Deliveries(t.Context(), w.tenant, webhook.Filter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	voice := api.New(api.Config{Auth: w.auth}).Voice()
	nouns := map[string]bool{}
	for _, delivery := range deliveries {
		var view payment.View
		if !delivery.Event.Payment.IsZero() {
			if view, err = w.store.View(t.Context(), w.tenant, delivery.Event.Payment); err != nil {
				t.Fatal(err)
			}
		}
		body, err := voice.Body(delivery.Event, view, &payment.Tenant{ID: w.tenant})
		if err != nil {
			t.Fatal(err)
		}
		noun, _, _ := strings.Cut(string(delivery.Event.Kind), ".")
		nouns[noun] = true
		declared := c.strict.Webhooks[noun]
		if declared == nil {
			t.Errorf("%s is told and not declared", delivery.Event.Kind)
			continue
		}
		schema := declared.Operations()[http.MethodPost].RequestBody.Value.Content["application/json"].Schema.Value
		if err := valid(schema, string(body)); err != nil {
			t.Errorf("%s is told otherwise than declared: %v", delivery.Event.Kind, err)
		}
	}
	for noun := range c.strict.Webhooks {
		if !nouns[noun] {
			t.Errorf("nothing is told of a %s", noun)
		}
	}
}

// What was imported is told nobody, a replay's endpoint neither; what happened
// to it since is.
func TestAReplayTellsNoImports(t *testing.T) {
	t.Parallel()
	w := setup(t)
	made := w.call(t, "POST", "/v1/endpoints", `{"url": "https://shop.example/a"}`).want(t, 201)
	line := w.operate(t, "POST", "/v1/payments/import", `{"id": "old-1", "amount": 500, "currency": "EUR"}`).want(t, 200).lines(t)[0]
	path := "/v1/endpoints/" + made.string(t, "id") + "/replay"
	if got := w.call(t, "POST", path, "").want(t, 202); got.number(t, "deliveries") != 0 {
		t.Errorf("an import is told: %s", got.text)
	}
	w.call(t, "POST", "/v1/refunds", refundOf(fmt.Sprint(line["id"]), 100)).want(t, 201)
	if got := w.call(t, "POST", path, "").want(t, 202); got.number(t, "deliveries") != 1 {
		t.Errorf("its refund is not: %s", got.text)
	}
}
