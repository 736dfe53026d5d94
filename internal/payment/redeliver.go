package payment

// QueuedDelivery is a delivery and the queue of the job that makes it.
type QueuedDelivery struct {
	Delivery

	Queue string
}

// Redeliver tells an endpoint once more what has happened: each delivery is a
// new one.
type Redeliver struct {
	Meta

	Endpoint   EndpointID
	Deliveries []QueuedDelivery
}

// Need implements [Command].
func (c Redeliver) Need() Need { return Need{Tenant: c.Tenant} }

// Apply implements [Command].
func (c Redeliver) Apply(b *Book) (Answer, error) {
	for _, queued := range c.Deliveries {
		b.Deliver(queued.Delivery, queued.Queue)
	}
	b.Changes.Tellings = append(b.Changes.Tellings, Telling{Event: c.event(EventEndpointReplayed, c.Endpoint, 0, b.Now)})
	return Answer{}, nil
}
