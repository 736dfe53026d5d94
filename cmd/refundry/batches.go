package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/schollz/progressbar/v3"

	"github.com/refundry/refundry/internal/batch"
)

// batchesCommand refunds many payments at once.
type batchesCommand struct {
	Create batchesCreate `cmd:"" help:"Send a file of refunds, and start refunding."`
	List   batchesList   `cmd:"" help:"List batches, the newest first."`
	Show   batchesShow   `cmd:"" help:"Show a batch: how far it is."`
	Start  batchesStart  `cmd:"" help:"Start a batch that was sent with --hold."`
	Pause  batchesPause  `cmd:"" help:"Hold a batch up."`
	Resume batchesResume `cmd:"" help:"Let a paused batch go on."`
	Cancel batchesCancel `cmd:"" help:"End a batch: rows that wait are skipped."`
	Result batchesResult `cmd:"" help:"Write what became of each row."`
}

type batchesCreate struct {
	operatorFlags

	File           string           `arg:"" type:"existingfile" help:"A refund a line (NDJSON), or CSV with a heading."`
	Format         string           `help:"ndjson or csv; by the file's name if none is given." enum:",ndjson,csv" default:""`
	Reference      string           `help:"What you call the batch."`
	DryRun         bool             `help:"Decide every row by the same rules, and refund nothing."`
	PerSecond      int              `help:"The most refunds a second; 0: as many as there can be."`
	Cap            map[string]int64 `help:"The most that is refunded, in minor units of each currency, as in EUR=500000,JPY=80000." mapsep:"," placeholder:"EUR=500000"`
	PauseOnFailure bool             `help:"Pause when a row is refused."`
	Hold           bool             `help:"Do not start it yet."`
	GoOn           string           `help:"Send the rest of the file: an upload to this batch broke off." placeholder:"bat_…"`
}

type batchesList struct {
	operatorFlags

	Status string `help:"receiving, ready, running, paused, canceled or done."`
	Limit  string `help:"At most this many." default:"50"`
}

// batchID is how the other commands name a batch.
type batchID struct {
	operatorFlags

	ID string `arg:"" help:"bat_…"`
}

type (
	batchesShow   struct{ batchID }
	batchesStart  struct{ batchID }
	batchesPause  struct{ batchID }
	batchesResume struct{ batchID }
	batchesCancel struct{ batchID }
)

type batchesResult struct {
	batchID

	Format string `help:"ndjson or csv." enum:"ndjson,csv" default:"ndjson"`
	Output string `short:"o" help:"File to write; standard output if none is given." type:"path"`
}

// sentBatch is what the command must know of a batch.
type sentBatch struct {
	ID   string `json:"id"`
	Rows struct {
		Received int64 `json:"received"`
		Invalid  int64 `json:"invalid"`
	} `json:"rows"`
}

// Run implements the command.
func (c *batchesCreate) Run(ctx context.Context, t *terminal) (err error) {
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	defer func() { _ = file.Close() }() // it was read
	o, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	text, err := c.create(ctx, t, o, file)
	if err == nil {
		err = t.printBatch(text)
	}
	return errors.Join(err, o.close())
}

// create makes the batch, sends it the file and starts it.
func (c *batchesCreate) create(ctx context.Context, t *terminal, o *operator, file *os.File) ([]byte, error) {
	b, err := c.batch(ctx, o)
	if err != nil {
		return nil, err
	}
	text, err := c.send(ctx, t, o, b, file)
	if err != nil {
		return nil, fmt.Errorf("broken off; send the rest with --go-on=%s: %w", b.ID, err)
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if b.Rows.Invalid > 0 {
		if _, err := fmt.Fprintf(t.stderr, "%d rows cannot be read: see refundry batches result %s\n", b.Rows.Invalid, b.ID); err != nil {
			return nil, err
		}
	}
	if c.Hold {
		return text, nil
	}
	return o.call(ctx, http.MethodPost, "/v1/batches/"+b.ID+"/start", nil)
}

// batch returns the batch that the file is sent to: a new one, unless an
// upload goes on.
func (c *batchesCreate) batch(ctx context.Context, o *operator) (b sentBatch, err error) {
	var text []byte
	if c.GoOn != "" {
		text, err = o.call(ctx, http.MethodGet, "/v1/batches/"+url.PathEscape(c.GoOn), nil)
	} else {
		text, err = o.call(ctx, http.MethodPost, "/v1/batches", c.options())
	}
	if err != nil {
		return b, err
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return b, fmt.Errorf("answer: %w", err)
	}
	return b, nil
}

// options is the body of the request that makes the batch.
func (c *batchesCreate) options() map[string]any {
	body := map[string]any{"is_dry_run": c.DryRun, "pauses_on_failure": c.PauseOnFailure}
	if c.Reference != "" {
		body["reference"] = c.Reference
	}
	if c.PerSecond != 0 {
		body["per_second"] = c.PerSecond
	}
	var caps []map[string]any
	for currency, minor := range c.Cap {
		caps = append(caps, map[string]any{"amount": minor, "currency": currency})
	}
	if len(caps) > 0 {
		body["caps"] = caps
	}
	return body
}

// send streams the rows that have not come yet.
func (c *batchesCreate) send(ctx context.Context, t *terminal, o *operator, b sentBatch, file *os.File) ([]byte, error) {
	format, media := batch.NDJSON, "application/x-ndjson"
	if c.Format == "csv" || (c.Format == "" && strings.HasSuffix(strings.ToLower(c.File), ".csv")) {
		format, media = batch.CSV, "text/csv"
	}
	size := int64(-1)
	if facts, err := file.Stat(); err == nil {
		size = facts.Size()
	}
	bar := t.progress("sending", size)
	defer func() { _ = bar.Finish() }() // it is for people only
	seen := progressbar.NewReader(file, bar)
	rest, err := batch.Rest(&seen, format, b.Rows.Received)
	if err != nil {
		return nil, err
	}
	path := "/v1/batches/" + b.ID + "/rows" + query("offset", strconv.FormatInt(b.Rows.Received, 10))
	response, err := o.send(ctx, http.MethodPost, path, media, rest)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, problemOf(text, response.StatusCode)
	}
	return text, nil
}

// Run implements the command.
func (c *batchesList) Run(ctx context.Context, t *terminal) error {
	o, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	text, err := o.call(ctx, http.MethodGet, "/v1/batches"+query("status", c.Status, "limit", c.Limit), nil)
	if err == nil {
		err = t.printBatches(text)
	}
	return errors.Join(err, o.close())
}

// batchColumns are what a list of batches has, for people.
var batchColumns = []string{
	"id", "status", "reference", "received", "waiting", "refunded", "allowed", "refused", "invalid", "skipped", "created_at",
}

// printBatches prints a page of batches.
func (t *terminal) printBatches(text []byte) error {
	if t.isJSON {
		return t.printAnswer(text, nil)
	}
	var page struct {
		Batches []map[string]any
		HasMore json.RawMessage `json:"has_more"`
	}
	if err := json.Unmarshal(text, &page); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	list := make([]any, len(page.Batches))
	for i, b := range page.Batches {
		list[i] = flat(b)
	}
	return errors.Join(t.printList(list, batchColumns), t.printMore(page.HasMore))
}

// printBatch prints a batch.
func (t *terminal) printBatch(text []byte) error {
	if t.isJSON {
		return t.printAnswer(text, nil)
	}
	var b map[string]any
	if err := json.Unmarshal(text, &b); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return t.printFacts(flat(b))
}

// flat returns a batch with the counts of its rows beside its other facts.
func flat(b map[string]any) map[string]any {
	rows, _ := b["rows"].(map[string]any)
	delete(b, "rows")
	for status, count := range rows {
		number, _ := count.(float64)
		b[status] = strconv.FormatInt(int64(number), 10)
	}
	return b
}

// ask asks something of the batch, or for it.
func (c *batchID) ask(ctx context.Context, t *terminal, method, more string) error {
	o, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	text, err := o.call(ctx, method, "/v1/batches/"+url.PathEscape(c.ID)+more, nil)
	if err == nil {
		err = t.printBatch(text)
	}
	return errors.Join(err, o.close())
}

// Run implements the command.
func (c *batchesShow) Run(ctx context.Context, t *terminal) error {
	return c.ask(ctx, t, http.MethodGet, "")
}

// Run implements the command.
func (c *batchesStart) Run(ctx context.Context, t *terminal) error {
	return c.ask(ctx, t, http.MethodPost, "/start")
}

// Run implements the command.
func (c *batchesPause) Run(ctx context.Context, t *terminal) error {
	return c.ask(ctx, t, http.MethodPost, "/pause")
}

// Run implements the command.
func (c *batchesResume) Run(ctx context.Context, t *terminal) error {
	return c.ask(ctx, t, http.MethodPost, "/resume")
}

// Run implements the command.
func (c *batchesCancel) Run(ctx context.Context, t *terminal) error {
	return c.ask(ctx, t, http.MethodPost, "/cancel")
}

// Run implements the command.
func (c *batchesResult) Run(ctx context.Context, t *terminal) error {
	o, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	path := "/v1/batches/" + url.PathEscape(c.ID) + "/result" + query("format", c.Format)
	return errors.Join(o.download(ctx, t, path, c.Output, asItIs), o.close())
}
