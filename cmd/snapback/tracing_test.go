package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// collector takes what is exported to it.
type collector struct {
	mu     sync.Mutex
	bodies []string
	paths  []string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bodies, c.paths = append(c.bodies, string(body)), append(c.paths, r.URL.Path)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func TestTracing_SendsToTheEndpointOfTheEnvironment(t *testing.T) {
	c := new(collector)
	server := httptest.NewServer(c)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	tracer, stop, err := startTracing(t.Context(), 1, "n1", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Start(context.Background(), "gateway.mutate")
	span.End()
	stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.bodies) != 1 || c.paths[0] != "/v1/traces" {
		t.Fatalf("%d bodies, %q", len(c.bodies), c.paths)
	}
	for _, want := range []string{"gateway.mutate", "snapback", "service.instance.id", "n1"} {
		if !strings.Contains(c.bodies[0], want) {
			t.Errorf("no %s in what was sent", want)
		}
	}
}

func TestTracing_TakesAShare(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	tracer, stop, err := startTracing(t.Context(), 0, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Start(context.Background(), "gateway.mutate")
	if span.SpanContext().IsSampled() {
		t.Error("a share of none has one")
	}
	begun := time.Now()
	stop()
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	for value, ok := range map[string]bool{"0": true, "0.01": true, "1": true, "1.5": false, "-1": false, "x": false, "NaN": false} {
		if _, on, err := (&serveCmd{Trace: value}).share(); on != ok || (err == nil) != ok {
			t.Errorf("--trace=%s: %v, %v", value, on, err)
		}
	}
	if _, on, err := new(serveCmd).share(); on || err != nil {
		t.Errorf("without the flag: %v, %v", on, err)
	}
}
