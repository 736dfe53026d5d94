package payment

// Connector is what decisions must know of one: what its processor can do.
type Connector struct {
	RefundsCaptures bool // it refunds captures: a refund over several becomes one for each
}

// Connectors are those that there are, by name. Nothing is known of any other,
// so that a payment of it is refunded as a whole.
type Connectors map[string]Connector
