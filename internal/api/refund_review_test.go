package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// pass lets time go by.
func (w *world) pass(t *testing.T, by time.Duration) {
	t.Helper()
	if w.isReal {
		w.call(t, "POST", "/sandbox/clock", fmt.Sprintf(`{"advance": %q}`, by)).want(t, 200)
	}
	w.offset.Add(int64(by / time.Second))
}

// leave makes a refund that the processor does this with, and lets it leave.
// Where nobody runs jobs it ends with an outcome.
func (w *world) leave(t *testing.T, behavior string, outcome payment.Outcome) string {
	t.Helper()
	id := w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "items": [{"position": 1, "quantity": 1}], "reference": "return-77", "note": "refundry:%s"}`,
		makePayment(t, w), behavior)).want(t, 201).string(t, "id")
	if w.isReal {
		return id
	}
	r := w.stored(t, id)
	m := payment.Meta{Tenant: w.tenant, Actor: "processor:sandbox"}
	attempt, err := w.engine.Do(t.Context(), payment.StartAttempt{
		Meta: m, Payment: r.Payment, Refund: r.ID, InquireAt: w.now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine.Do(t.Context(), payment.RecordOutcome{
		Meta: m, Payment: r.Payment, Refund: r.ID, Attempt: attempt.Attempt.ID, Connector: "sandbox", Outcome: outcome, Next: w.now(),
	}); err != nil {
		t.Fatal(err)
	}
	return id
}

// stored reads a refund behind the API's back.
func (w *world) stored(t *testing.T, id string) payment.Refund {
	t.Helper()
	var of payment.RefundID
	if err := of.Parse(id); err != nil {
		t.Fatal(err)
	}
	view, err := w.store.ViewOfRefund(t.Context(), w.tenant, of)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := view.Refund(of)
	return r
}

// makeDeclined makes a refund to which the processor has said no.
func makeDeclined(t *testing.T, w *world) string {
	t.Helper()
	id := w.leave(t, "DECLINED", payment.Outcome{
		Kind: payment.AttemptDeclined, Failure: payment.Failure{Code: "declined", IsRetryable: true},
	})
	eventually(t, "the refund is declined", func() bool { return w.call(t, "GET", "/v1/refunds/"+id, "").body["status"] == "declined" })
	return id
}

// makeReviewed makes a refund at which a person must look.
func makeReviewed(t *testing.T, w *world) string {
	t.Helper()
	if w.isReal {
		w.set(t, `{"policy.stuck_hours": 1}`)
	}
	id := w.leave(t, "PENDING", payment.Outcome{Kind: payment.AttemptUnknown})
	if !w.isReal {
		r := w.stored(t, id)
		if _, err := w.engine.Do(t.Context(), payment.FlagRefund{
			Meta: payment.Meta{Tenant: w.tenant, Actor: "clock"}, Payment: r.Payment, Refund: r.ID,
		}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	eventually(t, "the refund leaves", func() bool { return w.call(t, "GET", "/v1/refunds/"+id, "").body["submitted_at"] != nil })
	w.pass(t, 2*time.Hour)
	eventually(t, "the refund is stuck", func() bool { return w.call(t, "GET", "/v1/refunds/"+id, "").body["is_stuck"] == true })
	w.set(t, `{"policy.stuck_hours": null}`)
	return id
}

// Who approves agrees to what was seen: to another digest nobody has agreed.
func TestApprovalsAreOfWhatWasSeen(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.set(t, `{"policy.approval_above": 1, "policy.approvers": 2}`)
		of := w.capture(t, "1000")
		one := w.call(t, "POST", "/v1/refunds", refundOf(of, 100)).want(t, 201)
		two := w.call(t, "POST", "/v1/refunds", refundOf(of, 200)).want(t, 201)
		path := "/v1/refunds/" + one.string(t, "id")
		another := fmt.Sprintf(`{"digest": %q}`, two.string(t, "digest"))
		seen := fmt.Sprintf(`{"digest": %q}`, one.string(t, "digest"))
		w.operate(t, "POST", path+"/approve", another).wantCode(t, 409, "approval_of_something_else")
		w.operate(t, "POST", path+"/reject", another).wantCode(t, 409, "approval_of_something_else")
		got := w.operate(t, "POST", path+"/approve", seen).want(t, 200)
		if got.string(t, "status") != "awaiting_approval" || !strings.Contains(got.text, one.string(t, "digest")+`","at"`) {
			t.Errorf("got %s", got.text)
		}
		w.operate(t, "POST", path+"/approve", seen).wantCode(t, 403, "self_approval") // the same person once more
		key := "Authorization: Bearer " + w.keyWith(t, "refunds:approve")
		if got := send(t, w.server, "POST", path+"/approve", seen, key).want(t, 200); got.string(t, "status") == "awaiting_approval" {
			t.Errorf("two have agreed: %s", got.text)
		}
	})
}

// A no cancels, is said to whoever reads the refund, and is not for who asked.
func TestRejectedRefundsAreCanceled(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.set(t, `{"policy.approval_above": 1}`)
		of := w.capture(t, "1000")
		path := "/v1/refunds/" + w.call(t, "POST", "/v1/refunds", refundOf(of, 100)).want(t, 201).string(t, "id")
		w.call(t, "POST", path+"/reject", "").wantCode(t, 403, "self_approval")
		got := w.operate(t, "POST", path+"/reject", `{"message": "no receipt"}`).want(t, 200)
		if !strings.Contains(got.text, `"failure":{"code":"rejected","message":"no receipt","retryable":true}`) {
			t.Errorf("got %s", got.text)
		}
		if left := w.call(t, "GET", "/v1/payments/"+of, "").number(t, "refundable"); left != 1000 {
			t.Errorf("%d are left, want 1000", left)
		}
	})
}

// A retry asks for the same once more, unless it says otherwise, and only for
// what ended without money moving.
func TestRetriesAskForTheSame(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := makeDeclined(t, w)
		old := w.call(t, "GET", "/v1/refunds/"+id, "").want(t, 200)
		path := "/v1/refunds/" + id + "/retry"
		body := `{"note": "once more", "not_before": "` + later(w) + `"}`
		retried := w.call(t, "POST", path, body, "Idempotency-Key: k").want(t, 201)
		for _, name := range []string{"amount", "currency", "items", "payment", "reference"} {
			if diff := cmp.Diff(old.body[name], retried.body[name]); diff != "" {
				t.Errorf("%s (-old +new):\n%s", name, diff)
			}
		}
		if retried.string(t, "retry_of") != id || retried.string(t, "note") != "once more" {
			t.Errorf("got %s", retried.text)
		}
		again := w.call(t, "POST", path, body, "Idempotency-Key: k").want(t, 201)
		if diff := cmp.Diff(retried.text, again.text); diff != "" {
			t.Errorf("the replay differs:\n%s", diff)
		}
		w.call(t, "POST", path, "").wantCode(t, 409, "another_refund_pending")
		running := "/v1/refunds/" + retried.string(t, "id")
		w.call(t, "POST", running+"/retry", "").wantCode(t, 409, "wrong_status")
		w.call(t, "POST", running+"/cancel", "").want(t, 200)
		less := w.call(t, "POST", path, `{"amount": 7, "currency": "EUR", "reference": "less"}`).want(t, 201)
		if less.number(t, "amount") != 7 || less.string(t, "reference") != "less" || less.string(t, "note") != old.string(t, "note") {
			t.Errorf("got %s", less.text)
		}
		w.call(t, "POST", path, `{"amount": 7}`).wantCode(t, 422, "invalid_request")
		w.call(t, "POST", path, `{"full": true, "amount": 7, "currency": "EUR"}`).wantCode(t, 422, "invalid_request")
	})
}

// A refund can name by itself which one it retries: one of its payment's.
func TestRefundsNameWhatTheyRetry(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := makeDeclined(t, w)
		of := w.call(t, "GET", "/v1/refunds/"+id, "").string(t, "payment")
		body := with(refundOf(of, 5), `"retry_of": "`+id+`"`)
		if got := w.call(t, "POST", "/v1/refunds", body).want(t, 201); got.string(t, "retry_of") != id {
			t.Errorf("got %s", got.text)
		}
		w.call(t, "POST", "/v1/refunds", strings.Replace(body, of, w.capture(t, "10"), 1)).wantCode(t, 404, "not_found")
	})
}

// What nobody could find out an operator can ask about, send once more, and
// settle on evidence; a merchant cannot.
func TestOperatorsSettleWhatIsStuck(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		path := "/v1/refunds/" + makeReviewed(t, w)
		for _, verb := range []string{"/inquire", "/resend", "/settle"} {
			w.call(t, "POST", path+verb, `{}`).wantCode(t, 403, "forbidden")
		}
		w.operate(t, "POST", path+"/inquire", "").want(t, 200)
		w.operate(t, "POST", path+"/resend", "").want(t, 200)
		for _, bad := range []string{
			`{}`, `{"to": "succeeded"}`, `{"to": "succeeded", "evidence": " "}`, `{"to": "returned", "evidence": "x"}`,
			`{"to": "failed", "evidence": "x", "references": [{"kind": "arn"}]}`,
		} {
			w.operate(t, "POST", path+"/settle", bad).wantCode(t, 422, "invalid_request")
		}
		settled := w.operate(t, "POST", path+"/settle",
			`{"to": "succeeded", "evidence": "statement of March 2", "references": [{"kind": "arn", "value": "7453"}]}`).want(t, 200)
		if settled.string(t, "status") != "succeeded" || !strings.Contains(settled.text, `"note":"statement of March 2"`) ||
			!strings.Contains(settled.text, `{"kind":"arn","value":"7453"}`) {
			t.Errorf("got %s", settled.text)
		}
		w.operate(t, "POST", path+"/settle", `{"to": "failed", "evidence": "x"}`).wantCode(t, 409, "wrong_status")
	})
}

// captured makes a payment of a processor that refunds captures, with these.
func (w *world) captured(t *testing.T, amounts ...money.Minor) string {
	t.Helper()
	m := payment.Meta{Tenant: w.tenant, Actor: "key:test", Door: payment.DoorAPI}
	of, err := w.engine.Do(t.Context(), payment.CreatePayment{
		Meta: m, Status: payment.PaymentAuthorized, Connector: "sandbox_captures", Amount: money.Of(1000, "EUR"),
		Items: []payment.Item{
			{Name: "Hat", Quantity: 1, UnitAmount: 800, Total: 800}, {Name: "Tie", Quantity: 1, UnitAmount: 200, Total: 200},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, minor := range amounts {
		if _, err := w.engine.Do(t.Context(), payment.CapturePayment{
			Meta: m, Payment: of.View.Payment.ID, Amount: minor, IsAtOnce: true,
		}); err != nil {
			t.Fatal(err)
		}
	}
	return of.View.Payment.ID.String()
}

// A group is canceled whole, and the answer names it; once a part has left, not
// at all, and the refusal names that part.
func TestGroupsAreCanceledWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	w := setup(t)
	open := func() (first string, other string) {
		opened := w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "full": true}`, w.captured(t, 300, 700))).want(t, 201)
		others, _ := opened.body["group_refunds"].([]any)
		if len(others) != 1 {
			t.Fatalf("got %s", opened.text)
		}
		return opened.string(t, "id"), fmt.Sprint(others[0])
	}
	first, other := open()
	cancel := func(id, body string, headers ...string) answer {
		return w.call(t, "POST", "/v1/refunds/"+id+"/cancel", body, headers...)
	}
	canceled := cancel(first, `{"group": true, "message": "kept"}`, "Idempotency-Key: c").want(t, 200)
	if canceled.body["status"] != "canceled" || !strings.Contains(canceled.text, `"group_refunds":["`+other+`"]`) {
		t.Errorf("got %s", canceled.text)
	}
	if got := w.call(t, "GET", "/v1/refunds/"+other, ""); got.body["status"] != "canceled" {
		t.Errorf("the other is %s", got.text)
	}
	if again := cancel(first, `{"group": true, "message": "kept"}`, "Idempotency-Key: c").want(t, 200); again.text != canceled.text {
		t.Errorf("the replay is %s", again.text)
	}
	cancel(first, `{"message": "kept"}`, "Idempotency-Key: c").wantCode(t, 422, "idempotency_key_reused")
	first, other = open()
	r := w.stored(t, other)
	if _, err := w.engine.Do(t.Context(), payment.StartAttempt{
		Meta: payment.Meta{Tenant: w.tenant, Actor: "processor:sandbox"}, Payment: r.Payment, Refund: r.ID, InquireAt: w.now(),
	}); err != nil {
		t.Fatal(err)
	}
	refused := cancel(first, `{"group": true}`).wantCode(t, 409, "wrong_status")
	if !strings.Contains(refused.text, `"refunds":["`+other+`"]`) {
		t.Errorf("got %s", refused.text)
	}
	if got := w.call(t, "GET", "/v1/refunds/"+first, ""); got.body["status"] != "pending" {
		t.Errorf("a part was canceled all the same: %s", got.text)
	}
	cancel(first, `{"group": false}`).want(t, 200) // alone it can be
}

// A refund over several captures of a processor that refunds captures becomes
// one for each; the answer names them all, and they are judged together.
func TestRefundsOverCapturesAreNamedTogether(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.captured(t, 300, 700)
	w.set(t, `{"policy.approval_above": 1}`)
	hat := fmt.Sprintf(`{"payment": %q, "items": [{"position": 1, "quantity": 1}]}`, id)
	previewed := w.call(t, "POST", "/v1/refunds/preview", hat).want(t, 200)
	if !strings.Contains(previewed.text, `"refunds":[{"amount":300,`) {
		t.Errorf("got %s", previewed.text)
	}
	body := with(hat, fmt.Sprintf(`"preview_token": %q`, previewed.string(t, "preview_token")))
	first := w.call(t, "POST", "/v1/refunds", body, "Idempotency-Key: k").want(t, 201)
	others, _ := first.body["group_refunds"].([]any)
	if first.number(t, "amount") != 300 || len(others) != 1 || first.string(t, "capture") == "" {
		t.Fatalf("got %s", first.text)
	}
	if again := w.call(t, "POST", "/v1/refunds", body, "Idempotency-Key: k"); again.text != first.text {
		t.Errorf("the replay is %s, at first %s", again.text, first.text)
	}
	list := w.call(t, "GET", "/v1/refunds?group="+first.string(t, "group"), "").want(t, 200)
	for _, id := range []any{first.body["id"], others[0]} {
		if !strings.Contains(list.text, fmt.Sprint(id)) {
			t.Errorf("%s is not of the group: %s", id, list.text)
		}
	}
	w.operate(t, "POST", "/v1/refunds/"+first.string(t, "id")+"/reject", "").want(t, 200)
	if got := w.call(t, "GET", "/v1/refunds/"+fmt.Sprint(others[0]), ""); got.string(t, "status") != "canceled" {
		t.Errorf("the other of the group is %s", got.text)
	}
	retry := "/v1/refunds/" + fmt.Sprint(others[0]) + "/retry"
	retried := w.call(t, "POST", retry, "").want(t, 201) // of its part and its capture alone
	if retried.number(t, "amount") != 500 || retried.body["capture"] == first.body["capture"] || retried.body["group"] != nil {
		t.Errorf("got %s", retried.text)
	}
	alone := w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "full": true, "capture": %q}`, id, first.string(t, "capture"))).
		want(t, 201)
	if alone.number(t, "amount") != 300 || alone.body["group"] != nil || alone.string(t, "capture") != first.string(t, "capture") {
		t.Errorf("got %s", alone.text)
	}
}
