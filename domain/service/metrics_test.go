package service

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// metricsOf gives the values of the service's metrics by name and label, of a
// histogram its count and, behind /sum, its sum.
func metricsOf(t *testing.T, s *Service) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.Metrics()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	values := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += "/" + l.GetValue()
			}
			values[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			values[name+"/sum"] = m.GetHistogram().GetSampleSum()
		}
	}
	return values
}

// expect holds what a test did to the service against its metrics.
func (b *bench) expect(t *testing.T, want map[string]float64) {
	t.Helper()
	synctest.Wait() // a verdict may be sent before it is counted
	got := metricsOf(t, b.s)
	for name, v := range want {
		if have, there := got["snapback_"+name]; !there || have != v {
			t.Errorf("%s is %v, want %v", name, have, v)
		}
	}
}

func TestMetrics_StagesOfACommit(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		const slow = 300 * time.Millisecond
		b.script.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) {
			time.Sleep(slow)
			return store()
		}
		before := metricsOf(t, b.s)
		first, second := b.card(b.id(), time.Second), b.card(b.id(), time.Second)
		synctest.Wait()
		if got := metricsOf(t, b.s); got["snapback_backlog_commands"] != 2 || got["snapback_backlog_bytes"] < 600 {
			t.Errorf("backlog of %v commands, %v bytes", got["snapback_backlog_commands"], got["snapback_backlog_bytes"])
		}
		first.accepted(t)
		second.accepted(t)
		synctest.Wait() // a verdict may be sent before it is counted
		after := metricsOf(t, b.s)
		for name, want := range map[string]float64{"decisions_total": 2, "backlog_commands": 0, "backlog_bytes": 0} {
			if got := after["snapback_"+name] - before["snapback_"+name]; got != want {
				t.Errorf("%s rose by %v, want %v", name, got, want)
			}
		}
		commits := after["snapback_commits_total"] - before["snapback_commits_total"]
		for _, stage := range []string{eventlog.StageQueue, eventlog.StageDecide, eventlog.StageAppend} {
			name := "snapback_verdict_stage_seconds/" + stage
			if got := after[name] - before[name]; got != commits {
				t.Errorf("stage %s: %v observed of %v commits", stage, got, commits)
			}
		}
		name := "snapback_verdict_stage_seconds/append/sum"
		if got := after[name] - before[name]; got < commits*slow.Seconds() || got > commits*slow.Seconds()+.1 {
			t.Errorf("%v commits of %v each took %v s to append", commits, slow, got)
		}
	})
}

func TestMetrics_CountOutcomesOfAppends(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			switch n {
			case 2:
				return 0, eventlog.ErrUnknown
			case 3:
				return 0, eventlog.ErrFull
			}
			return store()
		}
		id := b.id()
		b.card(id, 4*time.Second).accepted(t)
		b.append(t, b.command(b.id(), time.Second, cardChange("theirs", "wide")))
		b.card(b.id(), 4*time.Second).accepted(t)
		b.rest()
		b.card(id, 4*time.Second).accepted(t)
		b.expect(t, map[string]float64{
			"append_unknown_total": 1, "append_full_total": 1, "append_conflicts_total": 1, "commits_void_total": 0,
			"repeats_total": 1, "commands_dropped_total": 0,
		})
	})
}

func TestMetrics_CountVoidCommits(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			if n == 2 {
				time.Sleep(2 * time.Second) // past the deadline
			}
			return store()
		}
		synctest.Wait()
		b.card(b.id(), time.Second).refused(t, "expired")
		b.expect(t, map[string]float64{"commits_void_total": 1, "commits_total": 2})
	})
}

func TestMetrics_CountWhatIsDropped(t *testing.T) {
	alone(t, logtest.Config{}, func(c *Config) { c.Backlog = 1 }, func(t *testing.T, b *bench) {
		b.script.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) {
			time.Sleep(100 * time.Millisecond)
			return store()
		}
		first, second := b.card(b.id(), 4*time.Second), b.card(b.id(), 4*time.Second)
		synctest.Wait()
		b.expect(t, map[string]float64{"commands_dropped_total": 1})
		first.accepted(t)
		second.accepted(t)
	})
}

func TestMetrics_DirectoryLag(t *testing.T) {
	d := &directory{s: &Service{Config: Config{Now: time.Now}}, pending: map[string]eventlog.Listing{}}
	now := time.Now()
	if n, age := d.lag(now); n != 0 || age != 0 {
		t.Errorf("%d pending for %v", n, age)
	}
	d.pending["b"], d.behind = eventlog.Listing{Board: "b"}, now.Add(-time.Minute)
	if n, age := d.lag(now); n != 1 || age != time.Minute {
		t.Errorf("%d pending for %v", n, age)
	}
}
