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
	if err != nil || kept == nil {
		return err
	}
	offset, err := strconv.ParseInt(string(kept), 10, 64)
	if err != nil {
		return err
	}
	if time.Duration(offset) > s.config.Clock.Offset() {
		s.config.Clock.SetOffset(time.Duration(offset))
	}
	return nil
}

// AdvanceClock moves domain time forward, for all replicas, and returns it.
// Times of one thing must grow, so it never goes back: fault.Invalid.
func (s *Sandbox) AdvanceClock(ctx context.Context, by time.Duration) (time.Time, error) {
	if by < 0 {
		return time.Time{}, fault.New(fault.Invalid, "the clock does not go back")
	}
	if by > aheadMax || s.config.Clock.Offset() > aheadMax-by {
		return time.Time{}, fault.New(fault.Invalid, "the clock does not go that far")
	}
	for {
		kept, err := s.record.recall(ctx, offsetName)
		if err != nil {
			return time.Time{}, err
		}
		var offset int64
		if kept != nil {
			if offset, err = strconv.ParseInt(string(kept), 10, 64); err != nil {
				return time.Time{}, err
			}
		}
		done, err := s.swapOffset(ctx, kept, offset+int64(by))
		if err != nil {
			return time.Time{}, err
		}
		if done {
			s.config.Clock.SetOffset(time.Duration(offset) + by)
			s.poke()
			return s.config.Clock.Now(), nil
		}
	}
}

// swapOffset writes an offset if nobody else has moved the clock meanwhile.
func (s *Sandbox) swapOffset(ctx context.Context, before []byte, after int64) (done bool, err error) {
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
			offsetName, encode([]byte(strconv.FormatInt(after, 10))), value)
		if err != nil {
			return err
		}
		rows, err := changed.RowsAffected()
		done = rows == 1
		return err
	})
	return done, err
}
