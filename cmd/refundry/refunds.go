package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/refundry/refundry/internal/fault"
)

// refundsCommand shows refunds, decides about them and settles them.
type refundsCommand struct {
	List    refundsList    `cmd:"" default:"withargs" help:"List refunds, the newest first."`
	Show    refundsShow    `cmd:"" help:"Show a refund."`
	Approve refundsApprove `cmd:"" help:"Say yes to a refund that waits for approval."`
	Reject  refundsReject  `cmd:"" help:"Say no to a refund that waits for approval."`
	Cancel  refundsCancel  `cmd:"" help:"Stop a refund that has not left."`
	Retry   refundsRetry   `cmd:"" help:"Ask once more, by a new refund, for what ended without money moving."`
	Inquire refundsInquire `cmd:"" help:"Let the processor be asked once more what became of a refund. No money moves."`
	Resend  refundsResend  `cmd:"" help:"Let a refund that needs review, or is stuck, be sent once more."`
	Settle  refundsSettle  `cmd:"" help:"Say, on evidence, what became of a refund that needs review, or is stuck."`
}

type refundsList struct {
	operatorFlags

	Payment     string `help:"Of this payment."`
	Group       string `help:"Opened together, as grp_… says."`
	Batch       string `help:"Of this batch."`
	Status      string `help:"As in pending, succeeded or failed."`
	Reference   string `help:"That you call so."`
	NeedsReview bool   `help:"Only those at which a person must look."`
	Stuck       bool   `help:"Only those on their way for longer than a policy bears."`
	After       string `help:"Go on from here: next of an earlier answer (--json)."`
	Limit       string `help:"At most this many." default:"50"`
}

// oneRefund names the refund that a command is about.
type oneRefund struct {
	operatorFlags

	ID string `arg:"" help:"rfd_…"`
}

type refundsShow struct{ oneRefund }

type refundsApprove struct{ oneRefund }

type refundsReject struct {
	oneRefund

	Message string `help:"Why."`
}

type refundsCancel struct {
	oneRefund

	Group bool `help:"Those that were opened with it, too: all that have not ended, or none."`
}

type refundsRetry struct{ oneRefund }

type refundsInquire struct{ oneRefund }

type refundsResend struct{ oneRefund }

type refundsSettle struct {
	oneRefund

	To        string   `arg:"" enum:"succeeded,failed" help:"succeeded, or failed: no money moved."`
	Evidence  string   `required:"" help:"Why that is so, as in: the bank's statement of March 2."`
	Reference []string `help:"KIND=VALUE, as in arn=7453: how a success is called elsewhere."`
}

// Run implements the command.
func (c *refundsList) Run(ctx context.Context, t *terminal) error {
	filters := query("payment", c.Payment, "group", c.Group, "batch", c.Batch, "status", c.Status, "reference", c.Reference,
		"needs_review", ifSet(c.NeedsReview), "stuck", ifSet(c.Stuck), "after", c.After, "limit", c.Limit)
	return c.operate(ctx, t, http.MethodGet, "/v1/refunds"+filters, nil,
		"id", "payment", "amount", "currency", "status", "door", "created_at")
}

// Run implements the command.
func (c *refundsShow) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/refunds/"+url.PathEscape(c.ID), nil)
}

// Run implements the command.
func (c *refundsApprove) Run(ctx context.Context, t *terminal) error {
	return c.decide(ctx, t, c.ID, "approve", map[string]any{})
}

// Run implements the command.
func (c *refundsReject) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{}
	if c.Message != "" {
		body["message"] = c.Message
	}
	return c.decide(ctx, t, c.ID, "reject", body)
}

// Run implements the command.
func (c *refundsCancel) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{}
	if c.Group {
		body["group"] = true
	}
	return c.decide(ctx, t, c.ID, "cancel", body)
}

// Run implements the command. It needs no idempotency key: while a retry is on
// its way, or has succeeded, there is no other.
func (c *refundsRetry) Run(ctx context.Context, t *terminal) error {
	return c.decide(ctx, t, c.ID, "retry", map[string]any{})
}

// Run implements the command.
func (c *refundsInquire) Run(ctx context.Context, t *terminal) error {
	return c.decide(ctx, t, c.ID, "inquire", map[string]any{})
}

// Run implements the command.
func (c *refundsResend) Run(ctx context.Context, t *terminal) error {
	return c.decide(ctx, t, c.ID, "resend", map[string]any{})
}

// Run implements the command.
func (c *refundsSettle) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{"to": c.To, "evidence": c.Evidence}
	var references []map[string]any
	for _, text := range c.Reference {
		kind, value, ok := strings.Cut(text, "=")
		if !ok {
			return fault.New(fault.Invalid, "a reference is named by KIND=VALUE")
		}
		references = append(references, map[string]any{"kind": kind, "value": value})
	}
	if len(references) > 0 {
		body["references"] = references
	}
	return c.decide(ctx, t, c.ID, "settle", body)
}

// decide does something with a refund, and prints what it is then.
func (f operatorFlags) decide(ctx context.Context, t *terminal, id, verb string, body map[string]any) error {
	return f.operate(ctx, t, http.MethodPost, "/v1/refunds/"+url.PathEscape(id)+"/"+verb, body)
}
