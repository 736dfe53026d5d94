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

// addressKey is the context key of the address that a request came from.
type addressKey struct{}

// WithAddress returns a context that knows where a request came from.
func WithAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

// Address returns the IP address of whoever sent the request that ctx belongs
// to; empty if it did not come over the network.
func Address(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}
