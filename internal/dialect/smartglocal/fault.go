package smartglocal

import (
	"errors"
	"net/http"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// word is how an error is said here: the HTTP status, the code that clients
// key on, and a sentence for people.
type word struct {
	status      int
	code        string
	description string
}

// The codes, section 7.
const (
	identificationError = "identification_error"
	authenticationError = "authentication_error"
	authorizationError  = "authorization_error"
	invalidRequest      = "invalid_request"
	idempotencyError    = "idempotency_key_already_exists"
	internalError       = "internal_error"
)

func invalid(description string) *word {
	return &word{http.StatusBadRequest, invalidRequest, description}
}

func forbidden(description string) *word {
	return &word{http.StatusForbidden, authorizationError, description}
}

// Error returns the sentence.
func (w *word) Error() string { return w.description }

// What is wrong with a request before it is a command.
var (
	unknownProject = &word{http.StatusUnauthorized, identificationError, "unknown project"}
	badSignature   = &word{http.StatusUnauthorized, authenticationError, "signature verification failed"}
	unknownPath    = &word{http.StatusNotFound, invalidRequest, "unknown method"}
	wrongMethod    = &word{http.StatusMethodNotAllowed, invalidRequest, "only POST is allowed"}
	tooLarge       = &word{http.StatusRequestEntityTooLarge, invalidRequest, "the body is too large"}
	tooMany        = &word{http.StatusTooManyRequests, internalError, "too many requests, retry later"}
	notHere        = forbidden("payments cannot be made here: this is not a sandbox")
	badBody        = invalid("the body is not a JSON object")
	badKey         = invalid("X-PARTNER-IDEMPOTENCY-KEY must be 1 to 255 visible ASCII characters")
	internalFault  = &word{http.StatusInternalServerError, internalError, "internal error, retry later"}
	unknownSession = invalid("unknown session_id")
	notRefundable  = invalid("session has no payment that can be refunded now")
	badAmount      = invalid("amount_details must have amount, an integer of at least 1, and currency")
	badCurrency    = invalid("amount_details.currency is not a currency")
	needsAmount    = invalid("amount_details is required for this project")
)

// rules says how each rule's no is said. What nobody should ever meet here is
// said too: the list is complete.
var rules = map[payment.RuleName]*word{
	payment.RuleKey:              {http.StatusBadRequest, idempotencyError, "already in progress or processed"},
	payment.RuleKeyMisuse:        {http.StatusBadRequest, idempotencyError, "already in progress or processed"},
	payment.RuleExists:           unknownSession,
	payment.RuleAlias:            invalid("the session has a payment already"),
	payment.RuleStatus:           notRefundable,
	payment.RuleOrder:            notRefundable,
	payment.RuleOneAtATime:       invalid("another refund of the session is in progress"),
	payment.RuleNothingLeft:      notRefundable,
	payment.RuleCurrency:         invalid("amount_details.currency differs from the payment's"),
	payment.RulePartial:          forbidden("partial refunds are not enabled for this project"),
	payment.RuleNextDay:          invalid("the payment cannot be refunded yet"),
	payment.RuleWindow:           invalid("the payment is too old to be refunded"),
	payment.RuleFullAfterPartial: invalid("amount_details is required after a partial refund"),
	payment.RuleItems:            invalid("the refund does not fit the payment"),
	payment.RuleAmount:           badAmount,
	payment.RuleRefundable:       invalid("amount_details.amount is greater than the refundable amount"),
	payment.RuleExpected:         invalid("the refundable amount has changed"),
	payment.RuleMaximum:          forbidden("the amount is above the limit for one refund"),
	payment.RuleDispute:          forbidden("refunds are not allowed during a chargeback"),
	payment.RuleDuplicate:        forbidden("an equal refund was made a moment ago"),
	payment.RuleSelfApproval:     forbidden("who asked for a refund cannot approve it"),
	payment.RuleGate:             invalid("the session does not wait for this"),
	payment.RuleFence:            internalFault,
	payment.RuleWaits:            internalFault,
	payment.RuleReached:          internalFault,
	payment.RuleFailures:         notRefundable,
	payment.RuleUndisputed:       notRefundable,
	payment.RuleAvailability:     forbidden("refunds like this are not available for the payment"),
	payment.RuleCapture:          notRefundable,
	payment.RuleListSum:          invalid("the refund does not fit the payment"),
	payment.RuleRecipients:       invalid("the refund does not fit the payment"),
	payment.RuleVelocity:         forbidden("refunds are limited, try again tomorrow"),
	payment.RuleHalted:           forbidden("refunds have been stopped"),
	payment.RuleReason:           forbidden("the reason is not allowed"),
	payment.RulePreview:          internalFault,
	payment.RuleSeen:             internalFault,
	payment.RuleErasable:         internalFault,
	payment.RuleErased:           internalFault,
}

// otherRules says how a no is said of calls that are not refunds, where that
// differs.
var otherRules = map[payment.RuleName]*word{
	payment.RuleStatus:     invalid("the session does not allow this now"),
	payment.RuleOrder:      invalid("the session does not allow this now"),
	payment.RuleCurrency:   invalid("amount_details.currency cannot be used"),
	payment.RuleAmount:     invalid("amount_details.amount is greater than what is authorized"),
	payment.RuleRefundable: invalid("amount_details.amount is greater than what is left"),
}

// say returns a call's error in the words of its method.
func (m method) say(err error) error {
	if refusal, ok := errors.AsType[*payment.Refusal](err); ok && !m.isRefund && otherRules[refusal.Rule] != nil {
		return otherRules[refusal.Rule]
	}
	return err
}

// faults says how an error is said that is no rule's.
var faults = map[fault.Code]*word{
	fault.Invalid:     invalid("the request is not valid"),
	fault.NotFound:    unknownSession,
	fault.Conflict:    notRefundable,
	fault.Forbidden:   forbidden("the call is not enabled for this project"),
	fault.Unavailable: internalFault,
	fault.Internal:    internalFault,
}

// wordOf returns how an error is said.
func wordOf(err error) *word {
	if said, ok := errors.AsType[*word](err); ok {
		return said
	}
	if refusal, ok := errors.AsType[*payment.Refusal](err); ok {
		if refusal.Rule == payment.RuleFullAfterPartial && refusal.Refundable.Minor == 0 {
			return notRefundable // naming an amount would not help
		}
		return rules[refusal.Rule]
	}
	if errors.Is(err, wire.ErrTooLarge) {
		return tooLarge
	}
	if errors.Is(err, wire.ErrBody) || errors.Is(err, wire.ErrJSON) {
		return badBody
	}
	return faults[fault.CodeOf(err)]
}

// fail answers with an error.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, err error) {
	said := wordOf(err)
	if said.status >= http.StatusInternalServerError {
		d.config.Failed(r, err)
	}
	switch said {
	case wrongMethod:
		w.Header().Set("Allow", http.MethodPost)
	case tooMany:
		w.Header().Set("Retry-After", "1")
	}
	dialect.Answer(w, said.status, answer{Status: "error", Error: &problem{said.code, said.description}})
}
