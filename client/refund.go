package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// RefundStatus is where a refund is in its life.
type RefundStatus string

// The statuses of a refund.
const (
	RefundAwaitingApproval RefundStatus = "awaiting_approval" // somebody must agree first
	RefundScheduled        RefundStatus = "scheduled"         // it waits for its time
	RefundPending          RefundStatus = "pending"           // accepted; SubmittedAt says whether it has left
	RefundUnknown          RefundStatus = "unknown"           // it left, and its outcome is not known yet
	RefundSucceeded        RefundStatus = "succeeded"
	RefundDeclined         RefundStatus = "declined" // the other side's final no
	RefundFailed           RefundStatus = "failed"   // it could not be carried out
	RefundCanceled         RefundStatus = "canceled" // stopped before it left
	RefundReturned         RefundStatus = "returned" // it succeeded, and the money came back
)

// IsRunning reports whether the outcome is still ahead. What is unknown runs:
// it is no failure, and to ask for it again would pay twice.
func (s RefundStatus) IsRunning() bool {
	switch s {
	case RefundAwaitingApproval, RefundScheduled, RefundPending, RefundUnknown:
		return true
	case RefundSucceeded, RefundDeclined, RefundFailed, RefundCanceled, RefundReturned:
		return false
	default:
		return true // a status that will be
	}
}

// Refund is captured money on its way back to the payer.
type Refund struct {
	ID      string `json:"id"`
	Payment string `json:"payment"`
	Money
	Status          RefundStatus    `json:"status"`
	PendingReason   string          `json:"pending_reason"` // approval, scheduled, halted, not_sent, processor, outcome_unknown
	Reason          string          `json:"reason"`
	Note            string          `json:"note"`
	Message         string          `json:"message"`
	Reference       string          `json:"reference"`
	OrderReference  string          `json:"order_reference"`
	Metadata        json.RawMessage `json:"metadata"`
	Items           []RefundLine    `json:"items"`
	Source          string          `json:"source"`
	Door            string          `json:"door"`
	User            string          `json:"user"`          // on whose behalf it was asked for; empty: nobody, or who was erased
	Person          string          `json:"person"`        // of the same person; empty: nobody was named
	Group           string          `json:"group"`         // of refunds that were opened together
	GroupRefunds    []string        `json:"group_refunds"` // the others of the group, when it is opened
	Batch           string          `json:"batch"`         // which asked for it; empty: it was asked for alone
	BatchRow        int64           `json:"batch_row"`     // the number of its row
	Capture         string          `json:"capture"`
	NotBefore       time.Time       `json:"not_before"`
	SubmittedAt     time.Time       `json:"submitted_at"` // zero: it has not left, and can be canceled
	ExpectedBy      time.Time       `json:"expected_by"`  // when it should have arrived
	IsStuck         bool            `json:"is_stuck"`     // it is on its way for longer than expected
	EndedAt         time.Time       `json:"ended_at"`
	Failure         *Failure        `json:"failure"` // nil: it has not failed
	References      []Reference     `json:"references"`
	ExecutedAs      string          `json:"executed_as"` // refund or void
	RetryOf         string          `json:"retry_of"`
	Corrects        string          `json:"corrects"`
	ApprovalsNeeded int             `json:"approvals_needed"`
	Digest          string          `json:"digest"` // of what it asks for
	ExpiresAt       time.Time       `json:"expires_at"`
	Approvals       []Approval      `json:"approvals"`
	Evidence        []Evidence      `json:"evidence"`     // why a person has said what became of it
	NeedsReview     bool            `json:"needs_review"` // a person must look
	CreatedAt       time.Time       `json:"created_at"`
	UpdatedAt       time.Time       `json:"updated_at"`
	Version         int64           `json:"version"` // of the payment; of two, the higher one is newer
}

// RefundLine is the part of a refund that falls on one line item.
type RefundLine struct {
	Position int    `json:"position"`
	Quantity int64  `json:"quantity"` // 0: the refund named an amount
	Minor    int64  `json:"amount"`
	Tax      int64  `json:"tax"`
	Merchant string `json:"merchant"`
}

// Failure says why a refund did not happen.
type Failure struct {
	Code          string `json:"code"`
	Message       string `json:"message"`
	ProcessorCode string `json:"processor_code"`
	Retryable     bool   `json:"retryable"` // a new refund may work
}

// Approval is somebody's yes.
type Approval struct {
	Actor  string    `json:"actor"`
	User   string    `json:"user"`
	Person string    `json:"person"` // empty: nobody was named
	Digest string    `json:"digest"` // of what was seen
	At     time.Time `json:"at"`
}

// Evidence is why a person has said what became of a refund.
type Evidence struct {
	Actor  string    `json:"actor"`
	User   string    `json:"user"`
	Person string    `json:"person"` // empty: nobody was named
	Note   string    `json:"note"`
	At     time.Time `json:"at"`
}

// RefundRequest asks for a refund. Exactly one of Money, Items and Full says how
// much.
type RefundRequest struct {
	// IdempotencyKey is the caller's name for what is to be done once. With one,
	// the refund is asked for again by itself if the connection breaks, and a
	// program that starts anew may ask again: it is the same refund.
	IdempotencyKey string `json:"-"`
	User           string `json:"-"` // the person on whose behalf it is asked for: policies count by person

	Payment            string    `json:"payment,omitempty"`
	*Money                       // this much
	Items              []ItemAsk `json:"items,omitempty"` // units of line items
	Full               bool      `json:"full,omitempty"`  // all that is left
	Reason             string    `json:"reason,omitempty"`
	Note               string    `json:"note,omitempty"`    // for the caller's own records
	Message            string    `json:"message,omitempty"` // for the payer
	Reference          string    `json:"reference,omitempty"`
	OrderReference     string    `json:"order_reference,omitempty"`
	Metadata           any       `json:"metadata,omitempty"`            // an object of the caller's own
	ExpectedRefundable *int64    `json:"expected_refundable,omitempty"` // a guard: refused if something else is left
	NotBefore          time.Time `json:"not_before,omitzero"`           // it waits until then
	Capture            string    `json:"capture,omitempty"`             // gives back this capture, and no other
	RetryOf            string    `json:"retry_of,omitempty"`            // takes the place of one that ended without money moving
	AllowDuplicate     bool      `json:"allow_duplicate,omitempty"`     // an equal refund a moment before is no mistake
	PreviewToken       string    `json:"preview_token,omitempty"`       // of a [Preview]: refused if it would do something else
}

// ItemAsk asks for units of one line item.
type ItemAsk struct {
	Position int   `json:"position"`
	Quantity int64 `json:"quantity"`
}

// CreateRefund asks for a refund. It is pending when it is accepted: webhooks,
// events or [Client.Refund] tell what becomes of it.
func (c *Client) CreateRefund(ctx context.Context, request RefundRequest) (refund Refund, err error) {
	err = c.do(ctx, call{
		method: http.MethodPost, path: "/v1/refunds", key: request.IdempotencyKey, user: request.User, body: request,
	}, &refund)
	return refund, err
}

// Refund reads a refund.
func (c *Client) Refund(ctx context.Context, id string) (refund Refund, err error) {
	err = c.do(ctx, call{method: http.MethodGet, path: refundPath(id, "")}, &refund)
	return refund, err
}

// RetryRefund asks once more for a refund that ended without money moving: a new
// one that takes its place. What the request leaves out is as it was; it names
// no payment.
func (c *Client) RetryRefund(ctx context.Context, id string, request RefundRequest) (refund Refund, err error) {
	err = c.do(ctx, call{
		method: http.MethodPost, path: refundPath(id, "/retry"), key: request.IdempotencyKey, user: request.User, body: request,
	}, &refund)
	return refund, err
}

func refundPath(id, rest string) string { return "/v1/refunds/" + url.PathEscape(id) + rest }

// Decision is a decision about a refund.
type Decision struct {
	IdempotencyKey string `json:"-"` // the caller's name for what is to be done once
	User           string `json:"-"` // the person on whose behalf it is taken
	Message        string `json:"message,omitempty"`
	Digest         string `json:"digest,omitempty"` // of the refund that was seen; of a rejection only
	Group          bool   `json:"group,omitempty"`  // those that were opened with it, too; of a cancel only
}

// CancelRefund stops a refund that has not left. With Group of the decision those
// that were opened with it are stopped too, all that have not ended or none: the
// Refunds of the [Error] are those that stand in the way.
func (c *Client) CancelRefund(ctx context.Context, id string, decision Decision) (refund Refund, err error) {
	err = c.do(ctx, call{
		method: http.MethodPost, path: refundPath(id, "/cancel"), key: decision.IdempotencyKey, user: decision.User,
		body: decision,
	}, &refund)
	return refund, err
}

// RejectRefund says no to a refund that waits for approval.
func (c *Client) RejectRefund(ctx context.Context, id string, decision Decision) (refund Refund, err error) {
	err = c.do(ctx, call{
		method: http.MethodPost, path: refundPath(id, "/reject"), key: decision.IdempotencyKey, user: decision.User,
		body: decision,
	}, &refund)
	return refund, err
}

// Agreement is a yes to a refund.
type Agreement struct {
	IdempotencyKey string `json:"-"`                // the caller's name for what is to be done once
	User           string `json:"-"`                // the person who agrees
	Digest         string `json:"digest,omitempty"` // of the refund that was seen: refused if it asks for something else
}

// ApproveRefund agrees to a refund that waits for approval. Who asked for it
// cannot agree.
func (c *Client) ApproveRefund(ctx context.Context, id string, agreement Agreement) (refund Refund, err error) {
	err = c.do(ctx, call{
		method: http.MethodPost, path: refundPath(id, "/approve"), key: agreement.IdempotencyKey, user: agreement.User,
		body: agreement,
	}, &refund)
	return refund, err
}

// RefundFilter narrows a list of refunds. Zero fields do not.
type RefundFilter struct {
	Payment     string
	Group       string // opened together
	Batch       string // that asked for them
	Statuses    []RefundStatus
	Reference   string
	Reason      string
	From        time.Time // asked for at this time or later
	Until       time.Time // asked for at this time or earlier
	NeedsReview bool      // a person must look

	// Of those on their way only:
	PendingReasons []string
	ExpectedBefore time.Time
	OlderThan      time.Duration // in whole seconds
	IsStuck        bool
}

// Refunds reads refunds, the newest first.
func (c *Client) Refunds(ctx context.Context, filter RefundFilter) iter.Seq2[Refund, error] {
	query := url.Values{}
	for _, status := range filter.Statuses {
		query.Add("status", string(status))
	}
	set(query, "payment", filter.Payment)
	set(query, "group", filter.Group)
	set(query, "batch", filter.Batch)
	set(query, "reference", filter.Reference)
	set(query, "reason", filter.Reason)
	if filter.NeedsReview {
		query.Set("needs_review", "true")
	}
	setTime(query, "from", filter.From)
	setTime(query, "until", filter.Until)
	for _, reason := range filter.PendingReasons {
		query.Add("pending_reason", reason)
	}
	setTime(query, "expected_before", filter.ExpectedBefore)
	if seconds := int64(filter.OlderThan / time.Second); seconds > 0 {
		query.Set("older_than", strconv.FormatInt(seconds, 10))
	}
	if filter.IsStuck {
		query.Set("stuck", "true")
	}
	return pages[Refund](ctx, c, "/v1/refunds", "refunds", query)
}
