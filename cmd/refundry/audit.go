package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/refundry/refundry/internal/audit"
)

// auditCommand reads the audit trail, and lets others check it.
type auditCommand struct {
	List        auditList        `cmd:"" default:"withargs" help:"List who did what, the newest first."`
	Checkpoint  auditCheckpoint  `cmd:"" help:"Show the chain at a commit: keep it elsewhere, for verify --checkpoint."`
	Export      auditExport      `cmd:"" help:"Export a part of the trail as NDJSON, with what its digests cover."`
	Check       auditCheck       `cmd:"" help:"Check an export without the database: digest again what it has of each commit."`
	ErasePerson auditErasePerson `cmd:"" help:"Destroy the key of a person: name and address can never be read again."`
}

type auditList struct {
	operatorFlags

	Actor   string   `help:"Of this actor, as in operator:local."`
	Kind    []string `help:"Of this kind, as in refund.approved, or group of kinds, as in refund."`
	Payment string   `help:"About this payment, in any front door's spelling."`
	Subject string   `help:"About this: the id of a refund, dispute, endpoint, key …"`
	User    string   `help:"On behalf of this person."`
	Person  string   `help:"On behalf of the person with this id."`
	From    string   `help:"Committed at this time or later (RFC 3339)."`
	Until   string   `help:"Committed at this time or earlier."`
	After   string   `help:"Go on from here: next of an earlier answer (--json)."`
	Limit   string   `help:"At most this many." default:"50"`
}

// Run implements the command.
func (c *auditList) Run(ctx context.Context, t *terminal) error {
	filters := query("actor", c.Actor, "payment", c.Payment, "subject", c.Subject, "user", c.User,
		"person", c.Person, "from", c.From, "until", c.Until, "after", c.After, "limit", c.Limit)
	for _, kind := range c.Kind { // each in a parameter of its own
		filters = cmp.Or(filters, "?") + "&kind=" + url.QueryEscape(kind)
	}
	return c.operate(ctx, t, http.MethodGet, "/v1/audit"+filters, nil,
		"at", "kind", "actor", "user", "address", "payment", "refund", "before", "after")
}

type auditCheckpoint struct {
	operatorFlags

	Number string `help:"Of a commit; the newest if none is given."`
}

// Run implements the command.
func (c *auditCheckpoint) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/audit/checkpoint"+query("number", c.Number), nil)
}

type auditExport struct {
	operatorFlags

	First  string `help:"First commit; 1 if none is given."`
	Last   string `help:"Last commit; the newest if none is given."`
	Output string `short:"o" help:"File to write; standard output if none is given." type:"path"`
}

// Run implements the command.
func (c *auditExport) Run(ctx context.Context, t *terminal) error {
	o, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	path := "/v1/audit/export" + query("first", c.First, "last", c.Last)
	return errors.Join(o.download(ctx, t, path, c.Output, asItIs), o.close())
}

type auditCheck struct {
	File string `arg:"" help:"An export, or a checkpoint." type:"existingfile"`
}

// Run implements the command.
func (c *auditCheck) Run(t *terminal) error {
	checked, err := t.checkFile(c.File)
	if err != nil {
		return err
	}
	if t.isJSON {
		encoder := json.NewEncoder(t.stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(checked)
	} else {
		err = t.printChecked(checked)
	}
	if err == nil && !checked.IsClean() {
		return exitError(1)
	}
	return err
}

// noProof is the exit status where a file proves nothing, one way or the other.
const noProof = exitError(2)

// checkFile checks an export, or a checkpoint. A file that is neither says
// nothing of the trail: it must not look like one that was changed.
func (t *terminal) checkFile(path string) (audit.Checked, error) {
	file, err := os.Open(path)
	if err != nil {
		return audit.Checked{}, fmt.Errorf("read the export: %w", err)
	}
	checked, err := audit.Check(file)
	if err = errors.Join(err, file.Close()); err != nil {
		_, _ = fmt.Fprintf(t.stderr, "refundry: the file is no checkpoint and no export: %s\n", err)
		return audit.Checked{}, noProof
	}
	return checked, nil
}

// printChecked prints what was found in an export, as verify does.
func (t *terminal) printChecked(checked audit.Checked) error {
	for _, finding := range checked.Findings {
		if _, err := fmt.Fprintf(t.stdout, "chain: %s\n", finding); err != nil {
			return err
		}
	}
	verdict := "all is as it was sealed"
	if !checked.IsClean() {
		verdict = fmt.Sprintf("%d findings", len(checked.Findings))
	}
	_, err := fmt.Fprintf(t.stdout, "%d events in %d commits: %s\n", checked.Events, checked.Commits, verdict)
	return err
}

type auditErasePerson struct {
	operatorFlags

	User   string `help:"As the header Refundry-User has named the person. This, or --person." xor:"who"`
	Person string `help:"The person's id, as the trail shows it. This, or --user." xor:"who"`
}

// Validate says that one of the two is needed. Were they required, the usage
// would show both as if they went together.
func (c *auditErasePerson) Validate() error {
	if c.User == "" && c.Person == "" {
		return errors.New("name the person by --user or by --person")
	}
	return nil
}

// Run implements the command.
func (c *auditErasePerson) Run(ctx context.Context, t *terminal) error {
	body := map[string]any{"user": c.User}
	if c.Person != "" {
		body = map[string]any{"person": c.Person}
	}
	return c.operate(ctx, t, http.MethodPost, "/v1/audit/erase-person", body)
}
