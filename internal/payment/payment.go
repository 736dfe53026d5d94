package payment

import (
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
)

// PaymentStatus is where a payment is in its life, see [PaymentLife].
type PaymentStatus string

// The statuses of a payment. A refund never changes them.
const (
	PaymentCreated    PaymentStatus = "created"    // asked for, nothing has happened yet
	PaymentPending    PaymentStatus = "pending"    // under way; see WaitsAt
	PaymentAuthorized PaymentStatus = "authorized" // the issuer keeps the amount for us
	PaymentCaptured   PaymentStatus = "captured"   // at least a part was taken
	PaymentDeclined   PaymentStatus = "declined"   // the other side's final no
	PaymentFailed     PaymentStatus = "failed"     // could not be carried out
	PaymentCanceled   PaymentStatus = "canceled"   // given up before capture
	PaymentExpired    PaymentStatus = "expired"    // nobody acted in time
)

// GateKind is a kind of [Gate].
type GateKind string

// The gates.
const (
	GateConfirmation GateKind = "confirmation" // the merchant confirms the details
	GatePayer        GateKind = "payer"        // the payer proves who they are
	GateCapture      GateKind = "capture"      // the merchant captures what is authorized
	GateCancel       GateKind = "cancel"       // the merchant has asked to give it up: the way ends here
)

// Gate is a point that a payment passes on its way to capture, and how long
// it may wait there (0: for ever).
type Gate struct {
	Kind   GateKind
	Within time.Duration
}

// Method says what a payment was made with. It never holds a full card number.
type Method struct {
	Type  string // "card", …
	Brand string // "visa", …
	Last4 string
}

// Availability says how far a payment can be refunded at all, whichever door
// asks: what its method can give back. Empty means [RefundsAll].
type Availability string

// The availabilities.
const (
	RefundsAll         Availability = "all"          // in parts or as a whole
	RefundsWholeOnly   Availability = "whole_only"   // all that is left, at once
	RefundsPartialOnly Availability = "partial_only" // always less than what is left
	RefundsNone        Availability = "none"         // its method gives nothing back
)

// Reference is how another party calls something: an ARN, an RRN, a code.
type Reference struct {
	Kind    string
	Value   string
	Version int64 // of the payment, when it became known
}

// learned returns references with those added that are new, at a version. It
// never writes into the array it was given: views share it.
func learned(known, told []Reference, version int64) []Reference {
	for _, reference := range told {
		isKnown := slices.ContainsFunc(known, func(r Reference) bool {
			return r.Kind == reference.Kind && r.Value == reference.Value
		})
		if !isKnown {
			reference.Version = version
			known = append(slices.Clip(known), reference)
		}
	}
	return known
}

// referencesAsOf returns the references that were known at a version.
func referencesAsOf(references []Reference, version int64) []Reference {
	var then []Reference
	for _, reference := range references {
		if reference.Version <= version {
			then = append(then, reference)
		}
	}
	return then
}

// Payment is what a payer agreed to hand to a merchant; the thing that
// refunds refer to, and the root of the aggregate that one lock protects.
type Payment struct {
	Tenant       TenantID
	ID           PaymentID
	Order        OrderID     // zero: it stands alone
	OrderStatus  OrderStatus // written by the order's commands, so that a refund reads its payment only
	Merchant     string
	Home         Door
	Connector    string
	ProcessorRef string
	Reference    string
	Method       Method
	Country      string // ISO 3166 alpha-2; empty: unknown
	Payer        string
	Description  string
	Amount       money.Amount
	Metadata     string // JSON as received; empty: none
	References   []Reference
	Status       PaymentStatus
	History      History[PaymentStatus]
	Gates        []Gate // what is still ahead of its capture
	ExpiresAt    time.Time
	ItemCount    int
	ShortID      string       // nine letters and digits, for doors whose ids are short; empty: none
	Callback     string       // a URL of its own that its home tells of it; empty: none
	Availability Availability // how far its method lets it be refunded
	Failures     int64        // refusals that a door counts, and what failed at the processor
	IsImported   bool         // it was made elsewhere: no webhook tells of that
	PerCapture   bool         // its processor refunds captures: a refund over several becomes one for each
	Totals
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// CapturedAt returns when money was first taken, the zero time if never.
func (p Payment) CapturedAt() time.Time { return p.History.ReachedAt(PaymentCaptured) }

// ErasedAt returns when what is personal about the payment was erased, the
// zero time if it was not.
func (p Payment) ErasedAt() time.Time {
	for _, mark := range p.History {
		if mark.Note == NoteErased {
			return mark.At
		}
	}
	return time.Time{}
}

// WaitsAt returns the gate that the payment stands at, empty if it does not wait.
func (p Payment) WaitsAt() GateKind {
	switch gate := GateKind(p.History.Last().Note); gate {
	case GateConfirmation, GatePayer, GateCapture:
		return gate
	case GateCancel:
	}
	return ""
}

// isCanceling reports whether the merchant has asked to give the payment up.
func (p Payment) isCanceling() bool { return len(p.Gates) > 0 && p.Gates[0].Kind == GateCancel }

// Refundable returns what a refund may still ask for.
func (p Payment) Refundable() money.Amount { return money.Of(p.Totals.Refundable(), p.Amount.Currency) }

// touch raises the payment's version.
func (p *Payment) touch(now time.Time) {
	p.Version++
	p.UpdatedAt = laterThan(p.UpdatedAt, now)
}

// move changes the status, against the table, at the current version.
func (p *Payment) move(to PaymentStatus) error {
	if !PaymentLife.Allows(p.Status, to) {
		return refuse(RuleStatus, "the payment is %s and cannot become %s", p.Status, to)
	}
	p.become(to, NoteNone)
	return nil
}

// become sets the status at the current version. Whatever of a payment
// changes besides its totals is marked so.
func (p *Payment) become(to PaymentStatus, note Note) {
	p.Status = to
	p.History = p.History.reached(to, note, p.Version, p.UpdatedAt)
}

// enter writes the status of its order on a payment.
func (p *Payment) enter(status OrderStatus) {
	p.OrderStatus = status
	p.become(p.Status, orderNote(status))
}

// Totals are the sums of a payment, in minor units of its currency.
type Totals struct {
	Captured money.Minor // taken so far
	Refunded money.Minor // given back
	Reserved money.Minor // claimed by refunds on their way
	Disputed money.Minor // taken by disputes that are open or lost
	Excess   money.Minor // what facts from outside took beyond Captured
	Listed   money.Minor // of Reserved: by a refund that names the lines that will be
	Returned money.Minor // what was given back, and has come back
}

// Refundable returns captured − refunded − reserved − disputed, at least zero.
func (t Totals) Refundable() money.Minor { return max(0, t.Captured-t.claimed()) }

// IsOverdrawn reports that more is going back than was taken: a chargeback
// beside a refund, or a refund made behind our back.
func (t Totals) IsOverdrawn() bool { return t.Excess > 0 }

func (t Totals) claimed() money.Minor { return t.Refunded + t.Reserved + t.Disputed }

// moved returns the totals after a refund went from one status to another; from
// none: it is new. Only [Totals.forced] may take more than was captured.
func (t Totals) moved(r Refund, from, to RefundStatus) Totals {
	amount := r.Amount.Minor
	switch from.Effect() {
	case EffectReserved:
		t.Reserved -= amount
		t.Listed -= r.listed()
	case EffectRefunded:
		t.Refunded -= amount
	case EffectNone:
	}
	switch to.Effect() {
	case EffectReserved:
		t.Reserved += amount
		t.Listed += r.listed()
	case EffectRefunded:
		t.Refunded += amount
	case EffectNone:
	}
	if to == RefundReturned {
		t.Returned += amount
	}
	t.Excess = min(t.Excess, t.over()) // it may only shrink here
	return t
}

// forced accepts a fact from outside: what it takes beyond captured is excess.
func (t Totals) forced() Totals {
	t.Excess = t.over()
	return t
}

func (t Totals) over() money.Minor { return max(0, t.claimed()-t.Captured) }
