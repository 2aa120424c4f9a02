package eventlog

import (
	"context"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/snapback-io/snapback/domain"
)

// Traced is a context in which spans are children of the one that a W3C
// traceparent names; of none, or of one that cannot be read, they begin a trace.
func Traced(traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": traceparent})
}

// Traceparent names a span to others; "" if it is not sampled: then nobody needs
// to know of it.
func Traceparent(span trace.Span) string {
	sc := span.SpanContext()
	if !sc.IsSampled() {
		return ""
	}
	return "00-" + sc.TraceID().String() + "-" + sc.SpanID().String() + "-01"
}

// Span records what was done for a traced command between two times.
func Span(tracer trace.Tracer, traceparent, name string, start, end time.Time, attributes ...attribute.KeyValue) {
	_, span := tracer.Start(Traced(traceparent), name, trace.WithTimestamp(start), trace.WithAttributes(attributes...))
	if end.Before(start) { // of another machine's clock
		end = start
	}
	span.End(trace.WithTimestamp(end))
}

// maxTraces is how many traced decisions of a record are told to other nodes: a
// header has little room.
const maxTraces = 16

// tracesOf tells which decisions of a commit are traced.
func tracesOf(c *domain.Commit) string {
	var text []byte
	n := 0
	for i := range c.Decisions {
		if parent := c.Decisions[i].Trace; parent != "" && n < maxTraces {
			if n++; n > 1 {
				text = append(text, ',')
			}
			text = append(strconv.AppendInt(text, int64(i), 10), '=')
			text = append(text, parent...)
		}
	}
	return string(text)
}

// setTraces gives the decisions of a commit what tracesOf told. What it cannot
// read is not traced.
func setTraces(c *domain.Commit, text string) {
	for text != "" {
		var one string
		one, text, _ = strings.Cut(text, ",")
		place, parent, _ := strings.Cut(one, "=")
		if i, err := strconv.Atoi(place); err == nil && i >= 0 && i < len(c.Decisions) {
			c.Decisions[i].Trace = parent
		}
	}
}
