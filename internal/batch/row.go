package batch

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// RowStatus is what became of a row, see [RowLife].
type RowStatus string

// The statuses of a row.
const (
	RowWaiting  RowStatus = "waiting"
	RowRefunded RowStatus = "refunded" // a refund was opened; how that ends, the refund says
	RowAllowed  RowStatus = "allowed"  // of a dry run: it would be refunded
	RowRefused  RowStatus = "refused"  // a rule said no
	RowInvalid  RowStatus = "invalid"  // it could not be read
	RowSkipped  RowStatus = "skipped"  // the batch was canceled, or has reached its cap
)

// RowStatuses lists every status, for tables that must have a row for each.
var RowStatuses = []RowStatus{RowWaiting, RowRefunded, RowAllowed, RowRefused, RowInvalid, RowSkipped}

// RowLife is the life of a row. A refund is a fact, whoever brings it: a
// holder whose lease had ended may have been the one that opened it, after
// another was refused or the batch was canceled.
var RowLife = payment.Life[RowStatus]{
	RowWaiting:  {RowRefunded, RowAllowed, RowRefused, RowInvalid, RowSkipped},
	RowRefused:  {RowRefunded},
	RowSkipped:  {RowRefunded},
	RowRefunded: {},
	RowAllowed:  {},
	RowInvalid:  {},
}

// Takes reports whether a row of this status counts in the batch's sums.
func (s RowStatus) Takes() bool { return s == RowRefunded || s == RowAllowed }

// Row is one refund of a batch.
type Row struct {
	Number  int64 // 1, 2, …
	Status  RowStatus
	Key     string // its idempotency key, as its owner calls it; empty: one follows from batch and number
	Body    []byte // JSON, while it waits, or is allowed and the batch has not ended: then the refund has it, or nobody
	Payment payment.PaymentID
	Refund  payment.RefundID
	Amount  money.Amount // of the refund
	Reason  Reason       // why there is none
}

// Seen is a row with what is known by now of the payment and the refund that it
// names. Both are empty where it names none.
type Seen struct {
	Row

	PaymentReference string               // what the merchant calls the payment
	RefundStatus     payment.RefundStatus // or [Mixed]
}

// Mixed is where the refunds are that one row has opened, one for each capture,
// if they are not all in the same status.
const Mixed payment.RefundStatus = "mixed"

// Reason says why a row is no refund. It never repeats what was sent.
type Reason struct {
	Rule       payment.RuleName // of a refused row: which rule said no
	Skip       Skip             // of a skipped row
	Message    string
	Refundable money.Amount // what would be allowed; zero where that is not the point
	From       time.Time    // from when it would be allowed; zero where that is not the point
	Wrongs     []Wrong      // of an invalid row
}

// Skip says why a row is skipped.
type Skip string

// The reasons for skipping.
const (
	SkipNone     Skip = ""
	SkipCanceled Skip = "canceled"
	SkipCap      Skip = "cap"
	SkipLong     Skip = "long" // a dry run does not follow so many rows of one payment
)

// skips has the sentence for each reason.
var skips = map[Skip]string{
	SkipCanceled: "the batch was canceled",
	SkipCap:      "the batch has refunded as much as it may in this currency",
	SkipLong:     "a dry run follows at most " + strconv.Itoa(followMax) + " rows of one payment",
}

// Wrong is one thing that is wrong with a row.
type Wrong struct {
	Pointer string // into the row, as a URI fragment: "#/amount"
	Detail  string
}

// Wrongs is the error of a row that cannot be read.
type Wrongs []Wrong

// Error returns the sentence for the caller.
func (w Wrongs) Error() string {
	sentences := make([]string, len(w))
	for i, wrong := range w {
		place := strings.TrimPrefix(strings.TrimPrefix(wrong.Pointer, "#"), "/")
		sentences[i] = strings.TrimSpace(place + " " + wrong.Detail)
	}
	return strings.Join(sentences, "; ")
}

// FaultCode returns the kind of no.
func (w Wrongs) FaultCode() fault.Code { return fault.Invalid }

// PublicMessage returns the sentence for the caller.
func (w Wrongs) PublicMessage() string { return w.Error() }

// errLost is the error of a row whose text cannot be opened any more: its key is
// lost.
var errLost = wrong("cannot be read any more: its key is lost. Send it in another batch")

// wrong is the error of a row that is wrong as a whole.
func wrong(detail string) Wrongs { return Wrongs{{Pointer: "#", Detail: detail}} }

// Asked is a row that was read: the refund that it asks for, without who asks,
// its payment and its key.
type Asked struct {
	Command payment.OpenRefund
	Payment string // as the row names it
	Key     string // empty: none
}

// Members are what a row may have.
var Members = []string{
	"payment", "amount", "currency", "items", "full", "reference", "reason", "note", "message", "metadata", "key",
}

// Door is the front door at which a row could have been asked for alone: our
// own API. What is true of a refund there is true of a row here.
type Door interface {
	// ReadRow reads a row, a JSON object; [Wrongs]. It keeps nothing of the text.
	ReadRow(text []byte) (Asked, error)
	// FindPayment returns the payment that a row names: in our own spelling, or in
	// any front door's; [payment.RuleExists].
	FindPayment(ctx context.Context, tenant payment.TenantID, name string) (payment.PaymentID, error)
	// RefundKey returns the key of a refund whose caller calls it so. In an empty
	// scope it is the key that the refund would have if it were asked for alone.
	RefundKey(tenant payment.TenantID, scope, name string, command payment.OpenRefund) payment.Key
	// Code returns how the door spells a rule's no.
	Code(rule payment.RuleName) string
}

// decided returns the row with what came of it. Its text is forgotten: it may
// be about a person, and the refund has what is needed of it.
func (r Row) decided(status RowStatus, reason Reason) Row {
	r.Status, r.Reason, r.Body = status, reason, nil
	if status == RowRefused || status == RowInvalid {
		r.Amount = money.Amount{}
	}
	return r
}

// allowed returns the row as a dry run leaves it. Its text stays: rows of the
// same payment that come later are decided beside it.
func (r Row) allowed(what opened) Row {
	r.Status, r.Refund, r.Amount = RowAllowed, what.Refund, what.Amount
	return r
}

// refused returns the row as a rule's no leaves it.
func (r Row) refused(refusal *payment.Refusal) Row {
	return r.decided(RowRefused, Reason{
		Rule: refusal.Rule, Message: refusal.Message, Refundable: refusal.Refundable, From: refusal.From,
	})
}

// skipped returns the row as if it had never been asked for.
func (r Row) skipped(why Skip) Row {
	return r.decided(RowSkipped, Reason{Skip: why, Message: skips[why]})
}

// ended returns what an error makes of a row: refused, invalid, or nothing
// where the error says that it was not decided.
func (r Row) ended(err error) (Row, bool) {
	if refusal, ok := errors.AsType[*payment.Refusal](err); ok && refusal.FaultCode() != fault.Unavailable {
		return r.refused(refusal), true
	}
	if wrongs, ok := errors.AsType[Wrongs](err); ok {
		return r.decided(RowInvalid, Reason{Message: wrongs.Error(), Wrongs: wrongs}), true
	}
	return r, false
}
