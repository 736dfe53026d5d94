package main

import (
	"context"
	"net/http"
	"net/url"
)

// refundsCommand shows refunds and decides about them.
type refundsCommand struct {
	List    refundsList    `cmd:"" default:"withargs" help:"List refunds, the newest first."`
	Show    refundsShow    `cmd:"" help:"Show a refund."`
	Approve refundsApprove `cmd:"" help:"Say yes to a refund that waits for approval."`
	Cancel  refundsCancel  `cmd:"" help:"Stop a refund that has not left."`
}

type refundsList struct {
	operatorFlags

	Payment string `help:"Of this payment."`
	Status  string `help:"As in pending, succeeded or failed."`
	Limit   string `help:"At most this many." default:"50"`
}

type refundsShow struct {
	operatorFlags

	ID string `arg:"" help:"rfd_…"`
}

type refundsApprove struct {
	operatorFlags

	ID string `arg:"" help:"rfd_…"`
}

type refundsCancel struct {
	operatorFlags

	ID string `arg:"" help:"rfd_…"`
}

// Run implements the command.
func (c *refundsList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet,
		"/v1/refunds"+query("payment", c.Payment, "status", c.Status, "limit", c.Limit), nil,
		"id", "payment", "amount", "currency", "status", "door", "created_at")
}

// Run implements the command.
func (c *refundsShow) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/refunds/"+url.PathEscape(c.ID), nil)
}

// Run implements the command.
func (c *refundsApprove) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/refunds/"+url.PathEscape(c.ID)+"/approve", nil)
}

// Run implements the command.
func (c *refundsCancel) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/refunds/"+url.PathEscape(c.ID)+"/cancel", map[string]any{})
}
