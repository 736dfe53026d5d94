package batch

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// Result is what a result file says of a row.
type Result struct {
	Number     int64         `json:"number"`
	Key        string        `json:"key,omitempty"`
	Status     RowStatus     `json:"status"`
	Payment    string        `json:"payment,omitempty"`
	Refund     string        `json:"refund,omitempty"`
	Amount     int64         `json:"amount,omitempty"`
	Currency   string        `json:"currency,omitempty"`
	Code       string        `json:"code,omitempty"` // as in a problem of the own API; "canceled", "cap"
	Message    string        `json:"message,omitempty"`
	Refundable *int64        `json:"refundable,omitempty"` // what would be allowed
	From       string        `json:"from,omitempty"`       // from when it would be allowed
	Errors     []ResultError `json:"errors,omitempty"`

	PaymentReference string               `json:"payment_reference,omitempty"` // what the merchant calls the payment
	RefundStatus     payment.RefundStatus `json:"refund_status,omitempty"`     // as it is by now, or [Mixed]
}

// ResultError is one thing that is wrong with a row.
type ResultError struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// timeFormat has microseconds, so that times sort as texts.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// CodeInvalid is the code of rows that could not be read.
const CodeInvalid = "invalid_request"

// result says what became of a row.
func (c *Clerk) result(row Seen) Result {
	r := Result{
		Number: row.Number, Key: row.Key, Status: row.Status, Message: row.Reason.Message,
		PaymentReference: row.PaymentReference, RefundStatus: row.RefundStatus,
	}
	if !row.Payment.IsZero() {
		r.Payment = row.Payment.String()
	}
	if !row.Refund.IsZero() {
		r.Refund = row.Refund.String()
	}
	switch row.Status {
	case RowRefunded, RowAllowed:
		r.Amount, r.Currency = int64(row.Amount.Minor), string(row.Amount.Currency)
	case RowRefused:
		r.Code = c.config.Door.Code(row.Reason.Rule)
	case RowInvalid:
		r.Code = CodeInvalid
	case RowSkipped:
		r.Code = string(row.Reason.Skip)
	case RowWaiting:
	}
	if left := row.Reason.Refundable; left.Currency != "" {
		minor := int64(left.Minor)
		r.Refundable, r.Currency = &minor, string(left.Currency)
	}
	if !row.Reason.From.IsZero() {
		r.From = row.Reason.From.UTC().Format(timeFormat)
	}
	for _, wrong := range row.Reason.Wrongs {
		r.Errors = append(r.Errors, ResultError(wrong))
	}
	return r
}

// WriteResult writes what became of each row of a batch, in their order, as far
// as it is known: rows that wait are there too; [payment.RuleExists]. Each
// change of a row is seen whole, and later ones beside it may be missing.
func (c *Clerk) WriteResult(ctx context.Context, tenant payment.TenantID, id ID, format Format, to io.Writer) error {
	if _, err := c.Get(ctx, tenant, id); err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(to, writeBytes)
	write, flush := newResultWriter(format, buffered)
	for after := int64(0); ; {
		rows, err := c.config.Store.BatchRows(ctx, tenant, id, after, resultRows)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := write(c.result(row)); err != nil {
				return err
			}
			after = row.Number
		}
		if len(rows) < resultRows {
			return errors.Join(flush(), buffered.Flush())
		}
	}
}

// writeBytes is how much of a result is written at a time.
const writeBytes = 32 << 10

// resultColumns is the heading of a result file in CSV. Columns are added at the
// end.
var resultColumns = []string{
	"number", "key", "status", "payment", "refund", "amount", "currency", "code", "message", "refundable", "from",
	"payment_reference", "refund_status",
}

// newResultWriter returns what writes results in a format, and what ends the file.
func newResultWriter(format Format, to io.Writer) (write func(Result) error, flush func() error) {
	if format != CSV {
		encoder := json.NewEncoder(to)
		encoder.SetEscapeHTML(false)
		return func(r Result) error { return encoder.Encode(r) }, func() error { return nil }
	}
	rows := csv.NewWriter(to)
	_ = rows.Write(resultColumns) // an error stays: Flush tells
	return func(r Result) error { return rows.Write(r.cells()) }, func() error {
		rows.Flush()
		return rows.Error()
	}
}

// cells returns the result as a row of CSV.
func (r Result) cells() []string {
	amount, refundable := "", ""
	if r.Amount > 0 {
		amount = strconv.FormatInt(r.Amount, 10)
	}
	if r.Refundable != nil {
		refundable = strconv.FormatInt(*r.Refundable, 10)
	}
	return []string{
		strconv.FormatInt(r.Number, 10), wire.Cell(r.Key), string(r.Status), r.Payment, r.Refund, amount, r.Currency, r.Code,
		r.Message, refundable, r.From, wire.Cell(r.PaymentReference), string(r.RefundStatus),
	}
}
