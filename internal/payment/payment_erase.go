package payment

import "slices"

// ErasePayment destroys what is personal about a payment, its refunds and its
// lines, for good: the store destroys the key under which it is sealed.
// Amounts, books, statuses and references stay. What is personal about its
// order goes with the last payment of the order.
type ErasePayment struct {
	Meta

	Payment PaymentID
	Order   OrderID       // the payment's; zero: it stands alone
	Persons []ResourceRef // what doors keep about its payer beside it; it is removed
	Rest    []Facet       // what of doors' documents is not personal, and stays
	Read    int64         // version of the payment that Persons and Rest were taken from; zero: there are none
}

// Need implements [Command].
func (c ErasePayment) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Order: c.Order, Parts: PartAll, Key: c.Key.Hash}
}

// Apply implements [Command]. A payment that was erased before is left as it is.
func (c ErasePayment) Apply(b *Book) (Answer, error) {
	record, err := b.use(c.Key)
	if err != nil {
		return Answer{}, err
	}
	if record != nil {
		return Answer{Replayed: record}, nil
	}
	v, err := b.view(c.Tenant, c.Payment)
	if err != nil {
		return Answer{}, err
	}
	p := &v.Payment
	if p.Order != c.Order {
		return Answer{}, refuse(RuleExists, "the order has no such payment")
	}
	if !p.ErasedAt().IsZero() {
		b.keep(c.Meta, p.ID, p.ID, p.Version)
		return Answer{View: v, Unchanged: true}, nil
	}
	if err := v.mayBeErased(); err != nil {
		return Answer{}, err
	}
	if c.Read != 0 && c.Read != p.Version { // a document may have come that has something to keep
		return Answer{}, refuse(RuleErasable, "the payment has changed meanwhile")
	}
	p.touch(b.Now)
	p.become(p.Status, NoteErased)
	v.forget()
	for _, facet := range c.Rest {
		facet.Version = 0 // it is in the view as of any version
		v.Facets = append(v.Facets, facet)
		b.Changes.Facets = append(b.Changes.Facets, FacetChange{Tenant: p.Tenant, Payment: p.ID, Facet: facet, IsOpen: true})
	}
	b.tell(c.Meta, EventPaymentErased, p.ID, *p, Refund{})
	b.keep(c.Meta, p.ID, p.ID, p.Version)
	b.save(v)
	for _, person := range c.Persons {
		b.remove(c.Meta, person)
	}
	return Answer{View: b.eraseOrder(c.Meta, v)}, nil
}

// mayBeErased refuses to erase what somebody may still need: while a payment,
// a refund or a dispute is open, people and machines must see what it is about.
func (v View) mayBeErased() error {
	if !PaymentLife.IsEnd(v.Payment.Status) || v.isCapturing() {
		return refuse(RuleErasable, "the payment is %s and has not ended", v.Payment.Status)
	}
	if v.Running() > 0 {
		return refuse(RuleErasable, "a refund of the payment has not ended")
	}
	for _, dispute := range v.Disputes {
		if !DisputeLife.IsEnd(dispute.Status) {
			return refuse(RuleErasable, "a dispute of the payment is %s", dispute.Status)
		}
	}
	return nil
}

// forget takes out of a view all that is personal.
func (v *View) forget() {
	p := &v.Payment
	p.Payer, p.Description, p.Metadata, p.Method.Last4 = "", "", "", ""
	v.Items, v.Refunds, v.Facets = slices.Clone(v.Items), slices.Clone(v.Refunds), nil
	forgetItems(v.Items)
	for i := range v.Refunds {
		v.Refunds[i].forget()
	}
}

func forgetItems(items []Item) {
	for i := range items {
		items[i].Metadata = ""
	}
}

// forget takes out of a refund all that is personal.
func (r *Refund) forget() {
	r.Note, r.Message, r.Metadata, r.Failure.Message = "", "", "", ""
	r.Evidence = slices.Clone(r.Evidence)
	for i := range r.Evidence {
		r.Evidence[i].Note = ""
	}
	if r.List != nil {
		list := slices.Clone(*r.List)
		forgetItems(list)
		r.List = &list
	}
}

// eraseOrder erases what is personal about the order of a payment that was
// erased, if that was the last of them, and returns the view with the order as
// it is then.
func (b *Book) eraseOrder(meta Meta, v View) View {
	order, err := b.order(meta.Tenant, v.Payment.Order)
	if err != nil || !order.ErasedAt.IsZero() {
		return v
	}
	isKept := func(other View) bool { return other.Payment.ErasedAt().IsZero() }
	if slices.ContainsFunc(b.viewsOf(meta.Tenant, order.ID), isKept) {
		return v
	}
	order.touch(b.Now)
	order.Metadata, order.ErasedAt = "", order.UpdatedAt
	b.tellOrder(meta, EventOrderErased, order)
	b.saveOrder(order)
	v.Order = order
	return v
}

// checkErased refuses words about a payment whose personal data was erased:
// there is no key to seal them under. Our own API can leave them out; clients
// of other doors cannot, see [asking.forget].
func checkErased(a *asking, _ Rule) error {
	if a.view.Payment.ErasedAt().IsZero() || a.Door != DoorAPI {
		return nil
	}
	hasWords := a.Note != "" || a.Message != "" || a.Metadata != ""
	for _, item := range a.Ask.List {
		hasWords = hasWords || item.Metadata != ""
	}
	if hasWords {
		return refuse(RuleErased, "the payment was erased: a refund of it has no note, message or metadata")
	}
	return nil
}

// forget leaves out what could not be kept about an erased payment, where it
// was not refused: money goes first. Doors ask for words, or their clients send
// them with every refund.
func (a *asking) forget() {
	if a.view.Payment.ErasedAt().IsZero() || a.Door == DoorAPI {
		return
	}
	a.Note, a.Message, a.Metadata = "", "", ""
	a.Ask.List = slices.Clone(a.Ask.List)
	forgetItems(a.Ask.List)
}
