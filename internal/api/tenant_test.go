package api_test

import (
	"strings"
	"testing"
)

// A tenant is read and renamed by operators, and by its own callers read only.
func TestTenantsAreReadAndRenamed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		own := w.call(t, "GET", "/v1/tenant", "").want(t, 200)
		path := "/v1/tenants/" + own.string(t, "id")
		if own.body["name"] != "shop" || own.string(t, "created_at") == "" || !strings.Contains(own.text, `"doors":["api","`) {
			t.Errorf("got %s", own.text)
		}
		if read := send(t, w.operator, "GET", path, "").want(t, 200); read.text != own.text {
			t.Errorf("an operator reads %s, the tenant %s", read.text, own.text)
		}
		if named := w.operate(t, "GET", "/v1/tenant", "").want(t, 200); named.text != own.text {
			t.Errorf("an operator who names it reads %s", named.text)
		}
		stranger := send(t, w.server, "GET", "/v1/tenant", "", "Authorization: Bearer "+w.stranger).want(t, 200)
		if stranger.body["name"] != "stranger" {
			t.Errorf("another tenant's key is of %s", stranger.text)
		}
		w.call(t, "PATCH", path, `{"name": "mine"}`).wantCode(t, 403, "forbidden")
		send(t, w.operator, "PATCH", path, `{"name": "stranger"}`).wantCode(t, 409, "conflict")
		send(t, w.operator, "PATCH", path, `{"name": " "}`).want(t, 422)
		send(t, w.operator, "PATCH", path, `{"name": "corner shop"}`).want(t, 200)
		send(t, w.operator, "PATCH", path, `{"name": "corner shop"}`).want(t, 200)
		if got := w.call(t, "GET", "/v1/tenant", ""); got.body["name"] != "corner shop" || got.body["created_at"] != own.body["created_at"] {
			t.Errorf("got %s", got.text)
		}
		feed := w.call(t, "GET", "/v1/events", "").want(t, 200).text
		if strings.Count(feed, `"kind":"tenant.renamed"`) != 1 ||
			!strings.Contains(feed, `"detail":{"after":"corner shop","before":"shop"}`) {
			t.Errorf("the feed has %s", feed)
		}
		for _, none := range []string{"ten_1", "ten_" + strings.Repeat("0", 26)} {
			send(t, w.operator, "GET", "/v1/tenants/"+none, "").wantCode(t, 404, "not_found")
		}
	})
}

// A key is renamed, and may do less or more from then on. What was revoked stays so.
func TestKeysAreChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		made := w.operate(t, "POST", "/v1/keys", `{"name": "till", "scopes": ["refunds:read"]}`).want(t, 201)
		path, key := "/v1/keys/"+made.string(t, "id"), "Authorization: Bearer "+made.string(t, "key")
		may := func(path string) int { return send(t, w.server, "GET", path, "", key).status }
		wait := func(what, path string, status int) {
			eventually(t, what, func() bool { return may(path) == status })
		}
		if may("/v1/refunds") != 200 || may("/v1/payments") != 403 {
			t.Error("the key may do something else than it was made for")
		}
		wider := w.operate(t, "PATCH", path, `{"scopes": ["refunds:read", "payments:read"]}`).want(t, 200)
		if wider.body["name"] != "till" || wider.body["key"] != nil {
			t.Errorf("got %s", wider.text)
		}
		wait("it may do more", "/v1/payments", 200)
		narrower := w.operate(t, "PATCH", path, `{"scopes": ["payments:read"], "name": "till 2"}`).want(t, 200)
		wait("it may do less", "/v1/refunds", 403)
		if read := w.operate(t, "GET", path, "").want(t, 200); read.text != narrower.text || read.body["name"] != "till 2" {
			t.Errorf("read %s, changed %s", read.text, narrower.text)
		}
		w.operate(t, "PATCH", path, `{"scopes": []}`).wantCode(t, 422, "invalid_request")
		w.operate(t, "PATCH", path, `{"scopes": ["everything"]}`).wantCode(t, 422, "invalid_request")
		w.call(t, "PATCH", path, `{"name": "mine"}`).wantCode(t, 403, "forbidden")
		send(t, w.operator, "GET", path, "", "Refundry-Tenant: stranger").wantCode(t, 404, "not_found")
		send(t, w.operator, "PATCH", path, `{"name": "x"}`, "Refundry-Tenant: stranger").wantCode(t, 404, "not_found")
		if feed := w.call(t, "GET", "/v1/events?limit=1000", "").text; !strings.Contains(feed,
			`"after":{"name":"till 2","scopes":"payments:read"},"before":{"name":"till","scopes":"refunds:read payments:read"}`) {
			t.Errorf("the feed has %s", feed)
		}
		w.operate(t, "DELETE", path, "").want(t, 204)
		w.operate(t, "PATCH", path, `{"name": "x"}`).wantCode(t, 409, "conflict")
		wait("it is revoked", "/v1/payments", 401)
	})
}

// A setting says what it takes.
func TestSettingsSayWhatTheyTake(t *testing.T) {
	t.Parallel()
	list := setup(t).operate(t, "GET", "/v1/settings", "").want(t, 200).text
	for _, want := range []string{
		`"name":"policy.undo_seconds","type":"integer","unit":"seconds","minimum":0,"maximum":3153600000,"value":0,"default":0,"is_default":true,"doc":"`,
		`"name":"policy.approval_above","type":"integer","unit":"minor_units",`,
		`"name":"policy.approvers","type":"integer","minimum":1,`,
		`"name":"policy.partial_refunds","type":"boolean","value":true,`,
		`"name":"policy.reasons","type":"strings","value":[],`,
	} {
		if !strings.Contains(list, want) {
			t.Errorf("no %s in %s", want, list)
		}
	}
}

// A connector that there is not cannot be halted: nothing would be stopped.
func TestOnlyConnectorsThatThereAreAreHalted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.operate(t, "PATCH", "/v1/settings", `{"policy.halted_connectors": ["sandbox"]}`).want(t, 200)
	got := w.operate(t, "PATCH", "/v1/settings", `{"policy.halted_connectors": ["sandbox", "sandbx"]}`).wantCode(t, 422, "invalid_request")
	if !strings.Contains(got.text, "connector") || strings.Contains(got.text, "sandbx") {
		t.Errorf("answered %s", got.text)
	}
	w.operate(t, "PATCH", "/v1/settings", `{"policy.halted_connectors": null}`).want(t, 200)
}
