package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// problem is an answer that says no. It never repeats what was sent.
type problem struct {
	code       code
	detail     string
	refundable *money.Amount
	capturable *money.Amount
	from       time.Time
	refunds    []payment.RefundID
	used       *keyUsed
	errors     []wrong
	cause      error // for the log
}

// keyUsed says what an idempotency key was used for, and what for now.
type keyUsed struct {
	Payment string `json:"payment,omitempty"`
	Refund  string `json:"refund,omitempty"`
	Dispute string `json:"dispute,omitempty"`
	At      string `json:"at"`
	First   string `json:"first_fingerprint"`
	Now     string `json:"fingerprint"`
}

// usedSchema is how [keyUsed] is written.
var usedSchema = shown("KeyUsed", "What an Idempotency-Key was used for.",
	may("payment", paymentID, "The first request was about this payment, or made it."),
	may("refund", refundID, "The first request was about this refund, or made it."),
	may("dispute", disputeID, "The first request was about this dispute, or made it."),
	must("at", someTime, "When it was first used."),
	must("first_fingerprint", someText, "Stands for what the first request asked for."),
	must("fingerprint", someText, "Stands for what this request asks for."),
)

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
		p := &problem{code: ruleCodes[refusal.Rule], detail: refusal.Message, from: refusal.From, refunds: refusal.Refunds}
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

// retryAfter is the pause, in seconds, that a caller is asked to make before it
// sends again what could not be done. An engine that is too busy is free again
// within it.
const retryAfter = "1"

const mediaProblem = "application/problem+json"

// problemSchema is what [problem.json] writes.
var problemSchema = shown("Problem", "An answer that says no (RFC 9457). It never repeats what was sent.",
	must("type", &openapi.Schema{Type: openapi.String, Format: "uri-reference"}, "The page that explains the code."),
	must("title", someText, "The code, in a few words."),
	must("status", &openapi.Schema{Type: openapi.Integer, Min: new(int64(400)), Max: new(int64(599))}, "The answer's status."),
	must("code", codeSchema, "Branch on this: it never changes."),
	must("detail", someText, "What is wrong this time, for people."),
	must("retryable", someFlag, "Whether the same request may succeed later, unchanged."),
	may("refundable", someAmount, "What is left to refund."),
	may("capturable", someAmount, "What is authorized and not captured."),
	may("currency", someCurrency, "Of `refundable` or `capturable`."),
	may("from", someTime, "From when it would be possible."),
	may("key_used", usedSchema, "What the Idempotency-Key was used for before."),
	may("refunds", listOf(refundID), "Those that stand in the way."),
	may("errors", listOf(shown("Wrong", "One thing that is wrong with a request.",
		may("pointer", someText, "Into the body, as a URI fragment: `#/items/0`."),
		may("parameter", someText, "Of the query, instead of a place in the body."),
		must("detail", someText, ""),
	)), "What is wrong with the request, at most 20 things."),
)

// codeSchema has every code.
var codeSchema = someWord("Code", "What went wrong. Each has a page: `/errors/<code>`.", codes()...)

// body is a problem on the wire (RFC 9457).
type body struct {
	Type       string       `json:"type"`
	Title      string       `json:"title"`
	Status     int          `json:"status"`
	Code       code         `json:"code"`
	Detail     string       `json:"detail"`
	Retryable  bool         `json:"retryable"`
	Refundable *money.Minor `json:"refundable,omitempty"`
	Capturable *money.Minor `json:"capturable,omitempty"`
	Currency   string       `json:"currency,omitempty"`
	From       string       `json:"from,omitempty"`
	KeyUsed    *keyUsed     `json:"key_used,omitempty"`
	Refunds    []string     `json:"refunds,omitempty"`
	Errors     []wrong      `json:"errors,omitempty"`
}

// json returns the problem as it stands on the wire.
func (p *problem) json() []byte {
	facts := p.facts()
	b := body{
		Type: "/errors/" + string(p.code), Title: facts.title, Status: facts.status, Code: p.code, Detail: p.detail,
		Retryable: facts.retryable, Errors: p.errors, KeyUsed: p.used,
	}
	if p.refundable != nil {
		b.Refundable, b.Currency = &p.refundable.Minor, string(p.refundable.Currency)
	}
	if p.capturable != nil {
		b.Capturable, b.Currency = &p.capturable.Minor, string(p.capturable.Currency)
	}
	if !p.from.IsZero() {
		b.From = string(appendTime(nil, p.from))
	}
	for _, refund := range p.refunds {
		b.Refunds = append(b.Refunds, refund.String())
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
	if p.facts().status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	wire.Answer(w, p.facts().status, mediaProblem, p.json())
}
