package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// PaymentStatus is where a payment is in its life. A refund never changes it.
type PaymentStatus string

// The statuses of a payment.
const (
	PaymentCreated    PaymentStatus = "created"
	PaymentPending    PaymentStatus = "pending"
	PaymentAuthorized PaymentStatus = "authorized"
	PaymentCaptured   PaymentStatus = "captured"
	PaymentDeclined   PaymentStatus = "declined"
	PaymentFailed     PaymentStatus = "failed"
	PaymentCanceled   PaymentStatus = "canceled"
	PaymentExpired    PaymentStatus = "expired"
)

// Payment is what a payer agreed to hand to a merchant. Its amounts are minor
// units of its currency.
type Payment struct {
	ID           string            `json:"id"`
	IDs          map[string]string `json:"ids"` // by which each front door knows it
	Status       PaymentStatus     `json:"status"`
	WaitingFor   string            `json:"waiting_for"`
	Money                          // what was agreed
	Captured     int64             `json:"captured"`   // taken so far
	Refunded     int64             `json:"refunded"`   // given back
	Reserved     int64             `json:"reserved"`   // claimed by refunds on their way
	Disputed     int64             `json:"disputed"`   // taken by disputes
	Excess       int64             `json:"excess"`     // what facts from outside took beyond what was captured
	Refundable   int64             `json:"refundable"` // what a refund may still ask for
	Reference    string            `json:"reference"`
	Merchant     string            `json:"merchant"`
	Method       Method            `json:"method"`
	Country      string            `json:"country"`
	Payer        string            `json:"payer"`
	Description  string            `json:"description"`
	Items        []Item            `json:"items"`
	Metadata     json.RawMessage   `json:"metadata"`
	Home         string            `json:"home"` // the front door that it was made at
	Order        string            `json:"order"`
	Connector    string            `json:"connector"`
	ProcessorRef string            `json:"processor_ref"`
	References   []Reference       `json:"references"`
	Captures     []Capture         `json:"captures"` // oldest first
	Refunds      []RefundInShort   `json:"refunds"`  // oldest first
	Disputes     []Dispute         `json:"disputes"` // oldest first
	CapturedAt   time.Time         `json:"captured_at"`
	ErasedAt     time.Time         `json:"erased_at"` // when what is personal was erased; zero: it was not
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
	Version      int64             `json:"version"` // of two, the higher one is newer
}

// Method says what a payment was made with. It never has a full card number.
type Method struct {
	Type  string `json:"type,omitempty"`
	Brand string `json:"brand,omitempty"`
	Last4 string `json:"last4,omitempty"`
}

// Item is a line of what was bought.
type Item struct {
	Position   int             `json:"position"` // how a refund names it
	Name       string          `json:"name"`
	Quantity   int64           `json:"quantity"`
	UnitAmount int64           `json:"unit_amount"`
	TaxRate    string          `json:"tax_rate"`
	Tax        int64           `json:"tax"` // the part of Total that is tax
	Total      int64           `json:"total"`
	Refundable int64           `json:"refundable"` // what is left of the line
	Merchant   string          `json:"merchant"`
	Metadata   json.RawMessage `json:"metadata"`
	Tags       []string        `json:"tags"`
}

// Reference is how another party calls something: an ARN, an RRN, a code.
type Reference struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// Capture is one taking of all or a part of an authorized amount.
type Capture struct {
	ID        string        `json:"id"` // a refund can name it
	Minor     int64         `json:"amount"`
	Status    CaptureStatus `json:"status"`
	IsFinal   bool          `json:"is_final"`   // nothing more will be captured
	SettledAt time.Time     `json:"settled_at"` // from when it counts; zero: it does not
}

// CaptureStatus is where a capture is in its life.
type CaptureStatus string

// The statuses of a capture.
const (
	CapturePending CaptureStatus = "pending" // asked for, and not taken yet
	CaptureSettled CaptureStatus = "settled"
	CaptureFailed  CaptureStatus = "failed"
)

// RefundInShort is a refund as its payment lists it.
type RefundInShort struct {
	ID        string       `json:"id"`
	Minor     int64        `json:"amount"`
	Status    RefundStatus `json:"status"`
	CreatedAt time.Time    `json:"created_at"`
}

// Dispute is a case in which the payer contests a payment.
type Dispute struct {
	ID      string `json:"id"`
	Payment string `json:"payment"`
	Kind    string `json:"kind"` // inquiry, dispute, pre_arbitration
	Money
	Status       string    `json:"status"` // open, challenged, won, lost, accepted, expired, canceled
	Reason       string    `json:"reason"`
	ProcessorRef string    `json:"processor_ref"`
	DoubleLoss   int64     `json:"double_loss"` // what was given back too, and is lost twice unless the dispute is won
	IsDoubleRisk bool      `json:"double_loss_risk"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	Version      int64     `json:"version"`
}

// DisputeFilter narrows a list of disputes. Zero fields do not.
type DisputeFilter struct{ Payment, Kind, Status string }

// Disputes reads disputes, the newest first.
func (c *Client) Disputes(ctx context.Context, filter DisputeFilter) iter.Seq2[Dispute, error] {
	query := url.Values{}
	set(query, "payment", filter.Payment)
	set(query, "kind", filter.Kind)
	set(query, "status", filter.Status)
	return pages[Dispute](ctx, c, "/v1/disputes", "disputes", query)
}

// PaymentRequest is a payment that is recorded, so that it can be refunded.
type PaymentRequest struct {
	IdempotencyKey string `json:"-"` // the caller's name for what is to be done once; empty: it is not sent again by itself

	Money
	Status       PaymentStatus `json:"status,omitempty"` // captured, unless it is authorized
	Reference    string        `json:"reference,omitempty"`
	Merchant     string        `json:"merchant,omitempty"`
	Method       *Method       `json:"method,omitempty"`
	Country      string        `json:"country,omitempty"` // ISO 3166
	Payer        string        `json:"payer,omitempty"`
	Description  string        `json:"description,omitempty"`
	Items        []ItemRequest `json:"items,omitempty"`    // they add up to the amount
	Metadata     any           `json:"metadata,omitempty"` // an object of the caller's own
	ProcessorRef string        `json:"processor_ref,omitempty"`
	Connector    string        `json:"connector,omitempty"`  // through which it was taken; the server's first, unless it is named
	CapturedAt   time.Time     `json:"captured_at,omitzero"` // now, unless it is named
	CreatedAt    time.Time     `json:"created_at,omitzero"`
}

// ItemRequest is a line of what was bought.
type ItemRequest struct {
	Name       string   `json:"name"`
	Quantity   int64    `json:"quantity,omitempty"` // 1, unless it is named
	UnitAmount int64    `json:"unit_amount"`
	TaxRate    string   `json:"tax_rate,omitempty"` // in percent
	Tax        int64    `json:"tax,omitempty"`
	Total      *int64   `json:"total,omitempty"` // quantity × unit, unless it is named
	Merchant   string   `json:"merchant,omitempty"`
	Metadata   any      `json:"metadata,omitempty"`
	Tags       []string `json:"tags,omitempty"`
}

// CreatePayment records a payment. No money moves.
func (c *Client) CreatePayment(ctx context.Context, request PaymentRequest) (payment Payment, err error) {
	err = c.do(ctx, call{
		method: http.MethodPost, path: "/v1/payments", key: request.IdempotencyKey, body: request,
	}, &payment)
	return payment, err
}

// CaptureRequest says what of an authorized payment was taken.
type CaptureRequest struct {
	IdempotencyKey string `json:"-"` // the caller's name for what is to be done once; empty: it is not sent again by itself
	User           string `json:"-"` // the person on whose behalf it is recorded

	Money
	Final bool `json:"final,omitempty"` // nothing more will be captured
}

// CapturePayment records that all or a part of an authorized payment was taken.
// No processor is called.
func (c *Client) CapturePayment(ctx context.Context, id string, request CaptureRequest) (payment Payment, err error) {
	err = c.do(ctx, call{
		method: http.MethodPost, path: "/v1/payments/" + url.PathEscape(id) + "/capture", key: request.IdempotencyKey,
		user: request.User, body: request,
	}, &payment)
	return payment, err
}

// CancelPayment records that an authorization was given up before anything was
// captured. No processor is called. Done twice with one key, it is done once.
func (c *Client) CancelPayment(ctx context.Context, id, idempotencyKey string) (payment Payment, err error) {
	err = c.do(ctx, call{
		method: http.MethodPost, path: "/v1/payments/" + url.PathEscape(id) + "/cancel", key: idempotencyKey,
	}, &payment)
	return payment, err
}

// Payment reads a payment.
func (c *Client) Payment(ctx context.Context, id string) (payment Payment, err error) {
	err = c.do(ctx, call{method: http.MethodGet, path: "/v1/payments/" + url.PathEscape(id)}, &payment)
	return payment, err
}

// ErasePayment destroys, for good, what is personal about a payment. What the
// books need stays. One that was erased before stays as it is.
func (c *Client) ErasePayment(ctx context.Context, id string) (payment Payment, err error) {
	err = c.do(ctx, call{
		method: http.MethodPost, path: "/v1/payments/" + url.PathEscape(id) + "/erase", key: "erase-" + id,
	}, &payment)
	return payment, err
}

// PaymentFilter narrows a list of payments. Zero fields do not.
type PaymentFilter struct {
	Statuses  []PaymentStatus // any of them
	Reference string          // what you call it
	Home      string
	Order     string
	From      time.Time // made at this time or later
	Until     time.Time // made at this time or earlier
}

// Payments reads payments, the newest first.
func (c *Client) Payments(ctx context.Context, filter PaymentFilter) iter.Seq2[Payment, error] {
	query := url.Values{}
	for _, status := range filter.Statuses {
		query.Add("status", string(status))
	}
	set(query, "reference", filter.Reference)
	set(query, "home", filter.Home)
	set(query, "order", filter.Order)
	setTime(query, "from", filter.From)
	setTime(query, "until", filter.Until)
	return pages[Payment](ctx, c, "/v1/payments", "payments", query)
}
