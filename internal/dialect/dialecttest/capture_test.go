package dialecttest_test

import (
	"net/http"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// heldAtSmartGlocal makes a payment that waits for its capture, and returns its session.
func heldAtSmartGlocal(w *dialecttest.World) string {
	w.T.Helper()
	w.Set("smartglocal.delayed_capture", true)
	body := `{"payment_details":{"type":"card","card":{"type":"bank_card","bank_card":{"number":"4242424242424242",` +
		`"expiration_month":"05","expiration_year":"35","security_code":"123"}}},` +
		`"amount_details":{"amount":20000,"currency":"eur"},"customer":{"reference":"buyer-77"}}`
	made := mustBe(w, "session/init/payment", w.Call(http.MethodPost, "/api/v1/session/init/payment", body,
		"X-PARTNER-PROJECT", w.File.SmartGlocal.Project,
		"X-PARTNER-SIGN", dialecttest.SignRSA(w.T, w.File.SmartGlocal.PrivateKeyFile, body)), 200)
	session := text(made.At("session.id"))
	dialecttest.Eventually(w.T, "it waits for its capture", func() bool {
		return doors[0].read(w, session).At("session.next_action") == "capture"
	})
	return session
}

// What our own API records of a payment that another door holds is shown there:
// a capture is one, and what was given up is over.
func TestOwnRecordsAreShownAtHome(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		record := func(d door, named, verb, body string) {
			t.Helper()
			path := "/v1/payments/" + paymentOf(w, d, named).String() + "/" + verb
			mustBe(w, verb, w.API(http.MethodPost, path, body), 200)
		}
		authorized := func() string {
			t.Helper()
			return text(mustBe(w, "payments", callPrimer(w, http.MethodPost, "",
				`{"orderId":"order-1","currencyCode":"EUR","amount":20000,"paymentMethodToken":"a-token"}`), 200).At("id"))
		}
		for _, at := range []struct {
			door                 door
			hold                 func() string
			path                 string
			taken, all, canceled string
		}{
			{smartGlocal("smartglocal"), func() string { return heldAtSmartGlocal(w) }, "session.status", "accepted", "accepted", "cancelled"},
			{primer, authorized, "status", "PARTIALLY_SETTLED", "SETTLED", "CANCELLED"},
		} {
			shows := func(named, want string) {
				t.Helper()
				if read := at.door.read(w, named); read.At(at.path) != want {
					t.Errorf("%s: want %s, got %s", at.door.name, want, read.Raw)
				}
			}
			captured, canceled := at.hold(), at.hold()
			record(at.door, captured, "capture", `{"amount":12000,"currency":"EUR"}`)
			shows(captured, at.taken)
			record(at.door, captured, "capture", `{"amount":3000,"currency":"EUR","final":true}`)
			shows(captured, at.all)
			record(at.door, canceled, "cancel", "")
			shows(canceled, at.canceled)
			if got := at.door.refund(w, captured, "15000"); got.Status/100 != 2 {
				t.Errorf("a refund of both captures at %s: %s", at.door.name, got)
			}
			if got := at.door.refund(w, canceled, "1"); got.Status/100 == 2 {
				t.Errorf("a refund of what was canceled at %s: %s", at.door.name, got)
			}
		}
		w.Clean()
	})
}
