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

// edit is one text of one file replaced.
type edit struct{ file, old, with string }

// wounds are how the server is broken on purpose, by name. Each takes away what
// keeps a worker that was frozen, or an append that was stalled, from doing harm.
var wounds = map[string][]edit{
	// The expected sequence goes along under a name that the log does not heed.
	"fence": {{"eventlog/append.go", `headerExpected = "Nats-Expected-Last-Subject-Sequence"`, `headerExpected = "Unheeded-Expected-Sequence"`}, apart},
	// A commit that was stored too late counts.
	"deadline": {{"domain/decision.go", `return !c.NotAfter.IsZero() && stored.After(c.NotAfter)`, `return false`}, apart},
}

// apart leaves the leaders of streams where they are. Once a worker has drawn that
// of its records to its own node, a freeze stops both, and what it was about to
// append is lost with it: no harm, but nothing to be found out by either.
var apart = edit{"domain/service/leaders.go", `leadAfter = 15 * time.Second`, `leadAfter = time.Hour`}

func breakages() []string { return slices.Sorted(maps.Keys(wounds)) }

// breakage writes what `go build -overlay` needs for a broken server.
func breakage(tb testing.TB, name string) string {
	tb.Helper()
	edits, ok := wounds[name]
	if !ok {
		tb.Fatalf("--broken=%s: it is one of %v", name, breakages())
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		tb.Fatal(err)
	}
	dir, replaced := tb.TempDir(), map[string]string{}
	for _, x := range edits {
		path := filepath.Join(strings.TrimSpace(string(out)), filepath.FromSlash(x.file))
		source, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		if n := strings.Count(string(source), x.old); n != 1 {
			tb.Fatalf("%s has %q %d times, not once: what breaks it must be written anew", x.file, x.old, n)
		}
		replaced[path] = filepath.Join(dir, filepath.Base(path))
		write(tb, replaced[path], strings.Replace(string(source), x.old, x.with, 1))
	}
	overlay, _ := json.Marshal(map[string]any{"Replace": replaced})
	file := filepath.Join(dir, "overlay.json")
	write(tb, file, string(overlay))
	return file
}

func write(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
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
