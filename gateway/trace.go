package gateway

import (
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

const (
	// traceparent is the header of a request that has the sender's span: each that
	// makes a mutation goes on with it.
	traceparent = "Traceparent"
	// traceFor is for how long a span waits for a verdict, or for its frames to
	// be written: those of connections that are gone never are.
	traceFor = 90 * time.Second
	// maxTraced is how many mutations may be traced at a time: clients may ask for it.
	maxTraced = 4096
)

// tracing holds the spans of a node that are not over. All are of commands with
// a Trace, which the others never look at. Safe for concurrent use.
type tracing struct {
	tracer trace.Tracer

	mu     sync.Mutex
	owned  map[string]*openSpan // gateway.mutate by its traceparent: until its verdict is written
	synced map[string]*syncSpan // sync.write by the traceparent of the record's first traced command
}

type openSpan struct {
	trace.Span
	giveUp *time.Timer
}

// syncSpan is the syncs of a record on their way to the viewers.
type syncSpan struct {
	spans  []trace.Span // one for each traced decision
	left   int          // viewers that it is not written to yet, and Apply
	last   time.Time    // it was written
	giveUp *time.Timer
}

// newTracing is nil without a tracer.
func newTracing(tracer trace.Tracer) *tracing {
	if tracer == nil {
		return nil
	}
	return &tracing{tracer: tracer, owned: make(map[string]*openSpan), synced: make(map[string]*syncSpan)}
}

// begin starts gateway.mutate under the client's span, if that sent one, and
// marks cmd as traced if the sampler says so.
func (t *tracing) begin(cmd *domain.Command, parent string, via string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.owned) >= maxTraced {
		return
	}
	_, span := t.tracer.Start(eventlog.Traced(parent), "gateway.mutate", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("snapback.board", cmd.Board), attribute.String("snapback.mutation", cmd.ID), attribute.String("snapback.via", via)))
	cmd.Trace = eventlog.Traceparent(span)
	if cmd.Trace == "" {
		span.End()
		return
	}
	name := cmd.Trace
	t.owned[name] = &openSpan{span, time.AfterFunc(traceFor, func() { t.end(name) })}
}

// outcome notes the verdict of a traced mutation, or why there is none.
func (t *tracing) outcome(name, outcome string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.owned[name]; o != nil {
		o.SetAttributes(attribute.String("snapback.outcome", outcome))
	}
}

// end ends a traced mutation's span: its verdict is written, or never will be.
func (t *tracing) end(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.owned[name]; o != nil {
		delete(t.owned, name)
		o.giveUp.Stop()
		o.End()
	}
}

// drop is end for what gets no verdict written, and nothing for "".
func (t *tracing) drop(name string) {
	if name != "" {
		t.end(name)
	}
}

func outcomeOf(v *domain.Verdict) string {
	if v.Rejection != nil {
		return string(v.Rejection.Code)
	}
	return outcomeAck
}

// applied is a record with traced decisions that is being folded and told.
type applied struct {
	t     *tracing
	name  string
	spans []trace.Span // projector.apply
	sync  *syncSpan    // nil: it has no viewers
}

// apply starts projector.apply of the record's traced decisions; nil: it has none.
func (t *tracing) apply(r *eventlog.Record) *applied {
	var a *applied
	for i := range r.Commit.Decisions {
		d := &r.Commit.Decisions[i]
		if d.Trace == "" {
			continue
		}
		if a == nil {
			a = &applied{t: t, name: d.Trace}
		}
		_, span := t.tracer.Start(eventlog.Traced(d.Trace), "projector.apply", trace.WithAttributes(
			attribute.String("snapback.board", r.Board), attribute.Int64("snapback.sequence", int64(r.Seq))))
		a.spans = append(a.spans, span)
	}
	return a
}

// tells starts sync.write: the news, of which either may be nil, is queued from
// now on.
func (a *applied) tells(whole, open *news) {
	told := false
	for _, n := range []*news{whole, open} {
		if n != nil && len(n.syncs) > 0 {
			n.traced, told = a, true
		}
	}
	if !told {
		return
	}
	a.sync = &syncSpan{left: 1}
	for _, parent := range a.spans {
		_, span := a.t.tracer.Start(eventlog.Traced(eventlog.Traceparent(parent)), "sync.write")
		a.sync.spans = append(a.sync.spans, span)
	}
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.sync.giveUp = time.AfterFunc(traceFor, func() { a.t.lapse(a.name) })
	a.t.synced[a.name] = a.sync
}

// put queues the syncs to one viewer. Call it inside update.
func (a *applied) put(q *queue, syncs item) {
	syncs.of = a.name
	q.put(syncs)
	if q.lagging || q.closing != nil { // dropped
		return
	}
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	a.sync.left++
}

// done ends projector.apply: everything is queued.
func (a *applied) done() {
	for _, span := range a.spans {
		span.End()
	}
	if a.sync != nil {
		a.t.mu.Lock()
		defer a.t.mu.Unlock()
		a.t.wroteSync(a.name, time.Now())
	}
}

// wrote hears of items that have been written to a connection.
func (t *tracing) wrote(items []item) {
	for i := range items {
		it := &items[i]
		switch {
		case it.of == "" || it.kind == itemPresence:
		case it.kind == itemSync:
			t.mu.Lock()
			t.wroteSync(it.of, time.Now())
			t.mu.Unlock()
		default:
			t.end(it.of)
		}
	}
}

// wroteSync counts down. Call it with t.mu held.
func (t *tracing) wroteSync(name string, now time.Time) {
	s := t.synced[name]
	if s == nil {
		return
	}
	s.last = now
	if s.left--; s.left == 0 {
		delete(t.synced, name)
		s.giveUp.Stop()
		s.end(0)
	}
}

// lapse ends a sync.write that some viewers were never written: they fell behind
// and are brought up to date otherwise, or are gone.
func (t *tracing) lapse(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.synced[name]; s != nil {
		delete(t.synced, name)
		s.end(s.left)
	}
}

func (s *syncSpan) end(unwritten int) {
	for _, span := range s.spans {
		if unwritten > 0 {
			span.SetAttributes(attribute.Int("snapback.unwritten", unwritten))
		}
		span.End(trace.WithTimestamp(s.last))
	}
}
