package postgres

import (
	"cmp"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// resources writes resources, in one order everywhere: two commits may put the
// same ones, and neither has them locked.
func (w *writer) resources(resources []payment.Resource) {
	if len(resources) == 0 {
		return
	}
	slices.SortFunc(resources, inOrder)
	w.pipe.Queue(`INSERT INTO resource (tenant_id, door, kind, id, body, created_at)
		SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bytea[], $6::bigint[])
		ON CONFLICT (tenant_id, door, kind, id) DO UPDATE SET body = excluded.body`,
		ids(resources, func(r payment.Resource) [16]byte { return r.Tenant }),
		col(resources, func(r payment.Resource) string { return string(r.Door) }),
		col(resources, func(r payment.Resource) string { return string(r.Kind) }),
		ids(resources, func(r payment.Resource) [16]byte { return r.ID }),
		col(resources, func(r payment.Resource) []byte { return notNull(r.Body) }),
		col(resources, func(r payment.Resource) int64 { return row.Micros(r.CreatedAt) }))
}

func inOrder(a, b payment.Resource) int {
	return cmp.Or(a.Tenant.Compare(b.Tenant), strings.Compare(string(a.Door), string(b.Door)),
		strings.Compare(string(a.Kind), string(b.Kind)), a.ID.Compare(b.ID))
}

// removed removes resources, one by one in the order in which they are put.
func (w *writer) removed(resources []payment.Resource) {
	for _, r := range slices.SortedFunc(slices.Values(resources), inOrder) {
		w.pipe.Queue(`DELETE FROM resource WHERE tenant_id = $1 AND door = $2 AND kind = $3 AND id = $4`,
			pgUUID(r.Tenant), string(r.Door), string(r.Kind), pgUUID(r.ID))
	}
}

func (w *writer) payouts(payouts []payment.Payout) {
	if len(payouts) == 0 {
		return
	}
	w.pipe.Queue(`INSERT INTO payout (`+payoutColumns+`)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::bigint[])`,
		ids(payouts, func(p payment.Payout) [16]byte { return p.Tenant }),
		ids(payouts, func(p payment.Payout) [16]byte { return p.ID }),
		ids(payouts, func(p payment.Payout) [16]byte { return p.Order }),
		col(payouts, func(p payment.Payout) string { return p.Merchant }),
		col(payouts, func(p payment.Payout) int64 { return int64(p.Amount.Minor) }),
		col(payouts, func(p payment.Payout) string { return string(p.Amount.Currency) }),
		col(payouts, func(p payment.Payout) int64 { return row.Micros(p.At) }))
}
