package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/payment"
)

func TestOperatorNamesTheTenant(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "100")
	path := "/v1/payments/" + of
	send(t, w.operator, "GET", path, "", "Refundry-Tenant: shop").want(t, 200)
	send(t, w.operator, "GET", path, "", "Refundry-Tenant: "+w.tenant.String()).want(t, 200)
	send(t, w.operator, "GET", path, "", "Refundry-Tenant: stranger").wantCode(t, 404, "not_found")
	send(t, w.operator, "GET", path, "", "Refundry-Tenant: nobody").wantCode(t, 404, "not_found")
	send(t, w.operator, "GET", path, "").wantCode(t, 422, "invalid_request")
}

// A payment is named by any id by which a door knows it, at our own API too.
func TestPaymentsAreSpelledAsDoorsDo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var id payment.PaymentID
	if err := id.Parse(w.capture(t, "100")); err != nil {
		t.Fatal(err)
	}
	line := `{"amount": 7, "currency": "EUR", "home": "dialect", "session": "ps_3230"}`
	imported := w.operate(t, "POST", "/v1/payments/import", line).want(t, 200).string(t, "id")
	for spelling, want := range map[string]string{
		id.String(): id.String(), id.UUID(): id.String(), "ps_" + id.Decimal(): id.String(), "pm_" + id.Decimal(): id.String(),
		"ps_3230": imported,
	} {
		for _, got := range []answer{
			w.operate(t, "GET", "/v1/payments/"+spelling, ""), w.call(t, "GET", "/v1/payments/"+spelling, ""),
		} {
			if id := got.want(t, 200).string(t, "id"); id != want {
				t.Errorf("%s is %s, want %s", spelling, id, want)
			}
		}
		send(t, w.server, "GET", "/v1/payments/"+spelling, "", "Authorization: Bearer "+w.stranger).wantCode(t, 404, "not_found")
	}
	for _, nonsense := range []string{"ps_3231", "ps_x", "3230", uuidOfNothing, "ps_%00", "ps_%ff"} {
		w.operate(t, "GET", "/v1/payments/"+nonsense, "").wantCode(t, 404, "not_found")
	}
}

const uuidOfNothing = "019c40af-7d29-0000-0000-000000000000"

func TestTenantsAndKeysAreManaged(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.operate(t, "POST", "/v1/tenants", `{"name": "third"}`).want(t, 201)
	w.operate(t, "POST", "/v1/tenants", `{"name": "third"}`).wantCode(t, 409, "conflict")
	w.operate(t, "POST", "/v1/tenants", `{"name": ""}`).wantCode(t, 422, "invalid_request")
	if got := w.operate(t, "GET", "/v1/tenants", ""); !strings.Contains(got.text, `"name":"third"`) {
		t.Errorf("no third tenant in %s", got.text)
	}
	made := w.operate(t, "POST", "/v1/keys", `{"name": "till"}`).want(t, 201)
	key := "Authorization: Bearer " + made.string(t, "key")
	send(t, w.server, "GET", "/v1/events", "", key).want(t, 200)
	listed := w.operate(t, "GET", "/v1/keys", "").want(t, 200)
	if strings.Contains(listed.text, made.string(t, "key")) || !strings.Contains(listed.text, made.string(t, "id")) {
		t.Errorf("a list of keys has ids and no keys: %s", listed.text)
	}
	w.operate(t, "DELETE", "/v1/keys/"+made.string(t, "id"), "").want(t, 204)
	send(t, w.server, "GET", "/v1/events", "", key).wantCode(t, 401, "unauthorized")
	w.operate(t, "DELETE", "/v1/keys/nonsense", "").wantCode(t, 404, "not_found")
	project := w.operate(t, "POST", "/v1/keys", `{"kind": "project", "name": "till"}`).want(t, 201)
	if project.string(t, "provider_key") != "PEM" || project.string(t, "lookup") != "till" {
		t.Errorf("made %s", project.text)
	}
	w.operate(t, "POST", "/v1/keys", `{"kind": "project", "name": "till"}`).wantCode(t, 409, "conflict")
	w.operate(t, "POST", "/v1/keys", `{"kind": "project"}`).wantCode(t, 422, "invalid_request")
	w.operate(t, "POST", "/v1/keys", `{"kind": "nonsense"}`).wantCode(t, 422, "invalid_request")
}

func TestSettingsAreShownAndChanged(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "100")
	got := w.operate(t, "PATCH", "/v1/settings", `{"policy.partial_refunds": false, "policy.maximum_amount": 90}`).want(t, 200)
	if !strings.Contains(got.text, `"minimum":0,"value":90,"default":0,"is_default":false`) {
		t.Errorf("the change is not shown: %s", got.text)
	}
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 1, "currency": "EUR"}`).
		wantCode(t, 403, "partial_refunds_disabled")
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "full": true}`).wantCode(t, 403, "maximum_amount_exceeded")
	for _, bad := range []string{
		`{"policy.maximum_amount": -1}`, `{"policy.maximum_amount": 1.5}`, `{"policy.maximum_amount": {}}`,
		`{"policy.maximum_amount": [1]}`, `{"nonsense": 1}`, `{"policy.partial_refunds": true, "nonsense": 1}`,
	} {
		w.operate(t, "PATCH", "/v1/settings", bad).wantCode(t, 422, "invalid_request")
	}
	w.operate(t, "PATCH", "/v1/settings", `{"policy.partial_refunds": null, "policy.maximum_amount": null}`).want(t, 200)
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "full": true}`).want(t, 201)
}

func TestDisputesAreOpenedAndMoved(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "100")
	w.operate(t, "POST", "/v1/disputes", `{"payment": "`+of+`", "amount": 101}`).wantCode(t, 409, "refundable_amount_exceeded")
	opened := w.operate(t, "POST", "/v1/disputes", `{"payment": "`+of+`", "amount": 60, "reason": "fraud"}`).want(t, 201)
	dispute, _ := opened.body["dispute"].(map[string]any)
	path := "/v1/disputes/" + fmt.Sprint(dispute["id"])
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 41, "currency": "EUR"}`).
		wantCode(t, 409, "refundable_amount_exceeded")
	w.operate(t, "POST", path+"/move", `{"to": "nonsense"}`).wantCode(t, 422, "invalid_request")
	w.operate(t, "POST", path+"/move", `{"to": "won"}`).want(t, 200)
	w.operate(t, "POST", path+"/move", `{"to": "lost"}`).wantCode(t, 409, "wrong_status")
	w.operate(t, "GET", path, "").want(t, 200)
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 100, "currency": "EUR"}`).want(t, 201)
	w.operate(t, "GET", "/v1/disputes/dsp_00000000000000000000000000", "").wantCode(t, 404, "not_found")
}

func TestEndpointsGetDeliveries(t *testing.T) {
	t.Parallel()
	w := setup(t)
	made := w.operate(t, "POST", "/v1/endpoints", `{"url": "https://shop.example/hear", "kinds": ["refund.created"]}`).want(t, 201)
	if !strings.HasPrefix(made.string(t, "secret"), "whsec_") {
		t.Errorf("no secret in %s", made.text)
	}
	for _, bad := range []string{
		`{"url": "ftp://shop.example"}`, `{}`, `{"url": "https://shop.example", "door": "nonsense"}`,
		`{"url": "https://user:password@shop.example"}`, `{"url": 1}`,
	} {
		w.operate(t, "POST", "/v1/endpoints", bad).wantCode(t, 422, "invalid_request")
	}
	if got := w.operate(t, "GET", "/v1/endpoints", "").want(t, 200); strings.Contains(got.text, "whsec_") {
		t.Errorf("a list shows secrets: %s", got.text)
	}
	of := w.capture(t, "100")
	refund := w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "full": true}`).want(t, 201).string(t, "id")
	listed := w.operate(t, "GET", "/v1/deliveries?payment="+of+"&status=open", "").want(t, 200)
	deliveries, _ := listed.body["deliveries"].([]any)
	if len(deliveries) != 1 || !strings.Contains(listed.text, refund) {
		t.Fatalf("got %s, want one delivery about %s", listed.text, refund)
	}
	delivery, _ := deliveries[0].(map[string]any)
	path := "/v1/deliveries/" + fmt.Sprint(delivery["id"])
	w.operate(t, "GET", path, "").want(t, 200)
	w.operate(t, "GET", "/v1/deliveries?status=nonsense", "").wantCode(t, 422, "invalid_request")
	w.operate(t, "DELETE", "/v1/endpoints/"+made.string(t, "id"), "").want(t, 204)
	w.operate(t, "DELETE", "/v1/endpoints/"+made.string(t, "id"), "").wantCode(t, 404, "not_found")
}

// Who changes one setting while others change others, or make keys, is not
// asked to do it again, and undoes nothing of theirs.
func TestSettingsAreChangedTogether(t *testing.T) {
	t.Parallel()
	w := setup(t)
	names := []string{"policy.maximum_amount", "policy.approvers", "policy.undo_seconds", "policy.approval_above"}
	var running sync.WaitGroup
	for _, name := range names {
		for value := range 8 {
			running.Go(func() { w.operate(t, "PATCH", "/v1/settings", fmt.Sprintf(`{%q: %d}`, name, 2+value)).want(t, 200) })
			running.Go(func() { w.operate(t, "POST", "/v1/keys", `{"name": "till"}`).want(t, 201) })
		}
		running.Go(func() { w.operate(t, "PATCH", "/v1/settings", `{"policy.partial_refunds": false}`).want(t, 200) })
	}
	running.Wait()
	got := w.operate(t, "GET", "/v1/settings", "").want(t, 200)
	if changed := strings.Count(got.text, `"is_default":false`); changed != 5 {
		t.Errorf("%d settings are changed: %s", changed, got.text)
	}
}

// An operation that takes no body does not take one that says something: it
// would not happen.
func TestBodiesWithoutAReaderAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	made := w.call(t, "POST", "/v1/payments", `{"amount": 100, "currency": "EUR", "status": "authorized"}`).want(t, 201)
	path := "/v1/payments/" + made.string(t, "id") + "/cancel"
	for _, body := range []string{`{"message": "too late"}`, `[]`, `nonsense`, `"x"`} {
		w.call(t, "POST", path, body).wantCode(t, 422, "invalid_request")
	}
	w.call(t, "POST", path, `{}`).want(t, 200)
}

// Two who change a key at the same time undo nothing of each other's: what a
// narrower scope takes away stays away.
func TestKeysAreChangedTogether(t *testing.T) {
	t.Parallel()
	w := setup(t)
	made := w.operate(t, "POST", "/v1/keys", `{"name": "till", "scopes": ["refunds:write", "payments:read"]}`).want(t, 201)
	path := "/v1/keys/" + made.string(t, "id")
	for n := range 20 {
		w.operate(t, "PATCH", path, `{"name": "till", "scopes": ["refunds:write", "payments:read"]}`).want(t, 200)
		var running sync.WaitGroup
		for other := range 4 { // the more there are, the more meet
			running.Go(func() { w.operate(t, "PATCH", path, fmt.Sprintf(`{"name": "till %d"}`, n)).want(t, 200) })
			if other == 2 {
				running.Go(func() { w.operate(t, "PATCH", path, `{"scopes": ["payments:read"]}`).want(t, 200) })
			}
		}
		running.Wait()
		now := w.operate(t, "GET", path, "").want(t, 200)
		if now.string(t, "name") != fmt.Sprintf("till %d", n) || strings.Contains(now.text, "refunds:write") {
			t.Fatalf("one of two changes is lost: %s", now.text)
		}
	}
}
