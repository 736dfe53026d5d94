package payment_test

import (
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// erase erases the payment. Whatever has happened to it, that changes no money
// and no status, and it is refused exactly while something is open.
func (m *model) erase(t *rapid.T) {
	before, entries := m.view, len(m.books)
	isOpen := before.Running() > 0
	for _, dispute := range before.Disputes {
		isOpen = isOpen || !payment.DisputeLife.IsEnd(dispute.Status)
	}
	answer, err := m.run(t, payment.ErasePayment{Meta: m.meta(), Payment: before.Payment.ID})
	var refusal *payment.Refusal
	switch wasErased := !before.Payment.ErasedAt().IsZero(); {
	case errors.As(err, &refusal) && refusal.Rule == payment.RuleErasable:
		if !isOpen || wasErased {
			t.Fatalf("it is refused: %v", err)
		}
		return
	case err != nil:
		t.Fatal(err)
	case wasErased && (!answer.Unchanged || !reflect.DeepEqual(before, m.view)):
		t.Fatal("erased again, it has changed")
	case !wasErased && isOpen:
		t.Fatal("it was erased while something was open")
	}
	if m.view.Payment.Totals != before.Payment.Totals || m.view.Payment.Status != before.Payment.Status || len(m.books) != entries {
		t.Fatalf("the totals were %+v, and are %+v", before.Payment.Totals, m.view.Payment.Totals)
	}
}

// done runs a command that is not refused.
func (m *model) done(t *rapid.T, command payment.Command) payment.Answer {
	answer, err := m.run(t, command)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// refusedBy fails the test unless a rule has said no.
func refusedBy(t *rapid.T, err error, rule payment.RuleName) {
	var refusal *payment.Refusal
	if !errors.As(err, &refusal) || refusal.Rule != rule {
		t.Fatalf("%v, want a no by %s", err, rule)
	}
}

// worded is a refund with words, as a door asks for it.
func (m *model) worded(door payment.Door) payment.OpenRefund {
	meta := m.meta()
	meta.Door = door
	return payment.OpenRefund{
		Meta: meta, Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: 100}, Note: "n", Message: "m", Metadata: `{"a":1}`,
		Document: []byte(`{"d":1}`),
	}
}

// An erased payment can still be refunded. Our own API refuses words; at other
// doors, whose clients send them with every refund, they are left out.
func TestRefundsOfAnErasedPayment(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		m.done(t, payment.CreatePayment{
			Meta: m.meta(), Status: payment.PaymentCaptured, Connector: "con", Amount: money.Of(1_000, "EUR"), Payer: "p",
			Description: "d", Metadata: `{"a":1}`, Method: payment.Method{Type: "card", Last4: "4242"}, Document: []byte(`{}`),
		})
		m.end(t, m.done(t, m.worded(payment.DoorAPI)).Refund, payment.AttemptSucceeded)
		version := m.view.Payment.Version
		erased := m.done(t, payment.ErasePayment{Meta: m.meta(), Payment: m.view.Payment.ID}).View
		p, r := erased.Payment, erased.Refunds[0]
		if p.Version != version+1 || p.ErasedAt() != m.now && !p.ErasedAt().After(m.now) {
			t.Fatalf("erased at %v, version %d", p.ErasedAt(), p.Version)
		}
		if p.Payer+p.Description+p.Metadata+p.Method.Last4+r.Note+r.Message+r.Metadata != "" || len(erased.Facets) > 0 {
			t.Fatalf("left: %+v", erased)
		}
		_, err := m.run(t, m.worded(payment.DoorAPI))
		refusedBy(t, err, payment.RuleErased)
		plain := m.worded(payment.DoorAPI)
		plain.Note, plain.Message, plain.Metadata = "", "", ""
		m.done(t, plain)
		if r := m.done(t, m.worded("door")).Refund; r.Note+r.Message+r.Metadata != "" || len(m.view.Facets) > 0 {
			t.Fatalf("kept: %+v, %d documents", r, len(m.view.Facets))
		}
		if !m.view.AsOf(version).Payment.ErasedAt().IsZero() {
			t.Fatal("it was erased before it was")
		}
	})
}

// What has not ended is not erased.
func TestWhatIsOpenIsNotErased(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		status := rapid.SampledFrom([]payment.PaymentStatus{
			payment.PaymentCreated, payment.PaymentPending, payment.PaymentAuthorized, payment.PaymentDeclined,
			payment.PaymentFailed, payment.PaymentCanceled, payment.PaymentExpired,
		}).Draw(t, "status")
		m := newModel()
		m.done(t, payment.CreatePayment{Meta: m.meta(), Status: status, Connector: "con", Amount: money.Of(1_000, "EUR")})
		_, err := m.run(t, payment.ErasePayment{Meta: m.meta(), Payment: m.view.Payment.ID})
		if payment.PaymentLife.IsEnd(status) {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		refusedBy(t, err, payment.RuleErasable)
	})
}

// What was taken from an older payment is not written over a newer one: a document
// that came in between has something to keep, too.
func TestErasingIsAboutWhatWasRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		m.done(t, payment.CreatePayment{Meta: m.meta(), Status: payment.PaymentCaptured, Connector: "con", Amount: money.Of(1_000, "EUR")})
		erase := payment.ErasePayment{Meta: m.meta(), Payment: m.view.Payment.ID, Read: m.view.Payment.Version}
		m.done(t, payment.DocumentPayment{Meta: m.meta(), Payment: m.view.Payment.ID, Document: []byte(`{}`)})
		_, err := m.run(t, erase)
		refusedBy(t, err, payment.RuleErasable)
		if len(m.view.Facets) != 1 || !m.view.Payment.ErasedAt().IsZero() {
			t.Fatalf("it is erased all the same: %+v", m.view.Payment)
		}
		erase.Read = m.view.Payment.Version
		m.done(t, erase)
	})
}

// An order is erased with the last of its payments, and keeps no document then.
func TestOrderIsErasedWithItsLastPayment(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		m.done(t, payment.OpenOrder{Meta: m.meta(), Currency: "EUR", Metadata: `{"a":1}`, Document: []byte(`{}`)})
		book := payment.NewBook(m.now, m.newID)
		book.PutOrder(m.order)
		var made []payment.PaymentID
		for range 2 {
			answer, err := payment.CreatePayment{
				Meta: m.meta(), Order: m.order.ID, Status: payment.PaymentCaptured, Connector: "con", Amount: money.Of(100, "EUR"),
			}.Apply(book)
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, answer.View.Payment.ID)
		}
		erase := func(of payment.PaymentID, order payment.OrderID) (payment.Answer, error) {
			return payment.ErasePayment{Meta: m.meta(), Payment: of, Order: order}.Apply(book)
		}
		_, err := erase(made[0], payment.OrderID{})
		refusedBy(t, err, payment.RuleExists)
		first, err := erase(made[0], m.order.ID)
		if err != nil || !first.View.Order.ErasedAt.IsZero() || first.View.Order.Metadata == "" {
			t.Fatalf("with the first: %+v, %v", first.View.Order, err)
		}
		last, err := erase(made[1], m.order.ID)
		if err != nil || last.View.Order.ErasedAt.IsZero() || last.View.Order.Metadata != "" {
			t.Fatalf("with the last: %+v, %v", last.View.Order, err)
		}
		kept := len(book.Changes.Facets)
		if _, err := (payment.DocumentOrder{Meta: m.meta(), Order: m.order.ID, Document: []byte(`{}`)}).Apply(book); err != nil {
			t.Fatal(err)
		}
		if len(book.Changes.Facets) != kept {
			t.Fatal("a document of an erased order is kept")
		}
	})
}
