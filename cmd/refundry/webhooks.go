package main

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// webhooksCommand says where a tenant is told, and what became of it.
type webhooksCommand struct {
	List       webhooksList       `cmd:"" default:"withargs" help:"List webhook endpoints."`
	Add        webhooksAdd        `cmd:"" help:"Add an endpoint; its secret is shown this once."`
	Remove     webhooksRemove     `cmd:"" help:"Remove an endpoint; its open deliveries are canceled."`
	Rotate     webhooksRotate     `cmd:"" help:"Give an endpoint another secret, which is shown this once; the one before signs too for a while."`
	Deliveries webhooksDeliveries `cmd:"" help:"List deliveries, the newest first."`
	Show       webhooksShow       `cmd:"" help:"Show a delivery with every attempt."`
	Resend     webhooksResend     `cmd:"" help:"Make a delivery that has ended once more."`
	Replay     webhooksReplay     `cmd:"" help:"Tell an endpoint once more what has happened, each event in a new delivery."`
}

type webhooksList struct{ operatorFlags }

type webhooksAdd struct {
	operatorFlags

	Door  string   `arg:"" help:"In whose words: api, smartglocal, pike, ping, chip, primer."`
	URL   string   `arg:"" help:"Where to."`
	Kinds []string `help:"Kinds of event; none: all that the door tells."`
}

type webhooksRemove struct {
	operatorFlags

	ID string `arg:"" help:"As listed."`
}

type webhooksRotate struct {
	operatorFlags

	ID      string         `arg:"" help:"As listed: of our own API, or of Primer, whose endpoints have one secret together."`
	Overlap *time.Duration `help:"For how long the secret before signs too, at our own API; a day unless it is given."`
}

type webhooksDeliveries struct {
	operatorFlags

	Payment string `help:"Of this payment."`
	Status  string `help:"open, delivered, given_up or canceled."`
	Limit   string `help:"At most this many." default:"50"`
}

type webhooksShow struct {
	operatorFlags

	ID string `arg:"" help:"As listed."`
}

type webhooksResend struct {
	operatorFlags

	ID string `arg:"" help:"As listed."`
}

type webhooksReplay struct {
	operatorFlags

	ID         string `arg:"" help:"As listed."`
	After      string `help:"Events behind this cursor of the feed."`
	From       string `help:"Of these, what happened at this time or later, as in 2026-03-01T00:00:00Z."`
	Until      string `help:"Of these, what happened before this time."`
	OnlyMissed bool   `help:"Only what has never arrived at the endpoint, and is not on its way."`
	Limit      int    `help:"At most so many events are read; 10,000 unless it is given."`
}

// Run implements the command. One that ends early says where to go on.
func (c *webhooksReplay) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{}
	for name, text := range map[string]string{"after": c.After, "from": c.From, "until": c.Until} {
		if text != "" {
			body[name] = text
		}
	}
	if c.OnlyMissed {
		body["only_missed"] = true
	}
	if c.Limit > 0 {
		body["limit"] = c.Limit
	}
	return c.operate(ctx, t, http.MethodPost, "/v1/endpoints/"+url.PathEscape(c.ID)+"/replay", body)
}

// Run implements the command.
func (c *webhooksList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/endpoints", nil, "id", "door", "url", "kinds", "created_at")
}

// Run implements the command.
func (c *webhooksAdd) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{"door": c.Door, "url": c.URL}
	if len(c.Kinds) > 0 {
		body["kinds"] = c.Kinds
	}
	return c.operate(ctx, t, http.MethodPost, "/v1/endpoints", body)
}

// Run implements the command.
func (c *webhooksRemove) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodDelete, "/v1/endpoints/"+url.PathEscape(c.ID), nil)
}

// Run implements the command.
func (c *webhooksRotate) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{}
	if c.Overlap != nil {
		body["overlap_seconds"] = int64(c.Overlap.Seconds())
	}
	return c.operate(ctx, t, http.MethodPost, "/v1/endpoints/"+url.PathEscape(c.ID)+"/rotate", body)
}

// Run implements the command.
func (c *webhooksDeliveries) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet,
		"/v1/deliveries"+query("payment", c.Payment, "status", c.Status, "limit", c.Limit), nil,
		"id", "door", "kind", "status", "attempts", "payment", "at")
}

// Run implements the command.
func (c *webhooksShow) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/deliveries/"+url.PathEscape(c.ID), nil)
}

// Run implements the command.
func (c *webhooksResend) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/deliveries/"+url.PathEscape(c.ID)+"/resend", nil)
}
