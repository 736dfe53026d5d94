package chip

import (
	"net/http"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/webhook"
)

// Door is the front door. Make one with [New].
type Door struct {
	config dialect.Config
}

// New returns the door.
func New(config dialect.Config) *Door { return &Door{config: config} }

// Register mounts the API at the provider's own paths.
func (d *Door) Register(mux *http.ServeMux) {}

// Voices returns how the door tells events.
func (d *Door) Voices() []webhook.Voice { return nil }

// PayerPath is below which a payer finds the pages of purchases, in the sandbox only.
const PayerPath = "/p/"

// Lists reports whether a path is one of this API's.
func Lists(path string) bool {
	rest, ok := strings.CutPrefix(path, "/api/v1/")
	first, _, _ := strings.Cut(rest, "/")
	return ok && slices.Contains(listed, first)
}

// listed has the first step of every path of this API.
var listed = []string{"purchases", "webhooks", "public_key", "payment_methods", "company_statements", "account"}
