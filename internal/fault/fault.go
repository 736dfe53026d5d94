// Package fault gives every error a code, so that callers branch on what
// went wrong and never on how it was worded.
//
// There are two audiences. The code and the message are for the caller; the
// wrapped cause is for the log. A message must never contain what the caller
// sent: it may be a secret or a card number.
package fault

import (
	"errors"
	"fmt"
)

// Code is the class of a failure. There are few, because each must be
// answered at every front door.
type Code string

const (
	// Invalid means that the request can never succeed as written.
	Invalid Code = "invalid"
	// NotFound means that there is no such thing, or none this tenant may see.
	NotFound Code = "not_found"
	// Conflict means no for now: it may differ after a re-read.
	Conflict Code = "conflict"
	// Forbidden means that the caller or a policy does not allow it.
	Forbidden Code = "forbidden"
	// Unavailable means that nothing was done and a retry is safe.
	Unavailable Code = "unavailable"
	// Internal means a bug of ours. Nothing was done; the caller learns no more.
	Internal Code = "internal"
)

// Codes lists every code, for tables that must have a row for each.
var Codes = []Code{Invalid, NotFound, Conflict, Forbidden, Unavailable, Internal}

// Error is a failure with a code and a sentence for the caller.
type Error struct {
	Code    Code
	Message string
	Cause   error // for the log only
}

// New returns an error with a code and a message for the caller.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns an error that hides its cause from the caller and keeps it for the log.
func Wrap(cause error, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// Error returns the message and, for the log, the cause.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// FaultCode returns the code. Other error types take part by having this method.
func (e *Error) FaultCode() Code { return e.Code }

// PublicMessage returns the sentence that the caller may read.
func (e *Error) PublicMessage() string { return e.Message }

// CodeOf returns the code of the first error in the chain that has one, and
// Internal for any other: what nobody classified is a bug of ours.
func CodeOf(err error) Code {
	var coded interface{ FaultCode() Code }
	if errors.As(err, &coded) {
		return coded.FaultCode()
	}
	return Internal
}

// MessageOf returns the sentence for the caller, "internal error" if there is none.
func MessageOf(err error) string {
	var public interface{ PublicMessage() string }
	if errors.As(err, &public) && CodeOf(err) != Internal {
		return public.PublicMessage()
	}
	return "internal error"
}
