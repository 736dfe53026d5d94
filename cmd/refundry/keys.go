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
	List    keysList    `cmd:"" default:"withargs" help:"List API keys and projects."`
	Create  keysCreate  `cmd:"" help:"Make an API key; it is shown this once."`
	Project keysProject `cmd:"" help:"Make a project of Smart Glocal or Pike; prints the provider's public key."`
	Revoke  keysRevoke  `cmd:"" help:"End a key or a project for good."`
}

type keysList struct{ operatorFlags }

type keysCreate struct {
	operatorFlags

	Name string `help:"For people."`
}

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
	return c.operate(ctx, t, http.MethodGet, "/v1/keys", nil, "id", "kind", "name", "created_at", "revoked_at")
}

// Run implements the command.
func (c *keysCreate) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/keys", map[string]any{"kind": "api_key", "name": c.Name})
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
