package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Event is a fact that happened. It names things; read them to see them.
type Event struct {
	Cursor    string          `json:"cursor"` // its place in the feed
	Kind      string          `json:"kind"`   // as in "refund.succeeded"; leave alone what you do not know
	Payment   string          `json:"payment"`
	Refund    string          `json:"refund"`
	Dispute   string          `json:"dispute"`
	Order     string          `json:"order"`
	Batch     string          `json:"batch"`
	Endpoint  string          `json:"endpoint"`
	Key       string          `json:"key"`
	Person    string          `json:"person"` // who was erased from the audit trail
	Version   int64           `json:"version"`
	At        time.Time       `json:"at"`
	Actor     string          `json:"actor"`
	Door      string          `json:"door"`
	RequestID string          `json:"request_id"`
	Detail    json.RawMessage `json:"detail"` // what a change of settings changed
}

// Events reads what happened behind a cursor, in the order of commits, up to
// now; the empty cursor is the beginning. Nothing ever appears behind a cursor
// that was passed: keep the last one, and go on there.
func (c *Client) Events(ctx context.Context, after string) iter.Seq2[Event, error] {
	query := url.Values{}
	set(query, "after", after)
	return pages[Event](ctx, c, "/v1/events", "events", query)
}

// Follow reads what happened behind a cursor, and then what happens as it
// happens, until ctx ends. A stream that breaks off goes on where it broke off.
// It ends with an error that will not pass by itself, or that of ctx.
func (c *Client) Follow(ctx context.Context, after string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for attempt := 1; ; attempt++ {
			isRead, isDone := false, false
			wanted, err := c.stream(ctx, after, func(event Event) bool {
				after, isRead = event.Cursor, true
				isDone = !yield(event, nil)
				return !isDone
			})
			if isDone {
				return
			}
			if isRead {
				attempt = 1
			}
			if err == nil || isPassing(err) {
				err = c.pause(ctx, attempt, wanted)
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
		}
	}
}

// stream reads one stream until it breaks off or enough is seen.
func (c *Client) stream(ctx context.Context, after string, see func(Event) bool) (wanted time.Duration, err error) {
	header := map[string]string{"Accept": "text/event-stream"}
	if after != "" {
		header["Last-Event-ID"] = after
	}
	response, wanted, err := c.open(ctx, call{method: http.MethodGet, path: "/v1/events", header: header}, nil)
	if err != nil {
		return wanted, err
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		text, isData := strings.CutPrefix(lines.Text(), "data: ")
		if !isData {
			continue
		}
		var event Event
		if err := json.Unmarshal([]byte(text), &event); err != nil {
			return 0, fmt.Errorf("refundry: an event cannot be read: %w", err)
		}
		if !see(event) {
			return 0, nil
		}
	}
	return 0, nil
}
