package payment_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// A payment that completes with other lines takes them in the same commit, and
// the books owe for them.
func TestACompletionBringsItsLines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel()
		create := payment.CreatePayment{
			Meta: m.meta(), Status: payment.PaymentPending, Connector: "con", Merchant: "a", Amount: money.Of(900, "EUR"),
		}
		if rapid.Bool().Draw(t, "has lines") {
			create.Items = itemsOf(500, 400)
		}
		if _, err := m.run(t, create); err != nil {
			t.Fatal(err)
		}
		complete := payment.CompletePayment{Meta: m.meta(), Payment: m.view.Payment.ID, To: payment.PaymentCaptured}
		for _, list := range [][]payment.Item{{}, itemsOf(899), itemsOf(500, 401), itemsOf(1000, -100)} {
			complete.List = &list
			if _, err := m.run(t, complete); err == nil {
				t.Fatalf("%+v is taken", list)
			}
		}
		before, list := m.view.Payment.Version, itemsOf(0, 100, 800)
		complete.List = &list
		if _, err := m.run(t, complete); err != nil {
			t.Fatal(err)
		}
		is := m.view.List()
		if m.view.Payment.Version != before+1 || len(is) != 3 || is[1].Total != 100 || is[2].Total != 800 || is[2].Merchant != "c" {
			t.Fatalf("version %d after %d, %+v", m.view.Payment.Version, before, is)
		}
		m.owes(t)
		m.past(t)
	})
}

// What may not have other lines does not complete with them either.
func TestACompletionIsRefusedWithItsLines(t *testing.T) {
	t.Parallel()
	for want, change := range map[payment.RuleName]func(*payment.Payment){
		payment.RuleOrder:      func(p *payment.Payment) { p.OrderStatus = payment.OrderSplit },
		payment.RuleOneAtATime: func(p *payment.Payment) { p.Reserved = 1 },
	} {
		p := payment.Payment{ID: payment.PaymentID{1}, Status: payment.PaymentPending, Amount: money.Of(900, "EUR")}
		change(&p)
		book, list := payment.NewBook(time.Now(), newModel().newID), itemsOf(900)
		book.PutView(payment.View{Payment: p})
		_, err := payment.CompletePayment{Payment: p.ID, To: payment.PaymentCaptured, Document: []byte("{}"), List: &list}.Apply(book)
		if rule(err) != want || len(book.Changes.Views)+len(book.Changes.Facets)+len(book.Changes.Tellings) > 0 {
			t.Errorf("%s: %v, %+v", want, err, book.Changes)
		}
	}
}

// A document that makes sense in one status only is refused in another.
func TestDocumentsOfAStatus(t *testing.T) {
	t.Parallel()
	p := payment.Payment{ID: payment.PaymentID{1}, Status: payment.PaymentCaptured, Amount: money.Of(900, "EUR")}
	for while, isTaken := range map[payment.PaymentStatus]bool{
		"": true, payment.PaymentCaptured: true, payment.PaymentPending: false,
	} {
		book := payment.NewBook(time.Now(), newModel().newID)
		book.PutView(payment.View{Payment: p})
		_, err := payment.DocumentPayment{Payment: p.ID, Document: []byte("{}"), While: while}.Apply(book)
		if (err == nil) != isTaken || len(book.Changes.Facets) > 0 != isTaken || !isTaken && rule(err) != payment.RuleStatus {
			t.Errorf("%s: %v", while, err)
		}
	}
}
