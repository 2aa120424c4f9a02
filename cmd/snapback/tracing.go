package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel"
	attr "go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// lastSpans is how long a stopping node tries to send what it has recorded.
const lastSpans = 3 * time.Second

// share is the flag --trace: how many mutations are traced, 0 to 1; off without it.
func (c *serveCmd) share() (share float64, on bool, err error) {
	if c.Trace == "" {
		return 0, false, nil
	}
	share, err = strconv.ParseFloat(c.Trace, 64)
	if err != nil || !(share >= 0 && share <= 1) {
		return 0, false, fmt.Errorf("--trace=%s: it is the share of mutations that are traced, 0 to 1", c.Trace)
	}
	return share, true, nil
}

// trace starts tracing if that is asked for. stop sends what is left.
func (n *node) trace(ctx context.Context) (stop func(), err error) {
	share, on, err := n.share()
	if err != nil || !on {
		return func() {}, err
	}
	n.tracer, stop, err = startTracing(ctx, share, n.Node, n.log)
	return stop, err
}

// startTracing gives what records spans and sends them where the environment
// says (OTEL_EXPORTER_OTLP_ENDPOINT and its like, http://localhost:4318 without),
// nil if tracing is off. A trace that a client began is followed, of the others a
// share is taken unless OTEL_TRACES_SAMPLER says otherwise. stop sends the rest.
func startTracing(ctx context.Context, share float64, node string, log *slog.Logger) (tracer trace.Tracer, stop func(), err error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("--trace: %w", err)
	}
	about := []attr.KeyValue{attr.String("service.name", "snapback")}
	if node != "" {
		about = append(about, attr.String("service.instance.id", node))
	}
	what, err := resource.New(ctx, resource.WithAttributes(about...), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, nil, fmt.Errorf("--trace: %w", err)
	}
	options := []sdktrace.TracerProviderOption{sdktrace.WithBatcher(exporter), sdktrace.WithResource(what)}
	if os.Getenv("OTEL_TRACES_SAMPLER") == "" {
		options = append(options, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(share))))
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("spans are not sent", "error", err) }))
	provider := sdktrace.NewTracerProvider(options...)
	return provider.Tracer("github.com/snapback-io/snapback"), func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSpans)
		defer cancel()
		_ = provider.Shutdown(ctx) // what fails is told to the error handler
	}, nil
}
