// Command peers measures Snapback beside servers that do a part of its work:
// a bare hub, Socket.IO and ShareDB. README.md says how and what it tells.
//
//	go run ./test/peers --rounds 3 --seconds 10 --pin
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/snapback-io/snapback/cmd/snapback/load"
	"github.com/snapback-io/snapback/test/peers/hub"
)

const module = "github.com/snapback-io/snapback"

func main() {
	if len(os.Args) > 1 && os.Args[1] == hubCommand {
		fmt.Fprintln(os.Stderr, "peers:", hub.Run(os.Args[2:], os.Stdout))
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	rounds  int
	seconds float64
	only    string
	benches string
	json    bool
	pin     bool
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	var o options
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 3, "how often each server is measured, all servers in turn; the table shows medians")
	flags.Float64Var(&o.seconds, "seconds", 10, "how long each measurement runs")
	flags.StringVar(&o.only, "only", "", "only these servers, with commas: "+strings.Join(names(peers), ", "))
	flags.StringVar(&o.benches, "bench", "", "only these measurements, with commas: "+strings.Join(names(benches), ", "))
	flags.BoolVar(&o.json, "json", false, "print every run as JSON instead of the table")
	flags.BoolVar(&o.pin, "pin", false, "the server on core 0, the clients on core 1")
	if err := flags.Parse(args); err != nil {
		return err
	}
	servers, err := chosen(peers, o.only)
	if err != nil {
		return err
	}
	measured, err := chosen(benches, o.benches)
	if err != nil {
		return err
	}
	w, err := newWorkshop(ctx, o.pin)
	if err != nil {
		return err
	}
	defer w.remove()
	for _, p := range servers {
		if err := p.prepare(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if busy := loadAverage(); busy > 0.5 {
		fmt.Fprintf(progress, "peers: this machine is at work (load average %.1f): the figures will not be the servers'\n", busy)
	}
	if o.pin {
		if err := load.PinSelf(); err != nil {
			return err
		}
	}
	runs, err := measure(ctx, w, servers, measured, o, progress)
	if err != nil {
		return err
	}
	r := report{Machine: w.machine(o), Runs: runs}
	if o.json {
		return json.NewEncoder(out).Encode(r)
	}
	return r.table(out, servers, measured)
}

// loadAverage is that of the last minute; 0 if the system does not tell.
func loadAverage() (busy float64) {
	text, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(string(text), &busy)
	return busy
}

type named interface{ id() string }

func names[T named](list []T) (names []string) {
	for _, x := range list {
		names = append(names, x.id())
	}
	return names
}

// chosen is what a flag names of a list; an empty flag names all.
func chosen[T named](list []T, flag string) ([]T, error) {
	if flag == "" {
		return list, nil
	}
	var some []T
	for name := range strings.SplitSeq(flag, ",") {
		at := slices.Index(names(list), name)
		if at < 0 {
			return nil, fmt.Errorf("there is no %q, but: %s", name, strings.Join(names(list), ", "))
		}
		some = append(some, list[at])
	}
	return some, nil
}

// taken is one run of a measurement.
type taken struct {
	Peer  string      `json:"peer"`
	Bench string      `json:"bench"`
	Round int         `json:"round"`
	Run   load.Result `json:"run"`
}

// measure has each round measure every server, every second round in the other
// order: what the machine does meanwhile is shared by all of them.
func measure(ctx context.Context, w *workshop, servers []peer, measured []bench, o options, progress io.Writer) ([]taken, error) {
	length := time.Duration(o.seconds * float64(time.Second))
	span := load.Span{Warm: length / 5, Measure: length, CPU: childrenCPU()}
	var runs []taken
	for round := 1; round <= o.rounds; round++ {
		order := slices.Clone(servers)
		if round%2 == 0 {
			slices.Reverse(order)
		}
		for _, p := range order {
			s, err := p.start(ctx, w)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			for _, b := range measured {
				fmt.Fprintf(progress, "round %d of %d: %s, %s\n", round, o.rounds, p.name, b.name)
				result, err := b.run(ctx, s.Target, b.name, span)
				if err != nil {
					s.stop()
					return nil, fmt.Errorf("%s, %s: %w", p.name, b.name, err)
				}
				runs = append(runs, taken{p.name, b.name, round, result})
			}
			s.stop()
		}
	}
	return runs, nil
}

// workshop is where the servers are built and run.
type workshop struct {
	dir    string // of all that is written
	source string // test/peers
	pin    bool
}

func newWorkshop(ctx context.Context, pin bool) (*workshop, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w (run it inside the repository)", err)
	}
	dir, err := os.MkdirTemp("", "peers")
	return &workshop{dir: dir, source: filepath.Join(strings.TrimSpace(string(root)), "test", "peers"), pin: pin}, err
}

// snapback is the binary of this project's server.
func (w *workshop) snapback() string { return filepath.Join(w.dir, "snapback") }

func (w *workshop) remove() { os.RemoveAll(w.dir) }
