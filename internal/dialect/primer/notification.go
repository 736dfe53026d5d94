package primer

import (
	"encoding/json"
	"slices"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/wire"
)

// notification is what an endpoint is at this door: the detail of its row. One
// that an operator made without saying more is told everything.
type notification struct {
	Description string   `json:"description,omitempty"`
	Types       []string `json:"types,omitempty"` // empty: all
}

// defaultDescription describes an endpoint of which nothing is said.
const defaultDescription = "Refundry webhook"

const descriptionMax = 255 // characters

// EndpointDetail reads what an operator says of an endpoint of this door:
// {"description", "types": ["PAYMENT.REFUND", …]}. It returns the detail that
// is kept with it.
func EndpointDetail(body wire.Value) (string, error) {
	var n notification
	f := form{value: body}
	n.Description = f.text("description", descriptionMax)
	given := body.Get("types")
	for _, element := range given.Elements() {
		text, _ := element.Text()
		n.Types = append(n.Types, text)
		if !slices.Contains([]string{typePaymentStatus, typePaymentRefund, typeDisputeOpened, typeDisputeStatus}, text) {
			return "", errNotification
		}
	}
	if len(f.wrong) > 0 || given.IsGiven() && len(n.Types) == 0 {
		return "", errNotification
	}
	return string(wire.Encode(n)), nil
}

// errNotification never repeats what was said.
var errNotification = fault.New(fault.Invalid, "an endpoint of Primer has a description of at most %d characters, and types "+
	"among PAYMENT.STATUS, PAYMENT.REFUND, DISPUTE.OPENED and DISPUTE.STATUS", descriptionMax)

// readNotification reads an endpoint's detail; nothing is an operator's.
func readNotification(detail string) notification {
	var n notification
	_ = json.Unmarshal([]byte(detail), &n) // ours, or empty
	if n.Description == "" {
		n.Description = defaultDescription
	}
	return n
}

// wants reports whether a type of event is told.
func (n notification) wants(word string) bool {
	return len(n.Types) == 0 || slices.Contains(n.Types, word)
}
