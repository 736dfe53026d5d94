package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// paymentsCommand imports payments, lists and shows them, records what became of
// authorized ones, and erases what is personal about them.
type paymentsCommand struct {
	Import  paymentsImport  `cmd:"" help:"Import payments that were made elsewhere, from NDJSON or CSV. Safe to run again."`
	List    paymentsList    `cmd:"" help:"List payments, the newest first."`
	Show    paymentsShow    `cmd:"" help:"Show a payment."`
	Capture paymentsCapture `cmd:"" help:"Record that an authorized payment, or a part of it, was captured. No processor is called."`
	Cancel  paymentsCancel  `cmd:"" help:"Record that an authorized payment was given up before it was captured. No processor is called."`
	Erase   paymentsErase   `cmd:"" help:"Erase, for good, what is personal about payments. Amounts, references and books stay."`
}

type paymentsList struct {
	operatorFlags

	Status    string `help:"As in captured or authorized."`
	Home      string `help:"Made at this front door."`
	Order     string `help:"Of this order."`
	Reference string `help:"That you call so."`
	Limit     string `help:"At most this many." default:"50"`
}

// Run implements the command.
func (c *paymentsList) Run(ctx context.Context, t *terminal) error {
	filters := query("status", c.Status, "home", c.Home, "order", c.Order, "reference", c.Reference, "limit", c.Limit)
	return c.operate(ctx, t, http.MethodGet, "/v1/payments"+filters, nil,
		"id", "amount", "currency", "status", "refundable", "home", "created_at")
}

type paymentsShow struct {
	operatorFlags

	ID string `arg:"" help:"pay_…, or the id that it has at a front door."`
}

// Run implements the command.
func (c *paymentsShow) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/payments/"+url.PathEscape(c.ID), nil)
}

type paymentsCapture struct {
	operatorFlags

	ID       string `arg:"" help:"pay_…, or the id that it has at a front door."`
	Amount   int64  `arg:"" help:"What was captured, in minor units."`
	Currency string `arg:"" help:"As in EUR."`
	Final    bool   `help:"Nothing more will be captured."`
	Key      string `help:"Your name of this capture: recorded again under it, it changes nothing."`
}

// Run implements the command.
func (c *paymentsCapture) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{"amount": c.Amount, "currency": c.Currency}
	if c.Final {
		body["final"] = true
	}
	return c.operateOnce(ctx, t, c.Key, http.MethodPost, "/v1/payments/"+url.PathEscape(c.ID)+"/capture", body)
}

type paymentsCancel struct {
	operatorFlags

	ID  string `arg:"" help:"pay_…, or the id that it has at a front door."`
	Key string `help:"Your name of this cancel: asked again under it, it is answered as before."`
}

// Run implements the command. Without a key it is refused the second time: a
// payment is canceled once.
func (c *paymentsCancel) Run(ctx context.Context, t *terminal) error {
	return c.operateOnce(ctx, t, c.Key, http.MethodPost, "/v1/payments/"+url.PathEscape(c.ID)+"/cancel", nil)
}

type paymentsErase struct {
	operatorFlags

	IDs []string `arg:"" name:"id" help:"pay_…, or the ids that they have at a front door."`
}

// Run implements the command. It stops at the first payment that cannot be
// erased; those before it have been.
func (c *paymentsErase) Run(ctx context.Context, t *terminal) error {
	for _, id := range c.IDs {
		if err := c.operate(ctx, t, http.MethodPost, "/v1/payments/"+url.PathEscape(id)+"/erase", nil); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return nil
}
