package gateway

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// Every request that makes a mutation goes on with its sender's span.
func TestTrace_OfEveryRequestThatMutates(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans), sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.NeverSample())))
	s := newRealSite(t, Config{Tracer: provider.Tracer("test"), BoardIDs: true})
	s.demo()
	for i, c := range []struct{ method, path, body string }{
		{http.MethodPost, "/v1/boards?user=ann", `{"id":"another","title":"Another"}`},
		{http.MethodPost, "/v1/boards/demo/mutations?user=ann", `{"clientMutationId":"traced","entityId":"c1","patch":{"title":"x"}}`},
		{http.MethodPost, "/api/posts/c1/like?user=ann", ""},
	} {
		trace := strings.Repeat(string(rune('1'+i)), 32)
		if got := s.do(c.method, c.path, c.body, "Traceparent", "00-"+trace+"-b7ad6b7169203331-01"); got.status/100 != 2 {
			t.Errorf("%s: %d %s", c.path, got.status, got.body)
			continue
		}
		wait(t, "span of "+c.path, func() bool {
			return slices.ContainsFunc(spans.GetSpans(), func(x tracetest.SpanStub) bool {
				return x.SpanContext.TraceID().String() == trace && x.Name == "gateway.mutate"
			})
		})
	}
}
