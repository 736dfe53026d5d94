package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// code names what went wrong. Programs branch on it, so it never changes.
type code string

// The codes that are not a rule's.
const (
	codeJSON         code = "invalid_json"
	codeBody         code = "body_incomplete"
	codeTooLarge     code = "body_too_large"
	codeMediaType    code = "unsupported_media_type"
	codeInvalid      code = "invalid_request"
	codeCardNumber   code = "card_number_refused"
	codeKey          code = "idempotency_key_invalid"
	codeUnauthorized code = "unauthorized"
	codeForbidden    code = "forbidden"
	codeNotFound     code = "not_found"
	codeMethod       code = "method_not_allowed"
	codeConflict     code = "conflict"
	codeUnavailable  code = "unavailable"
	codeInternal     code = "internal_error"
)

// facts is what is known of a code.
type facts struct {
	status    int
	title     string
	retryable bool   // the same request may succeed later, unchanged
	advice    string // for the code's page
}

// problems has every code that the API answers with.
var problems = map[code]facts{
	codeJSON: {400, "The body is not valid JSON", false,
		"Send UTF-8 JSON with no name twice in an object and no U+0000, nested no deeper than 64."},
	codeBody: {400, "The body did not arrive whole", true,
		"The connection broke or was too slow. Send it again."},
	codeTooLarge:  {413, "The body is too large", false, "A body may have 256 KiB."},
	codeMediaType: {415, "The body is not JSON", false, "Send Content-Type: application/json, or none."},
	codeInvalid: {422, "The request is not valid", false,
		"Each element of `errors` points at what is wrong with it."},
	codeCardNumber: {422, "Something looks like a card number", false, "Card numbers are never stored. Remove it."},
	codeKey: {422, "The idempotency key is not valid", false,
		"An Idempotency-Key has 1 to 255 visible ASCII characters, quoted or bare, and is sent once."},
	codeUnauthorized: {401, "No valid API key", false, "Send Authorization: Bearer <key>. A key can be revoked."},
	codeForbidden:    {403, "Not allowed", false, "The caller may not do this. Nothing was done."},
	codeNotFound:     {404, "Not found", false, "There is no such thing, or none that this key may see."},
	codeMethod:       {405, "Wrong method", false, "The header Allow lists the methods of this path."},
	codeConflict:     {409, "Not possible now", false, "Read the thing again and decide anew."},
	codeUnavailable:  {503, "Unavailable", true, "Nothing was done. Send the same request again in a moment."},
	codeInternal:     {500, "Internal error", true, "A bug of ours. Nothing was done. The log has the request id."},

	"idempotency_key_used": {409, "The idempotency key was used", false, "Take a new key for a new intention."},
	"idempotency_key_reused": {422, "The idempotency key belongs to another request", false,
		"The key was first used with another body. Take a new key for a new intention."},
	"already_exists": {409, "Already there", false, "Another payment has this id already."},
	"wrong_status": {409, "The status does not allow it", false,
		"Only captured money can be refunded; an end is an end."},
	"order_ended": {409, "The order does not allow it", false,
		"The payment's order was split or takes no payment."},
	"another_refund_pending": {409, "Another refund has not ended", true,
		"This payment has one refund at a time. Wait for the end of the other one."},
	"refundable_amount_exceeded": {409, "More than is left", false,
		"The member `refundable` says how much, in minor units, is left to refund."},
	"currency_mismatch": {422, "Another currency", false, "A refund has the currency of its payment."},
	"partial_refunds_disabled": {403, "Partial refunds are not allowed", false,
		"A policy of the tenant says so."},
	"too_early":            {409, "Not yet", true, "The member `from` says when this will be possible."},
	"refund_window_closed": {409, "Too late", false, "The payment is too old to be refunded."},
	"full_after_partial":   {409, "A part is refunded already", false, "Name an amount."},
	"items_not_refundable": {422, "These line items cannot be refunded", false,
		"Read the payment for its items."},
	"amount_out_of_range": {422, "The amount is out of range", false,
		"Amounts are whole minor units above zero."},
	"expected_refundable_differs": {409, "Not what you expected", false,
		"The member `refundable` says what is left."},
	"maximum_amount_exceeded": {403, "More than one refund may give back", false,
		"A policy of the tenant says so."},
	"dispute_open": {403, "A dispute is open", false,
		"A policy of the tenant forbids refunds meanwhile."},
	"duplicate_refund": {409, "The same refund again", false,
		"An equal refund was made a moment ago. If it is meant, send it with an Idempotency-Key of its own."},
	"self_approval": {403, "Somebody else must approve", false,
		"Who asked, or has agreed already, cannot agree."},
	"payment_not_waiting": {409, "The payment does not wait for this", false, "Read the payment again."},
	"attempt_unknown":     {409, "No such attempt", false, "The refund has no such attempt."},
	"outcome_open": {503, "It may be one of ours", true,
		"A refund of ours has no outcome yet. Ask again later."},
	"processor_contradiction": {409, "The processor's story does not fit", false, "A person must look at it."},
	"too_many_failures": {409, "Too much has failed", false,
		"A front door allows no more calls about this payment. A person must look at it."},
	"payment_disputed": {409, "The payment is disputed", false, "A dispute has taken it, or a part of it."},
	"refund_not_available": {409, "The payment's method does not allow it", false,
		"Some methods give nothing back, some only the whole, some only a part."},
	"no_such_capture":     {422, "No such capture", false, "Read the payment for its captures."},
	"lines_do_not_add_up": {422, "The lines do not add up", false, "The amount and what remains are what there is."},
	"velocity_exceeded": {403, "Too many refunds, or too much", false,
		"A policy of the tenant limits what a day may give back. Nothing was done."},
	"refunds_halted": {403, "Refunds have been stopped", false,
		"Somebody has stopped the refunds of this tenant, or of this connector. Nothing was done."},
	"reason_not_in_catalogue": {422, "No such reason", false, "The tenant's reason catalogue lists those that there are."},
	"preview_outdated":        {409, "The preview is outdated", false, "Preview the refund again, and look at it again."},
	"approval_of_something_else": {409, "Not what is asked for", false,
		"What you approve differs from what the refund asks for. Read it again."},
	"recipient_would_gain": {422, "A recipient would gain", false, "A refund takes from recipients only."},
}

// ruleCodes says which code each rule's no has.
var ruleCodes = map[payment.RuleName]code{
	payment.RuleKey:              "idempotency_key_used",
	payment.RuleKeyMisuse:        "idempotency_key_reused",
	payment.RuleExists:           codeNotFound,
	payment.RuleAlias:            "already_exists",
	payment.RuleStatus:           "wrong_status",
	payment.RuleOrder:            "order_ended",
	payment.RuleOneAtATime:       "another_refund_pending",
	payment.RuleNothingLeft:      "refundable_amount_exceeded",
	payment.RuleCurrency:         "currency_mismatch",
	payment.RulePartial:          "partial_refunds_disabled",
	payment.RuleNextDay:          "too_early",
	payment.RuleWindow:           "refund_window_closed",
	payment.RuleFullAfterPartial: "full_after_partial",
	payment.RuleItems:            "items_not_refundable",
	payment.RuleAmount:           "amount_out_of_range",
	payment.RuleRefundable:       "refundable_amount_exceeded",
	payment.RuleExpected:         "expected_refundable_differs",
	payment.RuleMaximum:          "maximum_amount_exceeded",
	payment.RuleDispute:          "dispute_open",
	payment.RuleDuplicate:        "duplicate_refund",
	payment.RuleSelfApproval:     "self_approval",
	payment.RuleGate:             "payment_not_waiting",
	payment.RuleFence:            "attempt_unknown",
	payment.RuleWaits:            "outcome_open",
	payment.RuleReached:          "processor_contradiction",
	payment.RuleFailures:         "too_many_failures",
	payment.RuleUndisputed:       "payment_disputed",
	payment.RuleAvailability:     "refund_not_available",
	payment.RuleCapture:          "no_such_capture",
	payment.RuleListSum:          "lines_do_not_add_up",
	payment.RuleRecipients:       "recipient_would_gain",
	payment.RuleVelocity:         "velocity_exceeded",
	payment.RuleHalted:           "refunds_halted",
	payment.RuleReason:           "reason_not_in_catalogue",
	payment.RulePreview:          "preview_outdated",
	payment.RuleSeen:             "approval_of_something_else",
}

// faultCodes says which code each kind of failure has that is no rule's.
var faultCodes = map[fault.Code]code{
	fault.Invalid:     codeInvalid,
	fault.NotFound:    codeNotFound,
	fault.Conflict:    codeConflict,
	fault.Forbidden:   codeForbidden,
	fault.Unavailable: codeUnavailable,
	fault.Internal:    codeInternal,
}

// problem is an answer that says no. It never repeats what was sent.
type problem struct {
	code       code
	detail     string
	refundable *money.Amount
	from       time.Time
	errors     []wrong
	cause      error // for the log
}

// wrong is one thing that is wrong with a request.
type wrong struct {
	Pointer   string `json:"pointer,omitempty"`   // into the body, as a URI fragment: "#/items/0"
	Parameter string `json:"parameter,omitempty"` // of the query, instead of a place in the body
	Detail    string `json:"detail"`
}

// Error implements error.
func (p *problem) Error() string {
	if p.cause != nil {
		return p.detail + ": " + p.cause.Error()
	}
	return p.detail
}

func (p *problem) facts() facts { return problems[p.code] }

// problemOf returns how an error is answered.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if refusal, ok := errors.AsType[*payment.Refusal](err); ok {
		p := &problem{code: ruleCodes[refusal.Rule], detail: refusal.Message, from: refusal.From}
		if refusal.Refundable.Currency != "" {
			p.refundable = &refusal.Refundable
		}
		return p
	}
	switch {
	case errors.Is(err, wire.ErrJSON):
		return &problem{code: codeJSON, detail: "the body is not JSON as we take it"}
	case errors.Is(err, wire.ErrTooLarge):
		return &problem{code: codeTooLarge, detail: "the body is over the limit"}
	case errors.Is(err, wire.ErrBody):
		return &problem{code: codeBody, detail: "the body did not arrive whole"}
	}
	return &problem{code: faultCodes[fault.CodeOf(err)], detail: fault.MessageOf(err), cause: err}
}

// body is a problem on the wire (RFC 9457).
type body struct {
	Type       string       `json:"type"`
	Title      string       `json:"title"`
	Status     int          `json:"status"`
	Code       code         `json:"code"`
	Detail     string       `json:"detail"`
	Retryable  bool         `json:"retryable"`
	Refundable *money.Minor `json:"refundable,omitempty"`
	Currency   string       `json:"currency,omitempty"`
	From       string       `json:"from,omitempty"`
	Errors     []wrong      `json:"errors,omitempty"`
}

// json returns the problem as it stands on the wire.
func (p *problem) json() []byte {
	facts := p.facts()
	b := body{
		Type: "/errors/" + string(p.code), Title: facts.title, Status: facts.status, Code: p.code, Detail: p.detail,
		Retryable: facts.retryable, Errors: p.errors,
	}
	if p.refundable != nil {
		b.Refundable, b.Currency = &p.refundable.Minor, string(p.refundable.Currency)
	}
	if !p.from.IsZero() {
		b.From = string(appendTime(nil, p.from))
	}
	text, err := json.Marshal(b)
	if err != nil {
		panic("api: a problem that is not JSON") // it is made of texts and numbers
	}
	return text
}

// write answers with the problem.
func (p *problem) write(w http.ResponseWriter) {
	if p.code == codeUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	wire.Answer(w, p.facts().status, "application/problem+json", p.json())
}

// showErrorPage explains one code to people.
func showErrorPage(w http.ResponseWriter, r *http.Request) {
	facts, known := problems[code(r.PathValue("code"))]
	if !known {
		(&problem{code: codeNotFound, detail: "there is no such code"}).write(w)
		return
	}
	retry := "Sending the same request again will not help."
	if facts.retryable {
		retry = "The same request may succeed later, unchanged."
	}
	page := r.PathValue("code") + "\n\n" + facts.title + ". " + facts.advice + "\n" + retry + "\n"
	wire.Answer(w, http.StatusOK, "text/plain; charset=utf-8", []byte(page))
}
