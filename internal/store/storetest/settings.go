package storetest

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

var settingsTests = map[string]func(*testing.T, Open){
	"a tenant is read as it was written":               testTenantRoundTrip,
	"tenants are sorted by name, bytewise":             testTenantOrder,
	"settings that were changed meanwhile conflict":    testOldVersion,
	"of changes at one version one wins":               testOneVersionOneWinner,
	"a change that fails leaves nothing behind":        testChangeWhole,
	"a credential that ended never comes back":         testCredentialEnds,
	"the last use of a credential is kept":             testCredentialUsed,
	"an endpoint that ended never comes back":          testEndpointEnds,
	"a change of settings holds from the next commit":  testSettingsHold,
	"a change of settings is an event at its version":  testSettingsEvent,
	"a tenant's settings are not another's":            testSettingsApart,
	"many changes at once raise the version each once": testVersionsGrow,
}

// join makes the bundle's tenant known to the store.
func (b *bundle) join(t *testing.T, settings setting.Values) payment.Tenant {
	t.Helper()
	b.change(t, auth.Change{Tenant: &payment.Tenant{ID: b.tenant, Name: b.tenant.String(), Settings: settings}})
	return b.read(t)
}

// read returns the bundle's tenant.
func (b *bundle) read(t *testing.T) payment.Tenant {
	t.Helper()
	tenant, err := b.store.Tenant(t.Context(), b.tenant)
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

// change writes a change of the bundle's tenant, with an event if it has none.
func (b *bundle) change(t *testing.T, change auth.Change) {
	t.Helper()
	if err := b.tryChange(t, change); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) tryChange(t *testing.T, change auth.Change) error {
	t.Helper()
	change.Of = b.tenant
	if change.Events == nil {
		change.Events = []payment.Event{b.changed()}
	}
	return b.store.Change(t.Context(), change)
}

// changed returns an event that tells of a change of settings.
func (b *bundle) changed() payment.Event {
	return payment.Event{
		Tenant: b.tenant, Kind: auth.EventSettingsChanged, Subject: b.tenant, At: b.clock.Now(), Actor: "operator:test",
		Request: "req-1", Detail: `{"after":{"policy.window_days":3}}`,
	}
}

func (b *bundle) credential(kind auth.Kind, lookup string) auth.Credential {
	return auth.Credential{
		Tenant: b.tenant, ID: b.newID(), Kind: kind, Lookup: lookup, Name: "ünï", Public: "-----\n", Secret: []byte{0, 1, 255},
		CreatedAt: b.clock.Now(),
	}
}

func (b *bundle) endpoint(url string, kinds ...payment.EventKind) auth.Endpoint {
	return auth.Endpoint{
		Endpoint: payment.Endpoint{ID: b.newID(), Door: payment.DoorAPI, URL: url, Kinds: kinds}, Tenant: b.tenant,
		Secret: []byte{7, 0}, CreatedAt: b.clock.Now(),
	}
}

// wantCode fails the test unless an error has a code.
func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != code {
		t.Errorf("error %v, want one that says %s", err, code)
	}
}

func wantSame(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func testTenantRoundTrip(t *testing.T, open Open) {
	b := setup(t, open)
	settings := setting.Values{
		"a.switch": true, "a.number": int64(1) << 60, "a.text": "\u2603 \x00 '", "a.list": []string{"DE", ""},
	}
	b.join(t, settings)
	keys := []auth.Credential{b.credential("k", "one"), b.credential("k", "two")}
	places := []auth.Endpoint{b.endpoint("https://a.example/?q=1"), b.endpoint("http://b.example", "refund.succeeded", "x")}
	places[1].Disabled, places[1].Detail = true, `{"kept":"é"}`
	b.change(t, auth.Change{Credentials: keys, Endpoints: places})

	wantSame(t, "tenant", b.read(t), payment.Tenant{
		ID: b.tenant, Name: b.tenant.String(), Version: 2, Settings: settings,
		Endpoints: []payment.Endpoint{places[0].Endpoint, places[1].Endpoint}, CreatedAt: b.clock.Now(),
	})
	found, err := b.store.Credential(t.Context(), "k", "two")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "credential", found, keys[1])
	gotKeys, err := b.store.Credentials(t.Context(), b.tenant)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "credentials", gotKeys, keys)
	gotPlaces, err := b.store.Endpoints(t.Context(), b.tenant)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "endpoints", gotPlaces, places)

	places[0].URL, places[0].Detail, keys[0].Public = "https://c.example", "replaced", "replaced"
	b.change(t, auth.Change{Credentials: keys[:1], Endpoints: places[:1]})
	if tenant := b.read(t); tenant.Version != 3 || tenant.Endpoints[0].URL != "https://c.example" ||
		tenant.Endpoints[0].Detail != "replaced" {
		t.Errorf("read %+v", tenant)
	}
	if found, err = b.store.Credential(t.Context(), "k", "one"); err != nil || found.Public != "replaced" {
		t.Errorf("read %+v: %v", found, err)
	}
}

func testTenantOrder(t *testing.T, open Open) {
	b := setup(t, open)
	names := []string{"a", "Z", "é", "B", "_"}
	for _, name := range names {
		b.tenant = b.newID()
		b.change(t, auth.Change{Tenant: &payment.Tenant{ID: b.tenant, Name: name}})
	}
	tenants, err := b.store.Tenants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, len(tenants))
	for i, tenant := range tenants {
		got[i] = tenant.Name
	}
	slices.Sort(names)
	wantSame(t, "names", got, names)
}

func testOldVersion(t *testing.T, open Open) {
	b := setup(t, open)
	old := b.join(t, nil)
	b.change(t, auth.Change{Endpoints: []auth.Endpoint{b.endpoint("https://a.example")}}) // raises the version
	current := b.read(t)

	old.Settings = setting.Values{"policy.window_days": int64(1)}
	key := b.credential("k", "one")
	wantCode(t, b.tryChange(t, auth.Change{Tenant: &old, Credentials: []auth.Credential{key}}), fault.Conflict)
	wantSame(t, "tenant", b.read(t), current)
	_, err := b.store.Credential(t.Context(), "k", "one")
	wantCode(t, err, fault.NotFound)
	if events := b.events(t); len(events) != 2 {
		t.Errorf("%d events of 2 changes", len(events))
	}
}

func testOneVersionOneWinner(t *testing.T, open Open) {
	b := setup(t, open)
	tenant := b.join(t, nil)
	var wait sync.WaitGroup
	var won atomic.Int64
	for i := range 8 {
		wait.Go(func() {
			mine := tenant
			mine.Settings = setting.Values{"policy.window_days": int64(i)}
			switch err := b.tryChange(t, auth.Change{Tenant: &mine}); {
			case err == nil:
				won.Add(1)
			case fault.CodeOf(err) != fault.Conflict:
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if after := b.read(t); won.Load() != 1 || after.Version != tenant.Version+1 {
		t.Errorf("%d winners, version %d after %d", won.Load(), after.Version, tenant.Version)
	}
}

func testVersionsGrow(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	const changes = 24
	var wait sync.WaitGroup
	for range changes {
		wait.Go(func() {
			if err := b.tryChange(t, auth.Change{Endpoints: []auth.Endpoint{b.endpoint("https://a.example")}}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if tenant := b.read(t); tenant.Version != changes+1 || len(tenant.Endpoints) != changes {
		t.Errorf("version %d, %d endpoints", tenant.Version, len(tenant.Endpoints))
	}
	for i, event := range b.events(t) {
		if event.Version != int64(i+1) {
			t.Errorf("event %d has version %d", i, event.Version)
		}
	}
}

func testChangeWhole(t *testing.T, open Open) {
	b := setup(t, open)
	before := b.join(t, nil)
	b.change(t, auth.Change{Credentials: []auth.Credential{b.credential("k", "taken")}})
	before.Version++
	fresh, taken := b.credential("k", "fresh"), b.credential("k", "taken")
	tests := map[string]struct {
		change auth.Change
		code   fault.Code
	}{
		"lookup taken": {auth.Change{Credentials: []auth.Credential{fresh, taken}}, fault.Conflict},
		"name taken":   {auth.Change{Tenant: &payment.Tenant{ID: b.newID(), Name: before.Name}}, fault.Conflict},
		"id taken":     {auth.Change{Tenant: &payment.Tenant{ID: b.tenant, Name: "other"}}, fault.Conflict},
	}
	for name, test := range tests {
		if err := b.tryChange(t, test.change); fault.CodeOf(err) != test.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantSame(t, "tenant", b.read(t), before)
	_, err := b.store.Credential(t.Context(), "k", "fresh")
	wantCode(t, err, fault.NotFound)

	b.tenant = b.newID()
	wantCode(t, b.tryChange(t, auth.Change{Credentials: []auth.Credential{b.credential("k", "fresh")}}), fault.NotFound)
	if _, err := b.store.Tenant(t.Context(), b.tenant); fault.CodeOf(err) != fault.NotFound {
		t.Error(err)
	}
	if events := b.events(t); len(events) != 0 {
		t.Errorf("%d events of a tenant that is unknown", len(events))
	}
}

func testCredentialEnds(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	key := b.credential("k", "one")
	b.change(t, auth.Change{Credentials: []auth.Credential{key}})
	ended := key
	ended.RevokedAt = b.clock.Now()
	b.change(t, auth.Change{Credentials: []auth.Credential{ended}})

	_, err := b.store.Credential(t.Context(), "k", "one")
	wantCode(t, err, fault.NotFound)
	b.change(t, auth.Change{Credentials: []auth.Credential{key}}) // by somebody who read it before
	_, err = b.store.Credential(t.Context(), "k", "one")
	wantCode(t, err, fault.NotFound)
	all, err := b.store.Credentials(t.Context(), b.tenant)
	if err != nil || len(all) != 1 || !all[0].RevokedAt.Equal(ended.RevokedAt) {
		t.Errorf("read %+v: %v", all, err)
	}
}

func testEndpointEnds(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	place := b.endpoint("https://a.example")
	b.change(t, auth.Change{Endpoints: []auth.Endpoint{place}})
	ended := place
	ended.DeletedAt = b.clock.Now()
	b.change(t, auth.Change{Endpoints: []auth.Endpoint{ended}})
	b.change(t, auth.Change{Endpoints: []auth.Endpoint{place}}) // by somebody who read it before
	if tenant := b.read(t); len(tenant.Endpoints) != 0 {
		t.Errorf("read %+v", tenant.Endpoints)
	}
	if all, err := b.store.Endpoints(t.Context(), b.tenant); err != nil || len(all) != 0 {
		t.Errorf("read %+v: %v", all, err)
	}
}

func testSettingsHold(t *testing.T, open Open) {
	b := setup(t, open)
	tenant := b.join(t, nil)
	p := b.capture(t, 1000) // the store may remember the tenant now
	if _, err := b.refund(t.Context(), p.ID, 1); err != nil {
		t.Fatal(err)
	}
	tenant.Settings = setting.Values{payment.PolicyPartial.Name: false}
	b.change(t, auth.Change{Tenant: &tenant})
	if _, err := b.refund(t.Context(), p.ID, 1); err == nil {
		t.Error("a policy is not obeyed right after its change")
	}
	tenant = b.read(t)
	tenant.Settings = nil
	b.change(t, auth.Change{Tenant: &tenant})
	if _, err := b.refund(t.Context(), p.ID, 1); err != nil {
		t.Errorf("a policy is obeyed after it was taken back: %v", err)
	}
}

func testSettingsEvent(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	told := b.changed()
	b.change(t, auth.Change{Events: []payment.Event{told, told}})
	events := b.events(t)
	if len(events) != 3 {
		t.Fatalf("%d events", len(events))
	}
	told.Version = 2
	wantSame(t, "first event", events[1].Event, told)
	wantSame(t, "second event", events[2].Event, told)
	if events[1].Cursor.Commit != events[2].Cursor.Commit || events[1].Cursor.Commit != events[0].Cursor.Commit+1 {
		t.Errorf("cursors %v, %v, %v", events[0].Cursor, events[1].Cursor, events[2].Cursor)
	}
}

func testSettingsApart(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	key, place := b.credential("k", "one"), b.endpoint("https://a.example")
	b.change(t, auth.Change{Credentials: []auth.Credential{key}, Endpoints: []auth.Endpoint{place}})
	before := b.read(t)

	b.tenant = b.newID()
	b.join(t, nil)
	key.Tenant, key.Lookup, place.Tenant, place.URL = b.tenant, "two", b.tenant, "https://b.example"
	b.change(t, auth.Change{Credentials: []auth.Credential{key}, Endpoints: []auth.Endpoint{place}}) // the same ids
	if tenant := b.read(t); len(tenant.Endpoints) != 1 || tenant.Endpoints[0].URL != place.URL {
		t.Errorf("read %+v", tenant.Endpoints)
	}
	b.tenant = before.ID
	wantSame(t, "the first tenant", b.read(t), before)
	found, err := b.store.Credential(t.Context(), "k", "one")
	if err != nil || found.Tenant != before.ID {
		t.Errorf("read %+v: %v", found, err)
	}
}

// testCredentialUsed notes uses in any order: the latest day stays, whoever
// changes the credential, and it is the credential's own.
func testCredentialUsed(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	used, other := b.credential("k", "one"), b.credential("k", "two")
	b.change(t, auth.Change{Credentials: []auth.Credential{used, other}})
	version := b.read(t).Version
	day := b.clock.Now().UTC().Truncate(24 * time.Hour)
	for _, days := range []int{0, 2, 1} {
		if err := b.store.NoteUses(t.Context(), []auth.Use{
			{Tenant: b.tenant, ID: used.ID, Day: day.AddDate(0, 0, days)}, {Tenant: b.newID(), ID: other.ID, Day: day},
			{Tenant: b.tenant, ID: b.newID(), Day: day},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if after := b.read(t).Version; after != version {
		t.Errorf("a use has raised the version from %d to %d", version, after)
	}
	b.change(t, auth.Change{Credentials: []auth.Credential{used}}) // by somebody who knows of no use
	used.LastUsedAt = day.AddDate(0, 0, 2)
	all, err := b.store.Credentials(t.Context(), b.tenant)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "credentials", all, []auth.Credential{used, other})
	found, err := b.store.Credential(t.Context(), "k", "one")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "found", found, used)
}
