package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/refundry/refundry/internal/service"
)

// migrateCommand brings tables up to date; `refundry serve` does so too.
type migrateCommand struct {
	storeFlags
}

// Run implements the command.
func (c *migrateCommand) Run(ctx context.Context, t *terminal) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if err := service.Migrate(ctx, service.Config{Data: c.Data, Database: c.Database}); err != nil {
		return err
	}
	if t.isJSON {
		return json.NewEncoder(t.stdout).Encode(map[string]bool{"is_up_to_date": true})
	}
	_, err := fmt.Fprintln(t.stdout, "the tables are up to date")
	return err
}
