// Package verify recomputes what must follow from rows that never change, and
// says what differs: totals, statuses, the ledger, batches, the audit chain.
package verify

import (
	"context"
	"slices"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// Key names a payment.
type Key struct {
	Tenant  payment.TenantID
	Payment payment.PaymentID
}

// Commit is one commit row, with what was recomputed of it.
type Commit struct {
	Number  int64
	Follows bool // its hash follows from the one before, no number is missing, and its time is not earlier
	Parts   []Part
}

// Part is what a commit proves of one tenant.
type Part struct {
	Tenant   payment.TenantID
	Events   int64
	Damaged  int64 // events that the key of their person does not open
	IsIntact bool  // the digest of its events and entries is the one that was sealed
}

// Batch is a batch of refunds, with what was recounted of it.
type Batch struct {
	Tenant    payment.TenantID
	ID        batch.ID
	IsCounted bool  // its counts are those of its rows
	Lost      int64 // rows that say that they are refunded, by no refund of their payment
}

// Store reads what is verified. Each payment and each commit is read as of one
// moment; the service may go on meanwhile.
type Store interface {
	// PaymentKeys returns at most limit payments behind a key, in order.
	PaymentKeys(ctx context.Context, after Key, limit int) ([]Key, error)
	// PaymentWhole returns a payment with all its parts and attempts, and every
	// posting about it.
	PaymentWhole(ctx context.Context, key Key) (payment.View, []ledger.Posting, error)
	// BatchesCounted returns at most limit batches behind one, in order, each recounted.
	BatchesCounted(ctx context.Context, after Batch, limit int) ([]Batch, error)
	// Commits returns at most limit commits behind a number, in order, each
	// recomputed.
	Commits(ctx context.Context, after int64, limit int) ([]Commit, error)
	// CountAll counts events up to a commit, and what no commit accounts for.
	CountAll(ctx context.Context, upTo int64) (Counts, error)
}

// Counts is what was counted over all commits, as of one moment.
type Counts struct {
	Events   int64 // up to the commit
	Later    int64 // events whose commit is not there, behind the newest that is
	Postings int64 // those of which no event of their commit, payment, version and time tells
	Payouts  int64 // those of which no event tells
	Keys     int64 // those that were destroyed, and no event says that somebody was erased
	Lost     int64 // keys that an operator has marked as lost, see [LostAt]
}

// LostAt is the time at which a key is said to be destroyed that was lost: a
// backup was restored that had none. No event tells of it.
const LostAt = 1

// Finding is something that differs.
type Finding struct {
	Tenant  payment.TenantID  `json:"tenant,omitzero"`
	Payment payment.PaymentID `json:"payment,omitzero"`
	Batch   batch.ID          `json:"batch,omitzero"`
	Commit  int64             `json:"commit,omitempty"`
	Kind    string            `json:"kind"` // "totals", "status", "ledger", "attempts", "batch", "chain", "keys"
	Message string            `json:"message"`
}

// Result is what was looked at, and what differs.
type Result struct {
	Payments int64     `json:"payments"`
	Refunds  int64     `json:"refunds"`
	Postings int64     `json:"postings"`
	Batches  int64     `json:"batches"`
	Commits  int64     `json:"commits"`
	Events   int64     `json:"events"`
	LostKeys int64     `json:"lost_keys,omitempty"` // marked as lost after a backup without keys was restored
	Findings []Finding `json:"findings"`
}

// IsClean reports whether nothing differs.
func (r Result) IsClean() bool { return len(r.Findings) == 0 }

const (
	page        = 500
	batchPage   = 20   // each may have a million rows
	findingsMax = 1000 // then it is no matter of single rows
)

// Run verifies everything. progress hears how many payments and commits are done.
func Run(ctx context.Context, store Store, progress func(done int64)) (Result, error) {
	result := Result{Findings: []Finding{}}
	if err := payments(ctx, store, &result, progress); err != nil {
		return result, err
	}
	if err := batches(ctx, store, &result); err != nil {
		return result, err
	}
	return result, commits(ctx, store, &result, progress)
}

func (r *Result) find(f Finding) {
	if len(r.Findings) < findingsMax {
		r.Findings = append(r.Findings, f)
	}
}

func payments(ctx context.Context, store Store, result *Result, progress func(int64)) error {
	var after Key
	for {
		keys, err := store.PaymentKeys(ctx, after, page)
		if err != nil || len(keys) == 0 {
			return err
		}
		for _, key := range keys {
			view, postings, err := store.PaymentWhole(ctx, key)
			if err != nil {
				return err
			}
			result.Payments++
			result.Refunds += int64(len(view.Refunds))
			result.Postings += int64(len(postings))
			for _, found := range Payment(view, postings) {
				result.find(found)
			}
			progress(1)
		}
		after = keys[len(keys)-1]
	}
}

func batches(ctx context.Context, store Store, result *Result) error {
	var after Batch
	for {
		list, err := store.BatchesCounted(ctx, after, batchPage)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, b := range list {
			result.Batches++
			b.check(result)
		}
		after = list[len(list)-1]
	}
}

// check says what is wrong with a batch.
func (b Batch) check(result *Result) {
	if !b.IsCounted {
		result.find(Finding{Tenant: b.Tenant, Batch: b.ID, Kind: "batch", Message: "the counts are not those of the rows"})
	}
	if b.Lost > 0 {
		result.find(Finding{
			Tenant: b.Tenant, Batch: b.ID, Kind: "batch", Message: "a row says that it is refunded, and there is no such refund",
		})
	}
}

func commits(ctx context.Context, store Store, result *Result, progress func(int64)) error {
	var after int64
	for {
		list, err := store.Commits(ctx, after, page)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return count(ctx, store, result, after)
		}
		for _, c := range list {
			result.Commits++
			c.check(result)
			progress(1)
		}
		after = list[len(list)-1].Number
	}
}

// check says what is wrong with a commit.
func (c Commit) check(result *Result) {
	if !c.Follows {
		result.find(Finding{Commit: c.Number, Kind: "chain", Message: "the commit does not follow from the one before"})
	}
	for _, part := range c.Parts {
		result.Events += part.Events
		switch { // what was sealed opens beside the rest of its event only
		case !part.IsIntact:
			result.find(Finding{
				Tenant: part.Tenant, Commit: c.Number, Kind: "chain",
				Message: "an event or an entry is not what was sealed with the commit",
			})
		case part.Damaged > 0:
			result.find(Finding{
				Tenant: part.Tenant, Commit: c.Number, Kind: "keys",
				Message: "the key of a person does not open what was sealed with it",
			})
		}
	}
}

// count looks for what no commit has sealed.
func count(ctx context.Context, store Store, result *Result, upTo int64) error {
	counts, err := store.CountAll(ctx, upTo)
	if err != nil {
		return err
	}
	result.LostKeys = counts.Lost
	if counts.Events != result.Events || counts.Later > 0 {
		result.find(Finding{Kind: "chain", Message: "there are events that no commit has sealed"})
	}
	if counts.Postings > 0 {
		result.find(Finding{Kind: "chain", Message: "there are entries of which no event of their payment and time tells"})
	}
	if counts.Payouts > 0 {
		result.find(Finding{Kind: "chain", Message: "there are payouts of which no event tells"})
	}
	if counts.Keys > 0 {
		result.find(Finding{Kind: "keys", Message: "there are keys that were destroyed without anything being erased"})
	}
	return nil
}

// Payment says what is wrong with one payment. It needs all its parts.
func Payment(v payment.View, postings []ledger.Posting) []Finding {
	var found []Finding
	say := func(kind, message string) {
		found = append(found, Finding{Tenant: v.Payment.Tenant, Payment: v.Payment.ID, Kind: kind, Message: message})
	}
	sums := v.Recount()
	sums.Excess = v.Payment.Excess // it may be more than the sums need, until it shrinks
	if sums != v.Payment.Totals {
		say("totals", "the totals are not the sums of captures, refunds and disputes")
	}
	if v.Payment.Refunded+v.Payment.Reserved+v.Payment.Disputed > v.Payment.Captured+v.Payment.Excess {
		say("totals", "more went back than was taken")
	}
	kept(v, say)
	statuses(v, say)
	books(v, postings, say)
	attempts(v, say)
	return found
}

// kept checks what is kept with lines and captures against the refunds.
func kept(v payment.View, say func(kind, message string)) {
	lines, captures := v.RecountParts()
	if !slices.Equal(lines, v.LineTotals) {
		say("totals", "what refunds have taken of a line is not the sum of theirs")
	}
	isSame := func(a, b payment.Capture) bool { return a.Reserved == b.Reserved && a.Refunded == b.Refunded }
	if !slices.EqualFunc(captures, v.Captures, isSame) {
		say("totals", "what refunds have taken of a capture is not the sum of theirs")
	}
}

// attempts checks that no refund was paid twice.
func attempts(v payment.View, say func(kind, message string)) {
	paid := map[payment.RefundID]int{}
	for _, attempt := range v.Attempts {
		if attempt.Outcome == payment.AttemptSucceeded || attempt.Outcome == payment.AttemptReturned {
			paid[attempt.Refund]++
		}
	}
	for _, refund := range v.Refunds {
		isPaid := refund.Status == payment.RefundSucceeded || refund.Status == payment.RefundReturned
		switch {
		case isPaid && refund.AttemptCount > 0 && paid[refund.ID] == 0:
			say("attempts", "a refund succeeded without an attempt that did")
		case refund.Status.IsRunning() && paid[refund.ID] > 0:
			say("attempts", "an attempt succeeded and its refund does not know")
		}
	}
}

// statuses checks every status against its history, and every step against
// the tables of lives.
func statuses(v payment.View, say func(kind, message string)) {
	if !steps(payment.PaymentLife, v.Payment.History, v.Payment.Status, v.Payment.Version) {
		say("status", "the payment's status does not follow from its history")
	}
	for _, r := range v.Refunds {
		if !steps(payment.RefundLife, r.History, r.Status, r.Version) {
			say("status", "a refund's status does not follow from its history")
		}
	}
	for _, d := range v.Disputes {
		if !steps(payment.DisputeLife, d.History, d.Status, d.Version) {
			say("status", "a dispute's status does not follow from its history")
		}
	}
	for _, c := range v.Captures {
		if !steps(payment.CaptureLife, c.History, c.Status, v.Payment.Version) {
			say("status", "a capture's status does not follow from its history")
		}
	}
}

// steps reports whether a history leads to a status by legal moves, with
// versions that do not fall.
func steps[S ~string](life payment.Life[S], history payment.History[S], status S, version int64) bool {
	if len(history) == 0 || history.Last().Status != status || history.Last().Version > version {
		return false
	}
	for n := 1; n < len(history); n++ {
		before, after := history[n-1], history[n]
		if after.Version < before.Version || after.Status != before.Status && !life.Allows(before.Status, after.Status) {
			return false
		}
	}
	return true
}

// books checks that the ledger tells the same story as the totals.
func books(v payment.View, postings []ledger.Posting, say func(kind, message string)) {
	p := v.Payment
	balances := ledger.Balances{}
	var held, lost, merchants, paidOut money.Minor
	for _, posting := range postings {
		if posting.Amount.Currency != p.Amount.Currency {
			say("ledger", "a posting is in another currency than its payment")
		}
		if posting.Debit.IsMerchants() && posting.Credit == ledger.Bank(p.Connector) {
			paidOut += posting.Amount.Minor // what facts change afterwards does not come back from the merchants' banks
		}
		balances.Post(posting)
	}
	for _, d := range v.Disputes {
		switch {
		case !d.Takes():
		case d.IsOpen():
			held += d.Amount.Minor
		default:
			lost += d.Amount.Minor
		}
	}
	for account := range balances {
		if account.IsMerchants() {
			merchants += balances.Of(account, p.Amount.Currency)
		}
	}
	owed := p.Captured - p.Refunded - p.Reserved - p.Disputed
	processor := balances.Of(ledger.Receivable(p.Connector), p.Amount.Currency) +
		balances.Of(ledger.Bank(p.Connector), p.Amount.Currency)
	if balances.Of(ledger.InFlight, p.Amount.Currency) != -p.Reserved ||
		balances.Of(ledger.Disputed, p.Amount.Currency) != -held ||
		processor != p.Captured-p.Refunded-lost-paidOut || merchants != paidOut-owed {
		say("ledger", "the ledger does not agree with the totals")
	}
}
