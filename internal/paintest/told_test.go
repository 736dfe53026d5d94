package paintest_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// whatever lets every webhook count.
func whatever(dialecttest.Webhook) bool { return true }

// endpoint adds an endpoint of the own API and returns its id.
func (s shop) endpoint(path string, members ...string) string {
	s.T.Helper()
	return text(s.must("endpoint", s.API(http.MethodPost, "/v1/endpoints",
		fmt.Sprintf(`{"url":%q%s}`, s.Receiver.URL+path, join(members))), 201).At("id"))
}

// Webhooks of a payment come in order where that is asked for, say their place
// where they come twice, and show the refund as it was and not as it is.
func TestPain16WebhooksDoubledAndOutOfOrder(t *testing.T) {
	s := open(t)
	failures := 0
	s.Receiver.Answer(func(dialecttest.Webhook) int {
		if failures++; failures <= 2 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	endpoint := s.endpoint("/ordered", `"is_ordered":true`, `"kinds":["refund.created","refund.succeeded","refund.returned"]`)
	of := s.pay(10_000, "EUR")
	s.plan(of, "RETURNED")
	id := s.refund(of, euros(1_000))
	s.becomes(id, "returned")
	created := text(s.read("/v1/deliveries?endpoint=" + endpoint).At("deliveries.last.id"))
	for attempt := range int64(2) {
		dialecttest.Eventually(t, "it is tried", func() bool {
			return number(s.read("/v1/deliveries/"+created).At("attempts")) > attempt
		})
		s.Advance("10m")
	}
	s.Receiver.Await(t, "/ordered", 5, "all is told", whatever)
	came := s.Receiver.List("/ordered")
	first := came[0].Header.Get("webhook-id")
	for n, repeat := range came[:3] {
		if repeat.Header.Get("webhook-id") != first || repeat.Raw != came[0].Raw {
			t.Errorf("attempt %d is not known as the same webhook: %s, at first %s", n+1, repeat.Raw, came[0].Raw)
		}
	}
	var last int64
	for n, want := range []struct{ kind, status string }{
		{"refund.created", "pending"}, {"refund.succeeded", "succeeded"}, {"refund.returned", "returned"},
	} {
		told := came[2+n]
		if told.At("type") != want.kind || told.At("data.refund.status") != want.status || told.At("data.refund.id") != id {
			t.Errorf("webhook %d is %s, want %s while it was %s", n, told.Raw, want.kind, want.status)
		}
		if sequence := number(told.At("sequence")); sequence <= last || sequence != number(told.At("data.refund.version")) {
			t.Errorf("webhook %d has the place %d behind %d", n, sequence, last)
		}
		last = number(told.At("sequence"))
	}
}

// transitions says which events a refund tells on its way to each end. That it
// was sent is in the feed only.
var transitions = map[string][]string{
	"SUCCEEDED":    {"refund.created", "refund.submitted", "refund.succeeded"},
	"DECLINED":     {"refund.created", "refund.submitted", "refund.declined"},
	"FAILED":       {"refund.created", "refund.submitted", "refund.failed"},
	"SLOW":         {"refund.created", "refund.submitted", "refund.pending", "refund.succeeded"},
	"TIMEOUT_DONE": {"refund.created", "refund.submitted", "refund.unknown", "refund.succeeded"},
	"TIMEOUT_LOST": {"refund.created", "refund.submitted", "refund.unknown", "refund.succeeded"},
	"RETURNED":     {"refund.created", "refund.submitted", "refund.succeeded", "refund.returned"},
}

// Every step of a refund has its event, in the feed and as a webhook, whether
// the processor tells of it or has to be asked.
func TestPain17NoEventForWhatMatters(t *testing.T) {
	s := open(t)
	s.endpoint("/all")
	want := map[string][]string{}
	for outcome, kinds := range transitions {
		of := s.pay(20_000, "EUR")
		s.plan(of, outcome)
		want[s.refund(of, euros(1_000))] = kinds
	}
	s.Set("policy.approval_above", int64(1))
	approved, canceled := s.refund(s.pay(20_000, "EUR"), euros(1_000)), s.refund(s.pay(20_000, "EUR"), euros(1_000))
	s.must("approve", s.Operate(http.MethodPost, "/v1/refunds/"+approved+"/approve", "{}"), 200)
	s.must("cancel", s.API(http.MethodPost, "/v1/refunds/"+canceled+"/cancel", "{}"), 200)
	want[approved] = []string{"refund.created", "refund.pending", "refund.submitted", "refund.succeeded"}
	want[canceled] = []string{"refund.created", "refund.canceled"}
	for id, kinds := range want {
		s.waits("it ends", func() bool { return len(s.kinds(id)) >= len(kinds) })
		s.tells(id, kinds...)
		outside := slices.DeleteFunc(slices.Sorted(slices.Values(kinds)), func(kind string) bool {
			return kind == "refund.submitted"
		})
		dialecttest.Eventually(t, "webhooks tell it too", func() bool {
			var told []string
			for _, came := range s.Receiver.List("/all") {
				if came.At("data.refund.id") == id {
					told = append(told, text(came.At("type")))
				}
			}
			slices.Sort(told)
			return slices.Equal(told, outside)
		})
	}
}

// What a receiver has missed is in the feed, and can be told again: one
// webhook, or all of a stretch, also of the time while the endpoint was off.
func TestPain18LostWebhooksCannotBeRecovered(t *testing.T) {
	s := open(t)
	s.Receiver.Answer(func(dialecttest.Webhook) int { return http.StatusServiceUnavailable })
	s.Set("webhook.disable_after_days", int64(0)) // a day between two attempts is slower than any schedule
	endpoint := s.endpoint("/shop", `"kinds":["refund.succeeded"]`)
	missed := s.refund(s.pay(10_000, "EUR"), euros(1_000))
	s.becomes(missed, "succeeded")
	delivery := text(s.read("/v1/deliveries?endpoint=" + endpoint).At("deliveries.0.id"))
	for attempt, isOver := int64(1), false; !isOver; attempt++ {
		dialecttest.Eventually(t, "it is tried", func() bool {
			now := s.read("/v1/deliveries/" + delivery)
			isOver = now.At("status") == "given_up"
			return number(now.At("attempts")) == attempt
		})
		if isOver && attempt < 8 {
			t.Errorf("it was given up after %d attempts", attempt)
		}
		s.Advance("24h")
	}
	s.must("off", s.API(http.MethodPatch, "/v1/endpoints/"+endpoint, `{"is_disabled":true}`), 200)
	silent := s.refund(s.pay(10_000, "EUR"), euros(2_000))
	s.becomes(silent, "succeeded")
	for _, id := range []string{missed, silent} {
		if kinds := s.kinds(id); kinds[len(kinds)-1] != "refund.succeeded" {
			t.Errorf("the feed has %v", kinds)
		}
	}
	tried := len(s.Receiver.List("/shop"))
	s.Receiver.Answer(func(dialecttest.Webhook) int { return http.StatusOK })
	s.must("on", s.API(http.MethodPatch, "/v1/endpoints/"+endpoint, `{"is_disabled":false}`), 200)
	s.must("resend", s.API(http.MethodPost, "/v1/deliveries/"+delivery+"/resend", ""), 202)
	came := func(id string) (count int) {
		for _, hook := range s.Receiver.List("/shop")[tried:] {
			if hook.At("data.refund.id") == id && hook.At("type") == "refund.succeeded" {
				count++
			}
		}
		return count
	}
	dialecttest.Eventually(t, "it is told once more", func() bool { return came(missed) == 1 })
	if came(silent) != 0 {
		t.Error("an endpoint that was off is told unasked")
	}
	s.must("replay", s.API(http.MethodPost, "/v1/endpoints/"+endpoint+"/replay", "{}"), 202)
	dialecttest.Eventually(t, "all is told once more", func() bool { return came(missed) == 2 && came(silent) == 1 })
}

// A refund that does not come to its end says so and why, and a person can ask
// again, send the same once more, or settle it with evidence: nothing else.
func TestPain19StuckOrFailedWithoutAReason(t *testing.T) {
	s := open(t)
	s.Set("policy.stuck_hours", int64(24))
	of := s.pay(100_000, "EUR")
	s.plan(of, "DECLINED", "FAILED", "PENDING", "SUCCEEDED")
	for _, want := range []struct {
		status, code, processor string
		retryable               bool
	}{{"declined", "declined", "05", false}, {"failed", "processor_error", "96", true}} {
		now := s.becomes(s.refund(of, euros(1_000)), want.status)
		if now.At("failure.code") != want.code || now.At("failure.processor_code") != want.processor ||
			now.At("failure.retryable") != want.retryable || text(now.At("failure.message")) == "" {
			t.Errorf("it is not said why: %s", now)
		}
	}
	id := s.refund(of, euros(1_000))
	deed := func(verb, body string) answered { return s.Operate(http.MethodPost, "/v1/refunds/"+id+"/"+verb, body) }
	const settlement = `{"to":"succeeded","evidence":"the bank's statement"}`
	s.arrives(id)
	s.refused("settled while it is asked about", deed("settle", settlement), 409, "wrong_status")
	if s.read("/v1/refunds/"+id).At("is_stuck") != nil {
		t.Error("it is stuck at once")
	}
	s.Advance("25h")
	dialecttest.Eventually(t, "it is told to be stuck", func() bool { return slices.Contains(s.kinds(id), "refund.stuck") })
	if now := s.read("/v1/refunds/" + id); now.At("is_stuck") != true || now.At("status") != "pending" {
		t.Errorf("got %s", now)
	}
	s.must("ask again", deed("inquire", "{}"), 200)
	s.must("send the same again", deed("resend", "{}"), 200)
	s.refused("no evidence", deed("settle", `{"to":"succeeded","evidence":" "}`), 422, "invalid_request")
	s.refused("by a key", s.API(http.MethodPost, "/v1/refunds/"+id+"/settle", settlement), 403, "forbidden")
	settled := s.must("settle", deed("settle", settlement), 200)
	if settled.At("status") != "succeeded" || settled.At("evidence.0.note") != "the bank's statement" {
		t.Errorf("got %s", settled)
	}
	if _, attempts := s.moved(id); attempts != 1 {
		t.Errorf("it was sent again as %d attempts", attempts)
	}
	s.totals(of, 1_000, 0, 99_000)
	late := s.refund(of, euros(1_000, `"not_before":"`+s.later()+`"`))
	s.Set("policy.halted", true)
	s.Advance("7201h")
	var held answered
	dialecttest.Eventually(t, "it is held", func() bool {
		held = s.read("/v1/refunds/" + late)
		return held.At("pending_reason") == "halted"
	})
	if held.At("submitted_at") != nil || held.At("status") != "pending" {
		t.Errorf("what was never sent does not say so: %s", held)
	}
	s.Set("policy.halted", nil)
	s.becomes(late, "succeeded")
}
