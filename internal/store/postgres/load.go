package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// load locks orders and payments, in one order everywhere, and then, in later
// statements, reads what the commands and their rules need: a join in the
// locking statement would see rows as they were before the wait.
func (c *commit) load(ctx context.Context, book *payment.Book, needs []payment.Need) error {
	want := &wants{index: map[[2][16]byte]*wanted{}}
	var orders []payment.Need
	for _, need := range needs {
		if !need.Payment.IsZero() {
			want.add(need, need.Payment)
		}
		if !need.Order.IsZero() {
			orders = append(orders, need)
		}
	}
	pipe := &pgx.Batch{}
	pipe.Queue("BEGIN")
	queuePlans(pipe)
	if len(orders) > 0 {
		c.queueOrders(pipe, book, orders, want)
		if err := c.send(ctx, pipe); err != nil {
			return err
		}
		pipe = &pgx.Batch{}
	}
	want.sort()
	views := map[[2][16]byte]*payment.View{}
	versions := map[payment.TenantID]int64{}
	c.queuePayments(pipe, want, views)
	queueVersions(pipe, needs, versions)
	if err := c.send(ctx, pipe); err != nil {
		return err
	}
	if err := c.putTenants(ctx, book, versions); err != nil {
		return err
	}
	return c.read(ctx, book, needs, want, views)
}

// queueOrders locks orders and finds their payments.
func (c *commit) queueOrders(pipe *pgx.Batch, book *payment.Book, needs []payment.Need, want *wants) {
	slices.SortFunc(needs, func(a, b payment.Need) int {
		if order := a.Tenant.Compare(b.Tenant); order != 0 {
			return order
		}
		return a.Order.Compare(b.Order)
	})
	tenants := ids(needs, func(n payment.Need) [16]byte { return n.Tenant })
	orders := ids(needs, func(n payment.Need) [16]byte { return n.Order })
	pipe.Queue(`SELECT o.* FROM unnest($1::uuid[], $2::uuid[]) AS want (tenant_id, id),
		LATERAL (SELECT `+orderColumns+` FROM payment_order o WHERE o.tenant_id = want.tenant_id AND o.id = want.id
			FOR NO KEY UPDATE) o`, tenants, orders).
		Query(func(rows pgx.Rows) error {
			return each(rows, orderInto(c.ring), func(o payment.Order) { book.PutOrder(o) })
		})
	pipe.Queue(`SELECT p.tenant_id, p.id, p.order_id FROM unnest($1::uuid[], $2::uuid[]) AS want (tenant_id, id)
		JOIN payment p ON p.tenant_id = want.tenant_id AND p.order_id = want.id`, tenants, orders).
		Query(func(rows pgx.Rows) error {
			var tenant, id, order [16]byte
			_, err := pgx.ForEachRow(rows, []any{&tenant, &id, &order}, func() error {
				for _, need := range needs {
					if need.Tenant == tenant && need.Order == order {
						want.add(need, id)
					}
				}
				return nil
			})
			return err
		})
}

// queuePayments locks payments.
func (c *commit) queuePayments(pipe *pgx.Batch, want *wants, views map[[2][16]byte]*payment.View) {
	if len(want.list) == 0 {
		return
	}
	pipe.Queue(`SELECT p.* FROM unnest($1::uuid[], $2::uuid[]) AS want (tenant_id, id),
		LATERAL (SELECT `+paymentColumns+` FROM payment p WHERE p.tenant_id = want.tenant_id AND p.id = want.id
			FOR NO KEY UPDATE) p`,
		ids(want.list, func(w *wanted) [16]byte { return w.tenant }),
		ids(want.list, func(w *wanted) [16]byte { return w.payment })).
		Query(func(rows pgx.Rows) error {
			return each(rows, paymentInto(c.ring), func(p payment.Payment) {
				views[[2][16]byte{p.Tenant, p.ID}] = &payment.View{Payment: p}
			})
		})
}

// read reads everything else in one pipeline, and fills the book.
func (c *commit) read(ctx context.Context, book *payment.Book, needs []payment.Need, want *wants,
	views map[[2][16]byte]*payment.View,
) error {
	parts := &partsWanted{}
	for _, w := range want.list {
		if view, found := views[[2][16]byte{w.tenant, w.payment}]; found {
			view.Parts = w.need.Widen(view.Payment)
			parts.add(view, w.refunds)
			parts.since(view, w.need.Since(book.Tenant(w.tenant), book.Now))
		}
	}
	pipe := &pgx.Batch{}
	queueKeys(pipe, book, needs)
	queueAliases(pipe, book, needs)
	queueCounters(pipe, book, needs, views)
	parts.queue(pipe)
	if pipe.Len() > 0 {
		if err := c.send(ctx, pipe); err != nil {
			return err
		}
	}
	for _, view := range views {
		book.PutView(*view)
	}
	return nil
}

// queueVersions reads the versions of the batch's tenants.
func queueVersions(pipe *pgx.Batch, needs []payment.Need, versions map[payment.TenantID]int64) {
	var tenants []payment.TenantID
	for _, need := range needs {
		if !slices.Contains(tenants, need.Tenant) {
			tenants = append(tenants, need.Tenant)
		}
	}
	pipe.Queue(`SELECT id, version FROM tenant WHERE id = ANY($1)`,
		ids(tenants, func(t payment.TenantID) [16]byte { return t })).
		Query(func(rows pgx.Rows) error {
			var id [16]byte
			var version int64
			_, err := pgx.ForEachRow(rows, []any{&id, &version}, func() error {
				versions[id] = version
				return nil
			})
			return err
		})
}

// putTenants gives the book what must be known of tenants. The whole of one is
// read only when its version has changed.
func (c *commit) putTenants(ctx context.Context, book *payment.Book, versions map[payment.TenantID]int64) error {
	for id, version := range versions {
		tenant := c.store.cached(id, version)
		if tenant == nil {
			var err error
			if tenant, err = findTenant(ctx, c.conn, id); err != nil {
				return err
			}
			c.store.cache(tenant)
		}
		book.PutTenant(tenant)
	}
	return nil
}

func queueKeys(pipe *pgx.Batch, book *payment.Book, needs []payment.Need) {
	var keyed []payment.Need
	for _, need := range needs {
		if need.Key != (payment.KeyHash{}) {
			keyed = append(keyed, need)
		}
	}
	if len(keyed) == 0 {
		return
	}
	pipe.Queue(`SELECT `+keyColumns+` FROM unnest($1::uuid[], $2::uuid[]) AS want (tenant_id, hash)
		JOIN idempotency_key k ON k.tenant_id = want.tenant_id AND k.hash = want.hash`,
		ids(keyed, func(n payment.Need) [16]byte { return n.Tenant }),
		ids(keyed, func(n payment.Need) [16]byte { return n.Key })).
		Query(func(rows pgx.Rows) error {
			return each(rows, scanKey, func(k payment.KeyRecord) { book.PutKey(&k) })
		})
}

func queueAliases(pipe *pgx.Batch, book *payment.Book, needs []payment.Need) {
	type named struct {
		tenant payment.TenantID
		alias  payment.Alias
	}
	var aliases []named
	for _, need := range needs {
		for _, alias := range need.Aliases {
			aliases = append(aliases, named{need.Tenant, alias})
		}
	}
	if len(aliases) == 0 {
		return
	}
	pipe.Queue(`SELECT a.tenant_id, a.kind, a.value, a.subject_id
		FROM unnest($1::uuid[], $2::text[], $3::text[]) AS want (tenant_id, kind, value)
		JOIN alias a ON a.tenant_id = want.tenant_id AND a.kind = want.kind AND a.value = want.value`,
		ids(aliases, func(n named) [16]byte { return n.tenant }),
		col(aliases, func(n named) string { return n.alias.Kind }),
		col(aliases, func(n named) string { return n.alias.Value })).
		Query(func(rows pgx.Rows) error {
			var tenant, subject [16]byte
			var alias payment.Alias
			_, err := pgx.ForEachRow(rows, []any{&tenant, &alias.Kind, &alias.Value, &subject}, func() error {
				book.PutAlias(tenant, alias, subject)
				return nil
			})
			return err
		})
}

// partsWanted collects which parts of which payments a batch reads.
type partsWanted struct {
	views   []*payment.View
	refunds []namedRefund
	newer   []newerRefunds
}

// newerRefunds are the refunds of a payment that were opened after a time, where
// not all of them are read.
type newerRefunds struct {
	view  *payment.View
	since int64
}

// namedRefund is a refund that a command names, with the view it goes to.
type namedRefund struct {
	view *payment.View
	id   payment.RefundID
}

func (p *partsWanted) add(view *payment.View, refunds []payment.RefundID) {
	p.views = append(p.views, view)
	for _, id := range refunds {
		p.refunds = append(p.refunds, namedRefund{view, id})
	}
}

func (p *partsWanted) since(view *payment.View, since time.Time) {
	if !since.IsZero() && view.Parts&payment.PartRefunds == 0 {
		p.newer = append(p.newer, newerRefunds{view, row.Micros(since)})
	}
}

// of returns the views that want a part, as two columns and by key.
func (p *partsWanted) of(part payment.Parts) (tenants, payments uuids, byKey map[[2][16]byte]*payment.View) {
	var views []*payment.View
	byKey = map[[2][16]byte]*payment.View{}
	for _, view := range p.views {
		if view.Parts&part != 0 {
			views = append(views, view)
			byKey[[2][16]byte{view.Payment.Tenant, view.Payment.ID}] = view
		}
	}
	return ids(views, func(v *payment.View) [16]byte { return v.Payment.Tenant }),
		ids(views, func(v *payment.View) [16]byte { return v.Payment.ID }), byKey
}

// part describes how one kind of part is read: for many payments at a time, in
// a commit and outside of one alike.
type part struct {
	part  payment.Parts
	query string
	read  func(rows pgx.Rows, views map[[2][16]byte]*payment.View) error
}

const wantPayments = ` FROM unnest($1::uuid[], $2::uuid[]) AS want (tenant_id, payment_id) JOIN `

var parts = []part{
	{payment.PartOrder, `SELECT p.id, ` + orderColumns + ` FROM unnest($1::uuid[], $2::uuid[]) AS want (tenant_id, id)
		JOIN payment p ON p.tenant_id = want.tenant_id AND p.id = want.id
		JOIN payment_order o ON o.tenant_id = p.tenant_id AND o.id = p.order_id`, readOrders},
	{payment.PartCaptures, `SELECT tenant_id, payment_id, id, amount, is_final, status, history,
		reserved, refunded` + wantPayments +
		`capture USING (tenant_id, payment_id) ORDER BY id`, readCaptures},
	{payment.PartItems, `SELECT tenant_id, payment_id, position, name, quantity, unit_amount, tax_rate, tax, total,
		merchant, metadata, tags, since_version, until_version, came_back, reserved_quantity, reserved_amount,
		reserved_tax, refunded_quantity, refunded_amount, refunded_tax, personal,
		CASE WHEN personal IS NOT NULL THEN (SELECT key FROM personal_key k
			WHERE k.tenant_id = item.tenant_id AND k.owner_id = item.payment_id) END` + wantPayments +
		`item USING (tenant_id, payment_id) ORDER BY position`, readItems},
	{payment.PartRefunds, `SELECT ` + refundColumns + wantPayments +
		`refund r USING (tenant_id, payment_id) ORDER BY r.id`, readRefunds},
	{payment.PartDisputes, `SELECT ` + disputeColumns + wantPayments +
		`dispute USING (tenant_id, payment_id) ORDER BY id`, readDisputes},
	{payment.PartFacets, `SELECT tenant_id, payment_id, ` + facetColumns + wantPayments +
		`facet USING (tenant_id, payment_id) ORDER BY version`, readFacets},
}

// load reads all parts in one round trip.
func (p *partsWanted) load(ctx context.Context, tx pgx.Tx) error {
	pipe := &pgx.Batch{}
	p.queue(pipe)
	if pipe.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, pipe).Close()
}

// queue queues the questions for all parts, and for the refunds that were named.
func (p *partsWanted) queue(pipe *pgx.Batch) {
	for _, part := range parts {
		tenants, payments, views := p.of(part.part)
		if len(views) == 0 {
			continue
		}
		pipe.Queue(part.query, tenants, payments).Query(func(rows pgx.Rows) error { return part.read(rows, views) })
	}
	p.queueNewer(pipe)
	if len(p.refunds) == 0 {
		return
	}
	tenants := ids(p.refunds, func(n namedRefund) [16]byte { return n.view.Payment.Tenant })
	refunds := ids(p.refunds, func(n namedRefund) [16]byte { return n.id })
	pipe.Queue(`SELECT `+refundColumns+` FROM unnest($1::uuid[], $2::uuid[]) AS want (tenant_id, id)
		JOIN refund r USING (tenant_id, id)`, tenants, refunds).
		Query(func(rows pgx.Rows) error { return each(rows, scanRefund, p.putRefund) })
	pipe.Queue(`SELECT `+attemptColumns+` FROM unnest($1::uuid[], $2::uuid[]) AS want (tenant_id, refund_id)
		JOIN attempt USING (tenant_id, refund_id) ORDER BY refund_id, number`, tenants, refunds).
		Query(func(rows pgx.Rows) error { return each(rows, scanAttempt, p.putAttempt) })
}

// queueNewer goes before the refunds that were named: these are put once.
func (p *partsWanted) queueNewer(pipe *pgx.Batch) {
	if len(p.newer) == 0 {
		return
	}
	views := byPayment{}
	for _, n := range p.newer {
		views[[2][16]byte{n.view.Payment.Tenant, n.view.Payment.ID}] = n.view
	}
	pipe.Queue(`SELECT `+refundColumns+` FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS want (tenant_id, payment_id, since)
		JOIN refund r USING (tenant_id, payment_id) WHERE r.created_at > want.since ORDER BY r.id`,
		ids(p.newer, func(n newerRefunds) [16]byte { return n.view.Payment.Tenant }),
		ids(p.newer, func(n newerRefunds) [16]byte { return n.view.Payment.ID }),
		col(p.newer, func(n newerRefunds) int64 { return n.since })).
		Query(func(rows pgx.Rows) error { return readRefunds(rows, views) })
}

func (p *partsWanted) putRefund(refund payment.Refund) {
	for _, named := range p.refunds {
		if named.id != refund.ID || refund.Payment != named.view.Payment.ID {
			continue
		}
		if _, known := named.view.Refund(refund.ID); !known {
			named.view.Refunds = append(named.view.Refunds, refund)
		}
	}
}

func (p *partsWanted) putAttempt(attempt payment.Attempt) {
	for _, named := range p.refunds {
		if named.id != attempt.Refund {
			continue
		}
		known := slices.ContainsFunc(named.view.Attempts, func(a payment.Attempt) bool { return a.ID == attempt.ID })
		if !known {
			named.view.Attempts = append(named.view.Attempts, attempt)
		}
	}
}
