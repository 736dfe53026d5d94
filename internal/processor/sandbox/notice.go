package sandbox

import (
	"context"
	"time"

	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
)

// noticeKind is what a notice tells.
type noticeKind string

const (
	noticePending   noticeKind = "pending"
	noticeSucceeded noticeKind = "succeeded"
	noticeReturned  noticeKind = "returned"
	noticeDispute   noticeKind = "dispute"
)

// notice is something that the sandbox will tell by itself. It is told until
// it was received, so possibly twice, as the outside world does.
type notice struct {
	ID       noticeID
	Attempt  attempt
	Kind     noticeKind
	Captured money.Minor // of the payment, for a dispute
	Due      time.Time   // domain time
}

type noticeID = id.ID[noticeIDKind]

type noticeIDKind struct{}

// Prefix implements [id.Kind].
func (noticeIDKind) Prefix() string { return "ntc" }

const (
	lookPause   = 100 * time.Millisecond // between two looks for due notices and at the clock
	noticeLease = 10 * time.Second       // of a replica that tells one
	noticesMax  = 100                    // per look
)

// Run tells what is due and follows the test clock, until ctx ends.
func (s *Sandbox) Run(ctx context.Context, receive func(context.Context, processor.Notice) error) {
	ticker := time.NewTicker(lookPause)
	defer ticker.Stop()
	for {
		if err := s.followClock(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.WarnContext(ctx, "test clock not read", "error", err)
		}
		if err := s.tellDue(ctx, receive); err != nil && ctx.Err() == nil {
			s.config.Log.WarnContext(ctx, "sandbox notices not told", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-s.poked:
		}
	}
}

func (s *Sandbox) poke() {
	select {
	case s.poked <- struct{}{}:
	default:
	}
}

// tellDue tells what is due. What was not received is told again.
func (s *Sandbox) tellDue(ctx context.Context, receive func(context.Context, processor.Notice) error) error {
	due, err := s.record.dueNotices(ctx, s.config.Clock.Now(), s.config.Machine())
	if err != nil {
		return err
	}
	for _, n := range due {
		isMine, err := s.record.lease(ctx, n.ID, s.config.Machine())
		if err != nil {
			return err
		}
		if !isMine {
			continue
		}
		told, err := s.notice(ctx, n)
		if err != nil {
			return err
		}
		if err := receive(ctx, told); err != nil {
			s.config.Log.InfoContext(ctx, "sandbox notice not received; it is told again", "error", err)
			if err := s.record.postpone(ctx, n.ID, s.config.Machine().Add(time.Second)); err != nil {
				return err
			}
			continue
		}
		if err := s.record.forget(ctx, n.ID); err != nil {
			return err
		}
	}
	if len(due) == noticesMax {
		s.poke() // there may be more
	}
	return nil
}

// notice returns what is told. Money that is due moves before it is told.
func (s *Sandbox) notice(ctx context.Context, n notice) (processor.Notice, error) {
	a := n.Attempt
	told := processor.Notice{
		Tenant: a.Tenant, Connector: a.Connector, Payment: a.Payment, Refund: a.Refund, Attempt: a.ID,
	}
	switch n.Kind {
	case noticeSucceeded:
		outcome, err := s.current(ctx, a)
		told.Outcome = outcome
		return told, err
	case noticePending:
		told.Outcome = payment.Outcome{Kind: payment.AttemptPending, ProcessorRef: a.outcome().ProcessorRef}
	case noticeReturned:
		told.Outcome = a.returned()
	case noticeDispute:
		told.Dispute = &processor.DisputeNotice{
			ProcessorRef: "sbx_case_" + a.ID.UUID(), Kind: payment.DisputeChargeback, Amount: n.Captured,
			Reason: "fraudulent",
		}
	}
	return told, nil
}

// dueNotices returns notices that are due and that nobody is telling.
func (r *record) dueNotices(ctx context.Context, now, machine time.Time) ([]notice, error) {
	rows, err := r.db.QueryContext(ctx, r.query(`SELECT n.id, n.kind, n.captured, n.due_at, a.tenant_id, a.id,
			a.refund_id, a.payment_id, a.connector, a.amount, a.name, a.state, a.moved, a.due_at
		FROM sandbox_notice n JOIN sandbox_attempt a ON a.id = n.attempt_id
		WHERE n.due_at <= ? AND n.leased_until < ? ORDER BY n.due_at, n.id LIMIT ?`),
		micros(now), micros(machine), noticesMax)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err says what there is to say
	var due []notice
	for rows.Next() {
		var n notice
		var at int64
		if n.Attempt, err = scanAttempt(func(columns ...any) error {
			return rows.Scan(append([]any{text{&n.ID}, &n.Kind, &n.Captured, &at}, columns...)...)
		}); err != nil {
			return nil, err
		}
		n.Due = fromMicros(at)
		due = append(due, n)
	}
	return due, rows.Err()
}

// lease lets one replica tell a notice. It returns false if another does.
func (r *record) lease(ctx context.Context, id noticeID, machine time.Time) (bool, error) {
	done, err := r.db.ExecContext(ctx, r.query(`UPDATE sandbox_notice SET leased_until = ?
		WHERE id = ? AND leased_until < ?`), micros(machine.Add(noticeLease)), id.String(), micros(machine))
	if err != nil {
		return false, err
	}
	rows, err := done.RowsAffected()
	return rows == 1, err
}

// postpone lets a notice be told again later.
func (r *record) postpone(ctx context.Context, id noticeID, until time.Time) error {
	_, err := r.db.ExecContext(ctx, r.query(`UPDATE sandbox_notice SET leased_until = ? WHERE id = ?`),
		micros(until), id.String())
	return err
}

// forget ends a notice that was received.
func (r *record) forget(ctx context.Context, id noticeID) error {
	_, err := r.db.ExecContext(ctx, r.query(`DELETE FROM sandbox_notice WHERE id = ?`), id.String())
	return err
}
