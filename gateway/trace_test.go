package gateway

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/ulid/v2"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/domain/service"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// tracedNode is a gateway with a log and a tracer of its own.
type tracedNode struct {
	*world
	spans *tracetest.InMemoryExporter
}

// tracedNodes are two gateways on one log, the first with the service.
func tracedNodes(t *testing.T, sampler sdktrace.Sampler) [2]tracedNode {
	t.Helper()
	server, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), SyncAlways: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	var nodes [2]tracedNode
	for i := range nodes {
		log, err := eventlog.Open(t.Context(), eventlog.Config{InProcess: server, Shards: 1, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(log.Close)
		n := &nodes[i]
		n.spans = tracetest.NewInMemoryExporter()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(n.spans), sdktrace.WithSampler(sampler))
		n.world = &world{t: t, log: log, dial: (&net.Dialer{}).DialContext}
		if i == 0 {
			s, err := service.New(service.Config{Log: log, Logger: quiet, Tracer: provider.Tracer("test")})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() { defer close(done); _ = s.Run(ctx) }()
			t.Cleanup(func() { cancel(); <-done })
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		n.start(l, options{cfg: Config{Tracer: provider.Tracer("test")}})
	}
	return nodes
}

// of gives the names and outcomes of a trace's spans at a node, sorted.
func (n *tracedNode) of(trace string) (names []string) {
	for _, s := range n.spans.GetSpans() {
		if s.SpanContext.TraceID().String() != trace {
			continue
		}
		name := s.Name
		for _, a := range s.Attributes {
			if a.Key == "snapback.outcome" {
				name += " " + a.Value.AsString()
			}
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// sameWords says whether two lists have the same in any order.
func sameWords(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// connected says whether every span of a trace descends from root.
func connected(t *testing.T, nodes [2]tracedNode, trace, root string) {
	t.Helper()
	known := map[string]bool{root: true}
	all := map[string]string{} // parents
	for i := range nodes {
		for _, s := range nodes[i].spans.GetSpans() {
			if s.SpanContext.TraceID().String() == trace {
				known[s.SpanContext.SpanID().String()] = true
				all[s.Name] = s.Parent.SpanID().String()
				if s.EndTime.Before(s.StartTime) {
					t.Errorf("%s ends before it starts", s.Name)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !known[all[name]] {
			t.Errorf("%s has the parent %s that is no part of the trace", name, all[name])
		}
	}
}

// One mutate over a socket with viewers on both nodes is one connected trace
// under the client's span, whatever becomes of it.
func TestTrace_FromTheMutateToTheLastSync(t *testing.T) {
	t.Parallel()
	nodes := tracedNodes(t, sdktrace.ParentBased(sdktrace.NeverSample()))
	one, two := &nodes[0], &nodes[1]
	one.demo()
	bob, ada := one.connect("bob"), one.connect("ada")
	far := two.connect("ada")
	for _, s := range []*socket{bob, ada, far} {
		s.skip("ready")
	}
	const root = "b7ad6b7169203331"
	traces := 0
	send := func(from *socket, rest string) (trace string, f frame) {
		traces++
		trace = fmt.Sprintf("%032x", traces)
		id := ulid.Make().String()
		from.send(fmt.Sprintf(`{"type":"mutate","clientMutationId":%q,"traceparent":"00-%s-%s-01","patch":{"title":"%d"},%s}`, id, trace, root, traces, rest))
		return trace, from.verdict(id)
	}
	// whole sends until the spans are these at the two nodes: a slow one may have
	// read a record before it hears of it, and with it of the trace.
	whole := func(from *socket, rest, outcome string, want ...[]string) {
		t.Helper()
		var got [2][]string
		for range 10 {
			trace, f := send(from, rest)
			for end := time.Now().Add(5 * time.Second); (f.Type == outcome || f.Code == outcome) && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				if got = [2][]string{one.of(trace), two.of(trace)}; sameWords(got[0], want[0]) && sameWords(got[1], want[1]) {
					connected(t, nodes, trace, root)
					return
				}
			}
			t.Logf("once more after %s", f)
		}
		t.Fatalf("spans %q\nwant  %q", got, want)
	}
	way := func(outcome string, more ...string) []string {
		return append([]string{"gateway.mutate " + outcome, "command.queue", "domain.decide " + outcome, "log.append", "projector.apply"}, more...)
	}
	here := []string{"projector.apply"}
	whole(bob, `"entityId":"c1"`, "ack", way("ack", "sync.write"), append(here, "sync.write"))
	whole(bob, `"entityId":"nowhere"`, "not_found", way("not_found"), here)
	whole(bob, `"entityId":"c1","expiresAt":"2020-01-01T00:00:00Z"`, "expired", way("expired"), here)
	// From the other node the command crosses, and its verdict comes back.
	whole(far, `"entityId":"c2"`, "ack", []string{"command.queue", "domain.decide ack", "log.append", "projector.apply", "sync.write"},
		[]string{"gateway.mutate ack", "projector.apply", "sync.write"})

	// Who is not traced leaves none, and what is traced is not seen in the log.
	before := len(one.spans.GetSpans()) + len(two.spans.GetSpans())
	bob.verdict(bob.mutate("c1", `{"title":"untraced"}`))
	if after := len(one.spans.GetSpans()) + len(two.spans.GetSpans()); after != before {
		t.Errorf("%d spans of what is not traced", after-before)
	}
	for r, err := range one.log.Read(t.Context(), board, 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(r.Data), root) {
			t.Errorf("the trace is in the log: %s", r.Data)
		}
	}
	for i := range nodes {
		tr := nodes[i].hubs.tracing
		wait(t, "end of all spans", func() bool {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			return len(tr.owned)+len(tr.synced) == 0
		})
	}
}

// Without a span of the client's the sampler decides; over HTTP it is the same.
func TestTrace_BegunByTheGateway(t *testing.T) {
	t.Parallel()
	nodes := tracedNodes(t, sdktrace.AlwaysSample())
	one := &nodes[0]
	one.demo()
	h, err := one.hubs.open(t.Context(), board)
	if err != nil {
		t.Fatal(err)
	}
	defer h.release()
	want := []string{"gateway.mutate ack", "command.queue", "domain.decide ack", "log.append", "projector.apply"}
	for _, parent := range []string{"00-" + strings.Repeat("5", 32) + "-b7ad6b7169203331-01", ""} {
		var got []string
		for try, end := 0, time.Now(); !sameWords(got, want); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) { // a slow node may have read a record before it hears of it
				if try++; try > 10 {
					t.Fatalf("spans %q\nwant  %q", got, want)
				}
				one.spans.Reset()
				cmd := domain.Command{ID: ulid.Make().String(), Op: domain.OpMutate, User: "ada", Changes: []domain.Change{put("c1", "", "title", ulid.Make().String())}, Trace: parent}
				if v, _, err := h.submit(t.Context(), cmd, time.Minute); err != nil || v.Rejection != nil {
					t.Fatal(v, err)
				}
				end = time.Now().Add(5 * time.Second)
			}
			for _, s := range one.spans.GetSpans() {
				if trace := s.SpanContext.TraceID().String(); s.Name == "gateway.mutate" && (parent == "" || trace == strings.Repeat("5", 32)) {
					if got = one.of(trace); parent == "" && sameWords(got, want) {
						connected(t, nodes, trace, "0000000000000000")
					}
				}
			}
		}
	}
}

// What a slow viewer is never written ends all the same, and so does what gets
// no verdict.
func TestTrace_NothingStaysOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spans := tracetest.NewInMemoryExporter()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
		w := newWorld(t, options{cfg: Config{QueueBytes: 8 << 10, Tracer: provider.Tracer("test")}})
		w.demo()
		w.connectRaw("/"+board+"?user=bob", nil) // reads nothing
		ada := w.connect("ada")
		ada.skip("ready")
		for i := range 20 {
			ada.verdict(ada.mutate("c1", fmt.Sprintf(`{"description":"%d %s"}`, i, strings.Repeat("x", 2000))))
		}
		log := w.hubs.log
		w.hubs.log = mute{log}
		ada.mutate("c1", `{"title":"lost"}`)
		time.Sleep(2 * traceFor)
		w.hubs.tracing.mu.Lock()
		defer w.hubs.tracing.mu.Unlock()
		if n, m := len(w.hubs.tracing.owned), len(w.hubs.tracing.synced); n+m > 0 {
			t.Errorf("%d and %d spans are open", n, m)
		}
		unwritten := 0
		for _, s := range spans.GetSpans() {
			for _, a := range s.Attributes {
				if a.Key == "snapback.unwritten" {
					unwritten++
				}
			}
		}
		if unwritten == 0 {
			t.Error("no sync was kept from the slow one")
		}
	})
}
