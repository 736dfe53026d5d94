package payment

import (
	"context"

	"github.com/refundry/refundry/internal/ledger"
)

// Reader answers questions about what has been committed. Every question
// names its tenant: what is another's is not found.
type Reader interface {
	// View returns a payment with all its parts; [RuleExists] if there is none.
	View(ctx context.Context, tenant TenantID, id PaymentID) (View, error)
	// ViewOfRefund returns a refund's payment with all its parts.
	ViewOfRefund(ctx context.Context, tenant TenantID, id RefundID) (View, error)
	// ViewOfDispute returns a dispute's payment with all its parts.
	ViewOfDispute(ctx context.Context, tenant TenantID, id DisputeID) (View, error)
	// Order returns an order with its facets; [RuleExists] if there is none.
	Order(ctx context.Context, tenant TenantID, id OrderID) (Order, []Facet, error)
	// Find returns what an alias stands for, false if it is not taken.
	Find(ctx context.Context, tenant TenantID, alias Alias) (subject [16]byte, found bool, err error)
	// Key returns what an idempotency key was used for, nil if it is new.
	Key(ctx context.Context, tenant TenantID, hash KeyHash) (*KeyRecord, error)
}

// Books reads a tenant's ledger.
type Books interface {
	// Entries returns every entry about a payment, in the order of its versions.
	Entries(ctx context.Context, tenant TenantID, id PaymentID) ([]ledger.Entry, error)
	// Balances returns the balances of all accounts: the trial balance.
	Balances(ctx context.Context, tenant TenantID) (ledger.Balances, error)
}
