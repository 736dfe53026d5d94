package payment

// TryEndpoint sends one webhook that tells nothing, to see whether it arrives.
type TryEndpoint struct {
	Meta

	Endpoint Endpoint // of [Meta.Door]; one without an id need not be kept anywhere
}

// Need implements [Command].
func (c TryEndpoint) Need() Need { return Need{Tenant: c.Tenant, Key: c.Key.Hash} }

// Apply implements [Command].
func (c TryEndpoint) Apply(b *Book) (Answer, error) {
	endpoint := c.Endpoint
	endpoint.Door = c.Door
	b.Changes.Tellings = append(b.Changes.Tellings, Telling{
		Event: c.event(EventEndpointTried, b.newID(), 0, b.Now), To: &endpoint,
	})
	return Answer{}, nil
}
