package wire

import "context"

// requestIDKey is the context key of a request's id.
type requestIDKey struct{}

// WithRequestID returns a context that knows a request's id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id of the request that ctx belongs to, which names it
// in logs; empty if there is none.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
