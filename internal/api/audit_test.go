package api_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
)

const anna = "anna@shop.example"

// entry is an entry of the trail, as a caller reads it.
type entry struct {
	ID, Kind, Actor, User, Person, Address, Payment, Refund string

	ByKey           string `json:"by_key"`
	Erased, Damaged bool
	Before, After   map[string]any
	Detail          map[string]any
	ErasedPerson    string `json:"erased_person"`
}

// trail reads a page of the trail.
func (w *world) trail(t *testing.T, query string) (entries []entry, next string, hasMore bool) {
	t.Helper()
	got := w.call(t, "GET", "/v1/audit"+query, "").want(t, 200)
	var page struct {
		Entries []entry
		Next    string
		HasMore bool `json:"has_more"`
	}
	if err := json.Unmarshal([]byte(got.text), &page); err != nil {
		t.Fatalf("%v in %s", err, got.text)
	}
	return page.Entries, page.Next, page.HasMore
}

// kindsOf returns what a page of the trail tells, in words.
func (w *world) kindsOf(t *testing.T, query string) string {
	t.Helper()
	var kinds []string
	entries, _, _ := w.trail(t, query)
	for _, e := range entries {
		kinds = append(kinds, e.Kind)
	}
	return strings.Join(kinds, " ")
}

// annasRefund makes a refund on behalf of a person, and cancels it on nobody's.
func (w *world) annasRefund(t *testing.T) (of, refund string) {
	t.Helper()
	of = makePayment(t, w)
	refund = w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "amount": 100, "currency": "EUR", "note": "free text",
		"not_before": "2026-03-02T00:00:00Z"}`, of), "Refundry-User: "+anna).want(t, 201).string(t, "id")
	w.call(t, "POST", "/v1/refunds/"+refund+"/cancel", "").want(t, 200)
	return of, refund
}

func TestTrailSaysWhoDidWhat(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of, refund := w.annasRefund(t)
	w.operate(t, "PATCH", "/v1/settings", `{"policy.approval_above": 5}`).want(t, 200)
	entries, _, hasMore := w.trail(t, "?limit=3")
	if len(entries) != 3 || !hasMore {
		t.Fatalf("got %+v, %t", entries, hasMore)
	}
	changed, canceled, made := entries[0], entries[1], entries[2]
	if changed.Kind != "settings.changed" || changed.Actor != "operator:local" || changed.Address != "" || changed.ByKey != "" ||
		fmt.Sprint(changed.Before, changed.After, changed.Detail) != "map[policy.approval_above:<nil>] map[policy.approval_above:5] map[]" {
		t.Errorf("a setting: %+v", changed)
	}
	if canceled.Kind != "refund.canceled" || canceled.User != "" || canceled.Address != "203.0.113.7" || canceled.Person != "" ||
		canceled.Before["status"] != "scheduled" || canceled.After["status"] != "canceled" {
		t.Errorf("canceled: %+v", canceled)
	}
	before, _ := canceled.Before["payment"].(map[string]any)
	after, _ := canceled.After["payment"].(map[string]any)
	if before["reserved"] != 100.0 || after["reserved"] != 0.0 || after["refundable"] != 8900.0 {
		t.Errorf("sums before %v, after %v", before, after)
	}
	if made.Kind != "refund.created" || made.User != anna || made.Address != "203.0.113.7" || made.Person == "" || made.Erased ||
		made.Payment != of || made.Refund != refund || made.Actor != "key:"+made.ByKey || made.Before != nil ||
		made.After["status"] != "scheduled" || made.After["amount"] != 100.0 || made.After["note"] != nil {
		t.Errorf("made: %+v", made)
	}
}

func TestTrailIsNarrowed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of, refund := w.annasRefund(t)
	w.offset.Store(60)
	other := makePayment(t, w)
	w.operate(t, "PATCH", "/v1/settings", `{"policy.approval_above": 5}`).want(t, 200)
	key := "key:" + w.keyID(t)
	mine := "refund.canceled refund.created payment.captured"
	for query, want := range map[string]string{
		"payment=" + of:                          mine,
		"payment=" + other:                       "payment.captured",
		"subject=" + refund:                      "refund.canceled refund.created",
		"subject=" + of:                          "payment.captured",
		"kind=refund":                            "refund.canceled refund.created",
		"kind=refund.created&kind=settings":      "settings.changed refund.created",
		"kind=refund&payment=" + other:           "",
		"user=" + anna:                           "refund.created",
		"user=nobody":                            "",
		"user=" + anna + "&payment=" + other:     "",
		"actor=operator:local":                   "settings.changed",
		"actor=" + key:                           "payment.captured " + mine,
		"from=2026-03-01T12:01:00Z":              "settings.changed payment.captured",
		"until=2026-03-01T12:00:30Z&kind=refund": "refund.canceled refund.created",
		"from=2026-03-01T12:00:30Z&kind=refund":  "",
		"from=2026-03-01T12:00:00Z&until=2026-03-01T12:00:30Z&kind=payment": "payment.captured",
	} {
		if got := w.kindsOf(t, "?"+query); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	for _, bad := range []string{"after=x", "limit=0", "limit=201", "subject=x", "person=x", "from=x", "user=%C3%A4", "kinds=x",
		"user=" + url.QueryEscape(anna) + "&person=" + payment.PersonOf(w.tenant, "bob").String(),
	} {
		w.call(t, "GET", "/v1/audit?"+bad, "").wantCode(t, 422, "invalid_request")
	}
	as := "Authorization: Bearer " + w.stranger
	send(t, w.server, "GET", "/v1/audit?subject="+refund, "", as).wantCode(t, 404, "not_found")
	if got := send(t, w.server, "GET", "/v1/audit?payment="+of, "", as).want(t, 200); strings.Contains(got.text, "captured") {
		t.Errorf("a stranger reads %s", got.text)
	}
}

// keyID returns the id of the tenant's key.
func (w *world) keyID(t *testing.T) string {
	t.Helper()
	keys, err := w.auth.Credentials(t.Context(), w.tenant)
	if err != nil || len(keys) == 0 {
		t.Fatal(err)
	}
	return keys[0].ID.String()
}

func TestTrailIsReadInPages(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for range 3 {
		w.annasRefund(t)
	}
	all, _, _ := w.trail(t, "?limit=200")
	var paged []entry
	for next, hasMore := "", true; hasMore; {
		var page []entry
		page, next, hasMore = w.trail(t, "?limit=4&after="+next)
		paged = append(paged, page...)
	}
	if fmt.Sprint(paged) != fmt.Sprint(all) || len(all) != 11 {
		t.Errorf("%d entries in pages, %d in one", len(paged), len(all))
	}
}

// However seldom something happens, a page costs no more than another: it ends
// early, and says that there is more.
func TestTrailPageIsBounded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	told := payment.Event{Tenant: w.tenant, Kind: auth.EventSettingsChanged, Subject: w.tenant, At: w.now(), Actor: "operator:test"}
	if err := w.store.Change(t.Context(), auth.Change{Of: w.tenant, Events: slices.Repeat([]payment.Event{told}, 5000)}); err != nil {
		t.Fatal(err)
	}
	entries, next, hasMore := w.trail(t, "?kind=tenant.created")
	if len(entries) != 0 || !hasMore {
		t.Errorf("the first page has %d entries, more: %t", len(entries), hasMore)
	}
	entries, _, hasMore = w.trail(t, "?kind=tenant.created&after="+next)
	if len(entries) != 1 || hasMore {
		t.Errorf("the second page has %d entries, more: %t", len(entries), hasMore)
	}
}

func TestErasedPersonIsNotShown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of, _ := w.annasRefund(t)
	erase := fmt.Sprintf(`{"user": %q}`, anna)
	w.operate(t, "POST", "/v1/audit/erase-person", `{"user": "nobody"}`).wantCode(t, 404, "not_found")
	w.operate(t, "POST", "/v1/audit/erase-person", `{"person": "per_`+strings.TrimPrefix(of, "pay_")+`"}`).wantCode(t, 404, "not_found")
	w.operate(t, "POST", "/v1/audit/erase-person", `{}`).wantCode(t, 422, "invalid_request")
	person := w.operate(t, "POST", "/v1/audit/erase-person", erase).want(t, 200).string(t, "person")
	w.operate(t, "POST", "/v1/audit/erase-person", erase).want(t, 200)
	text := w.call(t, "GET", "/v1/audit?limit=200", "").want(t, 200).text + w.call(t, "GET", "/v1/audit/export", "").want(t, 200).text
	if strings.Contains(text, anna) {
		t.Errorf("the person is named: %s", text)
	}
	entries, _, _ := w.trail(t, "?user="+url.QueryEscape(anna))
	if len(entries) != 1 || !entries[0].Erased || entries[0].Person != person || entries[0].Address != "" {
		t.Errorf("of the person: %+v", entries)
	}
	entries, _, _ = w.trail(t, "?kind=person")
	if len(entries) != 1 || entries[0].ErasedPerson != person || entries[0].Actor != "operator:local" {
		t.Errorf("of the erasure: %+v", entries)
	}
}

// The trail says what it can, whatever somebody has done to the database.
func TestTrailOfADamagedDatabaseIsRead(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.annasRefund(t)
	db, err := sql.Open("sqlite", w.path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`UPDATE event SET sealed = x'0102' WHERE sealed IS NOT NULL`, `DELETE FROM payment`} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	entries, _, _ := w.trail(t, "?kind=refund")
	if len(entries) != 2 || !entries[1].Damaged || entries[1].User != "" || entries[1].After != nil {
		t.Errorf("read %+v", entries)
	}
}

func TestExportIsWhole(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.annasRefund(t)
	w.operate(t, "POST", "/v1/audit/erase-person", fmt.Sprintf(`{"user": %q}`, anna)).want(t, 200)
	export := w.call(t, "GET", "/v1/audit/export", "").want(t, 200).text
	checked, err := audit.Check(strings.NewReader(export))
	if err != nil || !checked.IsClean() || checked.Events != 6 {
		t.Fatalf("checked %+v: %v", checked, err)
	}
	differ, err := audit.Prove(t.Context(), w.store, checked)
	if err != nil || len(differ) > 0 {
		t.Errorf("not in the chain: %v, %v", differ, err)
	}
	checkpoint := w.call(t, "GET", "/v1/audit/checkpoint", "").want(t, 200)
	alone, err := audit.Check(strings.NewReader(checkpoint.text))
	if err != nil || !alone.IsClean() || alone.Anchors[0] != checked.Anchors[len(checked.Anchors)-1] {
		t.Errorf("a checkpoint alone: %+v: %v", alone, err)
	}
	later := w.call(t, "GET", "/v1/audit/export?first=4&last=5", "").want(t, 200).text
	if checked, err := audit.Check(strings.NewReader(later)); err != nil || !checked.IsClean() || checked.Commits >= 3 {
		t.Errorf("a part: %+v: %v", checked, err)
	}
	if more := w.call(t, "GET", "/v1/audit/export?last=1000", "").want(t, 200).text; more != export {
		t.Errorf("up to more than there are: %s", more)
	}
	w.call(t, "GET", "/v1/audit/export?first=3&last=2", "").wantCode(t, 422, "invalid_request")
	w.call(t, "GET", "/v1/audit/checkpoint?number=1000", "").wantCode(t, 404, "not_found")
}
