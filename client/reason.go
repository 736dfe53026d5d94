package client

import (
	"context"
	"net/http"
)

// ReasonCatalogue has the reasons that refunds may have. Empty: any reason is
// taken.
type ReasonCatalogue struct {
	IsRequired bool     `json:"is_required"` // a refund must have one
	Reasons    []Reason `json:"reasons"`
}

// Reason is a reason that a refund may have.
type Reason struct {
	Code      string            `json:"code"`       // what a refund names
	Title     string            `json:"title"`      // what people read; empty: the code says it
	Doors     map[string]string `json:"doors"`      // what front doors call it that have words of their own
	DefaultAt []string          `json:"default_at"` // front doors at which a refund has it where nothing says another
	IsRetired bool              `json:"is_retired"` // no other refund may take it
}

// Reasons reads the tenant's catalogue of reasons.
func (c *Client) Reasons(ctx context.Context) (catalogue ReasonCatalogue, err error) {
	err = c.do(ctx, call{method: http.MethodGet, path: "/v1/reasons"}, &catalogue)
	return catalogue, err
}
