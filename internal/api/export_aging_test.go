package api

import (
	"context"

	"github.com/refundry/refundry/internal/payment"
)

// FindAging looks for refunds on their way in lists.
func FindAging(ctx context.Context, lists payment.Lists, filter payment.RefundFilter) (hasMore bool, err error) {
	a := &API{config: Config{Lists: lists}}
	found, err := a.findAging(ctx, payment.TenantID{1}, filter, payment.Aging{IsStuck: true})
	return found.hasMore, err
}
