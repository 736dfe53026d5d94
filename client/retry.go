package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	pauseFirst = 200 * time.Millisecond // before the second attempt; it doubles
	pauseMax   = 5 * time.Second
	wantedMax  = time.Minute // Refundry is left alone for so long at the most
)

// isPassing reports whether an error may have gone when the same call is made
// again: no answer came, or Refundry was too busy.
func isPassing(err error) bool {
	if errors.Is(err, errConnection) {
		return true
	}
	refused, ok := errors.AsType[*Error](err)
	return ok && (refused.Status == http.StatusTooManyRequests || refused.Status == http.StatusServiceUnavailable)
}

// retryAfter returns how long an answer asks to be left alone; 0: it does not say.
func retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return min(time.Duration(seconds), wantedMax/time.Second) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(0, time.Until(at)), wantedMax)
	}
	return 0
}

// pause waits before the next attempt: as long as was wanted, else longer each
// time, and by chance, so that many callers do not come back together.
func pause(ctx context.Context, attempt int, wanted time.Duration) error {
	length := min(pauseMax, pauseFirst<<min(attempt-1, 10))
	length = length/2 + rand.N(length/2+1) //nolint:gosec // nobody gains by guessing it
	timer := time.NewTimer(max(length, wanted))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
