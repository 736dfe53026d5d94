package payment

import (
	"context"
	"fmt"
	"strings"
)

// Cursor is a place in a tenant's feed: behind the event with these numbers.
// Numbers follow the order of commits, so nothing ever appears behind a cursor
// that has passed it. The zero cursor is the beginning.
type Cursor struct {
	Commit int64
	Index  int
}

// String returns the cursor as callers see it: opaque to them.
func (c Cursor) String() string { return fmt.Sprintf("%x-%x", c.Commit, c.Index) }

// ParseCursor reads what String wrote; the empty text is the beginning.
func ParseCursor(text string) (Cursor, bool) {
	if text == "" {
		return Cursor{}, true
	}
	var c Cursor
	_, err := fmt.Fscanf(strings.NewReader(text), "%x-%x", &c.Commit, &c.Index)
	return c, err == nil && c.Commit > 0 && c.Index >= 0 && c.String() == text
}

// FeedEvent is an event with its place in the feed.
type FeedEvent struct {
	Event
	Cursor Cursor
}

// Feed reads a tenant's events in the order of their commits.
type Feed interface {
	// Events returns at most limit events behind a cursor.
	Events(ctx context.Context, tenant TenantID, after Cursor, limit int) ([]FeedEvent, error)
}
