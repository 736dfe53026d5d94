package wire

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
)

// ErrBug is what a door is asked to say when a handler of its has a bug. The
// frame around all doors has logged it.
var ErrBug = errors.New("bug in a handler")

// servingKey is the context key of what is known of a request that is served.
type servingKey struct{}

type serving struct {
	hasChanged atomic.Bool
	sayBug     func(w http.ResponseWriter)
}

// WithServing returns the context of a request that is about to be served.
func WithServing(ctx context.Context) context.Context {
	return context.WithValue(ctx, servingKey{}, &serving{})
}

// Changed notes that the request that ctx belongs to, if any, has changed
// something: from then on no answer may say that nothing was done.
func Changed(ctx context.Context) {
	if s, ok := ctx.Value(servingKey{}).(*serving); ok {
		s.hasChanged.Store(true)
	}
}

// HasChanged reports whether the request has changed something.
func HasChanged(ctx context.Context) bool {
	s, ok := ctx.Value(servingKey{}).(*serving)
	return ok && s.hasChanged.Load()
}

// OnBug has a door's own way to say [ErrBug], should its handler have a bug.
// The door calls it first: whoever serves a request says what went wrong.
func OnBug(r *http.Request, say func(w http.ResponseWriter)) {
	if s, ok := r.Context().Value(servingKey{}).(*serving); ok {
		s.sayBug = say
	}
}

// SayBug answers as the door said in [OnBug], or else in a line.
func SayBug(ctx context.Context, w http.ResponseWriter) {
	if s, ok := ctx.Value(servingKey{}).(*serving); ok && s.sayBug != nil {
		s.sayBug(w)
		return
	}
	http.Error(w, "internal error", http.StatusInternalServerError)
}
