package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Refundability says what one refund of a payment may ask for now, and why no
// more. Its amounts are minor units of its currency.
type Refundability struct {
	Payment    string        `json:"payment"`
	Currency   string        `json:"currency"`
	Max        int64         `json:"max"` // 0: nothing
	Min        int64         `json:"min"`
	Refusals   []Refusal     `json:"refusals"` // each rule that says no to every refund now
	EarliestAt time.Time     `json:"earliest_at"`
	LatestAt   time.Time     `json:"latest_at"`
	IsDisputed bool          `json:"is_disputed"`
	Exposure   Exposure      `json:"exposure"`
	Captures   []CaptureLeft `json:"captures"`
	Items      []ItemLeft    `json:"items"`
}

// Refusal is a rule's no.
type Refusal struct {
	Code       Code      `json:"code"`
	Detail     string    `json:"detail"`
	Retryable  bool      `json:"retryable"`
	Refundable int64     `json:"refundable"` // what may be asked for instead
	From       time.Time `json:"from"`       // from when it would be possible
}

// Exposure is what of a payment is gone, or may go.
type Exposure struct {
	Captured   int64 `json:"captured"`
	Refunded   int64 `json:"refunded"`
	Reserved   int64 `json:"reserved"`
	Disputed   int64 `json:"disputed"`
	Total      int64 `json:"total"`       // the last three together
	DoubleLoss int64 `json:"double_loss"` // what of it is lost twice, unless a dispute is won
}

// CaptureLeft is what refunds have left of a capture.
type CaptureLeft struct {
	ID         string `json:"id"`
	Minor      int64  `json:"amount"`
	Refundable int64  `json:"refundable"`
}

// ItemLeft is what refunds have left of a line item.
type ItemLeft struct {
	Position   int   `json:"position"`
	Quantity   int64 `json:"quantity"`
	Refundable int64 `json:"refundable"`
	Tax        int64 `json:"tax"`
}

// Refundability reads what can be refunded of a payment now.
func (c *Client) Refundability(ctx context.Context, payment string) (left Refundability, err error) {
	err = c.do(ctx, call{
		method: http.MethodGet, path: "/v1/payments/" + url.PathEscape(payment) + "/refundability",
	}, &left)
	return left, err
}

// Preview is what a refund would do.
type Preview struct {
	Payment   string   `json:"payment"`
	IsAllowed bool     `json:"is_allowed"`
	Replays   string   `json:"replays"`  // the key was used: this refund would be the answer once more
	Refusal   *Refusal `json:"refusal"`  // the first rule that would say no; nil: none
	KeyUsed   *KeyUsed `json:"key_used"` // what the key was used for before, if that says no; nil: that is not the point
	Money
	Tax             int64             `json:"tax"`
	Refunds         []PreviewedRefund `json:"refunds"`
	ApprovalsNeeded int               `json:"approvals_needed"`
	NotBefore       time.Time         `json:"not_before"`
	Refundable      int64             `json:"refundable"` // what would be left of the payment
	Token           string            `json:"preview_token"`
}

// PreviewedRefund is a refund that would be opened.
type PreviewedRefund struct {
	Minor   int64        `json:"amount"`
	Status  RefundStatus `json:"status"`
	Capture string       `json:"capture"`
	Items   []RefundLine `json:"items"`
}

// PreviewRefund says exactly what a refund would do now, and does nothing. With
// the token, the refund itself does that or is refused.
func (c *Client) PreviewRefund(ctx context.Context, request RefundRequest) (preview Preview, err error) {
	err = c.do(ctx, call{
		method: http.MethodPost, path: "/v1/refunds/preview", key: request.IdempotencyKey, user: request.User, body: request,
	}, &preview)
	return preview, err
}
