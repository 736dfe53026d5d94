package sandbox

import (
	"net/http"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/wire"
)

// ReadBody reads what a POST has to say, as the routes do.
func ReadBody(raw string) (wire.Value, error) {
	r := &http.Request{Method: http.MethodPost, Body: readCloser{strings.NewReader(raw)}, ContentLength: int64(len(raw))}
	return readBody(nil, r)
}

type readCloser struct{ *strings.Reader }

// Close implements [io.Closer].
func (readCloser) Close() error { return nil }

// ReadPlan reads a plan.
func ReadPlan(body wire.Value) (Plan, error) { return readPlan(body) }

// ReadClock reads how far the clock is to go.
func ReadClock(body wire.Value) (func(now time.Time) time.Duration, error) { return readClock(body) }

// Said returns the status and the words by which an error is answered.
func Said(err error) (int, string) {
	p := problemOf(err)
	return p.Status, p.Detail
}

// IsKnown reports whether there is an outcome.
func IsKnown(name Name) bool { return name.isKnown() }
