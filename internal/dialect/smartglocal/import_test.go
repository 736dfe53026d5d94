package smartglocal_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"testing"

	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

func letter(tenant payment.TenantID, body []byte) webhook.Letter {
	return webhook.Letter{Tenant: tenant, At: began, Body: body}
}

// verifies reports whether a key, as PEM, verifies a signature.
func verifies(t *testing.T, public string, body []byte, signature string) bool {
	t.Helper()
	block, _ := pem.Decode([]byte(public))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256(body)
	return err == nil && rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, sum[:], raw) == nil
}

// importLine makes a payment from a line of an import.
func (w *world) importLine(line string) string {
	w.t.Helper()
	value, err := wire.Parse([]byte(line))
	if err != nil {
		w.t.Fatal(err)
	}
	document, aliases, err := smartglocal.ImportDocument(brand)(value)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.elsewhere(func(c *payment.CreatePayment) {
		c.Door, c.Document, c.Aliases = brand.Door(), document, aliases
	})
}

// An imported session is known by its id from there, and shown with it, at
// every call and in every webhook.
func TestImportedSessionsKeepTheirIDs(t *testing.T) {
	t.Parallel()
	w := setup(t, brand, smartglocal.Pike)
	own := w.importLine(`{"session":"ps_3230","payment_id":"pm_2705",` +
		`"document":{"customer":{"reference":"buyer-77"},"bin":"424242","version":"v2"}}`)
	for _, session := range []string{"ps_3230", own} {
		got := w.call(brand, "session/status", of(session))
		if got.at("session.id") != "ps_3230" || got.at("session.acquiring_payments.0.id") != "pm_2705" ||
			got.at("session.acquiring_payments.0.customer.reference") != "buyer-77" ||
			got.at("session.acquiring_payments.0.payment_details.card.bin") != "424242" {
			t.Errorf("%s: %s", session, got.text)
		}
	}
	w.call(smartglocal.Pike, "session/status", of("ps_3230")).expect(t, "an id of the other brand", 400, "invalid_request")
	w.call(brand, "session/refund", of("ps_3230"), "X-PARTNER-IDEMPOTENCY-KEY", "k").
		says(t, "refund", "in_progress", "succeeded")
	w.call(brand, "session/refund", of("ps_3230"), "X-PARTNER-IDEMPOTENCY-KEY", "k").
		expect(t, "again", 400, "idempotency_key_already_exists")
	w.end(w.paymentOf(own), payment.AttemptSucceeded)
	if told := w.last(brand); at(told, "session.id") != "ps_3230" || at(told, "session.payment_list.0.id") != "pm_2705" {
		t.Errorf("told: %v", told)
	}
}

// What is said of an imported payment is read strictly.
func TestBadImportsAreRefused(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		`{"session":3230}`, `{"session":"pm_1"}`, `{"payment_id":"ps_1"}`, `{"session":"ps_"}`,
		`{"document":{"version":"v3"}}`, `{"document":{"bin":"4242424242424242"}}`,
		`{"document":{"customer":{"reference":"4242 4242 4242 4242"}}}`,
	} {
		value, err := wire.Parse([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := smartglocal.ImportDocument(brand)(value); err == nil || fault.CodeOf(err) == fault.Internal && !isWord(err) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// isWord reports whether an error has a sentence for the caller.
func isWord(err error) bool {
	status, _ := smartglocal.RenderError(err)
	return status == 400
}

// A payment from another door is a session of its own number, in this brand's
// words, whatever it was made with.
func TestPaymentsOfOtherDoorsAreSessions(t *testing.T) {
	t.Parallel()
	w := setup(t, smartglocal.SmartGlocal, smartglocal.Pike)
	for _, brand := range smartglocal.Brands {
		session := w.elsewhere(func(c *payment.CreatePayment) {
			c.Method, c.Metadata = payment.Method{Type: "sepa"}, `{"order":1}`
		})
		got := w.call(brand, "session/status", of(session))
		got.says(t, "status", "accepted", "succeeded")
		if got.at("session.id") != session || got.at("session.acquiring_payments.0.id") != "pm_"+session[3:] ||
			got.at("session.acquiring_payments.0.metadata.order") != 1.0 ||
			got.at("session.acquiring_payments.0.payment_details.card.last4") == nil ||
			(got.at("session.acquiring_payments.0.customer") != nil) != (brand == smartglocal.Pike) {
			t.Errorf("%s: %s", brand, got.text)
		}
		w.call(brand, "session/refund", `{"session_id":"`+session+`","amount_details":{"amount":1,"currency":"USD"}}`).
			says(t, "refund", "in_progress", "succeeded")
		w.end(w.paymentOf(session), payment.AttemptSucceeded)
		if told := w.last(brand); at(told, "session.id") != session {
			t.Errorf("told: %v", told)
		}
	}
}
