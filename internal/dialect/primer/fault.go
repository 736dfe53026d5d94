package primer

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// word is how an error is said here: the HTTP status and the errorId, which
// clients decide on, and sentences for people.
type word struct {
	status        int
	id            string
	description   string
	suggestion    string
	model         string      // of the body that is not valid
	violations    []violation // what is wrong with it
	listsNothing  bool        // an empty list of violations is shown
	paymentID     string      // of the payment that the key was used for
	paymentStatus string
}

// problem is an error's body.
type problem struct {
	Error problemError `json:"error"`
}

type problemError struct {
	ErrorID            string    `json:"errorId"`
	Description        string    `json:"description"`
	RecoverySuggestion string    `json:"recoverySuggestion,omitempty"`
	PaymentID          string    `json:"paymentId,omitempty"`
	PaymentStatus      string    `json:"paymentStatus,omitempty"`
	ValidationErrors   []invalid `json:"validationErrors,omitzero"`
	DiagnosticsID      string    `json:"diagnosticsId"`
}

// invalid says what is wrong with one body.
type invalid struct {
	Model  string      `json:"model"`
	Errors []violation `json:"errors"`
}

// Error returns the sentence.
func (w *word) Error() string { return w.description }

// saying returns the word with another sentence.
func (w *word) saying(format string, args ...any) *word {
	other := *w
	other.description = fmt.Sprintf(format, args...)
	return &other
}

// body returns what is answered.
func (w *word) body(diagnostics string) problem {
	shown := problemError{
		ErrorID: w.id, Description: w.description, RecoverySuggestion: w.suggestion,
		PaymentID: w.paymentID, PaymentStatus: w.paymentStatus, DiagnosticsID: diagnostics,
	}
	if len(w.violations) > 0 || w.listsNothing {
		shown.ValidationErrors = []invalid{}
	}
	if len(w.violations) > 0 {
		shown.ValidationErrors = append(shown.ValidationErrors, invalid{w.model, w.violations})
	}
	return problem{shown}
}

const (
	idStatus     = "InvalidPaymentStatus"
	idValidation = "RequestValidationError"
	idKey        = "IdempotencyKeyAlreadyExists"
	idAmount     = "UnprocessableRefundAmount"

	notValidated = "We were unable to validate your request, please check your payload against /docs/api"
)

// What is wrong with a request before it is a command.
var (
	unauthorized = &word{status: http.StatusUnauthorized, id: "Unauthorized", description: "The API key is missing or not valid."}
	notHere      = forbidden("Payments cannot be made here: this is not a sandbox.")
	badVersion   = &word{
		status: http.StatusBadRequest, id: "UnsupportedApiVersion", description: "This X-Api-Version is not supported.",
	}
	tooMany = &word{status: http.StatusTooManyRequests, id: "TooManyRequests", description: "Too many requests. Retry later."}
	noRoute = &word{status: http.StatusNotFound, id: "NotFound", description: "There is no such endpoint."}

	emptyMetadataKey = &word{
		status: http.StatusBadRequest, id: "MetadataContainsEmptyKey", description: "Metadata field contains empty string key.",
		suggestion: "Either remove empty string keys or provide non-empty string instead.",
	}
	unprocessed = &word{
		status: http.StatusAccepted, id: "NoActionsToHandle",
		description: "The payment was not processed in time. Processing will continue asynchronously.",
		suggestion:  "Use GET /payments/:paymentId to get the state of the payment",
	}
	internalFault = &word{
		status: http.StatusInternalServerError, id: "InternalError", description: "Something went wrong. Nothing was done.",
	}
	timeout = &word{
		status: http.StatusGatewayTimeout, id: "GatewayTimeout", description: "The request was not completed in time.",
	}
)

func lacksScope(needed scope) *word {
	return forbidden("The API key lacks the scope " + string(needed) + ".")
}

// unsupported refuses a version, and repeats it if it may be one.
func unsupported(version string) *word {
	if !wire.IsVisible(version, versionBytesMax) || wire.HasCardNumber(version) {
		return badVersion
	}
	return badVersion.saying("X-Api-Version %s is not supported.", version)
}

// invalid refuses a body for one thing that is wrong with it.
func (r *route) invalid(path, description string) *word {
	return r.invalidFor([]violation{{path, description}})
}

func (r *route) invalidFor(violations []violation) *word {
	return &word{
		status: http.StatusUnprocessableEntity, id: idValidation,
		description: notValidated, model: r.model, violations: violations,
	}
}

// valid returns what is wrong with a call's body, if anything is.
func (c *call) valid() error {
	if len(c.form.wrong) == 0 {
		return nil
	}
	return c.route.invalidFor(c.form.wrong)
}

func bad(id, description string) *word {
	return &word{status: http.StatusBadRequest, id: id, description: description}
}

func forbidden(description string) *word {
	return &word{status: http.StatusForbidden, id: "Forbidden", description: description}
}

func unprocessable(id, description string) *word {
	return &word{status: http.StatusUnprocessableEntity, id: id, description: description}
}

func conflict(id, description string) *word {
	return &word{status: http.StatusConflict, id: id, description: description}
}

// dictionary says how each rule's no is said.
type dictionary map[payment.RuleName]*word

var (
	notFound  = bad("PaymentError", "The payment could not be found")
	usedKey   = conflict(idKey, "The idempotency key already exists for transaction")
	badAmount = unprocessable(idAmount, "The refund does not fit the payment.")
	notNow    = bad(idStatus, "The payment cannot be refunded now")
)

// rules has the words for refunds. A policy's no is said as if the payment's
// status did not allow it: the API knows no policies. What nobody should ever
// meet here is said too: the list is complete.
var rules = dictionary{
	payment.RuleKey:       usedKey,
	payment.RuleKeyMisuse: usedKey,
	payment.RuleExists:    notFound,
	payment.RuleFailures: conflict("PaymentRequestLimitExceeded",
		"Too many failed capture, cancel or refund requests for this payment."),
	payment.RuleStatus:     notNow,
	payment.RuleOrder:      bad(idStatus, "A payment whose order is split cannot be refunded"),
	payment.RuleDispute:    bad(idStatus, "A payment with an open dispute cannot be refunded"),
	payment.RuleUndisputed: bad(idStatus, "A payment with a dispute cannot be refunded"),
	payment.RuleNothingLeft: conflict("PaymentAlreadyRefunded",
		"Cannot refund this payment because the payment has already been fully refunded."),
	payment.RuleCapture: {
		status: http.StatusUnprocessableEntity, id: idValidation,
		description: "transactionEventId does not name a capture of this payment", model: "PaymentRefundAPIRequest",
		violations: []violation{{"$.transactionEventId", "Unknown capture event"}},
	},
	payment.RuleRefundable:       badAmount,
	payment.RuleAmount:           badAmount,
	payment.RuleCurrency:         badAmount,
	payment.RuleItems:            badAmount,
	payment.RuleListSum:          badAmount,
	payment.RuleRecipients:       badAmount,
	payment.RuleExpected:         badAmount,
	payment.RuleFullAfterPartial: badAmount,
	payment.RuleAvailability:     unprocessable(idAmount, "The payment method does not allow a refund of this amount."),
	payment.RulePartial:          bad(idStatus, "Partial refunds are not enabled for this account"),
	payment.RuleMaximum:          bad(idStatus, "The amount is above this account's limit for one refund"),
	payment.RuleOneAtATime:       bad(idStatus, "A payment with a pending refund cannot be refunded"),
	payment.RuleNextDay:          bad(idStatus, "The payment can be refunded from the next day"),
	payment.RuleWindow:           bad(idStatus, "The payment is too old to be refunded"),
	payment.RuleDuplicate:        bad(idStatus, "An equal refund of the payment was made a moment ago"),
	payment.RuleHalted:           bad(idStatus, "Refunds of this account have been stopped"),
	payment.RuleVelocity:         bad(idStatus, "The limit of this account's refunds in a day is reached"),
	payment.RuleReason:           bad(idStatus, "The reason is not one that this account allows"),
	payment.RuleSelfApproval:     notNow,
	payment.RuleGate:             notNow,
	payment.RuleAlias:            notNow,
	payment.RuleReached:          notNow,
	payment.RuleWaits:            internalFault,
	payment.RulePreview:          internalFault,
	payment.RuleSeen:             internalFault,
	payment.RuleErasable:         internalFault,
	payment.RuleErased:           internalFault,
	payment.RuleFence:            internalFault,
}

// The words of other calls, where they differ from a refund's.
var (
	notCreated  = bad("PaymentError", "The payment could not be created.")
	createWords = dictionary{
		payment.RuleAmount: notCreated, payment.RuleCurrency: notCreated, payment.RuleAlias: notCreated,
		payment.RuleStatus: notCreated, payment.RuleOrder: notCreated, payment.RuleItems: notCreated,
		payment.RuleListSum: notCreated,
	}
	captureWords = dictionary{
		payment.RuleStatus: bad(idStatus, "The payment cannot be captured"),
		payment.RuleOrder:  bad(idStatus, "The payment cannot be captured"),
		payment.RuleAmount: unprocessable("UnprocessableCaptureAmount", "Cannot capture the payment with this amount."),
	}
	cancelWords = dictionary{
		payment.RuleStatus: bad(idStatus, "The payment cannot be cancelled"),
	}
	authorizeWords = dictionary{
		payment.RuleExists: {
			status: http.StatusNotFound, id: "PaymentNotFoundError", description: "The payment could not be found",
			listsNothing: true,
		},
		payment.RuleStatus: bad(idStatus, "The payment cannot be authorized"),
	}
	adjustWords = dictionary{
		payment.RuleExists: {
			status: http.StatusNotFound, id: "EntityNotFound", description: "No matching Payment could be found.",
			listsNothing: true,
		},
	}
)

// What only some calls say.
var (
	alreadyAuthorized = bad("PaymentAlreadyAuthorized", "The payment has already been authorized")
	noAccount         = bad("MerchantAccountNotFound", "The merchant account could not be found")
	manyAccounts      = bad("MerchantAccountConflict",
		"More than one merchant account was found for the provided processor merchant ID")
	noAdjustment = bad("AdjustAuthorizationNotSupported", "Adjust Authorization is not supported.")
)

// faults says how an error is said that is no rule's.
var faults = map[fault.Code]*word{
	fault.Invalid:     unprocessable(idValidation, notValidated),
	fault.NotFound:    notFound,
	fault.Conflict:    notNow,
	fault.Forbidden:   forbidden("The call is not enabled for this account."),
	fault.Unavailable: timeout,
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
	dialect.Answer(w, said.status, said.body(wire.RequestID(r.Context())))
}

// say returns a rule's no in the words of its call, with what its sentence
// tells of the payment.
func (d *Door) say(c *call, err error) error {
	refusal, ok := errors.AsType[*payment.Refusal](err)
	if !ok {
		return err
	}
	said := rules[refusal.Rule]
	if other, differs := c.route.words[refusal.Rule]; differs {
		said = other
	}
	switch {
	case refusal.Earlier != nil:
		return d.sayUsed(c, refusal.Earlier)
	case c.payment.IsZero():
		return said
	case refusal.Rule == payment.RuleStatus, refusal.Rule == payment.RuleRefundable, refusal.Rule == payment.RuleAmount:
	default:
		return said
	}
	view, err := d.config.Reader.View(c.ctx, c.tenant.ID, c.payment)
	if err != nil {
		return err
	}
	if refusal.Rule == payment.RuleStatus {
		return sayStatus(said, statusOf(view))
	}
	return sayAmount(said, c.asked, refusal, view.Payment)
}

// sayUsed says what a key was used for before.
func (d *Door) sayUsed(c *call, earlier *payment.KeyRecord) error {
	view, err := d.config.Reader.View(c.ctx, c.tenant.ID, earlier.Payment)
	if err != nil {
		return err
	}
	key := c.key
	if wire.HasCardNumber(key) {
		key = "***"
	}
	said := usedKey.saying("The idempotency key %q already exists for transaction", key)
	if isCreating := c.payment.IsZero(); isCreating && createKeyStatus.Of(c.tenant.Settings) == createKeyBad {
		said = bad("TransactionRequestIdempotencyKeyAlreadyExists",
			"Transaction request already exists with idempotency key '"+key+"'.")
		said.listsNothing = true
	}
	said.paymentID, said.paymentStatus = shownID(view), statusOf(view)
	return said
}

// sayStatus says which status it is that a call does not allow.
func sayStatus(said *word, status string) *word {
	readable := "A " + strings.ToLower(strings.ReplaceAll(status, "_", " ")) + " payment"
	switch said {
	case notNow:
		return said.saying("A payment with status %s cannot be refunded", status)
	case authorizeWords[payment.RuleStatus]:
		if status == statusAuthorized {
			return alreadyAuthorized
		}
		return said.saying("%s cannot be authorized", readable)
	case captureWords[payment.RuleStatus]:
		return said.saying("A payment with status %s cannot be captured", status)
	case cancelWords[payment.RuleStatus]:
		return said.saying("A payment with status %s cannot be cancelled", status)
	}
	return said
}

// sayAmount says how much of a payment could be asked for.
func sayAmount(said *word, asked int64, refusal *payment.Refusal, p payment.Payment) *word {
	left := refusal.Refundable.Minor
	switch {
	case said.id != idAmount:
		return said.saying("Cannot capture this payment with the amount %d. The capture amount must be greater than 0 and "+
			"less than or equal to the authorized amount that is not captured (%d).", asked, left)
	case refusal.Rule == payment.RuleAmount:
		return said.saying("Cannot refund this payment with the amount %d. The refund amount must be greater than 0.", asked)
	case left == p.Amount.Minor:
		return said.saying("Cannot refund this payment with the amount %d. The refund amount must be less than or equal to "+
			"the payment authorized amount (%d).", asked, left)
	}
	return said.saying("Cannot refund this payment with the amount %d. The refund amount must be less than or equal to "+
		"the remaining refundable amount (%d).", asked, left)
}
