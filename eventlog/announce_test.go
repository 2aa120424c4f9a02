package eventlog

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/snapback-io/snapback/domain"
)

func TestAnnounce_EveryKindArrives(t *testing.T) {
	t.Run("R1", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, t.TempDir())
		a, b := openLog(t, Config{InProcess: s, Shards: 1}), openLog(t, Config{InProcess: s, Shards: 1})
		t.Run("own", func(t *testing.T) { everyKindArrives(t, a, a) })
		t.Run("another's", func(t *testing.T) { everyKindArrives(t, a, b) })
	})
	t.Run("R3", func(t *testing.T) {
		t.Parallel()
		nodes := sharedCluster.nodes(t)
		a := openLog(t, Config{InProcess: nodes[0], Shards: clusterShards, Replicas: 3})
		b := openLog(t, Config{InProcess: nodes[1], Shards: clusterShards, Replicas: 3})
		everyKindArrives(t, a, b)
	})
}

func everyKindArrives(t *testing.T, from, to *Log) {
	board := newBoard()
	got := make(chan Announcement, 10)
	stop, err := to.Subscribe(board, func(a Announcement) { got <- a })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	data, hash := commitOf(t, board, domain.Hash{}, "m")
	commit, _, err := domain.DecodeCommit(data)
	if err != nil {
		t.Fatal(err)
	}
	rec := &Record{Board: board, Seq: 12, Prev: 7, Data: data, Hash: hash, Commit: commit}
	verdict := &domain.Verdict{User: "u", ID: "m", Rev: 3, Events: 1, Seq: 9}
	announce := func(a Announcement) Announcement {
		t.Helper()
		return awaitNews(t, from, got, board, a)
	}
	a := announce(Announcement{Record: rec})
	if r := a.Record; r == nil || r.Seq != 12 || r.Prev != 7 || r.Hash != hash || !r.Time.Equal(commit.At) || r.Board != board || r.Commit.Decisions[0].ID != "m" {
		t.Errorf("record %+v", a)
	}
	if own := from == to; own != (a.Record.Commit == commit) {
		t.Errorf("decoded again: %v", own)
	}
	if a := announce(Announcement{Verdict: verdict}); a.Verdict == nil || a.Verdict.ID != "m" || a.Verdict.Seq != 9 {
		t.Errorf("verdict %+v", a)
	}
	if a := announce(Announcement{Head: 44}); a.Head != 44 || a.Record != nil || a.Verdict != nil {
		t.Errorf("head %+v", a)
	}
	if from == to {
		return
	}
	broken := &Record{Board: board, Seq: 13, Data: []byte("broken"), Commit: commit}
	if a := announce(Announcement{Record: broken}); a.Record != nil || a.Head != 13 {
		t.Errorf("a record that cannot be read: %+v", a)
	}
}

// awaitNews announces and gives what is heard then. A route of a cluster may
// not know of the subscription yet, so it is announced again and again.
func awaitNews(t *testing.T, from *Log, got chan Announcement, board string, a Announcement) (heard Announcement) {
	t.Helper()
	for len(got) > 0 {
		<-got
	}
	eventually(t, "the announcement arrives", func() bool {
		if err := from.Announce(board, a); err != nil {
			t.Fatal(err)
		}
		select {
		case heard = <-got:
			return true
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
	return heard
}

// What a Log announces comes to its own subscribers once, in order, and one at
// a time with what comes from elsewhere.
func TestAnnounce_OwnSubscribersHearItOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	a, b := openLog(t, Config{InProcess: s, Shards: 1}), openLog(t, Config{InProcess: s, Shards: 1})
	board := newBoard()
	const n = 1000
	var heard []uint64
	var last atomic.Uint64
	busy := false // the race detector sees two at a time, as this does
	stop, err := a.Subscribe(board, func(news Announcement) {
		if busy {
			t.Error("two at a time")
		}
		busy = true
		if heard = append(heard, news.Head); news.Head > n {
			runtime.Gosched()
		}
		busy = false
		last.Add(1)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	var both sync.WaitGroup
	for _, from := range []struct {
		log   *Log
		first uint64
	}{{a, 1}, {b, n + 1}} {
		both.Go(func() {
			for i := range uint64(n) {
				if err := from.log.Announce(board, Announcement{Head: from.first + i}); err != nil {
					t.Error(err)
				}
			}
			if err := from.log.live.Flush(); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	eventually(t, "all heard", func() bool { return last.Load() >= 2*n })
	if err := b.Announce(board, Announcement{Head: 2*n + 1}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the last heard", func() bool { return last.Load() >= 2*n+1 })
	slices.Sort(heard)
	for i, head := range heard {
		if head != uint64(i)+1 {
			t.Fatalf("heard %d as number %d", head, i)
		}
	}
}

// Nothing is sent to nobody, and everything as soon as somebody else listens.
func TestAnnounce_SentOnlyToOthers(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	a, b := openLog(t, Config{InProcess: s, Shards: 1}), openLog(t, Config{InProcess: s, Shards: 1})
	board := newBoard()
	listen := func(l *Log) (stop func()) {
		t.Helper()
		stop, err := l.Subscribe(board, func(Announcement) {})
		if err != nil {
			t.Fatal(err)
		}
		return stop
	}
	sent := func() uint64 {
		t.Helper()
		before := a.live.Stats().OutMsgs
		if err := a.Announce(board, Announcement{Head: 1}); err != nil {
			t.Fatal(err)
		}
		return a.live.Stats().OutMsgs - before
	}
	if n := sent(); n != 0 {
		t.Errorf("%d sent to nobody", n)
	}
	stop := listen(a)
	defer listen(a)()
	if n := sent(); n != 0 {
		t.Errorf("%d sent to nobody else", n)
	}
	defer listen(b)()
	if n := sent(); n != 1 {
		t.Errorf("%d sent to one listener", n)
	}
	stop()
	if n := sent(); n != 1 {
		t.Errorf("%d sent to one listener", n)
	}
	a.live.Close()
	if err := a.Announce(board, Announcement{Head: 1}); err == nil {
		t.Error("announced without a connection")
	}
}

// Whatever is announced after Subscribe returned arrives; after stop nothing does.
func TestSubscribe_InForceWhenItReturns(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	a, b := openLog(t, Config{InProcess: s, Shards: 1}), openLog(t, Config{InProcess: s, Shards: 1})
	for range 200 {
		board := newBoard()
		got := make(chan uint64, 1)
		stop, err := a.Subscribe(board, func(a Announcement) { got <- a.Head })
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Announce(board, Announcement{Head: 1}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-got:
		case <-time.After(60 * time.Second):
			t.Fatal("announcement missed")
		}
		stop()
	}
}

func TestAnnounce_AnotherEpochIsNotHeard(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	l, other := openLog(t, Config{InProcess: s, Shards: 1}), openLog(t, Config{InProcess: s, Shards: 1})
	other.epoch = "another"
	board := newBoard()
	got := make(chan uint64, 10)
	stop, err := l.Subscribe(board, func(a Announcement) { got <- a.Head })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if err := other.Announce(board, Announcement{Head: 1}); err != nil {
		t.Fatal(err)
	}
	if err := other.live.Flush(); err != nil {
		t.Fatal(err)
	}
	other.epoch = l.epoch
	if err := other.Announce(board, Announcement{Head: 2}); err != nil {
		t.Fatal(err)
	}
	if head := <-got; head != 2 {
		t.Fatalf("heard %d", head)
	}
}

// What is announced is not void, whatever clocks say: one that stepped back
// while the commit was made has it stamped later than its NotAfter.
func TestAnnounce_ARecordIsNeverVoid(t *testing.T) {
	t.Parallel()
	deadline := time.Now().UTC().Truncate(time.Millisecond)
	commit := &domain.Commit{V: domain.CommitVersion, Board: "b", At: deadline.Add(time.Millisecond), NotAfter: deadline}
	data, hash, err := commit.Encode()
	if err != nil {
		t.Fatal(err)
	}
	a, ok := (&Log{epoch: "e"}).announcement("b", &nats.Msg{Data: data, Header: nats.Header{
		headerKind: {kindRecord}, headerEpoch: {"e"}, headerSeq: {"2"}, headerPrev: {"1"}, headerHash: {hash.String()},
	}})
	if !ok || a.Record == nil || a.Record.Void() {
		t.Errorf("read as %+v", a.Record)
	}
}
