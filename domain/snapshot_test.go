package domain

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
)

// What a still is encoded to is the board as it was, whatever becomes of it.
func TestStillStandsStill(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers().columns("c", "d").cards("c", "k1", "k2", "k3")
	w.must("ann", `{"entityId":"k3","patch":null}`)
	still, err := w.board.Still()
	if err != nil {
		t.Fatal(err)
	}
	want := w.snapshot()
	w.must("ann", `{"entityId":"k1","patch":{"columnId":"d"}}`, `{"entityId":"k2","patch":{"archived":true}}`)
	w.must("ann", `{"entityId":"k1","patch":null}`)
	w.cards("c", "k4", "k5").columns("e")
	got, err := still.Append([]byte("before"))
	if err != nil || !bytes.Equal(got[len("before"):], want) {
		t.Fatalf("the still has moved, %v", err)
	}
	if seq, hash := still.Head(); seq == w.seq || hash == (Hash{}) {
		t.Errorf("head %d %v", seq, hash)
	}
	if bytes.Equal(w.snapshot(), want) {
		t.Error("the board has not moved")
	}
}

// Boards made of one still go on by themselves, at the same time as the board it
// was taken of.
func TestStillsBoardsGoOnApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers().columns("c", "d").cards("c", "k1", "k2", "k3")
	w.must("ann", `{"entityId":"f","patch":{"kind":"file","cardId":"k1","name":"a.txt","url":"https://example.org/a"}}`)
	w.must("ann", `{"entityId":"k3","patch":null}`)
	for i := range 3 * spanFew {
		w.do("ann", fmt.Sprintf(`{"entityId":"nope-%d","patch":null}`, i))
	}
	want := w.snapshot()
	still, err := w.board.Still()
	if err != nil {
		t.Fatal(err)
	}
	at, seq, log := w.now, w.seq, len(w.log)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			own := &world{t: t, board: still.Board(), now: at, seq: seq, n: 1000 * i}
			if !bytes.Equal(own.snapshot(), want) {
				t.Error("the board is another one")
			}
			own.must("ann", fmt.Sprintf(`{"entityId":"k1","patch":{"title":"of %d","columnId":"d"}}`, i%2))
			own.must("ann", `{"entityId":"k2","patch":null}`)
			for k := range 3 * spanFew {
				own.do("ann", fmt.Sprintf(`{"entityId":"nope-%d","patch":null}`, k))
			}
			wantEqual(t, "title", own.board.Get("k1").Fields.String("title"), fmt.Sprint("of ", i%2))
			if _, known := own.board.Decided("ann", "m3"); !known {
				t.Error("an id is forgotten")
			}
		})
	}
	wg.Go(func() {
		if got, err := still.Append(nil); err != nil || !bytes.Equal(got, want) {
			t.Error("the still has moved")
		}
	})
	w.cards("d", "k4", "k5")
	w.do("ann", `{"entityId":"k1","patch":null}`)
	wg.Wait()
	if again, err := LoadSnapshot(want); err != nil {
		t.Fatal(err)
	} else if got, _ := again.Snapshot(); !bytes.Equal(got, want) || len(w.log) == log {
		t.Error("a snapshot is another board")
	}
}

// A snapshot of many ids, some in a span that is still open.
func TestSnapshotKeepsDecidedIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const n = 3 * manyDecided / 4 / 2
	for i := range n {
		w.board.decided.add("ann", fmt.Sprint("x", i), uint64(i), w.now)
	}
	again, err := LoadSnapshot(w.snapshot())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*Board{w.board, again} {
		b.decided.add("ann", "later", n, w.now)
		for i := range n {
			if seq, ok := b.Decided("ann", fmt.Sprint("x", i)); !ok || seq != uint64(i) {
				t.Fatalf("%d is at %d, %v", i, seq, ok)
			}
		}
		if _, ok := b.Decided("ann", "never"); ok {
			t.Error("an id that was never decided")
		}
	}
	if got, err := again.Snapshot(); err != nil || !bytes.Equal(got, w.snapshot()) {
		t.Errorf("it goes on in another way, %v", err)
	}
}

func TestListedIsWhatAListShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, step := range []struct {
		change string
		shown  bool
	}{
		{`{"entityId":"c","patch":{"kind":"column","title":"c"}}`, false},
		{`{"entityId":"b","patch":{"title":"Another"}}`, true},
		{`{"entityId":"b","patch":{"title":"Another"}}`, false},
		{`{"entityId":"member:bob","patch":{"kind":"member","role":"viewer"}}`, true},
		{`{"entityId":"c","patch":{"title":"d"}}`, false},
		{`{"entityId":"member:bob","patch":null}`, true},
		{`{"entityId":"b","patch":{"archived":true}}`, true},
	} {
		before := w.board.Listed()
		w.do("ann", step.change)
		want := before
		if step.shown {
			want = w.seq
		}
		wantEqual(t, step.change, w.board.Listed(), want)
		again, err := LoadSnapshot(w.snapshot())
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "after a snapshot", again.Listed(), want)
	}
}

// What is remembered of a small board's last revs is small, too.
func TestStaleRevsAreDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c", "d", "e")
	at := w.board.Rev()
	w.must("ann", `{"entityId":"d","patch":null}`)
	for i := range 60 {
		var changes []string
		for k := range 100 {
			changes = append(changes, fmt.Sprintf(`{"entityId":"c","patch":{"title":"%d-%d"}}`, i, k))
		}
		w.must("ann", changes...)
	}
	if n := len(w.board.recent.revs); n > 1024+100 {
		t.Errorf("%d revisions of 4 entities", n)
	}
	wantEqual(t, "changed since", changedIDs(t, w.board, at), "c -d")
	wantEqual(t, "changed before", changedIDs(t, w.board, at-1), "e c -d")
}
