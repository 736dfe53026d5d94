package main

import (
	"context"
	"net/http"
)

// tenantsCommand lists and makes tenants.
type tenantsCommand struct {
	List   tenantsList   `cmd:"" default:"withargs" help:"List tenants."`
	Create tenantsCreate `cmd:"" help:"Make a tenant."`
}

type tenantsList struct{ operatorFlags }

type tenantsCreate struct {
	operatorFlags

	Name string `arg:"" help:"What it is called."`
}

// Run implements the command.
func (c *tenantsList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/tenants", nil, "id", "name")
}

// Run implements the command.
func (c *tenantsCreate) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodPost, "/v1/tenants", map[string]any{"name": c.Name})
}
