package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Error is an answer that says no. Nothing was done.
type Error struct {
	Status     int
	Code       Code // empty: the answer is not Refundry's
	Title      string
	Detail     string
	Retryable  bool      // the same request may succeed later, unchanged
	Refundable *Money    // what is left to refund; nil: that is not the point
	Capturable *Money    // what is authorized and not captured; nil: that is not the point
	From       time.Time // from when it would be possible; zero: that is not the point
	Refunds    []string  // those that stand in the way
	KeyUsed    *KeyUsed  // what the idempotency key was used for before; nil: that is not the point
	Errors     []Wrong   // what is wrong with the request
	RequestID  string    // names the request in the log of Refundry
}

// KeyUsed says what an idempotency key was used for. Fingerprints stand for
// what a request asks for.
type KeyUsed struct {
	Payment          string    `json:"payment"`
	Refund           string    `json:"refund"`
	Dispute          string    `json:"dispute"`
	At               time.Time `json:"at"`
	FirstFingerprint string    `json:"first_fingerprint"`
	Fingerprint      string    `json:"fingerprint"`
}

// Wrong is one thing that is wrong with a request.
type Wrong struct {
	Pointer   string `json:"pointer"`   // into the body, as in "#/items/0"
	Parameter string `json:"parameter"` // of the query, instead
	Detail    string `json:"detail"`
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("refundry: %d %s", e.Status, string(e.Code))
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	for _, wrong := range e.Errors {
		text += fmt.Sprintf("; %s%s %s", wrong.Pointer, wrong.Parameter, wrong.Detail)
	}
	return text
}

// Is reports whether the error has a code.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && e.Code == code
}

// problemOf reads an answer that says no.
func problemOf(response *http.Response, body []byte) error {
	var problem struct {
		Code       Code      `json:"code"`
		Title      string    `json:"title"`
		Detail     string    `json:"detail"`
		Retryable  bool      `json:"retryable"`
		Refundable *int64    `json:"refundable"`
		Capturable *int64    `json:"capturable"`
		Currency   string    `json:"currency"`
		From       time.Time `json:"from"`
		Refunds    []string  `json:"refunds"`
		KeyUsed    *KeyUsed  `json:"key_used"`
		Errors     []Wrong   `json:"errors"`
	}
	e := &Error{Status: response.StatusCode, RequestID: response.Header.Get("X-Request-Id")}
	if json.Unmarshal(body, &problem) != nil || problem.Code == "" { // something between us has answered
		e.Detail = http.StatusText(response.StatusCode)
		return e
	}
	e.Code, e.Title, e.Detail, e.Retryable = problem.Code, problem.Title, problem.Detail, problem.Retryable
	e.From, e.Errors, e.Refunds, e.KeyUsed = problem.From, problem.Errors, problem.Refunds, problem.KeyUsed
	if problem.Refundable != nil {
		e.Refundable = &Money{Minor: *problem.Refundable, Currency: problem.Currency}
	}
	if problem.Capturable != nil {
		e.Capturable = &Money{Minor: *problem.Capturable, Currency: problem.Currency}
	}
	return e
}
