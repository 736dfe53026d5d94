package primer_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/dialect/primer"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// quiet waits until nothing about a payment is left to be told, and returns
// what was told: the types, with the payment's or the dispute's status.
func (w *world) quiet(id string) []string {
	w.T.Helper()
	dialecttest.Eventually(w.T, "all is told", func() bool {
		open := w.Operate(http.MethodGet, "/v1/deliveries?status=open&payment="+id, "")
		return open.Status == http.StatusOK && open.At("deliveries.0") == nil
	})
	var list []string
	for _, came := range w.Receiver.List("/primer") {
		if came.At("payment.id") != id && came.At("paymentId") != id {
			continue
		}
		what := came.At("eventType").(string)
		for _, path := range []string{"payment.status", "type", "status"} {
			if text, ok := came.At(path).(string); ok {
				what += " " + text
			}
		}
		list = append(list, what)
	}
	slices.Sort(list)
	return list
}

func (w *world) tells(what, id string, want ...string) {
	w.T.Helper()
	if got := w.quiet(id); !slices.Equal(got, want) {
		w.T.Errorf("%s: told %q, want %q", what, got, want)
	}
}

// A payment's status is told when it changes in Primer's eyes, and only then;
// a refund changes none.
func TestStatusesAreToldOnce(t *testing.T) {
	w := setup(t)
	id := w.authorized(4200)
	for range 3 {
		w.post("/payments/"+id+"/capture", `{"amount":1000,"final":false}`)
	}
	w.post("/payments/"+id+"/capture", `{"amount":1000}`)
	w.post(refundOf(id), `{"amount":100}`)
	w.becomes(id, "SETTLED")
	w.tells("captured in parts", id, "PAYMENT.REFUND SETTLED", "PAYMENT.STATUS AUTHORIZED", "PAYMENT.STATUS PARTIALLY_SETTLED",
		"PAYMENT.STATUS SETTLED")
	for token, status := range map[string]string{"test_declined": "DECLINED", "test_failed": "FAILED", "test_pending": "PENDING"} {
		w.tells(token, w.made(1, token), "PAYMENT.STATUS "+status)
	}
}

// Each refund is told once, when it has ended, whatever ends beside it: as it
// was then, without events. Another's payment is told only of its refund here.
func TestRefundsAreToldOnce(t *testing.T) {
	w := setup(t)
	id := w.settled(20000)
	w.post(refundOf(id), `{"amount":9003,"expand":["transactions.events"]}`)
	w.post(refundOf(id), `{"amount":1}`)
	w.post(refundOf(id), `{"amount":2,"reason":"refundry:DECLINED"}`)
	w.post(refundOf(id), `{"amount":3,"reason":"refundry:FAILED"}`)
	w.becomes(id, "PENDING", "SETTLED", "FAILED", "FAILED")
	w.tells("three have ended", id, "PAYMENT.REFUND SETTLED", "PAYMENT.REFUND SETTLED", "PAYMENT.REFUND SETTLED",
		"PAYMENT.STATUS AUTHORIZED", "PAYMENT.STATUS SETTLED")
	for _, came := range w.hooks("PAYMENT.REFUND") {
		wellFormed(t, came.Raw)
		if came.At("payment.transactions.0.events") != nil || came.At("version") != "2.4" ||
			came.At("notificationConfig.description") == nil || came.At("notificationConfig.id") == nil {
			t.Errorf("%s", came.Raw)
		}
	}
	foreign := w.API(http.MethodPost, "/v1/payments", `{"amount":20000,"currency":"EUR","reference":"their-order"}`)
	theirs := w.get("/payments").At("data.0.id").(string)
	if w.get("/payments/"+theirs).At("orderId") != "their-order" {
		t.Fatalf("%s", foreign)
	}
	w.post(refundOf(theirs), `{"amount":5}`)
	w.becomes(theirs, "SETTLED")
	w.tells("another door's", theirs, "PAYMENT.REFUND SETTLED")
	w.API(http.MethodPost, "/v1/refunds", `{"payment":"`+foreign.At("id").(string)+`","amount":6,"currency":"EUR"}`)
	w.becomes(theirs, "SETTLED", "SETTLED")
	w.tells("asked for elsewhere", theirs, "PAYMENT.REFUND SETTLED")
}

// Money that comes back was given all the same: the refund stays settled, goes
// on counting, and is not told again; a refund that gives it once more is not
// there.
func TestReturnedRefundsStaySettled(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	book := payment.NewBook(now, newID)
	do := func(command payment.Command) payment.Answer {
		t.Helper()
		answer, err := command.Apply(book)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	meta := payment.Meta{Door: primer.Name}
	id := do(payment.CreatePayment{Meta: meta, Status: payment.PaymentCaptured, Amount: money.Of(4200, "EUR")}).View.Payment.ID
	refund := func(of payment.RefundID) payment.Refund {
		t.Helper()
		opened := do(payment.OpenRefund{Meta: meta, Payment: id, RetryOf: of, Ask: payment.Ask{Amount: 1000}}).Refund
		attempt := do(payment.StartAttempt{Meta: meta, Payment: id, Refund: opened.ID}).Attempt
		return do(payment.RecordOutcome{
			Meta: meta, Payment: id, Refund: opened.ID, Attempt: attempt.ID, Outcome: payment.Outcome{Kind: payment.AttemptSucceeded},
		}).Refund
	}
	first := refund(payment.RefundID{})
	returned := do(payment.RecordOutcome{
		Meta: meta, Payment: id, Refund: first.ID, Attempt: first.Attempt, Outcome: payment.Outcome{Kind: payment.AttemptReturned},
	})
	second := refund(first.ID)
	adopted := do(payment.AdoptRefund{
		Meta: meta, Payment: id, Connector: "sandbox", ProcessorRef: "theirs", Amount: money.Of(5, "EUR"),
	}).Refund
	view := book.Changes.Views[0].View
	voice := primer.New(config{}.dialect()).Voices()[0]
	if len(voice.Tells(payment.Telling{
		Event: payment.Event{Kind: "refund.returned"}, Refund: returned.Refund,
	}, &payment.Tenant{}, payment.Endpoint{})) != 0 {
		t.Error("a return is told")
	}
	isOver := func(r payment.Refund) bool {
		return voice.(webhook.Forgetter).IsOver(webhook.Event{Word: "PAYMENT.REFUND", Subject: r.ID, Version: r.Version}, view)
	}
	if isOver(first) || !isOver(second) || isOver(adopted) {
		t.Error("the first is told, the second is not, and one that was made at the processor is")
	}
	body, err := voice.Body(webhook.Event{Word: "PAYMENT.REFUND", Subject: first.ID}, view, &payment.Tenant{})
	if err != nil {
		t.Fatal(err)
	}
	told := dialecttest.Decode(string(body))
	if got := statuses(dialecttest.At(told, "payment")); !slices.Equal(got, []string{"SETTLED", "SETTLED"}) ||
		fmt.Sprint(dialecttest.At(told, "payment.processor.amountRefunded")) != "1005" ||
		dialecttest.At(told, "payment.transactions.2.processorTransactionId") != "theirs" {
		t.Errorf("%s", body)
	}
}

// A notification is told the types that it names; an operator's all.
func TestNotificationsNameTypes(t *testing.T) {
	t.Parallel()
	voice := primer.New(config{}.dialect()).Voices()[0]
	dispute := func(kind payment.DisputeKind) payment.Dispute {
		return payment.Dispute{ID: newID(), Kind: kind}
	}
	for _, test := range []struct {
		detail  string
		telling payment.Telling
		want    string
	}{
		{``, payment.Telling{Event: payment.Event{Kind: "refund.succeeded"}}, "PAYMENT.REFUND"},
		{`{"description":"all"}`, payment.Telling{Event: payment.Event{Kind: "refund.failed"}}, "PAYMENT.REFUND"},
		{`{"types":["PAYMENT.REFUND"]}`, payment.Telling{Event: payment.Event{Kind: "refund.canceled"}}, "PAYMENT.REFUND"},
		{`{"types":["PAYMENT.STATUS"]}`, payment.Telling{Event: payment.Event{Kind: "refund.declined"}}, ""},
		{``, payment.Telling{Event: payment.Event{Kind: "refund.created"}}, ""},
		{``, payment.Telling{Event: payment.Event{Kind: "refund.submitted"}}, ""},
		{``, payment.Telling{Event: payment.Event{Kind: "payment.captured"}}, "PAYMENT.STATUS"},
		{``, payment.Telling{Event: payment.Event{Kind: "dispute.open"}, Dispute: dispute(payment.DisputeChargeback)}, "DISPUTE.OPENED DISPUTE.STATUS"},
		{``, payment.Telling{Event: payment.Event{Kind: "dispute.open"}, Dispute: dispute(payment.DisputeInquiry)}, "DISPUTE.STATUS"},
		{``, payment.Telling{Event: payment.Event{Kind: "dispute.won"}, Dispute: dispute(payment.DisputeChargeback)}, "DISPUTE.STATUS"},
		{``, payment.Telling{Event: payment.Event{Kind: payment.EventDisputeDoubleLoss}, Dispute: dispute(payment.DisputeChargeback)}, ""},
		{`{"types":["DISPUTE.OPENED"]}`, payment.Telling{Event: payment.Event{Kind: "dispute.open"}, Dispute: dispute(payment.DisputeChargeback)}, "DISPUTE.OPENED"},
	} {
		var words []string
		for _, told := range voice.Tells(test.telling, &payment.Tenant{}, payment.Endpoint{Detail: test.detail}) {
			words = append(words, told.Word)
			if told.Thread != ([16]byte{}) {
				t.Errorf("%s has an order", told.Word)
			}
		}
		if got := strings.Join(words, " "); got != test.want {
			t.Errorf("%s at %q: %s, want %s", test.telling.Event.Kind, test.detail, got, test.want)
		}
	}
	for _, body := range []string{
		`{"types":["payment.refund"]}`, `{"types":[]}`, `{"types":"PAYMENT.REFUND"}`, `{"description":7}`,
		`{"description":"` + strings.Repeat("x", 256) + `"}`,
	} {
		if _, err := primer.EndpointDetail(parsed(t, body)); err == nil {
			t.Errorf("%s is taken", body)
		}
	}
	detail, err := primer.EndpointDetail(parsed(t, `{"description":"Refund webhook","types":["PAYMENT.REFUND"]}`))
	if err != nil {
		t.Fatal(err)
	}
	endpoint := payment.Endpoint{ID: newID(), Detail: detail}
	body, err := voice.Body(webhook.Event{Word: "PAYMENT.REFUND", Endpoint: endpoint.ID}, payment.View{},
		&payment.Tenant{Endpoints: []payment.Endpoint{endpoint}})
	if told := dialecttest.Decode(string(body)); err != nil || dialecttest.At(told, "notificationConfig.id") != endpoint.ID.UUID() ||
		dialecttest.At(told, "notificationConfig.description") != "Refund webhook" {
		t.Errorf("%s, %v", body, err)
	}
}

func parsed(t *testing.T, text string) wire.Value {
	t.Helper()
	value, err := wire.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// A delivery is tried six times. Each attempt has the time of its own, and the
// signature of its own bytes; the rest is as it was.
func TestEachAttemptIsSignedAnew(t *testing.T) {
	w := setup(t)
	refused := 0
	w.Receiver.Answer(func(came dialecttest.Webhook) int {
		if came.At("eventType") != "PAYMENT.REFUND" {
			return http.StatusOK
		}
		refused++
		return []int{http.StatusInternalServerError, http.StatusFound, http.StatusNotFound}[refused%3]
	})
	id := w.settled(4200)
	w.post(refundOf(id), "")
	for n, pause := range []string{"", "12s", "67s", "331s", "661s", "991s"} { // a tenth more than the longest
		if pause != "" {
			w.Advance(pause)
		}
		dialecttest.Eventually(t, fmt.Sprintf("attempt %d", n+1), func() bool { return len(w.hooks("PAYMENT.REFUND")) == n+1 })
	}
	dialecttest.Eventually(t, "it is given up", func() bool {
		return w.Operate(http.MethodGet, "/v1/deliveries?status=given_up&payment="+id, "").At("deliveries.0.attempts") != nil
	})
	attempts := w.hooks("PAYMENT.REFUND")
	first := attempts[0]
	dates, rest := map[any]bool{}, map[string]bool{}
	for _, came := range attempts {
		if came.Header.Get("X-Signature-Primary") != primer.Sign([]byte(w.File.Primer.WebhookSecret), []byte(came.Raw)) ||
			came.Header.Get("X-Signature-Secondary") != "" || came.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v: %s", came.Header, came.Raw)
		}
		date, signedAt := came.At("date").(string), came.At("signedAt").(string)
		dates[date] = true
		at, err := time.Parse("2006-01-02T15:04:05.000000", date)
		if err != nil || fmt.Sprint(at.Unix()) != signedAt {
			t.Errorf("date %s, signedAt %s", date, signedAt)
		}
		rest[strings.NewReplacer(date, first.At("date").(string), signedAt, first.At("signedAt").(string)).Replace(came.Raw)] = true
	}
	if len(dates) != 6 || len(rest) != 1 {
		t.Errorf("%d dates, %d bodies", len(dates), len(rest))
	}
}

// The pauses are Primer's, about; an attempt has ten seconds, and 2xx ends them.
func TestSchedule(t *testing.T) {
	t.Parallel()
	voice := primer.New(config{}.dialect()).Voices()[0]
	gaps, timeout := voice.Schedule(webhook.Event{}, nil)
	want := []time.Duration{0, 10 * time.Second, 70 * time.Second, 370 * time.Second, 970 * time.Second, 1870 * time.Second}
	if !slices.Equal(gaps, want) || timeout != 10*time.Second || voice.(webhook.Jitterer).Jitter() != 0.1 {
		t.Errorf("%v, %s", gaps, timeout)
	}
	for status, ends := range map[int]bool{200: true, 204: true, 299: true, 199: false, 301: false, 302: false, 400: false, 503: false} {
		if voice.Acknowledges(status) != ends {
			t.Errorf("%d ends it: %t", status, !ends)
		}
	}
}

// For a day after a secret was replaced, webhooks are signed with both; an
// account that never had one gets one.
func TestSecretsAreRotated(t *testing.T) {
	t.Parallel()
	store := &accounts{}
	of := newAuth(t, store)
	door := primer.New(config{auth: of}.dialect())
	voice := door.Voices()[0]
	now := time.Now()
	sign := func(at time.Time) http.Header {
		t.Helper()
		header, body, err := voice.Sign(t.Context(), webhook.Letter{At: at, Body: []byte("{}"), Event: webhook.Event{Word: "DISPUTE.STATUS"}})
		if err != nil || string(body) != "{}" {
			t.Fatalf("%s, %v", body, err)
		}
		return header
	}
	rotate := func() string {
		t.Helper()
		made, shown, err := door.MakeWebhookSecret(t.Context(), newID(), payment.TenantID{}, parsed(t, `{"name":"two"}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := of.PutCredential(t.Context(), auth.By{Actor: "operator"}, made); err != nil {
			t.Fatal(err)
		}
		return primer.Sign([]byte(shown["secret"]), []byte("{}"))
	}
	unasked := sign(now)
	if unasked.Get("X-Signature-Primary") == "" || unasked.Get("X-Signature-Primary") != sign(now).Get("X-Signature-Primary") {
		t.Error("an account without a secret has no signature, or several")
	}
	first := rotate()
	if header := sign(now); header.Get("X-Signature-Primary") != first ||
		header.Get("X-Signature-Secondary") != unasked.Get("X-Signature-Primary") {
		t.Errorf("after the first: %v", header)
	}
	second := rotate()
	if header := sign(now.Add(23 * time.Hour)); header.Get("X-Signature-Primary") != second ||
		header.Get("X-Signature-Secondary") != first {
		t.Errorf("within a day: %v", header)
	}
	if header := sign(now.Add(25 * time.Hour)); header.Get("X-Signature-Primary") != second || header["X-Signature-Secondary"] != nil {
		t.Errorf("after a day: %v", header)
	}
}

// What an operator records of a dispute is told at each step.
func TestDisputesAreTold(t *testing.T) {
	w := setup(t)
	id := w.settled(4200)
	w.moveDispute(w.dispute(id, `"amount":100,"kind":"inquiry"`), "canceled")
	open := w.dispute(id, `"amount":1000,"reason":"fraud"`)
	w.moveDispute(open, "challenged")
	w.moveDispute(open, "lost")
	for _, to := range []string{"won", "accepted", "expired"} {
		w.moveDispute(w.dispute(id, `"amount":1,"kind":"pre_arbitration"`), to)
	}
	w.tells("every step", id,
		"DISPUTE.OPENED",
		"DISPUTE.STATUS DISPUTE CHALLENGED", "DISPUTE.STATUS DISPUTE LOST", "DISPUTE.STATUS DISPUTE OPEN",
		"DISPUTE.STATUS PREARBITRATION ACCEPTED", "DISPUTE.STATUS PREARBITRATION EXPIRED", "DISPUTE.STATUS PREARBITRATION OPEN",
		"DISPUTE.STATUS PREARBITRATION OPEN", "DISPUTE.STATUS PREARBITRATION OPEN", "DISPUTE.STATUS PREARBITRATION WON",
		"DISPUTE.STATUS RETRIEVAL CANCELLED", "DISPUTE.STATUS RETRIEVAL OPEN",
		"PAYMENT.STATUS AUTHORIZED", "PAYMENT.STATUS SETTLED")
	for _, came := range w.hooks("DISPUTE.STATUS") {
		at, _ := came.At("receivedAt").(string)
		if _, err := time.Parse("2006-01-02T15:04:05.000000Z", at); err != nil || came.At("signedAt") != nil ||
			came.Header.Get("X-Signature-Primary") != primer.Sign([]byte(w.File.Primer.WebhookSecret), []byte(came.Raw)) {
			t.Errorf("%s", came.Raw)
		}
		if came.At("paymentMethod.paymentMethodType") != "PAYMENT_CARD" || came.At("paymentMethod.paymentMethodData.network") != "VISA" {
			t.Errorf("%s", came.Raw)
		}
	}
}

// Who reads a delivery is told what of its body was each attempt's own.
func TestADeliverySaysWhatIsDatedAnew(t *testing.T) {
	w := setup(t)
	id := w.settled(20000)
	w.dispute(id, `"amount":100`)
	notes := map[any]any{}
	dialecttest.Eventually(t, "all are delivered", func() bool {
		list, _ := w.Operate(http.MethodGet, "/v1/deliveries?payment="+id, "").At("deliveries").([]any)
		for _, one := range list {
			got := w.API(http.MethodGet, "/v1/deliveries/"+dialecttest.At(one, "id").(string), "")
			if got.At("door") == "primer" && got.At("status") == "delivered" {
				notes[got.At("body.eventType")] = got.At("body_note")
			}
		}
		return len(notes) == 3
	})
	note, _ := notes["PAYMENT.STATUS"].(string)
	if !strings.Contains(note, "signedAt") || notes["DISPUTE.OPENED"] != nil || notes["DISPUTE.STATUS"] != nil {
		t.Errorf("%v", notes)
	}
}
