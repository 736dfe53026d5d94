package paintest_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/service"
)

// What a dispute has taken is not given back too, what has not left is stopped,
// and what was lost twice is said aloud.
func TestPain07RefundAndChargebackPayTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		of := s.pay(10_000, "EUR")
		waiting := s.refund(of, euros(7_000, `"not_before":"`+s.later()+`"`))
		opened := s.dispute(of, 10_000)
		stopped := s.read("/v1/refunds/" + waiting)
		if stopped.At("status") != "canceled" || stopped.At("failure.code") != "disputed" {
			t.Errorf("it will leave beside the dispute: %s", stopped)
		}
		s.totals(of, 0, 0, 0)
		s.refused("what is disputed", s.ask(of, euros(1)), 409, "refundable_amount_exceeded")
		move := func(to string) {
			t.Helper()
			s.must(to, s.Operate(http.MethodPost, "/v1/disputes/"+text(opened.At("dispute.id"))+"/move", `{"to":"`+to+`"}`), 200)
		}
		move("won")
		s.totals(of, 0, 0, 10_000)
		s.becomes(s.refund(of, euros(6_000)), "succeeded")
		opened = s.dispute(of, 10_000)
		dispute := text(opened.At("dispute.id"))
		s.tells(dispute, "dispute.open", "dispute.double_loss_risk")
		exposed := s.read("/v1/payments/" + of + "/refundability")
		if number(exposed.At("exposure.double_loss")) != 6_000 || number(exposed.At("exposure.total")) != 16_000 ||
			number(exposed.At("max")) != 0 || exposed.At("is_disputed") != true {
			t.Errorf("it is not said that money may be lost twice: %s", exposed)
		}
		move("lost")
		s.totals(of, 6_000, 0, 0)
		s.refused("what is lost", s.ask(of, euros(1)), 409, "refundable_amount_exceeded")
	})
}

// Who asks twice by mistake, or beside a colleague, is told so.
func TestPain08DoubleClickAndTwoOperators(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		of := s.pay(10_000, "EUR")
		counts := together(8, func(n int) answered {
			return s.ask(of, euros(int64(1_000+n), `"expected_refundable":10000`))
		})
		if counts[201] != 1 || counts[409] != 7 {
			t.Errorf("eight operators saw 100.00 EUR left: %v", counts)
		}
		s.refused("a stale page", s.ask(of, euros(1, `"expected_refundable":10000`)), 409, "expected_refundable_differs")
		s.Set("policy.duplicate_minutes", int64(5))
		of = s.pay(10_000, "EUR")
		counts = together(8, func(int) answered { return s.ask(of, euros(1_000)) })
		if counts[201] != 1 || counts[409] != 7 {
			t.Errorf("eight clicks: %v", counts)
		}
		s.refused("a click later", s.ask(of, euros(1_000)), 409, "duplicate_refund")
		s.must("another amount", s.ask(of, euros(1_001)), 201)
		s.must("on purpose", s.ask(of, euros(1_000, `"allow_duplicate":true`)), 201)
		s.Advance("6m")
		s.must("later", s.ask(of, euros(1_000)), 201)
	})
}

// A key alone empties nothing: it is counted, large refunds need other persons,
// what waits is reserved, and one switch stops everything.
func TestPain21InsidersAndStolenKeys(t *testing.T) {
	s := open(t)
	s.tomorrow() // a day's count must not begin anew on the way
	thief, other := s.key("refunds:write", "refunds:read"), s.key("refunds:approve", "refunds:read")
	of := s.pay(100_000, "EUR")
	s.Set("policy.daily_count_key", int64(2))
	s.Set("policy.daily_amount_tenant", int64(50_000))
	steal := func(amount int64, header ...string) answered {
		return s.Call(http.MethodPost, "/v1/refunds",
			`{"payment":"`+of+`",`+euros(amount)+`}`, append(header, thief...)...)
	}
	s.must("one", steal(1_000), 201)
	s.must("two", steal(1_000), 201)
	s.refused("three of a key", steal(1_000), 403, "velocity_exceeded")
	s.refused("more than a day has", s.ask(of, euros(48_001)), 403, "velocity_exceeded")
	s.Set("policy.daily_count_key", nil)
	s.Set("policy.daily_amount_tenant", nil)
	s.Set("policy.approval_above", int64(5_000))
	s.Set("policy.approvers", int64(2))
	large := s.must("large", steal(90_000, "Refundry-User", "anna"), 201)
	if large.At("status") != "awaiting_approval" || number(large.At("approvals_needed")) != 2 || text(large.At("digest")) == "" {
		t.Errorf("nobody need agree: %s", large)
	}
	s.refused("beside what waits", s.ask(of, euros(8_001, `"note":"it would be too much"`)), 409, "refundable_amount_exceeded")
	approve := func(key []string, user string, seen ...string) answered {
		body := "{}"
		if len(seen) > 0 {
			body = fmt.Sprintf(`{"digest":%q}`, seen[0])
		}
		header := append([]string{"Refundry-User", user}, key...)
		return s.Call(http.MethodPost, "/v1/refunds/"+text(large.At("id"))+"/approve", body, header...)
	}
	s.refused("a key that may not", approve(thief, "ben"), 403, "insufficient_scope")
	s.refused("the same person", approve(other, "anna"), 403, "self_approval")
	small := s.must("small", steal(6_000), 201)
	s.refused("a yes to what was not seen", approve(other, "ben", text(small.At("digest"))), 409, "approval_of_something_else")
	one := s.must("one of two", approve(other, "ben", text(large.At("digest"))), 200)
	if one.At("status") != "awaiting_approval" {
		t.Errorf("one was enough: %s", one)
	}
	s.refused("the same yes again", approve(other, "ben"), 403, "self_approval")
	s.must("two of two", s.Operate(http.MethodPost, "/v1/refunds/"+text(large.At("id"))+"/approve", "{}"), 200)
	s.becomes(text(large.At("id")), "succeeded")
	s.Set("policy.halted", true)
	s.refused("when all is stopped", s.ask(of, euros(1)), 403, "refunds_halted")
}

// tomorrow lets it be the morning of another day.
func (s shop) tomorrow() {
	s.T.Helper()
	now, err := time.Parse(time.RFC3339, text(s.read("/sandbox/clock").At("now")))
	if err != nil {
		s.T.Fatal(err)
	}
	to := now.Truncate(24 * time.Hour).Add(30 * time.Hour).Format(time.RFC3339)
	s.must("tomorrow", s.API(http.MethodPost, "/sandbox/clock", fmt.Sprintf(`{"to":%q}`, to)), 200)
}

// Who did what on whose behalf, and why, is on record, and the record cannot be
// rewritten unseen.
func TestPain22WhoDidItAndWhy(t *testing.T) {
	t.Parallel()
	var data string
	s := shop{dialecttest.Start(t, "", func(c *service.Config) { data = c.Data })}
	s.Set("policy.reasons", []string{"returned", "broken"})
	s.Set("policy.reason_required", true)
	of := s.pay(10_000, "EUR")
	s.refused("no reason", s.ask(of, euros(1_000)), 422, "reason_not_in_catalogue")
	s.refused("a reason of one's own", s.ask(of, euros(1_000, `"reason":"just so"`)), 422, "reason_not_in_catalogue")
	got := s.must("refund", s.ask(of, euros(1_000, `"reason":"broken","note":"seen by Ben"`), "Refundry-User", "anna"), 201)
	if got.At("reason") != "broken" || got.At("note") != "seen by Ben" || got.At("user") != "anna" {
		t.Errorf("got %s", got)
	}
	id := text(got.At("id"))
	s.becomes(id, "succeeded")
	made := s.feed(id)[0]
	if actor := text(dialecttest.At(made, "actor")); len(actor) < 5 || actor[:4] != "key:" ||
		dialecttest.At(made, "request_id") != got.Header.Get("X-Request-Id") || dialecttest.At(made, "at") == nil {
		t.Errorf("the event does not say who asked: %v", made)
	}
	entries := list(s.read("/v1/audit?user=anna&kind=refund.created").At("entries"))
	if len(entries) != 1 || dialecttest.At(entries[0], "refund") != id || dialecttest.At(entries[0], "address") != "127.0.0.1" ||
		number(dialecttest.At(entries[0], "after.amount")) != 1_000 ||
		number(dialecttest.At(entries[0], "after.payment.reserved")) != 1_000 {
		t.Errorf("the trail does not say who, from where and what: %v", entries)
	}
	changed := slices.ContainsFunc(s.settings(), func(event any) bool {
		return dialecttest.At(event, "actor") != nil && dialecttest.At(event, "detail") != nil
	})
	if !changed {
		t.Error("nobody has changed the settings")
	}
	s.Clean()
	books, err := sql.Open("sqlite", filepath.Join(data, "refundry.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer books.Close()
	const rewrite = `UPDATE event SET actor = 'key:somebody' WHERE kind = 'refund.created'`
	if _, err := books.ExecContext(t.Context(), rewrite); err != nil {
		t.Fatal(err)
	}
	result, err := s.Service.Verify(t.Context())
	if err != nil || result.IsClean() || result.Findings[0].Kind != "chain" {
		t.Errorf("the record was rewritten unseen: %+v %v", result.Findings, err)
	}
}

// settings returns the events that tell of changed settings.
func (s shop) settings() (events []any) {
	s.T.Helper()
	for _, event := range list(s.read("/v1/events?limit=1000").At("events")) {
		if dialecttest.At(event, "kind") == "settings.changed" {
			events = append(events, event)
		}
	}
	return events
}

// A key names one intention for ever, however much is equal; a no does not use
// it up.
func TestPain23IdempotencyKeysMisused(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		of := s.pay(10_000, "EUR")
		key := func(name string) []string { return []string{"Idempotency-Key", name} }
		s.refused("too much", s.ask(of, euros(10_001), key("k-1")...), 409, "refundable_amount_exceeded")
		s.refused("nonsense", s.ask(of, `"amount":0,"currency":"EUR"`, key("k-1")...), 422, "invalid_request")
		counts := together(10, func(int) answered { return s.ask(of, euros(2_500), key("k-1")...) })
		if counts[201] != 10 {
			t.Errorf("ten times the same: %v", counts)
		}
		first := s.must("the same", s.ask(of, euros(2_500), key(`"k-1"`)...), 201)
		second := s.must("an equal part", s.ask(of, euros(2_500), key("k-2")...), 201)
		if first.At("id") == second.At("id") || second.Header.Get("Idempotent-Replayed") != "" {
			t.Errorf("an equal part of its own is taken for a repeat: %s", second)
		}
		s.refused("another request", s.ask(of, euros(2_501), key("k-1")...), 422, "idempotency_key_reused")
		id := text(first.At("id"))
		s.becomes(id, "succeeded")
		s.becomes(text(second.At("id")), "succeeded")
		s.Advance("9600h")
		again := s.must("a year later", s.ask(of, euros(2_500), key("k-1")...), 201)
		if again.Raw != first.Raw || again.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("the answer is now %s, and was %s", again, first)
		}
		s.totals(of, 5_000, 0, 5_000)
		s.must("tenant", s.Operate(http.MethodPost, "/v1/tenants", `{"name":"other"}`), 201)
		theirs := s.must("their own", s.Operate(http.MethodPost, "/v1/payments", `{"amount":1,"currency":"EUR"}`,
			"Refundry-Tenant", "other", "Idempotency-Key", "k-1"), 201)
		if theirs.Header.Get("Idempotent-Replayed") != "" {
			t.Errorf("two tenants share a key: %s", theirs)
		}
	})
}

// What can be refunded, how much of it and until when is said before, and is
// what a refund is then told.
func TestPain24EligibilityIsFoundOutByFailing(t *testing.T) {
	s := open(t)
	of := s.pay(10_000, "EUR", `"items":[{"name":"Hat","quantity":4,"unit_amount":2500,"tax":400}]`)
	path := "/v1/payments/" + of + "/refundability"
	says := func(most int64, codes ...string) answered {
		t.Helper()
		is := s.read(path)
		var named []string
		for _, refusal := range list(is.At("refusals")) {
			named = append(named, text(dialecttest.At(refusal, "code")))
		}
		least := min(1, most)
		isSaid := number(is.At("max")) == most && number(is.At("min")) == least && slices.Equal(named, codes)
		if !isSaid || is.At("currency") != "EUR" {
			t.Errorf("%s, want at most %d and %v", is, most, codes)
		}
		return is
	}
	free := says(10_000)
	isWhole := number(free.At("items.0.quantity")) == 4 && number(free.At("captures.0.refundable")) == 10_000
	if !isWhole || free.At("latest_at") != nil {
		t.Errorf("got %s", free)
	}
	s.Set("policy.maximum_amount", int64(4_000))
	s.Set("policy.window_days", int64(30))
	s.Set("policy.earliest_hours", int64(48))
	early := says(0, "too_early")
	no := s.refused("too early", s.ask(of, euros(1)), 409, "too_early")
	if early.At("earliest_at") == nil || no.At("from") != early.At("earliest_at") {
		t.Errorf("from %v on, says the answer, and %v says the refund", early.At("earliest_at"), no.At("from"))
	}
	s.Advance("48h")
	if open := says(4_000); open.At("latest_at") == nil {
		t.Errorf("it is not said until when: %s", open)
	}
	s.refused("over the most", s.ask(of, euros(4_001)), 403, "maximum_amount_exceeded")
	s.refund(of, `"items":[{"position":1,"quantity":1}]`)
	if left := says(4_000); number(left.At("items.0.refundable")) != 7_500 || number(left.At("items.0.quantity")) != 3 {
		t.Errorf("got %s", left)
	}
	s.Advance("700h")
	says(0, "refund_window_closed")
	s.refused("too late", s.ask(of, euros(1)), 409, "refund_window_closed")
}
