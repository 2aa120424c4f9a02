package eventlog

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// follower has some of a board's records and counts how often it is asked to
// look for more.
type follower struct {
	log     *Log
	board   string
	records atomic.Uint64
	checks  atomic.Int64
	fails   atomic.Bool
}

func (f *follower) Records() uint64 { return f.records.Load() }

func (f *follower) CheckHead(ctx context.Context) error {
	f.checks.Add(1)
	if f.fails.Load() {
		return ErrUnknown
	}
	n := uint64(0)
	for _, err := range f.log.Read(ctx, f.board, 1, 0) {
		if err != nil {
			return err
		}
		n++
	}
	f.records.Store(n)
	return nil
}

// watching gives boards that are watched and rounds that check the heads of
// all shards.
func watching(t *testing.T, l *Log, boards int) (list []*follower, round func()) {
	l.watches.every = time.Hour
	for range boards {
		f := &follower{log: l, board: newBoard()}
		fill(t, l, f.board, 2)
		f.records.Store(2)
		t.Cleanup(l.WatchHead(f.board, f))
		list = append(list, f)
	}
	return list, func() {
		t.Helper()
		for shard := range l.shards {
			if err := l.checkHeads(t.Context(), shard); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Whoever has all records of its board is not asked, by the counts of the
// leader; whoever misses one is.
func TestWatchHead_AsksWhoMissesARecord(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		list, round := watching(t, l, 40)
		stop := list[0]
		want := func(what string, checks ...int64) {
			t.Helper()
			round()
			for i, f := range list {
				n := int64(0)
				if i < len(checks) {
					n = checks[i]
				}
				if got := f.checks.Swap(0); got != n {
					t.Errorf("%s: board %d is checked %d times, want %d", what, i, got, n)
				}
			}
		}
		want("everybody has everything")
		more(t, l, stop.board)
		more(t, l, list[1].board)
		list[1].records.Add(1) // it was announced
		want("one record is missed", 1, 0)
		want("nothing happened since")
		more(t, l, list[1].board)
		more(t, l, list[2].board)
		list[2].records.Add(2)
		want("one has fewer, one more than there are", 0, 1, 1)
	})
}

func more(t testing.TB, l *Log, board string) {
	t.Helper()
	head, err := l.Head(t.Context(), board)
	if err != nil {
		t.Fatal(err)
	}
	data, hash := commitOf(t, board, domain.Hash{}, fmt.Sprint("more", head))
	if _, err := l.Append(t.Context(), board, data, hash, head); err != nil {
		t.Fatal(err)
	}
}

// Few watched boards among many are asked for one by one, and not at all while
// their shard stands still. A check that failed is made again.
func TestWatchHead_AmongMany(t *testing.T) {
	t.Parallel()
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	for i := range headCost + 10 {
		fill(t, l, fmt.Sprint("other", i), 1)
	}
	list, round := watching(t, l, 1)
	f := list[0]
	check := func(what string, want int64) {
		t.Helper()
		round()
		if n := f.checks.Swap(0); n != want {
			t.Errorf("%s: checked %d times, want %d", what, n, want)
		}
	}
	check("at first", 1)
	check("nothing happened", 0)
	fill(t, l, "another", 1)
	check("something happened to another", 1)
	f.fails.Store(true)
	fill(t, l, "yet-another", 1)
	check("it fails", 1)
	check("it fails again", 1)
	f.fails.Store(false)
	check("it does not", 1)
	check("all is well", 0)
}

// The rounds come by themselves until the follower stops.
func TestWatchHead_Rounds(t *testing.T) {
	t.Parallel()
	l := single(t)
	l.watches.every = 10 * time.Millisecond
	f := &follower{log: l, board: newBoard()}
	fill(t, l, f.board, 3)
	stop := l.WatchHead(f.board, f)
	eventually(t, "the follower has everything", func() bool { return f.Records() == 3 })
	stop()
	more(t, l, f.board)
	n := f.checks.Load()
	time.Sleep(50 * time.Millisecond)
	if now := f.checks.Load(); now > n+1 {
		t.Errorf("checked %d times after it stopped", now-n)
	}
}

// BenchmarkCheckHeads is a round over watched boards of one shard of which few
// have records that nobody announced.
func BenchmarkCheckHeads(b *testing.B) {
	for _, boards := range []int{60, 12_500} {
		b.Run(fmt.Sprintf("boards=%d", boards), func(b *testing.B) {
			l := unsynced(b, 1)
			l.watches.every = time.Hour
			for i := range boards {
				f := &follower{log: l, board: fmt.Sprint("board-", i)}
				fill(b, l, f.board, 1)
				f.records.Store(1)
				b.Cleanup(l.WatchHead(f.board, f))
			}
			for b.Loop() {
				more(b, l, "board-0")
				if err := l.checkHeads(b.Context(), 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
