package payment_test

import (
	"testing"
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// What has ended is not on its way, and every filter narrows by itself.
func TestAgingLetsThroughWhatItNames(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	waits := payment.Refund{
		Status: payment.RefundPending, PendingReason: payment.PendingProcessor, CreatedAt: at, ExpectedBy: at.Add(time.Hour),
	}
	ended, nobodySays := waits, waits
	ended.Status, nobodySays.ExpectedBy = payment.RefundSucceeded, time.Time{}
	for name, test := range map[string]struct {
		aging  payment.Aging
		refund payment.Refund
		want   bool
	}{
		"on its way":         {payment.Aging{}, waits, true},
		"ended":              {payment.Aging{}, ended, false},
		"for this reason":    {payment.Aging{Reasons: []payment.PendingReason{payment.PendingProcessor}}, waits, true},
		"for another":        {payment.Aging{Reasons: []payment.PendingReason{payment.PendingHalted}}, waits, false},
		"expected before":    {payment.Aging{ExpectedBefore: at.Add(time.Hour + 1)}, waits, true},
		"expected then":      {payment.Aging{ExpectedBefore: at.Add(time.Hour)}, waits, false},
		"expected by nobody": {payment.Aging{ExpectedBefore: at.Add(time.Hour + 1)}, nobodySays, false},
		"old enough":         {payment.Aging{Since: at}, waits, true},
		"too young":          {payment.Aging{Since: at.Add(-1)}, waits, false},
		"not stuck":          {payment.Aging{IsStuck: true}, waits, false},
	} {
		if test.aging.Lets(test.refund) != test.want {
			t.Errorf("%s: want %t", name, test.want)
		}
	}
}
