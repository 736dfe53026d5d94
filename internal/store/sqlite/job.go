package sqlite

import (
	"context"
	"time"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// saveJobs writes tasks. One that exists already is brought forward, or, while
// it is leased, asked to run again; then the batch's own claim is taken away.
func (s *Store) saveJobs(c *conn, changes *payment.Changes) error {
	const insert = `INSERT INTO job (tenant_id, subject_id, kind, payment_id, queue, due_at, thread, turn, runs, claim,
		lease_until, again_at, buried_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0 WHERE true `
	// One that others of its thread go before is not born leased.
	const ifFirst = `AND (?7 IS NULL OR NOT EXISTS (SELECT 1 FROM job WHERE thread = ?7)) `
	const orAskAgain = `ON CONFLICT (tenant_id, subject_id, kind) DO UPDATE SET
		due_at = CASE WHEN job.claim IS NULL THEN min(job.due_at, excluded.due_at) ELSE job.due_at END,
		again_at = CASE WHEN job.claim IS NULL THEN 0
			WHEN job.again_at = 0 THEN excluded.due_at ELSE min(job.again_at, excluded.due_at) END,
		runs = CASE WHEN job.buried_at = 0 THEN job.runs ELSE 0 END,
		buried_at = 0`
	lease := s.config.Machine().Add(s.config.Lease).UnixMicro()
	for i := range changes.Tasks {
		task := &changes.Tasks[i]
		if task.Claim != [16]byte{} {
			born, err := c.exec(insert+ifFirst+`ON CONFLICT DO NOTHING`, taskArgs(*task, 1, lease)...)
			if err != nil {
				return err
			}
			if born == 1 {
				continue
			}
			task.Claim = [16]byte{}
		}
		if _, err := c.exec(insert+orAskAgain, taskArgs(*task, 0, 0)...); err != nil {
			return err
		}
	}
	return nil
}

func taskArgs(t payment.Task, runs int, lease int64) []any {
	return []any{
		ident(t.Tenant), t.Subject[:], string(t.Kind), ident(t.Payment), t.Queue, row.Micros(t.DueAt),
		nullable(t.After.Thread), t.After.Number, runs, nullable(t.Claim), lease,
	}
}

// finishJobs ends the jobs that the batch finished, where their claims still stand.
func finishJobs(c *conn, changes *payment.Changes) error {
	for _, task := range changes.Finished {
		if err := endJob(c, job.Ending{TaskRef: task}); err != nil {
			return err
		}
	}
	return nil
}

// endJob ends one job: deleted if it is done and nobody asked for it again.
func endJob(c *conn, ending job.Ending) error {
	const done = `DELETE FROM job WHERE tenant_id = ? AND subject_id = ? AND kind = ? AND claim = ? AND again_at = 0`
	const again = `UPDATE job SET claim = NULL, lease_until = 0, again_at = 0,
		due_at = CASE WHEN again_at = 0 THEN ?1 WHEN ?1 = 0 THEN again_at ELSE min(again_at, ?1) END,
		runs = CASE WHEN again_at = 0 THEN ?6 ELSE 0 END
		WHERE tenant_id = ?2 AND subject_id = ?3 AND kind = ?4 AND claim = ?5`
	key := []any{ident(ending.Tenant), ending.Subject[:], string(ending.Kind), ending.Claim[:]}
	if ending.Again.IsZero() {
		if deleted, err := c.exec(done, key...); err != nil || deleted == 1 {
			return err
		}
	}
	_, err := c.exec(again, append(append([]any{row.Micros(ending.Again)}, key...), ending.Runs)...)
	return err
}

// hurryJobs lets what threads tell before a turn be looked at at once, as if it
// had been asked for again.
func hurryJobs(c *conn, hurries map[row.Thread]int64, at int64) error {
	const hurry = `UPDATE job INDEXED BY job_thread SET
			due_at = CASE WHEN claim IS NULL THEN min(due_at, ?1) ELSE due_at END,
			again_at = CASE WHEN claim IS NULL THEN 0 WHEN again_at = 0 THEN ?1 ELSE min(again_at, ?1) END
		WHERE thread = ?2 AND turn < ?3 AND tenant_id = ?4 AND kind = ?5 AND buried_at = 0`
	for thread, turn := range hurries {
		if _, err := c.exec(hurry, at, thread.ID[:], turn, ident(thread.Tenant), string(payment.TaskDeliverWebhook)); err != nil {
			return err
		}
	}
	return nil
}

// Claim implements [job.Store].
func (s *Store) Claim(_ context.Context, claim job.Claim) ([]job.Job, error) {
	queues, err := s.dueQueues(row.Micros(claim.Now))
	if err != nil || len(queues) == 0 {
		return nil, err
	}
	var jobs []job.Job
	err = s.write(func(c *conn) error {
		for _, queue := range queues {
			free, busy := claim.Busy[queue]
			if !busy {
				free = claim.PerQueue
			}
			free = min(free, claim.InAll-len(jobs))
			if free <= 0 {
				continue
			}
			due, err := dueJobs(c, queue, row.Micros(claim.Now), free)
			if err != nil {
				return err
			}
			jobs = append(jobs, due...)
		}
		const lease = `UPDATE job SET claim = ?, lease_until = ?, runs = runs + 1
			WHERE tenant_id = ? AND subject_id = ? AND kind = ?`
		until := s.config.Machine().Add(claim.Lease).UnixMicro()
		for i := range jobs {
			j := &jobs[i]
			j.Task.Claim = claim.ID
			if err := one(c.exec(lease, claim.ID[:], until, ident(j.Tenant), j.Subject[:], string(j.Kind))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return jobs, nil
}

// dueQueues returns the queues that have due jobs, hopping from queue to queue
// in the index instead of reading every job.
func (s *Store) dueQueues(now int64) ([]string, error) {
	const query = `WITH RECURSIVE queues (queue) AS (
			SELECT min(queue) FROM job WHERE claim IS NULL AND buried_at = 0
			UNION ALL
			SELECT (SELECT min(j.queue) FROM job j WHERE j.claim IS NULL AND j.buried_at = 0 AND j.queue > queues.queue)
			FROM queues WHERE queues.queue IS NOT NULL)
		SELECT queue FROM queues WHERE queue IS NOT NULL AND EXISTS (SELECT 1 FROM job
			WHERE job.queue = queues.queue AND job.claim IS NULL AND job.buried_at = 0 AND job.due_at <= ?)`
	var queues []string
	err := s.read(func(c *conn) error {
		return c.query(query, []any{now}, func(r *cells) error {
			queues = append(queues, r.text())
			return nil
		})
	})
	return queues, err
}

// dueJobs returns jobs of a queue that are due and whose turn has come.
func dueJobs(c *conn, queue string, now int64, limit int) ([]job.Job, error) {
	const query = `SELECT tenant_id, subject_id, kind, payment_id, queue, due_at, thread, turn, runs FROM job
		WHERE queue = ? AND claim IS NULL AND buried_at = 0 AND due_at <= ?
		AND (thread IS NULL OR NOT EXISTS (SELECT 1 FROM job earlier WHERE earlier.thread = job.thread
			AND (earlier.turn < job.turn OR (earlier.turn = job.turn AND earlier.subject_id < job.subject_id))))
		ORDER BY due_at LIMIT ?`
	var jobs []job.Job
	err := c.query(query, []any{queue, now, limit}, func(r *cells) error {
		jobs = append(jobs, job.Job{Task: payment.Task{
			Tenant: r.uuid(), Subject: r.uuid(), Kind: payment.TaskKind(r.text()), Payment: r.uuid(), Queue: r.text(),
			DueAt: row.Time(r.int()), After: payment.Turn{Thread: r.uuid(), Number: r.int()},
		}, Runs: int(r.int()) + 1})
		return nil
	})
	return jobs, err
}

// Renew implements [job.Store].
func (s *Store) Renew(_ context.Context, tasks []payment.TaskRef, lease time.Duration) ([]payment.TaskRef, error) {
	var kept []payment.TaskRef
	err := s.write(func(c *conn) error {
		const query = `UPDATE job SET lease_until = ? WHERE tenant_id = ? AND subject_id = ? AND kind = ? AND claim = ?`
		until := s.config.Machine().Add(lease).UnixMicro()
		for _, t := range tasks {
			renewed, err := c.exec(query, until, ident(t.Tenant), t.Subject[:], string(t.Kind), t.Claim[:])
			if err != nil {
				return err
			}
			if renewed == 1 {
				kept = append(kept, t)
			}
		}
		return nil
	})
	return kept, err
}

// End implements [job.Store].
func (s *Store) End(_ context.Context, endings []job.Ending) error {
	return s.write(func(c *conn) error {
		for _, ending := range endings {
			if err := endJob(c, ending); err != nil {
				return err
			}
		}
		return nil
	})
}

// Reap implements [job.Store].
func (s *Store) Reap(_ context.Context, runsMax, limit int) (reaped, buried int, err error) {
	now := s.config.Machine().UnixMicro()
	var ended int
	err = s.read(func(c *conn) error {
		const query = `SELECT count(*) FROM job WHERE claim IS NOT NULL AND lease_until < ?`
		return c.query(query, []any{now}, func(r *cells) error {
			ended = int(r.int())
			return nil
		})
	})
	if err != nil || ended == 0 {
		return 0, 0, err
	}
	err = s.write(func(c *conn) error {
		const some = `(tenant_id, subject_id, kind) IN (SELECT tenant_id, subject_id, kind FROM job
			WHERE claim IS NOT NULL AND lease_until < ? AND runs >= ? ORDER BY lease_until LIMIT ?)`
		n, err := c.exec(`UPDATE job SET claim = NULL, lease_until = 0, buried_at = ? WHERE `+some,
			row.Micros(s.config.Now()), now, runsMax, limit)
		if err != nil {
			return err
		}
		buried = int(n)
		n, err = c.exec(`UPDATE job SET claim = NULL, lease_until = 0 WHERE `+some, now, 0, limit)
		reaped = int(n)
		return err
	})
	return reaped, buried, err
}

// Prune implements [job.Store].
func (s *Store) Prune(_ context.Context, before time.Time, limit int) (pruned int, err error) {
	var old int
	err = s.read(func(c *conn) error {
		const query = `SELECT (SELECT count(*) FROM job WHERE buried_at > 0 AND buried_at < ?1)
			+ (SELECT count(*) FROM counter WHERE day < ?1)`
		return c.query(query, []any{row.Micros(before)}, func(r *cells) error {
			old = int(r.int())
			return nil
		})
	})
	if err != nil || old == 0 {
		return 0, err
	}
	err = s.write(func(c *conn) error {
		const query = `DELETE FROM job WHERE (tenant_id, subject_id, kind) IN (SELECT tenant_id, subject_id, kind
			FROM job WHERE buried_at > 0 AND buried_at < ? LIMIT ?)`
		jobs, err := c.exec(query, row.Micros(before), limit)
		if err != nil {
			return err
		}
		counters, err := c.exec(`DELETE FROM counter WHERE (tenant_id, kind, name, day, currency) IN (
			SELECT tenant_id, kind, name, day, currency FROM counter WHERE day < ? LIMIT ?)`, row.Micros(before), limit)
		pruned = int(jobs + counters)
		return err
	})
	return pruned, err
}

// Count implements [job.Store].
func (s *Store) Count(context.Context) (waiting map[payment.TaskKind]int, buried int, err error) {
	waiting = map[payment.TaskKind]int{}
	err = s.read(func(c *conn) error {
		const query = `SELECT kind, buried_at > 0, count(*) FROM job GROUP BY 1, 2`
		return c.query(query, nil, func(r *cells) error {
			kind, isBuried, count := payment.TaskKind(r.text()), r.bool(), int(r.int())
			if isBuried {
				buried += count
			} else {
				waiting[kind] = count
			}
			return nil
		})
	})
	return waiting, buried, err
}
