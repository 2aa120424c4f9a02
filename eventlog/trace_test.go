package eventlog

import (
	"bytes"
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/snapback-io/snapback/domain"
)

const someParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestTrace_TravelsBesideTheCommand(t *testing.T) {
	cmd := command("b", "m1")
	plain, err := appendCommand(nil, cmd, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Trace = someParent
	line, err := appendCommand(nil, cmd, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if want := bytes.Replace(plain, []byte("1000 "), []byte("1000,"+someParent+" "), 1); !bytes.Equal(line, want) {
		t.Errorf("%s\nnot %s", line, want)
	}
	got, ttl, rest, err := cutCommand(append(line, plain...))
	if err != nil || ttl != time.Second || got.Trace != someParent || got.ID != "m1" {
		t.Errorf("%+v %v %v", got, ttl, err)
	}
	got, ttl, rest, err = cutCommand(rest)
	if err != nil || ttl != time.Second || got.Trace != "" || len(rest) > 0 {
		t.Errorf("%+v %v %v", got, ttl, err)
	}
}

func TestTrace_TravelsBesideTheRecord(t *testing.T) {
	commit := &domain.Commit{V: domain.CommitVersion, Board: "b", Decisions: make([]domain.Decision, 3)}
	plain, hash, err := commit.Encode()
	if err != nil {
		t.Fatal(err)
	}
	commit.Decisions[0].Trace, commit.Decisions[2].Trace = someParent, someParent
	if traced, again, err := commit.Encode(); err != nil || again != hash || !bytes.Equal(traced, plain) {
		t.Errorf("the record is not the same: %v\n%s\n%s", err, traced, plain)
	}
	l := &Log{epoch: "e"}
	msg, err := l.message("live.b", Announcement{Record: &Record{Board: "b", Seq: 7, Data: plain, Hash: hash, Commit: commit, Stored: time.Unix(5, 6)}})
	if err != nil {
		t.Fatal(err)
	}
	a, ok := l.announcement("b", msg)
	if !ok || a.Record == nil {
		t.Fatalf("%+v", a)
	}
	for i, want := range []string{someParent, "", someParent} {
		if got := a.Record.Commit.Decisions[i].Trace; got != want {
			t.Errorf("decision %d is traced by %q, want %q", i, got, want)
		}
	}
	if !a.Record.Stored.Equal(time.Unix(5, 6)) {
		t.Errorf("stored at %v", a.Record.Stored)
	}
	for _, bad := range []string{"x", "9=" + someParent, "-1=a", "=", ",,", "1"} {
		setTraces(a.Record.Commit, bad)
	}
	for i := range commit.Decisions {
		commit.Decisions[i].Trace = ""
	}
	if msg, err = l.message("live.b", Announcement{Record: &Record{Data: plain, Commit: commit}}); err != nil || msg.Header.Get(headerTraces) != "" || msg.Header.Get(headerStored) != "" {
		t.Errorf("%v %v", msg.Header, err)
	}
}

func TestTrace_Span(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	tracer := provider.Tracer("test")
	now := time.Now()
	Span(tracer, someParent, "late", now, now.Add(-time.Second))
	got := exporter.GetSpans()[0]
	if got.Parent.TraceID().String() != someParent[3:35] || got.Parent.SpanID().String() != someParent[36:52] || !got.EndTime.Equal(got.StartTime) {
		t.Errorf("%+v", got)
	}
	_, span := tracer.Start(Traced(someParent), "x")
	if text := Traceparent(span); len(text) != len(someParent) || text[:35] != someParent[:35] {
		t.Errorf("%s", text)
	}
	if sc := trace.SpanContextFromContext(Traced("nonsense")); sc.IsValid() {
		t.Errorf("%v", sc)
	}
	never := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	if _, span = never.Tracer("test").Start(context.Background(), "x"); Traceparent(span) != "" {
		t.Error("what is not sampled is told to others")
	}
}
