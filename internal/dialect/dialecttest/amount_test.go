package dialecttest_test

import (
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// said is how a door answers an amount: a status, what clients branch on in a
// refusal, and how much an acceptance gives back.
type said struct {
	status int
	code   string
	gives  int64
}

// amounts has what every door says to amounts that are not what they should
// be. Each is sent as JSON, on a fresh payment of 20000.
var amounts = map[string]map[string]said{
	"0": {
		"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": {422, "out_of_range", 0},
		"chip": {400, "amount min_value", 0}, "primer": {422, "UnprocessableRefundAmount", 0}, "api": {422, "invalid_request", 0},
	},
	"-1": {
		"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": {422, "out_of_range", 0},
		"chip": {400, "amount min_value", 0}, "primer": {422, "RequestValidationError", 0}, "api": {422, "invalid_request", 0},
	},
	"null": {
		"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": {422, "null_value", 0},
		"chip": {400, "amount null", 0}, "primer": {422, "RequestValidationError", 0}, "api": {422, "invalid_request", 0},
	},
	`""`: {
		"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": {422, "invalid_type", 0},
		"chip": {400, "amount invalid", 0}, "primer": {422, "RequestValidationError", 0}, "api": {422, "invalid_request", 0},
	},
	`"100"`: {
		"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": {422, "invalid_type", 0},
		"chip": {200, "", 100}, "primer": {422, "RequestValidationError", 0}, "api": {422, "invalid_request", 0},
	},
	"1e2": {
		"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": {422, "invalid_type", 0},
		"chip": {200, "", 100}, "primer": {422, "RequestValidationError", 0}, "api": {422, "invalid_request", 0},
	},
	"10.5": {
		"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": {422, "invalid_type", 0},
		"chip": {400, "amount invalid", 0}, "primer": {422, "RequestValidationError", 0}, "api": {422, "invalid_request", 0},
	},
	"9223372036854775807": {
		"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": {422, "amount_mismatch", 0},
		"chip": {400, "amount max_value", 0}, "primer": {422, "UnprocessableRefundAmount", 0}, "api": {422, "invalid_request", 0},
	},
	"": { // left out
		"smartglocal": {200, "", whole}, "pike": {200, "", whole}, "ping": {422, "missing_value", 0},
		"chip": {200, "", whole}, "primer": {200, "", whole}, "api": {422, "invalid_request", 0},
	},
}

// Every door says to every amount exactly what its specification says, and
// nothing happens that the answer does not tell.
func TestAmounts(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		for _, d := range doors {
			for amount, want := range amounts {
				named := d.pay(w)
				got := d.refund(w, named, amount)
				switch expected := want[d.name]; {
				case got.Status != expected.status:
					t.Errorf("%s, %q: %d %s, want %d", d.name, amount, got.Status, got.Raw, expected.status)
				case expected.code != "" && d.code(got) != expected.code:
					t.Errorf("%s, %q: %s, want %s", d.name, amount, got.Raw, expected.code)
				}
				after := totals(w, d, named)
				if gave := minor(after.At("refunded")) + minor(after.At("reserved")); gave != want[d.name].gives {
					t.Errorf("%s, %q: %d were given, want %d: %s", d.name, amount, gave, want[d.name].gives, got.Raw)
				}
			}
		}
		w.Clean()
	})
}

// omitted has what every door says to a refund without an amount after a part
// of the payment was refunded.
var omitted = map[string]said{
	"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": {422, "missing_value", 0},
	"chip": {200, "", whole - 5000}, "primer": {200, "", whole - 5000}, "api": {422, "invalid_request", 0},
}

func TestAnOmittedAmountAfterAPartialRefund(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		for _, d := range doors {
			named := d.pay(w)
			if got := d.refund(w, named, "5000"); got.Status/100 != 2 {
				t.Fatalf("%s: a part: %d %s", d.name, got.Status, got.Raw)
			}
			dialecttest.Eventually(t, d.name+": the part is given back", func() bool {
				return minor(totals(w, d, named).At("refunded")) == 5000
			})
			got, want := d.refund(w, named, ""), omitted[d.name]
			if got.Status != want.status || want.code != "" && d.code(got) != want.code {
				t.Errorf("%s: %d %s, want %d %s", d.name, got.Status, got.Raw, want.status, want.code)
			}
			after := totals(w, d, named)
			if gave := minor(after.At("refunded")) + minor(after.At("reserved")) - 5000; gave != want.gives {
				t.Errorf("%s: %d more were given, want %d", d.name, gave, want.gives)
			}
			switch d.name { // what is told is the rest
			case "chip":
				if got.At("type") != "payment" || minor(got.At("payment.amount")) != want.gives {
					t.Errorf("%s", got)
				}
			case "primer":
				if minor(got.At("transactions.last.amount")) != want.gives || minor(got.At("amount")) != whole {
					t.Errorf("%s", got)
				}
			}
		}
		w.Clean()
	})
}
