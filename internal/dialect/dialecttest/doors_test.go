package dialecttest_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/service"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// door is how a merchant's software uses one front door: the same deeds, each
// in its provider's words.
type door struct {
	name string
	// pay makes a payment of 20000 minor units that is captured, and returns how
	// this door names it.
	pay func(w *dialecttest.World) string
	// names returns how this door names a payment that was made elsewhere.
	names func(paid dialecttest.Answered) string
	// refund asks for an amount, which is JSON; "" leaves it out.
	refund func(w *dialecttest.World, named, amount string, header ...string) dialecttest.Answered
	// read reads the payment.
	read func(w *dialecttest.World, named string) dialecttest.Answered
	// refunds returns the amount and the status of each refund that is shown,
	// the oldest first.
	refunds func(read dialecttest.Answered) []shown
	// code returns what clients branch on in a refusal.
	code func(dialecttest.Answered) string
}

type shown struct {
	amount int64
	status string
}

// whole is what pay takes, in minor units.
const whole = 20000

// doors has all front doors.
var doors = []door{smartGlocal("smartglocal"), smartGlocal("pike"), ping, chip, primer, own}

func text(value any) string { return fmt.Sprint(value) }

func minor(value any) int64 {
	number, _ := value.(json.Number)
	n, _ := number.Int64()
	return n
}

func list(value any) []any {
	elements, _ := value.([]any)
	return elements
}

// mustBe ends the test unless an answer has a status.
func mustBe(w *dialecttest.World, what string, got dialecttest.Answered, status int) dialecttest.Answered {
	w.T.Helper()
	if got.Status != status {
		w.T.Fatalf("%s: %d %s", what, got.Status, got.Raw)
	}
	return got
}

func smartGlocal(brand string) door {
	call := func(w *dialecttest.World, method, body string, header ...string) dialecttest.Answered {
		w.T.Helper()
		project := map[string]service.SandboxProject{"smartglocal": w.File.SmartGlocal, "pike": w.File.Pike}[brand]
		return w.Call(http.MethodPost, "/api/v1/"+method, body, append(header,
			"X-PARTNER-PROJECT", project.Project, "X-PARTNER-SIGN", dialecttest.SignRSA(w.T, project.PrivateKeyFile, body))...)
	}
	status := func(w *dialecttest.World, session string) dialecttest.Answered {
		return call(w, "session/status", `{"session_id":"`+session+`"}`)
	}
	return door{
		name: brand,
		pay: func(w *dialecttest.World) string {
			answer := mustBe(w, "session/init/payment", call(w, "session/init/payment",
				`{"payment_details":{"type":"card","card":{"type":"bank_card","bank_card":{"number":"4242424242424242",`+
					`"expiration_month":"05","expiration_year":"35","security_code":"123"}}},`+
					`"amount_details":{"amount":20000,"currency":"eur"},"customer":{"reference":"buyer-77"}}`), 200)
			session := text(answer.At("session.id"))
			dialecttest.Eventually(w.T, "the session is paid", func() bool {
				return status(w, session).At("session.status") == "accepted"
			})
			return session
		},
		names: func(paid dialecttest.Answered) string { return text(paid.At("ids." + brand)) },
		refund: func(w *dialecttest.World, session, amount string, header ...string) dialecttest.Answered {
			body := `{"session_id":"` + session + `"}`
			if amount != "" {
				body = `{"session_id":"` + session + `","amount_details":{"amount":` + amount + `,"currency":"eur"}}`
			}
			return call(w, "session/refund", body, header...)
		},
		read: status,
		refunds: func(read dialecttest.Answered) (all []shown) {
			for _, refund := range list(read.At("session.acquiring_payments.0.refunds")) {
				all = append(all, shown{minor(dialecttest.At(refund, "amount_details.amount")), text(dialecttest.At(refund, "status"))})
			}
			return all
		},
		code: func(a dialecttest.Answered) string { return text(a.At("error.code")) },
	}
}

const pingMerchant = "3f1c0d8e-2b6a-4c57-9e0d-5a4b3c2d1e0f"

func callPing(w *dialecttest.World, method, path, body string, header ...string) dialecttest.Answered {
	w.T.Helper()
	return w.Call(method, "/payments/api/v1/"+path, body, append(header,
		"tenant_id", w.File.Ping.TenantID, "x-api-secret", w.File.Ping.Secret)...)
}

// ping names a payment by "order/payment".
var ping = door{
	name: "ping",
	pay: func(w *dialecttest.World) string {
		order := mustBe(w, "payment_orders", callPing(w, http.MethodPost, "payment_orders", `{"currency":"EUR"}`), 200)
		paid := mustBe(w, "payments", callPing(w, http.MethodPost, "payment_orders/"+text(order.At("id"))+"/payments",
			`{"currency":"EUR","total_amount":20000,"provider":"dummy","method":"dummy","provider_method_parameters":`+
				`{"desired_payment_status":"COMPLETED"},"order_items":[{"name":"Mug","amount":20000,"vat_rate":25,"merchant_id":"`+
				pingMerchant+`"}]}`), 200)
		return text(order.At("id")) + "/" + text(paid.At("id"))
	},
	names: func(paid dialecttest.Answered) string {
		return text(paid.At("ids.ping")) + "/" + text(paid.At("ids.ping"))
	},
	refund: func(w *dialecttest.World, named, amount string, header ...string) dialecttest.Answered {
		order, id, _ := strings.Cut(named, "/")
		read := callPing(w, http.MethodGet, "payment_orders/"+order+"/payments/"+id, "")
		members := []string{`"currency":"EUR","reason":"other"`}
		if amount != "" {
			members = append(members, `"amount":`+amount)
		}
		items := list(read.At("order_items"))
		if n := minor(json.Number(amount)); n > 0 && n < whole && len(items) > 0 { // the lines as they remain: the first one pays
			if first, ok := items[0].(map[string]any); ok {
				first["amount"] = json.Number(text(minor(first["amount"]) - n))
			}
			remaining, _ := json.Marshal(items)
			members = append(members, `"order_items":`+string(remaining))
		}
		return callPing(w, http.MethodPost, "payment_orders/"+order+"/payments/"+id+"/refund",
			"{"+strings.Join(members, ",")+"}", header...)
	},
	read: func(w *dialecttest.World, named string) dialecttest.Answered {
		order, id, _ := strings.Cut(named, "/")
		return callPing(w, http.MethodGet, "payment_orders/"+order+"/payments/"+id, "")
	},
	refunds: func(read dialecttest.Answered) (all []shown) {
		for _, refund := range list(read.At("refunds")) {
			all = append(all, shown{minor(dialecttest.At(refund, "amount")), text(dialecttest.At(refund, "status"))})
		}
		return all
	},
	code: func(a dialecttest.Answered) string {
		if code := a.At("errors.0.additional_information.code"); code != nil {
			return text(code)
		}
		return text(a.At("errors.0.error"))
	},
}

func callCHIP(w *dialecttest.World, method, path, body string, header ...string) dialecttest.Answered {
	w.T.Helper()
	return w.Call(method, "/api/v1/"+path, body, append(header, "Authorization", "Bearer "+w.File.CHIP.Key)...)
}

var chip = door{
	name: "chip",
	pay: func(w *dialecttest.World) string {
		made := mustBe(w, "purchases", callCHIP(w, http.MethodPost, "purchases/", `{"brand_id":"`+w.File.CHIP.BrandID+`",`+
			`"client":{"email":"payer@example.com"},"purchase":{"currency":"EUR","products":[{"name":"Mug","price":20000}]},`+
			`"success_redirect":"https://shop.example/yes","failure_redirect":"https://shop.example/no"}`), 201)
		path := strings.TrimPrefix(text(made.At("direct_post_url")), w.URL)
		if got := w.Call(http.MethodPost, path, "cardholder_name=A+Payer&card_number=4444333322221111&expires=12%2F39&cvc=123",
			"Content-Type", "application/x-www-form-urlencoded"); got.Status/100 != 3 && got.Status != 200 {
			w.T.Fatalf("the payer's card: %d %s", got.Status, got.Raw)
		}
		return text(made.At("id"))
	},
	names: func(paid dialecttest.Answered) string { return text(paid.At("ids.chip")) },
	refund: func(w *dialecttest.World, named, amount string, header ...string) dialecttest.Answered {
		body := ""
		if amount != "" {
			body = `{"amount":` + amount + `}`
		}
		return callCHIP(w, http.MethodPost, "purchases/"+named+"/refund/", body, header...)
	},
	read: func(w *dialecttest.World, named string) dialecttest.Answered {
		return callCHIP(w, http.MethodGet, "purchases/"+named+"/", "")
	},
	refunds: func(read dialecttest.Answered) (all []shown) {
		attempts := list(read.At("transaction_data.attempts")) // the newest first
		for i := len(attempts) - 1; i >= 0; i-- {
			if dialecttest.At(attempts[i], "type") == "refund" {
				all = append(all, shown{minor(dialecttest.At(attempts[i], "extra.amount")), text(dialecttest.At(attempts[i], "successful"))})
			}
		}
		if read.At("status") == "pending_refund" {
			all = append(all, shown{0, "pending_refund"})
		}
		return all
	},
	code: func(a dialecttest.Answered) string {
		body, _ := a.Body.(map[string]any)
		for name := range body {
			return name + " " + text(dialecttest.At(body[name], "0.code"))
		}
		return ""
	},
}

func callPrimer(w *dialecttest.World, method, path, body string, header ...string) dialecttest.Answered {
	w.T.Helper()
	return w.Call(method, "/payments"+path, body, append(header,
		"X-API-KEY", w.File.Primer.Key, "X-API-VERSION", "2.4", "Content-Type", "application/json")...)
}

var primer = door{
	name: "primer",
	pay: func(w *dialecttest.World) string {
		made := mustBe(w, "payments", callPrimer(w, http.MethodPost, "", `{"orderId":"order-`+rand.Text()+
			`","currencyCode":"EUR","amount":20000,"paymentMethodToken":"a-token"}`), 200)
		mustBe(w, "capture", callPrimer(w, http.MethodPost, "/"+text(made.At("id"))+"/capture", ""), 200)
		return text(made.At("id"))
	},
	names: func(paid dialecttest.Answered) string { return text(paid.At("ids.primer")) },
	refund: func(w *dialecttest.World, named, amount string, header ...string) dialecttest.Answered {
		body := ""
		if amount != "" {
			body = `{"amount":` + amount + `}`
		}
		return callPrimer(w, http.MethodPost, "/"+named+"/refund", body, header...)
	},
	read: func(w *dialecttest.World, named string) dialecttest.Answered {
		return callPrimer(w, http.MethodGet, "/"+named, "")
	},
	refunds: func(read dialecttest.Answered) (all []shown) {
		for _, of := range list(read.At("transactions")) {
			if dialecttest.At(of, "transactionType") == "REFUND" {
				all = append(all, shown{minor(dialecttest.At(of, "amount")), text(dialecttest.At(of, "processorStatus"))})
			}
		}
		return all
	},
	code: func(a dialecttest.Answered) string { return text(a.At("error.errorId")) },
}

var own = door{
	name: "api",
	pay: func(w *dialecttest.World) string {
		return text(mustBe(w, "payments", w.API(http.MethodPost, "/v1/payments", `{"amount":20000,"currency":"EUR"}`), 201).At("id"))
	},
	names: func(paid dialecttest.Answered) string { return text(paid.At("id")) },
	refund: func(w *dialecttest.World, named, amount string, header ...string) dialecttest.Answered {
		body := `{"payment":"` + named + `","currency":"EUR"}`
		if amount != "" {
			body = `{"payment":"` + named + `","currency":"EUR","amount":` + amount + `}`
		}
		return w.API(http.MethodPost, "/v1/refunds", body, header...)
	},
	read: func(w *dialecttest.World, named string) dialecttest.Answered {
		return w.API(http.MethodGet, "/v1/payments/"+named, "")
	},
	refunds: func(read dialecttest.Answered) (all []shown) {
		for _, refund := range list(read.At("refunds")) {
			all = append(all, shown{minor(dialecttest.At(refund, "amount")), text(dialecttest.At(refund, "status"))})
		}
		return all
	},
	code: func(a dialecttest.Answered) string { return text(a.At("code")) },
}

// paymentOf returns our own id of a payment that a door named.
func paymentOf(w *dialecttest.World, d door, named string) payment.PaymentID {
	w.T.Helper()
	var id payment.PaymentID
	var err error
	switch d.name {
	case "smartglocal", "pike":
		err = id.ParseDecimal(strings.TrimPrefix(named, "ps_"))
	case "ping":
		_, uuid, _ := strings.Cut(named, "/")
		err = id.ParseUUID(uuid)
	case "chip":
		err = id.ParseUUID(named)
	case "api":
		err = id.Parse(named)
	default:
		for _, of := range list(w.API(http.MethodGet, "/v1/payments?limit=100", "").At("payments")) {
			if dialecttest.At(of, "ids.primer") == named {
				err = id.Parse(text(dialecttest.At(of, "id")))
			}
		}
	}
	if err != nil || id.IsZero() {
		w.T.Fatalf("%s names %s: %v", d.name, named, err)
	}
	return id
}

// totals returns what our own API says of a payment.
func totals(w *dialecttest.World, d door, named string) dialecttest.Answered {
	w.T.Helper()
	return mustBe(w, "read", w.API(http.MethodGet, "/v1/payments/"+paymentOf(w, d, named).String(), ""), 200)
}
