package load

import (
	"runtime"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// MaxLoad is the share of its core above which a generator measures itself: a
// result with more is not to be quoted.
const MaxLoad = 0.9

// Result is what one run of a measurement found.
type Result struct {
	Bench   string  `json:"bench"`
	Setting string  `json:"setting"` // what was measured: "50 boards x 4 clients, window 4"
	Seconds float64 `json:"seconds"` // measured, without the preparation
	Figures Figures `json:"figures"`
	// Load is the generator's own CPU time per second and core it may use.
	Load float64 `json:"generatorLoad"`
	// Faults counts mutations answered with a nack and changes that a viewer
	// was not sent: a run with any has not measured what it says.
	Faults int `json:"faults,omitempty"`
	// Note says what has to be known about the figures, "" if nothing.
	Note string `json:"note,omitempty"`
	// Server is the server's CPU time per second, if that is known.
	Server float64 `json:"serverLoad,omitempty"`
}

// Figure is one measured value.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"` // "/s", "ms", "KiB", "", ...
}

// Figures are in the order to be shown.
type Figures []Figure

// Get is the named figure, 0 if there is none.
func (f Figures) Get(name string) float64 {
	for _, g := range f {
		if g.Name == name {
			return g.Value
		}
	}
	return 0
}

// Quotable says whether the run measured the server: its generator had time
// left and nothing went wrong.
func (r *Result) Quotable() bool { return r.Load <= MaxLoad && r.Faults == 0 }

// latencies records durations from 1 us to 100 s with two digits. For one goroutine.
type latencies struct{ h *hdrhistogram.Histogram }

func newLatencies() latencies {
	return latencies{hdrhistogram.New(1, 100_000_000, 2)}
}

func (l latencies) record(d time.Duration) {
	_ = l.h.RecordValue(min(max(d.Microseconds(), 1), 100_000_000))
}

func (l latencies) add(o latencies) { l.h.Merge(o.h) }

func (l latencies) ms(percentile float64) float64 {
	return float64(l.h.ValueAtPercentile(percentile)) / 1000
}

// figures are the percentiles of what, as in "ack p50".
func (l latencies) figures(what string) Figures {
	return Figures{
		{what + " p50", l.ms(50), "ms"},
		{what + " p99", l.ms(99), "ms"},
		{what + " max", float64(l.h.Max()) / 1000, "ms"},
	}
}

// cpuTime is what this process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// meter measures a span and the CPU time in it: the generator's, and the
// server's if server tells.
type meter struct {
	start  time.Time
	cpu    time.Duration
	server func() float64 // seconds used so far; nil: not known
	used   float64
}

func (s Span) startMeter() meter {
	m := meter{server: s.CPU}
	if m.server != nil {
		m.used = m.server()
	}
	m.start, m.cpu = time.Now(), cpuTime()
	return m
}

// stop ends the span: it sets Seconds, Load and Server of the result.
func (m meter) stop(r *Result) {
	span, own := time.Since(m.start), cpuTime()-m.cpu
	r.Seconds = span.Seconds()
	r.Load = float64(own) / float64(span) / float64(runtime.GOMAXPROCS(0))
	if m.server != nil {
		r.Server = (m.server() - m.used) / r.Seconds
	}
}
