// Package webhook tells events to merchants' endpoints, signed and retried.
//
// Each front door has a [Voice]: which events it tells, in which words, with
// which signature, on which schedule. Deliveries are written in the commit of
// their event ([Router]); a [Teller] makes them, as jobs.
package webhook

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// Voice is how one front door tells events.
type Voice interface {
	// Door names the front door.
	Door() payment.Door
	// Tells decides, in the event's own commit, what an endpoint is told about an
	// event: one delivery for each word, in this order. The endpoint is one of the
	// tenant's at this door, or the payment's own callback, which has no id. It
	// must not wait.
	Tells(telling payment.Telling, tenant *payment.Tenant, endpoint payment.Endpoint) []Told
	// Body renders an event as of its version, the same bytes each time. An event
	// that is about no payment comes with the zero view.
	Body(event Event, view payment.View, tenant *payment.Tenant) ([]byte, error)
	// Sign returns the headers of one attempt, Content-Type among them, and the
	// bytes that it sends: the letter's, unless the door says something new at
	// each attempt.
	Sign(ctx context.Context, letter Letter) (header http.Header, body []byte, err error)
	// Schedule returns when the attempts are made, counted from the first (0),
	// and how long each may take. After the last the delivery is given up.
	Schedule(event Event, settings setting.Values) (gaps []time.Duration, timeout time.Duration)
	// Acknowledges reports whether an answer with this status ends the delivery.
	Acknowledges(status int) bool
}

// Told is one delivery that an event is worth.
type Told struct {
	Word    string   // what the door calls it
	Thread  [16]byte // deliveries of one endpoint and thread go out in order; zero: in any order
	Hurries bool     // the earlier ones of the thread may have nothing left to tell: see [Forgetter]
}

// Forgetter is a voice some of whose deliveries are not worth making any more
// once something else has happened.
type Forgetter interface {
	// IsOver reports whether an event need not be told, by what the payment is now.
	IsOver(event Event, now payment.View) bool
}

// Narrow is a voice some of whose events show one refund alone: the rest of its
// payment, which may have had very many, is not read for them.
type Narrow interface {
	// IsOfRefund reports whether an event's body shows its refund and nothing else.
	// Body is then given the payment as it is now, with that refund only.
	IsOfRefund(event Event) bool
}

// Jitterer is a voice whose pauses vary, so that many deliveries that failed
// together do not come back together: each is counted from the attempt before.
type Jitterer interface {
	// Jitter returns by how much of itself a pause may be shorter or longer, below 1.
	Jitter() float64
}

// Obeyer is a voice that does what a receiver's answer asks for.
type Obeyer interface {
	// Obeys reports that Retry-After puts the next attempt off, and that 410
	// (gone) ends the delivery and disables its endpoint.
	Obeys() bool
}

// Event is what a delivery tells. It holds ids and a version.
type Event struct {
	Kind     payment.EventKind
	Word     string // what its door calls what is told
	Payment  payment.PaymentID
	Subject  [16]byte // the order, payment, refund or dispute
	Version  int64    // of the payment
	At       time.Time
	Endpoint payment.EndpointID // that it is told to; zero: the payment's own callback
	Detail   string             // what it says beyond the things that it names, as JSON; empty for most
}

// Letter is one attempt of a delivery, about to be signed.
type Letter struct {
	Tenant   payment.TenantID
	Delivery payment.DeliveryID
	Endpoint payment.EndpointID // zero: the payment's own callback
	Event    Event
	At       time.Time // domain time of this attempt
	Sent     time.Time // this machine's time, which no test clock moves: receivers refuse what is far from theirs
	Body     []byte    // as [Voice.Body] rendered it
}

// Status is where a delivery is in its life.
type Status string

// The statuses of a delivery.
const (
	StatusOpen      Status = "open"
	StatusDelivered Status = "delivered"
	StatusGivenUp   Status = "given_up"
	StatusCanceled  Status = "canceled" // its endpoint is gone, or it has nothing left to tell
)

// Delivery is one event for one endpoint.
type Delivery struct {
	Tenant   payment.TenantID
	ID       payment.DeliveryID
	Endpoint payment.EndpointID
	Door     payment.Door
	URL      string // that the last attempt called; before the first, as the endpoint had it when the event was committed
	Event    Event
	Status   Status
	Attempts int
	FirstAt  time.Time // domain time of the first attempt; zero: none yet
	EndedAt  time.Time
	Body     []byte // kept from the first attempt on; nil before
}

// Attempt is one try to make a delivery.
type Attempt struct {
	Number     int // 1, 2, …
	At         time.Time
	Took       time.Duration
	StatusCode int    // 0: no answer
	Error      string // why there is no answer; never quotes what was sent
	Answer     string // the beginning of the answer's body
}

// Result is what came of one attempt, and the job that made it.
type Result struct {
	Delivery Delivery // after the attempt
	Attempt  Attempt
	Job      payment.TaskRef
	Again    time.Time // when the next attempt is due; zero: the job is done
}

// Filter narrows a list of deliveries. Zero fields do not.
type Filter struct {
	Payment  payment.PaymentID
	Endpoint payment.EndpointID
	Status   Status
	Before   payment.DeliveryID // older than this one
	Since    payment.DeliveryID // this one, or newer
	Limit    int                // at most this many, the newest first
}

// Store keeps deliveries.
type Store interface {
	Memory

	// Delivery returns a delivery; fault.NotFound.
	Delivery(ctx context.Context, tenant payment.TenantID, id payment.DeliveryID) (Delivery, error)
	// Attempted writes down results, with what they say of the health of their
	// endpoints, and ends their jobs where the claims still stand, all in one
	// commit. A result that a stale holder brings is kept in the log of attempts
	// and changes nothing else but an open delivery's end, and that health.
	Attempted(ctx context.Context, results []Result) error
	// Deliveries returns deliveries, the newest first.
	Deliveries(ctx context.Context, tenant payment.TenantID, filter Filter) ([]Delivery, error)
	// Health returns how deliveries to an endpoint go; the zero one if none was made.
	Health(ctx context.Context, tenant payment.TenantID, endpoint payment.EndpointID) (Health, error)
	// Attempts returns a delivery's attempts, oldest first.
	Attempts(ctx context.Context, tenant payment.TenantID, id payment.DeliveryID) ([]Attempt, error)
	// Resend makes a delivery that has ended open again, with a job due at once;
	// fault.NotFound, or fault.Conflict if it has not ended.
	Resend(ctx context.Context, tenant payment.TenantID, id payment.DeliveryID) error
	// Tenant returns a tenant with its endpoints in use, as they are now; fault.NotFound.
	Tenant(ctx context.Context, tenant payment.TenantID) (payment.Tenant, error)
}

// EndpointQueue is the queue of jobs that call one endpoint.
func EndpointQueue(endpoint payment.EndpointID) string { return "endpoint:" + endpoint.String() }

// queueOf returns the queue of jobs that call an endpoint. Callbacks of
// payments compete by host, so that a slow one holds up its own only.
func queueOf(endpoint payment.Endpoint) string {
	if !endpoint.ID.IsZero() {
		return EndpointQueue(endpoint.ID)
	}
	host := ""
	if to, err := url.Parse(endpoint.URL); err == nil {
		host = to.Host
	}
	return "callback:" + host
}
