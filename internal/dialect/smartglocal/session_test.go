package smartglocal_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/payment"
)

// A session that is empty at first gets its payment, which passes every gate.
func TestSessionLife(t *testing.T) {
	t.Parallel()
	for _, brand := range smartglocal.Brands {
		t.Run(string(brand), func(t *testing.T) {
			t.Parallel()
			w := setup(t, brand)
			w.set(string(brand)+".auto_confirm", false)
			w.set(string(brand)+".require_action", true)
			w.set(string(brand)+".delayed_capture", true)
			made := w.call(brand, "session/create", "[]")
			made.says(t, "create", "created", "")
			session := made.at("session.id").(string)
			w.call(brand, "session/status", of(session)).says(t, "status", "created", "")
			for _, method := range []string{"session/refund", "session/confirm", "session/capture"} {
				w.call(brand, method, of(session)).expect(t, method, 400, "invalid_request")
			}
			w.pass(time.Minute)
			body := strings.Replace(initBody(brand), "{", `{"session_id":"`+session+`",`, 1)
			begun := w.call(brand, "session/start/payment/", body)
			begun.says(t, "start", "in_progress", "in_progress")
			if begun.at("session.id") != session || begun.at("session.created_at") != made.at("session.created_at") {
				t.Errorf("start changes the session: %s", begun.text)
			}
			w.call(brand, "session/start/payment", body).expect(t, "start again", 400, "invalid_request")
			w.passGates(brand, session)
			if got := types(w.hear(brand)); !slices.Equal(got, []string{
				"ready_to_confirm", "action_required", "ready_to_capture", "payment_finished",
			}) {
				t.Errorf("told: %v", got)
			}
		})
	}
}

func (w *world) passGates(brand smartglocal.Brand, session string) {
	t := w.t
	w.call(brand, "session/confirm", of(session)).expect(t, "confirm too early", 400, "invalid_request")
	w.advance(session)
	waiting := w.call(brand, "session/status", of(session))
	waiting.says(t, "at confirmation", "in_progress", "pending")
	if waiting.at("session.next_action") != "confirm" {
		t.Errorf("next: %s", waiting.text)
	}
	confirmed := w.call(brand, "session/confirm", of(session))
	confirmed.says(t, "confirm", "in_progress", "pending")
	if confirmed.at("session.next_action") != nil {
		t.Errorf("it does not wait: %s", confirmed.text)
	}
	w.advance(session)
	redirect := at(w.hear(brand)[1], "session.acquiring_payments.0.customer_interaction.redirect.url").(string)
	page := strings.Replace(redirect, "http://"+strings.TrimPrefix(w.url, "http://"), "", 1)
	if shown := w.raw(http.MethodGet, page, "", nil); shown.status != 200 || !strings.Contains(shown.text, "<form") {
		t.Errorf("the payer's page: %d %s", shown.status, shown.text)
	}
	said := w.raw(http.MethodPost, page, "result=pass", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	if said.status != http.StatusSeeOther || said.header.Get("Location") != "https://m.example/?a=1&b=2" {
		t.Errorf("the payer goes to %d %s", said.status, said.header.Get("Location"))
	}
	if again := w.raw(http.MethodPost, page, "", nil); again.status != http.StatusConflict {
		t.Errorf("the payer says yes twice: %d", again.status)
	}
	w.advance(session)
	waiting = w.call(brand, "session/status", of(session))
	waiting.says(t, "at capture", "in_progress", "pending")
	if waiting.at("session.next_action") != "capture" {
		t.Errorf("next: %s", waiting.text)
	}
	w.call(brand, "session/capture", partOf(brand, session, 10001)).expect(t, "too much", 400, "invalid_request")
	w.call(brand, "session/capture", `{"session_id":"`+session+`","amount_details":{"amount":1,"currency":"eur"}}`).
		expect(t, "another currency", 400, "invalid_request")
	w.call(brand, "session/capture", `{"session_id":"`+session+`","amount_details":{}}`).
		expect(t, "a blank amount", 400, "invalid_request")
	w.call(brand, "session/capture", partOf(brand, session, 7000)).says(t, "capture", "in_progress", "pending")
	w.advance(session)
	ended := w.call(brand, "session/status", of(session))
	ended.says(t, "captured", "accepted", "succeeded")
	if ended.at("session.acquiring_payments.0.amount_details.amount") != 7000.0 {
		t.Errorf("a partial capture lowers the amount: %s", ended.text)
	}
	w.call(brand, "session/refund", of(session)).says(t, "refund", "in_progress", "succeeded")
}

// A session is canceled before anything was taken, and not afterwards.
func TestCancel(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	empty := w.call(brand, "session/create", "{}").at("session.id").(string)
	w.call(brand, "session/cancel", of(empty)).says(t, "an empty one", "cancelled", "")
	w.call(brand, "session/status", of(empty)).says(t, "it stays so", "cancelled", "")
	w.call(brand, "session/start", strings.Replace(initBody(brand), "{", `{"session_id":"`+empty+`",`, 1)).
		expect(t, "start a canceled one", 400, "invalid_request")

	session := w.begin(brand)
	w.call(brand, "session/cancel", of(session)).says(t, "cancel", "in_progress", "pending")
	w.call(brand, "session/cancel", of(session)).expect(t, "cancel again", 400, "invalid_request")
	w.advance(session)
	w.call(brand, "session/status", of(session)).says(t, "canceled", "cancelled", "failed")
	paid := w.call(brand, "session/cancel", of(w.paid(brand)))
	paid.expect(t, "a paid one", 400, "invalid_request")
	if paid.at("error.description") != "the session does not allow this now" {
		t.Errorf("a paid one: %s", paid.text)
	}
}

// A payment that ends without money is failed, its session cancelled, and told.
func TestPaymentsThatEndWithoutMoney(t *testing.T) {
	t.Parallel()
	ends := map[string]func(w *world, session string){
		"declined": func(w *world, session string) {
			w.do(payment.AdvancePayment{Meta: w.meta(), Payment: w.paymentOf(session), End: payment.PaymentDeclined})
		},
		"failed": func(w *world, session string) {
			w.do(payment.AdvancePayment{Meta: w.meta(), Payment: w.paymentOf(session), End: payment.PaymentFailed})
		},
		"expired": func(w *world, session string) {
			w.advance(session)
			w.pass(240 * time.Minute)
			w.do(payment.ExpirePayment{Meta: w.meta(), Payment: w.paymentOf(session)})
		},
		"the payer says no": func(w *world, session string) {
			query := "?tenant=" + w.tenant.String() + "&payment=" + w.paymentOf(session).String()
			w.raw(http.MethodPost, "/sandbox/payer"+query, "result=decline",
				http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, brand)
			w.set("smartglocal.auto_confirm", name != "expired")
			session := w.begin(brand)
			end(w, session)
			ended := w.call(brand, "session/status", of(session))
			ended.says(t, name, "cancelled", "failed")
			if ended.at("session.acquiring_payments.0.finished_at") == nil {
				t.Errorf("it has not finished: %s", ended.text)
			}
			heard := types(w.hear(brand))
			if heard[len(heard)-1] != "payment_finished" {
				t.Errorf("told: %v", heard)
			}
			w.call(brand, "session/refund", of(session)).expect(t, "refund", 400, "invalid_request")
		})
	}
}

// What a payment needs, and what is no payment.
func TestBadPayments(t *testing.T) {
	t.Parallel()
	w := setup(t, smartglocal.SmartGlocal, smartglocal.Pike)
	good := initBody(brand)
	change := func(from, to string) string {
		changed := strings.Replace(good, from, to, 1)
		if changed == good {
			t.Fatalf("%s is not there", from)
		}
		return changed
	}
	for _, body := range []string{
		change(`"4242424242424242"`, `"4242"`), change(`"4242424242424242"`, `"4242x42424242424"`),
		change(`"4242424242424242"`, `4242424242424242`), change(`"4242424242424242"`, `"42424242424242424242"`),
		change(`"05"`, `"13"`), change(`"05"`, `"5"`), change(`"25"`, `"2025"`), change(`"987"`, `"12"`),
		change(`"type":"card","card"`, `"type":"sbp","card"`), change(`"bank_card",`, `"token",`),
		change(cardDetails, `[]`), change(cardDetails, `{}`), change(cardDetails, `"4242424242424242"`),
		change(`"amount":10000`, `"amount":0`), change(`"amount":10000`, `"amount":-1`),
		change(`"amount":10000`, `"amount":1.5`), change(`"amount":10000`, `"amount":"1"`),
		change(`"amount":10000`, `"amount":9007199254740992`), change(`"usd"`, `"zzz"`),
		change(`{"amount":10000,"currency":"usd"}`, `{}`), change(`{"reference":"buyer-77"}`, `"x"`),
		change(`"buyer-77"`, `7`), change(`"buyer-77"`, `"4242424242424242"`),
		change(`https://m.example/?a=1&b=2`, `javascript:1`), change(`?a=1&b=2`, `4242424242424242`),
		change(`"order&123"`, `{"note":"4242-4242-4242-4242"}`),
	} {
		w.call(brand, "session/init/payment", body).expect(t, body, 400, "invalid_request")
	}
	missing := strings.Replace(initBody(smartglocal.Pike), `"customer":{"reference":"buyer-77"},`, "", 1)
	w.call(smartglocal.Pike, "session/init/payment", missing).expect(t, "Pike needs a customer", 400, "invalid_request")
	w.call(brand, "session/init/payment", change(`"customer":{"reference":"buyer-77"},`, "")).
		says(t, "Smart Glocal does not", "in_progress", "in_progress")
	flat := change(`{"type":"bank_card","bank_card":{"number"`, `{"number"`)
	flat = strings.Replace(flat, `"987"}}}`, `"987"}}`, 1)
	w.call(brand, "session/init/payment", flat).says(t, "the flat form", "in_progress", "in_progress")
	upper := w.call(brand, "session/init/payment", change(`"usd"`, `"USD"`))
	upper.says(t, "upper case", "in_progress", "in_progress")
}

// A card's number and code are nowhere once the call has ended.
func TestCardsAreForgotten(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	const number, code = "4716461583322103", "7391"
	body := strings.NewReplacer("4242424242424242", number, `"987"`, `"`+code+`"`).Replace(initBody(brand))
	answers := w.call(brand, "session/init/payment", body).text + w.call(brand, "session/create", body).text +
		w.call(brand, "session/init/payment", strings.Replace(body, `"05"`, `"55"`, 1)).text
	kept := answers + w.log.String()
	files, err := filepath.Glob(filepath.Join(w.folder, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kept += string(content)
	}
	if !strings.Contains(kept, "471646") || !strings.Contains(kept, "2103") {
		t.Error("the first six and the last four are kept")
	}
	if strings.Contains(kept, number) || strings.Contains(kept, `"`+code+`"`) {
		t.Error("a card's number or code is kept")
	}
}

// Outside the sandbox nobody pays here: refused unread. Refunds go on.
func TestNoPaymentsOutsideTheSandbox(t *testing.T) {
	t.Parallel()
	w := start(t, false, brand)
	session := w.elsewhere(nil)
	for _, method := range []string{
		"session/create", "session/start", "session/start/payment", "session/init/payment", "session/confirm",
		"session/capture",
	} {
		w.call(brand, method, "{broken").expect(t, method, 403, "authorization_error")
	}
	if page := w.raw(http.MethodGet, "/sandbox/payer", "", nil); page.status != 404 {
		t.Errorf("the payer's page: %d", page.status)
	}
	w.call(brand, "session/refund", of(session)).says(t, "refund", "in_progress", "succeeded")
	w.call(brand, "session/status", of(session)).says(t, "status", "in_progress", "succeeded")
}

// Sessions of others look like sessions that do not exist.
func TestForeignSessionsLookUnknown(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	w.newProject(w.newTenant("other"), brand, "other")
	paid, empty := w.paid(brand), w.call(brand, "session/create", "{}").at("session.id").(string)
	for _, method := range []string{
		"session/status", "session/refund", "session/cancel", "session/confirm", "session/capture",
	} {
		unknown := w.callAs("v1", "other", method, of("ps_"+payment.PaymentID(w.newID()).Decimal()))
		unknown.expect(t, method, 400, "invalid_request")
		for _, session := range []string{paid, empty} {
			if got := w.callAs("v1", "other", method, of(session)); got.status != unknown.status || got.text != unknown.text {
				t.Errorf("%s: %s, want %s", method, got.text, unknown.text)
			}
		}
	}
	for _, id := range []string{"", "ps_", "ps_-1", "ps_0x1", "PS_1", "pm_1", "ps_" + fmt.Sprintf("%040d", 1), "ps_1 "} {
		w.call(brand, "session/status", fmt.Sprintf(`{"session_id":%q}`, id)).expect(t, id, 400, "invalid_request")
	}
}
