package processor

import (
	"time"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// inquiries is when an attempt without a final answer is asked about, by its
// age in domain time. After the last a person looks.
var inquiries = []struct {
	until time.Duration // of the attempt's age
	pause time.Duration
}{
	{10 * time.Second, time.Second},     // most answers were only lost on their way
	{time.Minute, 5 * time.Second},      // the processor is being restarted
	{10 * time.Minute, time.Minute},     // … or repaired
	{time.Hour, 5 * time.Minute},        // the payer still waits
	{24 * time.Hour, 30 * time.Minute},  // a bank's batch of the day
	{7 * 24 * time.Hour, 2 * time.Hour}, // a bank's slowest way
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

// heldMax is how long a refund may go on waiting after a policy lets refunds go again.
const heldMax = 5 * time.Minute

// heldAfter returns when to look again whether a refund may leave that was
// stopped this long ago.
func heldAfter(held time.Duration) time.Duration {
	pause, ok := inquireAfter(held)
	if !ok {
		return heldMax
	}
	return min(pause, heldMax)
}

const (
	notSentQuick = 14 // attempts with growing pauses: about an hour
	notSentPause = time.Hour
	notSentMax   = 180 // attempts that certainly never arrived: about a week
)

// next returns when an attempt with this outcome is gone on with.
func (c *Carrier) next(refund payment.Refund, attempt payment.Attempt, outcome payment.Outcome) time.Time {
	now := c.config.Now()
	if outcome.Kind == payment.AttemptNotSent {
		if refund.AttemptCount > notSentQuick {
			return now.Add(job.Jitter(notSentPause, c.config.Luck()))
		}
		return now.Add(job.Backoff(refund.AttemptCount, c.config.Luck()))
	}
	pause, ok := inquireAfter(now.Sub(attempt.StartedAt))
	if !ok {
		return now // the last inquiry
	}
	return now.Add(pause)
}
