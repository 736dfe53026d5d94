package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	driversqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// background is the context of everything here: nothing waits for long.
var background = context.Background()

// Commit implements [engine.Store].
func (s *Store) Commit(_ context.Context, batch [16]byte, needs []payment.Need, decide func(*payment.Book) error,
) error {
	err := s.write(func(c *conn) error {
		book := payment.NewBook(s.config.Now(), s.config.NewID)
		if err := s.load(c, book, needs); err != nil {
			return fmt.Errorf("load: %w", err)
		}
		if err := decide(book); err != nil {
			return err
		}
		if err := s.save(c, book); err != nil {
			return fmt.Errorf("save: %w", err)
		}
		return s.seal(c, batch, book.Now, row.FactsOf(book.Changes))
	})
	return s.settle(batch, err)
}

// settle interprets the error of a write that had a batch's id.
func (s *Store) settle(batch [16]byte, err error) error {
	if errors.Is(err, engine.ErrUncertain) {
		return err // the engine asks for the batch's fate
	}
	if constraint(err) != "" || errors.Is(err, engine.ErrLostRace) {
		if committed, lookErr := s.Committed(background, batch); lookErr == nil && committed {
			return engine.ErrCommitted
		}
	}
	return err
}

// constraint returns the name of the constraint that an error is about.
func constraint(err error) string {
	var failed *driversqlite.Error
	if errors.As(err, &failed) && failed.Code()&0xff == sqlite3.SQLITE_CONSTRAINT {
		return failed.Error()
	}
	return ""
}

// Committed implements [engine.Store].
func (s *Store) Committed(_ context.Context, batch [16]byte) (bool, error) {
	found := false
	err := s.read(func(c *conn) error {
		return c.query(`SELECT 1 FROM commit_row WHERE batch_id = ?`, []any{batch[:]}, func(*cells) error {
			found = true
			return nil
		})
	})
	return found, err
}

// wanted is what a batch needs of one payment.
type wanted struct {
	tenant  payment.TenantID
	payment payment.PaymentID
	need    payment.Need
	refunds []payment.RefundID
	found   payment.Payment // zero: there is none
}

// load reads what commands need. With one writer there is nothing to lock.
func (s *Store) load(c *conn, book *payment.Book, needs []payment.Need) error {
	var wants []*wanted
	index := map[[2][16]byte]*wanted{}
	want := func(need payment.Need, id payment.PaymentID) {
		w, ok := index[[2][16]byte{need.Tenant, id}]
		if !ok {
			w = &wanted{tenant: need.Tenant, payment: id}
			index[[2][16]byte{need.Tenant, id}] = w
			wants = append(wants, w)
		}
		w.need = w.need.With(need)
		if !need.Refund.IsZero() {
			w.refunds = append(w.refunds, need.Refund)
		}
	}
	for _, need := range needs {
		tenant, err := s.tenant(c, need.Tenant)
		if err != nil {
			return err
		}
		book.PutTenant(tenant)
		if err := loadKeyAndAliases(c, book, need); err != nil {
			return err
		}
		if !need.Payment.IsZero() {
			want(need, need.Payment)
		}
		if need.Order.IsZero() {
			continue
		}
		payments, err := loadOrder(c, book, need)
		if err != nil {
			return err
		}
		for _, id := range payments {
			want(need, id)
		}
	}
	for _, w := range wants {
		view, found, err := loadView(c, w, book.Tenant(w.tenant), book.Now)
		if err != nil {
			return err
		}
		if found {
			book.PutView(view)
		}
		w.found = view.Payment
	}
	return loadCounters(c, book, needs, func(need payment.Need) (payment.Payment, bool) {
		w, wanted := index[[2][16]byte{need.Tenant, need.Payment}]
		if !wanted {
			return payment.Payment{}, false
		}
		return w.found, !w.found.ID.IsZero()
	})
}

func loadKeyAndAliases(c *conn, book *payment.Book, need payment.Need) error {
	if need.Key != (payment.KeyHash{}) {
		record, err := loadKey(c, need.Tenant, need.Key)
		if err != nil {
			return err
		}
		if record != nil {
			book.PutKey(record)
		}
	}
	for _, alias := range need.Aliases {
		subject, found, err := findAlias(c, need.Tenant, alias)
		if err != nil {
			return err
		}
		if found {
			book.PutAlias(need.Tenant, alias, subject)
		}
	}
	return nil
}

// loadOrder gives the book an order and returns its payments.
func loadOrder(c *conn, book *payment.Book, need payment.Need) ([]payment.PaymentID, error) {
	order, found, err := findOrder(c, need.Tenant, need.Order)
	if err != nil || !found {
		return nil, err
	}
	book.PutOrder(order)
	var payments []payment.PaymentID
	const query = `SELECT id FROM payment INDEXED BY payment_by_order
		WHERE tenant_id = ? AND order_id = ? ORDER BY id`
	err = c.query(query, []any{ident(need.Tenant), ident(need.Order)}, func(r *cells) error {
		payments = append(payments, r.uuid())
		return nil
	})
	return payments, err
}

// loadView reads a payment and the parts that the batch needs of it.
func loadView(c *conn, w *wanted, tenant *payment.Tenant, now time.Time) (payment.View, bool, error) {
	p, found, err := findPayment(c, w.tenant, w.payment)
	if err != nil || !found {
		return payment.View{}, false, err
	}
	view := payment.View{Payment: p, Parts: w.need.Widen(p)}
	if err := loadParts(c, &view); err != nil {
		return payment.View{}, false, err
	}
	if since := w.need.Since(tenant, now); !since.IsZero() && view.Parts&payment.PartRefunds == 0 {
		if err := loadRefundsSince(c, &view, since); err != nil {
			return payment.View{}, false, err
		}
	}
	for _, id := range w.refunds {
		if err := loadRefund(c, &view, id); err != nil {
			return payment.View{}, false, err
		}
	}
	return view, true, nil
}

// loadRefund adds one refund to a view, with its attempts.
func loadRefund(c *conn, view *payment.View, id payment.RefundID) error {
	if _, known := view.Refund(id); !known {
		r, found, err := findRefund(c, view.Payment.Tenant, id)
		if err != nil {
			return err
		}
		if !found || r.Payment != view.Payment.ID {
			return nil
		}
		view.Refunds = append(view.Refunds, r)
	}
	attempts, err := listAttempts(c, view.Payment.Tenant, id)
	view.Attempts = append(view.Attempts, attempts...)
	return err
}
