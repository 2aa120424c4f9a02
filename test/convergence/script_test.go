package convergence

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/node"
)

var scriptSeeds = flag.Int("scriptseeds", 5, "how many seeds of TypeScript clients to run, from 1 on")

// TestConvergenceOfTypeScript: stores of @snapback/client, some in a process of
// Node and some on a page of Chromium, converge with each other and with the Go
// client, and every law holds for them.
func TestConvergenceOfTypeScript(t *testing.T) {
	t.Parallel()
	chrome.Path(t)
	nodePath(t)
	sum := &total{counts: map[string]int{}}
	from, to := uint64(1), uint64(*scriptSeeds)
	if *oneSeed > 0 {
		from, to = *oneSeed, *oneSeed
	}
	t.Run("seeds", func(t *testing.T) {
		for seed := from; seed <= to; seed++ {
			t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
				t.Parallel()
				runScripts(t, seed, sum)
			})
		}
	})
	t.Logf("%d seeds: %s", sum.ran, summary(sum.counts))
	if *oneSeed > 0 || *scriptSeeds < 5 || t.Failed() {
		return
	}
	sum.asked(t,
		"cuts", "cuts at a byte", "delays", "stalls", "servers killed", "cmd lost|cmd doubled", "resumed", "lists in order", "script mutations", "reloads",
		"script acked", "script invalid", "script too_large", "script not_found", "script withdrawn", "turn undo",
		"script conflict|script wip_limit|script name_taken|script not_empty|script archived",
	)
}

func runScripts(t *testing.T, seed uint64, sum *total) {
	p := newPlan(seed)
	p.clients, p.activity, p.uplink, p.stall = 7, 5*time.Second, 2*time.Second, 2*time.Second
	page := newPageStage(t)
	stages := []stage{newNodeStage(t), page}
	w := newWorld(t, p, func(w *world, e *entry) (actor, error) {
		name := fmt.Sprint("user", e.i)
		switch e.i {
		case 4: // a second window of the first user, in the other place
			name = "user0"
		case 5: // the Go client and whoever sends broken frames are on the same board
			return w.usual(e)
		case 6:
			return newReloaded(w, page.another(t), e, name)
		}
		return newScripted(w, stages[(e.i+e.i/4)%2], e, name, "")
	})
	w.run(w.faults)
	w.judge()
	w.mu.Lock()
	defer w.mu.Unlock()
	sum.add(w.counts)
	t.Logf("%+v: %s", p, summary(w.counts))
	if t.Failed() {
		t.Logf("to run it again: go test -race ./test/convergence -run TestConvergenceOfTypeScript -seed %d", seed)
	}
}

// TestConvergenceFindsBrokenScripts: of stores that are broken in one way each,
// each is found, and a sound one beside them is not blamed.
func TestConvergenceFindsBrokenScripts(t *testing.T) {
	t.Parallel()
	found := []struct{ breakage, as string }{
		{"", ""}, {"deaf", "convergence: "}, {"chatty", "law 11: "}, {"fearful", "law 4: "}, {"bold", "law 4: "}, {"forgetful", "law 11: "},
	}
	p := plan{seed: 1, clients: len(found), activity: 3 * time.Second}
	inNode := newNodeStage(t)
	w := newWorld(t, p, func(w *world, e *entry) (actor, error) {
		breakage := found[e.i].breakage
		return newScripted(w, inNode, e, "user"+breakage, breakage)
	})
	w.run(func(ctx context.Context, r *rand.Rand) { <-ctx.Done() })
	conns := w.tap.Conns()
	w.servers[0].Stop()
	records := w.read(node.OpenLog(t, w.servers[0].Data))
	for i, f := range found {
		j := check.NewJudge(records, conns)
		w.actors[i].Judge(j)
		all := strings.Join(j.Faults, "\n")
		if f.as == "" && all != "" || !strings.Contains(all, f.as) {
			t.Errorf("a client that is %q: %q not found in %s", f.breakage, f.as, all)
		}
	}
}
