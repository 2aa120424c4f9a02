package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) { node.Main(m) }

// small is a run that a slow machine can do, too.
func small(t *testing.T, faults ...string) plan {
	return plan{seed: 1, nodes: 3, boards: 2, clients: 6, span: 25 * time.Second, pace: 100 * time.Millisecond, most: 6 * time.Second, faults: faults, say: t.Logf}
}

// TestNemesis: while workers and leaders are killed and frozen, and clients cut
// off and led to other nodes, every invariant holds.
func TestNemesis(t *testing.T) {
	r, h, counts := perish(t, small(t, "kill", "freeze", "cut"), t.TempDir())
	t.Logf("%s\n%s\nslowest verdict %v", summary(counts), summary(r.Counts), r.Slowest)
	for _, f := range r.Findings {
		t.Error(f)
	}
	for _, what := range []string{"fault kill", "fault freeze", "worker hit", "lines cut", "clients moved", "lines swallowed", "same mutation to two nodes"} {
		if counts[what] == 0 {
			t.Errorf("no %q: the test does not do what it says", what)
		}
	}
	for _, what := range []string{"acked", "operations", "resumed", "nack wip_limit", "nack conflict", "nack withdrawn", "verdicts asked for", "views", "boards read", "in order", "deadlines"} {
		if r.Counts[what] == 0 {
			t.Errorf("no %q: the test does not do what it says", what)
		}
	}
	again(t, h, r)
}

// again: a history that was kept says the same when it is looked at again.
func again(t *testing.T, h *check.History, first check.Report) {
	t.Helper()
	var file bytes.Buffer
	if err := h.Write(&file); err != nil {
		t.Fatal(err)
	}
	read, err := check.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if r := check.Check(read, ""); summary(r.Counts) != summary(first.Counts) || len(r.Findings) != len(first.Findings) {
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
			binary := wounded(t, name)
			const rounds = 3
			for seed := uint64(1); seed <= rounds; seed++ {
				p := small(t, "freeze")
				p.seed, p.binary, p.boards, p.most, p.pace, p.settle = seed, binary, 4, 4*time.Second, 40*time.Millisecond, 5*time.Second
				var r check.Report
				_ = perform(t.TempDir(), func(tb testing.TB) { r, _, _ = perish(tb, p, "") })
				for _, f := range r.Findings {
					if found := evidence[name]; strings.Contains(f, found[0]) && strings.Contains(f, found[1]) {
						t.Logf("seed %d: %s", seed, f)
						return
					}
				}
			}
			t.Errorf("not found out in %d runs", rounds)
		})
	}
}
