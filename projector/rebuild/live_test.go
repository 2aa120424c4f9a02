package rebuild

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/domain/service"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector"
)

// screen is a view of one board that is kept current, as a room's is.
type screen struct {
	mu   sync.Mutex
	view *projector.View
	feed *projector.Feed
}

func (s *screen) Load(v *projector.View) { s.mu.Lock(); s.view = v; s.mu.Unlock() }
func (s *screen) Repeat(domain.Verdict)  {}
func (s *screen) Apply(r eventlog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.view.Apply(r)
	return err
}

// screens are the views of a node.
type screens map[string]*screen

func watch(t *testing.T, log *eventlog.Log, boards ...string) screens {
	t.Helper()
	out := screens{}
	for _, board := range boards {
		s := &screen{}
		feed, err := projector.Open(t.Context(), log, board, s, quiet)
		must(t, err)
		t.Cleanup(feed.Close)
		s.feed, out[board] = feed, s
	}
	return out
}

func (all screens) Still(_ context.Context, board string) (*domain.Still, error) {
	s := all[board]
	if s == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view.Board().Still()
}

func (all screens) Forget(ctx context.Context, board string) error {
	if s := all[board]; s != nil {
		return s.feed.Reload(ctx)
	}
	return nil
}

func serve(t *testing.T, log *eventlog.Log) (s *service.Service, stop func()) {
	t.Helper()
	s, err := service.New(service.Config{Log: log, Logger: quiet, SnapshotEvery: 40})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return s, stop
}

// people change boards all the time and count their verdicts.
type people struct {
	t            *testing.T
	log          *eventlog.Log
	stop         atomic.Bool
	wg           sync.WaitGroup
	asked, acked atomic.Int64
}

func (p *people) work(board string) {
	verdicts := make(chan domain.Verdict, 16)
	unsubscribe, err := p.log.Subscribe(board, func(a eventlog.Announcement) {
		if a.Verdict != nil {
			verdicts <- *a.Verdict
		}
		if a.Record != nil {
			for i := range a.Record.Commit.Decisions {
				verdicts <- a.Record.Commit.Decisions[i].Verdict()
			}
		}
	})
	must(p.t, err)
	p.wg.Go(func() {
		defer unsubscribe()
		for n := 0; !p.stop.Load(); n++ {
			p.one(board, n, verdicts)
		}
	})
}

func (p *people) one(board string, n int, verdicts <-chan domain.Verdict) {
	change := domain.Change{EntityID: fmt.Sprint("card-", n%20), Patch: domain.Patch{"title": fmt.Sprint("card at ", n)}}
	if n%7 == 0 {
		change = domain.Change{EntityID: board, Patch: domain.Patch{"title": fmt.Sprint("board at ", n)}}
	}
	now := time.Now().UTC()
	cmd := domain.Command{ID: ulid.Make().String(), Board: board, Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen, ReceivedAt: now, Deadline: now.Add(time.Minute), Changes: []domain.Change{change}}
	p.asked.Add(1)
	for {
		if err := p.log.PublishCommand(&cmd, time.Minute); err != nil {
			p.t.Error(err)
			return
		}
		for again := time.After(2 * time.Second); ; {
			select {
			case v := <-verdicts:
				if v.ID != cmd.ID {
					continue
				}
				if v.Rejection != nil {
					p.t.Errorf("board %s: %s refused: %v", board, cmd.ID, v.Rejection)
				}
				p.acked.Add(1)
				return
			case <-again:
			}
			break
		}
	}
}

// TestRun_WhileTheServerServes: workers and views that were loaded from wrong
// snapshots, and go on from them, are loaded again; what is wrong in the stores is
// put right; and nobody who works on the boards notices.
func TestRun_WhileTheServerServes(t *testing.T) {
	t.Parallel()
	log, ctx := openLog(t), t.Context()
	var boards []string
	for i := range 4 {
		board := fmt.Sprint("busy", i)
		newAuthor(t, log, board)
		boards = append(boards, board)
	}
	checked(t, log, Options{settle: time.Nanosecond}, map[string]string{"busy0": "there is", "busy1": "there is", "busy2": "there is", "busy3": "there is"})
	for _, board := range boards[:2] { // a card's text that no mutation touches
		must(t, log.PutSnapshot(ctx, board, tampered(t, log, board, "Todo", "Dodo")))
		log.DropKept(board)
	}
	entry, revision := stored(t, log, "busy2")
	entry.Title, entry.Seq = "Something else", 1<<40
	must(t, log.ReplaceListing(ctx, entry, revision))
	_, revision = stored(t, log, "busy3")
	must(t, log.DropListing(ctx, "busy3", revision))

	s, stop := serve(t, log)
	view := watch(t, log, boards...)
	p := &people{t: t, log: log}
	for _, board := range boards {
		p.work(board)
	}
	for p.acked.Load() < 200 { // all workers are at work, and have made snapshots
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	opt := Options{Memories: map[string]Memory{"worker": s, "view": view}, settle: 30 * time.Second}
	found := map[string]int{}
	opt.Found = func(d Difference) {
		found[d.Board+" "+d.In]++
		if !d.Fixed {
			t.Errorf("not put right: %+v", d)
		}
	}
	if _, err := Run(ctx, log, opt); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"busy0 snapshot", "busy0 worker", "busy0 view", "busy1 snapshot", "busy1 worker", "busy1 view", "busy2 directory"} {
		if found[what] == 0 {
			t.Errorf("not found: %s, but %v", what, found)
		}
	}
	was := p.acked.Load()
	for range 3 { // while they go on working
		checked(t, log, Options{Check: true, Memories: opt.Memories, settle: 30 * time.Second}, nil)
	}
	p.stop.Store(true)
	p.wg.Wait()
	if p.acked.Load() != p.asked.Load() || p.acked.Load() == was {
		t.Errorf("%d mutations, %d acked, %d of them before the check", p.asked.Load(), p.acked.Load(), was)
	}
	checked(t, log, Options{Check: true, Memories: opt.Memories, settle: 30 * time.Second}, nil)
	stop()
	checked(t, log, Options{Check: true, settle: 30 * time.Second}, nil)
	for _, board := range boards {
		fresh := domain.NewBoard(board)
		for r, err := range log.Read(ctx, board, 1, 0) {
			must(t, err)
			must(t, fresh.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil))
		}
		loaded, err := eventlog.LoadBoard(ctx, log, board)
		must(t, err)
		if loaded.StateHash() != fresh.StateHash() || view[board].view.Board().StateHash() != fresh.StateHash() {
			t.Errorf("board %s is not what its log gives", board)
		}
		if entry, _ := stored(t, log, board); listingDiffers(entry, fresh) != "" {
			t.Errorf("board %s: %s", board, listingDiffers(entry, fresh))
		}
	}
}
