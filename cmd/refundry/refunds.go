package main

import (
	"context"
	"net/http"
	"net/url"
)

// refundsCommand shows refunds and decides about them.
type refundsCommand struct {
	Show    refundsShow    `cmd:"" help:"Show a refund."`
	Approve refundsApprove `cmd:"" help:"Say yes to a refund that waits for approval."`
	Cancel  refundsCancel  `cmd:"" help:"Stop a refund that has not left."`
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
