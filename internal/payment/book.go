package payment

import (
	"errors"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/ledger"
)

// Alias is an id from elsewhere: the one a payment had when it was imported,
// a processor's reference. It is unique per tenant and kind.
type Alias struct {
	Kind  string
	Value string
}

// Need says what a command must have locked and read before it can decide.
type Need struct {
	Tenant   TenantID
	Order    OrderID   // locked, with all its payments
	Payment  PaymentID // locked
	Parts    Parts     // of the payment
	Refund   RefundID  // with its attempts, where PartRefunds would be too much
	Key      KeyHash
	Aliases  []Alias
	Opens    bool   // it opens a refund: the rules may want more of the payment
	IsFinal  bool   // it looks at what has come back, as doors do where success is final
	Compares bool   // equal refunds shortly before are looked for, where a policy asks
	Groups   bool   // it is about a refund and those that were opened with it
	Actor    string // who opens the refund, and on whose behalf, for [Need.Counters]
	User     string
	Settles  bool // it may end a refund: the payment's lines may change with it
}

// Lane returns what commands compete for, by which they are spread over lanes.
func (n Need) Lane() [16]byte {
	if n.Payment.IsZero() {
		return n.Order
	}
	return n.Payment
}

// Widen returns the parts that a command needs of a payment, now that it is known.
func (n Need) Widen(p Payment) Parts {
	parts := n.Parts
	if n.Groups && p.PerCapture {
		parts |= PartRefunds // only there refunds are opened together
	}
	hasLines := p.ItemCount > 0 || p.Listed > 0
	if p.Returned > 0 && (n.IsFinal || hasLines && (n.Opens || n.Settles)) {
		parts |= PartRefunds // which of them are shown depends on each
	}
	if !n.Opens && !n.Settles {
		return parts
	}
	if n.Settles || p.PerCapture {
		parts |= PartCaptures
	}
	if p.ItemCount > 0 {
		parts |= PartItems
	}
	if p.Disputed > 0 { // what was not told of beside a refund is told at its end
		parts |= PartDisputes | PartRefunds
	}
	return parts
}

// Since returns from when on all refunds of a payment are needed, where not all
// of them are; the zero time: none but those that are named.
func (n Need) Since(t *Tenant, now time.Time) time.Time {
	minutes := PolicyDuplicateMinutes.Of(t.Settings)
	if !n.Opens || !n.Compares || minutes == 0 {
		return time.Time{}
	}
	return now.Add(-time.Duration(minutes) * time.Minute)
}

// With returns what a batch needs of a payment that needs this and more.
func (n Need) With(more Need) Need {
	n.Parts |= more.Parts
	n.Opens = n.Opens || more.Opens
	n.IsFinal = n.IsFinal || more.IsFinal
	n.Compares = n.Compares || more.Compares
	n.Settles = n.Settles || more.Settles
	n.Groups = n.Groups || more.Groups
	return n
}

// errPartial is what a command panics with that has not read enough. It cannot be
// unless a command before it in its batch has changed what must be read: then the
// batch is halved, and it reads again.
var errPartial = errors.New("a command needs all refunds of a payment, and has read some")

// Command is a change that somebody asks for: plain data that is decided
// under a lock, without waiting. A refused command returns a [Refusal] and
// has left the book as it was.
type Command interface {
	Need() Need
	Apply(book *Book) (Answer, error)
}

// Meta is what every command carries: who asks, through which door, and the
// key by which a repeat is known.
type Meta struct {
	Tenant  TenantID
	Actor   string // "key:…", "operator:…", "processor:…", "clock"
	User    string // the person on whose behalf the actor asks; empty: nobody says
	Door    Door
	Request string // request id
	Address string // the IP address of who asks; empty: not over the network, or a payer's
	Key     Key
}

// event returns the event that tells of what was asked for: all that is known
// of who asked goes with it.
func (m Meta) event(kind EventKind, subject [16]byte, version int64, at time.Time) Event {
	return Event{
		Tenant: m.Tenant, Kind: kind, Subject: subject, Version: version, At: at,
		Actor: m.Actor, Door: m.Door, Request: m.Request, User: m.User, Address: m.Address,
	}
}

// Answer is what came of a command: the thing and its payment as they stood
// right after it.
type Answer struct {
	View      View
	Order     Order
	Refund    Refund
	Refunds   []Refund // with those that were opened with it, where the command is about them all
	Attempt   Attempt
	Reason    Reason // of the refund that is about to be sent, as the tenant's catalogue has it
	Dispute   Dispute
	Resource  Resource
	Delivery  DeliveryID // the first that the command is worth; zero: it tells nobody
	Replayed  *KeyRecord // the key was used before for the same: render that answer again
	Unchanged bool       // a fact that was known already
}

// Book is what one commit has locked and read, and what it will write.
// Commands are applied to it one after the other; each sees what the ones
// before it did.
type Book struct {
	Now     time.Time // domain time, UTC, microseconds
	Changes Changes

	newID      id.Source
	connectors Connectors
	tenants    map[TenantID]*Tenant
	orders     map[bookKey]*OrderChange
	views      map[bookKey]*ViewChange
	keys       map[KeyHash]*KeyRecord
	aliases    map[aliasKey][16]byte
	counters   map[CounterID]int64          // nil: no policy asks
	counted    map[CounterID]*CounterChange // nil: nothing is counted
}

type bookKey struct {
	tenant TenantID
	id     [16]byte
}

type aliasKey struct {
	tenant TenantID
	alias  Alias
}

// Changes is what a commit writes. Rows of one table stand in the order in
// which they came to be.
type Changes struct {
	Orders     []*OrderChange
	Views      []*ViewChange
	Keys       []*KeyRecord
	Aliases    []AliasChange
	Facets     []FacetChange
	Resources  []Resource
	Removed    []Resource // without bodies
	Payouts    []Payout
	Entries    []EntryChange
	Tellings   []Telling
	Tasks      []Task
	Finished   []TaskRef
	Deliveries []Delivery
	Counters   []*CounterChange
}

// OrderChange is an order that was read or made, before and after.
type OrderChange struct {
	Read    Order // zero: it is new
	Order   Order
	changed bool
}

// ViewChange is a payment that was read or made, with its parts, before and
// after. A store writes the difference, each row once however many commands
// touched it.
type ViewChange struct {
	Read    View // of the zero payment: it is new
	View    View
	changed bool
}

// AliasChange is a new alias and what it stands for.
type AliasChange struct {
	Tenant  TenantID
	Alias   Alias
	Subject [16]byte
}

// FacetChange is a new version of a door's document.
type FacetChange struct {
	Tenant  TenantID
	Payment PaymentID
	Facet   Facet
	IsOpen  bool // there is nothing personal in it: it outlives an erasure
}

// EntryChange is a new entry in a tenant's books.
type EntryChange struct {
	Tenant  TenantID
	Payment PaymentID
	Entry   ledger.Entry
}

// NewBook returns an empty book, to be filled by a store.
func NewBook(now time.Time, newID id.Source) *Book {
	return &Book{
		Now:     now,
		newID:   newID,
		tenants: map[TenantID]*Tenant{},
		orders:  map[bookKey]*OrderChange{},
		views:   map[bookKey]*ViewChange{},
		keys:    map[KeyHash]*KeyRecord{},
		aliases: map[aliasKey][16]byte{},
	}
}

// PutConnectors gives the book the connectors that there are.
func (b *Book) PutConnectors(connectors Connectors) { b.connectors = connectors }

// PutTenant gives the book a tenant that was read.
func (b *Book) PutTenant(tenant *Tenant) { b.tenants[tenant.ID] = tenant }

// PutOrder gives the book an order that was locked.
func (b *Book) PutOrder(order Order) {
	b.orders[bookKey{order.Tenant, order.ID}] = &OrderChange{Read: order, Order: order}
}

// PutView gives the book a payment that was locked, with the parts that were read.
func (b *Book) PutView(view View) {
	b.views[bookKey{view.Payment.Tenant, view.Payment.ID}] = &ViewChange{Read: view, View: view}
}

// PutKey gives the book a key that was used before.
func (b *Book) PutKey(record *KeyRecord) { b.keys[record.Hash] = record }

// PutAlias gives the book an alias that is taken.
func (b *Book) PutAlias(tenant TenantID, alias Alias, subject [16]byte) {
	b.aliases[aliasKey{tenant, alias}] = subject
}

// Tenant returns what is known of a tenant; one without a row has defaults only.
func (b *Book) Tenant(id TenantID) *Tenant {
	if tenant, ok := b.tenants[id]; ok {
		return tenant
	}
	return &Tenant{ID: id}
}

// order returns a copy of an order, for a command to work on.
func (b *Book) order(tenant TenantID, id OrderID) (Order, error) {
	change, ok := b.orders[bookKey{tenant, id}]
	if !ok {
		return Order{}, refuse(RuleExists, "no such order")
	}
	return change.Order, nil
}

// view returns a copy of a payment, for a command to work on.
func (b *Book) view(tenant TenantID, id PaymentID) (View, error) {
	change, ok := b.views[bookKey{tenant, id}]
	if !ok {
		return View{}, refuse(RuleExists, "no such payment")
	}
	view := change.View
	if order, ok := b.orders[bookKey{tenant, view.Order.ID}]; ok {
		view.Order = order.Order // a command before this one may have moved it
	}
	return view, nil
}

// viewsOf returns copies of an order's payments, by id.
func (b *Book) viewsOf(tenant TenantID, order OrderID) []View {
	var views []View
	for key, change := range b.views {
		if key.tenant == tenant && change.View.Payment.Order == order {
			views = append(views, change.View)
		}
	}
	slices.SortFunc(views, func(a, b View) int { return a.Payment.ID.Compare(b.Payment.ID) })
	return views
}

// saveOrder puts a changed order back.
func (b *Book) saveOrder(order Order) {
	key := bookKey{order.Tenant, order.ID}
	change, ok := b.orders[key]
	if !ok {
		change = &OrderChange{}
		b.orders[key] = change
	}
	if !change.changed {
		change.changed = true
		b.Changes.Orders = append(b.Changes.Orders, change)
	}
	change.Order = order
}

// save puts a changed payment back.
func (b *Book) save(view View) {
	key := bookKey{view.Payment.Tenant, view.Payment.ID}
	change, ok := b.views[key]
	if !ok {
		change = &ViewChange{}
		b.views[key] = change
	}
	if change.View.Payment.Version == view.Payment.Version {
		return // a fact that was known already
	}
	if !change.changed {
		change.changed = true
		b.Changes.Views = append(b.Changes.Views, change)
	}
	change.View = view
	for i := len(b.Changes.Tellings) - 1; i >= 0; i-- { // what was told on the way to this view sees what is around it
		telling := &b.Changes.Tellings[i]
		if telling.Event.Payment != view.Payment.ID || telling.Event.Version != view.Payment.Version {
			break
		}
		telling.Disputes, telling.Refunds = view.Disputes, view.Refunds
	}
}

// tell records that something happened to a payment.
func (b *Book) tell(meta Meta, kind EventKind, subject [16]byte, p Payment, r Refund) {
	event := meta.event(kind, subject, p.Version, p.UpdatedAt)
	event.Payment = p.ID
	b.Changes.Tellings = append(b.Changes.Tellings, Telling{Event: event, Payment: p, Refund: r})
}

// tellDispute records that something happened to a dispute.
func (b *Book) tellDispute(meta Meta, kind EventKind, p Payment, d Dispute) {
	b.tell(meta, kind, d.ID, p, Refund{})
	b.Changes.Tellings[len(b.Changes.Tellings)-1].Dispute = d
}

// tellOrder records that something happened to an order.
func (b *Book) tellOrder(meta Meta, kind EventKind, order Order) {
	b.Changes.Tellings = append(b.Changes.Tellings, Telling{Event: meta.event(kind, order.ID, order.Version, order.UpdatedAt)})
}

// post writes an entry, at the payment's current version.
func (b *Book) post(p Payment, subject [16]byte, cause EventKind, postings []ledger.Posting) {
	if len(postings) == 0 {
		return
	}
	b.Changes.Entries = append(b.Changes.Entries, EntryChange{
		Tenant: p.Tenant, Payment: p.ID,
		Entry: ledger.Entry{
			Subject: subject, Version: p.Version, Cause: ledger.Cause(cause), At: p.UpdatedAt, Postings: postings,
		},
	})
}

// do leaves a task to be done after the commit.
func (b *Book) do(task Task) { b.Changes.Tasks = append(b.Changes.Tasks, task) }

// Finish ends a task in this commit, if its claim still stands.
func (b *Book) Finish(task TaskRef) { b.Changes.Finished = append(b.Changes.Finished, task) }

// Deliver leaves a delivery to be made, and the task that makes it.
func (b *Book) Deliver(delivery Delivery, queue string) {
	event := delivery.Event
	delivery.ID = b.newID()
	delivery.Hurries = delivery.Hurries && delivery.Thread != [16]byte{}
	b.Changes.Deliveries = append(b.Changes.Deliveries, delivery)
	task := Task{
		Tenant: event.Tenant, Kind: TaskDeliverWebhook, Subject: delivery.ID, Payment: event.Payment,
		Queue: queue, DueAt: b.Now,
	}
	if delivery.Thread != [16]byte{} {
		task.After = Turn{Thread: delivery.Thread, Number: event.Version}
	}
	b.do(task)
}

// claim gives an alias to a subject. Taken by the subject itself, it is fine.
func (b *Book) claim(tenant TenantID, alias Alias, subject [16]byte) error {
	key := aliasKey{tenant, alias}
	owner, taken := b.aliases[key]
	switch {
	case !taken:
		b.aliases[key] = subject
		b.Changes.Aliases = append(b.Changes.Aliases, AliasChange{tenant, alias, subject})
		return nil
	case owner == subject:
		return nil
	default:
		return refuse(RuleAlias, "the id %s is taken", alias.Kind)
	}
}

// document writes a new version of a door's document about a payment or one
// of its refunds. About an erased payment none is kept.
func (b *Book) document(v *View, door Door, subject [16]byte, body []byte) {
	if body == nil || !v.Payment.ErasedAt().IsZero() {
		return
	}
	facet := Facet{Subject: subject, Door: door, Version: v.Payment.Version, Body: body}
	v.Facets = append(slices.Clip(v.Facets), facet)
	b.Changes.Facets = append(b.Changes.Facets, FacetChange{Tenant: v.Payment.Tenant, Payment: v.Payment.ID, Facet: facet})
}
