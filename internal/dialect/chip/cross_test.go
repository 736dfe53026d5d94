package chip_test

import (
	"net/http"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// A payment of another door is a purchase with sensible defaults, and is
// refunded here; a refund of another door is pending here at once.
func TestOtherDoors(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		s.hook("/hook")
		made := must(t, s.API(http.MethodPost, "/v1/payments", `{"amount":5900,"currency":"EUR","reference":"order-9","items":[`+
			`{"name":"Mug","quantity":2,"unit_amount":2500,"total":5000},{"name":"Pen","quantity":1,"unit_amount":1000,"total":900}]}`), 201)
		foreign := uuidOf(t, made)
		got := s.purchase(foreign)
		is(t, "read", got, "paid", "all", 5900)
		for member, want := range map[string]string{
			"id": foreign, "purchase.total": "5900", "purchase.currency": "EUR", "purchase.products.0.quantity": "2.0000",
			"purchase.products.0.price": "2500", "purchase.products.1.total_price_override": "900", "reference": "order-9",
			"client.email": "", "checkout_url": "", "direct_post_url": "<nil>", "payment.amount": "5900",
			"status_history.0.status": "created", "marked_as_paid": "false",
		} {
			if text(got.At(member)) != want {
				t.Errorf("%s is %v, want %s", member, got.At(member), want)
			}
		}
		if !isUUID(text(got.At("client_id"))) || got.At("client_id") != s.purchase(foreign).At("client_id") {
			t.Errorf("client_id: %s", got.At("client_id"))
		}
		refund := must(t, s.refund(foreign, `{"amount":1000}`), 200)
		if refund.At("payment.description") != "Refund: order-9" || refund.At("related_to.id") != foreign {
			t.Errorf("refund: %s", refund.Raw)
		}
		if told := s.told("/hook", "payment.refunded", 1); told.At("id") != refund.At("id") {
			t.Errorf("told: %s", told.Raw)
		}

		id := s.paid(30000)
		opened := must(t, s.API(http.MethodPost, "/v1/refunds", `{"payment":"`+own(t, id)+`","amount":9003,"currency":"MYR"}`), 201)
		is(t, "refunded elsewhere", s.purchase(id), "pending_refund", "none", 30000)
		if told := s.toldOf("/hook", "purchase.pending_refund", id); told.At("status") != "pending_refund" {
			t.Errorf("told: %s", told.Raw)
		}
		refuses(t, "a refund beside it", s.refund(id, `{"amount":1}`), 400, "__all__ purchase_refund_wrong_status")
		must(t, s.API(http.MethodPost, "/v1/refunds", `{"payment":"`+own(t, id)+`","amount":2000,"currency":"MYR"}`), 201)
		s.toldOf("/hook", "payment.refunded", id)
		is(t, "one of two has ended", s.purchase(id), "pending_refund", "none", 28000)
		if opened.At("status") == nil || steps(s.purchase(id)) != "created paid pending_refund refunded pending_refund" {
			t.Errorf("history: %s", steps(s.purchase(id)))
		}
		s.Clean()
	})
}

// A purchase that was made at CHIP keeps its id there.
func TestImports(t *testing.T) {
	s := setup(t)
	const id = "4a0f6f3e-2d53-4f53-8c0a-0c3f7f1f9d02"
	s.hook("/hook")
	s.imported("", `{"id":"1","home":"chip","amount":5900,"currency":"MYR","status":"captured","captured_at":"2026-01-02T03:04:05Z",`+
		`"payment_id":"`+id+`","method":{"type":"card","brand":"visa","last4":"1111"},`+
		`"document":{"reference_generated":"CH1042","client":{"email":"buyer@example.com","full_name":"Buyer"}}}`)
	got := s.purchase(id)
	is(t, "imported", got, "paid", "all", 5900)
	for member, want := range map[string]string{
		"id": id, "reference_generated": "CH1042", "client.email": "buyer@example.com", "client.full_name": "Buyer",
		"transaction_data.payment_method": "visa", "transaction_data.extra.masked_pan": "************1111",
		"payment.paid_on": "1767323045", "status_history.last.timestamp": "1767323045",
	} {
		if text(got.At(member)) != want {
			t.Errorf("%s is %v, want %s", member, got.At(member), want)
		}
	}
	refund := must(t, s.refund(id, `{"amount":900}`, headerKey, "a"), 200)
	if refund.At("related_to.id") != id || refund.At("payment.description") != "Refund: CH1042" {
		t.Errorf("refund: %s", refund.Raw)
	}
	if again := s.refund(id, `{"amount":900}`, headerKey, "a"); again.Raw != refund.Raw {
		t.Errorf("again: %s", again.Raw)
	}
	if told := s.told("/hook", "payment.refunded", 1); told.At("related_to.id") != id {
		t.Errorf("told: %s", told.Raw)
	}
	for _, bad := range []string{
		`"payment_id":"nobody"`, `"document":7`, `"document":{"client":{"email":"nobody"}}`, `"document":{"reference_generated":7}`,
	} {
		if got := s.operate("", http.MethodPost, "/v1/payments/import", `{"id":"2","home":"chip","amount":1,"currency":"MYR","status":"captured",`+
			bad+`}`); dialecttest.At(got.Body, "error") == nil {
			t.Errorf("%s: %s", bad, got.Raw)
		}
	}
}
