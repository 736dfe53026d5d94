package payment

import (
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

// Reference is how another party calls something: an ARN, an RRN, a code.
type Reference struct {
	Kind  string
	Value string
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
	Totals
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// CapturedAt returns when money was first taken, the zero time if never.
func (p Payment) CapturedAt() time.Time { return p.History.ReachedAt(PaymentCaptured) }

// WaitsAt returns the gate that the payment stands at, empty if it does not wait.
func (p Payment) WaitsAt() GateKind { return GateKind(p.History.Last().Note) }

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
	p.become(to, "")
	return nil
}

// become sets the status at the current version, and the gate it waits at.
func (p *Payment) become(to PaymentStatus, gate GateKind) {
	p.Status = to
	p.History = p.History.reached(to, Note(gate), p.Version, p.UpdatedAt)
}

// Totals are the five sums of a payment, in minor units of its currency.
type Totals struct {
	Captured money.Minor // taken so far
	Refunded money.Minor // given back
	Reserved money.Minor // claimed by refunds on their way
	Disputed money.Minor // taken by disputes that are open or lost
	Excess   money.Minor // what facts from outside took beyond Captured
}

// Refundable returns captured − refunded − reserved − disputed, at least zero.
func (t Totals) Refundable() money.Minor { return max(0, t.Captured-t.claimed()) }

// IsOverdrawn reports that more is going back than was taken: a chargeback
// beside a refund, or a refund made behind our back.
func (t Totals) IsOverdrawn() bool { return t.Excess > 0 }

func (t Totals) claimed() money.Minor { return t.Refunded + t.Reserved + t.Disputed }

// moved returns the totals after a refund's amount went from one effect to
// another. Only [Totals.forced] may take more than was captured.
func (t Totals) moved(amount money.Minor, from, to Effect) Totals {
	switch from {
	case EffectReserved:
		t.Reserved -= amount
	case EffectRefunded:
		t.Refunded -= amount
	case EffectNone:
	}
	switch to {
	case EffectReserved:
		t.Reserved += amount
	case EffectRefunded:
		t.Refunded += amount
	case EffectNone:
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
