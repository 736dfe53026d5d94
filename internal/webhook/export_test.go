package webhook

import "time"

// Loggable returns what of an answer may be kept.
func Loggable(answer []byte) string { return loggable(answer) }

// RetryAfter reads for how long somebody wants to be left alone.
func RetryAfter(text string, now time.Time) time.Duration { return retryAfter(text, now) }
