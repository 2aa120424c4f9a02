package service

import (
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// traces says whether the command's way is to be recorded.
func (s *Service) traces(cmd *domain.Command) bool { return cmd.Trace != "" && s.Tracer != nil }

// traceQueue records the way to this node.
func (s *Service) traceQueue(d *eventlog.Delivery) {
	eventlog.Span(s.Tracer, d.Command.Trace, "command.queue", d.Command.ReceivedAt, s.Now(),
		attribute.String("snapback.board", d.Command.Board))
}

// traceDecided records how long what is traced in a flight waited here, for its
// turn and for its board to be loaded, and for its decision.
func (w *worker) traceDecided(f *flight) {
	for _, i := range f.traced {
		d := &f.commit.Decisions[i]
		eventlog.Span(w.s.Tracer, d.Trace, "domain.decide", time.Unix(0, f.entries[i].arrived), f.built,
			attribute.String("snapback.outcome", outcomeOf(d.Rejection)))
	}
}

// traceStored records the append, with all its tries.
func (w *worker) traceStored(f *flight, seq uint64) {
	now := w.s.Now()
	for _, i := range f.traced {
		eventlog.Span(w.s.Tracer, f.commit.Decisions[i].Trace, "log.append", f.built, now,
			attribute.Int64("snapback.sequence", int64(seq)), attribute.Int("snapback.decisions", len(f.entries)))
	}
}

// traceRepeat records that a verdict was found in the log.
func (w *worker) traceRepeat(e *entry, v *domain.Verdict) {
	eventlog.Span(w.s.Tracer, e.cmd.Trace, "domain.decide", time.Unix(0, e.arrived), w.s.Now(),
		attribute.String("snapback.outcome", outcomeOf(v.Rejection)), attribute.Bool("snapback.repeat", true))
}

func outcomeOf(r *domain.Rejection) string {
	if r == nil {
		return "ack"
	}
	return string(r.Code)
}
