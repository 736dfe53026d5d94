package processor

import (
	"time"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// inquiries is when an attempt without a final answer is asked about, counted
// from its start: soon at first, because most answers were only lost; for a
// week in all, because a bank may take so long. Then a person looks.
var inquiries = []struct {
	until time.Duration // of the attempt's age
	pause time.Duration
}{
	{10 * time.Second, time.Second},
	{time.Minute, 5 * time.Second},
	{10 * time.Minute, time.Minute},
	{time.Hour, 5 * time.Minute},
	{24 * time.Hour, 30 * time.Minute},
	{7 * 24 * time.Hour, 2 * time.Hour},
}

// inquireAfter returns when to ask about an attempt of an age again; false at
// the end of the schedule.
func inquireAfter(age time.Duration) (time.Duration, bool) {
	for _, step := range inquiries {
		if age < step.until {
			return step.pause, true
		}
	}
	return 0, false
}

// notSentMax bounds the attempts of a refund that certainly never arrived.
const notSentMax = 50

// next returns when an attempt with this outcome is gone on with.
func (c *Carrier) next(refund payment.Refund, attempt payment.Attempt, outcome payment.Outcome) time.Time {
	now := c.config.Now()
	if outcome.Kind == payment.AttemptNotSent {
		return now.Add(job.Backoff(refund.AttemptCount, c.config.Luck()))
	}
	pause, ok := inquireAfter(now.Sub(attempt.StartedAt))
	if !ok {
		return now
	}
	return now.Add(pause)
}
