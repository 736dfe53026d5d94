package service

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/refundry/refundry/internal/store/postgres"
	"github.com/refundry/refundry/internal/store/sqlite"
)

// Migrate brings the tables of a store up to date.
func Migrate(ctx context.Context, config Config) (err error) {
	if config.Database != "" {
		return postgres.Migrate(ctx, config.Database)
	}
	unlock, err := Lock(config.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return sqlite.Migrate(filepath.Join(config.Data, sqliteFile))
}
