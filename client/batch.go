package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// BatchStatus is where a batch is in its life.
type BatchStatus string

// The statuses of a batch.
const (
	BatchReceiving BatchStatus = "receiving" // its rows have not come whole
	BatchReady     BatchStatus = "ready"     // it can be started
	BatchRunning   BatchStatus = "running"
	BatchPaused    BatchStatus = "paused"
	BatchCanceled  BatchStatus = "canceled" // what waited is skipped
	BatchDone      BatchStatus = "done"     // no row waits
)

// Batch is many refunds that are asked for together.
type Batch struct {
	ID              string      `json:"id"`
	Status          BatchStatus `json:"status"`
	Pause           string      `json:"pause"` // why it is paused: asked, failure, halted
	Reference       string      `json:"reference"`
	IsDryRun        bool        `json:"is_dry_run"`
	PerSecond       int         `json:"per_second"` // the most refunds a second; 0: as many as there can be
	Caps            []Money     `json:"caps"`       // the most that is refunded, per currency
	PausesOnFailure bool        `json:"pauses_on_failure"`
	Rows            BatchCounts `json:"rows"`
	Sums            []Money     `json:"sums"`            // what was refunded, or allowed by a dry run
	FullCurrencies  []string    `json:"full_currencies"` // their caps were reached
	CreatedAt       time.Time   `json:"created_at"`
	StartedAt       time.Time   `json:"started_at"`
	EndedAt         time.Time   `json:"ended_at"`
	UpdatedAt       time.Time   `json:"updated_at"`
	Version         int64       `json:"version"` // of two, the higher one is newer
}

// BatchCounts says how many rows a batch has, by what became of them.
type BatchCounts struct {
	Received int64 `json:"received"` // in all
	Waiting  int64 `json:"waiting"`
	Refunded int64 `json:"refunded"`
	Allowed  int64 `json:"allowed"` // a dry run: they would be refunded
	Refused  int64 `json:"refused"`
	Invalid  int64 `json:"invalid"` // they could not be read
	Skipped  int64 `json:"skipped"` // the batch was canceled, or has reached its cap
}

// BatchRequest says how a batch is worked through.
type BatchRequest struct {
	IdempotencyKey  string  `json:"-"` // the caller's name for what is to be done once
	Reference       string  `json:"reference,omitempty"`
	IsDryRun        bool    `json:"is_dry_run,omitempty"` // every row is decided, and nothing is refunded
	PerSecond       int     `json:"per_second,omitempty"`
	Caps            []Money `json:"caps,omitempty"` // with any, no other currency is refunded
	PausesOnFailure bool    `json:"pauses_on_failure,omitempty"`
}

// BatchRow asks for one refund of a batch. Exactly one of Money, Items and Full
// says how much.
type BatchRow struct {
	Payment   string    `json:"payment"`
	*Money              // this much
	Items     []ItemAsk `json:"items,omitempty"` // units of line items
	Full      bool      `json:"full,omitempty"`  // all that is left
	Reason    string    `json:"reason,omitempty"`
	Note      string    `json:"note,omitempty"`    // for the caller's own records
	Message   string    `json:"message,omitempty"` // for the payer
	Reference string    `json:"reference,omitempty"`
	Metadata  any       `json:"metadata,omitempty"` // an object of the caller's own
	Key       string    `json:"key,omitempty"`      // an idempotency key; empty: it follows from the batch and the row's number
}

// BatchResult is what became of a row.
type BatchResult struct {
	Number     int64           `json:"number"` // 1, 2, …
	Key        string          `json:"key"`
	Status     string          `json:"status"` // waiting, refunded, allowed, refused, invalid, skipped
	Payment    string          `json:"payment"`
	Refund     string          `json:"refund"` // the first, where several were opened together
	Minor      int64           `json:"amount"`
	Currency   string          `json:"currency"`
	Code       Code            `json:"code"` // why it is no refund: of an error, or canceled, cap, long
	Message    string          `json:"message"`
	Refundable *int64          `json:"refundable"` // what would be allowed; nil: that is not the point
	From       time.Time       `json:"from"`       // from when it would be allowed
	Errors     []BatchRowError `json:"errors"`

	PaymentReference string       `json:"payment_reference"` // what the merchant calls the payment
	RefundStatus     RefundStatus `json:"refund_status"`     // as it is by now; "mixed": of several, which differ
}

// BatchRowError is one thing that is wrong with a row.
type BatchRowError struct {
	Pointer string `json:"pointer"` // into the row
	Detail  string `json:"detail"`
}

// CreateBatch makes an empty batch. [Client.SendRows] fills it, and
// [Client.StartBatch] starts it; nothing is refunded before.
func (c *Client) CreateBatch(ctx context.Context, request BatchRequest) (batch Batch, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: "/v1/batches", key: request.IdempotencyKey, body: request}, &batch)
	return batch, err
}

// Batch reads a batch: its counts say how far it is.
func (c *Client) Batch(ctx context.Context, id string) (batch Batch, err error) {
	err = c.do(ctx, call{method: http.MethodGet, path: batchPath(id, "")}, &batch)
	return batch, err
}

func batchPath(id, rest string) string { return "/v1/batches/" + url.PathEscape(id) + rest }

// Batches reads batches, the newest first; an empty status narrows nothing.
func (c *Client) Batches(ctx context.Context, status BatchStatus) iter.Seq2[Batch, error] {
	query := url.Values{}
	set(query, "status", string(status))
	return pages[Batch](ctx, c, "/v1/batches", "batches", query)
}

// StartBatch starts a batch whose rows are there. Who starts it asks for its
// refunds; user names the person on whose behalf, if it is not empty.
func (c *Client) StartBatch(ctx context.Context, id, user string) (Batch, error) {
	return c.moveBatch(ctx, id, "/start", user)
}

// PauseBatch lets a batch stop once the rows that are being worked on are done.
func (c *Client) PauseBatch(ctx context.Context, id, user string) (Batch, error) {
	return c.moveBatch(ctx, id, "/pause", user)
}

// ResumeBatch lets a batch go on with the rows that wait.
func (c *Client) ResumeBatch(ctx context.Context, id, user string) (Batch, error) {
	return c.moveBatch(ctx, id, "/resume", user)
}

// CancelBatch skips the rows that wait. What was refunded stays refunded.
func (c *Client) CancelBatch(ctx context.Context, id, user string) (Batch, error) {
	return c.moveBatch(ctx, id, "/cancel", user)
}

func (c *Client) moveBatch(ctx context.Context, id, rest, user string) (batch Batch, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: batchPath(id, rest), user: user}, &batch)
	return batch, err
}

// SendRows sends a batch's rows, all of them from the first, at most a million.
// What has come before is passed over: if the connection breaks, the rest is
// sent by itself, and a program that starts anew may call it again. So rows must
// be the same whenever they are read.
func (c *Client) SendRows(ctx context.Context, id string, rows iter.Seq[BatchRow]) (Batch, error) {
	had := int64(-1)
	for attempt := 1; ; attempt++ {
		batch, err := c.Batch(ctx, id)
		if err != nil {
			return Batch{}, err
		}
		if batch.Rows.Received > had {
			attempt = 1 // it goes on
		}
		had = batch.Rows.Received
		batch, wanted, err := c.sendRows(ctx, id, had, rows)
		isBehind := errors.Is(err, Conflict) // rows of a broken request came after we asked
		if err == nil || !isPassing(err) && !isBehind || ctx.Err() != nil || attempt >= c.config.AttemptsMax {
			return batch, err
		}
		if c.pause(ctx, attempt, wanted) != nil {
			return Batch{}, err
		}
	}
}

// sendRows sends what follows the rows that have come.
func (c *Client) sendRows(ctx context.Context, id string, had int64, rows iter.Seq[BatchRow],
) (batch Batch, wanted time.Duration, err error) {
	from, to := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := writeRows(to, had, rows)
		written <- err
		_ = to.CloseWithError(err) // never fails; the reader sees err
	}()
	response, wanted, err := c.open(ctx, call{
		method: http.MethodPost, path: batchPath(id, "/rows"),
		query: url.Values{"offset": {strconv.FormatInt(had, 10)}},
	}, from)
	_ = from.Close() // lets the writer end, if not everything was read
	if writeErr := <-written; writeErr != nil && !errors.Is(writeErr, io.ErrClosedPipe) {
		return Batch{}, 0, fmt.Errorf("refundry: a row cannot be written: %w", writeErr)
	}
	if err != nil {
		return Batch{}, wanted, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
	if err != nil {
		return Batch{}, 0, fmt.Errorf("refundry: %w: %w", errConnection, err)
	}
	return batch, 0, read(answer, &batch)
}

// writeRows writes rows as lines, but for the first ones.
func writeRows(to io.Writer, had int64, rows iter.Seq[BatchRow]) error {
	lines := bufio.NewWriter(to)
	encoder := json.NewEncoder(lines)
	for row := range rows {
		if had > 0 {
			had--
			continue
		}
		if err := encoder.Encode(row); err != nil {
			return err
		}
	}
	return lines.Flush()
}

// BatchResults reads what became of each row of a batch, in their order. An
// error ends it: then it is not whole.
func (c *Client) BatchResults(ctx context.Context, id string) iter.Seq2[BatchResult, error] {
	return lines[BatchResult](ctx, c, call{method: http.MethodGet, path: batchPath(id, "/result")})
}
