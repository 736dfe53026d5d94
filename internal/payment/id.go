package payment

import "github.com/refundry/refundry/internal/id"

// Each kind of thing has its own type of id.
type (
	// TenantID names an organization whose data and keys are separate from all others.
	TenantID = id.ID[tenantKind]
	// OrderID names what a door groups payments by.
	OrderID = id.ID[orderKind]
	// PaymentID names a payment.
	PaymentID = id.ID[paymentKind]
	// CaptureID names one taking of an authorized amount.
	CaptureID = id.ID[captureKind]
	// RefundID names a refund.
	RefundID = id.ID[refundKind]
	// GroupID names the refunds that one command opened together.
	GroupID = id.ID[groupKind]
	// BatchID names refunds that are asked for together, see package batch.
	BatchID = id.ID[batchKind]
	// AttemptID names one try at one processor; it is the idempotency key sent there.
	AttemptID = id.ID[attemptKind]
	// DisputeID names a dispute.
	DisputeID = id.ID[disputeKind]
	// PayoutID names what a recipient of a settled order is paid.
	PayoutID = id.ID[payoutKind]
	// ResourceID names a door's own thing that is no order, payment or refund.
	ResourceID = id.ID[resourceKind]
	// EndpointID names where a tenant wants to be told.
	EndpointID = id.ID[endpointKind]
	// DeliveryID names one event for one endpoint.
	DeliveryID = id.ID[deliveryKind]
)

type (
	tenantKind   struct{}
	orderKind    struct{}
	paymentKind  struct{}
	captureKind  struct{}
	refundKind   struct{}
	groupKind    struct{}
	batchKind    struct{}
	attemptKind  struct{}
	disputeKind  struct{}
	payoutKind   struct{}
	resourceKind struct{}
	endpointKind struct{}
	deliveryKind struct{}
)

// Prefix implements [id.Kind].
func (tenantKind) Prefix() string { return "ten" }

// Prefix implements [id.Kind].
func (orderKind) Prefix() string { return "ord" }

// Prefix implements [id.Kind].
func (paymentKind) Prefix() string { return "pay" }

// Prefix implements [id.Kind].
func (captureKind) Prefix() string { return "cap" }

// Prefix implements [id.Kind].
func (refundKind) Prefix() string { return "rfd" }

// Prefix implements [id.Kind].
func (groupKind) Prefix() string { return "grp" }

// Prefix implements [id.Kind].
func (batchKind) Prefix() string { return "bat" }

// Prefix implements [id.Kind].
func (attemptKind) Prefix() string { return "att" }

// Prefix implements [id.Kind].
func (disputeKind) Prefix() string { return "dsp" }

// Prefix implements [id.Kind].
func (payoutKind) Prefix() string { return "pyo" }

// Prefix implements [id.Kind].
func (resourceKind) Prefix() string { return "res" }

// Prefix implements [id.Kind].
func (endpointKind) Prefix() string { return "end" }

// Prefix implements [id.Kind].
func (deliveryKind) Prefix() string { return "dlv" }
