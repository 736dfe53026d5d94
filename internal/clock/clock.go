// Package clock is domain time: the machine's own, plus an offset that the
// sandbox's test clock may set. Leases never use it.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock tells domain time. The zero offset is real time.
type Clock struct {
	machine func() time.Time
	offset  atomic.Int64 // nanoseconds
}

// New returns a clock over the machine's time.
func New(machine func() time.Time) *Clock { return &Clock{machine: machine} }

// Now returns domain time: UTC, in whole microseconds, as every store keeps it.
func (c *Clock) Now() time.Time {
	return c.machine().Add(time.Duration(c.offset.Load())).UTC().Truncate(time.Microsecond)
}

// Offset returns how far domain time is ahead of the machine's.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// SetOffset moves domain time.
func (c *Clock) SetOffset(offset time.Duration) { c.offset.Store(int64(offset)) }
