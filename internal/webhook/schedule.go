package webhook

import (
	"strconv"
	"time"
)

// TimeoutMax keeps an attempt within what a worker's lease can hold.
const TimeoutMax = 20 * time.Second

// IsSuccess reports whether a status is any 2xx, which acknowledges at most doors.
func IsSuccess(status int) bool { return status >= 200 && status < 300 }

// Gaps reads a schedule that a tenant may set: durations or seconds that do
// not fall, counted from the first attempt. None, or what cannot be read, is
// the documented one.
func Gaps(texts []string, documented []time.Duration) []time.Duration {
	gaps := make([]time.Duration, 0, len(texts))
	for _, text := range texts {
		gap, err := time.ParseDuration(text)
		if seconds, isNumber := strconv.Atoi(text); isNumber == nil {
			gap, err = time.Duration(seconds)*time.Second, nil
		}
		if err != nil || gap < 0 || (len(gaps) > 0 && gap < gaps[len(gaps)-1]) {
			return documented
		}
		gaps = append(gaps, gap)
	}
	if len(gaps) == 0 {
		return documented
	}
	return gaps
}
