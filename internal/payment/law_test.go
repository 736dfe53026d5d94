package payment_test

import (
	"encoding/binary"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// model plays the store for one payment: it keeps what commits write, and
// remembers the view that each version showed.
type model struct {
	tenant   payment.Tenant
	now      time.Time
	count    uint64
	order    payment.Order // zero: the payment stands alone
	view     payment.View
	keys     []*payment.KeyRecord
	aliases  []payment.AliasChange
	books    ledger.Balances
	counters map[payment.CounterID]int64
	tasks    []payment.Task // of the last command
	told     map[told]bool
	versions map[int64]payment.View

	overdrawn bool
}

// capturesConnector is that of a processor that refunds captures.
const capturesConnector = "con_captures"

var connectors = payment.Connectors{"con": {}, capturesConnector: {RefundsCaptures: true}}

type told struct {
	subject [16]byte
	version int64
}

func newModel() *model {
	m := &model{
		now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), books: ledger.Balances{}, told: map[told]bool{},
		counters: map[payment.CounterID]int64{},
		versions: map[int64]payment.View{},
	}
	m.tenant.ID = m.newID()
	return m
}

func (m *model) newID() (id [16]byte) {
	m.count++
	binary.BigEndian.PutUint64(id[8:], m.count)
	return id
}

func (m *model) meta() payment.Meta {
	return payment.Meta{Tenant: m.tenant.ID, Actor: "key:test", Door: payment.DoorAPI}
}

// run applies a command as a commit of one, and checks every law; that it needs
// no more than it says is one.
func (m *model) run(t *rapid.T, command payment.Command) (payment.Answer, error) {
	m.compare(t, command)
	book := m.book(m.view, command.Need())
	answer, err := command.Apply(book)
	changes := book.Changes
	if err != nil {
		if len(changes.Views)+len(changes.Entries)+len(changes.Tellings)+len(changes.Tasks)+len(changes.Keys)+len(changes.Counters) > 0 {
			t.Fatalf("%T was refused (%v) and has changed the book", command, err)
		}
		return answer, err
	}
	m.tally(t, changes.Counters)
	m.tasks = changes.Tasks
	m.keys, m.aliases = append(m.keys, changes.Keys...), append(m.aliases, changes.Aliases...)
	for _, entry := range changes.Entries {
		for _, posting := range entry.Entry.Postings {
			m.books.Post(posting)
		}
	}
	for _, telling := range changes.Tellings {
		name := told{telling.Event.Subject, telling.Event.Version}
		if m.told[name] {
			t.Fatalf("%T tells of a subject twice at one version", command)
		}
		m.told[name] = true
	}
	for _, change := range changes.Orders {
		m.order = change.Order
	}
	for _, change := range changes.Views {
		m.check(t, command, m.view, change.View)
		m.view = change.View
		m.versions[m.view.Payment.Version] = m.view
	}
	return answer, nil
}

// counts reads the counters that a need asks for, as a store does.
func (m *model) counts(need payment.Need) []payment.Counter {
	var counters []payment.Counter
	for _, id := range need.Counters(m.view.Payment, &m.tenant, m.now) {
		counters = append(counters, payment.Counter{CounterID: id, Value: m.counters[id]})
	}
	return counters
}

// tally writes counters, as a store does.
func (m *model) tally(t *rapid.T, changes []*payment.CounterChange) {
	for _, change := range changes {
		m.counters[change.CounterID] += change.Delta
		value := m.counters[change.CounterID]
		if value < 0 || change.Delta > 0 && value > change.Limit {
			t.Fatalf("%s counts %d of %d", change.Kind, value, change.Limit)
		}
	}
}

// check checks the laws of a payment after a command.
func (m *model) check(t *rapid.T, command payment.Command, before, after payment.View) {
	p := after.Payment
	totals := p.Totals
	if totals.Refundable() < 0 || totals.Refunded+totals.Reserved+totals.Disputed > totals.Captured+totals.Excess {
		t.Fatalf("%T: more goes back than was taken: %+v", command, totals)
	}
	if lines, captures := after.RecountParts(); !reflect.DeepEqual(lines, after.LineTotals) || !reflect.DeepEqual(captures, after.Captures) {
		t.Fatalf("%T: lines have %+v and captures %+v, the sums are %+v and %+v", command, after.LineTotals, after.Captures, lines, captures)
	}
	counted := after.Recount()
	counted.Excess = totals.Excess
	if counted != totals {
		t.Fatalf("%T: the totals are %+v, the sums %+v", command, totals, counted)
	}
	if p.Version <= before.Payment.Version {
		t.Fatalf("%T: the version goes from %d to %d", command, before.Payment.Version, p.Version)
	}
	isFact := false
	switch command := command.(type) {
	case payment.OpenDispute:
		isFact = command.IsFact
	case payment.AdoptRefund, payment.RecordOutcome, payment.SettleRefund:
		isFact = true
	}
	if totals.Excess > before.Payment.Excess && !isFact {
		t.Fatalf("%T has raised the excess", command)
	}
	if got := m.books.Of(ledger.InFlight, p.Amount.Currency); got != -totals.Reserved {
		t.Fatalf("%T: %d in flight, %d reserved", command, got, totals.Reserved)
	}
	if p.OrderStatus != "" {
		return
	}
	var payable money.Minor
	for account := range m.books {
		if account.IsMerchants() {
			payable += m.books.Of(account, p.Amount.Currency)
		}
	}
	if want := -(totals.Captured - totals.Refunded - totals.Reserved - totals.Disputed); payable != want {
		t.Fatalf("%T: %d payable, want %d", command, payable, want)
	}
}

// past checks that the view as of each version is the view that was shown then,
// whether it is read at once or by way of a version between.
func (m *model) past(t *rapid.T) {
	for version, shown := range m.versions {
		then := m.view.AsOf(version)
		if by := m.view.AsOf((version + m.view.Payment.Version + 1) / 2).AsOf(version); !reflect.DeepEqual(by, then) {
			t.Fatalf("version %d of %d, in two steps: %+v, want %+v", version, m.view.Payment.Version, by, then)
		}
		if then.Payment.Status != shown.Payment.Status {
			t.Fatalf("version %d was %s and is remembered as %s", version, shown.Payment.Status, then.Payment.Status)
		}
		totals := shown.Payment.Totals
		totals.Excess = then.Payment.Excess
		if then.Payment.Totals != totals || len(then.Refunds) != len(shown.Refunds) ||
			len(then.Disputes) != len(shown.Disputes) {
			t.Fatalf("version %d: %+v is remembered as %+v", version, shown.Payment.Totals, then.Payment.Totals)
		}
		for i, refund := range shown.Refunds {
			if then.Refunds[i].Status != refund.Status || !then.Refunds[i].EndedAt().Equal(refund.EndedAt()) {
				t.Fatalf("version %d: a refund that was %s is remembered as %s", version, refund.Status, then.Refunds[i].Status)
			}
		}
	}
}

// However commands and facts follow on each other, the laws of a payment hold.
func TestLawsOfAPayment(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		amount := money.Of(money.Minor(rapid.IntRange(1, 10_000).Draw(t, "amount")), "EUR")
		if _, err := m.run(t, payment.CreatePayment{
			Meta: m.meta(), Status: payment.PaymentCaptured, Connector: "con", Amount: amount,
		}); err != nil {
			t.Fatal(err)
		}
		t.Repeat(map[string]func(*rapid.T){
			"":        func(*rapid.T) {},
			"open":    m.open,
			"start":   m.start,
			"fact":    m.fact,
			"cancel":  m.cancel,
			"dispute": m.dispute,
			"move":    m.move,
			"adopt":   m.adopt,
			"erase":   m.erase,
			"wait":    func(*rapid.T) { m.now = m.now.Add(time.Minute) },
		})
		m.past(t)
	})
}

func (m *model) open(t *rapid.T) {
	ask := payment.Ask{Amount: money.Minor(rapid.IntRange(-1, 4_000).Draw(t, "amount"))}
	ask.How = rapid.SampledFrom([]payment.How{payment.AskAmount, payment.AskRemaining, payment.AskWhole}).Draw(t, "how")
	left := m.view.Payment.Totals.Refundable()
	answer, err := m.run(t, payment.OpenRefund{
		Meta: m.meta(), Payment: m.view.Payment.ID, Ask: ask, Source: payment.SourceAPI,
	})
	if err == nil && answer.Refund.Amount.Minor > left {
		t.Fatalf("%d of %d were given", answer.Refund.Amount.Minor, left)
	}
}

func (m *model) refund(t *rapid.T) (payment.Refund, bool) {
	if len(m.view.Refunds) == 0 {
		return payment.Refund{}, false
	}
	return rapid.SampledFrom(m.view.Refunds).Draw(t, "refund"), true
}

func (m *model) start(t *rapid.T) {
	if refund, ok := m.refund(t); ok {
		_, _ = m.run(t, payment.StartAttempt{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID, InquireAt: m.now})
	}
}

func (m *model) fact(t *rapid.T) {
	if len(m.view.Attempts) == 0 {
		return
	}
	attempt := rapid.SampledFrom(m.view.Attempts).Draw(t, "attempt")
	kind := rapid.SampledFrom([]payment.AttemptOutcome{
		payment.AttemptPending, payment.AttemptUnknown, payment.AttemptNotSent, payment.AttemptSucceeded,
		payment.AttemptDeclined, payment.AttemptFailed, payment.AttemptReturned,
	}).Draw(t, "kind")
	command := payment.RecordOutcome{
		Meta: m.meta(), Payment: m.view.Payment.ID, Refund: attempt.Refund, Attempt: attempt.ID, Connector: "con",
		Outcome: payment.Outcome{Kind: kind}, Next: m.now,
	}
	_, _ = m.run(t, command)
	known := m.view
	if answer, err := m.run(t, command); err == nil && !answer.Unchanged && kind != payment.AttemptReturned {
		t.Fatalf("%s told twice changes something twice", kind)
	} else if err == nil && answer.Unchanged && !reflect.DeepEqual(known.Payment, m.view.Payment) {
		t.Fatalf("%s is unchanged and has changed the payment", kind)
	}
}

func (m *model) cancel(t *rapid.T) {
	if refund, ok := m.refund(t); ok {
		_, err := m.run(t, payment.CancelRefund{Meta: m.meta(), Payment: refund.Payment, Refund: refund.ID, Code: "canceled"})
		if err == nil && refund.IsSubmitted() {
			t.Fatal("a refund was canceled that had left")
		}
	}
}

func (m *model) dispute(t *rapid.T) {
	_, _ = m.run(t, payment.OpenDispute{
		Meta: m.meta(), Payment: m.view.Payment.ID, IsFact: rapid.Bool().Draw(t, "is fact"),
		Kind:   rapid.SampledFrom([]payment.DisputeKind{payment.DisputeChargeback, payment.DisputeInquiry}).Draw(t, "kind"),
		Amount: money.Minor(rapid.IntRange(0, 4_000).Draw(t, "amount")),
	})
}

func (m *model) move(t *rapid.T) {
	if len(m.view.Disputes) == 0 {
		return
	}
	dispute := rapid.SampledFrom(m.view.Disputes).Draw(t, "dispute")
	to := rapid.SampledFrom([]payment.DisputeStatus{
		payment.DisputeWon, payment.DisputeLost, payment.DisputeChallenged, payment.DisputeCanceled,
	}).Draw(t, "to")
	_, err := m.run(t, payment.MoveDispute{Meta: m.meta(), Payment: dispute.Payment, Dispute: dispute.ID, To: to})
	if err == nil && dispute.Status != to && !payment.DisputeLife.Allows(dispute.Status, to) {
		t.Fatalf("a dispute went from %s to %s", dispute.Status, to)
	}
}

func (m *model) adopt(t *rapid.T) {
	_, _ = m.run(t, payment.AdoptRefund{
		Meta: m.meta(), Payment: m.view.Payment.ID, Connector: "con",
		ProcessorRef: rapid.StringMatching(`r[0-9]`).Draw(t, "reference"),
		Amount:       money.Of(money.Minor(rapid.IntRange(1, 4_000).Draw(t, "amount")), "EUR"), Source: payment.SourceAdopted,
	})
}

// However a line is cut into units, the pieces add up to the line, tax and all.
func TestPiecesAddUpToTheLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		quantity := rapid.Int64Range(1, 12).Draw(t, "quantity")
		total := money.Minor(rapid.Int64Range(1, 100_000).Draw(t, "total"))
		tax := money.Minor(rapid.Int64Range(0, int64(total)).Draw(t, "tax"))
		if _, err := m.run(t, payment.CreatePayment{
			Meta: m.meta(), Status: payment.PaymentCaptured, Connector: "con", Amount: money.Of(total, "EUR"),
			Items: []payment.Item{{Name: "thing", Quantity: quantity, Total: total, Tax: tax}},
		}); err != nil {
			t.Fatal(err)
		}
		var back, taxBack money.Minor
		for left := quantity; left > 0; {
			units := rapid.Int64Range(1, left).Draw(t, "units")
			answer, err := m.run(t, payment.OpenRefund{
				Meta: m.meta(), Payment: m.view.Payment.ID, Source: payment.SourceAPI,
				Ask: payment.Ask{How: payment.AskItems, Items: []payment.ItemAsk{{Position: 1, Quantity: units}}},
			})
			if err != nil {
				return // a piece of nothing cannot be refunded
			}
			left -= units
			for _, line := range answer.Refund.Lines {
				back, taxBack = back+line.Amount, taxBack+line.Tax
			}
		}
		if back != total || taxBack != tax {
			t.Fatalf("%d with %d tax came back of %d with %d", back, taxBack, total, tax)
		}
	})
}
