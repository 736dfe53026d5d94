package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"
)

const lineBytesMax = 1 << 20

// open makes a call whose body or answer may take as long as it takes: it is
// sent once, its body as lines of JSON. The caller closes the answer.
func (c *Client) open(ctx context.Context, call call, body io.Reader) (*http.Response, time.Duration, error) {
	request, err := c.request(ctx, call, nil)
	if err != nil {
		return nil, 0, err
	}
	if body != nil {
		request.Body, request.ContentLength, request.GetBody = io.NopCloser(body), -1, nil
		request.Header.Set("Content-Type", "application/x-ndjson")
	}
	for name, value := range call.header {
		request.Header.Set(name, value)
	}
	patient := *c.config.HTTP
	patient.Timeout = 0 // ctx ends it
	response, err := patient.Do(request)
	if err != nil {
		return nil, 0, fmt.Errorf("refundry: %w: %w", errConnection, errors.Join(err, ctx.Err()))
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		defer func() { _ = response.Body.Close() }()
		answer, _ := io.ReadAll(io.LimitReader(response.Body, answerBytesMax)) // what has come says enough
		return nil, retryAfter(response.Header), problemOf(response, answer)
	}
	return response, 0, nil
}

// lines reads an answer of lines of JSON, one by one. An error ends it: an
// answer that breaks off is not taken for a whole one.
func lines[T any](ctx context.Context, c *Client, call call) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		response, _, err := c.open(ctx, call, nil)
		if err != nil {
			yield(none, err)
			return
		}
		defer func() { _ = response.Body.Close() }()
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, lineBytesMax)
		for lines.Scan() {
			var row T
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				yield(none, fmt.Errorf("refundry: a line cannot be read: %w", err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(none, fmt.Errorf("refundry: %w: %w", errConnection, err))
		}
	}
}
