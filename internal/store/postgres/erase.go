package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// personalKeys writes the keys of what came to be, and destroys those of what is
// erased, before anything is sealed.
func (w *writer) personalKeys(changes *payment.Changes) {
	if made := w.ring.Make(row.Owners(changes)); len(made) > 0 {
		w.exactly(len(made), engine.ErrLostRace, `INSERT INTO personal_key (tenant_id, owner_id, key)
			SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) ON CONFLICT DO NOTHING`,
			ids(made, func(o row.Owner) [16]byte { return o.Tenant }),
			ids(made, func(o row.Owner) [16]byte { return o.ID }),
			col(made, w.ring.Key))
	}
	w.erase(row.Erasures(changes))
}

// erase destroys keys, and blanks what an older version wrote beside them in the
// clear. What is sealed stays where it is: nothing opens it any more.
func (w *writer) erase(erasures []row.Erasure) {
	if len(erasures) == 0 {
		return
	}
	tenants := ids(erasures, func(e row.Erasure) [16]byte { return e.Tenant })
	owners := ids(erasures, func(e row.Erasure) [16]byte { return e.ID })
	w.destroyKeys(erasures) // one that was destroyed before is no worse
	const of = ` FROM unnest($1::uuid[], $2::uuid[]) AS e (tenant_id, payment_id)
		WHERE t.tenant_id = e.tenant_id AND t.payment_id = e.payment_id`
	w.pipe.Queue(`UPDATE item t SET metadata = ''`+of+` AND t.metadata <> ''`, tenants, owners)
	w.pipe.Queue(`UPDATE facet t SET body = ''`+of+` AND length(t.body) > 0`, tenants, owners)
	w.ring.Destroy(erasures)
}

// forgetNames takes a person's name out of refunds that an older version wrote in
// the clear. One that has been written since has it sealed.
func forgetNames(ctx context.Context, tx pgx.Tx, person row.Owner) error {
	type open struct {
		id      [16]byte
		version int64
		detail  string
	}
	q := &question{}
	q.add(`SELECT id, version, detail FROM refund WHERE tenant_id = ? AND persons IS NULL
		AND payment_id IN (SELECT payment_id FROM event WHERE tenant_id = ? AND person_id = ?)`,
		pgUUID(person.Tenant), pgUUID(person.Tenant), pgUUID(person.ID))
	refunds, err := ask(ctx, tx, q, func(s scanner) (r open, err error) {
		err = s.Scan(&r.id, &r.version, &r.detail)
		return r, err
	})
	if err != nil {
		return err
	}
	w := &writer{}
	for _, r := range refunds {
		forgotten, isNamed, err := row.ForgetName(r.detail, person)
		if err != nil {
			return err
		}
		if isNamed {
			w.pipe.Queue(`UPDATE refund SET detail = $1 WHERE tenant_id = $2 AND id = $3 AND version = $4`,
				forgotten, pgUUID(person.Tenant), pgUUID(r.id), r.version)
		}
	}
	return tx.SendBatch(ctx, &w.pipe).Close()
}

// destroyKeys destroys keys, or makes sure that there never are any. It touches
// those only that had not been destroyed before.
func (w *writer) destroyKeys(erasures []row.Erasure) *pgx.QueuedQuery {
	return w.pipe.Queue(`INSERT INTO personal_key AS k (tenant_id, owner_id, key, erased_at)
		SELECT tenant_id, owner_id, '', at FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS e (tenant_id, owner_id, at)
		ON CONFLICT (tenant_id, owner_id) DO UPDATE SET key = '', erased_at = excluded.erased_at WHERE k.erased_at = 0`,
		ids(erasures, func(e row.Erasure) [16]byte { return e.Tenant }),
		ids(erasures, func(e row.Erasure) [16]byte { return e.ID }),
		col(erasures, func(e row.Erasure) int64 { return row.Micros(e.At) }))
}
