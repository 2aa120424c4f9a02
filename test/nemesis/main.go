// Command nemesis runs a cluster of real processes, lets clients work on it
// while nodes are killed, frozen, stopped and cut off, and holds what everybody
// was told against the log (test/check).
//
//	go run ./test/nemesis --seed 7 --minutes 5 --faults kill,freeze,cut
//	go run ./test/nemesis check FILE
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/node"
)

func main() {
	code, err := run(os.Args[1:])
	node.Remove()
	if err != nil {
		fmt.Fprintln(os.Stderr, "nemesis:", err)
		code = 2
	}
	os.Exit(code)
}

// run gives 1 when something was found.
func run(args []string) (int, error) {
	if len(args) == 2 && args[0] == "check" {
		return recheck(args[1])
	}
	p := plan{say: func(format string, args ...any) {
		fmt.Printf("%s "+format+"\n", append([]any{time.Now().Format("15:04:05.000")}, args...)...)
	}}
	known := append(slices.Sorted(maps.Keys(ways)), "cut")
	flags := flag.NewFlagSet("nemesis", flag.ContinueOnError)
	flags.Uint64Var(&p.seed, "seed", 1, "what chance does")
	minutes := flags.Float64("minutes", 1, "how long things break")
	flags.IntVar(&p.nodes, "nodes", 3, "of the cluster, 3 or more")
	flags.IntVar(&p.boards, "boards", 3, "people work on")
	flags.IntVar(&p.clients, "clients", 12, "with a socket; on each board one more calls over HTTP")
	flags.DurationVar(&p.pace, "pace", 60*time.Millisecond, "between two mutations of a client, on average")
	flags.DurationVar(&p.most, "most", 0, "how long a fault lasts at most, more than 1s; 0: as long as its kind may")
	faults := flags.String("faults", "kill,freeze,stop,cut", "what happens: "+strings.Join(known, ", "))
	keep := flags.String("keep", "", "directory for the history, also when nothing is found")
	broken := flags.String("broken", "", "a server that was broken on purpose, which must be found out: "+strings.Join(breakages(), ", "))
	if err := flags.Parse(args); err != nil {
		return 2, err
	}
	p.span = time.Duration(*minutes * float64(time.Minute))
	p.faults = strings.Split(*faults, ",")
	for _, name := range p.faults {
		if !slices.Contains(known, name) {
			return 2, fmt.Errorf("--faults: %q is none of %s", name, strings.Join(known, ", "))
		}
	}
	if p.nodes < 3 || p.boards < 1 || p.clients < p.boards || p.pace <= 0 || p.most != 0 && p.most <= time.Second {
		return 2, fmt.Errorf("3 nodes, a board, a client for each board, a pace above 0 and faults above 1s are the least")
	}
	found := act(p, *broken, *keep)
	if len(found) > 0 {
		return 1, nil
	}
	return 0, nil
}

// act does a run and prints what came of it.
func act(p plan, broken, keep string) (found []string) {
	found = perform("", func(tb testing.TB) {
		if broken != "" {
			p.binary = wounded(tb, broken)
		}
		r, h, counts := perish(tb, p, keep)
		fmt.Printf("\n%v, seed %d: %s\n%s\nslowest verdict %v\n", p.span, p.seed, summary(counts), summary(r.Counts), r.Slowest.Round(time.Millisecond))
		if len(r.Findings) > 0 && keep == "" {
			if dir, err := os.MkdirTemp("", "nemesis"); err == nil {
				keep = dir
			}
		}
		if keep != "" {
			if err := store(h, keep); err != nil {
				tb.Error(err)
			}
			fmt.Println("history:", filepath.Join(keep, historyFile))
		}
		for _, f := range r.Findings {
			tb.Error(f)
		}
		for _, path := range r.Pictures {
			fmt.Println("picture:", path)
		}
	})
	for _, f := range found {
		fmt.Println("FOUND", f)
	}
	return found
}

// perish does a run; it is also what the tests do.
func perish(tb testing.TB, p plan, dir string) (check.Report, *check.History, map[string]int) {
	tb.Helper()
	w := newWorld(tb, p)
	w.run()
	h := w.history()
	return check.Check(h, dir), h, w.counts
}

const historyFile = "history.ndjson"

func store(h *check.History, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, historyFile))
	if err != nil {
		return err
	}
	if err := h.Write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// recheck looks at a history that was kept.
func recheck(path string) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 2, err
	}
	defer f.Close()
	h, err := check.Read(f)
	if err != nil {
		return 2, fmt.Errorf("%s: %w", path, err)
	}
	r := check.Check(h, filepath.Dir(path))
	fmt.Printf("%s\n%s\nslowest verdict %v\n", h.About, summary(r.Counts), r.Slowest.Round(time.Millisecond))
	for _, found := range r.Findings {
		fmt.Println("FOUND", found)
	}
	if len(r.Findings) > 0 {
		return 1, nil
	}
	return 0, nil
}
