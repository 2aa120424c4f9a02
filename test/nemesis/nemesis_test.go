package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/fault"
	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) {
	fault.Sweep()
	node.Main(m)
}

// small is a run that a slow machine can do, too.
func small(t *testing.T, script ...step) plan {
	return plan{seed: 1, nodes: 3, boards: 2, clients: 6, pace: 100 * time.Millisecond, most: 5 * time.Second, faults: []string{cut}, script: script, say: t.Logf}
}

// TestNemesis: while workers and leaders are killed and frozen, and clients cut
// off and led to other nodes, every invariant holds.
func TestNemesis(t *testing.T) {
	w, r, h := perish(t, small(t, step{"kill", worker, true}, step{"freeze", leader, false}, step{"freeze", worker, true}), t.TempDir())
	happened(t, w, r, "fault kill", "fault freeze", "worker hit", "lines cut", "clients moved", "lines swallowed", "same mutation to two nodes", "copies read")
	for _, what := range []string{"acked", "operations", "resumed", "nack wip_limit", "nack conflict", "nack withdrawn", "verdicts asked for", "views", "boards read", "in order", "deadlines"} {
		if r.Counts[what] == 0 {
			t.Errorf("no %q: the test does not do what it says", what)
		}
	}
	again(t, w, h, r)
}

// TestNemesis_Split: gateways that decide nothing, of which one is cut off from
// those who decide, and one who decides is killed.
func TestNemesis_Split(t *testing.T) {
	p := small(t, step{"kill", worker, true}, step{"kill", gateway, true})
	p.gateways = 2
	if err := fault.CanNet(); err == nil {
		p.script[1] = step{"partition", gateway, true}
	} else {
		t.Logf("no gateway is cut off: %v", err)
	}
	w, r, _ := perish(t, p, t.TempDir())
	happened(t, w, r, "fault "+p.script[0].kind, "fault "+p.script[1].kind, "gateway hit", "healed from "+p.script[1].kind, "copies read")
}

// happened fails for what was found, and for what should have happened and did not.
func happened(t *testing.T, w *world, r check.Report, what ...string) {
	t.Helper()
	t.Logf("%s\n%s\nslowest verdict %v; healed at most after: %s", summary(w.counts), summary(r.Counts), r.Slowest, w.recovery())
	for _, f := range r.Findings {
		t.Error(f)
	}
	for _, name := range what {
		if w.counts[name] == 0 {
			t.Errorf("no %q: the test does not do what it says", name)
		}
	}
}

// TestNemesis_StoppedLeavesNothing: neither processes nor disks nor networks,
// when it is stopped while a node is frozen.
func TestNemesis_StoppedLeavesNothing(t *testing.T) {
	script := []step{{"freeze", worker, true}}
	for _, kind := range []string{"power", "partition"} { // what they need is there, then
		if ways[kind].needs.missing() == nil {
			script = append(script, step{kind, worker, true})
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	p := small(t, script...)
	p.say = func(format string, args ...any) {
		t.Logf(format, args...)
		stop()
	}
	var w *world
	failures := perform(ctx, t.TempDir(), func(tb testing.TB) {
		w = newWorld(tb, p)
		w.run()
	})
	if !slices.Contains(failures, stopped) {
		t.Fatalf("it ended by %q", failures)
	}
	for _, n := range w.nodes {
		if n.Running() {
			t.Errorf("%s runs on", n.Name())
		}
	}
	var left []string
	for _, d := range w.disks {
		left = append(left, d.Dir)
	}
	for i := range w.nodes {
		if w.net != nil {
			_, namespace, _ := strings.Cut(w.net.Inside(i)[1], "=")
			left = append(left, namespace)
		}
	}
	for _, path := range left {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is there: %v", path, err)
		}
	}
}

// again: a history that was kept says the same when it is looked at again.
func again(t *testing.T, w *world, h *check.History, first check.Report) {
	t.Helper()
	var file bytes.Buffer
	if err := h.Write(&file); err != nil {
		t.Fatal(err)
	}
	read, err := check.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if r := check.Check(read, ""); summary(r.Counts) != summary(first.Counts) || len(r.Findings)+len(w.found) != len(first.Findings) {
		t.Errorf("read again: %s\n%s", summary(r.Counts), strings.Join(r.Findings, "\n"))
	}
}

// TestWounds: each server that is broken on purpose can be made from the source
// as it is.
func TestWounds(t *testing.T) {
	for _, name := range breakages() {
		if path := breakage(t, name); filepath.Ext(path) != ".json" {
			t.Errorf("%s: %s", name, path)
		}
	}
}

// evidence is what a wound must be found out by.
var evidence = map[string][]string{
	"fence":    {"log: record", "prev is"},         // two workers wrote after the same record
	"deadline": {"log: record", "the board is at"}, // decided on top of what came too late
}

// TestNemesisFindsEveryWound: a server whose appends compare nothing, and one
// that heeds no deadline, are found out when workers and leaders are frozen.
func TestNemesisFindsEveryWound(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes")
	}
	for _, name := range breakages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var script []step
			for range 10 {
				script = append(script, step{kind: "freeze", target: worker}, step{kind: "freeze", target: leader})
			}
			binary := wounded(t, name)
			for seed := range uint64(6) { // what a freeze hits is chance
				f, failures := wound(t, name, binary, seed+1, script)
				if f != "" {
					t.Log(f)
					return
				}
				t.Logf("seed %d: not found out by %d freezes; %q", seed+1, len(script), failures)
			}
			t.Error("not found out")
		})
	}
}

// wound freezes what a broken server decides with, until its log shows the harm,
// and gives the finding. The log alone is judged: what everybody heard of a
// server like this is much, and much of it wrong.
func wound(t *testing.T, name, binary string, seed uint64, script []step) (finding string, failures []string) {
	p := small(t, script...)
	p.seed, p.binary, p.boards, p.most, p.pace, p.settle = seed, binary, 4, 4*time.Second, 40*time.Millisecond, time.Second
	p.enough = func(w *world) bool {
		finding = found(name, w.judged())
		return finding != ""
	}
	failures = perform(t.Context(), t.TempDir(), func(tb testing.TB) {
		w := newWorld(tb, p)
		defer func() {
			if finding == "" {
				p.enough(w) // what ended the trouble may have been the harm
			}
		}()
		w.run()
	})
	return finding, failures
}

// found is the evidence of a wound among findings, "" without any.
func found(name string, findings []string) string {
	for _, f := range findings {
		if words := evidence[name]; strings.Contains(f, words[0]) && strings.Contains(f, words[1]) {
			return f
		}
	}
	return ""
}

// judged is what the log shows by itself so far.
func (w *world) judged() []string {
	h := &check.History{Start: w.start}
	var err error
	if h.Records, err = check.ReadLog(w.tb.Context(), w.eye.nc); err != nil {
		return nil // the next time, then
	}
	return check.Check(h, "").Findings
}
