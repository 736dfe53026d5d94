package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

var listTests = map[string]func(*testing.T, Open){
	"payments are listed by every filter":          testPayments,
	"a list of payments has the parts it asks for": testPaymentParts,
	"orders are listed by every filter":            testOrders,
	"payouts are listed by every filter":           testPayouts,
	"payouts are proven by the chain":              testPayoutsProven,
	"a resource is put, replaced and listed":       testResources,
	"a resource that is put twice is one":          testResourceTwice,
	"refunds of several tenants are read at once":  testRefunds,
	"a tenant's lists are not another's":           testListsApart,
}

// doorPing stands for a door that is not our own.
const doorPing payment.Door = "ping"

// wantPages reads a list in pages of every size, and fails the test unless
// each time the pages are what is wanted.
func wantPages[T any](t *testing.T, what string, want []T, place func(T) payment.Place,
	read func(after payment.Place, limit int) ([]T, error),
) {
	t.Helper()
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []T
		var after payment.Place
		for range len(want) + 1 {
			page, err := read(after, limit)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if len(page) > limit {
				t.Errorf("%s: a page of %d has %d", what, limit, len(page))
			}
			got = append(got, page...)
			if len(page) < limit {
				break
			}
			after = place(page[len(page)-1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s, in pages of %d (-want +got):\n%s", what, limit, diff)
		}
	}
}

// newest sorts a list by place, the newest first, and leaves out what does not match.
func newest[T any](list []T, place func(T) payment.Place, matches func(T) bool) (kept []T) {
	for _, thing := range list {
		if matches(thing) {
			kept = append(kept, thing)
		}
	}
	slices.SortFunc(kept, func(a, b T) int {
		x, y := place(a), place(b)
		if order := y.At.Compare(x.At); order != 0 {
			return order
		}
		return slices.Compare(y.ID[:], x.ID[:])
	})
	return kept
}

// isWithin reports whether a time is in a span; zero ends are none.
func isWithin(at, from, until time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (until.IsZero() || !at.After(until))
}

// shop makes payments of all sorts, some of them at one time, and returns how
// they are read.
func (b *bundle) shop(t *testing.T) (payments []payment.View) {
	t.Helper()
	order := b.do(t, payment.OpenOrder{Meta: b.meta(), Currency: "EUR", Document: []byte("order")}).Order.ID
	var ids []payment.PaymentID
	for n, command := range []payment.CreatePayment{
		{Status: payment.PaymentCaptured, Order: order, Document: []byte("first")},
		{Status: payment.PaymentCreated, Order: order},
		{Status: payment.PaymentDeclined},
		{Status: payment.PaymentCaptured, Items: []payment.Item{line("one", 600, "m-1"), line("two", 400, "m-2")}},
		{Status: payment.PaymentCaptured, CreatedAt: b.clock.Now().Add(-time.Hour)}, // imported
		{Status: payment.PaymentAuthorized},
		{Status: payment.PaymentCaptured, Document: []byte("last")},
	} {
		command.Meta, command.Amount, command.Connector = b.meta(), money.Of(1000, "EUR"), "sandbox"
		command.Reference = fmt.Sprint("order-", n%2)
		if n%3 == 1 {
			command.Door = doorPing
		}
		if n%2 == 1 {
			b.clock.Advance(time.Microsecond)
		}
		id := b.do(t, command).View.Payment.ID
		if command.Status == payment.PaymentCaptured {
			if _, err := b.refund(t.Context(), id, 100); err != nil {
				t.Fatal(err)
			}
			b.do(t, payment.OpenDispute{Meta: b.meta(), Payment: id, Kind: payment.DisputeChargeback, Amount: 50})
		}
		ids = append(ids, id)
	}
	for _, id := range ids {
		payments = append(payments, b.view(t, id))
	}
	return payments
}

func placeOfView(v payment.View) payment.Place { return v.Payment.Place() }

func testPayments(t *testing.T, open Open) {
	b := setup(t, open)
	all := b.shop(t)
	middle := all[3].Payment.CreatedAt
	captured, created := payment.PaymentCaptured, payment.PaymentCreated
	for name, filter := range map[string]payment.PaymentFilter{
		"all":              {},
		"an order's":       {Order: all[0].Payment.Order},
		"no order's":       {Order: b.newID()},
		"a reference's":    {Reference: "order-1"},
		"both":             {Order: all[0].Payment.Order, Reference: "order-0"},
		"a home's":         {Home: doorPing},
		"the captured":     {Statuses: []payment.PaymentStatus{captured}},
		"of two statuses":  {Statuses: []payment.PaymentStatus{created, captured}},
		"from then on":     {From: middle},
		"until then":       {Until: middle},
		"just then":        {From: middle, Until: middle},
		"after then":       {From: middle.Add(time.Microsecond)},
		"an order's later": {Order: all[0].Payment.Order, From: all[1].Payment.CreatedAt},
		"all of it": {
			Order: all[0].Payment.Order, Home: doorPing, Statuses: []payment.PaymentStatus{created}, From: all[0].Payment.CreatedAt,
			Until: middle,
		},
	} {
		filter.Parts = payment.PartAll
		want := newest(all, placeOfView, func(v payment.View) bool {
			p := v.Payment
			return (filter.Order.IsZero() || p.Order == filter.Order) && (filter.Home == "" || p.Home == filter.Home) &&
				(filter.Reference == "" || p.Reference == filter.Reference) &&
				(filter.Statuses == nil || slices.Contains(filter.Statuses, p.Status)) &&
				isWithin(p.CreatedAt, filter.From, filter.Until)
		})
		wantPages(t, name, want, placeOfView, func(after payment.Place, limit int) ([]payment.View, error) {
			filter.After, filter.Limit = after, limit
			return b.store.Payments(t.Context(), b.tenant, filter)
		})
	}
	later := payment.Place{At: middle.Add(time.Hour), ID: b.newID()} // a place may be younger than Until
	got, err := b.store.Payments(t.Context(), b.tenant, payment.PaymentFilter{
		After: later, Until: middle, Limit: 100, Parts: payment.PartAll,
	})
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "behind a later place", got, newest(all, placeOfView, func(v payment.View) bool {
		return isWithin(v.Payment.CreatedAt, time.Time{}, middle)
	}))
}

func testPaymentParts(t *testing.T, open Open) {
	b := setup(t, open)
	all := newest(b.shop(t), placeOfView, func(payment.View) bool { return true })
	for part := payment.PartNone; part <= payment.PartAll; part++ {
		got, err := b.store.Payments(t.Context(), b.tenant, payment.PaymentFilter{Limit: 100, Parts: part})
		if err != nil {
			t.Fatal(err)
		}
		var want []payment.View
		for _, view := range all {
			only := payment.View{Parts: part, Payment: view.Payment}
			if part&payment.PartOrder != 0 {
				only.Order = view.Order
			}
			if part&payment.PartCaptures != 0 {
				only.Captures = view.Captures
			}
			if part&payment.PartItems != 0 {
				only.Items, only.LineTotals = view.Items, view.LineTotals
			}
			if part&payment.PartRefunds != 0 {
				only.Refunds = view.Refunds
			}
			if part&payment.PartDisputes != 0 {
				only.Disputes = view.Disputes
			}
			if part&payment.PartFacets != 0 {
				only.Facets = view.Facets
			}
			want = append(want, only)
		}
		wantSame(t, "parts", got, want)
	}
}

func placeOfOrder(v payment.OrderView) payment.Place { return v.Order.Place() }

func testOrders(t *testing.T, open Open) {
	b := setup(t, open)
	var all []payment.OrderView
	for n := range 6 {
		command := payment.OpenOrder{Meta: b.meta(), Currency: "EUR", Amount: 1000, Document: []byte{byte(n)}}
		if n%2 == 1 {
			command.Door = doorPing
		}
		if n > 2 {
			b.clock.Advance(time.Microsecond)
		}
		order := b.do(t, command).Order
		if n%3 == 1 {
			b.do(t, payment.DocumentOrder{Meta: command.Meta, Order: order.ID, Document: []byte{1, byte(n)}})
		}
		if n%3 == 2 {
			sold := b.captured(1000) // its document is not the order's
			sold.Order, sold.ClosesOrder, sold.Document = order.ID, true, []byte("payment's")
			b.do(t, sold)
		}
		order, facets, err := b.store.Order(t.Context(), b.tenant, order.ID)
		if err != nil || len(facets) != 1+n%3%2 {
			t.Fatalf("%d facets: %v", len(facets), err)
		}
		all = append(all, payment.OrderView{Order: order, Facets: facets})
	}
	middle := all[3].Order.CreatedAt
	for name, filter := range map[string]payment.OrderFilter{
		"all":         {},
		"until then":  {Until: all[4].Order.CreatedAt},
		"a home's":    {Home: doorPing},
		"the closed":  {Statuses: []payment.OrderStatus{payment.OrderClosed}},
		"a few":       {Statuses: []payment.OrderStatus{payment.OrderClosed, payment.OrderSplit}, From: middle},
		"just then":   {From: middle, Until: middle},
		"before then": {Until: middle.Add(-time.Microsecond)},
		"none":        {Home: "nobody"},
	} {
		want := newest(all, placeOfOrder, func(v payment.OrderView) bool {
			o := v.Order
			return (filter.Home == "" || o.Home == filter.Home) &&
				(filter.Statuses == nil || slices.Contains(filter.Statuses, o.Status)) &&
				isWithin(o.CreatedAt, filter.From, filter.Until)
		})
		wantPages(t, name, want, placeOfOrder, func(after payment.Place, limit int) ([]payment.OrderView, error) {
			filter.After, filter.Limit = after, limit
			return b.store.Orders(t.Context(), b.tenant, filter)
		})
	}
}

// settle makes an order with payments to two merchants, and settles it.
func (b *bundle) settle(t *testing.T) payment.Order {
	t.Helper()
	order := b.do(t, payment.OpenOrder{Meta: b.meta(), Currency: "EUR"}).Order
	for _, items := range [][]payment.Item{
		{line("one", 600, "m-1"), line("two", 400, "m-2")},
		{line("three", 500, "m-2")},
	} {
		command := b.captured(items[0].Total)
		if len(items) > 1 {
			command = b.captured(items[0].Total + items[1].Total)
		}
		command.Order, command.Items = order.ID, items
		b.do(t, command)
	}
	return b.do(t, payment.MoveOrder{
		Meta: b.meta(), Order: order.ID, To: payment.OrderSettled, Skips: true, PaysOut: true,
	}).Order
}

func (b *bundle) payouts(t *testing.T, filter payment.PayoutFilter) []payment.Payout {
	t.Helper()
	filter.Limit = eventsMax
	payouts, err := b.store.Payouts(t.Context(), b.tenant, filter)
	if err != nil {
		t.Fatal(err)
	}
	return payouts
}

func testPayouts(t *testing.T, open Open) {
	b := setup(t, open)
	var orders []payment.Order
	var all []payment.Payout
	for n := range 3 {
		order := b.settle(t)
		orders = append(orders, order)
		made := b.payouts(t, payment.PayoutFilter{Order: order.ID})
		amounts := map[string]money.Amount{}
		for _, payout := range made {
			amounts[payout.Merchant] = payout.Amount
			wantSame(t, "payout", payout, payment.Payout{
				Tenant: b.tenant, ID: payout.ID, Order: order.ID, Merchant: payout.Merchant, Amount: payout.Amount, At: order.UpdatedAt,
			})
		}
		wantSame(t, "amounts", amounts, map[string]money.Amount{"m-1": money.Of(600, "EUR"), "m-2": money.Of(900, "EUR")})
		all = append(all, made...)
		if n > 0 {
			b.clock.Advance(time.Second)
		}
	}
	then := orders[1].UpdatedAt
	for name, filter := range map[string]payment.PayoutFilter{
		"all":               {},
		"an order's":        {Order: orders[1].ID},
		"one":               {ID: all[2].ID},
		"one of an order":   {ID: all[2].ID, Order: orders[1].ID},
		"one of another":    {ID: all[2].ID, Order: orders[0].ID},
		"from then on":      {From: then},
		"until then":        {Until: then},
		"just then":         {From: then, Until: then},
		"an order's before": {Order: orders[1].ID, Until: then.Add(-time.Microsecond)},
	} {
		want := newest(all, payment.Payout.Place, func(p payment.Payout) bool {
			return (filter.ID.IsZero() || p.ID == filter.ID) && (filter.Order.IsZero() || p.Order == filter.Order) &&
				isWithin(p.At, filter.From, filter.Until)
		})
		wantPages(t, name, want, payment.Payout.Place, func(after payment.Place, limit int) ([]payment.Payout, error) {
			filter.After, filter.Limit = after, limit
			return b.store.Payouts(t.Context(), b.tenant, filter)
		})
	}
}

func testPayoutsProven(t *testing.T, open Open) {
	for name, statement := range map[string]string{
		"its amount":    `UPDATE payout SET amount = amount + 1 WHERE merchant = 'm-1'`,
		"its currency":  `UPDATE payout SET currency = 'USD' WHERE merchant = 'm-1'`,
		"its recipient": `UPDATE payout SET merchant = 'm-3' WHERE merchant = 'm-1'`,
		"its order":     `UPDATE payout SET order_id = tenant_id WHERE merchant = 'm-1'`,
		"its time":      `UPDATE payout SET at = at + 1 WHERE merchant = 'm-1'`,
		"it is gone":    `DELETE FROM payout WHERE merchant = 'm-1'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, open)
			b.settle(t)
			b.wantClean(t)
			b.damage(t, statement)
			b.wantFound(t)
		})
	}
}

const kindClient payment.ResourceKind = "client"

// put puts a resource.
func (b *bundle) put(t *testing.T, door payment.Door, kind payment.ResourceKind, id payment.ResourceID, body string,
) payment.Resource {
	t.Helper()
	meta := b.meta()
	meta.Door = door
	return b.do(t, payment.PutResource{Meta: meta, Kind: kind, ID: id, Body: []byte(body)}).Resource
}

func (b *bundle) resources(t *testing.T, door payment.Door, kind payment.ResourceKind, before payment.ResourceID, limit int,
) []payment.Resource {
	t.Helper()
	resources, err := b.store.Resources(t.Context(), b.tenant, door, kind, before, limit)
	if err != nil {
		t.Fatal(err)
	}
	return resources
}

func testResources(t *testing.T, open Open) {
	b := setup(t, open)
	var all []payment.Resource
	for _, body := range []string{"one", "\x00\xff", `{"n":3}`, "é"} {
		all = append(all, b.put(t, doorPing, kindClient, payment.ResourceID{}, body))
	}
	same := all[1].ID
	b.put(t, doorPing, "token", same, "another kind's")
	b.put(t, payment.DoorAPI, kindClient, same, "another door's")
	b.clock.Advance(time.Hour)
	b.put(t, doorPing, kindClient, same, "replaced")
	all[1].Body = []byte("replaced")

	slices.Reverse(all) // newest first
	for _, want := range all {
		got, err := b.store.Resource(t.Context(), b.tenant, doorPing, kindClient, want.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "resource", got, want)
	}
	wantSame(t, "all", b.resources(t, doorPing, kindClient, payment.ResourceID{}, 100), all)
	wantSame(t, "two", b.resources(t, doorPing, kindClient, payment.ResourceID{}, 2), all[:2])
	wantSame(t, "the next two", b.resources(t, doorPing, kindClient, all[1].ID, 2), all[2:])
	wantSame(t, "none", b.resources(t, doorPing, kindClient, all[3].ID, 2), []payment.Resource(nil))
	empty := b.put(t, doorPing, "empty", payment.ResourceID{}, "")
	if got, err := b.store.Resource(t.Context(), b.tenant, doorPing, "empty", empty.ID); err != nil || len(got.Body) != 0 {
		t.Errorf("an empty body is read as %q: %v", got.Body, err)
	}
	_, err := b.store.Resource(t.Context(), b.tenant, doorPing, kindClient, b.newID())
	wantRule(t, err, payment.RuleExists)
	b.wantClean(t)
}

func testResourceTwice(t *testing.T, open Open) {
	b := setup(t, open)
	meta := b.meta()
	id := payment.ResourceID(b.newID())
	put := func(bodies ...string) {
		t.Helper()
		err := b.store.Commit(t.Context(), b.newID(), []payment.Need{{Tenant: b.tenant}}, func(book *payment.Book) error {
			for _, body := range bodies {
				if _, err := (payment.PutResource{Meta: meta, Kind: kindClient, ID: id, Body: []byte(body)}).Apply(book); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	made := b.clock.Now()
	put("one", "two")
	b.clock.Advance(time.Hour)
	put("three", "four", "five")
	wantSame(t, "resources", b.resources(t, payment.DoorAPI, kindClient, payment.ResourceID{}, 100), []payment.Resource{{
		Tenant: b.tenant, Door: payment.DoorAPI, Kind: kindClient, ID: id, Body: []byte("five"), CreatedAt: made,
	}})
}

func testRefunds(t *testing.T, open Open) {
	b := setup(t, open)
	tenants := []payment.TenantID{b.tenant, b.newID(), b.newID()}
	var refs []payment.RefundRef
	want := map[payment.RefundID]payment.Refund{}
	for _, tenant := range tenants {
		b.tenant = tenant
		for range 4 {
			refund, err := b.refund(t.Context(), b.capture(t, 1000).ID, 100)
			if err != nil {
				t.Fatal(err)
			}
			id := refund.Refund.ID
			b.leave(t, refund.Refund)(payment.AttemptSucceeded) // as it is now, not as it was made
			view, err := b.store.ViewOfRefund(t.Context(), tenant, id)
			if err != nil {
				t.Fatal(err)
			}
			want[id], _ = view.Refund(id)
			refs = append(refs, payment.RefundRef{Tenant: tenant, ID: id})
		}
	}
	asked := append(slices.Clone(refs), refs[0], refs[5], payment.RefundRef{Tenant: b.newID(), ID: refs[0].ID},
		payment.RefundRef{Tenant: tenants[1], ID: refs[0].ID}, payment.RefundRef{Tenant: b.tenant, ID: b.newID()})
	refunds, err := b.store.Refunds(t.Context(), asked)
	if err != nil || len(refunds) != len(refs) {
		t.Fatalf("%d refunds of %d: %v", len(refunds), len(refs), err)
	}
	got := map[payment.RefundID]payment.Refund{}
	for _, refund := range refunds {
		got[refund.ID] = refund
	}
	wantSame(t, "refunds", got, want)
	if none, err := b.store.Refunds(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("%d refunds where none are asked for: %v", len(none), err)
	}
}

func testListsApart(t *testing.T, open Open) {
	b := setup(t, open)
	order := b.settle(t)
	payouts := b.payouts(t, payment.PayoutFilter{})
	resource := b.put(t, doorPing, kindClient, payment.ResourceID{}, "mine")
	first := b.tenant
	b.tenant = b.newID()
	for _, filter := range []payment.PaymentFilter{{Limit: 10}, {Limit: 10, Order: order.ID}} {
		if all, err := b.store.Payments(t.Context(), b.tenant, filter); err != nil || len(all) != 0 {
			t.Errorf("%d payments: %v", len(all), err)
		}
	}
	if all, err := b.store.Orders(t.Context(), b.tenant, payment.OrderFilter{Limit: 10}); err != nil || len(all) != 0 {
		t.Errorf("%d orders: %v", len(all), err)
	}
	for _, filter := range []payment.PayoutFilter{{}, {Order: order.ID}, {ID: payouts[0].ID}} {
		if all := b.payouts(t, filter); len(all) != 0 {
			t.Errorf("%d payouts", len(all))
		}
	}
	if all := b.resources(t, doorPing, kindClient, payment.ResourceID{}, 10); len(all) != 0 {
		t.Errorf("%d resources", len(all))
	}
	_, err := b.store.Resource(t.Context(), b.tenant, doorPing, kindClient, resource.ID)
	wantCode(t, err, fault.NotFound)
	b.put(t, doorPing, kindClient, resource.ID, "theirs") // the same id
	b.tenant = first
	wantSame(t, "resource", b.resources(t, doorPing, kindClient, payment.ResourceID{}, 10), []payment.Resource{resource})
}
