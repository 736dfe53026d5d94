package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	attemptsDefault = 4                // of one call
	timeoutDefault  = 30 * time.Second // of one attempt
	answerBytesMax  = 32 << 20         // the longest page of payments fits
)

// Key is a secret: an API key, or what webhooks are signed with. It prints as
// stars.
type Key string

const stars = "***"

// String returns stars.
func (Key) String() string { return stars }

// GoString returns stars.
func (Key) GoString() string { return stars }

// LogValue returns stars.
func (Key) LogValue() slog.Value { return slog.StringValue(stars) }

// MarshalText returns stars.
func (Key) MarshalText() ([]byte, error) { return []byte(stars), nil }

// Config is what a client is made of.
type Config struct {
	BaseURL     string       // of Refundry, as in https://refunds.example
	Key         Key          // rfk_…
	HTTP        *http.Client // nil: one whose attempts take at most 30 seconds
	AttemptsMax int          // of one call that may be sent again; 0: 4
}

// Client calls Refundry. Make one with [New].
type Client struct {
	config Config
	pause  func(ctx context.Context, attempt int, wanted time.Duration) error
}

// New returns a client.
func New(config Config) (*Client, error) {
	base, err := url.Parse(config.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("refundry: BaseURL is http:// or https:// and a host")
	}
	if config.Key == "" {
		return nil, errors.New("refundry: a Key is needed")
	}
	config.BaseURL = strings.TrimSuffix(config.BaseURL, "/")
	if config.HTTP == nil {
		config.HTTP = &http.Client{Timeout: timeoutDefault}
	}
	if config.AttemptsMax == 0 {
		config.AttemptsMax = attemptsDefault
	}
	own := *config.HTTP
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the key goes nowhere else
	config.HTTP = &own
	return &Client{config: config, pause: pause}, nil
}

// String names where the client calls, and not with which key.
func (c Client) String() string { return "refundry at " + c.config.BaseURL }

// GoString names where the client calls, and not with which key.
func (c Client) GoString() string { return c.String() }

// call is one call of the API.
type call struct {
	method, path string
	query        url.Values
	key          string            // an idempotency key; empty: none
	user         string            // on whose behalf; empty: nobody is named
	body         any               // nil: none
	header       map[string]string // more that is sent, by its name
}

// isSafe reports whether the call may be sent again.
func (c call) isSafe() bool { return c.method == http.MethodGet || c.key != "" }

// do makes a call, and reads what is answered into a value; nil: nothing is.
func (c *Client) do(ctx context.Context, call call, into any) error {
	var body []byte
	if call.body != nil {
		var err error
		if body, err = json.Marshal(call.body); err != nil {
			return fmt.Errorf("refundry: %w", err)
		}
	}
	for attempt := 1; ; attempt++ {
		answer, wanted, err := c.attempt(ctx, call, body)
		if err == nil {
			return read(answer, into)
		}
		if attempt >= c.config.AttemptsMax || !call.isSafe() || !isPassing(err) || ctx.Err() != nil {
			return err
		}
		if c.pause(ctx, attempt, wanted) != nil {
			return err
		}
	}
}

func read(answer []byte, into any) error {
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("refundry: the answer cannot be read: %w", err)
	}
	return nil
}

// errConnection means that no answer came, or not the whole of one: what was
// asked for may have been done.
var errConnection = errors.New("no answer")

// attempt sends a call once. It returns the answer's body, or why there is
// none and how long Refundry wants to be left alone.
func (c *Client) attempt(ctx context.Context, call call, body []byte) (answer []byte, wanted time.Duration, err error) {
	request, err := c.request(ctx, call, body)
	if err != nil {
		return nil, 0, err
	}
	response, err := c.config.HTTP.Do(request)
	if err != nil {
		return nil, 0, fmt.Errorf("refundry: %w: %w", errConnection, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(response.Body, answerBytesMax))
	if err != nil {
		return nil, 0, fmt.Errorf("refundry: %w: %w", errConnection, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return nil, retryAfter(response.Header), problemOf(response, answer)
	}
	return answer, 0, nil
}

func (c *Client) request(ctx context.Context, call call, body []byte) (*http.Request, error) {
	to := c.config.BaseURL + call.path
	if len(call.query) > 0 {
		to += "?" + call.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, call.method, to, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("refundry: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+string(c.config.Key))
	request.Header.Set("User-Agent", "refundry-go")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if call.key != "" {
		request.Header.Set("Idempotency-Key", call.key)
	}
	if call.user != "" {
		request.Header.Set("Refundry-User", call.user)
	}
	return request, nil
}
