package job

import "time"

// Backoff returns the pause after the n-th run that failed (1, 2, …): 1 s, 2 s,
// 4 s, … at most ten minutes, each shifted by up to a fifth so that jobs that
// failed together do not come back together. luck is between 0 and 1.
func Backoff(run int, luck float64) time.Duration {
	const first, longest = time.Second, 10 * time.Minute
	pause := longest
	if run < 1 {
		run = 1
	}
	if shift := run - 1; shift < 20 {
		pause = min(longest, first<<shift)
	}
	return Jitter(pause, luck)
}

// Jitter shifts a pause by up to a fifth either way. luck is between 0 and 1.
func Jitter(pause time.Duration, luck float64) time.Duration {
	return time.Duration(float64(pause) * (0.8 + 0.4*luck))
}
