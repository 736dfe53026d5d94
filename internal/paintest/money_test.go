package paintest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// Refunds that arrive together have one winner, of a payment and of a unit of
// a line item.
func TestPain01ConcurrentRefundsExceedTheCapture(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		of := s.pay(10_000, "EUR")
		counts := together(20, func(int) answered { return s.ask(of, euros(6_000)) })
		if counts[201] != 1 || counts[409] != 19 {
			t.Errorf("of 20 refunds of 6000 of 10000: %v", counts)
		}
		items := s.pay(10_000, "EUR", `"items":[{"name":"Hat","unit_amount":5000},{"name":"Tie","unit_amount":5000}]`)
		counts = together(10, func(int) answered { return s.ask(items, `"items":[{"position":1,"quantity":1}]`) })
		if counts[201] != 1 {
			t.Errorf("of 10 refunds of the same hat: %v", counts)
		}
		for _, payment := range []string{of, items} {
			dialecttest.Eventually(t, "all refunds end", func() bool {
				return number(s.read("/v1/payments/"+payment).At("reserved")) == 0
			})
		}
		s.totals(of, 6_000, 0, 4_000)
		s.totals(items, 5_000, 0, 5_000)
		var moved int64
		for _, attempt := range list(s.read("/sandbox/movements").At("movements")) {
			moved += number(dialecttest.At(attempt, "count"))
		}
		if moved != 2 {
			t.Errorf("money moved %d times, want 2", moved)
		}
	})
}

// No amount never means all of it: a refund says how much in exactly one way.
func TestPain09AMissingAmountMeansEverything(t *testing.T) {
	s := open(t)
	of := s.pay(10_000, "EUR")
	for _, members := range []string{
		`"amount":0,"currency":"EUR"`, `"amount":null,"currency":"EUR"`, `"amount":"","currency":"EUR"`, `"currency":"EUR"`,
		`"amount":-1,"currency":"EUR"`, `"amount":"100","currency":"EUR"`, `"amount":10.5,"currency":"EUR"`,
		`"amount":1e2,"currency":"EUR"`, `"items":[]`, `"items":null`, `"full":false`, `"full":null`, `"full":1`,
		`"amount":1,"currency":"EUR","full":true`, `"amount":null,"full":true`, `"amuont":1,"full":true`,
	} {
		s.refused(members, s.ask(of, members), 422, "invalid_request")
	}
	session := s.named(of, "smartglocal")
	for _, amount := range []string{"0", "null"} {
		for door, got := range map[string]answered{
			"primer": s.primer(http.MethodPost, "/"+s.named(of, "primer")+"/refund", `{"amount":`+amount+`}`),
			"chip":   s.chip(http.MethodPost, "purchases/"+s.named(of, "chip")+"/refund/", `{"amount":`+amount+`}`),
			"smartglocal": s.smartGlocal("session/refund",
				`{"session_id":"`+session+`","amount_details":{"amount":`+amount+`,"currency":"eur"}}`),
		} {
			if got.Status/100 != 4 || got.Status == 404 {
				t.Errorf("%s takes the amount %s: %d %s", door, amount, got.Status, got.Raw)
			}
		}
	}
	s.totals(of, 0, 0, 10_000)
	s.becomes(s.refund(of, euros(4_000)), "succeeded")
	rest := s.must("full", s.ask(of, `"full":true`), 201)
	if number(rest.At("amount")) != 6_000 {
		t.Errorf("full gives back %s, want the 6000 that were left", rest)
	}
}

// Minor units are the currency's own, and stay the same number from door to door.
func TestPain10MinorUnitsAreMistaken(t *testing.T) {
	s := open(t)
	for _, test := range []struct {
		currency string
		amount   int64
		people   string // how people read it
	}{
		{"EUR", 5_800, "58.00 EUR"}, {"JPY", 5_800, "5800 JPY"}, {"KWD", 5_800, "5.800 KWD"}, {"ISK", 5_800, "5800 ISK"},
		{"UGX", 5_800, "5800 UGX"}, {"CLP", 5_800, "5800 CLP"}, {"HUF", 5_800, "58.00 HUF"}, {"BHD", 5_800, "5.800 BHD"},
	} {
		over := fmt.Sprintf(`"amount":%d,"currency":%q`, test.amount+1, test.currency)
		no := s.refused(test.currency, s.ask(s.pay(test.amount, test.currency), over), 409, "refundable_amount_exceeded")
		if want := "only " + test.people + " of the payment is left to refund"; no.At("detail") != want {
			t.Errorf("%s: %v, want %s", test.currency, no.At("detail"), want)
		}
		body := fmt.Sprintf(`{"amount":%d}`, test.amount)
		for door, refund := range map[string]func(of string) answered{
			"primer": func(of string) answered {
				return s.primer(http.MethodPost, "/"+s.named(of, "primer")+"/refund", body)
			},
			"chip": func(of string) answered {
				return s.chip(http.MethodPost, "purchases/"+s.named(of, "chip")+"/refund/", body)
			},
			"smartglocal": func(of string) answered {
				return s.smartGlocal("session/refund", fmt.Sprintf(
					`{"session_id":%q,"amount_details":{"amount":%d,"currency":%q}}`,
					s.named(of, "smartglocal"), test.amount, test.currency))
			},
		} {
			of := s.pay(test.amount, test.currency)
			if got := refund(of); got.Status != 200 {
				t.Errorf("%s at %s: %d %s", test.currency, door, got.Status, got.Raw)
				continue
			}
			given := s.read("/v1/refunds/" + text(s.read("/v1/payments/"+of).At("refunds.0.id")))
			if number(given.At("amount")) != test.amount || given.At("currency") != test.currency {
				t.Errorf("%s at %s: %s, want %d", test.currency, door, given, test.amount)
			}
		}
	}
}

// A number without its currency, or in another than the payer was charged in,
// gives nothing back.
func TestPain11RefundInTheWrongCurrency(t *testing.T) {
	s := open(t)
	of := s.pay(100_000, "INR")
	s.refused("no currency", s.ask(of, `"amount":1000`), 422, "invalid_request")
	s.refused("another currency", s.ask(of, `"amount":1000,"currency":"GBP"`), 422, "currency_mismatch")
	got := s.smartGlocal("session/refund", `{"session_id":"`+s.named(of, "smartglocal")+
		`","amount_details":{"amount":1000,"currency":"gbp"}}`)
	if got.Status/100 != 4 {
		t.Errorf("Smart Glocal's door takes another currency: %d %s", got.Status, got.Raw)
	}
	s.totals(of, 0, 0, 100_000)
	given := s.must("the payment's currency", s.ask(of, `"amount":1000,"currency":"INR"`), 201)
	if given.At("currency") != "INR" {
		t.Errorf("got %s", given)
	}
}

// However a basket comes back, unit by unit or by an amount, its parts and
// their taxes add up to what was paid, and a preview says so before.
func TestPain12LineTaxesAreRoundedApart(t *testing.T) {
	s := open(t)
	const items = `"items":[{"name":"Hat","quantity":3,"unit_amount":333,"tax":187},` +
		`{"name":"Tie","quantity":2,"unit_amount":52,"total":103,"tax":19},` +
		`{"name":"Sock","quantity":7,"unit_amount":11,"tax":14}]`
	const total, tax = 999 + 103 + 77, 187 + 19 + 14
	for _, order := range [][]string{
		{"1", "1", "1", "2", "2", "3", "3", "3", "3", "3", "3", "3"},
		{"3", "2", "1", "3", "3", "1", "3", "2", "3", "3", "1", "3"},
		{"2", "amount", "1", "3", "rest"},
	} {
		of := s.pay(total, "EUR", items)
		var sum, taxes int64
		for _, step := range order {
			members := `"items":[{"position":` + step + `,"quantity":1}]`
			switch step {
			case "amount":
				members = euros(101)
			case "rest":
				members = `"full":true`
			}
			preview := s.must("preview", s.API(http.MethodPost, "/v1/refunds/preview", `{"payment":"`+of+`",`+members+`}`), 200)
			refund := s.must(step, s.ask(of, members), 201)
			if number(preview.At("amount")) != number(refund.At("amount")) ||
				fmt.Sprint(preview.At("refunds.0.items")) != fmt.Sprint(refund.At("items")) {
				t.Errorf("%v: %s was previewed, and is %s", order, preview, refund)
			}
			sum += number(refund.At("amount"))
			for _, line := range list(refund.At("items")) {
				taxes += number(dialecttest.At(line, "tax"))
			}
		}
		if sum != total || taxes != tax {
			t.Errorf("%v: %d with %d of tax came back, want %d with %d", order, sum, taxes, total, tax)
		}
		if left := number(s.read("/v1/payments/" + of).At("refundable")); left != 0 {
			t.Errorf("%v: %d can never be given back", order, left)
		}
	}
}
