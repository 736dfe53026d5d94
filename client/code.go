package client

// Code names what went wrong. It never changes. Each has a page at Refundry:
// /errors/<code>.
type Code string

// Error implements error, so that [errors.Is] can ask for a code.
func (c Code) Error() string { return "refundry: " + string(c) }

// The codes.
const (
	AlreadyExists             Code = "already_exists"             // already there
	AmountOutOfRange          Code = "amount_out_of_range"        // the amount is out of range
	AnotherRefundPending      Code = "another_refund_pending"     // another refund has not ended
	ApprovalOfSomethingElse   Code = "approval_of_something_else" // not what is asked for
	AttemptUnknown            Code = "attempt_unknown"
	BodyIncomplete            Code = "body_incomplete"             // the body did not arrive whole
	BodyTooLarge              Code = "body_too_large"              // the body is too large
	CardNumberRefused         Code = "card_number_refused"         // something looks like a card number
	Conflict                  Code = "conflict"                    // not possible now
	CurrencyMismatch          Code = "currency_mismatch"           // another currency
	DisputeOpen               Code = "dispute_open"                // a dispute is open
	DuplicateRefund           Code = "duplicate_refund"            // the same refund again
	ExpectedRefundableDiffers Code = "expected_refundable_differs" // not what you expected
	Forbidden                 Code = "forbidden"                   // not allowed
	FullAfterPartial          Code = "full_after_partial"          // a part is refunded already
	IdempotencyKeyInvalid     Code = "idempotency_key_invalid"     // the idempotency key is not valid
	IdempotencyKeyReused      Code = "idempotency_key_reused"      // the idempotency key belongs to another request
	IdempotencyKeyUsed        Code = "idempotency_key_used"
	InsufficientScope         Code = "insufficient_scope"      // the key may not do this
	InternalError             Code = "internal_error"          // internal error
	InvalidJSON               Code = "invalid_json"            // the body is not valid JSON
	InvalidRequest            Code = "invalid_request"         // the request is not valid
	ItemsNotRefundable        Code = "items_not_refundable"    // the line items do not allow it
	LinesDoNotAddUp           Code = "lines_do_not_add_up"     // the lines do not add up
	MaximumAmountExceeded     Code = "maximum_amount_exceeded" // more than one refund may give back
	MethodNotAllowed          Code = "method_not_allowed"
	NoSuchCapture             Code = "no_such_capture" // no such capture
	NotFound                  Code = "not_found"       // not found
	OrderEnded                Code = "order_ended"     // the order does not allow it
	OutcomeOpen               Code = "outcome_open"
	PartialRefundsDisabled    Code = "partial_refunds_disabled" // partial refunds are not allowed
	PaymentDisputed           Code = "payment_disputed"         // the payment is disputed
	PaymentNotWaiting         Code = "payment_not_waiting"
	PreviewOutdated           Code = "preview_outdated"           // the preview is outdated
	ProcessorContradiction    Code = "processor_contradiction"    // the processor's story does not fit
	ReasonNotInCatalogue      Code = "reason_not_in_catalogue"    // no such reason
	RecipientWouldGain        Code = "recipient_would_gain"       // a recipient would gain
	RefundNotAvailable        Code = "refund_not_available"       // the payment's method does not allow it
	RefundWindowClosed        Code = "refund_window_closed"       // too late
	RefundableAmountExceeded  Code = "refundable_amount_exceeded" // more than is left
	RefundsHalted             Code = "refunds_halted"             // refunds have been stopped
	SelfApproval              Code = "self_approval"              // somebody else must approve
	TooEarly                  Code = "too_early"                  // not yet
	TooManyFailures           Code = "too_many_failures"          // too much has failed
	Unauthorized              Code = "unauthorized"               // no valid API key
	Unavailable               Code = "unavailable"                // unavailable
	UnsupportedMediaType      Code = "unsupported_media_type"     // the body is not JSON
	VelocityExceeded          Code = "velocity_exceeded"          // too many refunds, or too much
	WrongStatus               Code = "wrong_status"               // the status does not allow it
)
