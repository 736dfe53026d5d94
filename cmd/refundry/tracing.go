package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

// tracing sends traces, if OTEL_EXPORTER_OTLP_ENDPOINT says where to.
type tracing struct {
	provider *trace.TracerProvider // nil: nothing is traced
}

// flushPatience bounds how long the last traces may take to leave.
const flushPatience = 5 * time.Second

// startTracing starts tracing as the environment configures it.
func startTracing(ctx context.Context) (*tracing, error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
		return &tracing{}, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("OpenTelemetry: %w", err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
	otel.SetTracerProvider(provider)
	return &tracing{provider}, nil
}

// wrap lets every request of a handler be a span.
func (t *tracing) wrap(handler http.Handler) http.Handler {
	if t.provider == nil {
		return handler
	}
	return otelhttp.NewHandler(handler, "refundry", otelhttp.WithSpanNameFormatter(
		func(_ string, r *http.Request) string { return r.Method + " " + r.URL.Path }))
}

// stop lets the last traces leave.
func (t *tracing) stop() error {
	if t.provider == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushPatience)
	defer cancel()
	return t.provider.Shutdown(ctx)
}
