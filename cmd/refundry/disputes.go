package main

import (
	"context"
	"net/http"
	"net/url"
)

// disputesCommand records what payers contest.
type disputesCommand struct {
	List disputesList `cmd:"" default:"withargs" help:"List disputes, the newest first."`
	Open disputesOpen `cmd:"" help:"Record that a payer contests a payment: a chargeback."`
	Move disputesMove `cmd:"" help:"Record what became of a dispute: challenged, won, lost, accepted, expired, canceled."`
	Show disputesShow `cmd:"" help:"Show a dispute."`
}

type disputesList struct {
	operatorFlags

	Payment string `help:"Of this payment."`
	Status  string `help:"As in open, won or lost."`
	Limit   string `help:"At most this many." default:"50"`
}

type disputesOpen struct {
	operatorFlags

	Payment string `arg:"" help:"Its id, in any front door's spelling."`
	Amount  int64  `help:"Minor units; 0: all that is left."`
	Kind    string `help:"dispute, inquiry or pre_arbitration." default:"dispute" enum:"dispute,inquiry,pre_arbitration"`
	Reason  string `help:"Why."`
}

type disputesMove struct {
	operatorFlags

	ID string `arg:"" help:"As it was shown."`
	To string `arg:"" help:"The new status."`
}

type disputesShow struct {
	operatorFlags

	ID string `arg:"" help:"As it was shown."`
}

// Run implements the command.
func (c *disputesList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet,
		"/v1/disputes"+query("payment", c.Payment, "status", c.Status, "limit", c.Limit), nil,
		"id", "payment", "kind", "amount", "currency", "status", "created_at")
}

// Run implements the command.
func (c *disputesOpen) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{"payment": c.Payment, "kind": c.Kind}
	if c.Amount != 0 {
		body["amount"] = c.Amount
	}
	if c.Reason != "" {
		body["reason"] = c.Reason
	}
	return c.operate(ctx, t, http.MethodPost, "/v1/disputes", body)
}

// Run implements the command.
func (c *disputesMove) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/disputes/"+url.PathEscape(c.ID)+"/move", map[string]any{"to": c.To})
}

// Run implements the command.
func (c *disputesShow) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/disputes/"+url.PathEscape(c.ID), nil)
}
