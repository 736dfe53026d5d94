package storetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// Keys of payments, orders and persons share a table: an id is not enough.
func testErasedNoPerson(t *testing.T, open Open) {
	b := setup(t, open)
	view := b.personal(t)
	for what, subject := range map[string][16]byte{"a payment": view.Payment.ID, "an order": view.Order.ID} {
		err := b.store.ErasePerson(t.Context(), payment.Event{
			Tenant: b.tenant, Kind: payment.EventPersonErased, Subject: subject, At: b.clock.Now(),
		})
		if fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s is erased as a person: %v", what, err)
		}
	}
	if after := b.view(t, view.Payment.ID); marks(after) != allMarks {
		t.Errorf("%d of %d marks are left", marks(after), allMarks)
	}
	b.damage(t, `UPDATE personal_key SET key = substr(key, 1, 0), erased_at = 1`)
	b.erasePayment(t, view.Payment)
	if after := b.view(t, view.Payment.ID); after.Payment.ErasedAt().IsZero() {
		t.Error("a payment whose key is gone is not erased")
	}
}

// Whoever erases names somebody, too, whose key another may be destroying, while
// commits name both.
func testErasedCrosswise(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	other := b.beside(t, nobody{})
	const rounds = 12
	for round := range rounds {
		names := []string{fmt.Sprint("a", round), fmt.Sprint("b", round)}
		for _, name := range names {
			b.soldBy(t, b.as(name, home))
		}
		var wait sync.WaitGroup
		for n, name := range names {
			wait.Go(func() {
				if err := b.store.ErasePerson(t.Context(), payment.Event{
					Tenant: b.tenant, Kind: payment.EventPersonErased, Subject: payment.PersonOf(b.tenant, name),
					At: b.clock.Now(), User: names[1-n],
				}); err != nil {
					t.Error(err)
				}
			})
			wait.Go(func() {
				told, too := b.changed(), b.changed()
				told.User, too.User = fmt.Sprint("new", round), name
				if err := b.tryChange(t, auth.Change{Events: []payment.Event{told, too}}); err != nil {
					t.Error(err)
				}
			})
			wait.Go(func() {
				command := b.captured(10)
				command.Meta = b.as(name, home)
				if _, err := other.Do(t.Context(), command); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	}
	for _, e := range b.trail(t, audit.Range{}) {
		if e.User != "" && !strings.HasPrefix(e.User, "new") {
			t.Errorf("%q is read in %s", e.User, e.Kind)
		}
	}
	b.wantClean(t)
}

// testRemovedBy removes what a door keeps of a payer, with the payment.
func testRemovedBy(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.capture(t, 1000)
	meta := b.as(ann, home)
	kept := b.do(t, payment.PutResource{Meta: meta, Kind: "client", Body: []byte("{}")}).Resource
	b.do(t, payment.ErasePayment{
		Meta: meta, Payment: p.ID, Persons: []payment.ResourceRef{{Door: kept.Door, Kind: kept.Kind, ID: kept.ID}},
	})
	var kinds []string
	for _, e := range b.trail(t, audit.Range{Person: payment.PersonOf(b.tenant, ann)}) {
		kinds = append(kinds, fmt.Sprint(e.Kind, " by ", e.User, " at ", e.Address))
	}
	const by = " by " + ann + " at " + home
	wantSame(t, "asked for", kinds, []string{"resource.removed" + by, "payment.erased" + by, "resource.put" + by})
}

// testBeside writes what no commit has written, where nothing else would miss it.
func testBeside(t *testing.T, open Open) {
	const event = `INSERT INTO event (tenant_id, commit_number, number, kind, payment_id, subject_id, version, at, actor,
		door, request, detail) SELECT tenant_id, %s, number + 50, kind, payment_id, subject_id, version, at, actor, door,
		request, detail FROM event WHERE commit_number = 2`
	const posting = `INSERT INTO posting (tenant_id, subject_id, version, number, payment_id, cause, debit, credit, amount,
		currency, at, commit_number) SELECT tenant_id, tenant_id, version, number, %s, cause, debit, credit, amount,
		currency, at, commit_number FROM posting WHERE commit_number = 2`
	for name, statement := range map[string]string{
		"an event of a commit":            fmt.Sprintf(event, "commit_number"),
		"an event of no commit":           fmt.Sprintf(event, "commit_number + 1000"),
		"an event before all commits":     fmt.Sprintf(event, "0"),
		"an entry":                        fmt.Sprintf(posting, "tenant_id"),
		"an entry's time":                 `UPDATE posting SET at = at + 1 WHERE commit_number = 2`,
		"the payment of balanced entries": `UPDATE posting SET payment_id = tenant_id`,
		"a commit's time":                 `UPDATE commit_row SET at = 1 WHERE number = 2`,
		"a payout": `INSERT INTO payout (tenant_id, id, order_id, merchant, amount, currency, at)
			SELECT tenant_id, tenant_id, tenant_id, 'm', 1, 'EUR', 1 FROM event WHERE commit_number = 2`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, open)
			for range 3 {
				b.capture(t, 1000)
			}
			b.wantClean(t)
			b.damage(t, statement)
			b.wantFound(t)
		})
	}
}

func testKeysVanished(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.soldBy(t, b.as(ann, home))
	b.soldBy(t, b.as("bob", home))
	b.mustErase(t, ann)
	b.erasePayment(t, p)
	b.wantClean(t)
	b.damage(t, `CREATE TABLE kept AS SELECT * FROM personal_key`)
	for name, try := range map[string]struct {
		statement string
		isFound   bool
	}{
		"destroyed": {`UPDATE personal_key SET key = substr(key, 1, 0), erased_at = 1234567 WHERE erased_at = 0`, true},
		"replaced": {`UPDATE personal_key SET key = (SELECT k.key FROM kept k
			WHERE k.erased_at = 0 AND k.owner_id <> personal_key.owner_id LIMIT 1) WHERE erased_at = 0`, true},
		"marked as lost": {`UPDATE personal_key SET key = substr(key, 1, 0), erased_at = 1 WHERE erased_at = 0`, false},
	} {
		t.Run(name, func(t *testing.T) {
			b.damage(t, try.statement)
			if try.isFound {
				b.wantFound(t)
			} else {
				b.wantClean(t)
			}
			b.damage(t, `DELETE FROM personal_key`)
			b.damage(t, `INSERT INTO personal_key SELECT * FROM kept`)
		})
	}
}
