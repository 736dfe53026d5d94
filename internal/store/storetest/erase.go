package storetest

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

var eraseTests = map[string]func(*testing.T, Open){
	"what is personal is kept sealed":                  testPersonalSealed,
	"what was erased is gone, and the books stay":      testErase,
	"what was sealed cannot be opened after a restore": testRestored,
	"what is sealed opens in its own place only":       testMoved,
	"without its keys a store goes on":                 testKeysLost,
	"what comes while it is erased is erased, too":     testEraseRace,
	"rows of older versions are read and then sealed":  testLegacy,
	"rows of older versions are erased too":            testLegacyErased,
	"webhooks are sealed, and erased":                  testDeliverySealed,
	"evidence about an erased payment stays":           testEvidenceAfter,
}

// mark stands wherever something personal can.
const mark = "m-a-r-k-of-a-person"

const markJSON = `{"of":"` + mark + `"}`

// personal makes a payment of an order, with a refund, all of which is full of
// marks and has ended.
func (b *bundle) personal(t *testing.T) payment.View {
	t.Helper()
	order := b.do(t, payment.OpenOrder{
		Meta: b.meta(), Currency: "EUR", Metadata: markJSON, Document: []byte(markJSON),
	}).Order
	item := line("thing", 1000, "m-1")
	item.Metadata = markJSON
	p := b.do(t, payment.CreatePayment{
		Meta: b.meta(), Order: order.ID, Status: payment.PaymentCaptured, Connector: "sandbox",
		Amount: money.Of(1000, "EUR"), Payer: mark, Description: mark, Metadata: markJSON, Items: []payment.Item{item},
		Method: payment.Method{Type: "card", Brand: "visa", Last4: "4242"}, Document: []byte(markJSON),
	}).View.Payment
	left := line("thing", 900, "m-1")
	left.Metadata = markJSON
	refund := b.do(t, payment.OpenRefund{
		Meta: b.meta(), Payment: p.ID, Ask: payment.Ask{How: payment.AskList, Amount: 100, List: []payment.Item{left}},
		Note: mark, Message: mark, Metadata: markJSON, Document: []byte(markJSON), Reference: "mine",
	}).Refund
	b.leave(t, refund)(payment.AttemptSucceeded)
	canceled := b.do(t, payment.OpenRefund{
		Meta: b.meta(), Payment: p.ID, Ask: payment.Ask{How: payment.AskAmount, Amount: 50},
	}).Refund
	b.do(t, payment.CancelRefund{
		Meta: b.meta(), Payment: p.ID, Refund: canceled.ID, Code: "canceled", Message: mark,
	})
	return b.view(t, p.ID)
}

// marks counts what of a view is personal.
func marks(v payment.View) int {
	texts := []string{v.Payment.Payer, v.Payment.Description, v.Payment.Metadata, v.Order.Metadata}
	for _, item := range v.Items {
		texts = append(texts, item.Metadata)
	}
	for _, r := range v.Refunds {
		texts = append(texts, r.Note, r.Message, r.Metadata, r.Failure.Message)
		if r.List != nil {
			for _, item := range *r.List {
				texts = append(texts, item.Metadata)
			}
		}
		for _, evidence := range r.Evidence {
			texts = append(texts, evidence.Note)
		}
	}
	for _, facet := range v.Facets {
		texts = append(texts, string(facet.Body))
	}
	return strings.Count(strings.Join(texts, " "), mark)
}

// allMarks is how many a view of [bundle.personal] has.
const allMarks = 13

func (b *bundle) wantNoMark(t *testing.T, when string) {
	t.Helper()
	kept := b.kept()
	if at := bytes.Index(kept, []byte(mark)); at >= 0 {
		t.Errorf("%s it is kept in the clear: %q", when, kept[max(0, at-60):at+len(mark)])
	}
}

func (b *bundle) erasePayment(t *testing.T, p payment.Payment) payment.Answer {
	t.Helper()
	return b.do(t, payment.ErasePayment{Meta: b.meta(), Payment: p.ID, Order: p.Order})
}

func testPersonalSealed(t *testing.T, open Open) {
	b := setup(t, open)
	view := b.personal(t)
	if got := marks(view); got != allMarks || view.Payment.Method.Last4 != "4242" {
		t.Errorf("%d marks are read, of %d: %+v", got, allMarks, view)
	}
	b.wantNoMark(t, "before it is erased")
	order, facets, err := b.store.Order(t.Context(), b.tenant, view.Order.ID)
	if err != nil || order.Metadata != markJSON || len(facets) != 1 || string(facets[0].Body) != markJSON {
		t.Errorf("the order is read as %+v with %d documents: %v", order, len(facets), err)
	}
	listed, err := b.store.Payments(t.Context(), b.tenant, payment.PaymentFilter{Limit: 1, Parts: payment.PartAll})
	if err != nil || len(listed) != 1 || marks(listed[0]) != allMarks {
		t.Errorf("listed as %+v: %v", listed, err)
	}
	refunds, err := b.store.ListRefunds(t.Context(), b.tenant, payment.RefundFilter{Limit: 1, Reference: "mine"})
	if err != nil || len(refunds) != 1 || refunds[0].Note != mark {
		t.Errorf("refunds are listed as %+v: %v", refunds, err)
	}
}

func testErase(t *testing.T, open Open) {
	b := setup(t, open)
	view := b.personal(t)
	rest := payment.Facet{Subject: view.Payment.ID, Door: "elsewhere", Body: []byte(`{"id":7}`)}
	answer := b.do(t, payment.ErasePayment{
		Meta: b.meta(), Payment: view.Payment.ID, Order: view.Payment.Order, Rest: []payment.Facet{rest},
	})
	after := b.view(t, view.Payment.ID)
	wantSame(t, "answered", answer.View.Payment, after.Payment)
	wantSame(t, "answered, refunds", answer.View.Refunds, after.Refunds)
	wantSame(t, "answered, lines", answer.View.Items, after.Items)
	wantSame(t, "answered, order", answer.View.Order, after.Order)
	wantSame(t, "what stays of documents", after.Facets, []payment.Facet{rest})
	wantSame(t, "… as it was", after.AsOf(1).Facets, []payment.Facet{rest})
	if marks(after) != 0 || after.Payment.Method.Last4 != "" {
		t.Errorf("left: %+v", after)
	}
	if after.Payment.ErasedAt().IsZero() || after.Order.ErasedAt.IsZero() || after.Payment.Totals != view.Payment.Totals {
		t.Errorf("erased as %+v, order %+v", after.Payment, after.Order)
	}
	if again := b.erasePayment(t, view.Payment); !again.Unchanged || again.View.Payment.Version != after.Payment.Version {
		t.Errorf("erased again: %+v", again)
	}
	if then := after.AsOf(view.Payment.Version); then.Payment.Totals != view.Payment.Totals || marks(then) != 0 {
		t.Errorf("as it was: %+v", then)
	}
	b.wantNoMark(t, "after it was erased")
	if _, err := b.refund(t.Context(), view.Payment.ID, 10); err != nil {
		t.Errorf("it is not refunded any more: %v", err)
	}
	worded := payment.OpenRefund{
		Meta: b.meta(), Payment: view.Payment.ID, Ask: payment.Ask{How: payment.AskAmount, Amount: 10}, Note: mark,
	}
	_, err := b.engine.Do(t.Context(), worded)
	wantRule(t, err, payment.RuleErased)
	worded.Door, worded.Document = "elsewhere", []byte(markJSON)
	b.do(t, worded)
	b.wantNoMark(t, "refunded after it was erased,")
	b.wantClean(t)
}

// testRestored brings back what was sealed, as a backup would that has no keys.
func testRestored(t *testing.T, open Open) {
	b := setup(t, open)
	view := b.personal(t)
	tables := []string{"payment", "payment_order", "refund", "item", "facet"}
	for _, table := range tables {
		b.damage(t, `CREATE TABLE old_`+table+` AS SELECT * FROM `+table)
	}
	b.erasePayment(t, view.Payment)
	for _, table := range tables {
		b.damage(t, `DELETE FROM `+table)
		b.damage(t, `INSERT INTO `+table+` SELECT * FROM old_`+table)
	}
	restored := b.view(t, view.Payment.ID)
	if marks(restored) != 0 || len(restored.Facets) > 0 || restored.Payment.Totals != view.Payment.Totals {
		t.Errorf("it is read again: %+v", restored)
	}
}

// testEraseRace lets doors write documents about payments that are erased
// meanwhile, by another replica.
func testEraseRace(t *testing.T, open Open) {
	b := setup(t, open)
	other := b.beside(t, nobody{})
	for range 10 {
		p := b.capture(t, 1000)
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				if _, err := other.Do(t.Context(), payment.DocumentPayment{
					Meta: b.meta(), Payment: p.ID, Document: []byte(markJSON),
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Go(func() {
			if _, err := b.engine.Do(t.Context(), payment.ErasePayment{Meta: b.meta(), Payment: p.ID}); err != nil {
				t.Error(err)
			}
		})
		wait.Wait()
		if view := b.view(t, p.ID); marks(view) != 0 || len(view.Facets) > 0 || view.Payment.ErasedAt().IsZero() {
			t.Errorf("left: %+v", view)
		}
	}
	b.wantNoMark(t, "after all")
	b.wantClean(t)
}

func testMoved(t *testing.T, open Open) {
	b := setup(t, open)
	one, other := b.personal(t), b.personal(t)
	b.damage(t, `UPDATE payment SET personal = (SELECT personal FROM payment ORDER BY personal LIMIT 1)`)
	if got := marks(b.view(t, one.Payment.ID)) + marks(b.view(t, other.Payment.ID)); got != 2*allMarks-3 {
		t.Errorf("%d marks are read: what one payment's key has sealed is read of another", got)
	}
}

// testKeysLost restores a backup without keys: money goes on, words are new.
func testKeysLost(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.personal(t).Payment
	b.damage(t, `DELETE FROM personal_key`)
	if view := b.view(t, p.ID); marks(view) != 0 || view.Payment.Totals != p.Totals {
		t.Errorf("read without keys as %+v", view)
	}
	refund := b.do(t, payment.OpenRefund{
		Meta: b.meta(), Payment: p.ID, Ask: payment.Ask{How: payment.AskAmount, Amount: 10}, Note: mark,
	}).Refund
	if view := b.view(t, p.ID); marks(view) != 1 {
		t.Errorf("read with a new key as %+v", view)
	}
	b.leave(t, refund)(payment.AttemptSucceeded)
	b.erasePayment(t, p)
	if view := b.view(t, p.ID); marks(view) != 0 || view.Payment.ErasedAt().IsZero() {
		t.Errorf("erased as %+v", view)
	}
	b.wantNoMark(t, "after all")
	b.wantClean(t)
}

// legacy puts rows as a version before had written them.
func (b *bundle) legacy(t *testing.T) payment.Payment {
	t.Helper()
	view := b.personal(t)
	b.damage(t, `UPDATE payment SET personal = NULL, detail = '{"payer":"`+mark+`","description":"`+mark+`","last4":"4242"}'`)
	b.damage(t, `UPDATE refund SET personal = NULL, detail = '{"note":"`+mark+`","failure":{"Message":"`+mark+
		`"},"evidence":[{"Note":"`+mark+`"}]}'`)
	b.damage(t, `UPDATE item SET personal = NULL, metadata = '`+mark+`'`)
	b.damage(t, `UPDATE payment_order SET personal = NULL, metadata = '`+mark+`'`)
	if b.exec(`UPDATE facet SET personal = NULL, body = convert_to('`+mark+`', 'UTF8')`) != nil {
		b.damage(t, `UPDATE facet SET personal = NULL, body = CAST('`+mark+`' AS BLOB)`)
	}
	return view.Payment
}

func testLegacy(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.legacy(t)
	view := b.view(t, p.ID)
	r := view.Refunds[0]
	if view.Payment.Payer != mark || view.Payment.Method.Last4 != "4242" || r.Note != mark || r.Evidence[0].Note != mark ||
		view.Items[0].Metadata != mark || view.Order.Metadata != mark || string(view.Facets[0].Body) != mark {
		t.Errorf("read as %+v", view)
	}
	b.damage(t, `DELETE FROM personal_key`)                                                 // an older replica gives none
	b.do(t, payment.DocumentPayment{Meta: b.meta(), Payment: p.ID, Document: []byte("{}")}) // it writes the payment again
	b.damage(t, `UPDATE refund SET detail = '{}'`)
	b.damage(t, `UPDATE item SET metadata = ''`)
	b.damage(t, `UPDATE payment_order SET metadata = ''`)
	b.damage(t, `DELETE FROM facet`)
	if after := b.view(t, p.ID).Payment; after.Payer != mark || after.Description != mark || after.Method.Last4 != "4242" {
		t.Errorf("written again as %+v", after)
	}
	b.damage(t, `UPDATE payment SET personal = NULL`)
	if after := b.view(t, p.ID).Payment; after.Payer+after.Description+after.Method.Last4 != "" {
		t.Errorf("written again, it is in the clear: %+v", after)
	}
}

func testLegacyErased(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.legacy(t)
	b.erasePayment(t, p)
	after := b.view(t, p.ID)
	if marks(after) != 0 || after.Payment.Method.Last4 != "" || len(after.Facets) > 0 {
		t.Errorf("left: %+v", after)
	}
}

func testDeliverySealed(t *testing.T, open Open) {
	b := setup(t, open)
	payments, deliveries := b.tell(t, 1, "https://a.example/")
	ended := deliveries[0]
	ended.Body, ended.Status, ended.Attempts = []byte(markJSON), webhook.StatusDelivered, 1
	claimed := b.claim(t, time.Minute)[ended.ID]
	if err := b.store.Attempted(t.Context(), []webhook.Result{{
		Delivery: ended, Attempt: webhook.Attempt{Number: 1, StatusCode: 200, Answer: mark}, Job: claimed.Ref(),
	}}); err != nil {
		t.Fatal(err)
	}
	body, answer := b.told(t, ended.ID)
	if body != markJSON || answer != mark {
		t.Errorf("kept as %q, answered with %q", body, answer)
	}
	b.wantNoMark(t, "before it is erased")
	b.erasePayment(t, payments[0])
	if body, answer := b.told(t, ended.ID); body != "" || answer != "" {
		t.Errorf("erased, it is %q, answered with %q", body, answer)
	}
	if err := b.store.Resend(t.Context(), b.tenant, ended.ID); err != nil {
		t.Fatal(err)
	}
	claimed = b.claim(t, time.Minute)[ended.ID]
	if err := b.store.Attempted(t.Context(), []webhook.Result{{
		Delivery: ended, Attempt: webhook.Attempt{Number: 1, StatusCode: 200, Answer: mark}, Job: claimed.Ref(),
	}}); err != nil {
		t.Fatal(err)
	}
	if body, answer := b.told(t, ended.ID); body != "" || answer != "" {
		t.Errorf("told again, it is kept as %q, answered with %q", body, answer)
	}
	b.wantNoMark(t, "told after it was erased,")
}

// told returns a delivery's body, and all answers to it.
func (b *bundle) told(t *testing.T, id payment.DeliveryID) (body, answers string) {
	t.Helper()
	delivery, err := b.store.Delivery(t.Context(), b.tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	attempts, err := b.store.Attempts(t.Context(), b.tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, attempt := range attempts {
		answers += attempt.Answer
	}
	return string(delivery.Body), answers
}

// testEvidenceAfter settles a refund of an erased payment: why that was done
// must stay readable.
func testEvidenceAfter(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.capture(t, 1000)
	b.erasePayment(t, p)
	answer, err := b.refund(t.Context(), p.ID, 100)
	if err != nil {
		t.Fatal(err)
	}
	b.leave(t, answer.Refund)(payment.AttemptUnknown)
	b.do(t, payment.FlagRefund{Meta: b.meta(), Payment: p.ID, Refund: answer.Refund.ID})
	meta := b.meta()
	meta.Actor = "operator:o"
	b.do(t, payment.SettleRefund{
		Meta: meta, Payment: p.ID, Refund: answer.Refund.ID, To: payment.RefundFailed, Evidence: "the bank says so",
	})
	if r := b.view(t, p.ID).Refunds[0]; r.Evidence[0].Note != "the bank says so" || r.Failure.Message != "the bank says so" {
		t.Errorf("settled as %+v", r)
	}
	b.wantClean(t)
}
