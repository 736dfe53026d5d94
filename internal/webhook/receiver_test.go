package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/webhook"
)

// shop is the front door that tests listen at.
const shop payment.Door = "shop"

// secret is what its deliveries are signed with.
const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

// voice tells of refunds, in its own words.
type voice struct {
	auth     *auth.Auth
	gaps     []time.Duration // nil: once
	timeout  time.Duration   // 0: a minute
	anyOrder bool
	obeys    bool
	patience time.Duration // 0: for ever
	always   bool          // any answer ends a delivery
	words    []string      // what it calls an event; nil: "opened"
	jitter   float64
	tells    func(payment.Telling) []webhook.Told             // nil: that a refund was opened
	isOver   func(event webhook.Event, now payment.View) bool // nil: nothing ever is
}

func (*voice) Door() payment.Door { return shop }

func (v *voice) Tells(telling payment.Telling, _ *payment.Tenant, _ payment.Endpoint) []webhook.Told {
	if v.tells != nil {
		return v.tells(telling)
	}
	kind := telling.Event.Kind
	if kind != payment.EventRefundCreated && kind != payment.EventEndpointTried {
		return nil
	}
	words := v.words
	if words == nil {
		words = []string{"opened"}
	}
	var told []webhook.Told
	for _, word := range words {
		one := webhook.Told{Word: word}
		if !v.anyOrder {
			one.Thread = telling.Payment.ID
		}
		told = append(told, one)
	}
	return told
}

func (v *voice) Patience(setting.Values) time.Duration { return v.patience }

func (v *voice) Obeys() bool { return v.obeys }

func (v *voice) Jitter() float64 { return v.jitter }

func (v *voice) IsOver(event webhook.Event, now payment.View) bool {
	return v.isOver != nil && v.isOver(event, now)
}

func (*voice) Body(event webhook.Event, view payment.View, _ *payment.Tenant) ([]byte, error) {
	return fmt.Appendf(nil, `{"word":%q,"version":%d,"refunds":%d,"reserved":%d}`,
		event.Word, event.Version, len(view.Refunds), view.Payment.Reserved), nil
}

// Sign signs with the endpoint's secret; a callback of a payment's own is not signed.
func (v *voice) Sign(ctx context.Context, letter webhook.Letter) (http.Header, []byte, error) {
	if letter.Endpoint.IsZero() {
		return http.Header{"Content-Type": {"application/json"}}, letter.Body, nil
	}
	key, err := v.auth.EndpointSecret(ctx, letter.Tenant, letter.Endpoint)
	if err != nil {
		return nil, nil, err
	}
	return webhook.SignStandard(webhook.StandardKeys{Secrets: [][]byte{key}}, letter), letter.Body, nil
}

func (v *voice) Schedule(webhook.Event, setting.Values) ([]time.Duration, time.Duration) {
	gaps, timeout := v.gaps, v.timeout
	if gaps == nil {
		gaps = []time.Duration{0}
	}
	if timeout == 0 {
		timeout = time.Minute
	}
	return gaps, timeout
}

func (v *voice) Acknowledges(status int) bool { return v.always || (status >= 200 && status < 300) }

// receiver is a merchant's server that answers when the test says so.
type receiver struct {
	url   string
	calls chan *call
	over  chan struct{}
}

// call is a webhook that waits for its answer.
type call struct {
	header http.Header
	body   string
	status chan int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{calls: make(chan *call, 100), over: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(r.receive))
	r.url = server.URL + "/refunds?shop=1"
	t.Cleanup(func() {
		close(r.over)
		server.Close()
	})
	return r
}

func (r *receiver) receive(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	c := &call{header: request.Header, body: string(body), status: make(chan int, 1)}
	r.calls <- c
	select {
	case status := <-c.status:
		w.WriteHeader(status)
	case <-request.Context().Done():
	case <-r.over:
	}
}

// next waits for the next webhook.
func (r *receiver) next(t *testing.T) *call {
	t.Helper()
	select {
	case c := <-r.calls:
		return c
	case <-time.After(patience):
		t.Fatal("no webhook came")
		return nil
	}
}

// none ends the test if a webhook has come.
func (r *receiver) none(t *testing.T) {
	t.Helper()
	select {
	case c := <-r.calls:
		t.Fatalf("a webhook came: %s", c.body)
	default:
	}
}

// answers answers the next webhook and returns its body.
func (r *receiver) answers(t *testing.T, status int) string {
	t.Helper()
	c := r.next(t)
	c.status <- status
	return c.body
}
