package payment

import (
	"fmt"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
)

// RuleName names a rule, so that a door can say in its own words which one
// said no. See [faults] for the kind of no that each is.
type RuleName string

// The rules.
const (
	RuleKey              RuleName = "key"                     // the idempotency key is new
	RuleKeyMisuse        RuleName = "key_misuse"              // … or repeats the request it was first used with
	RuleExists           RuleName = "exists"                  // the thing exists and is this tenant's
	RuleAlias            RuleName = "alias"                   // an id from elsewhere is not taken
	RuleStatus           RuleName = "status"                  // the thing is where this can happen
	RuleOrder            RuleName = "order"                   // the order was not split
	RuleOneAtATime       RuleName = "one_at_a_time"           // no other refund of the payment runs
	RuleNothingLeft      RuleName = "nothing_left"            // there is something to refund
	RuleCurrency         RuleName = "currency"                // the currency is the payment's
	RulePartial          RuleName = "partial"                 // a part may be refunded
	RuleNextDay          RuleName = "next_day"                // the payment is old enough for its country, and for a policy
	RuleWindow           RuleName = "window"                  // the payment is young enough
	RuleFullAfterPartial RuleName = "full_after_partial"      // "everything" is not asked for after a part
	RuleItems            RuleName = "items"                   // line items are there and not yet refunded
	RuleAmount           RuleName = "amount"                  // the amount is one that can be asked for
	RuleRefundable       RuleName = "refundable"              // no more than is left
	RuleExpected         RuleName = "expected_refundable"     // what the caller believed is left is left
	RuleMaximum          RuleName = "maximum_amount"          // the policy's limit for one refund
	RuleDispute          RuleName = "dispute"                 // the policy for refunds beside a dispute
	RuleDuplicate        RuleName = "duplicate_intent"        // not the same again within minutes
	RuleSelfApproval     RuleName = "self_approval"           // whoever asked does not approve
	RuleGate             RuleName = "gate"                    // the payment waits for exactly this
	RuleFence            RuleName = "fence"                   // the attempt is the one we know
	RuleWaits            RuleName = "may_be_an_attempt"       // an unknown refund may be one of ours on its way
	RuleReached          RuleName = "processor_contradiction" // the processor's story fits what we know
	RuleFailures         RuleName = "failures"                // not too many calls about the payment have failed
	RuleUndisputed       RuleName = "undisputed"              // no dispute has taken anything
	RuleAvailability     RuleName = "availability"            // the payment's method gives back as much as is asked
	RuleCapture          RuleName = "capture"                 // the capture that is named is one of the payment's
	RuleListSum          RuleName = "list_sum"                // the list that will be, and the amount, are the list that is
	RuleRecipients       RuleName = "recipients"              // nobody gets more by the list that will be
	RuleVelocity         RuleName = "velocity"                // a policy: not too many, not too much, in a day
	RuleHalted           RuleName = "halted"                  // a policy: refunds have not been stopped
	RuleReason           RuleName = "reason"                  // a policy: the reason is one of the tenant's
	RulePreview          RuleName = "preview"                 // what was previewed is what would happen now
	RuleSeen             RuleName = "seen"                    // who approves has seen what is asked for
	RuleErasable         RuleName = "erasable"                // nothing about a payment that is to be erased is open
	RuleErased           RuleName = "erased"                  // personal data of the payment can still be kept
)

// faults says which kind of no each rule's no is.
var faults = map[RuleName]fault.Code{
	RuleKey:              fault.Conflict,
	RuleKeyMisuse:        fault.Invalid,
	RuleExists:           fault.NotFound,
	RuleAlias:            fault.Conflict,
	RuleStatus:           fault.Conflict,
	RuleOrder:            fault.Conflict,
	RuleOneAtATime:       fault.Conflict,
	RuleNothingLeft:      fault.Conflict,
	RuleCurrency:         fault.Invalid,
	RulePartial:          fault.Forbidden,
	RuleNextDay:          fault.Conflict,
	RuleWindow:           fault.Conflict,
	RuleFullAfterPartial: fault.Conflict,
	RuleItems:            fault.Invalid,
	RuleAmount:           fault.Invalid,
	RuleRefundable:       fault.Conflict,
	RuleExpected:         fault.Conflict,
	RuleMaximum:          fault.Forbidden,
	RuleDispute:          fault.Forbidden,
	RuleDuplicate:        fault.Conflict,
	RuleSelfApproval:     fault.Forbidden,
	RuleGate:             fault.Conflict,
	RuleFence:            fault.Conflict,
	RuleWaits:            fault.Unavailable,
	RuleReached:          fault.Conflict,
	RuleFailures:         fault.Conflict,
	RuleUndisputed:       fault.Conflict,
	RuleAvailability:     fault.Conflict,
	RuleCapture:          fault.Invalid,
	RuleListSum:          fault.Invalid,
	RuleRecipients:       fault.Invalid,
	RuleVelocity:         fault.Forbidden,
	RuleHalted:           fault.Forbidden,
	RuleReason:           fault.Invalid,
	RulePreview:          fault.Conflict,
	RuleSeen:             fault.Conflict,
	RuleErasable:         fault.Conflict,
	RuleErased:           fault.Conflict,
}

// RuleNames returns every rule, for tables that must have a row for each.
func RuleNames() []RuleName {
	names := make([]RuleName, 0, len(faults))
	for name := range faults {
		names = append(names, name)
	}
	return names
}

// Refusal is a rule's no. Nothing was changed. It says what would be allowed,
// where there is such a thing.
type Refusal struct {
	Rule       RuleName
	Message    string
	Refundable money.Amount // what may still be asked for; zero where that is not the point
	From       time.Time    // from when it would be allowed; zero where that is not the point
	Earlier    *KeyRecord   // what the key was used for before
	Asked      Fingerprint  // … and what it is asked for now
	Refunds    []RefundID   // those that stand in the way; nil where that is not the point
}

func refuse(rule RuleName, format string, args ...any) *Refusal {
	return &Refusal{Rule: rule, Message: fmt.Sprintf(format, args...)}
}

// NoSuch is the refusal of a thing that is not there, or is another tenant's.
func NoSuch(noun string) *Refusal { return refuse(RuleExists, "no such %s", noun) }

// Error returns the sentence for the caller.
func (r *Refusal) Error() string { return r.Message }

// PublicMessage returns the sentence for the caller.
func (r *Refusal) PublicMessage() string { return r.Message }

// FaultCode returns the kind of no.
func (r *Refusal) FaultCode() fault.Code { return faults[r.Rule] }
