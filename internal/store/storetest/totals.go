package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

var totalsTests = map[string]func(*testing.T, Open){
	"what refunds have taken stands beside it":       testTotalsKept,
	"a sum that is not that of its refunds is found": testTotalsDamaged,
	"one more refund reads none of those before":     testReadsNamed,
	"equal refunds are looked for among the newest":  testReadsNewest,
	"a refund is read without the others":            testRefundAlone,
	"a list that will be lets no other refund open":  testListed,
}

// refundMuch makes payments of which refunds in every status have taken something.
func (b *bundle) refundMuch(t *testing.T) (made []payment.PaymentID) {
	t.Helper()
	open := func(of payment.PaymentID, ask payment.Ask) payment.Refund {
		return b.do(t, payment.OpenRefund{Meta: b.meta(), Payment: of, Ask: ask}).Refund
	}
	lines := b.sell(t, line("one", 600, "m-1"), payment.Item{Name: "two", Quantity: 4, UnitAmount: 100, Total: 400, Tax: 7}).Payment.ID
	open(lines, payment.Ask{Amount: 10})
	open(lines, payment.Ask{How: payment.AskItems, Items: []payment.ItemAsk{{Position: 2, Quantity: 1}}})
	b.leave(t, open(lines, payment.Ask{How: payment.AskItems, Items: []payment.ItemAsk{{Position: 2, Quantity: 2}}}))(payment.AttemptSucceeded)
	b.leave(t, open(lines, payment.Ask{Amount: 50}))(payment.AttemptDeclined)
	b.leave(t, open(lines, payment.Ask{Amount: 70}))(payment.AttemptUnknown)
	comes := b.leave(t, open(lines, payment.Ask{Amount: 30}))
	comes(payment.AttemptSucceeded)
	comes(payment.AttemptReturned)

	captures := b.do(t, payment.CreatePayment{
		Meta: b.meta(), Status: payment.PaymentAuthorized, Connector: capturesConnector, Amount: money.Of(1000, "EUR"),
	}).View.Payment.ID
	for _, minor := range []money.Minor{300, 700} {
		b.do(t, payment.CapturePayment{Meta: b.meta(), Payment: captures, Amount: minor, IsAtOnce: true})
	}
	for _, r := range b.do(t, payment.OpenRefund{Meta: b.meta(), Payment: captures, Ask: payment.Ask{Amount: 400}}).Refunds {
		b.leave(t, r)(payment.AttemptSucceeded)
	}
	open(captures, payment.Ask{Amount: 50})

	listed := b.sell(t, line("three", 500, "m-1"), line("four", 500, "m-2")).Payment.ID
	b.leave(t, b.openList(t, listed, 100, []payment.Item{line("rest", 400, "m-1"), line("four", 500, "m-2")}))(payment.AttemptSucceeded)
	b.openList(t, listed, 900, nil)
	return []payment.PaymentID{lines, captures, listed, b.capture(t, 100).ID}
}

func testTotalsKept(t *testing.T, open Open) {
	b := setup(t, open)
	for _, id := range b.refundMuch(t) {
		v := b.view(t, id)
		lines, captures := v.RecountParts()
		wantSame(t, "lines", v.LineTotals, lines)
		wantSame(t, "captures", v.Captures, captures)
		wantSame(t, "totals", v.Payment.Totals, v.Recount())
	}
	b.wantClean(t)
}

func testTotalsDamaged(t *testing.T, open Open) {
	b := setup(t, open)
	b.refundMuch(t)
	for _, change := range []string{
		"item SET reserved_quantity = reserved_quantity", "item SET reserved_amount = reserved_amount",
		"item SET reserved_tax = reserved_tax", "item SET refunded_quantity = refunded_quantity",
		"item SET refunded_amount = refunded_amount", "item SET refunded_tax = refunded_tax",
		"capture SET reserved = reserved", "capture SET refunded = refunded",
		"payment SET returned = returned", "payment SET listed = listed",
	} {
		where := ""
		if strings.Contains(change, "listed") { // the schema lets no more be listed than reserved
			where = " WHERE reserved > listed"
		}
		b.damage(t, "UPDATE "+change+" + 1"+where)
		b.wantFound(t)
		if where != "" {
			where = " WHERE listed = 1"
		}
		b.damage(t, "UPDATE "+change+" - 1"+where)
	}
	b.wantClean(t)
}

// A commit holds what it needs of the refunds that were, however many there are.
func testReadsNamed(t *testing.T, open Open) {
	b := setup(t, open)
	for name, made := range map[string]payment.View{
		"alone":      b.do(t, b.captured(1000)).View,
		"with lines": b.sell(t, line("one", 600, "m-1"), line("two", 400, "m-2")),
	} {
		for n := range 4 {
			for _, isFinal := range []bool{false, true} {
				meta := b.meta()
				meta.Key = payment.Key{Hash: b.newID(), Fingerprint: b.newID()}
				answer := b.do(t, payment.OpenRefund{
					Meta: meta, Payment: made.Payment.ID, Ask: payment.Ask{Amount: 10}, IsFinal: isFinal,
				})
				if len(answer.View.Refunds) != 1 {
					t.Errorf("%s: refund %d was opened beside %d", name, n, len(answer.View.Refunds)-1)
				}
				if n%2 == 0 {
					continue // it stays on its way
				}
				if after := b.leave(t, answer.Refund)(payment.AttemptSucceeded); len(after.Refunds) != 1 {
					t.Errorf("%s: refund %d has ended beside %d", name, n, len(after.Refunds)-1)
				}
			}
		}
		if view := b.view(t, made.Payment.ID); len(view.Refunds) != 8 || view.Payment.Refunded != 40 || view.Payment.Reserved != 40 {
			t.Errorf("%s: %d refunds, %+v", name, len(view.Refunds), view.Payment.Totals)
		}
	}
	b.wantClean(t)
}

func testReadsNewest(t *testing.T, open Open) {
	b := setup(t, open)
	b.set(t, setting.Values{payment.PolicyDuplicateMinutes.Name: int64(10)})
	p := b.capture(t, 1000)
	ask := func(minor money.Minor, isTold bool) (payment.Answer, error) {
		return b.engine.Do(t.Context(), payment.OpenRefund{
			Meta: b.meta(), Payment: p.ID, Ask: payment.Ask{Amount: minor}, Repeats: isTold,
		})
	}
	for range 3 {
		if _, err := ask(10, true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask(10, false); err == nil {
		t.Error("an equal refund was opened")
	} else {
		wantRule(t, err, payment.RuleDuplicate)
	}
	b.clock.Advance(6 * time.Minute)
	for minor, seen := range map[money.Minor]int{20: 4, 30: 5} { // in any order, one sees the other
		answer, err := ask(minor, false)
		if err != nil || len(answer.View.Refunds) > max(seen, 5) {
			t.Errorf("%d: beside %d: %v", minor, len(answer.View.Refunds), err)
		}
	}
	b.clock.Advance(6 * time.Minute)
	if answer, err := ask(10, false); err != nil || len(answer.View.Refunds) != 3 {
		t.Errorf("opened beside %d: %v", len(answer.View.Refunds)-1, err)
	}
	if _, err := ask(20, false); err == nil {
		t.Error("an equal refund was opened")
	}
}

func testRefundAlone(t *testing.T, open Open) {
	b := setup(t, open)
	made := b.sell(t, line("one", 600, "m-1"), line("two", 400, "m-2")).Payment
	var one payment.Refund
	for range 3 {
		one = b.do(t, payment.OpenRefund{Meta: b.meta(), Payment: made.ID, Ask: payment.Ask{Amount: 10}, Note: "n"}).Refund
		b.leave(t, one)(payment.AttemptUnknown)
	}
	all, err := b.store.ViewOfRefund(t.Context(), b.tenant, one.ID)
	if err != nil || len(all.Refunds) != 3 {
		t.Fatalf("%d refunds: %v", len(all.Refunds), err)
	}
	only, err := b.store.Refund(t.Context(), b.tenant, one.ID)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := all.Refund(one.ID)
	wantSame(t, "alone", only, payment.View{Payment: all.Payment, Refunds: []payment.Refund{want}, Attempts: all.Attempts})
	for _, of := range []payment.RefundRef{{Tenant: b.newID(), ID: one.ID}, {Tenant: b.tenant, ID: b.newID()}} {
		_, err := b.store.Refund(t.Context(), of.Tenant, of.ID)
		wantRule(t, err, payment.RuleExists)
	}
}

func testListed(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.sell(t, line("one", 600, "m-1")).Payment
	refund := b.openList(t, p.ID, 100, []payment.Item{line("rest", 500, "m-1")})
	_, err := b.refund(t.Context(), p.ID, 10)
	wantRule(t, err, payment.RuleOneAtATime)
	b.leave(t, refund)(payment.AttemptSucceeded)
	if _, err := b.refund(t.Context(), p.ID, 10); err != nil {
		t.Error(err)
	}
	b.wantClean(t)
}

// MigratesTotals undoes a migration and makes it again: what refunds had taken
// before it is counted once.
func MigratesTotals(t *testing.T, open Open, migration string) {
	t.Helper()
	up, down, _ := strings.Cut(migration, "-- +goose Down")
	b := setup(t, open)
	var before []payment.View
	made := b.refundMuch(t)
	for _, id := range made {
		before = append(before, b.view(t, id))
	}
	b.damage(t, down)
	b.damage(t, up)
	for i, id := range made {
		wantSame(t, "(-before +after)", b.view(t, id), before[i])
	}
	b.wantClean(t)
}
