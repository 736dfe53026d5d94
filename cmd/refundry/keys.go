package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
)

// keysCommand lists, makes and revokes a tenant's credentials.
type keysCommand struct {
	List    keysList    `cmd:"" default:"withargs" help:"List keys and projects."`
	Create  keysCreate  `cmd:"" help:"Make a key of our own API, of Ping Payments, CHIP or Primer; it is shown this once."`
	Project keysProject `cmd:"" help:"Make a project of Smart Glocal or Pike; prints the provider's public key."`
	Revoke  keysRevoke  `cmd:"" help:"End a key or a project for good."`
}

type keysList struct {
	operatorFlags

	UnusedDays string `help:"Only valid keys that no caller has used for so many days, as in 90."`
}

type keysCreate struct {
	operatorFlags

	Door   string   `help:"At which front door it is valid: api, ping, chip or primer." enum:"api,ping,chip,primer" default:"api"`
	Name   string   `help:"For people."`
	Scopes []string `help:"What it may be used for; none: everything. At our own API: ${api_scopes}. At Primer: transactions:authorize, transactions:cancel, transactions:capture, transactions:retrieve, transactions:refund."`
}

// keyKinds says which kind of credential opens which door.
var keyKinds = map[string]string{"api": "api_key", "ping": "ping_secret", "chip": "chip_key", "primer": "primer_key"}

type keysProject struct {
	operatorFlags

	Brand     string   `arg:"" enum:"smartglocal,pike" help:"smartglocal or pike."`
	Name      string   `arg:"" help:"As in X-PARTNER-PROJECT."`
	PublicKey []string `required:"" type:"existingfile" help:"The merchant's public key, PEM; several may be given."`
}

type keysRevoke struct {
	operatorFlags

	ID string `arg:"" help:"As listed."`
}

// Run implements the command.
func (c *keysList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/keys"+query("unused_days", c.UnusedDays), nil,
		"id", "kind", "name", "created_at", "last_used_at", "revoked_at")
}

// Run implements the command.
func (c *keysCreate) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{"kind": keyKinds[c.Door], "name": c.Name}
	if len(c.Scopes) > 0 {
		body["scopes"] = c.Scopes
	}
	return c.operate(ctx, t, http.MethodPost, "/v1/keys", body)
}

// Run implements the command.
func (c *keysProject) Run(ctx context.Context, t *terminal) error {
	var keys []string
	for _, path := range c.PublicKey {
		text, err := os.ReadFile(path) //nolint:gosec // the operator names it
		if err != nil {
			return fmt.Errorf("read a public key: %w", err)
		}
		keys = append(keys, string(text))
	}
	return c.operate(ctx, t, http.MethodPost, "/v1/keys",
		map[string]any{"kind": "project", "brand": c.Brand, "name": c.Name, "public_keys": keys})
}

// Run implements the command.
func (c *keysRevoke) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodDelete, "/v1/keys/"+url.PathEscape(c.ID), nil)
}
