package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/wire"
)

// problem is an answer that says no (RFC 9457), with the codes of our own API.
// It never repeats what was sent.
type problem struct {
	Type      string  `json:"type"`
	Title     string  `json:"title"`
	Status    int     `json:"status"`
	Code      string  `json:"code"`
	Detail    string  `json:"detail"`
	Retryable bool    `json:"retryable"`
	Errors    []place `json:"errors,omitempty"`
}

// place is one thing that is wrong, and where.
type place struct {
	Pointer   string `json:"pointer,omitempty"`   // into the body, as a URI fragment
	Parameter string `json:"parameter,omitempty"` // of the query, instead
	Detail    string `json:"detail"`
}

// Error implements error.
func (p *problem) Error() string { return p.Detail }

// titles are those that our own API has for the codes.
var titles = map[string]string{
	"invalid_request":     "The request is not valid",
	"card_number_refused": "Something looks like a card number",
	"unauthorized":        "No valid API key",
	"invalid_json":        "The body is not valid JSON",
	"body_incomplete":     "The body did not arrive whole",
	"body_too_large":      "The body is too large",
	"method_not_allowed":  "Wrong method",
	"not_found":           "Not found",
	"unavailable":         "Unavailable",
	"internal_error":      "Internal error",
}

func newProblem(status int, code, detail string) *problem {
	return &problem{
		Type: "/errors/" + code, Title: titles[code], Status: status, Code: code, Detail: detail,
		Retryable: status >= http.StatusInternalServerError || code == "body_incomplete",
	}
}

// wrong is the problem of a body with something wrong at a pointer, or of a
// query with something wrong in a "?parameter".
func wrong(at, detail string) *problem {
	p := newProblem(http.StatusUnprocessableEntity, "invalid_request", "the request is not valid")
	if at[0] == '?' {
		p.Errors = []place{{Parameter: at[1:], Detail: detail}}
	} else {
		p.Errors = []place{{Pointer: at, Detail: detail}}
	}
	return p
}

var errCardNumber = newProblem(http.StatusUnprocessableEntity, "card_number_refused",
	"something in the body looks like a card number")

// unknownCaller is the problem of a caller whom nobody knows, or about whom
// nobody can be asked now.
func unknownCaller(err error) error {
	if fault.CodeOf(err) == fault.Unavailable {
		return err
	}
	return newProblem(http.StatusUnauthorized, "unauthorized", "the API key is missing or not valid")
}

// problemOf returns how an error is answered.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	switch {
	case errors.Is(err, wire.ErrJSON):
		return newProblem(http.StatusBadRequest, "invalid_json", "the body is not JSON as we take it")
	case errors.Is(err, wire.ErrBody):
		return newProblem(http.StatusBadRequest, "body_incomplete", "the body did not arrive whole")
	case errors.Is(err, wire.ErrTooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, "body_too_large", "the body is over the limit")
	case fault.CodeOf(err) == fault.Invalid:
		return newProblem(http.StatusUnprocessableEntity, "invalid_request", fault.MessageOf(err))
	case fault.CodeOf(err) == fault.Unavailable:
		return newProblem(http.StatusServiceUnavailable, "unavailable", "nothing was done; send it again in a moment")
	default:
		return newProblem(http.StatusInternalServerError, "internal_error", "nothing was done; the log has the request id")
	}
}

// refuse answers with what went wrong.
func (s *Sandbox) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if p.Status >= http.StatusInternalServerError && !errors.Is(err, wire.ErrBug) {
		s.config.Log.ErrorContext(r.Context(), "sandbox request failed", "request_id", wire.RequestID(r.Context()),
			"pattern", r.Pattern, "error", err)
	}
	writeJSON(w, p.Status, "application/problem+json", p)
}

func writeJSON(w http.ResponseWriter, status int, contentType string, shown any) {
	body, err := json.Marshal(shown)
	if err != nil {
		panic("sandbox: an answer of ours cannot be written: " + err.Error())
	}
	wire.Answer(w, status, contentType, body)
}
