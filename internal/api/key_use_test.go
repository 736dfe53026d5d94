package api_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
)

// countedUses counts what is written of uses, and may fail.
type countedUses struct {
	auth.UseStore

	err  error
	uses []auth.Use
}

func (c *countedUses) NoteUses(ctx context.Context, uses []auth.Use) error {
	c.uses = append(c.uses, uses...)
	if c.err != nil {
		return c.err
	}
	return c.UseStore.NoteUses(ctx, uses)
}

// A key says on which day it was last used. However often it is used, and by
// however many replicas, it is written once a day and replica, and not by one
// that knows that another has written it.
func TestKeysSayWhenTheyWereUsed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	replica := func() (*auth.Auth, *countedUses) {
		uses := &countedUses{UseStore: w.store}
		return auth.New(auth.Config{Store: w.store, Uses: uses, Now: w.now, Machine: time.Now, NewID: countingIDs()}), uses
	}
	use := func(of *auth.Auth) {
		t.Helper()
		for range 3 {
			key, err := of.Credential(t.Context(), auth.KindAPIKey, auth.Digest(auth.Secret(w.key)))
			if err != nil {
				t.Fatal(err)
			}
			of.Used(key)
		}
	}
	one, ones := replica()
	two, twos := replica()
	use(one)
	use(two) // neither knows of the other
	for _, of := range []*auth.Auth{one, two, one} {
		if err := of.WriteUses(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	three, threes := replica() // one that has read what they wrote
	use(three)
	use(one)
	for _, of := range []*auth.Auth{one, three} {
		if err := of.WriteUses(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(ones.uses) != 1 || len(twos.uses) != 1 || len(threes.uses) != 0 {
		t.Errorf("written %d, %d and %d times", len(ones.uses), len(twos.uses), len(threes.uses))
	}
	w.offset.Store(int64(24 * time.Hour / time.Second))
	ones.err = errors.New("down")
	use(one)
	if err := one.WriteUses(t.Context()); err == nil {
		t.Error("it was written while the store was down")
	}
	ones.err = nil
	use(one)
	if err := one.WriteUses(t.Context()); err != nil || len(ones.uses) != 3 {
		t.Errorf("the next day written %d times: %v", len(ones.uses), err)
	}
	if got := w.operate(t, "GET", "/v1/keys", "").want(t, 200).text; !strings.Contains(got, `"last_used_at":"2026-03-02T00:00:00.000000Z"`) {
		t.Error(got)
	}
}

// A valid key of callers that nobody uses is found; ours are not of callers.
func TestUnusedKeysAreFound(t *testing.T) {
	t.Parallel()
	w := setup(t)
	idle := w.operate(t, "POST", "/v1/keys", `{"name": "idle"}`).want(t, 201).string(t, "id")
	revoked := w.operate(t, "POST", "/v1/keys", `{"name": "revoked"}`).want(t, 201).string(t, "id")
	w.operate(t, "DELETE", "/v1/keys/"+revoked, "").want(t, 204)
	unused := func() (ids []string) {
		t.Helper()
		list, _ := w.operate(t, "GET", "/v1/keys?unused_days=90", "").want(t, 200).body["keys"].([]any)
		for _, element := range list {
			object, _ := element.(map[string]any)
			id, _ := object["id"].(string)
			ids = append(ids, id)
		}
		return ids
	}
	const day = int64(24 * time.Hour / time.Second)
	w.offset.Store(90 * day)
	if got := unused(); got != nil {
		t.Errorf("after 90 days %v", got)
	}
	w.call(t, "GET", "/v1/refunds", "").want(t, 200)
	if err := w.auth.WriteUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.offset.Store(91 * day)
	if got := unused(); !slices.Equal(got, []string{idle}) {
		t.Errorf("after 91 days %v, want %s", got, idle)
	}
	for _, bad := range []string{"0", "x", "3661"} {
		w.operate(t, "GET", "/v1/keys?unused_days="+bad, "").wantCode(t, 422, "invalid_request")
	}
}
