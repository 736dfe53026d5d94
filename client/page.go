package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// pages reads a list page after page. An error ends it.
func pages[T any](ctx context.Context, c *Client, path, name string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		query := maps.Clone(query) // the list can be read again, from its beginning
		var none T
		for {
			var page map[string]json.RawMessage
			if err := c.do(ctx, call{method: http.MethodGet, path: path, query: query}, &page); err != nil {
				yield(none, err)
				return
			}
			var list []T
			var next string
			var hasMore bool
			for part, into := range map[string]any{name: &list, "next": &next, "has_more": &hasMore} {
				if err := json.Unmarshal(page[part], into); err != nil {
					yield(none, fmt.Errorf("refundry: the answer cannot be read: %w", err))
					return
				}
			}
			for _, element := range list {
				if !yield(element, nil) {
					return
				}
			}
			if !hasMore {
				return
			}
			if next == query.Get("after") {
				yield(none, errors.New("refundry: the list does not go on"))
				return
			}
			query.Set("after", next)
		}
	}
}

// set sets a parameter, if it has a value.
func set(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

func setTime(query url.Values, name string, at time.Time) {
	if !at.IsZero() {
		query.Set(name, at.UTC().Format(time.RFC3339Nano))
	}
}
