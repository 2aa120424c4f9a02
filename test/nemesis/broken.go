package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// wound is how the server is broken on purpose: one text of one file replaced.
type wound struct{ file, old, with string }

// wounds by name. Each takes away what keeps a worker that was frozen, or an
// append that was stalled, from doing harm.
var wounds = map[string]wound{
	// The expected sequence goes along under a name that the log does not heed.
	"fence": {"eventlog/append.go", `headerExpected = "Nats-Expected-Last-Subject-Sequence"`, `headerExpected = "Unheeded-Expected-Sequence"`},
	// A commit that was stored too late counts.
	"deadline": {"domain/decision.go", `return !c.NotAfter.IsZero() && stored.After(c.NotAfter)`, `return false`},
}

func breakages() []string { return slices.Sorted(maps.Keys(wounds)) }

// breakage writes what `go build -overlay` needs for a broken server.
func breakage(tb testing.TB, name string) string {
	tb.Helper()
	x, ok := wounds[name]
	if !ok {
		tb.Fatalf("--broken=%s: it is one of %v", name, breakages())
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(strings.TrimSpace(string(out)), filepath.FromSlash(x.file))
	source, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if n := strings.Count(string(source), x.old); n != 1 {
		tb.Fatalf("%s has %q %d times, not once: what breaks it must be written anew", x.file, x.old, n)
	}
	dir := tb.TempDir()
	copied := filepath.Join(dir, filepath.Base(path))
	overlay, _ := json.Marshal(map[string]any{"Replace": map[string]string{path: copied}})
	file := filepath.Join(dir, "overlay.json")
	for name, text := range map[string]string{copied: strings.Replace(string(source), x.old, x.with, 1), file: string(overlay)} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return file
}

// wounded builds a broken server.
func wounded(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "snapback")
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-overlay", breakage(tb, name), "-o", path, "github.com/snapback-io/snapback/cmd/snapback").CombinedOutput()
	if err != nil {
		tb.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}
