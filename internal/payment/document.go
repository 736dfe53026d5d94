package payment

import "slices"

// DocumentPayment replaces a door's document about a payment: something that
// only the door knows has changed.
type DocumentPayment struct {
	Meta

	Payment  PaymentID
	Document []byte
	While    PaymentStatus // the only one in which the document makes sense; empty: any
	Kind     EventKind     // what is told; empty: [EventPaymentUpdated]
	Parts    Parts         // what the door's answer shows
}

// Need implements [Command].
func (c DocumentPayment) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Parts: c.Parts | PartFacets, Key: c.Key.Hash}
}

// Apply implements [Command].
func (c DocumentPayment) Apply(b *Book) (Answer, error) {
	return b.changePayment(c.Meta, c.Payment, func(v *View) error {
		p := &v.Payment
		if c.While != "" && p.Status != c.While {
			return refuse(RuleStatus, "the payment is %s now", p.Status)
		}
		p.touch(b.Now)
		p.become(p.Status, NoteDocument)
		b.document(v, c.Door, p.ID, c.Document)
		kind := c.Kind
		if kind == "" {
			kind = EventPaymentUpdated
		}
		b.tell(c.Meta, kind, p.ID, *p, Refund{})
		return nil
	})
}

// DocumentOrder replaces a door's document about an order.
type DocumentOrder struct {
	Meta

	Order    OrderID
	Document []byte
}

// Need implements [Command].
func (c DocumentOrder) Need() Need { return Need{Tenant: c.Tenant, Order: c.Order, Key: c.Key.Hash} }

// Apply implements [Command].
func (c DocumentOrder) Apply(b *Book) (Answer, error) {
	record, err := b.use(c.Key)
	if err != nil {
		return Answer{}, err
	}
	if record != nil {
		return Answer{Replayed: record}, nil
	}
	order, err := b.order(c.Tenant, c.Order)
	if err != nil {
		return Answer{}, err
	}
	order.touch(b.Now)
	b.documentOrder(c.Meta, order, c.Document)
	b.tellOrder(c.Meta, EventOrderUpdated, order)
	b.keep(c.Meta, order.ID, PaymentID{}, order.Version)
	b.saveOrder(order)
	return Answer{Order: order}, nil
}

// documentOrder writes a new version of a door's document about an order.
// About an erased one none is kept.
func (b *Book) documentOrder(meta Meta, order Order, body []byte) {
	if body == nil || !order.ErasedAt.IsZero() {
		return
	}
	b.Changes.Facets = append(b.Changes.Facets, FacetChange{
		Tenant: order.Tenant, Payment: PaymentID(order.ID),
		Facet: Facet{Subject: order.ID, Door: meta.Door, Version: order.Version, Body: slices.Clone(body)},
	})
}
