package eventlog

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// metric is the value of one series of the log's metrics.
func metric(t *testing.T, l *Log, name, label string) float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(l.Metrics()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if label == "" || len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == label {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no %s{%s}", name, label)
	return 0
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not in time: " + what)
		}
	}
}

func TestMetrics_TellTheOldestCommandThatIsNotDone(t *testing.T) {
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	w := startWorker(t, l, 0, false)
	until(t, "somebody works", func() bool { l.counts.mu.Lock(); defer l.counts.mu.Unlock(); return len(l.counts.pullers) > 0 })
	if age := metric(t, l, "snapback_shard_oldest_command_seconds", "0"); age != 0 {
		t.Errorf("%v s without a command", age)
	}
	before := time.Now()
	send(t, l, "b", "m1")
	until(t, "the command is taken", func() bool { return w.count() > 0 })
	d := w.got[0]
	if d.Queued.Before(before.Add(-time.Second)) || d.Queued.After(time.Now().Add(time.Second)) {
		t.Errorf("queued at %v, sent at %v", d.Queued, before)
	}
	first := metric(t, l, "snapback_shard_oldest_command_seconds", "0")
	until(t, "its age rises", func() bool { return metric(t, l, "snapback_shard_oldest_command_seconds", "0") > first })
	until(t, "the shard is owned", func() bool { return metric(t, l, "snapback_shard_owned", "0") == 1 })
	until(t, "it comes again", func() bool { return metric(t, l, "snapback_redelivered_total", "") > 0 })
	w.mu.Lock()
	for _, d := range w.got {
		d.Done()
	}
	w.mu.Unlock()
	until(t, "nothing is left", func() bool { return metric(t, l, "snapback_shard_oldest_command_seconds", "0") == 0 })
	if got := metric(t, l, "snapback_shard_changes_total", "gained"); got != 1 {
		t.Errorf("gained %v times", got)
	}
	w.stop()
	if got := metric(t, l, "snapback_shard_changes_total", "lost"); got != 1 {
		t.Errorf("lost %v times", got)
	}
}

func TestMetrics_TellTheConnections(t *testing.T) {
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	for _, c := range []string{"write", "live", "bulk"} {
		if metric(t, l, "snapback_log_connected", c) != 1 || metric(t, l, "snapback_log_reconnects_total", c) != 0 {
			t.Errorf("%s is not connected for the first time", c)
		}
	}
	l.write.Close()
	if metric(t, l, "snapback_log_connected", "write") != 0 {
		t.Error("write is closed and connected")
	}
}

func TestMetrics_AreWellNamed(t *testing.T) {
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(append(l.Metrics(), StageHistogram(StageQueue), StageHistogram(StageTell))...)
	startWorker(t, l, 0, true)
	until(t, "somebody works", func() bool { l.counts.mu.Lock(); defer l.counts.mu.Unlock(); return len(l.counts.pullers) > 0 })
	families, err := registry.Gather()
	if err != nil || len(families) < 9 {
		t.Fatalf("%d metrics, %v", len(families), err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestObserve_ClocksThatDisagreeTakeNoTime(t *testing.T) {
	h := StageHistogram(StageQueue)
	now := time.Now()
	Observe(h, now, now.Add(-time.Hour))
	Observe(h, now, now.Add(2*time.Second))
	registry := prometheus.NewRegistry()
	registry.MustRegister(h)
	families, err := registry.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("%d metrics, %v", len(families), err)
	}
	if got := families[0].GetMetric()[0].GetHistogram(); got.GetSampleCount() != 2 || got.GetSampleSum() != 2 {
		t.Errorf("%v", got)
	}
}
