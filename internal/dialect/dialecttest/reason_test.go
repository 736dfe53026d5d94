package dialecttest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// reasons is a tenant's catalogue: with words where a door has a reason, with
// a default where it has none.
const reasons = `{"is_required":true,"reasons":[
	{"code":"returned","title":"Goods came back","doors":{"ping":"requested_by_customer","primer":"Customer returned it"}},
	{"code":"regret","doors":{"ping":"requested_by_customer"},"default_at":["smartglocal","pike","chip"]},
	{"code":"goodwill","doors":{"ping":"gesture"},"default_at":["primer"]}]}`

// askedFor has what each door's refund says of its reason, and the code that
// the tenant's books have of it.
var askedFor = []struct {
	door string
	says string // in the place of what the door's refund says otherwise
	code string
}{
	{"smartglocal", "", "regret"}, {"pike", "", "regret"}, {"chip", "", "regret"},
	{"ping", "requested_by_customer", "returned"},
	{"ping", "fraudulent", "fraudulent"}, // the catalogue does not know it, and Ping's clients may say it
	{"ping", "gesture", "goodwill"},
	{"primer", "Customer returned it", "returned"}, {"primer", "It was blue", "goodwill"}, {"primer", "", "goodwill"},
	{"api", "returned", "returned"},
}

// A door's word for a reason becomes the tenant's code, by the tenant's
// catalogue; a door without reasons has a default.
func TestADoorsReasonBecomesTheTenants(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.Set("ping.extra_reasons", []string{"gesture"})
		mustBe(w, "catalogue", w.Operate(http.MethodPut, "/v1/reasons", reasons), 200)
		for _, asked := range askedFor {
			for _, d := range doors {
				if d.name != asked.door {
					continue
				}
				named := d.pay(w)
				mustBe(w, d.name+" "+asked.says, refundFor(w, d, named, asked.says), 200+map[string]int{"api": 1}[d.name])
				refund := text(totals(w, d, named).At("refunds.0.id"))
				if got := w.API(http.MethodGet, "/v1/refunds/"+refund, ""); got.At("reason") != asked.code {
					t.Errorf("%q at %s: %s, want %s", asked.says, d.name, got.Raw, asked.code)
				}
			}
		}
		w.Clean()
	})
}

// refundFor asks for a refund of the whole with a reason, in its door's way.
func refundFor(w *dialecttest.World, d door, named, reason string) dialecttest.Answered {
	w.T.Helper()
	switch d.name {
	case "ping":
		order, id, _ := strings.Cut(named, "/")
		return callPing(w, http.MethodPost, "payment_orders/"+order+"/payments/"+id+"/refund",
			`{"currency":"EUR","amount":20000,"reason":"`+reason+`","order_items":[]}`)
	case "primer":
		if reason == "" {
			break
		}
		return callPrimer(w, http.MethodPost, "/"+named+"/refund", `{"reason":"`+reason+`"}`)
	case "api":
		return w.API(http.MethodPost, "/v1/refunds", `{"payment":"`+named+`","amount":20000,"currency":"EUR","reason":"`+reason+`"}`)
	}
	return d.refund(w, named, "")
}

// shownReasons has what doors call a refund's reason that was made elsewhere.
var shownReasons = []struct{ code, ping, primer string }{
	{"returned", "requested_by_customer", "Customer returned it"},
	{"regret", "requested_by_customer", "regret"},
	{"goodwill", "other", "goodwill"}, // gesture is no word of Ping's, unless a setting says so
}

// A refund that was made at our own API for one of the tenant's reasons is
// shown with each door's word for it, where a door shows a reason.
func TestTheTenantsReasonIsShownInDoorsWords(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.Set("ping.refunds_view", "all")
		w.Set("ping.extra_reasons", []string{"gesture"})
		mustBe(w, "catalogue", w.Operate(http.MethodPut, "/v1/reasons", reasons), 200)
		w.Set("ping.extra_reasons", nil)
		for _, reason := range shownReasons {
			paid := totals(w, own, own.pay(w))
			mustBe(w, reason.code, refundFor(w, own, own.names(paid), reason.code), 201)
			if got := ping.read(w, ping.names(paid)); got.At("refunds.0.reason") != reason.ping {
				t.Errorf("%s at ping: %s", reason.code, got.Raw)
			}
			if got := primer.read(w, primer.names(paid)); got.At("transactions.last.reason") != reason.primer {
				t.Errorf("%s at primer: %s", reason.code, got.Raw)
			}
		}
	})
}

// A reason that is required and that nothing says is refused, in each door's
// word for what a tenant forbids; nothing is reserved.
func TestAMissingReasonIsRefused(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		mustBe(w, "catalogue", w.Operate(http.MethodPut, "/v1/reasons",
			`{"is_required":true,"reasons":[{"code":"returned","doors":{"ping":"other"}}]}`), 200)
		for _, d := range doors {
			want := policyNo[d.name]
			switch d.name {
			case "api":
				want = said{422, "reason_not_in_catalogue", 0}
			case "ping": // it always says a reason
				want = said{200, "", 0}
			}
			named := d.pay(w)
			got := d.refund(w, named, "5000")
			if got.Status != want.status || want.code != "" && d.code(got) != want.code {
				t.Errorf("%s: %d %s", d.name, got.Status, got.Raw)
			}
			if after := totals(w, d, named); got.Status/100 != 2 && minor(after.At("reserved"))+minor(after.At("refunded")) != 0 {
				t.Errorf("%s: something was given: %s", d.name, after.Raw)
			}
		}
	})
}
