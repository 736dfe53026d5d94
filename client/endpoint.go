package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Endpoint is where a tenant is told what happens.
type Endpoint struct {
	ID            string    `json:"id"`
	Door          string    `json:"door"` // in whose words
	URL           string    `json:"url"`
	Kinds         []string  `json:"kinds"` // the events that are told; empty: all
	IsDisabled    bool      `json:"is_disabled"`
	DisabledFor   string    `json:"disabled_for"` // asked, gone or failing
	IsOrdered     bool      `json:"is_ordered"`   // the webhooks of a payment come in order
	Format        string    `json:"format"`       // empty: our own; or cloudevents
	PublicKey     string    `json:"public_key"`   // verifies signatures of version v1a
	Secret        Key       `json:"-"`            // told when it was made or rotated, and never again
	PreviousUntil time.Time `json:"previous_until"`
	Health        *Health   `json:"health"` // of one that was read by its id
	CreatedAt     time.Time `json:"created_at"`
}

// Health is how deliveries to an endpoint go.
type Health struct {
	State         string           `json:"state"`         // healthy, failing or disabled
	FailingSince  time.Time        `json:"failing_since"` // every attempt since then was in vain
	LastSuccessAt time.Time        `json:"last_success_at"`
	LastFailure   *EndpointFailure `json:"last_failure"`
	Waiting       int              `json:"waiting"` // deliveries that wait for an attempt, at most 1,000
	NextAttemptAt time.Time        `json:"next_attempt_at"`
	Deliveries    int              `json:"deliveries"` // how many of the last were looked at, at most 100; of them:
	Delivered     int              `json:"delivered"`
	Failing       int              `json:"failing"` // open, and failed before
	GivenUp       int              `json:"given_up"`
}

// EndpointFailure is an attempt in vain.
type EndpointFailure struct {
	At         time.Time `json:"at"`
	StatusCode int       `json:"status_code"` // 0: there was no answer
	Error      string    `json:"error"`       // why there was none
}

// withSecret is an endpoint as it is answered when there is a secret to tell.
type withSecret struct {
	Endpoint
	Told string `json:"secret"`
}

func (w withSecret) endpoint() Endpoint {
	w.Secret = Key(w.Told)
	return w.Endpoint
}

// Endpoints lists the endpoints.
func (c *Client) Endpoints(ctx context.Context) ([]Endpoint, error) {
	var list struct{ Endpoints []Endpoint }
	err := c.do(ctx, call{method: http.MethodGet, path: "/v1/endpoints"}, &list)
	return list.Endpoints, err
}

// Endpoint reads an endpoint.
func (c *Client) Endpoint(ctx context.Context, id string) (endpoint Endpoint, err error) {
	err = c.do(ctx, call{method: http.MethodGet, path: endpointPath(id, "")}, &endpoint)
	return endpoint, err
}

func endpointPath(id, rest string) string { return "/v1/endpoints/" + url.PathEscape(id) + rest }

// EndpointRequest is a webhook endpoint that is added.
type EndpointRequest struct {
	URL       string   `json:"url"`
	Kinds     []string `json:"kinds,omitempty"` // the events that are told; empty: all
	IsOrdered bool     `json:"is_ordered,omitempty"`
	Format    string   `json:"format,omitempty"`
}

// CreateEndpoint adds an endpoint. Its secret is told this once.
func (c *Client) CreateEndpoint(ctx context.Context, request EndpointRequest) (Endpoint, error) {
	var made withSecret
	err := c.do(ctx, call{method: http.MethodPost, path: "/v1/endpoints", body: request}, &made)
	return made.endpoint(), err
}

// EndpointChange is what is to change of an endpoint. What is nil stays.
type EndpointChange struct {
	URL        *string   `json:"url,omitempty"`
	Kinds      *[]string `json:"kinds,omitempty"`
	IsDisabled *bool     `json:"is_disabled,omitempty"`
	IsOrdered  *bool     `json:"is_ordered,omitempty"`
	Format     *string   `json:"format,omitempty"`
}

// ChangeEndpoint changes an endpoint, disables it or enables it again.
func (c *Client) ChangeEndpoint(ctx context.Context, id string, change EndpointChange) (endpoint Endpoint, err error) {
	err = c.do(ctx, call{method: http.MethodPatch, path: endpointPath(id, ""), body: change}, &endpoint)
	return endpoint, err
}

// RemoveEndpoint ends an endpoint.
func (c *Client) RemoveEndpoint(ctx context.Context, id string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: endpointPath(id, "")}, nil)
}

// RotateEndpoint gives an endpoint a fresh secret. For the overlap, deliveries
// are signed with the old one too.
func (c *Client) RotateEndpoint(ctx context.Context, id string, overlap time.Duration) (Endpoint, error) {
	var made withSecret
	err := c.do(ctx, call{
		method: http.MethodPost, path: endpointPath(id, "/rotate"),
		body: map[string]int64{"overlap_seconds": int64(overlap / time.Second)},
	}, &made)
	return made.endpoint(), err
}

// TestEndpoint sends a webhook that tells nothing. Read the delivery to see what
// came of it.
func (c *Client) TestEndpoint(ctx context.Context, id string) (delivery Delivery, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: endpointPath(id, "/test")}, &delivery)
	return delivery, err
}

// Delivery is one event for one endpoint.
type Delivery struct {
	ID       string            `json:"id"`
	Endpoint string            `json:"endpoint"`
	URL      string            `json:"url"`
	Kind     string            `json:"kind"`
	Payment  string            `json:"payment"`
	Refund   string            `json:"refund"`
	Dispute  string            `json:"dispute"`
	Version  int64             `json:"version"`
	Status   string            `json:"status"`   // open, delivered, given_up, canceled
	Attempts int               `json:"attempts"` // how many have been made
	At       time.Time         `json:"at"`
	FirstAt  time.Time         `json:"first_at"`
	EndedAt  time.Time         `json:"ended_at"`
	Log      []DeliveryAttempt `json:"attempt_list"` // of one that was read by its id
}

// DeliveryAttempt is one try to make a delivery.
type DeliveryAttempt struct {
	Number     int       `json:"number"`
	At         time.Time `json:"at"`
	TookMS     int64     `json:"took_ms"`
	StatusCode int       `json:"status_code"` // 0: no answer came
	Error      string    `json:"error"`       // why no answer came
	Answer     string    `json:"answer"`      // the beginning of its body
}

// DeliveryFilter narrows a list of deliveries. Zero fields do not. Since is the
// id of the oldest that is listed.
type DeliveryFilter struct{ Payment, Endpoint, Status, Since string }

// Deliveries reads deliveries, the newest first.
func (c *Client) Deliveries(ctx context.Context, filter DeliveryFilter) iter.Seq2[Delivery, error] {
	query := url.Values{}
	set(query, "payment", filter.Payment)
	set(query, "endpoint", filter.Endpoint)
	set(query, "status", filter.Status)
	set(query, "since", filter.Since)
	return pages[Delivery](ctx, c, "/v1/deliveries", "deliveries", query)
}

// Delivery reads a delivery, with every attempt to make it.
func (c *Client) Delivery(ctx context.Context, id string) (delivery Delivery, err error) {
	err = c.do(ctx, call{method: http.MethodGet, path: "/v1/deliveries/" + url.PathEscape(id)}, &delivery)
	return delivery, err
}

// Resend makes a delivery that has ended once more.
func (c *Client) Resend(ctx context.Context, id string) (delivery Delivery, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: "/v1/deliveries/" + url.PathEscape(id) + "/resend"}, &delivery)
	return delivery, err
}

// Replay is a part of the feed that an endpoint is told once more. The zero one
// is all of it, from the beginning.
type Replay struct {
	After      string    `json:"after,omitempty"`       // a cursor of the feed: events behind it
	From       time.Time `json:"from,omitzero"`         // of these, what happened at this time or later
	Until      time.Time `json:"until,omitzero"`        // … and before this time
	OnlyMissed bool      `json:"only_missed,omitempty"` // only what has never arrived, and is not on its way
	Limit      int       `json:"limit,omitempty"`       // how many events are read at the most; 0: 10,000
}

// Replayed says what a replay came to.
type Replayed struct {
	Deliveries int64  `json:"deliveries"` // that were made
	First      string `json:"first"`      // the oldest of them
	Next       string `json:"next"`       // where the next replay goes on: its After
	HasMore    bool   `json:"has_more"`
}

// ReplayEvents tells an endpoint once more what has happened, each event in a
// new delivery. While there is more, go on behind Next.
func (c *Client) ReplayEvents(ctx context.Context, id string, replay Replay) (replayed Replayed, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: endpointPath(id, "/replay"), body: replay}, &replayed)
	return replayed, err
}
