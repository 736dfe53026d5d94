package dialecttest_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/service"
)

// personal says how one door is told what is personal: a mark stands wherever
// a text of a person's can stand.
var personal = map[string]struct {
	pay    func(w *dialecttest.World, mark string) string
	refund func(w *dialecttest.World, named, mark string) dialecttest.Answered
}{
	"smartglocal": {payPersonal("smartglocal"), refundPersonal("smartglocal")},
	"pike":        {payPersonal("pike"), refundPersonal("pike")},
	"ping": {
		pay: func(w *dialecttest.World, mark string) string {
			order := mustBe(w, "payment_orders", callPing(w, http.MethodPost, "payment_orders",
				`{"currency":"EUR","split_parameters":{"to":"`+mark+`"}}`), 200)
			paid := mustBe(w, "payments", callPing(w, http.MethodPost, "payment_orders/"+text(order.At("id"))+"/payments",
				`{"currency":"EUR","total_amount":20000,"provider":"dummy","method":"dummy","provider_method_parameters":`+
					`{"desired_payment_status":"COMPLETED"},"metadata":{"m":"`+mark+`"},"payer":{"name":"`+mark+`"},`+
					`"order_items":[{"name":"Mug","amount":20000,"vat_rate":25,"merchant_id":"`+pingMerchant+`",`+
					`"metadata":{"m":"`+mark+`"}}]}`), 200)
			return text(order.At("id")) + "/" + text(paid.At("id"))
		},
		refund: func(w *dialecttest.World, named, mark string) dialecttest.Answered {
			order, id, _ := strings.Cut(named, "/")
			return callPing(w, http.MethodPost, "payment_orders/"+order+"/payments/"+id+"/refund", `{"currency":"EUR",`+
				`"amount":1000,"reason":"other","description":"`+mark+`","message":"`+mark+`","order_items":[{"name":"Mug",`+
				`"amount":19000,"vat_rate":25,"merchant_id":"`+pingMerchant+`","metadata":{"m":"`+mark+`"}}]}`)
		},
	},
	"chip": {
		pay: func(w *dialecttest.World, mark string) string {
			made := mustBe(w, "purchases", callCHIP(w, http.MethodPost, "purchases/", `{"brand_id":"`+w.File.CHIP.BrandID+`",`+
				`"client":{"email":"`+strings.ToUpper(mark)+`@example.com","full_name":"`+strings.ToUpper(mark)+`"},`+
				`"purchase":{"currency":"EUR","notes":"`+mark+`","metadata":{"m":"`+mark+`"},`+
				`"products":[{"name":"Mug","price":20000}]},"success_redirect":"https://shop.example/yes",`+
				`"failure_redirect":"https://shop.example/no"}`), 201)
			path := strings.TrimPrefix(text(made.At("direct_post_url")), w.URL)
			if got := w.Call(http.MethodPost, path, "cardholder_name="+mark+"&card_number=4444333322221111&expires=12%2F39&cvc=123",
				"Content-Type", "application/x-www-form-urlencoded"); got.Status/100 != 3 && got.Status != 200 {
				w.T.Fatalf("the payer's card: %d %s", got.Status, got.Raw)
			}
			return text(made.At("id"))
		},
		refund: func(w *dialecttest.World, named, _ string) dialecttest.Answered { return chip.refund(w, named, "1000") },
	},
	"primer": {
		pay: func(w *dialecttest.World, mark string) string {
			made := mustBe(w, "payments", callPrimer(w, http.MethodPost, "", `{"orderId":"order-`+rand.Text()+
				`","currencyCode":"EUR","amount":20000,"paymentMethodToken":"a-token","customerId":"`+mark+`",`+
				`"customer":{"emailAddress":"`+mark+`@example.com"},"metadata":{"m":"`+mark+`"}}`), 200)
			mustBe(w, "capture", callPrimer(w, http.MethodPost, "/"+text(made.At("id"))+"/capture",
				`{"metadata":{"n":"`+mark+`"}}`), 200)
			return text(made.At("id"))
		},
		refund: func(w *dialecttest.World, named, mark string) dialecttest.Answered {
			return callPrimer(w, http.MethodPost, "/"+named+"/refund", `{"amount":1000,"reason":"`+mark+`"}`)
		},
	},
	"api": {
		pay: func(w *dialecttest.World, mark string) string {
			return text(mustBe(w, "payments", w.API(http.MethodPost, "/v1/payments", `{"amount":20000,"currency":"EUR",`+
				`"payer":"`+mark+`","description":"`+mark+`","metadata":{"m":"`+mark+`"},"method":{"type":"card","last4":"4242"},`+
				`"items":[{"name":"Mug","unit_amount":20000,"metadata":{"m":"`+mark+`"}}]}`), 201).At("id"))
		},
		refund: func(w *dialecttest.World, named, mark string) dialecttest.Answered {
			return w.API(http.MethodPost, "/v1/refunds", `{"payment":"`+named+`","currency":"EUR","amount":1000,"note":"`+mark+
				`","message":"`+mark+`","metadata":{"m":"`+mark+`"}}`)
		},
	},
}

func callBrand(w *dialecttest.World, brand, method, body string) dialecttest.Answered {
	w.T.Helper()
	project := map[string]service.SandboxProject{"smartglocal": w.File.SmartGlocal, "pike": w.File.Pike}[brand]
	return w.Call(http.MethodPost, "/api/v1/"+method, body,
		"X-PARTNER-PROJECT", project.Project, "X-PARTNER-SIGN", dialecttest.SignRSA(w.T, project.PrivateKeyFile, body))
}

func payPersonal(brand string) func(*dialecttest.World, string) string {
	return func(w *dialecttest.World, mark string) string {
		w.T.Helper()
		answer := mustBe(w, "session/init/payment", callBrand(w, brand, "session/init/payment",
			`{"payment_details":{"type":"card","card":{"type":"bank_card","bank_card":{"number":"4242424242424242",`+
				`"expiration_month":"05","expiration_year":"35","security_code":"123"}}},"metadata":{"m":"`+mark+`"},`+
				`"amount_details":{"amount":20000,"currency":"eur"},"customer":{"reference":"`+mark+`"}}`), 200)
		session := text(answer.At("session.id"))
		dialecttest.Eventually(w.T, "the session is paid", func() bool {
			return callBrand(w, brand, "session/status", `{"session_id":"`+session+`"}`).At("session.status") == "accepted"
		})
		return session
	}
}

func refundPersonal(brand string) func(*dialecttest.World, string, string) dialecttest.Answered {
	return func(w *dialecttest.World, named, mark string) dialecttest.Answered {
		w.T.Helper()
		return callBrand(w, brand, "session/refund", `{"session_id":"`+named+
			`","amount_details":{"amount":1000,"currency":"eur"},"metadata":{"m":"`+mark+`"}}`)
	}
}

// kept returns every byte that the engine keeps. What stands for the outside
// world is left out: the sandbox's own record.
type kept func() []byte

func files(t *testing.T, folder string) []byte {
	t.Helper()
	var all bytes.Buffer
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), "sandbox.") {
			return err
		}
		file, err := os.ReadFile(path)
		all.Write(file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.Bytes()
}

// What is personal is never kept in the clear, whatever door it came through.
// Once it is erased, every door still shows and refunds the payment, and nobody
// is told anything personal any more.
func TestErasedAtEveryDoor(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		var folder string
		w := dialecttest.Start(t, "", func(c *service.Config) { folder = c.Data })
		testErased(t, w, func() []byte { return files(t, folder) })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		database := pgtest.Database(t)
		testErased(t, dialecttest.Start(t, database), func() []byte { return pgtest.Dump(t, database, "sandbox") })
	})
}

func testErased(t *testing.T, w *dialecttest.World, keeps kept) {
	t.Helper()
	w.Set("ping.refunds_view", "all")
	w.Tell("smartglocal", "pike", "ping", "chip", "primer", "api")
	for _, home := range doors {
		random := make([]byte, 12)
		_, _ = rand.Read(random)
		mark := "mark" + hex.EncodeToString(random)
		named := personal[home.name].pay(w, mark)
		if got := personal[home.name].refund(w, named, mark); got.Status/100 != 2 {
			t.Fatalf("%s: refund %d %s", home.name, got.Status, got.Raw)
		}
		refunds(w, home, named, 1000)
		settled(w)
		if !strings.Contains(home.read(w, named).Raw+w.API(http.MethodGet, "/v1/payments/"+
			paymentOf(w, home, named).String(), "").Raw, mark) {
			t.Errorf("%s: nothing personal is shown before", home.name)
		}
		absent(t, home.name+": kept in the clear", string(keeps()), mark)
		told := len(w.Receiver.List(""))
		eraseTwice(w, home, named, mark)
		readAndRefund(w, home, named, mark)
		elsewhere(w, home, named, mark)
		resend(w, home, named)
		settled(w)
		for _, came := range w.Receiver.List("")[told:] {
			absent(t, home.name+": told", came.Raw, mark)
		}
		absent(t, home.name+": kept after it was erased", string(keeps()), mark)
		dialecttest.Eventually(t, "what was not sealed is gone, too", func() bool { // the WAL is emptied
			return !bytes.Contains(keeps(), []byte(strings.ToUpper(mark)))
		})
	}
	testImportErased(w)
	w.Clean()
}

// testImportErased erases what was made elsewhere: its ids there stay.
func testImportErased(w *dialecttest.World) {
	w.T.Helper()
	const uuid = "3f1c0d8e-2b6a-4c57-9e0d-5a4b3c2d1e09"
	imported := w.Operate(http.MethodPost, "/v1/payments/import", `{"id":"a","amount":1000,"currency":"EUR",`+
		`"home":"smartglocal","session":"ps_3230","payment_id":"pm_2705","document":{"customer":{"reference":"anna-77"}}}
{"id":"b","amount":1000,"currency":"EUR","home":"chip","payment_id":"`+uuid+`","document":{"client":{"email":"anna-77@example.com"},`+
		`"reference_generated":"CH77"}}
{"id":"c","amount":1000,"currency":"EUR","home":"ping","payment_id":"`+uuid+`"}
{"id":"d","amount":1000,"currency":"EUR","home":"primer","payment_id":"DdRZ6YY07"}
`)
	if strings.Count(imported.Raw, `"id"`) != 4 {
		w.T.Fatalf("imported: %s", imported.Raw)
	}
	reads := func() map[string]dialecttest.Answered {
		return map[string]dialecttest.Answered{
			"smartglocal session.id":                      callBrand(w, "smartglocal", "session/status", `{"session_id":"ps_3230"}`),
			"smartglocal session.acquiring_payments.0.id": callBrand(w, "smartglocal", "session/status", `{"session_id":"ps_3230"}`),
			"chip reference_generated":                    chip.read(w, uuid),
			"ping id":                                     callPing(w, http.MethodGet, "payment_orders/"+uuid+"/payments/"+uuid, ""),
			"primer id":                                   primer.read(w, "DdRZ6YY07"),
		}
	}
	before := reads()
	for line := range strings.Lines(imported.Raw) {
		id := text(dialecttest.At(dialecttest.Decode(line), "id"))
		mustBe(w, "erase", w.API(http.MethodPost, "/v1/payments/"+id+"/erase", ""), 200)
	}
	for where, got := range reads() {
		_, path, _ := strings.Cut(where, " ")
		if was := before[where].At(path); was == nil || got.At(path) != was {
			w.T.Errorf("%s was %v, and is %v: %s", where, was, got.At(path), got.Raw)
		}
		absent(w.T, "imported, "+where, got.Raw, "anna-77")
	}
}

func absent(t *testing.T, where, in, mark string) {
	t.Helper()
	if at := strings.Index(in, mark); at >= 0 {
		t.Errorf("%s: …%q…", where, in[max(0, at-80):min(len(in), at+40)])
	}
}

// refunds waits until so much has gone back.
func refunds(w *dialecttest.World, d door, named string, minorUnits int64) {
	w.T.Helper()
	dialecttest.Eventually(w.T, "the refund succeeds", func() bool {
		now := totals(w, d, named)
		return minor(now.At("refunded")) == minorUnits && minor(now.At("reserved")) == 0
	})
}

// settled waits until every webhook was told.
func settled(w *dialecttest.World) {
	w.T.Helper()
	dialecttest.Eventually(w.T, "everything is told", func() bool {
		return len(list(w.API(http.MethodGet, "/v1/deliveries?status=open", "").At("deliveries"))) == 0
	})
}

func eraseTwice(w *dialecttest.World, d door, named, mark string) {
	w.T.Helper()
	path := "/v1/payments/" + paymentOf(w, d, named).String() + "/erase"
	before := totals(w, d, named)
	erased := mustBe(w, "erase", w.API(http.MethodPost, path, ""), 200)
	if erased.At("erased_at") == nil || minor(erased.At("version")) != minor(before.At("version"))+1 {
		w.T.Errorf("%s: erased as %s", d.name, erased.Raw)
	}
	for _, sum := range []string{"captured", "refunded", "reserved", "disputed", "refundable", "amount", "currency", "status"} {
		if erased.At(sum) != before.At(sum) {
			w.T.Errorf("%s: %s was %v, and is %v", d.name, sum, before.At(sum), erased.At(sum))
		}
	}
	absent(w.T, d.name+": the answer", erased.Raw, mark)
	if again := mustBe(w, "erase again", w.API(http.MethodPost, path, ""), 200); again.Raw != erased.Raw {
		w.T.Errorf("%s: erased again as %s, first as %s", d.name, again.Raw, erased.Raw)
	}
}

// readAndRefund reads and refunds an erased payment at every door.
func readAndRefund(w *dialecttest.World, home door, named, mark string) {
	w.T.Helper()
	erased, refunded := totals(w, home, named), int64(1000)
	for _, other := range doors {
		where := home.name + ", erased, at " + other.name
		foreign := named
		if other.name != home.name {
			foreign = other.names(erased)
		}
		read := other.read(w, foreign)
		if read.Status != http.StatusOK || len(other.refunds(read)) == 0 {
			w.T.Errorf("%s: read %d %s", where, read.Status, read.Raw)
			continue
		}
		absent(w.T, where, read.Raw, mark)
		got := personal[other.name].refund(w, foreign, mark)
		if other.name == "api" {
			if got.Status != http.StatusConflict || other.code(got) != "payment_erased" {
				w.T.Errorf("%s: with a note %d %s", where, got.Status, got.Raw)
			}
			got = other.refund(w, foreign, "1000")
		}
		if other.name == "ping" && got.Status/100 != 2 { // the lines are fewer by now
			got = other.refund(w, foreign, "1000")
		}
		if got.Status/100 != 2 {
			w.T.Errorf("%s: refund %d %s", where, got.Status, got.Raw)
			continue
		}
		absent(w.T, where+": the refund", got.Raw, mark)
		refunded += 1000
		refunds(w, home, named, refunded)
	}
}

// elsewhere makes the other calls about an erased payment, and those that list
// it. Each has an answer, which is never that something is broken.
func elsewhere(w *dialecttest.World, home door, named, mark string) {
	w.T.Helper()
	erased := totals(w, home, named)
	ids := func(door string) string { return text(erased.At("ids." + door)) }
	order, of := ids("ping"), ids("ping")
	if home.name == "ping" {
		order, of, _ = strings.Cut(named, "/")
	}
	answers := map[string]dialecttest.Answered{}
	for _, at := range [][3]string{
		{"GET", "payment_orders", ""}, {"GET", "payments", ""}, {"GET", "allocations", ""}, {"GET", "payment_orders/" + order, ""},
		{"PUT", "payment_orders/" + order, `{"split_parameters":{"to":"` + mark + `"}}`},
		{"PUT", "payment_orders/" + order + "/payments/" + of, `{"order_items":[{"name":"Mug","amount":1,"vat_rate":25,` +
			`"merchant_id":"` + pingMerchant + `","metadata":{"m":"` + mark + `"}}]}`},
		{"PUT", "payment_orders/" + order + "/payments/" + of + "/stop", ""}, {"PUT", "payment_orders/" + order + "/close", ""},
		{"PUT", "payment_orders/" + order + "/split", ""}, {"PUT", "payment_orders/" + order + "/settle", ""},
		{"GET", "disbursements", ""},
	} {
		answers["ping "+at[0]+" "+at[1]] = callPing(w, at[0], at[1], at[2])
	}
	for _, action := range []string{"cancel", "release", "capture", "mark_as_paid", "charge"} {
		answers["chip "+action] = callCHIP(w, http.MethodPost, "purchases/"+ids("chip")+"/"+action+"/",
			`{"recurring_token":"`+ids("chip")+`"}`)
	}
	answers["chip's page"] = w.Call(http.MethodGet, "/p/"+ids("chip")+"/", "")
	for _, call := range [][2]string{{"GET", ""}, {"POST", "/" + ids("primer") + "/capture"}, {"POST", "/" + ids("primer") + "/cancel"}} {
		answers["primer "+call[0]+" "+call[1]] = callPrimer(w, call[0], call[1], "")
	}
	answers["primer expanded"] = callPrimer(w, http.MethodGet, "/"+ids("primer")+"?expand=transactions.events", "")
	today := text(erased.At("updated_at"))[:10]
	for _, brand := range []string{"smartglocal", "pike"} {
		for _, method := range []string{"session/confirm", "session/capture", "session/cancel"} {
			answers[brand+" "+method] = callBrand(w, brand, method, `{"session_id":"`+ids(brand)+`"}`)
		}
		answers[brand+"'s report"] = w.Operate(http.MethodGet, "/v1/reports/"+brand+"?from="+today+"&to="+today, "")
	}
	for _, path := range []string{"/entries", "/refundability", ""} {
		answers["own "+path] = w.API(http.MethodGet, "/v1/payments/"+text(erased.At("id"))+path, "")
	}
	answers["own refunds"] = w.API(http.MethodGet, "/v1/refunds", "")
	for where, got := range answers {
		if got.Status < 200 || got.Status >= 500 {
			w.T.Errorf("%s, erased, %s: %d %s", home.name, where, got.Status, got.Raw)
		}
		absent(w.T, home.name+", erased, "+where, got.Raw, mark)
	}
}

// resend lets every webhook about a payment be told once more.
func resend(w *dialecttest.World, d door, named string) {
	w.T.Helper()
	settled(w)
	path := "/v1/deliveries?limit=500&payment=" + paymentOf(w, d, named).String()
	for _, delivery := range list(w.API(http.MethodGet, path, "").At("deliveries")) {
		mustBe(w, "resend", w.API(http.MethodPost, "/v1/deliveries/"+text(dialecttest.At(delivery, "id"))+"/resend", ""), 202)
	}
}
