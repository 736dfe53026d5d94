package payment

import "time"

// ResourceKind is a kind of [Resource]; each door declares its own.
type ResourceKind string

// Resource is a door's own thing that is no order, payment or refund: a
// merchant, a client, a token. Its body is opaque here.
type Resource struct {
	Tenant    TenantID
	Door      Door
	Kind      ResourceKind
	ID        ResourceID
	Body      []byte
	CreatedAt time.Time
}

// ResourceRef names a resource of a tenant's.
type ResourceRef struct {
	Door Door
	Kind ResourceKind
	ID   ResourceID
}

// PutResource writes a resource: a new one, or a new body of one that exists,
// which keeps the time when it was made.
type PutResource struct {
	Meta

	Kind ResourceKind
	ID   ResourceID // of [Meta.Door]'s kind; zero: a new one
	Body []byte
}

// Need implements [Command].
func (c PutResource) Need() Need { return Need{Tenant: c.Tenant, Key: c.Key.Hash} }

// Apply implements [Command].
func (c PutResource) Apply(b *Book) (Answer, error) {
	record, err := b.use(c.Key)
	if err != nil {
		return Answer{}, err
	}
	if record != nil {
		return Answer{Replayed: record}, nil
	}
	resource := Resource{Tenant: c.Tenant, Door: c.Door, Kind: c.Kind, ID: c.ID, Body: c.Body, CreatedAt: b.Now}
	if resource.ID.IsZero() {
		resource.ID = b.newID()
	}
	b.Changes.Resources = append(b.Changes.Resources, resource)
	b.Changes.Tellings = append(b.Changes.Tellings, Telling{Event: c.event(EventResourcePut, resource.ID, 0, b.Now)})
	b.keep(c.Meta, resource.ID, PaymentID{}, 0)
	return Answer{Resource: resource}, nil
}

// remove removes a resource that is about a person. One that there is not is fine.
func (b *Book) remove(meta Meta, ref ResourceRef) {
	b.Changes.Removed = append(b.Changes.Removed, Resource{Tenant: meta.Tenant, Door: ref.Door, Kind: ref.Kind, ID: ref.ID})
	b.Changes.Tellings = append(b.Changes.Tellings, Telling{Event: meta.event(EventResourceRemoved, ref.ID, 0, b.Now)})
}
