package chip

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// all is where it is said what is wrong with the whole of something.
const all = "__all__"

// The codes that clients key on, section 7. Messages are free text.
const (
	codeAuth       = "authentication_failed"
	codeConflict   = "conflict"
	codeInternal   = "internal_error"
	codeInvalid    = "invalid"
	codeChoice     = "invalid_choice"
	codeMaxLength  = "max_length"
	codeMaxPlaces  = "max_decimal_places"
	codeMaxValue   = "max_value"
	codeMinLength  = "min_length"
	codeMinValue   = "min_value"
	codeNotFound   = "not_found"
	codeNull       = "null"
	codeParse      = "parse_error"
	codeRequired   = "required"
	codeToken      = "invalid_recurring_token"
	codeRefundNo   = "purchase_refund_not_possible"
	codeRefundFail = "purchase_refund_error"
)

// problem is an answer that is a no: a status and what is wrong.
type problem struct {
	status int
	wrong  *flaws
}

// Error returns a sentence for the log. It never says what was sent.
func (p *problem) Error() string { return fmt.Sprintf("refused with %d", p.status) }

// refused returns a no that is about one field.
func refused(status int, field, code, message string) *problem {
	wrong := &flaws{}
	wrong.at(field).add(code, message)
	return &problem{status, wrong}
}

func badRequest(code, message string) *problem {
	return refused(http.StatusBadRequest, all, code, message)
}

func badAmount(code, message string) *problem {
	return refused(http.StatusBadRequest, "amount", code, message)
}

// What is wrong with a request before it is a command.
var (
	noKey       = refused(http.StatusUnauthorized, all, codeAuth, "Authorization header missing")
	wrongKey    = refused(http.StatusUnauthorized, all, codeAuth, "Incorrect secret_key")
	unknown     = refused(http.StatusNotFound, all, codeNotFound, "Not found.")
	keyConflict = refused(http.StatusConflict, all, codeConflict,
		"The Idempotency-Key was used for another request, or for one that has not ended.")
	tooLarge      = refused(http.StatusRequestEntityTooLarge, all, "request_too_large", "The request's body is too large.")
	tooMany       = refused(http.StatusTooManyRequests, all, "rate_limited", "Too many requests, retry later.")
	internalFault = refused(http.StatusInternalServerError, all, codeInternal, "Internal error, retry later.")
	notHere       = badRequest(codeInvalid, "Purchases cannot be paid here: this is not a sandbox.")
	badKey        = badRequest(codeInvalid, "Idempotency-Key must be 1 to 255 visible ASCII characters.")
	badBody       = badRequest(codeParse, "Malformed request body.")
	declined      = badRequest(codeRefundFail, "Refund could not be processed.")
	badToken      = badRequest(codeToken, "Invalid or inactive recurring token!")
	noClient      = badRequest("purchase_client_or_id_required", "Either `client` or `client_id` must be given.")
	twoClients    = badRequest("purchase_client_or_id_only", "Only one of `client` and `client_id` can be given.")
	noTotal       = badRequest(codeInvalid, "The total must be greater than 0: there is no preauthorization.")
	largeTotal    = badRequest(codeInvalid, "The total is too large.")
)

// wrongMethod refuses a method that a path does not have. What is no common
// method is not repeated.
func wrongMethod(method string) *problem {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions:
		return refused(http.StatusMethodNotAllowed, all, "method_not_allowed", fmt.Sprintf("Method %q not allowed.", method))
	}
	return refused(http.StatusMethodNotAllowed, all, "method_not_allowed", "Method not allowed.")
}

// wrongStatus is the no to what a purchase's status does not allow.
func wrongStatus(action, message string) *problem {
	return badRequest("purchase_"+action+"_wrong_status", message)
}

// The nos to actions that a purchase's status does not allow, by the action's path.
var wrongStatuses = map[string]*problem{
	"refund":       wrongStatus("refund", "Purchase cannot be refunded in its current status."),
	"capture":      wrongStatus("capture", "Only Purchases with `status == hold` can be captured."),
	"release":      wrongStatus("release", "Only Purchases with `status == hold` can be released."),
	"cancel":       wrongStatus("cancel", "Purchase cannot be cancelled in its current status."),
	"charge":       wrongStatus("charge", "Purchase cannot be charged in its current status."),
	"mark_as_paid": wrongStatus("mark_as_paid", "Purchase cannot be marked as paid in its current status."),
}

func notPossible(message string) *problem { return badRequest(codeRefundNo, message) }

// rules says how each rule's no is said. Where it depends on the action it is
// said as of a refund, see [say]. What nobody should ever meet here is said
// too: the list is complete.
var rules = map[payment.RuleName]*problem{
	payment.RuleKey:              keyConflict,
	payment.RuleKeyMisuse:        keyConflict,
	payment.RuleExists:           unknown,
	payment.RuleAlias:            badRequest(codeInvalid, "The id is taken."),
	payment.RuleStatus:           wrongStatuses["refund"],
	payment.RuleOrder:            wrongStatuses["refund"],
	payment.RuleOneAtATime:       wrongStatuses["refund"],
	payment.RuleUndisputed:       wrongStatuses["refund"],
	payment.RuleGate:             wrongStatuses["refund"],
	payment.RuleNothingLeft:      notPossible("This Purchase was already fully refunded."),
	payment.RuleAvailability:     notPossible("This Purchase cannot be refunded like this, see refund_availability."),
	payment.RuleMaximum:          notPossible("The amount is greater than one refund may be."),
	payment.RulePartial:          notPossible("Partial refunds are not enabled."),
	payment.RuleNextDay:          notPossible("This Purchase can be refunded from the next day."),
	payment.RuleWindow:           notPossible("This Purchase is too old to be refunded."),
	payment.RuleFullAfterPartial: notPossible("A part of this Purchase was refunded already."),
	payment.RuleDispute:          notPossible("This Purchase cannot be refunded during a dispute."),
	payment.RuleDuplicate:        notPossible("An equal refund was made a moment ago."),
	payment.RuleFailures:         notPossible("Too many calls about this Purchase have failed."),
	payment.RuleSelfApproval:     notPossible("Who asked for a refund cannot approve it."),
	payment.RuleItems:            notPossible("The refund does not fit this Purchase."),
	payment.RuleCapture:          notPossible("The refund does not fit this Purchase."),
	payment.RuleListSum:          notPossible("The refund does not fit this Purchase."),
	payment.RuleRecipients:       notPossible("The refund does not fit this Purchase."),
	payment.RuleExpected:         notPossible("The refundable amount has changed."),
	payment.RuleVelocity:         notPossible("Too many refunds were made today."),
	payment.RuleHalted:           notPossible("Refunds have been stopped."),
	payment.RuleReason:           notPossible("This refund needs a reason."),
	payment.RulePreview:          notPossible("What was previewed is not what would happen now."),
	payment.RuleSeen:             notPossible("What is asked for has changed."),
	payment.RuleErasable:         notPossible("This Purchase is not over."),
	payment.RuleErased:           notPossible("The personal data of this Purchase was erased."),
	payment.RuleAmount:           badAmount(codeInvalid, "The amount is out of range."),
	payment.RuleRefundable:       badAmount(codeMaxValue, "The amount is greater than what can be refunded."),
	payment.RuleCurrency:         nested("purchase", "currency", codeChoice, "The currency cannot be used."),
	payment.RuleFence:            internalFault,
	payment.RuleWaits:            internalFault,
	payment.RuleReached:          internalFault,
}

// nested returns a no that is about a field of a field.
func nested(field, inner, code, message string) *problem {
	wrong := &flaws{}
	wrong.at(field).at(inner).add(code, message)
	return &problem{http.StatusBadRequest, wrong}
}

// faults says how an error is said that is no rule's.
var faults = map[fault.Code]*problem{
	fault.Invalid:     badRequest(codeInvalid, "The request is not valid."),
	fault.NotFound:    unknown,
	fault.Conflict:    internalFault, // of settings that two changed at once: nothing was done, and 409 is about keys only
	fault.Forbidden:   badRequest(codeInvalid, "This is not enabled."),
	fault.Unavailable: internalFault,
	fault.Internal:    internalFault,
}

// say returns how an error of an action is said.
func say(action string, err error) *problem {
	if said, ok := errors.AsType[*problem](err); ok {
		return said
	}
	if refusal, ok := errors.AsType[*payment.Refusal](err); ok {
		return sayRule(action, refusal)
	}
	if errors.Is(err, wire.ErrTooLarge) {
		return tooLarge
	}
	if errors.Is(err, wire.ErrBody) || errors.Is(err, wire.ErrJSON) {
		return badBody
	}
	return faults[fault.CodeOf(err)]
}

// sayRule returns how a rule's no to an action is said.
func sayRule(action string, refusal *payment.Refusal) *problem {
	said := rules[refusal.Rule]
	isOver := refusal.Rule == payment.RuleRefundable || action == "capture" && refusal.Rule == payment.RuleAmount
	switch {
	case refusal.Rule == payment.RuleCapture && refusal.Refundable.Currency != "":
		return notPossible(fmt.Sprintf("This Purchase was captured in parts, each refunded by itself: the amount may be %d now.",
			refusal.Refundable.Minor))
	case isOver && refusal.Refundable.Currency != "":
		return badAmount(codeMaxValue, maxText(refusal.Refundable.Minor))
	case said == wrongStatuses["refund"] && wrongStatuses[action] != nil:
		return wrongStatuses[action]
	}
	return said
}

func maxText(most money.Minor) string {
	return fmt.Sprintf("Ensure this value is less than or equal to %d.", most)
}

// fail answers with an error of an action.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, action string, err error) {
	said := say(action, err)
	switch said.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	case http.StatusInternalServerError:
		d.config.Failed(r, err)
	}
	dialect.Answer(w, said.status, said.wrong)
}
