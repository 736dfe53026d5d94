package postgres

import (
	"bytes"
	"context"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
	"github.com/refundry/refundry/internal/verify"
)

// PaymentKeys implements [verify.Store].
func (s *Store) PaymentKeys(ctx context.Context, after verify.Key, limit int) ([]verify.Key, error) {
	rows, err := s.pool.Query(ctx, `SELECT tenant_id, id FROM payment WHERE (tenant_id, id) > ($1, $2)
		ORDER BY tenant_id, id LIMIT $3`, pgUUID(after.Tenant), pgUUID(after.Payment), limit)
	if err != nil {
		return nil, unavailable(err)
	}
	var keys []verify.Key
	var key verify.Key
	_, err = pgx.ForEachRow(rows, []any{raw(&key.Tenant), raw(&key.Payment)}, func() error {
		keys = append(keys, key)
		return nil
	})
	return keys, unavailable(err)
}

// PaymentWhole implements [verify.Store].
func (s *Store) PaymentWhole(ctx context.Context, key verify.Key) (view payment.View, postings []ledger.Posting, err error) {
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		pipe := &pgx.Batch{}
		queuePlans(pipe)
		seen := queueView(pipe, key.Tenant, key.Payment, payment.PartAll)
		if err := tx.SendBatch(ctx, pipe).Close(); err != nil {
			return err
		}
		if view, err = seen(); err != nil {
			return err
		}
		wanted := &partsWanted{refunds: make([]namedRefund, len(view.Refunds))}
		for i, refund := range view.Refunds {
			wanted.refunds[i] = namedRefund{&view, refund.ID}
		}
		if err := wanted.load(ctx, tx); err != nil {
			return err
		}
		entries, err := listEntries(ctx, tx, key.Tenant, key.Payment)
		for _, entry := range entries {
			postings = append(postings, entry.Postings...)
		}
		return err
	})
	return view, postings, err
}

// BatchesCounted implements [verify.Store].
func (s *Store) BatchesCounted(ctx context.Context, after verify.Batch, limit int) ([]verify.Batch, error) {
	rows, err := s.pool.Query(ctx, `SELECT b.tenant_id, b.id, b.received = count(r.number)
			AND b.waiting = count(*) FILTER (WHERE r.status = 'waiting')
			AND b.refunded = count(*) FILTER (WHERE r.status = 'refunded')
			AND b.allowed = count(*) FILTER (WHERE r.status = 'allowed')
			AND b.refused = count(*) FILTER (WHERE r.status = 'refused')
			AND b.invalid = count(*) FILTER (WHERE r.status = 'invalid')
			AND b.skipped = count(*) FILTER (WHERE r.status = 'skipped'),
			count(*) FILTER (WHERE r.status = 'refunded' AND f.id IS NULL)
		FROM (SELECT * FROM batch WHERE (tenant_id, id) > ($1, $2) ORDER BY tenant_id, id LIMIT $3) b
		LEFT JOIN batch_row r ON r.tenant_id = b.tenant_id AND r.batch_id = b.id
		LEFT JOIN refund f ON f.tenant_id = r.tenant_id AND f.id = r.refund_id AND f.payment_id = r.payment_id
		GROUP BY b.tenant_id, b.id, b.received, b.waiting, b.refunded, b.allowed, b.refused, b.invalid, b.skipped
		ORDER BY b.tenant_id, b.id`,
		pgUUID(after.Tenant), pgUUID(after.ID), limit)
	if err != nil {
		return nil, unavailable(err)
	}
	var found []verify.Batch
	err = each(rows, func(r scanner) (b verify.Batch, err error) {
		err = r.Scan(raw(&b.Tenant), raw(&b.ID), &b.IsCounted, &b.Lost)
		return b, err
	}, func(b verify.Batch) { found = append(found, b) })
	return found, unavailable(err)
}

// Commits implements [verify.Store].
func (s *Store) Commits(ctx context.Context, after int64, limit int) ([]verify.Commit, error) {
	var commits []verify.Commit
	err := s.snapshot(ctx, func(tx pgx.Tx) error {
		links, err := listLinks(ctx, tx, after, math.MaxInt64, limit+1)
		if err != nil {
			return err
		}
		chained := row.Chain(links, after)
		if len(chained) == 0 {
			return nil
		}
		facts, err := listFacts(ctx, tx, tenantsOf(chained), chained[0].Number, chained[len(chained)-1].Number)
		if err != nil {
			return err
		}
		for _, l := range chained {
			commits = append(commits, recompute(l, facts))
		}
		return nil
	})
	return commits, err
}

// listLinks reads at most limit commit rows from one number to another, in order.
func listLinks(ctx context.Context, db querier, first, last int64, limit int) ([]row.Link, error) {
	rows, err := db.Query(ctx, `SELECT number, batch_id, at, digests, hash FROM commit_row WHERE number BETWEEN $1 AND $2
		ORDER BY number LIMIT $3`, first, last, limit)
	if err != nil {
		return nil, err
	}
	var links []row.Link
	err = each(rows, scanLink, func(l row.Link) { links = append(links, l) })
	return links, err
}

func scanLink(r scanner) (l row.Link, err error) {
	var hash []byte
	err = r.Scan(&l.Number, &l.Batch, &l.At, &l.Digests, &hash)
	copy(l.Hash[:], hash)
	return l, err
}

// factsKey names what one commit has written of one tenant.
type factsKey struct {
	number int64
	tenant payment.TenantID
}

// selectFacts reads events with what each of them proves, see [row.SubjectsOf].
const selectFacts = `SELECT e.commit_number, e.number, e.tenant_id, e.kind, e.payment_id, e.subject_id, e.version, e.at,
		e.actor, e.door, e.request, e.detail, e.person_id, e.sealed, e.address, k.key, s.subject_id,
		coalesce(p.cause, ''), coalesce(p.debit, ''),
		coalesce(p.credit, ''), coalesce(p.amount, 0), coalesce(p.currency, ''), o.id, o.order_id,
		coalesce(o.merchant, ''), coalesce(o.amount, 0), coalesce(o.currency, ''), coalesce(o.at, 0)
	FROM event e
		CROSS JOIN LATERAL (VALUES (1, e.subject_id), (2, e.payment_id)) AS s (place, subject_id)
		LEFT JOIN posting p ON p.tenant_id = e.tenant_id AND p.subject_id = s.subject_id AND p.version = e.version
			AND p.commit_number = e.commit_number AND e.payment_id <> '00000000-0000-0000-0000-000000000000'
		LEFT JOIN personal_key k ON k.tenant_id = e.tenant_id AND k.owner_id = e.person_id
		LEFT JOIN payout o ON o.tenant_id = e.tenant_id AND o.id = e.subject_id
	WHERE e.tenant_id = ANY($1) AND e.commit_number BETWEEN $2 AND $3 AND (s.place = 1 OR s.subject_id <> e.subject_id)
	ORDER BY e.tenant_id, e.commit_number, e.number, s.place, p.number`

// tenantsOf returns the tenants that have a part in some commits.
func tenantsOf(links []row.Chained) (tenants []payment.TenantID) {
	for _, l := range links {
		for _, tenant := range l.Tenants() {
			if !slices.Contains(tenants, tenant) {
				tenants = append(tenants, tenant)
			}
		}
	}
	return tenants
}

// listFacts reads what commits from one to another have written of some
// tenants, events with what they prove.
func listFacts(ctx context.Context, tx pgx.Tx, tenants []payment.TenantID, first, last int64,
) (map[factsKey]*row.Facts, error) {
	rows, err := tx.Query(ctx, selectFacts, ids(tenants, func(t payment.TenantID) [16]byte { return t }), first, last)
	if err != nil {
		return nil, err
	}
	all := map[factsKey]*row.Facts{}
	var e payment.FeedEvent
	var at, paidAt int64
	var entry ledger.Entry
	var posting ledger.Posting
	var payout payment.Payout
	var payoutID, order pgtype.UUID
	var person pgtype.UUID
	var sealed, key []byte
	index := -1
	_, err = pgx.ForEachRow(rows, []any{
		&e.Cursor.Commit, &e.Cursor.Index, raw(&e.Tenant), &e.Kind, raw(&e.Payment), &e.Subject, &e.Version, &at,
		&e.Actor, &e.Door, &e.Request, &e.Detail, &person, &sealed, &e.Address, &key, &entry.Subject, &entry.Cause,
		&posting.Debit, &posting.Credit,
		&posting.Amount.Minor, &posting.Amount.Currency, &payoutID, &order, &payout.Merchant,
		&payout.Amount.Minor, &payout.Amount.Currency, &paidAt,
	}, func() error {
		part := factsKey{e.Cursor.Commit, e.Tenant}
		facts, ok := all[part]
		if !ok {
			facts = &row.Facts{Tenant: e.Tenant}
			all[part], index = facts, -1
		}
		if e.Cursor.Index != index {
			index = e.Cursor.Index
			e.At, payout.At = row.Time(at), row.Time(paidAt)
			payout.Tenant, payout.ID, payout.Order = e.Tenant, payoutID.Bytes, order.Bytes
			facts.Add(row.Fact{Event: e.Event, Person: person.Bytes, Sealed: slices.Clone(sealed), Payout: payout}, key)
		}
		if entry.Cause != "" {
			fact := &facts.Facts[len(facts.Facts)-1]
			entry.Version = e.Version
			fact.Entries = ledger.Append(fact.Entries, entry, posting)
		}
		return nil
	})
	return all, err
}

// recompute digests again what a commit has written.
func recompute(l row.Chained, facts map[factsKey]*row.Facts) verify.Commit {
	commit := verify.Commit{Number: l.Number, Follows: l.Follows}
	for _, tenant := range l.Tenants() {
		written, ok := facts[factsKey{l.Number, tenant}]
		if !ok {
			written = &row.Facts{Tenant: tenant}
		}
		digest := written.Digest()
		commit.Parts = append(commit.Parts, verify.Part{
			Tenant: tenant, Events: int64(len(written.Facts)), Damaged: written.Damaged,
			IsIntact: bytes.Equal(digest[:], l.DigestOf(tenant)),
		})
	}
	return commit
}

// countAll counts what no commit accounts for, see [verify.Counts].
const countAll = `SELECT (SELECT count(*) FROM event WHERE commit_number <= $1),
	(SELECT count(*) FROM event WHERE commit_number > (SELECT coalesce(max(number), 0) FROM commit_row)),
	(SELECT count(*) FROM posting p WHERE NOT EXISTS (SELECT 1 FROM event e
		WHERE e.tenant_id = p.tenant_id AND e.commit_number = p.commit_number AND e.payment_id = p.payment_id
			AND e.version = p.version AND e.at = p.at AND p.subject_id IN (e.subject_id, e.payment_id))),
	(SELECT count(*) FROM payout o WHERE NOT EXISTS (SELECT 1 FROM event e
		WHERE e.tenant_id = o.tenant_id AND e.subject_id = o.id AND e.kind = 'payout.created')),
	(SELECT count(*) FROM personal_key k WHERE k.erased_at > 1 AND NOT EXISTS (SELECT 1 FROM event e
		WHERE e.tenant_id = k.tenant_id AND e.subject_id = k.owner_id
			AND e.kind IN ('person.erased', 'payment.erased', 'order.erased'))),
	(SELECT count(*) FROM personal_key WHERE erased_at = 1)`

// CountAll implements [verify.Store].
func (s *Store) CountAll(ctx context.Context, upTo int64) (counts verify.Counts, err error) {
	err = s.pool.QueryRow(ctx, countAll, upTo).Scan(
		&counts.Events, &counts.Later, &counts.Postings, &counts.Payouts, &counts.Keys, &counts.Lost)
	return counts, unavailable(err)
}
