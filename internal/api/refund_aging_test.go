package api_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// What is on its way is found by why, since when and for how long.
func TestRefundsOnTheirWayAreFoundByAge(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.capture(t, "10000")
		ask := func(reference, more string) string {
			return w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "reference": %q, "amount": 100, "currency": "EUR"%s}`,
				of, reference, more)).want(t, 201).string(t, "id")
		}
		w.set(t, `{"policy.stuck_hours": 1}`)
		ask("late", `, "note": "refundry:PENDING"`)
		done := "/v1/refunds/" + ask("done", "")
		eventually(t, "both are where they will be", func() bool {
			return w.call(t, "GET", done, "").body["status"] == "succeeded" && len(w.listed(t, "pending_reason=processor", 5)) == 1
		})
		w.pass(t, 25*time.Hour)
		now := url.QueryEscape(w.now().UTC().Format(time.RFC3339))
		ask("new", `, "not_before": "`+later(w)+`"`)
		eventually(t, "it is stuck", func() bool { return len(w.listed(t, "stuck=true", 5)) == 1 })
		for query, want := range map[string][]string{
			"pending_reason=scheduled":                          {"new"},
			"pending_reason=scheduled&pending_reason=processor": {"new", "late"},
			"pending_reason=approval":                           nil,
			"expected_before=" + now:                            nil, // the sandbox expects nothing
			"expected_before=2026-01-01T00:00:00Z":              nil,
			"stuck=true":                                        {"late"},
			"older_than=86400":                                  {"late"},
			"older_than=8640000":                                nil,
			"older_than=1&payment=" + of + "&status=pending":    {"late"},
			"stuck=true&reference=new":                          nil,
		} {
			for limit := 1; limit <= 2; limit++ {
				if diff := cmp.Diff(want, w.listed(t, query, limit)); diff != "" {
					t.Errorf("%s in pages of %d (-want +got):\n%s", query, limit, diff)
				}
			}
		}
		for _, bad := range []string{"pending_reason=x", "stuck=false", "older_than=0", "older_than=1d", "expected_before=x", "stuck=true&totals=true"} {
			w.call(t, "GET", "/v1/refunds?"+bad, "").wantCode(t, 422, "invalid_request")
		}
	})
}

// However many have ended since, what is on its way is found, and no request
// looks at more than ten thousand.
func TestOldRefundsAreFoundBehindManyThatEnded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "100")
	w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "reference": "old", "amount": 1, "currency": "EUR"}`, of)).want(t, 201)
	var id payment.PaymentID
	for n := range 1100 {
		if n%20 == 0 { // a payment with many takes long
			if err := id.Parse(w.capture(t, "100")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.engine.Do(t.Context(), payment.AdoptRefund{
			Meta: payment.Meta{Tenant: w.tenant, Actor: "processor:sandbox"}, Payment: id, Connector: "sandbox",
			ProcessorRef: fmt.Sprint(n), Amount: money.Of(1, "EUR"),
		}); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.listed(t, "older_than=1", 5); got != nil {
		t.Errorf("found %v, which is not so old", got)
	}
	if got := w.listed(t, "pending_reason=not_sent", 5); !cmp.Equal(got, []string{"old"}) {
		t.Errorf("found %v", got)
	}
}

// endless is a list of refunds that have ended, a stretch for each day, for ever.
type endless struct {
	payment.Lists

	stretches int
}

func (e *endless) RefundsEnd(context.Context, payment.TenantID, payment.RefundFilter, int) (payment.Place, bool, error) {
	e.stretches++
	return payment.Place{At: began.AddDate(0, 0, -e.stretches)}, true, nil
}

func (*endless) ListRefunds(context.Context, payment.TenantID, payment.RefundFilter) ([]payment.Refund, error) {
	return nil, nil
}

// Nobody looks further back than where the question begins.
func TestAgingIsNotLookedForBeforeItsBeginning(t *testing.T) {
	t.Parallel()
	lists := &endless{}
	hasMore, err := api.FindAging(t.Context(), lists, payment.RefundFilter{From: began.AddDate(0, 0, -3), Limit: 5})
	if err != nil || hasMore || lists.stretches != 4 {
		t.Errorf("%d stretches, more %t: %v", lists.stretches, hasMore, err)
	}
}
