package client

import (
	"context"
	"time"
)

// Pauses lets a client note how long it would pause, instead of doing so.
func (c *Client) Pauses(note func(attempt int, wanted time.Duration)) {
	c.pause = func(ctx context.Context, attempt int, wanted time.Duration) error {
		note(attempt, wanted)
		return ctx.Err()
	}
}
