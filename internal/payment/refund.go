package payment

import (
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
)

// RefundStatus is where a refund is in its life, see [RefundLife].
type RefundStatus string

// The statuses of a refund.
const (
	RefundAwaitingApproval RefundStatus = "awaiting_approval"
	RefundScheduled        RefundStatus = "scheduled" // an undo window, or a time that was asked for
	RefundPending          RefundStatus = "pending"   // accepted; SubmittedAt says whether it left
	RefundUnknown          RefundStatus = "unknown"   // it left, and we cannot tell whether money moved
	RefundSucceeded        RefundStatus = "succeeded"
	RefundDeclined         RefundStatus = "declined" // the other side's final no
	RefundFailed           RefundStatus = "failed"   // could not be carried out; no money moved
	RefundCanceled         RefundStatus = "canceled" // stopped before it left
	RefundReturned         RefundStatus = "returned" // succeeded, and the money came back
)

// RefundStatuses lists every status, for tables that must have a row for each.
var RefundStatuses = []RefundStatus{
	RefundAwaitingApproval, RefundScheduled, RefundPending, RefundUnknown, RefundSucceeded,
	RefundDeclined, RefundFailed, RefundCanceled, RefundReturned,
}

// Effect is what a refund does to the totals of its payment.
type Effect int

// The effects.
const (
	EffectNone Effect = iota
	EffectReserved
	EffectRefunded
)

// Effect is the one predicate by which every sum counts refunds.
func (s RefundStatus) Effect() Effect {
	switch s {
	case RefundAwaitingApproval, RefundScheduled, RefundPending, RefundUnknown:
		return EffectReserved
	case RefundSucceeded:
		return EffectRefunded
	case RefundDeclined, RefundFailed, RefundCanceled, RefundReturned:
		return EffectNone
	default:
		return EffectNone
	}
}

// IsRunning reports whether the outcome is still ahead.
func (s RefundStatus) IsRunning() bool { return s.Effect() == EffectReserved }

// Source says where a refund came from.
type Source string

// The sources.
const (
	SourceAPI     Source = "api"
	SourceDialect Source = "dialect"
	SourceConsole Source = "console"
	SourceBulk    Source = "bulk"
	SourceAdopted Source = "adopted" // made at the processor and seen afterwards
	SourceAlert   Source = "alert"   // made by a pre-dispute program
)

// PendingReason says why a refund on its way has not ended.
type PendingReason string

// The pending reasons.
const (
	PendingNone       PendingReason = ""
	PendingApproval   PendingReason = "approval"
	PendingSchedule   PendingReason = "scheduled" // an undo window, or a time that was asked for
	PendingHalted     PendingReason = "halted"    // a policy has stopped refunds
	PendingNotSent    PendingReason = "not_sent"  // it has not left yet, or it turned out that it had not
	PendingProcessor  PendingReason = "processor" // the processor has it
	PendingResolution PendingReason = "outcome_unknown"
)

// Failure says why a refund did not happen.
type Failure struct {
	Code          string // ours: "declined", "canceled", "insufficient_funds", …
	Message       string
	ProcessorCode string
	IsRetryable   bool // a new refund may work
}

// Approval is one operator's yes.
type Approval struct {
	Actor  string
	At     time.Time
	User   string
	Person PersonID // by whose key the name is known; zero: nobody was named
	Digest Digest   // what was seen
}

// Evidence is why a person has said what became of a refund.
type Evidence struct {
	Actor  string
	User   string
	Person PersonID // by whose key the name is known; zero: nobody was named
	Note   string
	At     time.Time
}

// Expectation is when a refund is expected to have arrived, as it was believed
// from a version of its payment on.
type Expectation struct {
	By      time.Time
	Version int64
}

// Refund is captured money on its way back to the payer.
type Refund struct {
	Tenant          TenantID
	ID              RefundID
	Payment         PaymentID
	Amount          money.Amount
	Lines           []RefundLine // how the amount falls on line items
	List            *[]Item      // the payment's lines as they will be once it has succeeded; nil: it names no list
	Capture         CaptureID    // the capture that it gives back; zero: it names none
	Reason          string
	Note            string // for the merchant's own records
	Message         string // for the payer
	Reference       string // the merchant's
	OrderReference  string // the merchant's, of the order
	Metadata        string // JSON as received; empty: none
	Source          Source
	Door            Door
	Actor           string
	User            string   // the person on whose behalf the actor asked; empty: nobody said, or the person was erased
	Person          PersonID // the same person; zero: nobody said
	How             How
	Group           GroupID // of refunds that were opened by one command; zero: it was opened alone
	Batch           BatchID // that asked for it; zero: it was asked for alone
	BatchRow        int64   // the number of the batch's row; 0 where Batch is zero
	Status          RefundStatus
	History         History[RefundStatus]
	PendingReason   PendingReason
	Failure         Failure
	References      []Reference
	ExecutedAs      string // "refund" or "void", once the processor has said
	RetryOf         RefundID
	Corrects        RefundID
	ApprovalsNeeded int
	Approvals       []Approval
	ExpiresAt       time.Time // without approval by then it is canceled; zero: it waits for ever
	NotBefore       time.Time // a scheduled refund starts then
	AnswerBy        time.Time // its caller waits for the outcome until then; zero: nobody waits
	SubmittedAt     time.Time // when it first left; zero: it has not
	ExpectedBy      time.Time // when it should have arrived; zero: it has not left, or nobody says
	Expectations    []Expectation
	Evidence        []Evidence // oldest first
	Counted         Counted
	Connector       string
	ProcessorRef    string
	Attempt         AttemptID // the open attempt, else the last one
	AttemptCount    int
	Version         int64 // the payment's version at the last change
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// IsSubmitted reports whether the refund has left, so that it cannot be canceled.
func (r Refund) IsSubmitted() bool { return !r.SubmittedAt.IsZero() }

// NeedsReview reports that a person must look: the inquiries are over and the
// outcome is still not known.
func (r Refund) NeedsReview() bool {
	for _, mark := range slices.Backward(r.History) {
		switch mark.Note {
		case NoteReview:
			return true
		case NoteStuck, NoteDeferred: // they say nothing about it
		default:
			return false
		}
	}
	return false
}

// IsStuck reports that the refund is on its way for longer than its expected
// time and what a policy adds to that.
func (r Refund) IsStuck() bool { return r.Status.IsRunning() && r.hasNote(NoteStuck) }

func (r Refund) hasNote(note Note) bool {
	return slices.ContainsFunc(r.History, func(m Mark[RefundStatus]) bool { return m.Note == note })
}

// Age returns how long the refund is on its way, or was until it ended.
func (r Refund) Age(now time.Time) time.Duration {
	if end := r.EndedAt(); !end.IsZero() {
		now = end
	}
	return max(0, now.Sub(r.CreatedAt))
}

// IsDeferred reports that its caller, who waited for the outcome, was told
// that it takes longer.
func (r Refund) IsDeferred() bool { return r.hasNote(NoteDeferred) }

// EndedAt returns when the refund reached an outcome, the zero time while it runs.
func (r Refund) EndedAt() time.Time {
	if r.Status.IsRunning() {
		return time.Time{}
	}
	return r.History.ReachedAt(r.Status)
}

// touch stamps the refund with the payment's current version.
func (r *Refund) touch(p *Payment) { r.Version, r.UpdatedAt = p.Version, p.UpdatedAt }

// become sets the status at the payment's current version.
func (r *Refund) become(to RefundStatus, p *Payment) {
	r.Status = to
	r.note(NoteNone, p)
}

// note marks the status once more, at the payment's current version.
func (r *Refund) note(note Note, p *Payment) {
	r.History = r.History.reached(r.Status, note, p.Version, p.UpdatedAt)
	r.touch(p)
	r.derive()
}

// derive sets what follows from the history alone, and so can be told as of
// any version.
func (r *Refund) derive() {
	r.SubmittedAt = time.Time{}
	for _, mark := range r.History {
		switch {
		case mark.Note == NoteNotSent:
			r.SubmittedAt = time.Time{}
		case r.SubmittedAt.IsZero() && (mark.Note == NoteSubmitted || mark.Status == RefundSucceeded):
			r.SubmittedAt = mark.At
		}
	}
	r.PendingReason = r.pendingReason()
	r.ExpectedBy = time.Time{}
	if last := len(r.Expectations) - 1; last >= 0 && r.IsSubmitted() {
		r.ExpectedBy = r.Expectations[last].By
	}
}

// expect notes when the refund should have arrived, at the payment's current
// version. The next note of its history shows it.
func (r *Refund) expect(within time.Duration, p *Payment) {
	if within > 0 {
		r.Expectations = append(slices.Clip(r.Expectations), Expectation{p.UpdatedAt.Add(within), p.Version})
	}
}

func (r *Refund) pendingReason() PendingReason {
	switch r.Status {
	case RefundAwaitingApproval:
		return PendingApproval
	case RefundScheduled:
		return PendingSchedule
	case RefundPending:
		switch {
		case r.IsSubmitted():
			return PendingProcessor
		case r.History.Last().Note == NoteHalted:
			return PendingHalted
		default:
			return PendingNotSent
		}
	case RefundUnknown:
		return PendingResolution
	case RefundSucceeded, RefundDeclined, RefundFailed, RefundCanceled, RefundReturned, adopt:
	}
	return PendingNone
}

// listed returns the amount of a refund that names a list, else nothing.
func (r Refund) listed() money.Minor {
	if r.List == nil {
		return 0
	}
	return r.Amount.Minor
}

// move changes the status, against the table, and what is kept of refunds with it.
func (r *Refund) move(to RefundStatus, v *View) error {
	legal := RefundLife.Allows(r.Status, to)
	if (to == RefundScheduled || to == RefundCanceled) && r.IsSubmitted() {
		legal = false
	}
	if !legal {
		return refuse(RuleStatus, "the refund is %s and cannot become %s", r.Status, to)
	}
	v.tally(*r, r.Status, to)
	r.become(to, &v.Payment)
	return nil
}

// AttemptOutcome is what became of an attempt.
type AttemptOutcome string

// The outcomes of an attempt. The first is "not known yet".
const (
	AttemptOpen      AttemptOutcome = "open"
	AttemptPending   AttemptOutcome = "pending"   // the processor has it
	AttemptUnknown   AttemptOutcome = "unknown"   // no answer, or one that we cannot read
	AttemptNotSent   AttemptOutcome = "not_sent"  // it certainly never arrived: a new attempt may follow
	AttemptSucceeded AttemptOutcome = "succeeded" // money moved
	AttemptDeclined  AttemptOutcome = "declined"  // the final no
	AttemptFailed    AttemptOutcome = "failed"    // final, no money moved
	AttemptReturned  AttemptOutcome = "returned"  // succeeded, and the money came back
)

// Attempt is one try at one processor for one refund. It is written down
// before any byte leaves. An unknown outcome is asked about, and resent, with
// the same attempt; only a confirmed no allows another.
type Attempt struct {
	Refund    RefundID
	ID        AttemptID
	Number    int // 1, 2, …
	Connector string
	Outcome   AttemptOutcome
	StartedAt time.Time
	EndedAt   time.Time // when the outcome was recorded
}

// IsResolved reports whether it is certain whether money moved.
func (o AttemptOutcome) IsResolved() bool {
	switch o {
	case AttemptNotSent, AttemptSucceeded, AttemptDeclined, AttemptFailed, AttemptReturned:
		return true
	case AttemptOpen, AttemptPending, AttemptUnknown:
		return false
	default:
		return false
	}
}
