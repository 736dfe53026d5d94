package main

import (
	"context"
	"log/slog"
)

// onlyErrors is a log's handler that leaves out everything but errors.
type onlyErrors struct{ slog.Handler }

// Enabled implements [slog.Handler].
func (h onlyErrors) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && h.Handler.Enabled(ctx, level)
}
