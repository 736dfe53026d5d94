package sqlite

import (
	"bytes"
	"context"
	"math"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
	"github.com/refundry/refundry/internal/verify"
)

// PaymentKeys implements [verify.Store].
func (s *Store) PaymentKeys(_ context.Context, after verify.Key, limit int) ([]verify.Key, error) {
	var keys []verify.Key
	err := s.read(func(c *conn) error {
		const query = `SELECT tenant_id, id FROM payment WHERE (tenant_id, id) > (?, ?) ORDER BY tenant_id, id LIMIT ?`
		return c.query(query, []any{ident(after.Tenant), ident(after.Payment), limit}, func(r *cells) error {
			keys = append(keys, verify.Key{Tenant: r.uuid(), Payment: r.uuid()})
			return nil
		})
	})
	return keys, err
}

// PaymentWhole implements [verify.Store].
func (s *Store) PaymentWhole(_ context.Context, key verify.Key) (view payment.View, postings []ledger.Posting, err error) {
	err = s.snapshot(func(c *conn) error {
		if view, err = wholeView(c, key.Tenant, key.Payment); err != nil {
			return err
		}
		for _, refund := range view.Refunds {
			attempts, err := listAttempts(c, key.Tenant, refund.ID)
			if err != nil {
				return err
			}
			view.Attempts = append(view.Attempts, attempts...)
		}
		entries, err := listEntries(c, key.Tenant, key.Payment)
		for _, entry := range entries {
			postings = append(postings, entry.Postings...)
		}
		return err
	})
	return view, postings, err
}

// BatchesCounted implements [verify.Store].
func (s *Store) BatchesCounted(_ context.Context, after verify.Batch, limit int) ([]verify.Batch, error) {
	var found []verify.Batch
	err := s.read(func(c *conn) error {
		const query = `SELECT b.tenant_id, b.id, b.received = count(r.number)
			AND b.waiting = count(*) FILTER (WHERE r.status = 'waiting')
			AND b.refunded = count(*) FILTER (WHERE r.status = 'refunded')
			AND b.allowed = count(*) FILTER (WHERE r.status = 'allowed')
			AND b.refused = count(*) FILTER (WHERE r.status = 'refused')
			AND b.invalid = count(*) FILTER (WHERE r.status = 'invalid')
			AND b.skipped = count(*) FILTER (WHERE r.status = 'skipped'),
			count(*) FILTER (WHERE r.status = 'refunded' AND f.id IS NULL)
		FROM (SELECT * FROM batch WHERE (tenant_id, id) > (?, ?) ORDER BY tenant_id, id LIMIT ?) b
		LEFT JOIN batch_row r ON r.tenant_id = b.tenant_id AND r.batch_id = b.id
		LEFT JOIN refund f ON f.tenant_id = r.tenant_id AND f.id = r.refund_id AND f.payment_id = r.payment_id
		GROUP BY b.tenant_id, b.id, b.received, b.waiting, b.refunded, b.allowed, b.refused, b.invalid, b.skipped
		ORDER BY b.tenant_id, b.id`
		return c.query(query, []any{ident(after.Tenant), ident(after.ID), limit}, func(r *cells) error {
			found = append(found, verify.Batch{
				Tenant: r.uuid(), ID: r.uuid(), IsCounted: r.int() == 1, Lost: r.int(),
			})
			return nil
		})
	})
	return found, err
}

// Commits implements [verify.Store].
func (s *Store) Commits(_ context.Context, after int64, limit int) ([]verify.Commit, error) {
	var commits []verify.Commit
	err := s.snapshot(func(c *conn) error {
		links, err := listLinks(c, after, math.MaxInt64, limit+1)
		if err != nil {
			return err
		}
		for _, l := range row.Chain(links, after) {
			commit, err := recompute(c, l)
			if err != nil {
				return err
			}
			commits = append(commits, commit)
		}
		return nil
	})
	return commits, err
}

// recompute digests again what a commit has written.
func recompute(c *conn, l row.Chained) (verify.Commit, error) {
	commit := verify.Commit{Number: l.Number, Follows: l.Follows}
	for _, tenant := range l.Tenants() {
		facts, err := factsOf(c, tenant, l.Number)
		if err != nil {
			return commit, err
		}
		digest := facts.Digest()
		commit.Parts = append(commit.Parts, verify.Part{
			Tenant: tenant, Events: int64(len(facts.Facts)), Damaged: facts.Damaged,
			IsIntact: bytes.Equal(digest[:], l.DigestOf(tenant)),
		})
	}
	return commit, nil
}

// factsOf reads what a commit has written of one tenant, and what it proves.
func factsOf(c *conn, tenant payment.TenantID, number int64) (row.Facts, error) {
	facts := row.Facts{Tenant: tenant}
	const events = `SELECT e.commit_number, e.number, e.tenant_id, e.kind, e.payment_id, e.subject_id, e.version, e.at, e.actor,
		e.door, e.request, e.detail, e.person_id, e.sealed, e.address, k.key
		FROM event e LEFT JOIN personal_key k ON k.tenant_id = e.tenant_id AND k.owner_id = e.person_id
		WHERE e.tenant_id = ? AND e.commit_number = ? ORDER BY e.number`
	if err := c.query(events, []any{ident(tenant), number}, func(r *cells) error {
		fact := row.Fact{Event: scanEvent(r).Event}
		scanCaller(r, &fact)
		facts.Add(fact, r.maybe())
		return nil
	}); err != nil {
		return facts, err
	}
	for n := range facts.Facts {
		if err := prove(c, number, &facts.Facts[n]); err != nil {
			return facts, err
		}
	}
	return facts, nil
}

// prove reads what an event of a commit proves.
func prove(c *conn, number int64, fact *row.Fact) error {
	const entry = `SELECT cause, debit, credit, amount, currency FROM posting
		WHERE tenant_id = ? AND subject_id = ? AND version = ? AND commit_number = ? ORDER BY number`
	for _, subject := range row.SubjectsOf(fact.Event) {
		if err := c.query(entry, []any{ident(fact.Tenant), subject[:], fact.Version, number}, func(r *cells) error {
			entry := ledger.Entry{Subject: subject, Version: fact.Version, Cause: ledger.Cause(r.text())}
			fact.Entries = ledger.Append(fact.Entries, entry, scanPosting(r))
			return nil
		}); err != nil {
			return err
		}
	}
	const payout = `SELECT ` + payoutColumns + ` FROM payout WHERE tenant_id = ? AND id = ?`
	return c.query(payout, []any{ident(fact.Tenant), fact.Subject[:]}, func(r *cells) error {
		fact.Payout = scanPayout(r)
		return nil
	})
}

func scanPosting(r *cells) ledger.Posting {
	return ledger.Posting{
		Debit: ledger.Account(r.text()), Credit: ledger.Account(r.text()), Amount: row.Amount(r.int(), r.text()),
	}
}

// countAll counts what no commit accounts for, see [verify.Counts].
const countAll = `WITH newest AS (SELECT coalesce(max(number), 0) AS number FROM commit_row)
	SELECT (SELECT count(*) FROM event WHERE commit_number <= ?),
		(SELECT count(*) FROM event, newest WHERE commit_number > newest.number),
		(SELECT count(*) FROM posting p WHERE NOT EXISTS (SELECT 1 FROM event e
			WHERE e.tenant_id = p.tenant_id AND e.commit_number = p.commit_number AND e.payment_id = p.payment_id
				AND e.version = p.version AND e.at = p.at AND p.subject_id IN (e.subject_id, e.payment_id))),
		(SELECT count(*) FROM payout WHERE (tenant_id, id) NOT IN (SELECT tenant_id, subject_id FROM event
			WHERE kind = 'payout.created')),
		(SELECT count(*) FROM personal_key WHERE erased_at > 1 AND (tenant_id, owner_id) NOT IN (
			SELECT tenant_id, subject_id FROM event WHERE kind IN ('person.erased', 'payment.erased', 'order.erased'))),
		(SELECT count(*) FROM personal_key WHERE erased_at = 1)`

// CountAll implements [verify.Store].
func (s *Store) CountAll(_ context.Context, upTo int64) (counts verify.Counts, err error) {
	err = s.read(func(c *conn) error {
		return c.query(countAll, []any{upTo}, func(r *cells) error {
			counts = verify.Counts{
				Events: r.int(), Later: r.int(), Postings: r.int(), Payouts: r.int(), Keys: r.int(), Lost: r.int(),
			}
			return nil
		})
	})
	return counts, err
}
