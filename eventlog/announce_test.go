package eventlog

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/snapback-io/snapback/domain"
)

func TestAnnounce_EveryKindArrives(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		got := make(chan Announcement, 10)
		stop, err := l.Subscribe(board, func(a Announcement) { got <- a })
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		data, hash := commitOf(t, board, domain.Hash{}, "m")
		commit, _, err := domain.DecodeCommit(data)
		if err != nil {
			t.Fatal(err)
		}
		verdict := &domain.Verdict{User: "u", ID: "m", Rev: 3, Events: 1, Seq: 9}
		announce := func(a Announcement) Announcement {
			t.Helper()
			if err := l.Announce(board, a); err != nil {
				t.Fatal(err)
			}
			select {
			case a := <-got:
				return a
			case <-time.After(10 * time.Second):
				t.Fatal("does not arrive")
				return Announcement{}
			}
		}
		a := announce(Announcement{Record: &Record{Board: board, Seq: 12, Prev: 7, Data: data, Hash: hash, Commit: commit}})
		if r := a.Record; r == nil || r.Seq != 12 || r.Prev != 7 || r.Hash != hash || !r.Time.Equal(commit.At) || r.Board != board || r.Commit.Decisions[0].ID != "m" {
			t.Errorf("record %+v", a)
		}
		if a := announce(Announcement{Verdict: verdict}); a.Verdict == nil || a.Verdict.ID != "m" || a.Verdict.Seq != 9 {
			t.Errorf("verdict %+v", a)
		}
		if a := announce(Announcement{Head: 44}); a.Head != 44 || a.Record != nil || a.Verdict != nil {
			t.Errorf("head %+v", a)
		}
		if a := announce(Announcement{Record: &Record{Seq: 13, Data: []byte("broken")}}); a.Record != nil || a.Head != 13 {
			t.Errorf("a record that cannot be read: %+v", a)
		}
	})
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
		case <-time.After(10 * time.Second):
			t.Fatal("announcement missed")
		}
		stop()
	}
}

func TestAnnounce_AnotherEpochIsNotHeard(t *testing.T) {
	t.Parallel()
	l := single(t)
	board := newBoard()
	got := make(chan uint64, 10)
	stop, err := l.Subscribe(board, func(a Announcement) { got <- a.Head })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	other := &Log{epoch: "another", live: l.live}
	if err := other.Announce(board, Announcement{Head: 1}); err != nil {
		t.Fatal(err)
	}
	if err := l.Announce(board, Announcement{Head: 2}); err != nil {
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
