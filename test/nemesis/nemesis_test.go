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
	for _, what := range []string{"fault kill", "fault freeze", "shards taken over", "lines cut", "clients moved", "lines swallowed", "same mutation to two nodes"} {
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
