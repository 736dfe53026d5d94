package ping

import (
	"errors"
	"maps"
	"net/http"
	"strings"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// word is how an error is said here: the HTTP status, and one problem or, where
// a request is wrong in several ways, all of them.
type word struct {
	status   int
	problems []problem
}

// problem is one thing that is wrong. Clients key on error and, of a state or
// business refusal, on the code in additional_information.
type problem struct {
	Description string         `json:"description"`
	Error       string         `json:"error"`
	Property    string         `json:"property,omitempty"`
	Information map[string]any `json:"additional_information,omitempty"`
}

// failure is the body of every answer that is an error.
type failure struct {
	Errors []problem `json:"errors"`
}

// What is wrong with a value.
const (
	nullValue        = "null_value"
	missingValue     = "missing_value"
	invalidType      = "invalid_type"
	invalidValue     = "invalid_value"
	invalidJSON      = "invalid_json"
	outOfRange       = "out_of_range"
	amountMismatch   = "amount_mismatch"
	currencyMismatch = "currency_mismatch"
	keyReuse         = "idempotency_key_reuse"
)

// operationForbidden is every refusal for what a thing is or has become.
const operationForbidden = "operation_forbidden"

// The codes that say more of such a refusal.
const (
	codeOrderSplit   = "payment_order_split"
	codeOrderSettled = "payment_order_settled"
	codeOrderState   = "order_state"
	codeNotSplit     = "order_not_split"
	codeNotTerminal  = "payments_not_terminal"
	codeThreshold    = "refund_threshold_exceeded"
)

// invalid says that a value is wrong.
func invalid(code, property, description string) *word {
	return &word{http.StatusUnprocessableEntity, []problem{{Description: description, Error: code, Property: property}}}
}

// forbidden refuses for what a thing is; without a code, for no reason that is
// documented.
func forbidden(code, description string) *word {
	said := &word{http.StatusForbidden, []problem{{Description: description, Error: operationForbidden}}}
	if code == "" {
		return said
	}
	return said.with(map[string]any{"code": code})
}

func notFound(noun string) *word {
	return &word{http.StatusNotFound, []problem{{Description: noun + " could not be found", Error: "not_found"}}}
}

// Error returns the first sentence.
func (w *word) Error() string { return w.problems[0].Description }

// with returns the word with more information in its first problem.
func (w *word) with(information map[string]any) *word {
	said := &word{w.status, append([]problem(nil), w.problems...)}
	merged := maps.Clone(said.problems[0].Information)
	if merged == nil {
		merged = map[string]any{}
	}
	maps.Copy(merged, information)
	said.problems[0].Information = merged
	return said
}

// What is said without a rule.
var (
	unauthorized = &word{http.StatusUnauthorized, []problem{{
		Description: "The supplied tenant credentials were not accepted", Error: "unauthorized",
	}}}
	orderClosed = &word{http.StatusForbidden, []problem{{
		Description: "Cannot initiate new Payments when PaymentOrder has been closed", Error: "payment_order_closed",
	}}}
	tooMany = &word{http.StatusTooManyRequests, []problem{{
		Description: "Too many requests, retry later", Error: "too_many_requests",
	}}}
	internalFault = &word{http.StatusInternalServerError, []problem{{
		Description: "Internal error", Error: "internal_error",
	}}}
	unavailable = &word{http.StatusServiceUnavailable, []problem{{
		Description: "Nothing was done, retry later", Error: "unavailable",
	}}}
	noPayment   = notFound("Payment")
	noOrder     = notFound("PaymentOrder")
	noMerchant  = notFound("Merchant")
	noPath      = notFound("Resource")
	notHere     = forbidden("sandbox_only", "Payments cannot be made here: this is not a sandbox")
	notNow      = forbidden("", "This operation cannot be completed under certain conditions")
	badJSON     = invalid(invalidJSON, "body", "the body is not valid JSON")
	tooLarge    = invalid(outOfRange, "body", "the body is too large")
	badKey      = invalid(invalidValue, headerKey, "1 to 255 visible ASCII characters expected")
	isPending   = forbidden("refund_in_progress", "Another refund of this payment is still pending")
	isDisputed  = forbidden("payment_disputed", "The payment is disputed")
	orderState  = forbidden(codeOrderState, "The payment order does not allow this now")
	notSplit    = forbidden(codeNotSplit, "The payment order has not been split")
	notTerminal = forbidden(codeNotTerminal, "A payment of the order has not ended")
	beyond      = forbidden(codeThreshold, "The refund is outside the agreed threshold")
)

// rules says how each rule's no to a refund is said; a policy's is the tenant's
// threshold. What nobody should ever meet here is said too: the list is complete.
var rules = map[payment.RuleName]*word{
	payment.RuleKey: {http.StatusConflict, []problem{{
		Description: "A request with this idempotency key is in progress", Error: "request_in_progress",
	}}},
	payment.RuleKeyMisuse: invalid(keyReuse, headerKey, "the idempotency key was used for another request"),
	payment.RuleExists:    noPayment,
	payment.RuleAlias:     forbidden(codeOrderState, "The id is taken"),
	payment.RuleStatus:    forbidden("payment_not_completed", "Only a completed payment can be refunded"),
	payment.RuleOrder: forbidden(codeOrderSplit,
		"The payment order has been split; its payments can no longer be refunded"),
	payment.RuleOneAtATime:       isPending,
	payment.RuleNothingLeft:      forbidden("payment_already_refunded", "Nothing is left to refund on this payment"),
	payment.RuleCurrency:         invalid(currencyMismatch, "currency", "currency must equal the payment currency"),
	payment.RulePartial:          beyond,
	payment.RuleNextDay:          beyond,
	payment.RuleWindow:           beyond,
	payment.RuleMaximum:          beyond,
	payment.RuleFullAfterPartial: invalid(amountMismatch, "amount", "amount must equal the refundable amount"),
	payment.RuleItems:            invalid(invalidValue, "order_items", "order_items do not fit the payment"),
	payment.RuleAmount:           invalid(outOfRange, "amount", "amount is out of range"),
	payment.RuleRefundable:       invalid(amountMismatch, "amount", "amount must not be more than the refundable amount"),
	payment.RuleExpected:         invalid(amountMismatch, "amount", "the refundable amount has changed"),
	payment.RuleDispute:          isDisputed,
	payment.RuleUndisputed:       isDisputed,
	payment.RuleDuplicate:        beyond,
	payment.RuleSelfApproval:     notNow,
	payment.RuleGate:             notNow,
	payment.RuleFence:            internalFault,
	payment.RuleWaits:            unavailable,
	payment.RuleReached:          internalFault,
	payment.RuleFailures:         notNow,
	payment.RuleAvailability:     forbidden("provider_not_refundable", "This provider and method have no native refund"),
	payment.RuleCapture:          invalid(invalidValue, "amount", "the payment was captured in parts, each refunded by itself"),
	payment.RuleListSum: invalid(amountMismatch, "order_items",
		"amount plus the sum of order_items must equal the refundable amount"),
	payment.RuleRecipients: invalid(invalidValue, "order_items", "a recipient is new, or gets more than now"),
	payment.RuleVelocity:   beyond,
	payment.RuleHalted:     beyond,
	payment.RuleReason:     invalid(invalidValue, "reason", "unknown reason"),
	payment.RulePreview:    notNow,
	payment.RuleSeen:       notNow,
	payment.RuleErasable:   notNow,
	payment.RuleErased:     notNow,
}

// faults says how an error is said that is no rule's.
var faults = map[fault.Code]*word{
	fault.Invalid:     invalid(invalidValue, "body", "the request is not valid"),
	fault.NotFound:    noPath,
	fault.Conflict:    notNow,
	fault.Forbidden:   notNow,
	fault.Unavailable: unavailable,
	fault.Internal:    internalFault,
}

// wordOf returns how an error is said.
func wordOf(err error) *word {
	if said, ok := errors.AsType[*word](err); ok {
		return said
	}
	if refusal, ok := errors.AsType[*payment.Refusal](err); ok {
		return rules[refusal.Rule]
	}
	switch {
	case errors.Is(err, wire.ErrTooLarge):
		return tooLarge
	case errors.Is(err, wire.ErrBody), errors.Is(err, wire.ErrJSON):
		return badJSON
	}
	return faults[fault.CodeOf(err)]
}

// fail answers with an error.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, err error) {
	said := wordOf(err)
	if said.status >= http.StatusInternalServerError {
		d.config.Failed(r, err)
	}
	if said == tooMany {
		w.Header().Set("Retry-After", "1")
	}
	dialect.Answer(w, said.status, failure{said.problems})
}

// isRule is shorter to read than its package.
func isRule(err error, rule payment.RuleName) bool { return dialect.IsRule(err, rule) }

// at joins the steps of a property's path.
func at(steps ...string) string { return strings.Join(steps, ".") }

// ruleOf returns the rule that said no, empty if none did.
func ruleOf(err error) payment.RuleName {
	if refusal, ok := errors.AsType[*payment.Refusal](err); ok {
		return refusal.Rule
	}
	return ""
}
