package gateway

import (
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/snapback-io/snapback/domain/service"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/notary"
)

var update = flag.Bool("update", false, "write testdata/metrics.txt anew")

// company is members that stand still.
type company struct {
	list   []eventlog.Member
	astray bool
	ahead  time.Duration
}

func (c *company) Present() ([]eventlog.Member, bool, <-chan struct{}) { return c.list, true, nil }

func (c *company) Astray() (bool, time.Duration) { return c.astray, c.ahead }

func twoNodes() *company {
	return &company{list: []eventlog.Member{
		{Node: "n1", Self: true, Decides: true, Takes: []int{0}, Compared: true},
		{Node: "n2", Decides: true, Takes: []int{1}, Compared: true, Offset: 20 * time.Millisecond, Error: time.Millisecond, Silent: 80 * time.Millisecond},
	}}
}

// fullServer is a Server with every part that has metrics.
func fullServer(t *testing.T) *site {
	t.Helper()
	nats, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), SyncAlways: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nats.Shutdown)
	log, err := eventlog.Open(t.Context(), eventlog.Config{InProcess: nats, Shards: 2, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	worker, err := service.New(service.Config{Log: log, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	private, _, err := proof.NewKey(rand.Reader, "test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := proof.ParseSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	n, err := notary.New(notary.Config{Log: log, Signer: signer, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Log: log, Logger: quiet, Notary: n, Members: twoNodes(), Collectors: append(log.Metrics(), worker.Metrics()...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &site{t, nil, s, ""}
}

// TestMetrics_HaveTheirNames: who renames one breaks somebody's alerts.
func TestMetrics_HaveTheirNames(t *testing.T) {
	s := fullServer(t)
	s.s.metrics.verdict(viaHTTP, outcomeAck, time.Millisecond)
	families, err := s.s.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	var lines []string
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "snapback_") {
			continue
		}
		labels := map[string]bool{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		names := slices.Sorted(func(yield func(string) bool) {
			for l := range labels {
				if !yield(l) {
					return
				}
			}
		})
		lines = append(lines, fmt.Sprintf("%s %s {%s}", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(names, ",")))
	}
	got := strings.Join(lines, "\n") + "\n"
	const golden = "testdata/metrics.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("metrics are now\n%s\nand were (-update accepts)\n%s", got, want)
	}
	page, err := os.ReadFile("OPERATE.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if name := f.GetName(); strings.HasPrefix(name, "snapback_") && !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("OPERATE.md does not tell what %s means", name)
		}
	}
}

func TestMetrics_MembersAndTheirClocks(t *testing.T) {
	s := newSite(t, Config{})
	members := twoNodes()
	members.astray, members.ahead = true, -3*time.Second
	s.s.metrics.registry.MustRegister(memberMetrics{members})
	r := s.admin("/metrics")
	for _, want := range []string{
		"snapback_members 2", "snapback_clock_astray 1", "snapback_clock_ahead_seconds -3",
		`snapback_member_clock_offset_seconds{member="n2"} 0.02`, `snapback_member_clock_error_seconds{member="n2"} 0.001`,
		`snapback_member_silent_seconds{member="n2"} 0.08`, `snapback_member_shards{member="n1"} 1`,
	} {
		if !strings.Contains(r.body, want+"\n") {
			t.Errorf("no %s in\n%s", want, r.body)
		}
	}
}

func TestReady_TellsWhatToDo(t *testing.T) {
	t.Parallel()
	s := fullServer(t)
	ask := func() (a readiness, status int) {
		r := s.admin("/readyz")
		r.json(t, &a)
		return a, r.status
	}
	a, status := ask()
	if status != 200 || !a.Ready || a.Clock != "ok" || len(a.Members) != 2 || a.Shards.Of != 2 || len(a.Shards.Nowhere) != 0 || len(a.Reasons)+len(a.Warnings) != 0 {
		t.Errorf("%d %+v", status, a)
	}
	if !slices.Equal(a.Shards.Here, []int{0}) || a.Members[1].OffsetMs != 20 {
		t.Errorf("%+v", a)
	}
	members := s.s.cfg.Members.(*company)
	members.list[1].Takes, members.list[1].Astray = nil, true
	a, status = ask()
	if status != 200 || !slices.Equal(a.Shards.Nowhere, []int{1}) || len(a.Warnings) != 2 || len(a.Reasons) != 0 {
		t.Errorf("a shard that nobody works on: %d %+v", status, a)
	}
	members.astray, members.ahead = true, 300*time.Second
	a, status = ask()
	if status != 503 || a.Ready || len(a.Reasons) != 1 || !strings.Contains(a.Reasons[0], "5m0s") {
		t.Errorf("a clock that is off: %d %+v", status, a)
	}
	s.s.cfg.Members = nil
	if a, status = ask(); status != 200 || a.Clock != "not compared" || !slices.Equal(a.Shards.Here, []int{0, 1}) {
		t.Errorf("alone: %d %+v", status, a)
	}
}
