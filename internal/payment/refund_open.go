package payment

import (
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
)

// How says in which way a refund names its amount.
type How int

// The ways.
const (
	AskAmount    How = iota // this much
	AskRemaining            // all that is left
	AskWhole                // the whole payment, which must be untouched
	AskItems                // units of line items
	AskList                 // this much, so that these lines remain
)

// Ask is how much a refund asks for.
type Ask struct {
	How     How
	Amount  money.Minor // with AskAmount and AskList
	Items   []ItemAsk   // with AskItems
	List    []Item      // with AskList: the lines as they will be; of each, Total, Merchant and what describes it
	Capture CaptureID   // zero: of the whole payment
}

// OpenRefund asks for captured money to go back to the payer. It refuses with
// the first rule that says no, in the order of Rules.
type OpenRefund struct {
	Meta

	Payment        PaymentID
	Ask            Ask
	Currency       money.Currency // empty: the payment's
	Expected       *money.Minor   // what the caller believes is left
	Expect         Digest         // of the preview that the caller has seen, see [Preview]; empty: none
	Repeats        bool           // an equal refund shortly before is no mistake
	NotBefore      time.Time
	Reason         string     // one of the tenant's codes
	Word           ReasonWord // in the place of Reason, at a door that has no codes
	Note           string
	Message        string
	Reference      string
	OrderReference string
	Metadata       string
	Source         Source
	Batch          BatchID  // that asks; zero: none
	BatchRow       int64    // the number of its row
	RetryOf        RefundID // one of the payment's that ended without money moving; zero: it retries none
	Document       []byte   // the door's facet
	Rules          []Rule
	IsFinal        bool      // at this door success is final: money that came back stays counted
	AnswerBy       time.Time // the caller waits for the outcome until then, see [DeferRefund]; zero: nobody waits
	Parts          Parts     // what the door's answer shows besides the refund
}

// Need implements [Command].
func (c OpenRefund) Need() Need {
	need := Need{
		Tenant: c.Tenant, Payment: c.Payment, Parts: c.Parts, Key: c.Key.Hash, Opens: true, Actor: c.Actor, User: c.User,
		IsFinal: c.IsFinal || c.Ask.How == AskList, Compares: !c.mayRepeat(),
	}
	if !c.Ask.Capture.IsZero() {
		need.Parts |= PartCaptures
	}
	if !c.RetryOf.IsZero() {
		need.Parts |= PartRefunds // the others that retry the same, or correct it
	}
	return need
}

// Apply implements [Command].
func (c OpenRefund) Apply(b *Book) (Answer, error) {
	a := c.ask(b)
	if err := a.check(); err != nil {
		if a.counts {
			b.countFailure(a.view)
		}
		return Answer{}, err
	}
	if a.replayed != nil {
		return Answer{Replayed: a.replayed}, nil
	}
	return a.open(), nil
}

// ask finds out what is asked for. Nothing is decided yet.
func (c OpenRefund) ask(b *Book) *asking {
	view, found := b.view(c.Tenant, c.Payment)
	a := &asking{OpenRefund: c, book: b, tenant: b.Tenant(c.Tenant), view: view, found: found}
	if a.Reason == "" {
		a.Reason, a.isOwnWord = c.Word.CodeOf(a.tenant.Settings, c.Door)
	}
	if found == nil {
		a.forget()
		a.resolve()
		a.pieces = a.cut()
	}
	return a
}

// resolve finds out which amount is asked for, and how it falls on the lines.
func (a *asking) resolve() {
	p := a.view.Payment
	switch a.Ask.How {
	case AskAmount:
		a.amount = a.Ask.Amount
	case AskRemaining:
		a.amount = a.left()
	case AskWhole:
		a.amount = p.Captured
	case AskItems:
		a.lines, a.itemsErr = a.view.allocate(a.Ask.Items)
		for _, line := range a.lines {
			a.amount += line.Amount
		}
		return
	case AskList:
		a.amount = a.Ask.Amount
		a.itemsErr = checkItems(a.Ask.List)
		a.lines, a.listErr = a.view.cut(a.Ask.List, a.amount)
		return
	}
	if p.ItemCount > 0 && a.amount > 0 {
		a.lines = a.view.fall(a.amount, a.RetryOf, a.linesBefore())
	}
}

// linesBefore returns the lines of the refund that is retried.
func (a *asking) linesBefore() []RefundLine {
	earlier, _ := a.view.Refund(a.RetryOf)
	return earlier.Lines
}

// open makes the refund, or one for each capture. Every rule has said yes.
func (a *asking) open() Answer {
	b, v := a.book, a.view
	v.Payment.touch(b.Now)
	var group GroupID
	if len(a.pieces) > 1 {
		group = b.newID()
	}
	for _, piece := range a.pieces {
		r := a.refund(&v.Payment, piece)
		r.Group = group
		a.countOpened(&r)
		v.tally(r, "", r.Status)
		b.post(v.Payment, r.ID, EventRefundCreated, effectPostings(v.Payment, r, EffectNone, r.Status.Effect()))
		v.putRefund(r)
		b.document(&v, a.Door, r.ID, a.Document)
		b.tell(a.Meta, EventRefundCreated, r.ID, v.Payment, r)
		b.schedule(r)
	}
	refunds := v.Refunds[len(v.Refunds)-len(a.pieces):]
	b.keep(a.Meta, refunds[0].ID, v.Payment.ID, v.Payment.Version)
	b.save(v)
	return Answer{View: v, Refund: refunds[0], Refunds: refunds}
}

// refund returns the new refund of a piece at the payment's current version.
func (a *asking) refund(p *Payment, piece piece) Refund {
	r := Refund{
		Tenant: a.Tenant, ID: a.book.newID(), Payment: p.ID, Amount: money.Of(piece.amount, p.Amount.Currency),
		Lines: piece.lines, Reason: a.Reason, Note: a.Note, Message: a.Message, Reference: a.Reference,
		OrderReference: a.OrderReference, Metadata: a.Metadata, Source: a.Source, Door: a.Door, Actor: a.Actor,
		User: a.User, Person: a.Person(), How: a.Ask.How, NotBefore: a.NotBefore, RetryOf: a.RetryOf, Connector: p.Connector,
		CreatedAt: p.UpdatedAt, Capture: piece.capture, AnswerBy: a.AnswerBy, Batch: a.Batch, BatchRow: a.BatchRow,
	}
	if a.Ask.How == AskList {
		list := slices.Clone(a.Ask.List)
		r.List = &list
	}
	settings := a.tenant.Settings
	if undo := PolicyUndoSeconds.Of(settings); undo > 0 {
		if end := a.book.Now.Add(time.Duration(undo) * time.Second); r.NotBefore.Before(end) {
			r.NotBefore = end
		}
	}
	if r.ApprovalsNeeded = a.approvals(); r.ApprovalsNeeded > 0 {
		if hours := PolicyApprovalExpires.Of(settings); hours > 0 {
			r.ExpiresAt = p.UpdatedAt.Add(time.Duration(hours) * time.Hour)
		}
		r.become(RefundAwaitingApproval, p)
		return r
	}
	r.become(r.afterApproval(a.book.Now), p)
	return r
}

// approvals returns how many persons must agree. The whole of what is asked
// for decides, however many refunds it becomes.
func (a *asking) approvals() int {
	settings := a.tenant.Settings
	if above := PolicyApprovalAbove.Of(settings); above > 0 && int64(a.amount) > above {
		return int(PolicyApprovers.Of(settings))
	}
	return 0
}

// afterApproval returns the status in which a refund begins once nobody need agree to it.
func (r Refund) afterApproval(now time.Time) RefundStatus {
	if r.NotBefore.After(now) {
		return RefundScheduled
	}
	return RefundPending
}

// schedule leaves the task by which a refund that was opened, approved or
// started goes on.
func (b *Book) schedule(r Refund) {
	task := Task{
		Tenant: r.Tenant, Subject: r.ID, Payment: r.Payment,
		Kind: TaskSubmitRefund, Queue: ProcessorQueue(r.Connector), DueAt: b.Now,
	}
	switch r.Status {
	case RefundPending:
	case RefundScheduled:
		task.Kind, task.Queue, task.DueAt = TaskStartRefund, SystemQueue, r.NotBefore
	case RefundAwaitingApproval:
		if r.ExpiresAt.IsZero() {
			return
		}
		task.Kind, task.Queue, task.DueAt = TaskExpireRefund, SystemQueue, r.ExpiresAt
		b.do(task)
		return
	case RefundUnknown, RefundSucceeded, RefundDeclined, RefundFailed, RefundCanceled,
		RefundReturned, adopt:
		return
	}
	b.do(task)
	if !r.AnswerBy.IsZero() {
		b.do(deferral(r))
	}
}
