package service

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/clock"
	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/postgres"
	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/verify"
)

// Verify recomputes everything, beside a service that runs or without one. It
// takes no lock and changes nothing. It proves, too, that the chain is the one
// that a file is of that was kept, if it has any anchors. progress hears how much is done.
func Verify(ctx context.Context, config Config, kept audit.Checked, progress func(done int64)) (_ verify.Result, err error) {
	reader, err := openReader(ctx, config)
	if err != nil {
		return verify.Result{}, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	result, err := verify.Run(ctx, reader, progress)
	if err != nil {
		return result, err
	}
	differ, err := audit.Prove(ctx, reader, kept)
	for _, d := range differ {
		result.Findings = append(result.Findings, verify.Finding{Commit: d.Number, Kind: "chain", Message: d.What})
	}
	return result, err
}

// Verify recomputes everything of a service that was opened.
func (s *Service) Verify(ctx context.Context) (verify.Result, error) {
	return verify.Run(ctx, s.store, func(int64) {})
}

// reader is a store that is only read.
type reader interface {
	verify.Store
	audit.Checkpoints
	Close() error
}

func openReader(ctx context.Context, config Config) (reader, error) {
	now := clock.New(config.Machine).Now
	if config.Database != "" {
		return postgres.Open(ctx, postgres.Config{URL: config.Database, Now: now, NewID: config.NewID, Log: config.Log})
	}
	return sqlite.Open(sqlite.Config{
		Path: filepath.Join(config.Data, sqliteFile), ReadOnly: true, Now: now, Machine: config.Machine,
		NewID: config.NewID, Log: config.Log,
	})
}

// Entries returns every entry in the books about a payment of a tenant, by the
// tenant's id as sandbox.json has it.
func (s *Service) Entries(ctx context.Context, tenant string, of payment.PaymentID) ([]ledger.Entry, error) {
	var id payment.TenantID
	if err := id.Parse(tenant); err != nil {
		return nil, err
	}
	return s.store.Entries(ctx, id, of)
}

// Balances returns the balances of all accounts of a tenant: the trial balance.
func (s *Service) Balances(ctx context.Context, tenant string) (ledger.Balances, error) {
	var id payment.TenantID
	if err := id.Parse(tenant); err != nil {
		return nil, err
	}
	return s.store.Balances(ctx, id, time.Time{})
}
