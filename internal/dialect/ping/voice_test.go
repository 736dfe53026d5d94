package ping_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/dialect/ping"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/service"
	"github.com/refundry/refundry/internal/webhook"
)

// words returns the statuses that came to a path, in order.
func (w world) words(path string) string {
	var all []string
	for _, came := range w.Receiver.List(path) {
		all = append(all, fmt.Sprint(came.At("status")))
	}
	return strings.Join(all, " ")
}

func is(status string) func(dialecttest.Webhook) bool {
	return func(came dialecttest.Webhook) bool { return came.At("status") == status }
}

// Whatever happens outside, a refund is answered PENDING, called back, and
// shown in the provider's words.
func TestRefundEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		w.tell()
		w.Set("ping.refunds_view", "all")
		paid := map[int64]string{}
		for amount, word := range outcomes {
			paid[amount] = w.dummy(w.order(), "COMPLETED", amount)
			if got := w.post(paid[amount]+"/refund", refunding(amount)); got.Status != 200 || got.At("status") != "PENDING" {
				t.Errorf("%d: %s", amount, got)
			}
			if amount != 9004 && amount != 9005 && amount != 9006 && amount != 9009 {
				w.until(paid[amount], "refunds.0.status", word)
			}
		}
		for range 3 {
			w.Advance("20s")
		}
		for amount, word := range outcomes {
			var got dialecttest.Answered
			w.Meanwhile(fmt.Sprint(amount, " is ", word), func() bool {
				got = w.get(paid[amount])
				return got.At("refunds.0.status") == word
			})
			if (got.At("refund") != nil) != (word == "COMPLETED") || got.At("status") != "COMPLETED" {
				t.Errorf("%d: %s", amount, got)
			}
			isIts := func(came dialecttest.Webhook) bool {
				return came.At("payment_id") == paid[amount][len(paid[amount])-36:] && came.At("status") == word
			}
			came := w.Receiver.Await(t, "/refunds", 1, fmt.Sprint(amount, " ", word), isIts)
			if (came.At("details") != nil) != (word == "DECLINED" || word == "FAILED") {
				t.Errorf("%d: %s", amount, came.Raw)
			}
		}
		dialecttest.Eventually(t, "the chargeback shows", func() bool {
			got := w.post(paid[9009]+"/refund", refunding(9009))
			return got.Status == 403 && got.At("errors.0.additional_information.code") == "payment_disputed"
		})
		w.nothingAfterTheEnd(t)
		w.Clean()
	})
}

// outcomes says what the sandbox makes of a refund by its amount.
var outcomes = map[int64]string{
	9000: "COMPLETED", 9001: "DECLINED", 9002: "FAILED", 9003: "PENDING", 9004: "COMPLETED", 9005: "COMPLETED",
	9006: "COMPLETED", 9007: "COMPLETED", 9008: "COMPLETED", 9009: "COMPLETED",
}

// nothingAfterTheEnd looks at every refund's callbacks: one end, and last.
func (w world) nothingAfterTheEnd(t *testing.T) {
	t.Helper()
	w.Advance("72h")
	heard := map[any]string{}
	for _, came := range w.Receiver.List("/refunds") {
		id := came.At("id")
		if before := heard[id]; before != "" && before != "PENDING" {
			t.Errorf("%v: %s after %s", id, came.Raw, before)
		}
		heard[id] = came.At("status").(string)
	}
}

// Money that comes back after COMPLETED is told nobody here, and is shown as
// COMPLETED; the engine knows.
func TestLateFailuresAreNotTold(t *testing.T) {
	w := start(t)
	w.tell()
	at := w.dummy(w.order(), "COMPLETED", 9007)
	id := w.must("refund", w.post(at+"/refund", refunding(9007)), 200).At("id").(string)
	w.Receiver.Await(t, "/refunds", 1, "COMPLETED", completed)
	w.Advance("2s")
	dialecttest.Eventually(t, "the money is back", func() bool {
		return w.API(http.MethodGet, "/v1/payments/"+own(t, at), "").At("refunds.0.status") == "returned"
	})
	got := w.get(at)
	if got.At("refund.amount") != number(9007) || got.At("refunds.0.status") != "COMPLETED" || len(got.At("order_items").([]any)) != 0 {
		t.Errorf("%s", got)
	}
	says(t, "nothing is left here", w.post(at+"/refund", refunding(9007)), 403, "payment_already_refunded", "")
	w.nothingAfterTheEnd(t)
	if said := w.words("/refunds"); !strings.HasSuffix(said, "COMPLETED") {
		t.Errorf("%s: %s", id, said)
	}
	w.Clean()
}

// A refund that gives back once more what had come back is neither shown nor
// told here.
func TestRetriesOfWhatCameBackAreNotTold(t *testing.T) {
	t.Parallel()
	first := payment.Refund{ID: payment.RefundID{1}, Status: payment.RefundReturned}
	again := payment.Refund{ID: payment.RefundID{2}, Status: payment.RefundSucceeded, RetryOf: first.ID}
	view := payment.View{Refunds: []payment.Refund{first, again}}
	over := func(id payment.RefundID, kind payment.EventKind) bool {
		return ping.Voice().IsOver(webhook.Event{Kind: kind, Word: "refund", Subject: id}, view)
	}
	if over(first.ID, "refund.succeeded") || !over(first.ID, payment.EventRefundCreated) || !over(again.ID, "refund.succeeded") {
		t.Error("a first success is told, its PENDING is over, and a second success is not told")
	}
}

// A final callback does not wait for a PENDING that nobody has heard of: it
// takes its place.
func TestFinalCallbacksCancelPending(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		w.tell()
		w.Receiver.Answer(func(came dialecttest.Webhook) int {
			if came.At("status") == "PENDING" {
				return http.StatusBadGateway
			}
			return http.StatusNoContent
		})
		w.Set("policy.undo_seconds", int64(240))
		at := w.paid()
		w.must("it waits", w.post(at+"/refund", refunding(29900)), 200)
		for n, pause := range []string{"6s", "12s", "24s", "48s", "96s"} {
			w.Receiver.Await(t, "/refunds", n+1, "PENDING", is("PENDING"))
			w.Advance(pause)
		}
		w.Receiver.Await(t, "/refunds", 6, "PENDING", is("PENDING")) // the next is more than two minutes later
		w.Advance("60s")
		w.Receiver.Await(t, "/refunds", 1, "COMPLETED", completed)
		if n := len(w.Receiver.List("/refunds")); n != 7 {
			t.Errorf("%s", w.words("/refunds"))
		}
		w.Set("policy.undo_seconds", nil)
		w.Advance("48h")
		other := w.dummy(w.order(), "COMPLETED", 100)
		w.must("other", w.post(other+"/refund", refunding(100)), 200)
		w.Receiver.Await(t, "/refunds", 2, "COMPLETED", completed)
		w.nothingAfterTheEnd(t)
		w.Set("ping.callback_pending", false)
		third := w.dummy(w.order(), "COMPLETED", 9003)
		made := w.must("pending", w.post(third+"/refund", refunding(9003)), 200)
		w.Advance("1h")
		for _, came := range w.Receiver.List("/refunds") {
			if came.At("id") == made.At("id") {
				t.Errorf("callback_pending: %s", came.Raw)
			}
		}
	})
}

// A callback is tried 20 times, with pauses that double up to six hours, a
// fifth more or less; each time with the same bytes and the key of that time.
func TestCallbacksAreTried20Times(t *testing.T) {
	t.Parallel()
	w := world{dialecttest.Start(t, "", func(config *service.Config) { // pauses are neither longer nor shorter
		config.Luck = func() float64 { return 0.5 }
	})}
	w.Set("ping.callback_pending", false)
	w.tell()
	w.Receiver.Answer(func(dialecttest.Webhook) int { return http.StatusFound })
	at := w.dummy(w.order(), "COMPLETED", 9001)
	w.must("refund", w.post(at+"/refund", refunding(9001)), 200)
	pause, public := 5*time.Second, ""
	for n := 1; n <= 20; n++ {
		came := w.Receiver.Await(t, "/refunds", n, fmt.Sprint("attempt ", n), is("DECLINED"))
		first := w.Receiver.List("/refunds")[0]
		if came.Raw != first.Raw || came.Header.Get("Content-Type") != "application/json" {
			t.Errorf("attempt %d: %s, want %s", n, came.Raw, first.Raw)
		}
		if signature := came.Header.Get("signature"); n <= 10 && signature != "" ||
			n > 10 && !verifies(t, public, []byte(came.Raw), signature) {
			t.Errorf("attempt %d is signed with %q", n, signature)
		}
		if n == 10 {
			public = w.must("generate", w.post("signing_key/generate", ""), 200).At("public_key").(string)
		}
		w.Advance((pause * 9 / 10).String()) // too early
		if n > 8 {                           // a tenth of a shorter pause goes by itself
			w.settled(t, n)
			if got := len(w.Receiver.List("/refunds")); got != n {
				t.Errorf("%d attempts, want %d: too early", got, n)
			}
		}
		w.Advance((pause/10 + time.Millisecond).String())
		pause = min(2*pause, 6*time.Hour)
	}
	w.Advance("480h")
	w.settled(t, 21)
	if n := len(w.Receiver.List("/refunds")); n != 20 {
		t.Errorf("%d attempts", n)
	}
	for status, want := range map[int]bool{200: true, 204: true, 299: true, 301: false, 404: false, 500: false} {
		if ping.Voice().Acknowledges(status) != want {
			t.Errorf("%d acknowledges: %t", status, !want)
		}
	}
	gaps, timeout := ping.Voice().Schedule(webhook.Event{Word: "refund"}, nil)
	if len(gaps) != 20 || gaps[19] < 44*time.Hour || gaps[19] > 52*time.Hour || timeout != 10*time.Second || ping.Voice().Jitter() != 0.2 {
		t.Errorf("%v %s", gaps, timeout)
	}
}

// settled waits until what was due before has been sent: a poke that is asked
// for now is.
func (w world) settled(t *testing.T, n int) {
	t.Helper()
	path := fmt.Sprintf("/poke/%d", n)
	w.must("poke", w.post("poke", `{"callback_url":"`+w.Receiver.URL+path+`"}`), 200)
	w.Receiver.Await(t, path, 1, "a poke", func(dialecttest.Webhook) bool { return true })
}

// The header and the spelling of a signature are switches.
func TestSignatureSwitches(t *testing.T) {
	w := start(t)
	public := w.must("generate", w.post("signing_key/generate", ""), 200).At("public_key").(string)
	for n, test := range []struct {
		header, encoding, want string
		decode                 func(string) ([]byte, error)
	}{
		{"signature", "base64", "signature", base64.StdEncoding.DecodeString},
		{"X-Ping-Signature", "base64url", "X-Ping-Signature", base64.URLEncoding.DecodeString},
		{"no header: at all", "hex", "signature", hex.DecodeString},
		{"Content-Length", "hex", "signature", hex.DecodeString},
		{"content-type", "hex", "signature", hex.DecodeString},
		{"Host", "hex", "signature", hex.DecodeString},
		{"Transfer-Encoding", "hex", "signature", hex.DecodeString},
		{"connection", "hex", "signature", hex.DecodeString},
	} {
		w.Set("ping.signature_header", test.header)
		w.Set("ping.signature_encoding", test.encoding)
		w.must("poke", w.post("poke", `{"callback_url":"`+w.Receiver.URL+`/poke"}`), 200)
		came := w.Receiver.Await(t, "/poke", n+1, "a poke", func(dialecttest.Webhook) bool { return true })
		raw, err := test.decode(came.Header.Get(test.want))
		if err != nil || !verifies(t, public, []byte(came.Raw), base64.StdEncoding.EncodeToString(raw)) {
			t.Errorf("%s: %v", test.encoding, came.Header)
		}
	}
}

// A payment's own callback hears every status of it, with the money that came
// in where that is the point, and nothing else.
func TestPaymentCallbacks(t *testing.T) {
	w := start(t)
	order := w.order()
	url := `"status_callback_url":"` + w.Receiver.URL
	begin := func(path, status string) string {
		made := w.must(status, w.post(order+"/payments", with(
			asking("dummy", "dummy", `{"desired_payment_status":"`+status+`"}`, 1000, line(1000, marios)), url+path+`"`)), 200)
		return order + "/payments/" + made.At("id").(string)
	}
	at := begin("/under", "UNDERFUNDED")
	came := w.Receiver.Await(t, "/under", 1, "UNDERFUNDED", is("UNDERFUNDED"))
	if came.At("received_funds") != number(500) || came.At("funds.received_total") != number(500) || came.At("details") != nil {
		t.Errorf("%s", came.Raw)
	}
	w.must("reconcile", w.put(at+"/funding/reconcile", `{"order_items":[`+line(500, marios)+`]}`), 204)
	came = w.Receiver.Await(t, "/under", 1, "COMPLETED", completed)
	if came.At("funds") != nil || came.At("received_funds") != nil {
		t.Errorf("%s", came.Raw)
	}
	w.must("refund", w.post(at+"/refund", refunding(500)), 200)
	w.until(at, "refund.amount", number(500))

	at = begin("/stopped", "PENDING")
	w.Receiver.Await(t, "/stopped", 1, "PENDING", is("PENDING"))
	w.must("stop", w.put(at+"/stop", ""), 204)
	w.Receiver.Await(t, "/stopped", 1, "STOPPED", is("STOPPED"))
	begin("/declined", "DECLINED")
	w.Receiver.Await(t, "/declined", 1, "DECLINED", is("DECLINED"))
	begin("/initiated", "INITIATED")
	w.must("settle", w.put(order+"/settle", `{"fast_forward":true}`), 403)
	for path, want := range map[string]string{
		"/under": "UNDERFUNDED COMPLETED", "/stopped": "PENDING STOPPED", "/declined": "DECLINED", "/initiated": "",
	} {
		if said := w.words(path); said != want {
			t.Errorf("%s: %s, want %s", path, said, want)
		}
	}
}

// An endpoint that an operator has made hears everything; the tenant's own hear
// what they are for.
func TestWhoHearsWhat(t *testing.T) {
	w := start(t)
	w.Tell(ping.Name)
	w.tell()
	order := w.order()
	at := w.dummy(order, "COMPLETED", 1000)
	w.must("part", w.post(at+"/refund", refunding(400, line(600, marios))), 200)
	w.until(at, "refund.amount", number(400))
	w.must("settle", w.put(order+"/settle", `{"fast_forward":true}`), 204)
	w.Receiver.Await(t, "/disbursements", 1, "a disbursement", func(dialecttest.Webhook) bool { return true })
	w.Receiver.Await(t, "/refunds", 1, "the refund's end", completed)
	everything := func() string {
		heard := map[string]int{}
		for _, came := range w.Receiver.List("/ping") {
			switch {
			case came.At("disbursed_at") != nil:
				heard["disbursement"]++
			case came.At("payment_id") != nil:
				heard["refund"]++
			default:
				heard["payment"]++
			}
		}
		return fmt.Sprint(heard["payment"] == 1, heard["disbursement"] == 1, heard["refund"] >= 1)
	}
	dialecttest.Eventually(t, "the operator's hears everything", func() bool { return everything() == "true true true" })
	for _, came := range append(w.Receiver.List("/refunds"), w.Receiver.List("/disbursements")...) {
		isRefund := came.At("payment_id") != nil
		if isRefund != (came.Path == "/refunds") {
			t.Errorf("%s heard %s", came.Path, came.Raw)
		}
	}
	w.must("take away", w.put("tenant", `{"payment_refund_callback_url":null}`), 204)
	before := len(w.Receiver.List("/refunds"))
	at = w.paid()
	w.must("refund", w.post(at+"/refund", refunding(29900)), 200)
	w.until(at, "refund.amount", number(29900))
	w.Receiver.Await(t, "/ping", 2, "the operator's hears of it", func(came dialecttest.Webhook) bool {
		return came.At("status") == "COMPLETED" && came.At("payment_id") != nil
	})
	if len(w.Receiver.List("/refunds")) != before {
		t.Errorf("%s", w.words("/refunds"))
	}
}
