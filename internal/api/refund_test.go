package api_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/payment"
)

func TestRefundsSayHowMuchInThreeWays(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.call(t, "POST", "/v1/payments", `{"amount": 1000, "currency": "EUR", "items": [
		{"name": "Hat", "quantity": 3, "unit_amount": 200}, {"name": "Tie", "quantity": 1, "unit_amount": 400, "tax": 64}
	]}`).want(t, 201).string(t, "id")
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "items": [{"position": 1, "quantity": 2}]}`).want(t, 201)
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 100, "currency": "EUR"}`).want(t, 201)
	all := w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "full": true, "reason": "broken"}`).want(t, 201)
	if got := all.number(t, "amount"); got != 500 {
		t.Errorf("full gave back %d, want the 500 that were left", got)
	}
	left := w.call(t, "GET", "/v1/payments/"+of, "").want(t, 200)
	if got := left.number(t, "refundable"); got != 0 {
		t.Errorf("%d refundable, want 0", got)
	}
	if got := left.number(t, "reserved"); got != 1000 {
		t.Errorf("%d reserved, want 1000", got)
	}
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "full": true}`).wantCode(t, 409, "refundable_amount_exceeded")
}

// Once another list has taken the place of a payment's lines, its lines are
// shown, and can be refunded, and no others.
func TestLinesAreThoseThatAreNow(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.call(t, "POST", "/v1/payments", `{"amount": 1000, "currency": "EUR", "items": [
		{"name": "Hat", "quantity": 2, "unit_amount": 500}]}`).want(t, 201).string(t, "id")
	command := payment.ReplaceItems{
		Meta: payment.Meta{Tenant: w.tenant, Actor: "test", Door: dialect},
		List: []payment.Item{{Name: "Cap", Total: 400}, {Name: "Scarf", Total: 600}},
	}
	if err := command.Payment.Parse(of); err != nil {
		t.Fatal(err)
	}
	if _, err := w.engine.Do(t.Context(), command); err != nil {
		t.Fatal(err)
	}
	shown := w.call(t, "GET", "/v1/payments/"+of, "").want(t, 200)
	if strings.Contains(shown.text, "Hat") || !strings.Contains(shown.text, `"position":3,"name":"Scarf"`) {
		t.Errorf("shown as %s", shown.text)
	}
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "items": [{"position": 1, "quantity": 1}]}`).
		wantCode(t, 422, "items_not_refundable")
	got := w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "items": [{"position": 3, "quantity": 1}]}`).want(t, 201)
	if amount := got.number(t, "amount"); amount != 600 {
		t.Errorf("the scarf gives back %d", amount)
	}
}

// Lines of a new payment that do not add up are refused as lines, not as a
// refund of them.
func TestLinesOfAPaymentAddUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.call(t, "POST", "/v1/payments", `{"amount": 1000, "currency": "EUR", "items": [{"name": "Hat", "unit_amount": 999}]}`).
		wantCode(t, 422, "lines_do_not_add_up")
}

// What we have made may look like anything, a card number too.
func TestDigestsAreNoCardNumbers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const digest = "4242424242424242"
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+w.capture(t, "100")+`", "full": true, "preview_token": "`+digest+`"}`).
		wantCode(t, 409, "preview_outdated")
	path := "/v1/refunds/" + makeWaiting(t, w)
	w.call(t, "POST", path+"/approve", `{"digest": "`+digest+`"}`).wantCode(t, 409, "approval_of_something_else")
	w.call(t, "POST", path+"/reject", `{"digest": "`+digest+`"}`).wantCode(t, 409, "approval_of_something_else")
}

func TestMoreThanIsLeftSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "1000")
	got := w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 1001, "currency": "EUR"}`).
		wantCode(t, 409, "refundable_amount_exceeded")
	if left := got.number(t, "refundable"); left != 1000 {
		t.Errorf("refundable %d, want 1000", left)
	}
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "full": true, "expected_refundable": 999}`).
		wantCode(t, 409, "expected_refundable_differs")
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 1, "currency": "USD"}`).
		wantCode(t, 422, "currency_mismatch")
}

func TestOnlyCapturedMoneyIsRefunded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.call(t, "POST", "/v1/payments", `{"amount": 5, "currency": "EUR", "status": "authorized"}`).
		want(t, 201).string(t, "id")
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "full": true}`).wantCode(t, 409, "wrong_status")
}

// A repeated key answers as at first, however much has happened since.
func TestRepeatedKeyReplaysTheFirstAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.operate(t, "PATCH", "/v1/settings", `{"policy.undo_seconds": 60}`).want(t, 200)
	body := `{"amount": 1000, "currency": "EUR", "metadata": {"a": [1, 2.50]}, "items": [
		{"name": "Hat", "quantity": 2, "unit_amount": 500}]}`
	paid := w.call(t, "POST", "/v1/payments", body, `Idempotency-Key: "p-1"`).want(t, 201)
	refund := `{"payment": "` + paid.string(t, "id") + `", "amount": 300, "currency": "EUR", "note": "é \"\u0007"}`
	first := w.call(t, "POST", "/v1/refunds", refund, "Idempotency-Key: r-1").want(t, 201)
	w.call(t, "POST", "/v1/refunds/"+first.string(t, "id")+"/cancel", `{"message": "oh"}`).want(t, 200)
	w.capture(t, "1")

	for name, test := range map[string]struct {
		first answer
		again answer
	}{
		"payment":          {paid, w.call(t, "POST", "/v1/payments", body, "Idempotency-Key: p-1")},
		"refund":           {first, w.call(t, "POST", "/v1/refunds", refund, "Idempotency-Key: r-1")},
		"refund, reworded": {first, w.call(t, "POST", "/v1/refunds", " "+strings.ReplaceAll(refund, "é", `\u00e9`), `Idempotency-Key: "r-1"`)},
	} {
		test.again.want(t, 201)
		if diff := cmp.Diff(test.first.text, test.again.text); diff != "" {
			t.Errorf("%s: the replay differs (-first +again):\n%s", name, diff)
		}
		if test.first.header.Get("Idempotent-Replayed") != "" || test.again.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("%s: Idempotent-Replayed must be on the replay only", name)
		}
	}
	other := strings.Replace(refund, "300", "301", 1)
	w.call(t, "POST", "/v1/refunds", other, "Idempotency-Key: r-1").wantCode(t, 422, "idempotency_key_reused")
	if got := w.call(t, "GET", "/v1/payments/"+paid.string(t, "id"), "").number(t, "refundable"); got != 1000 {
		t.Errorf("refundable %d, want 1000: the refund was canceled", got)
	}
}

func TestRefusalFreesTheKey(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "100")
	refund := func(amount string) answer {
		return w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": `+amount+`, "currency": "EUR"}`,
			"Idempotency-Key: k")
	}
	refund("101").want(t, 409)
	refund("100").want(t, 201)
}

func TestKeysAreApart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	body := `{"amount": 7, "currency": "EUR"}`
	mine := w.call(t, "POST", "/v1/payments", body, "Idempotency-Key: same").want(t, 201)
	theirs := send(t, w.server, "POST", "/v1/payments", body, "Idempotency-Key: same", "Authorization: Bearer "+w.stranger).
		want(t, 201)
	if mine.string(t, "id") == theirs.string(t, "id") {
		t.Error("two tenants share a key")
	}
	for _, bad := range []string{`""`, "a b", "é", strings.Repeat("k", 256), `"a"b"`, `"a\b"`} {
		w.call(t, "POST", "/v1/payments", body, "Idempotency-Key: "+bad).wantCode(t, 422, "idempotency_key_invalid")
	}
	w.call(t, "POST", "/v1/payments", body, "Idempotency-Key: a", "Idempotency-Key: b").
		wantCode(t, 422, "idempotency_key_invalid")
}

func TestConcurrentRepeatsAreOneRefund(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "100000")
	answers := make([]answer, 40)
	var running sync.WaitGroup
	for i := range answers {
		running.Go(func() {
			answers[i] = w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 10, "currency": "EUR"}`,
				"Idempotency-Key: once")
		})
	}
	running.Wait()
	firsts := 0
	for _, answer := range answers {
		if answer.status != http.StatusCreated || answer.text != answers[0].text {
			t.Fatalf("got %d %s, want %s", answer.status, answer.text, answers[0].text)
		}
		if answer.header.Get("Idempotent-Replayed") == "" {
			firsts++
		}
	}
	if firsts != 1 {
		t.Errorf("%d answers were no replays, want 1", firsts)
	}
}

// However refunds arrive, a payment never gives back more than it took, and
// the last cent has one winner.
func TestConcurrentRefundsNeverExceedCapture(t *testing.T) {
	t.Parallel()
	const captured, refunds = 10_000, 200
	w := setup(t)
	of := w.capture(t, fmt.Sprint(captured))
	random := rand.New(rand.NewPCG(1, 2))
	sizes := make([]int64, refunds)
	for i := range sizes {
		sizes[i] = 1 + random.Int64N(200)
	}
	refund := func(minor int64) answer {
		return w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "amount": %d, "currency": "EUR"}`, of, minor))
	}
	var mutex sync.Mutex
	var sum int64
	var running sync.WaitGroup
	for _, minor := range sizes {
		running.Go(func() {
			got := refund(minor)
			mutex.Lock()
			defer mutex.Unlock()
			switch got.status {
			case http.StatusCreated:
				sum += minor
			case http.StatusConflict:
			default:
				t.Errorf("got %d %s", got.status, got.text)
			}
		})
	}
	running.Wait()
	left := w.call(t, "GET", "/v1/payments/"+of, "").number(t, "refundable")
	if sum+left != captured || left < 0 {
		t.Fatalf("%d went back and %d are left of %d", sum, left, captured)
	}
	if left > 1 {
		refund(left-1).want(t, 201)
	}
	if sum == captured {
		return
	}
	winners := make(chan int, 20)
	for range cap(winners) {
		running.Go(func() { winners <- refund(1).status })
	}
	running.Wait()
	close(winners)
	won := 0
	for status := range winners {
		if status == http.StatusCreated {
			won++
		}
	}
	if won != 1 {
		t.Errorf("the last cent had %d winners", won)
	}
}

func TestRefundCanBeCanceledAndApproved(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.operate(t, "PATCH", "/v1/settings", `{"policy.approval_above": 500, "policy.undo_seconds": 60}`).want(t, 200)
	of := w.capture(t, "1000")
	big := w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 600, "currency": "EUR"}`).want(t, 201)
	if got := big.string(t, "status"); got != "awaiting_approval" {
		t.Errorf("got %s, want awaiting_approval", got)
	}
	path := "/v1/refunds/" + big.string(t, "id")
	w.call(t, "POST", path+"/approve", "").wantCode(t, 403, "self_approval")
	if got := w.operate(t, "POST", path+"/approve", "").want(t, 200).string(t, "status"); got != "scheduled" {
		t.Errorf("got %s, want scheduled", got)
	}
	canceled := w.call(t, "POST", path+"/cancel", `{"message": "changed my mind"}`, "Idempotency-Key: c").want(t, 200)
	if got := canceled.string(t, "status"); got != "canceled" {
		t.Errorf("got %s, want canceled", got)
	}
	w.call(t, "POST", path+"/cancel", "").wantCode(t, 409, "wrong_status")
	again := w.call(t, "POST", path+"/cancel", `{"message": "changed my mind"}`, "Idempotency-Key: c").want(t, 200)
	if diff := cmp.Diff(canceled.text, again.text); diff != "" {
		t.Errorf("the replay differs:\n%s", diff)
	}
}
