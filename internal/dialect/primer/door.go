package primer

import (
	"net/http"

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
