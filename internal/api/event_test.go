package api_test

import (
	"fmt"
	"testing"
)

func TestFeedTellsEveryEventOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var refunds []string
	for range 3 {
		of := w.capture(t, "100")
		refunds = append(refunds,
			w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "full": true}`).want(t, 201).string(t, "id"))
	}
	var seen []string
	cursor := ""
	for range 20 {
		page := w.call(t, "GET", "/v1/events?limit=2&after="+cursor, "").want(t, 200)
		events, _ := page.body["events"].([]any)
		for _, event := range events {
			if event, _ := event.(map[string]any); event["kind"] == "refund.created" {
				seen = append(seen, fmt.Sprint(event["refund"]))
			}
		}
		cursor = page.string(t, "next")
		if page.body["has_more"] == false {
			break
		}
	}
	if fmt.Sprint(seen) != fmt.Sprint(refunds) {
		t.Errorf("saw %v, want %v", seen, refunds)
	}
	end := w.call(t, "GET", "/v1/events?after="+cursor, "").want(t, 200)
	if got := end.string(t, "next"); got != cursor {
		t.Errorf("the end moved from %s to %s", cursor, got)
	}
	for _, query := range []string{"after=x", "after=1-1-1", "limit=0", "limit=1001", "limit=x"} {
		w.call(t, "GET", "/v1/events?"+query, "").wantCode(t, 422, "invalid_request")
	}
}

// What is another tenant's is not found, whichever way it is asked for.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "100")
	refund := w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 40, "currency": "EUR"}`).
		want(t, 201).string(t, "id")
	before := w.call(t, "GET", "/v1/payments/"+of, "").text
	missing := send(t, w.server, "GET", "/v1/payments/pay_00000000000000000000000000", "", "Authorization: Bearer "+w.stranger)
	for _, request := range [][3]string{
		{"GET", "/v1/payments/" + of}, {"GET", "/v1/refunds/" + refund},
		{"POST", "/v1/refunds/" + refund + "/cancel"}, {"POST", "/v1/refunds/" + refund + "/approve"},
		{"POST", "/v1/refunds", `{"payment": "` + of + `", "full": true}`},
	} {
		got := send(t, w.server, request[0], request[1], request[2], "Authorization: Bearer "+w.stranger).
			wantCode(t, 404, "not_found")
		if request[1] == "/v1/payments/"+of && got.text != missing.text {
			t.Errorf("foreign and missing differ: %s, %s", got.text, missing.text)
		}
	}
	events := send(t, w.server, "GET", "/v1/events", "", "Authorization: Bearer "+w.stranger).want(t, 200)
	list, _ := events.body["events"].([]any)
	for _, event := range list {
		if event, _ := event.(map[string]any); event["payment"] != nil {
			t.Errorf("a stranger saw %v", event)
		}
	}
	if after := w.call(t, "GET", "/v1/payments/"+of, "").text; after != before {
		t.Error("a stranger changed a payment")
	}
	w.call(t, "GET", "/v1/payments/019c40af-7d29-0000-0000-000000000001", "").wantCode(t, 404, "not_found")
}
