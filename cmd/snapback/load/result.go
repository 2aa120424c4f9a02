package load

import (
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
	// Server is the CPU of a server started for the run, seconds per second.
	Server float64 `json:"serverCPU,omitempty"`
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

// meter measures a span and the generator's CPU in it.
type meter struct {
	start time.Time
	cpu   time.Duration
}

func startMeter() meter { return meter{time.Now(), cpuTime()} }

// stop gives the span in seconds and the load per core of cores.
func (m meter) stop(cores int) (seconds, load float64) {
	span := time.Since(m.start)
	return span.Seconds(), float64(cpuTime()-m.cpu) / float64(span) / float64(cores)
}
