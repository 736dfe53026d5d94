package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/refundry/refundry/internal/fault"
)

// offsetName is the value by which all replicas know the test clock: how far
// domain time is ahead, in nanoseconds.
const offsetName = "clock_offset"

// aheadMax bounds how far the test clock may go: a century, so that times stay
// within what everything can hold.
const aheadMax = 100 * 365 * 24 * time.Hour

// followClock sets domain time as the record has it.
func (s *Sandbox) followClock(ctx context.Context) error {
	kept, err := s.record.recall(ctx, offsetName)
	if err != nil {
		return err
	}
	offset, err := parseOffset(kept)
	if err == nil {
		s.forward(offset)
	}
	return err
}

// forward sets this process's clock, which others may have moved further.
func (s *Sandbox) forward(offset time.Duration) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.config.Clock.SetOffset(max(offset, s.config.Clock.Offset()))
}

func parseOffset(kept []byte) (time.Duration, error) {
	if kept == nil {
		return 0, nil
	}
	offset, err := strconv.ParseInt(string(kept), 10, 64)
	return time.Duration(offset), err
}

// AdvanceClock moves domain time forward, for all replicas, and returns it.
// Times of one thing must grow, so it never goes back: fault.Invalid.
func (s *Sandbox) AdvanceClock(ctx context.Context, by time.Duration) (time.Time, error) {
	return s.moveClock(ctx, func(time.Time) time.Duration { return by })
}

// SetClock moves domain time forward to a time, as [Sandbox.AdvanceClock] does.
func (s *Sandbox) SetClock(ctx context.Context, to time.Time) (time.Time, error) {
	return s.moveClock(ctx, func(now time.Time) time.Duration { return to.Sub(now) })
}

// moveClock moves the clock by what a function says, now that the time of all
// replicas is known; again, should another replica have moved it meanwhile.
func (s *Sandbox) moveClock(ctx context.Context, by func(now time.Time) time.Duration) (time.Time, error) {
	for {
		kept, err := s.record.recall(ctx, offsetName)
		if err != nil {
			return time.Time{}, err
		}
		offset, err := parseOffset(kept)
		if err != nil {
			return time.Time{}, err
		}
		s.forward(offset)
		ahead := by(s.config.Clock.Now())
		if ahead < 0 {
			return time.Time{}, fault.New(fault.Invalid, "the clock does not go back")
		}
		if ahead > aheadMax || offset > aheadMax-ahead {
			return time.Time{}, fault.New(fault.Invalid, "the clock does not go that far")
		}
		done, err := s.swapOffset(ctx, kept, offset+ahead)
		if err != nil {
			return time.Time{}, err
		}
		if done {
			s.forward(offset + ahead)
			s.poke()
			return s.config.Clock.Now(), nil
		}
	}
}

// swapOffset writes an offset if nobody else has moved the clock meanwhile.
func (s *Sandbox) swapOffset(ctx context.Context, before []byte, after time.Duration) (done bool, err error) {
	err = s.record.inTx(ctx, func(tx *sql.Tx) error {
		var value string
		row := tx.QueryRowContext(ctx, s.record.query(`SELECT value FROM sandbox_value WHERE name = ?`), offsetName)
		err := row.Scan(&value)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if value != encode(before) {
			return nil
		}
		changed, err := tx.ExecContext(ctx, s.record.query(`INSERT INTO sandbox_value (name, value) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE sandbox_value.value = ?`),
			offsetName, encode([]byte(strconv.FormatInt(int64(after), 10))), value)
		if err != nil {
			return err
		}
		rows, err := changed.RowsAffected()
		done = rows == 1
		return err
	})
	return done, err
}
