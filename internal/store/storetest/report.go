package storetest

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/report"
)

var reportTests = map[string]func(*testing.T, Open){
	"reports that sum up agree with the refunds": testReportsAgree,
	"reports of a time have what is in it":       testReportsOfATime,
	"a tenant's reports are not another's":       testReportsApart,
}

// rows is a report as it was read: a map of columns for each row.
type rows []map[string]string

// report writes a report and reads it again.
func (b *bundle) report(t *testing.T, name string, ask report.Ask) (all rows) {
	t.Helper()
	wanted, known := report.Named(name)
	if !known {
		t.Fatalf("no report %s", name)
	}
	if ask.Tenant.IsZero() {
		ask.Tenant = b.tenant
	}
	ask.Now, ask.Format = b.clock.Now(), report.CSV
	var text bytes.Buffer
	if err := wanted.Write(t.Context(), b.store, ask, &text); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		all = append(all, row)
	}
	return all
}

// sales makes many refunds over some days, with every outcome there is.
func (b *bundle) sales(t *testing.T, luck *rand.Rand, count int) {
	t.Helper()
	outcomes := []payment.AttemptOutcome{
		payment.AttemptSucceeded, payment.AttemptDeclined, payment.AttemptFailed, payment.AttemptReturned,
		payment.AttemptPending, payment.AttemptUnknown,
	}
	pay := func(currency money.Currency, connector string) payment.PaymentID {
		command := b.captured(1_000_000)
		command.Amount.Currency, command.Connector = currency, connector
		return b.do(t, command).View.Payment.ID
	}
	of := []payment.PaymentID{pay("EUR", "sandbox"), pay("JPY", "sandbox"), pay("BHD", "other")}
	for range count {
		b.clock.Advance(time.Duration(luck.IntN(5)) * time.Hour)
		id := of[luck.IntN(len(of))]
		r := b.do(t, payment.OpenRefund{
			Meta: b.meta(), Payment: id, Ask: payment.Ask{How: payment.AskAmount, Amount: money.Minor(1 + luck.IntN(900))},
			Reason: []string{"returned", "=recall", ""}[luck.IntN(3)], Source: payment.SourceAPI,
		}).Refund
		b.clock.Advance(time.Duration(luck.IntN(30)) * time.Hour)
		switch n := luck.IntN(len(outcomes) + 3); {
		case n < len(outcomes):
			record := b.leave(t, r)
			if outcomes[n] == payment.AttemptReturned { // it succeeds first
				record(payment.AttemptSucceeded)
				b.clock.Advance(time.Duration(luck.IntN(30)) * time.Hour)
			}
			record(outcomes[n])
		case n == len(outcomes):
			b.do(t, payment.CancelRefund{Meta: b.meta(), Payment: id, Refund: r.ID})
		case n == len(outcomes)+1:
			b.do(t, payment.AdoptRefund{
				Meta: b.meta(), Payment: id, Connector: r.Connector, ProcessorRef: fmt.Sprint(r.ID), Amount: r.Amount, Reason: "returned",
			})
		default: // it has not left
		}
		if luck.IntN(4) == 0 {
			b.do(t, payment.OpenDispute{Meta: b.meta(), Payment: id, Kind: payment.DisputeChargeback, Amount: money.Minor(1 + luck.IntN(50))})
		}
	}
}

// sum adds a row's count and amount to what a key has.
type sum struct{ count, minor int64 }

func minorOf(t *testing.T, row map[string]string, column string) int64 {
	t.Helper()
	minor, err := strconv.ParseInt(row[column], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return minor
}

// testReportsAgree sums up the report of refunds by hand: the other reports say
// the same. Whatever happens, and however often it is tried.
func testReportsAgree(t *testing.T, open Open) {
	for seed := range uint64(3) {
		b := setup(t, open)
		b.sales(t, rand.New(rand.NewPCG(seed, 7)), 60)
		b.clock.Advance(time.Hour)
		everything := report.Ask{From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Until: b.clock.Now()}
		refunds, disputes := b.report(t, "refunds", everything), b.report(t, "disputes", everything)
		statuses := map[string]bool{}
		for _, r := range refunds {
			statuses[r["status"]] = true
		}
		if len(refunds) < 60 || len(disputes) == 0 || len(statuses) != 7 {
			t.Fatalf("%d refunds, %d disputes, %v", len(refunds), len(disputes), statuses)
		}
		b.checkReasons(t, refunds, b.report(t, "reasons", everything))
		b.checkDays(t, refunds, disputes, b.report(t, "daily", everything))
		b.checkAges(t, refunds, b.report(t, "ageing", report.Ask{}))
		b.checkDecimals(t, refunds)
		b.checkLedger(t, b.report(t, "ledger", everything), b.report(t, "balances", report.Ask{Until: everything.Until}))
	}
}

func (b *bundle) checkReasons(t *testing.T, refunds, reasons rows) {
	t.Helper()
	want, got := map[string]sum{}, map[string]sum{}
	key := func(row map[string]string) string { return row["reason"] + "|" + row["currency"] + "|" + row["status"] }
	for _, r := range refunds {
		want[key(r)] = sum{want[key(r)].count + 1, want[key(r)].minor + minorOf(t, r, "amount_minor")}
	}
	for _, row := range reasons {
		got[key(row)] = sum{minorOf(t, row, "count"), minorOf(t, row, "amount_minor")}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sum{})); diff != "" || len(got) != len(reasons) {
		t.Errorf("reasons (-refunds +reasons):\n%s", diff)
	}
}

func (b *bundle) checkDays(t *testing.T, refunds, disputes, daily rows) {
	t.Helper()
	want, got := map[string]sum{}, map[string]sum{}
	add := func(what, at string, row map[string]string) {
		key := what + "|" + at[:10] + "|" + row["currency"]
		want[key] = sum{want[key].count + 1, want[key].minor + minorOf(t, row, "amount_minor")}
	}
	for _, r := range refunds {
		add("asked", r["created_at"], r)
		if r["succeeded_at"] != "" {
			add("succeeded", r["succeeded_at"], r)
		}
		if r["ended_at"] != "" && r["status"] != "succeeded" {
			add(r["status"], r["ended_at"], r)
		}
	}
	for _, d := range disputes {
		add("chargebacks", d["created_at"], d)
	}
	for _, row := range daily {
		for _, what := range []string{"asked", "succeeded", "declined", "failed", "canceled", "returned", "chargebacks"} {
			if count := minorOf(t, row, what+"_count"); count > 0 {
				got[what+"|"+row["day"]+"|"+row["currency"]] = sum{count, minorOf(t, row, what+"_minor")}
			}
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sum{})); diff != "" {
		t.Errorf("days (-refunds +daily):\n%s", diff)
	}
}

func (b *bundle) checkAges(t *testing.T, refunds, ageing rows) {
	t.Helper()
	type ages struct {
		sum

		oldest, stuck, review string
	}
	want, got := map[string]ages{}, map[string]ages{}
	for _, r := range refunds {
		if r["ended_at"] != "" {
			continue
		}
		created, err := time.Parse(time.RFC3339, r["created_at"])
		if err != nil {
			t.Fatal(err)
		}
		key := r["connector"] + "|" + r["currency"] + "|" + ageNamed(b.clock.Now().Sub(created))
		known := want[key]
		known.count, known.minor = known.count+1, known.minor+minorOf(t, r, "amount_minor")
		if known.oldest == "" || r["created_at"] < known.oldest {
			known.oldest = r["created_at"]
		}
		known.stuck, known.review = "0", "0"
		want[key] = known
	}
	for _, row := range ageing {
		got[row["connector"]+"|"+row["currency"]+"|"+row["age"]] = ages{
			sum{minorOf(t, row, "count"), minorOf(t, row, "amount_minor")}, row["oldest_at"], row["stuck"], row["needs_review"],
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sum{}, ages{})); diff != "" || len(got) == 0 {
		t.Errorf("ages (-refunds +ageing):\n%s", diff)
	}
}

func ageNamed(age time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case age < time.Hour:
		return "under 1 hour"
	case age < day:
		return "1 hour to 1 day"
	case age < 3*day:
		return "1 to 3 days"
	case age < 7*day:
		return "3 to 7 days"
	case age < 14*day:
		return "7 to 14 days"
	case age < 30*day:
		return "14 to 30 days"
	default:
		return "30 days or more"
	}
}

// checkDecimals compares minor units with decimals, of currencies with 0, 2 and
// 3 of them.
func (b *bundle) checkDecimals(t *testing.T, refunds rows) {
	t.Helper()
	for _, r := range refunds {
		decimals := map[string]int{"JPY": 0, "EUR": 2, "BHD": 3}[r["currency"]]
		whole, fraction, _ := strings.Cut(r["amount"], ".")
		if joined, err := strconv.ParseInt(whole+fraction, 10, 64); err != nil || len(fraction) != decimals ||
			joined != minorOf(t, r, "amount_minor") {
			t.Errorf("%s minor units are %s %s", r["amount_minor"], r["amount"], r["currency"])
		}
	}
}

// checkLedger adds up postings: they are the balances.
func (b *bundle) checkLedger(t *testing.T, postings, balances rows) {
	t.Helper()
	want, got := map[string]int64{}, map[string]int64{}
	for _, p := range postings {
		want[p["debit"]+"|"+p["currency"]] += minorOf(t, p, "amount_minor")
		want[p["credit"]+"|"+p["currency"]] -= minorOf(t, p, "amount_minor")
	}
	for _, row := range balances {
		got[row["account"]+"|"+row["currency"]] = minorOf(t, row, "balance_minor")
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("balances (-postings +balances):\n%s", diff)
	}
}

// testReportsOfATime asks about parts of the time, each with its beginning and
// without its end: together they are the whole.
func testReportsOfATime(t *testing.T, open Open) {
	b := setup(t, open)
	b.sales(t, rand.New(rand.NewPCG(1, 1)), 20)
	start, end := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), b.clock.Now().Add(time.Microsecond)
	for _, name := range []string{"refunds", "payments", "disputes", "ledger"} {
		whole := b.report(t, name, report.Ask{From: start, Until: end})
		var parts rows
		for from := start; from.Before(end); from = from.Add(36 * time.Hour) {
			until := from.Add(36 * time.Hour)
			if until.After(end) {
				until = end
			}
			part := b.report(t, name, report.Ask{From: from, Until: until})
			if name == "ledger" { // the others have the newest first
				parts = append(parts, part...)
			} else {
				parts = append(part, parts...)
			}
		}
		if diff := cmp.Diff(whole, parts); diff != "" || len(whole) == 0 {
			t.Errorf("%s (-whole +in parts):\n%s", name, diff)
		}
		first := whole[0]["created_at"] + whole[0]["at"]
		at, err := time.Parse(time.RFC3339, first)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.report(t, name, report.Ask{From: at.Add(-time.Hour * 9999), Until: start}); len(got) != 0 {
			t.Errorf("%s: %d rows of the time before", name, len(got))
		}
	}
	if got := b.report(t, "balances", report.Ask{Until: start}); len(got) != 0 {
		t.Errorf("%d balances before anything happened", len(got))
	}
}

func testReportsApart(t *testing.T, open Open) {
	b := setup(t, open)
	b.sales(t, rand.New(rand.NewPCG(2, 2)), 10)
	for _, r := range report.All {
		if got := b.report(t, r.Name, report.Ask{Tenant: b.newID(), Until: b.clock.Now()}); len(got) != 0 {
			t.Errorf("%s has %d rows", r.Name, len(got))
		}
	}
}
