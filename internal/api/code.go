package api

import (
	"maps"
	"slices"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
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
	codeKeyUsed      code = "idempotency_key_used"
	codeKeyReused    code = "idempotency_key_reused"
	codeUnauthorized code = "unauthorized"
	codeForbidden    code = "forbidden"
	codeScope        code = "insufficient_scope"
	codeNotFound     code = "not_found"
	codeMethod       code = "method_not_allowed"
	codeConflict     code = "conflict"
	codeCapturable   code = "capturable_amount_exceeded"
	codeUnavailable  code = "unavailable"
	codeInternal     code = "internal_error"
)

// facts is what is known of a code: its page, and its example in the document.
type facts struct {
	status    int
	title     string
	retryable bool   // the same request may succeed later, unchanged
	means     string // what has happened
	todo      string // what the caller can do
	detail    string // the sentence of an answer
}

// codes returns all codes, in the order of their names.
func codes() []code { return slices.Sorted(maps.Keys(problems)) }

// problems has every code that the API answers with.
var problems = join(requestProblems, refundProblems, policyProblems, otherProblems)

func join(tables ...map[code]facts) map[code]facts {
	all := map[code]facts{}
	for _, table := range tables {
		maps.Copy(all, table)
	}
	return all
}

// requestProblems are about the request itself, whatever it asks for.
var requestProblems = map[code]facts{
	codeJSON: {
		400, "The body is not valid JSON", false,
		"The body cannot be read. It has to be UTF-8 JSON with no name twice in an object and no U+0000, nested no deeper " +
			"than 64.",
		"Let a JSON library write the body.", "the body is not JSON as we take it",
	},
	codeBody: {
		400, "The body did not arrive whole", true,
		"The connection broke, or was too slow, while the body was read. Nothing was done.",
		"Send the same request again, with the same Idempotency-Key.", "the body did not arrive whole",
	},
	codeTooLarge: {
		413, "The body is too large", false, "A body may have 256 KiB, and so may each line of an import.",
		"Send less: metadata, for instance, may have 16 KiB.", "the body is over the limit",
	},
	codeMediaType: {
		415, "The body is not JSON", false, "The header Content-Type names something that this route does not read.",
		"Send `Content-Type: application/json`, or none.", "send application/json",
	},
	codeInvalid: {
		422, "The request is not valid", false,
		"A member of the body, or a parameter of the query, is not what it has to be. Unknown members are refused too: a " +
			"misspelled one would otherwise be ignored.",
		"Each element of `errors` points at a place (`pointer`, into the body) or names a `parameter`, and says what is " +
			"wanted there. What was sent is never repeated: it may be a secret.",
		"the request is not valid: see errors",
	},
	codeCardNumber: {
		422, "Something looks like a card number", false,
		"A text or the metadata has 13 to 19 digits in it that satisfy the check of card numbers. They are never stored.",
		"Remove it. The last four digits belong into `method.last4`.", "something in the request looks like a card number",
	},
	codeKey: {
		422, "The idempotency key is not valid", false,
		"An Idempotency-Key has 1 to 255 visible ASCII characters, quoted or bare, and is sent once.",
		"Take a random text such as a UUID, and keep it until the answer has come.",
		"an idempotency key has 1 to 255 visible ASCII characters",
	},
	codeUnauthorized: {
		401, "No valid API key", false, "There is no key in the request, or it is unknown, or it was revoked.",
		"Send `Authorization: Bearer rfk_…`.", "send an API key: Authorization: Bearer <key>",
	},
	codeForbidden: {
		403, "Not allowed", false, "Only the operator may do this, over the socket in the data folder. Nothing was done.",
		"Use the command line of Refundry, on its machine.", "only an operator may do this",
	},
	codeScope: {
		403, "The key may not do this", false,
		"The key has scopes, and not the one that this operation needs. Nothing was done.",
		"Use another key, or let the operator make one with the scope that `detail` names.",
		"the key needs the scope refunds:write",
	},
	codeNotFound: {
		404, "Not found", false, "There is no such thing, or none that this key may see: both look the same.",
		"Look at the id. It belongs to the tenant of the key, and is spelled as it was answered.", "no such payment",
	},
	codeMethod: {
		405, "Wrong method", false, "The path is right and the method is not.",
		"The header Allow lists the methods of this path.", "this path takes POST",
	},
	codeConflict: {
		409, "Not possible now", false, "The thing has changed meanwhile, its name is taken, or it is not where this can happen.",
		"Read it again and decide anew.", "the delivery has not ended yet",
	},
	codeUnavailable: {
		503, "Unavailable", true, "Too busy, starting or stopping, or the database cannot be reached. Nothing was done.",
		"Send the same request again after the seconds that the header Retry-After names.", "too busy; nothing was done",
	},
	codeInternal: {
		500, "Internal error", true, "A bug of ours. Nothing was done.",
		"Send the same request again; if it stays so, tell us the header X-Request-Id: the log has it.", "internal error",
	},
	codeKeyUsed: {
		409, "The idempotency key was used", false,
		"This front door refuses a key that was used before, even with the same request.",
		"Take a new key for a new intention.", "the idempotency key was used before",
	},
	codeKeyReused: {
		422, "The idempotency key belongs to another request", false,
		"The key was first used with another body. Nothing was done now; what was done then stands.",
		"Take a new key for a new intention. To try again, send exactly what was sent first.",
		"the idempotency key was used for another request",
	},
}

// refundProblems are about what is left of a payment, and how it is asked for.
var refundProblems = map[code]facts{
	"wrong_status": {
		409, "The status does not allow it", false,
		"Only captured money can be refunded, only what has not left can be canceled, and an end is an end.",
		"Read the payment, the refund or the dispute for its status.",
		"the payment is authorized; only captured money can be refunded",
	},
	"order_ended": {
		409, "The order does not allow it", false, "The payment's order was split or settled, or takes no payment.",
		"What was set aside for recipients cannot be refunded here any more.", "the payment's order is split",
	},
	"another_refund_pending": {
		409, "Another refund has not ended", true, "This payment has one refund at a time, and one is on its way.",
		"Wait for the end of the other one, then send the same request again.", "another refund of the payment has not ended",
	},
	"refundable_amount_exceeded": {
		409, "More than is left", false,
		"The refund asks for more than may still be given back: captured − refunded − reserved − disputed.",
		"The member `refundable` says how much, in minor units, is left. `full: true` asks for exactly that.",
		"only 64.50 EUR of the payment is left to refund",
	},
	"expected_refundable_differs": {
		409, "Not what you expected", false,
		"Something else is left of the payment than `expected_refundable` says: somebody else has refunded, or the payer " +
			"contests the payment. Nothing was done.",
		"The member `refundable` says what is left. Decide anew.",
		"64.50 EUR of the payment is left to refund, not what was expected",
	},
	"currency_mismatch": {
		422, "Another currency", false, "A refund has the currency of its payment, and a new payment one that is in use.",
		"Read the payment for its currency.", "the payment was made in EUR",
	},
	"full_after_partial": {
		409, "A part is refunded already", false, "The payment's home gives back everything only while nothing was given back.",
		"Name an amount: what is left is `refundable` of the payment.",
		"a part of the payment is refunded already: name an amount",
	},
	"items_not_refundable": {
		422, "The line items do not allow it", false,
		"A line item is not there, is named twice, has been refunded already, or has more tax than it costs.",
		"Read the payment: each of its `items` says what is refundable.", "the payment has no such line item",
	},
	"amount_out_of_range": {
		422, "The amount is out of range", false, "Amounts are whole minor units, at least 1 and at most 2⁵³ − 1.",
		"Look at the exponent of the currency: JPY 500 is 500, EUR 5.00 is 500.", "the amount is out of range",
	},
	"duplicate_refund": {
		409, "The same refund again", false,
		"An equal refund of the payment was made a moment ago, and the tenant takes that for a mistake.",
		"If it is meant, send it with an Idempotency-Key of its own.", "an equal refund was made within 5 minutes",
	},
	"refund_not_available": {
		409, "The payment's method does not allow it", false,
		"Some methods give nothing back, some only the whole, some only a part.",
		"Give the money back by another way, outside of Refundry.", "the payment's method gives nothing back",
	},
	"no_such_capture": {
		422, "No such capture", false,
		"The capture is none of the payment's, or has not settled; or a list of lines, which remains of one capture, names " +
			"none. Nothing was done.",
		"Name one of the `captures` of its `GET /v1/payments/{id}/refundability`.", "the payment has no such capture",
	},
	"lines_do_not_add_up": {
		422, "The lines do not add up", false,
		"The items of a new payment are not together its amount. Or a refund says which lines will remain, and these and its " +
			"amount are not together the lines that are.",
		"Name every line of a new payment, with its `total`. For a refund, read the payment for its lines now, leave out what " +
			"goes back, and nothing else.",
		"the amount and the lines that will be do not add up to the lines that are",
	},
	"recipient_would_gain": {
		422, "A recipient would gain", false, "By the lines that will be, somebody gets more than before, or is new.",
		"A refund takes from recipients only: lower the lines of those who are there, or leave them out.",
		"a recipient gets more by the lines that will be, or is new",
	},
	"preview_outdated": {
		409, "The preview is outdated", false, "What was previewed is not what would happen now. Nothing was done.",
		"Preview the refund again, and look at it again.", "the preview is outdated",
	},
}

// policyProblems are a tenant's own rules.
var policyProblems = map[code]facts{
	"partial_refunds_disabled": {
		403, "Partial refunds are not allowed", false,
		"A policy of the tenant lets a payment be refunded as a whole only. Nothing was done.",
		"Refund the whole, or change the setting `policy.partial_refunds`.", "partial refunds are not enabled",
	},
	"maximum_amount_exceeded": {
		403, "More than one refund may give back", false, "A policy of the tenant limits what one refund may give back.",
		"Ask for less, or change the setting `policy.maximum_amount`.", "one refund may give back 50000 minor units at the most",
	},
	"too_early": {
		409, "Not yet", true, "The payment can be refunded, but later.",
		"The member `from` says from when. Send it again then, or schedule it with `not_before`.",
		"the payment can be refunded from the next day",
	},
	"refund_window_closed": {
		409, "Too late", false, "The payment is too old to be refunded, by a policy of the tenant or of its home.",
		"Give the money back by another way, outside of Refundry.", "the payment can be refunded for 180 days only",
	},
	"dispute_open": {
		403, "A dispute is open", false,
		"A policy of the tenant forbids refunds while the payer contests the payment: what is given back then may be taken " +
			"a second time.",
		"Wait for the end of the dispute.", "a dispute of the payment is open",
	},
	"self_approval": {
		403, "Somebody else must approve", false, "Who asked for a refund, or has agreed already, cannot agree.",
		"Let another key or another operator approve it.", "who asked for a refund cannot approve it",
	},
	"approval_of_something_else": {
		409, "Not what is asked for", false, "What you approve differs from what the refund asks for.",
		"Read the refund again, and decide anew.", "the refund asks for something else",
	},
	"velocity_exceeded": {
		403, "Too many refunds, or too much", false, "A policy of the tenant limits what a day may give back. Nothing was done.",
		"Wait for the next day, or let somebody who may change the limit look at it.",
		"too many refunds have been asked for today",
	},
	"refunds_halted": {
		403, "Refunds have been stopped", false,
		"Somebody has stopped the refunds of this tenant, or of this connector. Nothing was done.",
		"Ask them; refunds that were accepted before are not lost.", "refunds have been stopped",
	},
	codeReasonUsed: {
		409, "The reason is in use", false, "A refund has the reason that was to be taken out of the catalogue, or to get " +
			"another title or word. Nothing was changed.",
		"Keep it as it is, with `is_retired`, and add another one.", "refunds have the reason returned",
	},
	"reason_not_in_catalogue": {
		422, "No such reason", false,
		"The tenant takes the reasons of its catalogue only, but for those that are retired; or a refund must have a reason, " +
			"and this one has none.",
		"Name one of those that `GET /v1/reasons` lists.", "the reason is not in the tenant's catalogue",
	},
	"payment_disputed": {
		409, "The payment is disputed", false, "A dispute has taken the payment, or a part of it.",
		"What the issuer took is with the payer already.", "a dispute has taken the payment, or a part of it",
	},
}

// otherProblems are about other things than refunds, or come from processors.
var otherProblems = map[code]facts{
	codeCapturable: {
		409, "More than is authorized", false,
		"The capture is of more than is authorized and not captured. Nothing was recorded.",
		"The member `capturable` says how much, in minor units, is left to capture.",
		"only 49.00 EUR is authorized and not captured",
	},
	"already_exists": {
		409, "Already there", false, "Another payment, refund or order has this id already.",
		"Look it up; an import that is run again does so by itself.", "the payment exists",
	},
	"payment_open": {
		409, "The payment is not over", false,
		"What is personal about a payment is erased only once the payment, its refunds and its disputes have ended. Nothing " +
			"was erased.",
		"Ask again when they have.", "a refund of the payment has not ended",
	},
	"payment_erased": {
		409, "The payment was erased", false,
		"What is personal about the payment was erased, and nothing personal can be kept about it any more. Nothing was done.",
		"Ask for the refund without note, message and metadata.",
		"the payment was erased: a refund of it has no note, message or metadata",
	},
	"payment_not_waiting": {
		409, "The payment does not wait for this", false,
		"It waits for somebody or something else, or it has gone on meanwhile. Nothing was done.",
		"Read the payment for its status.",
		"the payment does not wait for this",
	},
	"attempt_unknown": {
		409, "No such attempt", false,
		"The refund has no such attempt, or what became of it is known, or another one has left since.",
		"Read the refund again, and decide anew.",
		"the refund has no such attempt",
	},
	"outcome_open": {
		503, "It may be one of ours", true,
		"The processor tells of a refund that may be one of ours, whose outcome is not known yet.", "Tell it again later.",
		"it may be a refund of ours that has no outcome yet",
	},
	"processor_contradiction": {
		409, "The processor's story does not fit", false,
		"What the processor says cannot be true beside what it said before. Nothing was changed.",
		"An operator must look at it, and ask the processor.", "the processor's refund is another payment's",
	},
	"too_many_failures": {
		409, "Too much has failed", false, "The front door of the payment allows no more calls about it.",
		"A person must look at it.", "too many calls about the payment have failed",
	},
}

// ruleCodes says which code each rule's no has.
var ruleCodes = map[payment.RuleName]code{
	payment.RuleKey:              codeKeyUsed,
	payment.RuleKeyMisuse:        codeKeyReused,
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
	payment.RuleErasable:         "payment_open",
	payment.RuleErased:           "payment_erased",
}

// codesOf returns the codes of some rules' noes.
func codesOf(rules ...payment.RuleName) []code {
	of := make([]code, len(rules))
	for i, rule := range rules {
		of[i] = ruleCodes[rule]
	}
	return of
}

// refundRules are the rules that may refuse a refund that is asked for here.
var refundRules = []payment.RuleName{
	payment.RuleStatus, payment.RuleOrder, payment.RuleOneAtATime, payment.RuleNothingLeft, payment.RuleCurrency,
	payment.RulePartial, payment.RuleNextDay, payment.RuleWindow, payment.RuleFullAfterPartial, payment.RuleItems,
	payment.RuleAmount, payment.RuleRefundable, payment.RuleExpected, payment.RuleMaximum, payment.RuleDispute,
	payment.RuleDuplicate, payment.RuleAvailability, payment.RuleFailures, payment.RuleUndisputed, payment.RuleVelocity,
	payment.RuleHalted, payment.RuleReason, payment.RulePreview, payment.RuleCapture, payment.RuleListSum,
	payment.RuleRecipients, payment.RuleErased,
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
