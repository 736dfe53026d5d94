package sandbox_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor/sandbox"
)

// unheard must not come back in an error.
const unheard = "hunter2hunter2"

// saysQuietly reports an error that is no caller's, or repeats what was sent.
func saysQuietly(t *testing.T, sent string, err error) {
	t.Helper()
	if status, said := sandbox.Said(err); status < http.StatusBadRequest || status >= http.StatusInternalServerError ||
		said == "" || strings.Contains(said, unheard) {
		t.Errorf("%q: %d %s", sent, status, said)
	}
}

// A plan says of something that there can be what there is to happen.
func FuzzPlan(f *testing.F) {
	for _, raw := range []string{
		"", "{}", "[]", `{"match":{"amount":100},"outcomes":["success"]}`, `{"match":{"amount":-0},"outcomes":["success"]}`,
		`{"match":{"payment":"ps_17"},"outcomes":["success","` + unheard + `"]}`, `{"match":{"payment":"pay_00000000000000000000000\n00"},"outcomes":["success"]}`,
		`{"match":{"reference":""},"outcomes":[]}`, `{"match":{"` + unheard + `":1},"outcomes":null}`, `{"match":{"payment":"_0"},"outcomes":["success"]}`,
		`{"match":{"reference":"4242424242424242"},"outcomes":["success"]}`, `{"match":{"reference":"r"},"outcomes":["success"],"x":1}`,
	} {
		f.Add(raw)
	}
	for _, name := range sandbox.Names {
		for _, match := range []string{`"reference":"r"`, `"reference":""`, `"amount":100`, `"amount":0`, `"payment":"ps_17"`, `"payment":"ps_x"`} {
			f.Add(`{"match":{` + match + `},"outcomes":["` + string(name) + `"]}`)
		}
	}
	f.Fuzz(func(t *testing.T, raw string) {
		body, err := sandbox.ReadBody(raw)
		if err != nil {
			saysQuietly(t, raw, err)
			return
		}
		plan, err := sandbox.ReadPlan(body)
		if err != nil {
			saysQuietly(t, raw, err)
			return
		}
		isGood := plan.To != "" && len(plan.Outcomes) > 0
		switch plan.By {
		case sandbox.MatchPayment:
			var of payment.PaymentID
			isGood = isGood && of.Parse(plan.To) == nil
		case sandbox.MatchAmount:
			amount, err := strconv.ParseInt(plan.To, 10, 64)
			isGood = isGood && err == nil && amount > 0
		case sandbox.MatchReference:
		default:
			isGood = false
		}
		for _, name := range plan.Outcomes {
			isGood = isGood && sandbox.IsKnown(name)
		}
		if !isGood {
			t.Errorf("%q is read as %+v", raw, plan)
		}
	})
}

// The clock is told how far to go, or what is wrong.
func FuzzClock(f *testing.F) {
	for _, raw := range []string{
		"", "{}", `{"advance":"72h"}`, `{"advance":"-1ns","to":"2026-01-31T00:00:00Z"}`, `{"advance":"9999999h"}`, `{"advance":"` + unheard + `"}`,
		`{"to":"2026-01-31T00:00:00Z"}`, `{"to":"9999-12-31T23:59:59Z"}`, `{"to":"` + unheard + `"}`, `{"to":null}`, `{"advance":1}`, `{"` + unheard + `":1}`,
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		body, err := sandbox.ReadBody(raw)
		if err != nil {
			saysQuietly(t, raw, err)
			return
		}
		ahead, err := sandbox.ReadClock(body)
		if err != nil {
			if saysQuietly(t, raw, err); ahead != nil {
				t.Errorf("%q: the clock goes, and %v", raw, err)
			}
			return
		}
		text, isDuration := body.Get("advance").Text()
		want, parseErr := time.ParseDuration(text)
		if isDuration && (parseErr != nil || ahead(began) != want) {
			t.Errorf("%q goes %s ahead", raw, ahead(began))
		}
		if later := began.Add(time.Hour); !isDuration && ahead(later) > ahead(began) {
			t.Errorf("%q goes %s ahead, and later %s", raw, ahead(began), ahead(later))
		}
	})
}
