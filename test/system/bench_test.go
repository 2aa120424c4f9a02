package system

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/test/node"
)

// Every measurement runs, on a server that it starts, and prints the figures
// that its page speaks of.
func TestBench_EveryMeasurementRuns(t *testing.T) {
	for args, figures := range map[string]string{
		"moves --boards 2 --clients 2 --window 2":    "acked,syncs,ack p50,ack p99",
		"hot --clients 3 --small":                    "acked,syncs,ack p50",
		"steady --boards 2 --clients 2 --rate 100":   "acked,ack p50,ack p99,sent late p99",
		"fanout --viewers 5 --rate 50":               "changes,syncs,sync p50,sync p99",
		"idle --boards 2 --connections 10":           "per connection",
		"join --cards 150 --records 100 --samples 5": "warm p50,cold p50,board",
		"resume --boards 2 --clients 10":             "all ready",
		"history --records 100":                      "ack p50,ratio,opening",
		"past --cards 10 --records 300 --samples 3":  "look p50,now p50,board",
		"boards --boards 10":                         "ack p50,ratio",
	} {
		name, _, _ := strings.Cut(args, " ")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(node.Binary(t), append([]string{"bench"}, strings.Fields(args+" --rounds 1 --time 300ms --warm 100ms --json")...)...)
			temp := t.TempDir()
			cmd.Env = append(cmd.Environ(), "TMPDIR="+temp)
			var errs strings.Builder
			cmd.Stderr = &errs
			out, err := cmd.Output()
			if err != nil && !strings.Contains(errs.String(), "of its core") {
				t.Fatalf("%v\n%s", err, &errs)
			}
			var report struct {
				Machine struct{ Cores int }
				Benches []struct {
					Bench   string
					Rounds  []struct{ GeneratorLoad float64 }
					Figures []struct {
						Name  string
						Value float64
					}
				}
			}
			if err := json.Unmarshal(out, &report); err != nil || report.Machine.Cores == 0 || len(report.Benches) == 0 || report.Benches[0].Bench != name {
				t.Fatalf("%v in %s", err, out)
			}
			if report.Benches[0].Rounds[0].GeneratorLoad > 0.9 {
				return // and so there are none
			}
			got := map[string]float64{}
			for _, f := range report.Benches[0].Figures {
				got[f.Name] = f.Value
			}
			for _, want := range strings.Split(figures, ",") {
				if v, is := got[want]; !is || v <= 0 && want != "per connection" {
					t.Errorf("%s is %v in %s", want, v, out)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
