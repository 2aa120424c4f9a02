// Command nemesis runs a cluster of real processes, lets clients work on it
// while nodes and what they stand on break, and holds what everybody was told
// against the log (test/check).
//
//	go run ./test/nemesis --seed 7 --minutes 5 --faults kill,freeze,cut
//	go run ./test/nemesis --faults all --topology split
//	go run ./test/nemesis check FILE
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/fault"
	"github.com/snapback-io/snapback/test/node"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once; then the next run sweeps up
	fault.Sweep()
	code, err := run(ctx, os.Args[1:])
	node.Remove()
	if err != nil {
		fmt.Fprintln(os.Stderr, "nemesis:", err)
		code = 2
	}
	os.Exit(code)
}

// topologies are who does what.
var topologies = []string{"same", "split"}

// run gives 1 when something was found.
func run(ctx context.Context, args []string) (int, error) {
	if len(args) == 2 && args[0] == "check" {
		return recheck(args[1])
	}
	p := plan{say: func(format string, args ...any) {
		fmt.Printf("%s "+format+"\n", append([]any{time.Now().Format("15:04:05.000")}, args...)...)
	}}
	flags := flag.NewFlagSet("nemesis", flag.ContinueOnError)
	flags.Uint64Var(&p.seed, "seed", 1, "what chance does")
	minutes := flags.Float64("minutes", 1, "how long things break")
	flags.IntVar(&p.nodes, "nodes", 3, "of the cluster that decide, 3 or more")
	flags.IntVar(&p.boards, "boards", 3, "people work on")
	flags.IntVar(&p.clients, "clients", 12, "with a socket; on each board one more calls over HTTP")
	flags.DurationVar(&p.pace, "pace", 60*time.Millisecond, "between two mutations of a client, on average")
	flags.DurationVar(&p.most, "most", 0, "how long a fault lasts at most, more than 1s; 0: as long as its kind may")
	faults := flags.String("faults", "kill,freeze,stop,cut", "what happens, with a comma between, or all that is possible here:\n"+menu())
	topology := flags.String("topology", topologies[0], "every node does everything (same), or two more nodes serve the clients and the others decide (split)")
	keep := flags.String("keep", "", "directory for the history, also when nothing is found")
	broken := flags.String("broken", "", "a server that was broken on purpose, which must be found out: "+strings.Join(breakages(), ", "))
	if err := flags.Parse(args); err != nil {
		return 2, err
	}
	p.span = time.Duration(*minutes * float64(time.Minute))
	var err error
	if p.faults, err = chosen(*faults); err != nil {
		return 2, err
	}
	switch {
	case !slices.Contains(topologies, *topology):
		return 2, fmt.Errorf("--topology: %q is none of %s", *topology, strings.Join(topologies, ", "))
	case *topology == "split":
		p.gateways = 2
	}
	if *broken != "" && p.asks(clocks) {
		return 2, fmt.Errorf("--broken: a server is broken, or its clock can be set, not both")
	}
	if p.nodes < 3 || p.boards < 1 || p.clients < p.boards || p.pace <= 0 || p.most != 0 && p.most <= time.Second {
		return 2, fmt.Errorf("3 nodes, a board, a client for each board, a pace above 0 and faults above 1s are the least")
	}
	if _, why := able(); *faults == "all" {
		p.say("%s; not possible: %s", strings.Join(p.faults, ","), cmp.Or(strings.Join(why, "; "), "nothing"))
	}
	found := act(ctx, p, *broken, *keep)
	if ctx.Err() != nil {
		return 2, errors.New("stopped; nothing was judged, and nothing is left")
	}
	if len(found) > 0 {
		return 1, nil
	}
	return 0, nil
}

// act does a run and prints what came of it.
func act(ctx context.Context, p plan, broken, keep string) (found []string) {
	found = perform(ctx, "", func(tb testing.TB) {
		if broken != "" {
			p.binary = wounded(tb, broken)
		}
		w, r, h := perish(tb, p, keep)
		fmt.Printf("\n%v, seed %d: %s\n%s\nslowest verdict %v; healed at most after: %s\n", p.span, p.seed, summary(w.counts), summary(r.Counts), r.Slowest.Round(time.Millisecond), w.recovery())
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
		if ctx.Err() == nil {
			fmt.Println("FOUND", f)
		}
	}
	return found
}

// perish does a run; it is also what the tests do.
func perish(tb testing.TB, p plan, dir string) (*world, check.Report, *check.History) {
	tb.Helper()
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	w := newWorld(tb, p)
	w.run()
	h := w.history()
	r := check.Check(h, dir)
	r.Findings = append(r.Findings, w.found...)
	return w, r, h
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
