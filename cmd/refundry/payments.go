package main

import (
	"context"
	"net/http"
	"net/url"
)

// paymentsCommand imports payments and shows them.
type paymentsCommand struct {
	Import paymentsImport `cmd:"" help:"Import payments that were made elsewhere, from NDJSON or CSV. Safe to run again."`
	Show   paymentsShow   `cmd:"" help:"Show a payment."`
}

type paymentsShow struct {
	operatorFlags

	ID string `arg:"" help:"pay_…, or the id that it has at a front door."`
}

// Run implements the command.
func (c *paymentsShow) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/payments/"+url.PathEscape(c.ID), nil)
}
