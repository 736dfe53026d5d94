package payment

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/money"
)

// MainMerchant is the merchant of a payment that names none.
const MainMerchant = "main"

// CreatePayment records a payment: one that begins here (in the sandbox), or
// one that was made elsewhere and may be refunded here.
type CreatePayment struct {
	Meta

	ID             PaymentID // zero: a new one
	Order          OrderID   // zero: it stands alone
	ClosesOrder    bool      // the order takes no other payment
	Status         PaymentStatus
	Gates          []Gate // what stands between its creation and its capture
	Merchant       string
	Connector      string
	ProcessorRef   string
	Reference      string
	Method         Method
	Country        string
	Payer          string
	Description    string
	Amount         money.Amount
	Metadata       string
	Items          []Item
	References     []Reference
	Aliases        []Alias
	Shared         []Alias   // of the payment's order: the first payment that names one has it
	CreatedAt      time.Time // zero: now; payments made elsewhere are older
	CapturedAt     time.Time // zero: now, if it is captured
	Document       []byte    // the door's facet
	DocumentOfDoor Door      // empty: of Meta.Door
	IsTaken        bool      // the sandbox takes it from here
	IsImport       bool      // it happened elsewhere: no webhook tells of it
	ShortID        string    // empty: a new one
	Callback       string    // a URL of its own that its home tells of it
	Availability   Availability
}

// Need implements [Command].
func (c CreatePayment) Need() Need {
	need := Need{Tenant: c.Tenant, Order: c.Order, Key: c.Key.Hash, Aliases: append(c.ids(), c.Shared...), Payment: c.ID}
	if c.ShortID != "" {
		need.Aliases = append(need.Aliases, Alias{ShortAlias, c.ShortID})
	}
	return need
}

// takenAlias begins the kind of alias that the processor's own id is, by
// connector: money that is recorded twice could be refunded twice.
const takenAlias = "payment_at:"

// ids returns what no other payment may be called.
func (c CreatePayment) ids() []Alias {
	ids := slices.Clone(c.Aliases)
	if c.ProcessorRef != "" {
		ids = append(ids, Alias{Kind: takenAlias + c.Connector, Value: c.ProcessorRef})
	}
	return ids
}

// Apply implements [Command].
func (c CreatePayment) Apply(b *Book) (Answer, error) {
	record, err := b.use(c.Key)
	if err != nil {
		return Answer{}, err
	}
	if record != nil {
		return Answer{Replayed: record}, nil
	}
	if err := c.check(b); err != nil {
		return Answer{}, err
	}
	v := View{Parts: PartAll, Payment: c.payment(b)}
	p := &v.Payment
	if c.Order.IsZero() {
		p.become(c.Status, NoteNone)
	} else if err := c.join(b, &v); err != nil {
		return Answer{}, err
	}
	for _, alias := range c.ids() {
		if err := b.claim(c.Tenant, alias, p.ID); err != nil {
			return Answer{}, err
		}
	}
	for _, alias := range c.Shared {
		if _, taken := b.aliases[aliasKey{c.Tenant, alias}]; taken {
			continue
		}
		if err := b.claim(c.Tenant, alias, p.ID); err != nil {
			return Answer{}, err
		}
	}
	if err := c.name(b, p); err != nil {
		return Answer{}, err
	}
	for _, item := range c.Items {
		v.addItem(item)
	}
	if p.Status == PaymentCaptured {
		v.capture(b, p.Amount.Minor, true)
		v.count(b, &v.Captures[0])
	}
	b.document(&v, c.documentDoor(), p.ID, c.Document)
	b.tell(c.Meta, paymentEvent(p.Status), p.ID, *p, Refund{})
	b.Changes.Tellings[len(b.Changes.Tellings)-1].IsImport = c.IsImport
	if c.IsTaken {
		b.do(taking(*p, b.Now))
	}
	b.keep(c.Meta, p.ID, p.ID, p.Version)
	b.save(v)
	return Answer{View: v, Order: v.Order}, nil
}

// check refuses what cannot be a payment. Doors say the same earlier and in
// their own words.
func (c CreatePayment) check(b *Book) error {
	if c.Amount.Minor < 1 || c.Amount.Minor > money.Max {
		return refuse(RuleAmount, "the amount is out of range")
	}
	if c.Amount.Currency.IsWithdrawn() && c.CapturedAt.IsZero() {
		return refuse(RuleCurrency, "the currency is no longer in use")
	}
	if _, err := b.view(c.Tenant, c.ID); err == nil {
		return refuse(RuleAlias, "the payment exists")
	}
	for _, alias := range c.ids() {
		if _, taken := b.aliases[aliasKey{c.Tenant, alias}]; !taken {
			continue
		}
		if strings.HasPrefix(alias.Kind, takenAlias) {
			return refuse(RuleAlias, "another payment has the processor's id: what was taken once is recorded once")
		}
		return refuse(RuleAlias, "the id %s is taken", alias.Kind)
	}
	if err := checkItems(c.Items); err != nil {
		return err
	}
	if len(c.Items) > 0 && totalOf(c.Items) != c.Amount.Minor {
		return refuse(RuleListSum, "the line items do not add up to the amount")
	}
	switch c.Status {
	case PaymentCreated, PaymentPending, PaymentAuthorized, PaymentCaptured,
		PaymentDeclined, PaymentFailed, PaymentCanceled, PaymentExpired:
		return nil
	}
	return refuse(RuleStatus, "a payment cannot begin as %s", c.Status)
}

// ShortAlias is the kind of alias that a payment's short id is.
const ShortAlias = "short"

// name gives the payment its short id, which nothing else of the tenant has.
func (c CreatePayment) name(b *Book, p *Payment) error {
	if p.ShortID == "" {
		p.ShortID = shortID(b.newID())
	}
	return b.claim(c.Tenant, Alias{Kind: ShortAlias, Value: p.ShortID}, p.ID)
}

const (
	shortLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	shortLength  = 9
)

// shortID returns nine letters and digits that follow from an id. Two ids have
// the same in one of 10^16 cases; then the batch is run again, with new ids.
func shortID(id [16]byte) string {
	sum := sha256.Sum256(id[:])
	number := binary.BigEndian.Uint64(sum[:])
	var text [shortLength]byte
	for i := range text {
		text[i] = shortLetters[number%uint64(len(shortLetters))]
		number /= uint64(len(shortLetters))
	}
	return string(text[:])
}

func (c CreatePayment) payment(b *Book) Payment {
	p := Payment{
		Tenant: c.Tenant, ID: c.ID, Order: c.Order, Merchant: c.Merchant, Home: c.Door, Connector: c.Connector,
		ProcessorRef: c.ProcessorRef, Reference: c.Reference, Method: c.Method, Country: c.Country, Payer: c.Payer,
		Description: c.Description, Amount: c.Amount, Metadata: c.Metadata, Gates: c.Gates,
		ShortID: c.ShortID, Callback: c.Callback, Availability: c.Availability,
		PerCapture: b.connectors[c.Connector].RefundsCaptures, IsImported: c.IsImport,
		Version: c.firstVersion(b), CreatedAt: c.CreatedAt, UpdatedAt: b.Now,
	}
	p.References = learned(nil, c.References, p.Version)
	if p.ID.IsZero() {
		p.ID = b.newID()
	}
	if p.Merchant == "" {
		p.Merchant = MainMerchant
	}
	if p.CreatedAt.IsZero() {
		p.CreatedAt = c.CapturedAt // it is no younger than that
	}
	if p.CreatedAt.IsZero() || p.CreatedAt.After(b.Now) {
		p.CreatedAt = b.Now
	}
	if !c.CapturedAt.IsZero() && !c.CapturedAt.After(b.Now) {
		p.UpdatedAt = laterThan(p.CreatedAt.Add(-time.Microsecond), c.CapturedAt)
	}
	return p
}

// firstVersion returns the version that a payment begins with. One that joins
// an order counts on from it: a door may give both the same id.
func (c CreatePayment) firstVersion(b *Book) int64 {
	if order, err := b.order(c.Tenant, c.Order); err == nil {
		return order.Version + 1
	}
	return 1
}

// join makes the payment one of its order's.
func (c CreatePayment) join(b *Book, v *View) error {
	order, err := b.order(c.Tenant, c.Order)
	if err != nil {
		return err
	}
	if order.Status != OrderOpen {
		return refuse(RuleOrder, "the order is %s and takes no payment", order.Status)
	}
	order.touch(b.Now)
	if c.ClosesOrder {
		order.Status = OrderClosed
		b.tellOrder(c.Meta, orderEvent(OrderClosed), order)
	}
	b.saveOrder(order)
	v.Payment.Status, v.Order = c.Status, order
	v.Payment.enter(order.Status)
	return nil
}

func (c CreatePayment) documentDoor() Door {
	if c.DocumentOfDoor != "" {
		return c.DocumentOfDoor
	}
	return c.Door
}

// taking is the task by which the sandbox carries a payment on.
func taking(p Payment, at time.Time) Task {
	return Task{
		Tenant: p.Tenant, Kind: TaskTakePayment, Subject: p.ID, Payment: p.ID,
		Queue: ProcessorQueue(p.Connector), DueAt: at,
	}
}

// capture adds a pending capture, which does not count yet.
func (v *View) capture(b *Book, amount money.Minor, isFinal bool) {
	capture := Capture{ID: b.newID(), Amount: amount, IsFinal: isFinal}
	capture.become(CapturePending, &v.Payment)
	v.Captures = append(slices.Clip(v.Captures), capture)
}
