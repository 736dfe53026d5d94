package payment_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// A time that is too long for a policy, set before there was a limit, protects
// for very long. It does not switch the protection off.
func TestVeryLongTimesProtect(t *testing.T) {
	check(t, func(t *rapid.T) {
		with := func(policy setting.Int, value int64, more ...setting.Int) *model {
			settings := setting.Values{policy.Name: value}
			for _, one := range more {
				settings[one.Name] = int64(1)
			}
			return policed(t, settings, 1000)
		}
		for _, value := range []int64{math.MaxInt64, 9_007_199_254_740_991} {
			m := with(payment.PolicyEarliestHours, value)
			if _, err := m.gives(t, m.meta(), 100); rule(err) != payment.RuleNextDay {
				t.Fatalf("earliest: %v", err)
			}
			m = with(payment.PolicyDuplicateMinutes, value)
			m.must(t, m.meta(), 100)
			if _, err := m.gives(t, m.meta(), 100); rule(err) != payment.RuleDuplicate {
				t.Fatalf("duplicate: %v", err)
			}
			later := m.now.Add(365 * 24 * time.Hour)
			m = with(payment.PolicyUndoSeconds, value)
			if refund := m.must(t, m.meta(), 100); refund.NotBefore.Before(later) {
				t.Fatalf("undo: it leaves at %s", refund.NotBefore)
			}
			m = with(payment.PolicyApprovalExpires, value, payment.PolicyApprovalAbove)
			if refund := m.must(t, m.meta(), 100); refund.ExpiresAt.Before(later) {
				t.Fatalf("approval: it expires at %s", refund.ExpiresAt)
			}
			m = with(payment.PolicyWindowDays, value)
			m.must(t, m.meta(), 100)
		}
	})
}
