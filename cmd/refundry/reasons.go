package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"github.com/refundry/refundry/internal/fault"
)

// reasonsCommand shows and replaces the catalogue of reasons.
type reasonsCommand struct {
	List reasonsList `cmd:"" default:"withargs" help:"List the reasons that refunds may have."`
	Set  reasonsSet  `cmd:"" help:"Replace the catalogue by a file: JSON, as list --json prints it."`
}

type reasonsList struct{ operatorFlags }

type reasonsSet struct {
	operatorFlags

	File string `arg:"" type:"existingfile" help:"An object with reasons, all of them, and is_required, which stays as it was if it is absent."`
}

// reasonColumns are those of the catalogue as a table.
var reasonColumns = []string{"code", "title", "doors", "default_at", "is_retired"}

// Run implements the command.
func (c *reasonsList) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/reasons", nil, reasonColumns...)
}

// Run implements the command.
func (c *reasonsSet) Run(ctx context.Context, t *terminal) error {
	catalogue, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("read the catalogue: %w", err)
	}
	if !json.Valid(catalogue) {
		return fault.New(fault.Invalid, "the catalogue is not JSON")
	}
	return c.operate(ctx, t, http.MethodPut, "/v1/reasons", json.RawMessage(catalogue), reasonColumns...)
}
