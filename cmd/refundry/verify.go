package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/service"
	"github.com/refundry/refundry/internal/verify"
)

// verifyCommand recomputes everything, beside a running server or without one.
type verifyCommand struct {
	storeFlags

	Checkpoint string `help:"Prove too that the chain is the one of this checkpoint or export." type:"existingfile" placeholder:"FILE"`
}

// Run implements the command.
func (c *verifyCommand) Run(ctx context.Context, t *terminal) error {
	var kept audit.Checked
	if c.Checkpoint != "" {
		var err error
		if kept, err = t.checkFile(c.Checkpoint); err != nil {
			return err
		}
		if !kept.IsClean() {
			return errors.Join(t.printChecked(kept), exitError(1))
		}
	}
	bar := t.progress("verifying", -1)
	result, err := service.Verify(ctx, service.Config{
		Data: c.Data, Database: c.Database, Machine: machineTime, NewID: newID, Log: t.log,
	}, kept, func(done int64) { _ = bar.Add64(done) })
	_ = bar.Finish()
	if err != nil {
		return err
	}
	if err := t.printVerified(result); err != nil {
		return err
	}
	if !result.IsClean() {
		return exitError(1)
	}
	return nil
}

// printVerified prints what was looked at, and what differs.
func (t *terminal) printVerified(result verify.Result) error {
	if t.isJSON {
		encoder := json.NewEncoder(t.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	}
	for _, f := range result.Findings {
		where := fmt.Sprintf("commit %d", f.Commit)
		switch {
		case f.Commit == 0 && f.Payment.IsZero() && f.Batch.IsZero():
			where = "all commits"
		case !f.Payment.IsZero():
			where = f.Payment.String()
		case !f.Batch.IsZero():
			where = f.Batch.String()
		}
		if _, err := fmt.Fprintf(t.stdout, "%s: %s: %s\n", f.Kind, where, f.Message); err != nil {
			return err
		}
	}
	if result.LostKeys > 0 {
		const lost = "keys: %d were marked as lost, and what they have sealed cannot be read\n"
		if _, err := fmt.Fprintf(t.stdout, lost, result.LostKeys); err != nil {
			return err
		}
	}
	verdict := "all is as it must be"
	if !result.IsClean() {
		verdict = fmt.Sprintf("%d findings", len(result.Findings))
	}
	_, err := fmt.Fprintf(t.stdout, "%d payments, %d refunds, %d postings, %d batches, %d events in %d commits: %s\n",
		result.Payments, result.Refunds, result.Postings, result.Batches, result.Events, result.Commits, verdict)
	return err
}
