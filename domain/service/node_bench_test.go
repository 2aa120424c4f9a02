package service

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// BenchmarkNode measures what a node spends from PublishCommand to the
// announcement of the verdict: one Log on an embedded server that syncs every
// append, so many mutations in flight on each board.
func BenchmarkNode(b *testing.B) {
	for _, load := range []struct{ boards, window int }{{200, 1}, {50, 16}, {1, 200}} {
		b.Run(fmt.Sprintf("boards=%d/window=%d", load.boards, load.window), func(b *testing.B) {
			log := realLogs(b, 1)[0]
			stop := runOn(b, log)
			defer stop()
			d := driver{b: b, log: log}
			for i := range load.boards {
				d.open(i, load.window)
			}
			b.ResetTimer()
			used := cpuTime()
			d.records.Store(0)
			d.run(b.N)
			b.StopTimer()
			b.ReportMetric(float64((cpuTime()-used).Nanoseconds())/1e3/float64(b.N), "cpu-us/mutation")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mutations/s")
			b.ReportMetric(float64(b.N)/float64(max(d.records.Load(), 1)), "mutations/commit")
			b.ReportMetric(0, "ns/op")
			if n := d.refused.Load(); n > 0 {
				b.Errorf("%d refused", n)
			}
		})
	}
}

// cpuTime is what this process has used of the processor.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// driver sends mutations of small cards, the next one as soon as one has its verdict.
type driver struct {
	b                *testing.B
	log              commandLog
	boards           []*driven
	records, refused atomic.Int64
}

type driven struct {
	id      string
	rng     *rand.Rand
	window  int
	verdict chan struct{}
	last    []string // mutation of each client; four share a window of sixteen
	n       int
}

const drivenCards = 20

// open makes a board with cards.
func (d *driver) open(n, window int) {
	t := &driven{id: fmt.Sprint("board-", n), rng: rand.New(rand.NewPCG(uint64(n), 1)), window: window,
		verdict: make(chan struct{}, window), last: make([]string, max(1, window/4))}
	stop, err := d.log.Subscribe(t.id, func(a eventlog.Announcement) {
		if a.Record == nil {
			return
		}
		d.records.Add(1)
		for i := range a.Record.Commit.Decisions {
			if a.Record.Commit.Decisions[i].Rejection != nil {
				d.refused.Add(1)
			}
			t.verdict <- struct{}{}
		}
	})
	if err != nil {
		d.b.Fatal(err)
	}
	d.b.Cleanup(stop)
	changes := []domain.Change{boardChange(t.id), columnChange("column", 0)}
	for i := range drivenCards {
		changes = append(changes, cardChange(fmt.Sprint("card-", i), "column"))
	}
	d.send(t, changes...)
	<-t.verdict
	d.boards = append(d.boards, t)
}

func (d *driver) send(t *driven, changes ...domain.Change) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	cmd := domain.Command{ID: newID(t.rng, now), Board: t.id, Op: domain.OpMutate, User: "ann", Name: "Ann", Session: "01J8ZQ5Y3N0000000000000000",
		Grant: domain.GrantOpen, ReceivedAt: now, Deadline: now.Add(time.Minute), Changes: changes}
	if t.window > 1 {
		client := t.n % len(t.last)
		cmd.After, t.last[client] = t.last[client], cmd.ID
	}
	t.n++
	if err := d.log.PublishCommand(&cmd, time.Minute); err != nil {
		d.b.Error(err)
	}
}

func (d *driver) run(n int) {
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for _, t := range d.boards {
		all.Go(func() {
			flying := 0
			for ; left.Add(-1) >= 0; flying++ {
				if flying == t.window {
					<-t.verdict
					flying--
				}
				d.send(t, create(fmt.Sprint("card-", t.rng.IntN(drivenCards)), domain.Patch{"title": strings.Repeat(fmt.Sprint("title ", t.n, " "), 4)}))
			}
			for range flying {
				<-t.verdict
			}
		})
	}
	all.Wait()
}
