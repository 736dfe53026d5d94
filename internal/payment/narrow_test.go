package payment_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// book returns a book that has read a view of the payment, as a store fills it.
func (m *model) book(view payment.View, needs ...payment.Need) *payment.Book {
	book := payment.NewBook(m.now, m.newID)
	book.PutTenant(&m.tenant)
	book.PutConnectors(connectors)
	for _, need := range needs {
		for _, counter := range m.counts(need) {
			book.PutCounter(counter)
		}
	}
	if !view.Payment.ID.IsZero() {
		book.PutView(view)
	}
	if !m.order.ID.IsZero() {
		book.PutOrder(m.order)
	}
	for _, key := range m.keys {
		book.PutKey(key)
	}
	for _, alias := range m.aliases {
		book.PutAlias(alias.Tenant, alias.Alias, alias.Subject)
	}
	return book
}

// narrow returns what a store reads of the payment for commands, and nothing more.
func (m *model) narrow(needs ...payment.Need) payment.View {
	var need payment.Need
	var named []payment.RefundID
	for _, n := range needs {
		need = need.With(n)
		named = append(named, n.Refund)
	}
	all := m.view
	v := payment.View{Payment: all.Payment, Parts: need.Widen(all.Payment)}
	has := func(part payment.Parts) bool { return v.Parts&part != 0 }
	if has(payment.PartOrder) {
		v.Order = all.Order
	}
	if has(payment.PartCaptures) {
		v.Captures = all.Captures
	}
	if has(payment.PartItems) {
		v.Items, v.LineTotals = all.Items, all.LineTotals
	}
	if has(payment.PartDisputes) {
		v.Disputes = all.Disputes
	}
	if has(payment.PartFacets) {
		v.Facets = all.Facets
	}
	since := need.Since(&m.tenant, m.now)
	for _, r := range all.Refunds {
		if has(payment.PartRefunds) || slices.Contains(named, r.ID) || !since.IsZero() && r.CreatedAt.After(since) {
			v.Refunds = append(v.Refunds, r)
		}
	}
	for _, a := range all.Attempts {
		if slices.Contains(named, a.Refund) {
			v.Attempts = append(v.Attempts, a)
		}
	}
	return v
}

// merged returns the whole payment after a commit that has read and changed v of it.
func merged(all, v payment.View) payment.View {
	all.Payment = v.Payment
	if !v.Order.ID.IsZero() {
		all.Order = v.Order
	}
	all.Captures = mergedBy(all.Captures, v.Captures, func(c payment.Capture) any { return c.ID })
	all.Items = mergedBy(all.Items, v.Items, func(i payment.Item) any { return i.Position })
	all.LineTotals = mergedBy(all.LineTotals, v.LineTotals, func(l payment.LineTotals) any { return l.Position })
	all.Refunds = mergedBy(all.Refunds, v.Refunds, func(r payment.Refund) any { return r.ID })
	all.Attempts = mergedBy(all.Attempts, v.Attempts, func(a payment.Attempt) any { return a.ID })
	all.Disputes = mergedBy(all.Disputes, v.Disputes, func(d payment.Dispute) any { return d.ID })
	return all
}

func mergedBy[T any](all, changed []T, key func(T) any) []T {
	all = slices.Clone(all)
	for _, element := range changed {
		at := slices.IndexFunc(all, func(other T) bool { return key(other) == key(element) })
		if at < 0 {
			all = append(all, element)
		} else {
			all[at] = element
		}
	}
	return all
}

// decided is what came of commands, as far as it must not depend on how much of
// the payment was read.
type decided struct {
	Errors   []string
	Refunds  [][]payment.Refund
	Payments []payment.Payment // as each has left it
	Changes  payment.Changes
	After    payment.View
	IDs      uint64 // how many were drawn
}

// decide applies commands to a book, one after the other.
func (m *model) decide(book *payment.Book, commands []payment.Command) (d decided, isPartial bool) {
	defer func() {
		if stopped := recover(); stopped != nil {
			if !strings.Contains(fmt.Sprint(stopped), "needs all refunds") {
				panic(stopped)
			}
			isPartial = true
		}
	}()
	before := m.count
	d.After = m.view
	for _, command := range commands {
		answer, err := command.Apply(book)
		d.Errors = append(d.Errors, fmt.Sprint(err))
		d.Refunds = append(d.Refunds, append([]payment.Refund{answer.Refund}, answer.Refunds...))
		d.Payments = append(d.Payments, answer.View.Payment)
	}
	d.Changes, d.IDs = book.Changes, m.count-before
	for _, change := range book.Changes.Views {
		d.After = merged(d.After, change.View)
	}
	d.After.Facets, d.After.Order, d.After.Parts = nil, payment.Order{}, 0
	d.Changes.Views, d.Changes.Tellings = nil, slices.Clone(d.Changes.Tellings)
	for i := range d.Changes.Tellings {
		if told := &d.Changes.Tellings[i]; told.Payment.Disputed == 0 || told.Refund.EndedAt().IsZero() ||
			told.Event.Kind == payment.EventRefundAdopted {
			told.Refunds, told.Disputes = nil, nil // only at an end, beside a dispute, does anybody look at them
		}
	}
	return d, false
}

// compare fails the test unless commands in one batch come to the same whether
// they have read all of the payment or what they say that they need.
func (m *model) compare(t *rapid.T, commands ...payment.Command) {
	needs := make([]payment.Need, len(commands))
	for i, command := range commands {
		needs[i] = command.Need()
	}
	count := m.count
	narrow, isPartial := m.decide(m.book(m.narrow(needs...), needs...), commands)
	m.count = count
	if isPartial {
		if len(commands) == 1 {
			t.Fatalf("%T has not read enough", commands[0])
		}
		return // the batch is halved, until each is alone
	}
	whole, _ := m.decide(m.book(m.view, needs...), commands)
	m.count = count
	if reflect.DeepEqual(whole, narrow) {
		return
	}
	if diff := cmp.Diff(whole, narrow, cmpopts.EquateEmpty(), cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
		t.Fatalf("%T decides otherwise where it has not read all (-all +what it needs):\n%s", commands[len(commands)-1], diff)
	}
}

// Commands of one batch need no more together than each says, whatever those
// before them have changed; and if they do, they are stopped.
func TestBatchesReadEnough(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		create := payment.CreatePayment{Meta: m.meta(), Status: payment.PaymentCaptured, Connector: "con"}
		for _, total := range rapid.SliceOfN(rapid.IntRange(1, 1000), 0, 3).Draw(t, "lines") {
			create.Items = append(create.Items, itemsOf(money.Minor(total))...)
			create.Amount.Minor += create.Items[len(create.Items)-1].Total
		}
		if len(create.Items) == 0 {
			create.Amount.Minor = 1000
		}
		create.Amount.Currency = "EUR"
		if rapid.Bool().Draw(t, "per capture") {
			create.Connector = capturesConnector
		}
		if _, err := m.run(t, create); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 25).Draw(t, "commands") {
			_, _ = m.run(t, m.any(t))
		}
		for range 5 {
			var batch []payment.Command
			for range rapid.IntRange(2, 4).Draw(t, "batch") {
				batch = append(batch, m.any(t))
			}
			m.compare(t, batch...)
		}
	})
}

// any returns some command about a refund of the payment.
func (m *model) any(t *rapid.T) payment.Command {
	p := m.view.Payment
	switch rapid.SampledFrom([]string{"open", "open", "start", "fact", "fact", "cancel", "adopt", "dispute", "items"}).Draw(t, "kind") {
	case "start":
		if r, ok := m.refund(t); ok {
			return payment.StartAttempt{Meta: m.meta(), Payment: p.ID, Refund: r.ID, InquireAt: m.now}
		}
	case "fact":
		if len(m.view.Attempts) > 0 {
			attempt := rapid.SampledFrom(m.view.Attempts).Draw(t, "attempt")
			kind := rapid.SampledFrom([]payment.AttemptOutcome{
				payment.AttemptUnknown, payment.AttemptSucceeded, payment.AttemptSucceeded, payment.AttemptDeclined,
				payment.AttemptReturned,
			}).Draw(t, "outcome")
			return payment.RecordOutcome{
				Meta: m.meta(), Payment: p.ID, Refund: attempt.Refund, Attempt: attempt.ID, Connector: "con",
				Outcome: payment.Outcome{Kind: kind}, Next: m.now,
			}
		}
	case "cancel":
		if r, ok := m.refund(t); ok {
			return payment.CancelRefund{Meta: m.meta(), Payment: p.ID, Refund: r.ID, Code: "canceled", Group: rapid.Bool().Draw(t, "group")}
		}
	case "adopt":
		return payment.AdoptRefund{
			Meta: m.meta(), Payment: p.ID, Connector: "con", Amount: m.someOf(t), Source: payment.SourceAdopted,
			ProcessorRef: rapid.StringMatching(`r[0-9]`).Draw(t, "reference"),
		}
	case "dispute":
		if rapid.IntRange(0, 4).Draw(t, "rarely") == 0 {
			return payment.OpenDispute{Meta: m.meta(), Payment: p.ID, Kind: payment.DisputeChargeback, Amount: m.someOf(t).Minor, IsFact: true}
		}
	case "items":
		if rapid.IntRange(0, 4).Draw(t, "rarely") == 0 {
			return payment.ReplaceItems{Meta: m.meta(), Payment: p.ID, List: m.someList(m.view.List())}
		}
	}
	return m.anyRefund(t)
}

func (m *model) someOf(t *rapid.T) money.Amount {
	return money.Of(money.Minor(rapid.IntRange(1, int(m.view.Payment.Captured)).Draw(t, "amount")), "EUR")
}

// anyRefund returns a refund that is asked for in any of the ways there are.
func (m *model) anyRefund(t *rapid.T) payment.Command {
	v := m.view
	open := payment.OpenRefund{
		Meta: m.meta(), Payment: v.Payment.ID, IsFinal: rapid.Bool().Draw(t, "final"), Repeats: rapid.Bool().Draw(t, "repeats"),
		Ask: payment.Ask{How: payment.How(rapid.IntRange(0, 4).Draw(t, "how")), Amount: m.someOf(t).Minor},
	}
	switch open.Ask.How {
	case payment.AskItems:
		open.Ask.Items = []payment.ItemAsk{{Position: rapid.IntRange(1, 3).Draw(t, "position"), Quantity: 1}}
	case payment.AskList:
		list := m.someList(v.List())
		for i := range list {
			open.Ask.Amount = money.Minor(rapid.IntRange(0, int(list[i].Total)).Draw(t, "gives"))
			list[i].Total -= open.Ask.Amount
			list[i].Tax = min(list[i].Tax, list[i].Total)
			break //nolint:staticcheck // the first line gives
		}
		open.Ask.List = list
	case payment.AskAmount, payment.AskRemaining, payment.AskWhole:
		if rapid.IntRange(0, 2).Draw(t, "of a capture") == 0 && len(v.Captures) > 0 {
			open.Ask.Capture = rapid.SampledFrom(v.Captures).Draw(t, "capture").ID
		}
	}
	if r, ok := m.refund(t); ok && rapid.IntRange(0, 3).Draw(t, "retries") == 0 {
		open.RetryOf = r.ID
	}
	return open
}

// someList returns the lines of a list as another list would name them.
func (m *model) someList(of []payment.Item) []payment.Item {
	list := make([]payment.Item, len(of))
	for i, item := range of {
		list[i] = payment.Item{Name: item.Name, Total: item.Total, Tax: item.Tax, Merchant: item.Merchant}
	}
	return list
}

// A no after a success brings money back although nobody could know that before
// it was read which refunds are shown: what comes behind it in its batch is
// stopped, and reads them all when the batch is halved.
func TestWhatComesBackInABatchStopsIt(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := newModel()
		listed(t, m, 1_000, 500)
		answer, err := m.run(t, payment.OpenRefund{Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: 300}})
		if err != nil {
			t.Fatal(err)
		}
		m.end(t, answer.Refund, payment.AttemptSucceeded)
		batch := []payment.Command{
			payment.RecordOutcome{
				Meta: m.meta(), Payment: answer.Refund.Payment, Refund: answer.Refund.ID, Attempt: m.view.Attempts[0].ID,
				Connector: "con", Outcome: payment.Outcome{Kind: payment.AttemptDeclined}, Next: m.now,
			},
			payment.OpenRefund{
				Meta: m.meta(), Payment: answer.Refund.Payment, Ask: payment.Ask{How: payment.AskRemaining}, IsFinal: true,
			},
		}
		needs := []payment.Need{batch[0].Need(), batch[1].Need()}
		if _, isPartial := m.decide(m.book(m.narrow(needs...), needs...), batch); !isPartial {
			t.Fatal("it was decided by some of the refunds")
		}
		for _, command := range batch { // each alone
			if _, err := m.run(t, command); err != nil {
				t.Fatal(err)
			}
		}
		if m.view.Payment.Reserved != 1_200 {
			t.Fatalf("%d of 1200 are on their way", m.view.Payment.Reserved)
		}
	})
}
