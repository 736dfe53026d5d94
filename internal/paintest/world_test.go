// Package paintest has a test for each of the pains that docs/pains.md lists:
// what hurts those who give money back, told as a story over the whole service,
// which ends badly without the fix.
package paintest_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/pgtest"
)

// storiesAtOnce is how many stories are told at a time: they wait more than
// they work.
const storiesAtOnce = "8"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", storiesAtOnce); err != nil {
		panic(err)
	}
	pgtest.Main(m)
}

// shop is a merchant's software over a whole sandbox.
type shop struct{ *dialecttest.World }

// answered is an answer.
type answered = dialecttest.Answered

// open opens a shop on SQLite.
func open(t *testing.T) shop {
	t.Helper()
	t.Parallel()
	return shop{dialecttest.Start(t, "")}
}

// onBoth tells a story on both stores.
func onBoth(t *testing.T, story func(t *testing.T, s shop)) {
	t.Helper()
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		story(t, shop{w})
		w.Clean()
	})
}

func text(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func number(value any) int64 {
	exact, _ := value.(json.Number)
	n, _ := exact.Int64()
	return n
}

func list(value any) []any {
	elements, _ := value.([]any)
	return elements
}

// must ends the test unless an answer has a status.
func (s shop) must(what string, got answered, status int) answered {
	s.T.Helper()
	if got.Status != status {
		s.T.Fatalf("%s: %d %s, want %d", what, got.Status, got.Raw, status)
	}
	return got
}

// refused fails the test unless an answer is this no.
func (s shop) refused(what string, got answered, status int, code string) answered {
	s.T.Helper()
	if got.Status != status || got.At("code") != code {
		s.T.Errorf("%s: %d %s, want %d %s", what, got.Status, got.Raw, status, code)
	}
	return got
}

// pay records a payment and returns its id; members are more of it.
func (s shop) pay(amount int64, currency string, members ...string) string {
	s.T.Helper()
	body := fmt.Sprintf(`{"amount":%d,"currency":%q%s}`, amount, currency, join(members))
	return text(s.must("payment", s.API(http.MethodPost, "/v1/payments", body), 201).At("id"))
}

// join puts members behind others.
func join(members []string) string {
	if len(members) == 0 {
		return ""
	}
	return "," + strings.Join(members, ",")
}

// euros asks for an amount in EUR.
func euros(amount int64, members ...string) string {
	return fmt.Sprintf(`"amount":%d,"currency":"EUR"%s`, amount, join(members))
}

// ask asks for a refund with these members.
func (s shop) ask(of, members string, header ...string) answered {
	s.T.Helper()
	return s.API(http.MethodPost, "/v1/refunds", `{"payment":"`+of+`",`+members+`}`, header...)
}

// refund asks for a refund that must be accepted, and returns its id.
func (s shop) refund(of, members string, header ...string) string {
	s.T.Helper()
	return text(s.must("refund", s.ask(of, members, header...), 201).At("id"))
}

// read reads something of the own API.
func (s shop) read(path string) answered {
	s.T.Helper()
	return s.must(path, s.API(http.MethodGet, path, ""), 200)
}

// becomes waits until a refund has a status, while time goes on.
func (s shop) becomes(refund, status string) (now answered) {
	s.T.Helper()
	s.waits("a refund is "+status, func() bool {
		now = s.read("/v1/refunds/" + refund)
		return now.At("status") == status
	})
	return now
}

// secondsMax is how many seconds pass while a story waits for one thing: fewer
// than the lease of a job has, so that none at work is taken for lost.
const secondsMax = 30

// waits waits until something is so, while time goes on.
func (s shop) waits(what string, isSo func() bool) {
	s.T.Helper()
	passed := 0
	dialecttest.Eventually(s.T, what, func() bool {
		if isSo() {
			return true
		}
		if passed < secondsMax {
			s.Advance("1s")
			passed++
		}
		return false
	})
}

// arrives waits until the processor has said that it has a refund.
func (s shop) arrives(refund string) {
	s.T.Helper()
	dialecttest.Eventually(s.T, "the processor has it", func() bool {
		return slices.Contains(s.kinds(refund), "refund.pending")
	})
}

// totals fails the test unless a payment's totals are these.
func (s shop) totals(of string, refunded, reserved, refundable int64) {
	s.T.Helper()
	now := s.read("/v1/payments/" + of)
	is := [3]int64{number(now.At("refunded")), number(now.At("reserved")), number(now.At("refundable"))}
	if want := [3]int64{refunded, reserved, refundable}; is != want {
		s.T.Errorf("refunded, reserved and refundable are %v, want %v", is, want)
	}
}

// moved returns how often money moved for a refund, and in how many attempts.
func (s shop) moved(refund string) (times, attempts int64) {
	s.T.Helper()
	all := list(s.read("/sandbox/movements?refund=" + refund).At("movements"))
	for _, attempt := range all {
		times += number(dialecttest.At(attempt, "count"))
	}
	return times, int64(len(all))
}

// plan says what becomes of the attempts of a payment's refunds.
func (s shop) plan(of string, outcomes ...string) {
	s.T.Helper()
	s.must("plan", s.API(http.MethodPost, "/sandbox/plans",
		fmt.Sprintf(`{"match":{"payment":%q},"outcomes":["%s"]}`, of, strings.Join(outcomes, `","`))), 201)
}

// feed returns all events that name an id.
func (s shop) feed(id string) (events []any) {
	s.T.Helper()
	after := ""
	for {
		page := s.read("/v1/events?limit=1000&after=" + after)
		for _, event := range list(page.At("events")) {
			for _, noun := range []string{"refund", "dispute", "payment"} {
				if dialecttest.At(event, noun) == id {
					events = append(events, event)
					break
				}
			}
		}
		if after = text(page.At("next")); page.At("has_more") != true {
			return events
		}
	}
}

// kinds returns the kinds of the events that name an id.
func (s shop) kinds(id string) (kinds []string) {
	s.T.Helper()
	for _, event := range s.feed(id) {
		kinds = append(kinds, text(dialecttest.At(event, "kind")))
	}
	return kinds
}

// tells fails the test unless exactly these events name an id, in this order.
func (s shop) tells(id string, want ...string) {
	s.T.Helper()
	if is := s.kinds(id); !slices.Equal(is, want) {
		s.T.Errorf("the feed tells %v, want %v", is, want)
	}
}

// causes returns what has moved money in the books of a payment about a refund.
func (s shop) causes(of, refund string) (causes []string) {
	s.T.Helper()
	for _, entry := range list(s.read("/v1/payments/" + of + "/ledger").At("entries")) {
		if dialecttest.At(entry, "refund") == refund {
			causes = append(causes, text(dialecttest.At(entry, "cause")))
		}
	}
	return causes
}

// balance returns what the books have of an account in EUR: debits minus credits.
func (s shop) balance(account string) int64 {
	s.T.Helper()
	for _, row := range list(s.read("/v1/ledger/balances").At("balances")) {
		if dialecttest.At(row, "account") == account && dialecttest.At(row, "currency") == "EUR" {
			return number(dialecttest.At(row, "balance"))
		}
	}
	return 0
}

// dispute records, as the processor's word, that a payer contests an amount.
func (s shop) dispute(of string, amount int64) answered {
	s.T.Helper()
	return s.must("dispute", s.Operate(http.MethodPost, "/v1/disputes",
		fmt.Sprintf(`{"payment":%q,"amount":%d,"is_fact":true}`, of, amount)), 201)
}

// key makes one more key of the own API, and returns the header that shows it.
func (s shop) key(scopes ...string) []string {
	s.T.Helper()
	body := `{"name":"one more"}`
	if len(scopes) > 0 {
		body = `{"name":"one more","scopes":["` + strings.Join(scopes, `","`) + `"]}`
	}
	made := s.must("key", s.Operate(http.MethodPost, "/v1/keys", body), 201)
	return []string{"Authorization", "Bearer " + text(made.At("key"))}
}

// together does the same many times at once, and counts the answers by status.
func together(times int, do func(n int) answered) map[int]int {
	answers := make([]answered, times)
	var running sync.WaitGroup
	for n := range answers {
		running.Go(func() { answers[n] = do(n) })
	}
	running.Wait()
	counts := map[int]int{}
	for _, answer := range answers {
		counts[answer.Status]++
	}
	return counts
}

// primer calls Primer's door.
func (s shop) primer(method, path, body string) answered {
	s.T.Helper()
	return s.Call(method, "/payments"+path, body,
		"X-API-KEY", s.File.Primer.Key, "X-API-VERSION", "2.4", "Content-Type", "application/json")
}

// chip calls CHIP's door.
func (s shop) chip(method, path, body string) answered {
	s.T.Helper()
	return s.Call(method, "/api/v1/"+path, body, "Authorization", "Bearer "+s.File.CHIP.Key)
}

// smartGlocal calls a method of Smart Glocal's door.
func (s shop) smartGlocal(method, body string) answered {
	s.T.Helper()
	project := s.File.SmartGlocal
	return s.Call(http.MethodPost, "/api/v1/"+method, body, "X-PARTNER-PROJECT", project.Project,
		"X-PARTNER-SIGN", dialecttest.SignRSA(s.T, project.PrivateKeyFile, body))
}

// named returns how a door names a payment.
func (s shop) named(of, door string) string {
	s.T.Helper()
	return text(s.read("/v1/payments/" + of).At("ids." + door))
}

// later is a time by which no story is told to its end.
func (s shop) later() string {
	s.T.Helper()
	now, err := time.Parse(time.RFC3339, text(s.read("/sandbox/clock").At("now")))
	if err != nil {
		s.T.Fatal(err)
	}
	return now.Add(300 * 24 * time.Hour).Format(time.RFC3339)
}

// noon is when a desk decides.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// desk decides about one payment as a commit does, without a service: for what
// no processor of the sandbox does.
type desk struct {
	t      *testing.T
	count  byte
	tenant payment.Tenant
	view   payment.View
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return &desk{t: t, tenant: payment.Tenant{ID: payment.TenantID{1}}}
}

// try applies a command as a commit of one.
func (d *desk) try(command payment.Command) (payment.Answer, error) {
	d.t.Helper()
	book := payment.NewBook(noon, func() (id [16]byte) { d.count++; id[15] = d.count; return id })
	book.PutTenant(&d.tenant)
	if !d.view.Payment.ID.IsZero() {
		book.PutView(d.view)
	}
	answer, err := command.Apply(book)
	for _, change := range book.Changes.Views {
		d.view = change.View
	}
	return answer, err
}

// do applies a command that must be accepted.
func (d *desk) do(command payment.Command) payment.Answer {
	d.t.Helper()
	answer, err := d.try(command)
	if err != nil {
		d.t.Fatalf("%T: %v", command, err)
	}
	return answer
}

// meta says who asks.
func (d *desk) meta() payment.Meta {
	return payment.Meta{Tenant: d.tenant.ID, Actor: "key:test", Door: payment.DoorAPI}
}

// leaves lets a refund leave and come to an outcome.
func (d *desk) leaves(r payment.Refund, outcome payment.Outcome) payment.Refund {
	d.t.Helper()
	started := d.do(payment.StartAttempt{Meta: d.meta(), Payment: r.Payment, Refund: r.ID, InquireAt: noon})
	return d.do(payment.RecordOutcome{
		Meta: d.meta(), Payment: r.Payment, Refund: r.ID, Attempt: started.Attempt.ID, Connector: "con", Outcome: outcome,
	}).Refund
}
