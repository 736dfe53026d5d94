package service

import (
	"maps"
	"slices"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
	"github.com/refundry/refundry/internal/processor/sandbox"
)

// The sandbox's connectors.
const (
	Connector         = "sandbox"          // where refunds go of payments that name no other
	CapturesConnector = "sandbox_captures" // a company that refunds captures
)

// connectors are the processors that there are, by the name of the connector.
type connectors map[string]processor.Processor

// connectorsOf returns the connectors over a sandbox; without one there are none.
func connectorsOf(box *sandbox.Sandbox) connectors {
	if box == nil {
		return connectors{}
	}
	return connectors{Connector: box, CapturesConnector: sandbox.Captures{Sandbox: box}}
}

func (c connectors) processor(name string) (processor.Processor, bool) {
	found, ok := c[name]
	return found, ok
}

// names returns the name of each, never nil.
func (c connectors) names() []string {
	return slices.AppendSeq(make([]string, 0, len(c)), maps.Keys(c))
}

// known says what decisions must know of each, whichever door records a payment.
func (c connectors) known() payment.Connectors {
	known := payment.Connectors{}
	for name, at := range c {
		known[name] = payment.Connector{RefundsCaptures: at.Capabilities().RefundsCaptures}
	}
	return known
}
