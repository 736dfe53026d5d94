package postgres

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// now is the database's own clock in microseconds: leases must not depend on
// the clocks of replicas, nor on the test clock.
const now = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`

// sortTasks puts tasks in the order in which everybody writes jobs.
func sortTasks[T any](tasks []T, key func(T) (payment.TenantID, [16]byte)) []T {
	tasks = slices.Clone(tasks)
	slices.SortStableFunc(tasks, func(a, b T) int {
		tenantA, subjectA := key(a)
		tenantB, subjectB := key(b)
		if order := tenantA.Compare(tenantB); order != 0 {
			return order
		}
		return slices.Compare(subjectA[:], subjectB[:])
	})
	return tasks
}

// jobs writes tasks. One that exists already is brought forward, or, while it
// is leased, asked to run again; then the batch's own claim is taken away.
func (w *writer) jobs(tasks []payment.Task, lease int64) {
	if len(tasks) == 0 {
		return
	}
	claims := map[[16]byte]*payment.Task{}
	for i := range tasks {
		if tasks[i].Claim != [16]byte{} {
			claims[tasks[i].Claim] = &tasks[i]
		}
	}
	sorted := sortTasks(oneOfEach(tasks), func(t payment.Task) (payment.TenantID, [16]byte) {
		return t.Tenant, t.Subject
	})
	w.pipe.Queue(`INSERT INTO job (tenant_id, subject_id, kind, payment_id, queue, due_at, thread, turn, claim, runs,
			lease_until, again_at, buried_at)
		SELECT tenant_id, subject_id, kind, payment_id, queue, due_at, thread, turn, claim,
			CASE WHEN claim IS NULL THEN 0 ELSE 1 END, CASE WHEN claim IS NULL THEN 0 ELSE `+now+` + $10 END, 0, 0
		FROM (SELECT tenant_id, subject_id, kind, payment_id, queue, due_at, thread, turn,
				-- One that others of its thread go before is not born leased.
				CASE WHEN EXISTS (SELECT 1 FROM job WHERE job.thread = t.thread) THEN NULL ELSE claim END AS claim
			FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::uuid[],
				$8::bigint[], $9::uuid[])
				AS t (tenant_id, subject_id, kind, payment_id, queue, due_at, thread, turn, claim)) t
		ON CONFLICT (tenant_id, subject_id, kind) DO UPDATE SET
			due_at = CASE WHEN job.claim IS NULL THEN least(job.due_at, excluded.due_at) ELSE job.due_at END,
			again_at = CASE WHEN job.claim IS NULL THEN 0
				WHEN job.again_at = 0 THEN excluded.due_at ELSE least(job.again_at, excluded.due_at) END,
			runs = CASE WHEN job.buried_at = 0 THEN job.runs ELSE 0 END,
			buried_at = 0
		RETURNING claim`,
		ids(sorted, func(t payment.Task) [16]byte { return t.Tenant }),
		ids(sorted, func(t payment.Task) [16]byte { return t.Subject }),
		col(sorted, func(t payment.Task) string { return string(t.Kind) }),
		ids(sorted, func(t payment.Task) [16]byte { return t.Payment }),
		col(sorted, func(t payment.Task) string { return t.Queue }),
		col(sorted, func(t payment.Task) int64 { return row.Micros(t.DueAt) }),
		maybeIDs(sorted, func(t payment.Task) [16]byte { return t.After.Thread }),
		col(sorted, func(t payment.Task) int64 { return t.After.Number }),
		maybeIDs(sorted, func(t payment.Task) [16]byte { return t.Claim }),
		lease).
		Query(func(rows pgx.Rows) error {
			var claim *[16]byte
			_, err := pgx.ForEachRow(rows, []any{&claim}, func() error {
				if claim != nil {
					delete(claims, *claim)
				}
				return nil
			})
			for _, task := range claims {
				task.Claim = [16]byte{} // the job existed: somebody else's claim, or nobody's
			}
			return err
		})
}

// hurry lets what threads tell before a turn be looked at at once, as if it had
// been asked for again. It waits for whoever is claiming one of those jobs:
// what the holder has not seen of this commit, it looks at once more.
func (w *writer) hurry(hurries map[row.Thread]int64, at int64) {
	if len(hurries) == 0 {
		return
	}
	threads := slices.Collect(maps.Keys(hurries))
	w.pipe.Queue(`WITH earlier AS (
			SELECT job.tenant_id, job.subject_id, job.kind
			FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS h (tenant_id, thread, turn)
			JOIN job ON job.thread = h.thread AND job.turn < h.turn AND job.tenant_id = h.tenant_id
			WHERE job.kind = $4 AND job.buried_at = 0
			ORDER BY job.tenant_id, job.subject_id FOR UPDATE OF job)
		UPDATE job SET
			due_at = CASE WHEN job.claim IS NULL THEN least(job.due_at, $5) ELSE job.due_at END,
			again_at = CASE WHEN job.claim IS NULL THEN 0
				WHEN job.again_at = 0 THEN $5 ELSE least(job.again_at, $5) END
		FROM earlier
		WHERE job.tenant_id = earlier.tenant_id AND job.subject_id = earlier.subject_id AND job.kind = earlier.kind`,
		ids(threads, func(t row.Thread) [16]byte { return t.Tenant }),
		ids(threads, func(t row.Thread) [16]byte { return t.ID }),
		col(threads, func(t row.Thread) int64 { return hurries[t] }),
		string(payment.TaskDeliverWebhook), at)
}

// oneOfEach returns the tasks without those that are asked for twice in one
// commit: the earliest stays.
func oneOfEach(tasks []payment.Task) []payment.Task {
	type key struct {
		tenant  payment.TenantID
		subject [16]byte
		kind    payment.TaskKind
	}
	var kept []payment.Task
	index := map[key]int{}
	for _, task := range tasks {
		k := key{task.Tenant, task.Subject, task.Kind}
		at, twice := index[k]
		switch {
		case !twice:
			index[k] = len(kept)
			kept = append(kept, task)
		case task.DueAt.Before(kept[at].DueAt):
			kept[at] = task
		}
	}
	return kept
}

// finish ends jobs whose claims still stand: deleted if done and not asked for again.
func (w *writer) finish(tasks []payment.TaskRef) {
	w.end(col(tasks, func(t payment.TaskRef) job.Ending { return job.Ending{TaskRef: t} }))
}

func (w *writer) end(endings []job.Ending) {
	if len(endings) == 0 {
		return
	}
	endings = sortTasks(endings, func(e job.Ending) (payment.TenantID, [16]byte) { return e.Tenant, e.Subject })
	args := []any{
		ids(endings, func(e job.Ending) [16]byte { return e.Tenant }),
		ids(endings, func(e job.Ending) [16]byte { return e.Subject }),
		col(endings, func(e job.Ending) string { return string(e.Kind) }),
		ids(endings, func(e job.Ending) [16]byte { return e.Claim }),
		col(endings, func(e job.Ending) int64 { return row.Micros(e.Again) }),
		col(endings, func(e job.Ending) int64 { return int64(e.Runs) }),
	}
	const these = ` unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[])
			AS e (tenant_id, subject_id, kind, claim, again, runs)
		WHERE job.tenant_id = e.tenant_id AND job.subject_id = e.subject_id AND job.kind = e.kind
			AND job.claim = e.claim`
	w.pipe.Queue(`DELETE FROM job USING`+these+` AND job.again_at = 0 AND e.again = 0`, args...)
	w.pipe.Queue(`UPDATE job SET claim = NULL, lease_until = 0, again_at = 0,
			due_at = CASE WHEN job.again_at = 0 THEN e.again WHEN e.again = 0 THEN job.again_at
				ELSE least(job.again_at, e.again) END,
			runs = CASE WHEN job.again_at = 0 THEN e.runs ELSE 0 END
		FROM`+these, args...)
}

// End implements [job.Store].
func (s *Store) End(ctx context.Context, endings []job.Ending) error {
	return s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		w := &writer{}
		queuePlans(&w.pipe)
		w.end(endings)
		return tx.SendBatch(ctx, &w.pipe).Close()
	})
}

// Claim implements [job.Store].
func (s *Store) Claim(ctx context.Context, claim job.Claim) ([]job.Job, error) {
	queues, err := s.dueQueues(ctx, row.Micros(claim.Now))
	if err != nil || len(queues) == 0 {
		return nil, unavailable(err)
	}
	var names []string
	var places []int64
	left := claim.InAll
	for _, queue := range queues {
		free, busy := claim.Busy[queue]
		if !busy {
			free = claim.PerQueue
		}
		if free = min(free, left); free > 0 {
			names, places = append(names, queue), append(places, int64(free))
			left -= free
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	return s.claim(ctx, claim, names, places)
}

// dueQueues returns the queues that have due jobs, hopping from queue to queue
// in the index instead of reading every job.
func (s *Store) dueQueues(ctx context.Context, at int64) ([]string, error) {
	rows, err := s.pool.Query(ctx, `WITH RECURSIVE queues (queue) AS (
			SELECT min(queue) FROM job WHERE claim IS NULL AND buried_at = 0
			UNION ALL
			SELECT (SELECT min(j.queue) FROM job j WHERE j.claim IS NULL AND j.buried_at = 0 AND j.queue > queues.queue)
			FROM queues WHERE queues.queue IS NOT NULL)
		SELECT queue FROM queues WHERE queue IS NOT NULL AND EXISTS (SELECT 1 FROM job
			WHERE job.queue = queues.queue AND job.claim IS NULL AND job.buried_at = 0 AND job.due_at <= $1)`, at)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// claim leases jobs of queues that are due and whose turn has come. Jobs that
// another replica is claiming are passed over.
func (s *Store) claim(ctx context.Context, claim job.Claim, queues []string, places []int64) (jobs []job.Job, err error) {
	err = s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		jobs = nil
		pipe := &pgx.Batch{}
		queuePlans(pipe)
		pipe.Queue(`UPDATE job SET claim = $1, lease_until = `+now+` + $2, runs = runs + 1
			FROM (SELECT due.* FROM unnest($3::text[], $4::bigint[]) AS q (queue, places),
				LATERAL (SELECT tenant_id, subject_id, kind FROM job
					WHERE job.queue = q.queue AND claim IS NULL AND buried_at = 0 AND due_at <= $5
					AND (thread IS NULL OR NOT EXISTS (SELECT 1 FROM job earlier WHERE earlier.thread = job.thread
						AND (earlier.turn, earlier.subject_id) < (job.turn, job.subject_id)))
					ORDER BY due_at LIMIT q.places FOR UPDATE SKIP LOCKED) due) due
			WHERE job.tenant_id = due.tenant_id AND job.subject_id = due.subject_id AND job.kind = due.kind
			RETURNING job.tenant_id, job.subject_id, job.kind, job.payment_id, job.queue, job.due_at, job.thread,
				job.turn, job.runs`,
			pgUUID(claim.ID), claim.Lease.Microseconds(), queues, places, row.Micros(claim.Now)).
			Query(func(rows pgx.Rows) error {
				return each(rows, scanJob, func(j job.Job) {
					j.Task.Claim = claim.ID
					jobs = append(jobs, j)
				})
			})
		return tx.SendBatch(ctx, pipe).Close()
	})
	return jobs, err
}

func scanJob(r scanner) (job.Job, error) {
	var j job.Job
	var due int64
	var thread *[16]byte
	err := r.Scan(raw(&j.Tenant), &j.Subject, &j.Kind, raw(&j.Payment), &j.Queue, &due, &thread, &j.After.Number, &j.Runs)
	if thread != nil {
		j.After.Thread = *thread
	}
	j.DueAt = row.Time(due)
	return j, err
}

// Renew implements [job.Store].
func (s *Store) Renew(ctx context.Context, tasks []payment.TaskRef, lease time.Duration) ([]payment.TaskRef, error) {
	tasks = sortTasks(tasks, func(t payment.TaskRef) (payment.TenantID, [16]byte) { return t.Tenant, t.Subject })
	rows, err := s.pool.Query(ctx, `WITH held AS (
			SELECT tenant_id, subject_id, kind FROM job JOIN unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[])
				AS t (tenant_id, subject_id, kind, claim) USING (tenant_id, subject_id, kind, claim)
			ORDER BY tenant_id, subject_id FOR UPDATE OF job SKIP LOCKED)
		UPDATE job SET lease_until = `+now+` + $5 FROM held
		WHERE job.tenant_id = held.tenant_id AND job.subject_id = held.subject_id AND job.kind = held.kind
		RETURNING job.tenant_id, job.subject_id, job.kind, job.claim`,
		ids(tasks, func(t payment.TaskRef) [16]byte { return t.Tenant }),
		ids(tasks, func(t payment.TaskRef) [16]byte { return t.Subject }),
		col(tasks, func(t payment.TaskRef) string { return string(t.Kind) }),
		ids(tasks, func(t payment.TaskRef) [16]byte { return t.Claim }), lease.Microseconds())
	if err != nil {
		return nil, unavailable(err)
	}
	var kept []payment.TaskRef
	err = each(rows, func(r scanner) (t payment.TaskRef, err error) {
		return t, r.Scan(raw(&t.Tenant), &t.Subject, &t.Kind, &t.Claim)
	}, func(t payment.TaskRef) { kept = append(kept, t) })
	return kept, unavailable(err)
}

// Reap implements [job.Store].
func (s *Store) Reap(ctx context.Context, runsMax, limit int) (reaped, buried int, err error) {
	rows, err := s.pool.Query(ctx, `UPDATE job SET claim = NULL, lease_until = 0,
			buried_at = CASE WHEN runs >= $1 THEN $2::bigint ELSE 0 END
		FROM (SELECT tenant_id, subject_id, kind FROM job WHERE claim IS NOT NULL AND lease_until < `+now+`
			ORDER BY lease_until LIMIT $3 FOR UPDATE SKIP LOCKED) ended
		WHERE job.tenant_id = ended.tenant_id AND job.subject_id = ended.subject_id AND job.kind = ended.kind
		RETURNING buried_at > 0`, runsMax, row.Micros(s.config.Now()), limit)
	if err != nil {
		return 0, 0, unavailable(err)
	}
	var isBuried bool
	_, err = pgx.ForEachRow(rows, []any{&isBuried}, func() error {
		if isBuried {
			buried++
		} else {
			reaped++
		}
		return nil
	})
	return reaped, buried, unavailable(err)
}

// Prune implements [job.Store].
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	tag, err := s.pool.Exec(ctx, `DELETE FROM job WHERE (tenant_id, subject_id, kind) IN (
			SELECT tenant_id, subject_id, kind FROM job WHERE buried_at > 0 AND buried_at < $1 LIMIT $2)`,
		row.Micros(before), limit)
	if err != nil {
		return 0, unavailable(err)
	}
	counters, err := s.pool.Exec(ctx, `DELETE FROM counter WHERE (tenant_id, kind, name, day, currency) IN (
			SELECT tenant_id, kind, name, day, currency FROM counter WHERE day < $1 LIMIT $2)`, row.Micros(before), limit)
	return int(tag.RowsAffected() + counters.RowsAffected()), unavailable(err)
}

// Count implements [job.Store].
func (s *Store) Count(ctx context.Context) (waiting map[payment.TaskKind]int, buried int, err error) {
	waiting = map[payment.TaskKind]int{}
	rows, err := s.pool.Query(ctx, `SELECT kind, buried_at > 0, count(*) FROM job GROUP BY 1, 2`)
	if err != nil {
		return nil, 0, unavailable(err)
	}
	var kind payment.TaskKind
	var isBuried bool
	var count int
	_, err = pgx.ForEachRow(rows, []any{&kind, &isBuried, &count}, func() error {
		if isBuried {
			buried += count
		} else {
			waiting[kind] = count
		}
		return nil
	})
	return waiting, buried, unavailable(err)
}
