package notary

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
)

// Whenever it signs and however often it starts again, a checkpoint has the
// root of all records, and nobody reads a record twice but the last.
func TestCheckpoint_InAnySteps(t *testing.T) {
	signer := newSigner(t)
	rapid.Check(t, func(rt *rapid.T) {
		l := newFakeLog(0)
		n := newNotary(t, Config{Log: l, Signer: signer})
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			l.write(rapid.SampledFrom([]int{0, 1, 2, 255, 256, 257, 600}).Draw(rt, "records"))
			size := int64(len(l.entries))
			if rapid.Bool().Draw(rt, "restart") {
				n = newNotary(t, Config{Log: l, Signer: signer})
			}
			before := l.reads
			c, err := n.Checkpoint(t.Context(), 0)
			if size == 0 && errors.Is(err, ErrNone) {
				continue
			}
			if err != nil || c.Size != size || c.Root != l.naive(size).Root() {
				rt.Fatalf("%+v, %v, want %d records", c, err, size)
			}
			if last := int64(before); int64(l.reads) > size+last {
				rt.Fatalf("%d reads", l.reads)
			}
			hashes, err := n.Hashes(t.Context(), &c.Checkpoint, []int64{0, size - 1})
			if err != nil {
				rt.Fatal(err)
			}
			if _, err := tlog.ProveRecord(size, size-1, hashes); err != nil {
				rt.Fatal(err)
			}
		}
		if l.reads > len(l.entries)+6 {
			rt.Fatalf("%d entries, read %d times", len(l.entries), l.reads)
		}
	})
}

// Nothing new is no new checkpoint; something new is one, after the interval.
func TestRun_SignsWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLog(3)
		n := newNotary(t, Config{Log: l, Signer: newSigner(t), Every: time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { n.Run(ctx) })
		defer wg.Wait()
		defer cancel()
		for i, tt := range []struct{ write, want int }{{0, 1}, {0, 1}, {1, 2}, {0, 2}, {300, 3}} {
			if i > 0 {
				l.mu.Lock()
				l.write(tt.write)
				l.mu.Unlock()
				time.Sleep(time.Minute)
			}
			synctest.Wait()
			if got := len(l.notes); got != tt.want {
				t.Errorf("step %d: %d checkpoints, want %d", i, got, tt.want)
			}
		}
	})
}

// Whatever contradicts what was signed is not signed, says what it is, and
// nothing of the shard is signed afterwards. An older record that was changed
// is for an audit and for the external checkpoint to find.
func TestCheckpoint_RefusesAContradiction(t *testing.T) {
	t.Parallel()
	const size = 700
	for what, tt := range map[string]struct {
		change func(l *fakeLog)
		says   string
	}{
		"the tail is cut off":     {func(l *fakeLog) { l.entries = l.entries[:size-5] }, "there are 695 records, there were 700"},
		"all is gone":             {func(l *fakeLog) { l.entries = nil }, "there are 0 records"},
		"cut off and grown again": {func(l *fakeLog) { l.entries = l.entries[:size-5]; l.write(20); l.entries[size-1].Board = "x" }, "record 700 is another one"},
		"one is dropped":          {func(l *fakeLog) { l.entries = slices.Delete(l.entries, 10, 11) }, "sequences are missing"},
		"the first is dropped":    {func(l *fakeLog) { l.entries = l.entries[1:] }, "sequences are missing"},
		"one is dropped, all moved up": {func(l *fakeLog) {
			l.entries = slices.Delete(l.entries, 10, 11)
			l.renumber()
			l.write(2)
			l.entries[size-1].Board = "x"
		}, "record 700 is another one"},
		"the last is changed":      {func(l *fakeLog) { l.entries[size-1].Hash[0]++; l.write(1) }, "record 700 is another one"},
		"its checkpoints are gone": {func(l *fakeLog) { l.notes = nil }, "its checkpoints are gone"},
		"its newest one is gone":   {func(l *fakeLog) { l.notes = l.notes[:1] }, "its newest checkpoint is gone"},
		"an older one came again":  {func(l *fakeLog) { l.notes = append(l.notes, l.notes[0]) }, "a checkpoint of 300 records follows one of 700"},
	} {
		for _, restart := range []bool{false, true} {
			if restart && (what == "its checkpoints are gone" || strings.HasPrefix(what, "its newest") || strings.HasPrefix(what, "an older")) {
				continue // who did not see them cannot miss them: the external checkpoint can
			}
			l, signer := newFakeLog(300), newSigner(t)
			n := newNotary(t, Config{Log: l, Signer: signer})
			checkpointOf(t, n)
			l.write(size - 300)
			checkpointOf(t, n)
			tt.change(l)
			if restart {
				n = newNotary(t, Config{Log: l, Signer: signer})
			}
			notes := len(l.notes)
			_, err := n.Checkpoint(t.Context(), 0)
			if !errors.Is(err, proof.ErrContradiction) || !strings.Contains(err.Error(), tt.says) || !errors.Is(n.Fault(), proof.ErrContradiction) {
				t.Errorf("%s (restart %v): %v, fault %v", what, restart, err, n.Fault())
			}
			l.write(1000)
			if _, err := n.Checkpoint(t.Context(), 0); !errors.Is(err, proof.ErrContradiction) || len(l.notes) != notes {
				t.Errorf("%s (restart %v), later: %v, %d checkpoints more", what, restart, err, len(l.notes)-notes)
			}
		}
	}
}

// Something that is no checkpoint and stands as the newest one does not stop a
// notary: the last one by its key counts, and is continued.
func TestCheckpoint_PassesOverWhatIsNone(t *testing.T) {
	t.Parallel()
	signer, other := newSigner(t), newSigner(t)
	forged := func(l *fakeLog) []byte { // our name over another text
		return bytes.Replace(l.notes[len(l.notes)-1], []byte("300"), []byte("299"), 1)
	}
	for what, garbage := range map[string]func(l *fakeLog) []byte{
		"no note":         func(*fakeLog) []byte { return []byte("garbage") },
		"nothing":         func(*fakeLog) []byte { return []byte{} },
		"a signature off": forged,
		"a note of something else": func(*fakeLog) []byte {
			text, err := signer.Sign("another text\n")
			if err != nil {
				t.Fatal(err)
			}
			return text
		},
	} {
		for _, restart := range []bool{false, true} {
			lengths := []int{1}
			if what == "no note" { // which is quick to look at
				lengths = append(lengths, lookBack, 2*lookBack+1)
			}
			for _, much := range lengths {
				l := newFakeLog(300)
				n := newNotary(t, Config{Log: l, Signer: signer})
				first := checkpointOf(t, n)
				none := garbage(l)
				l.notes = append(l.notes, slices.Repeat([][]byte{none}, much)...)
				if restart {
					n = newNotary(t, Config{Log: l, Signer: signer})
				}
				if latest, err := n.Latest(t.Context(), 0); err != nil || !bytes.Equal(latest.Note, first.Note) {
					t.Errorf("%s: the latest is %q, %v", what, latest.Note, err)
				}
				if c := checkpointOf(t, n); c.Size != 300 || len(l.notes) != 1+much || n.Unreadable() != 1 {
					t.Errorf("%s: signed again: %d, %d times seen", what, c.Size, n.Unreadable())
				}
				l.write(10)
				if c := checkpointOf(t, n); c.Root != l.naive(310).Root() || n.Fault() != nil || !bytes.Equal(l.notes[1+much], c.Note) {
					t.Errorf("%s: another root, fault %v", what, n.Fault())
				}
				l.notes = append(l.notes, none)
				l.entries[309].Board = "x"
				l.write(1)
				if restart {
					n = newNotary(t, Config{Log: l, Signer: signer})
				}
				if _, err := n.Checkpoint(t.Context(), 0); !errors.Is(err, proof.ErrContradiction) {
					t.Errorf("%s: it hides that the log was changed: %v", what, err)
				}
			}
		}
	}
	// Before the first one, and where others sign.
	l := newFakeLog(3)
	l.notes = [][]byte{[]byte("garbage")}
	if c := checkpointOf(t, newNotary(t, Config{Log: l, Signer: signer})); c.Size != 3 || len(l.notes) != 2 {
		t.Errorf("%d records", c.Size)
	}
	l.notes = append(l.notes, []byte("garbage"))
	for _, n := range []*Notary{newNotary(t, Config{Log: l}), newNotary(t, Config{Log: l, Signer: other})} {
		if c, err := n.Latest(t.Context(), 0); err != nil || c.Size != 3 {
			t.Errorf("%+v, %v", c, err)
		}
	}
}

// Tiles that are lost or wrong are made again from the log, if it is the one
// that was signed.
func TestTiles_AreMadeAgain(t *testing.T) {
	t.Parallel()
	const size = 3000
	for what, damage := range map[string]func(l *fakeLog){
		"all lost":     func(l *fakeLog) { clear(l.tiles) },
		"one lost":     func(l *fakeLog) { delete(l.tiles, "0/3") },
		"edge lost":    func(l *fakeLog) { delete(l.tiles, "1/0") },
		"one wrong":    func(l *fakeLog) { l.tiles["0/3"][77]++ },
		"edge wrong":   func(l *fakeLog) { l.tiles["0/11"][0]++ },
		"edge too old": func(l *fakeLog) { l.tiles["0/11"] = l.tiles["0/11"][:tlog.HashSize] },
	} {
		for _, restart := range []bool{false, true} {
			l, signer := newFakeLog(size), newSigner(t)
			n := newNotary(t, Config{Log: l, Signer: signer})
			first := checkpointOf(t, n)
			damage(l)
			if restart {
				n = newNotary(t, Config{Log: l, Signer: signer})
				l.write(1)
				if c := checkpointOf(t, n); c.Root != l.naive(size+1).Root() {
					t.Errorf("%s: another root", what)
				}
			}
			leaves := []int64{0, 800, size - 1}
			hashes, err := n.Hashes(t.Context(), &first.Checkpoint, leaves)
			if err != nil {
				t.Errorf("%s (restart %v): %v", what, restart, err)
				continue
			}
			for _, i := range leaves {
				p, err := tlog.ProveRecord(size, i, hashes)
				e := l.entries[i]
				leaf := proof.Leaf{Board: e.Board, Seq: e.Seq, Time: e.Time, Hash: e.Hash}
				if err == nil {
					err = first.CheckIncluded(&leaf, p)
				}
				if err != nil {
					t.Errorf("%s (restart %v), leaf %d: %v", what, restart, i, err)
				}
			}
		}
		l := newFakeLog(size)
		n := newNotary(t, Config{Log: l, Signer: newSigner(t)})
		first := checkpointOf(t, n)
		damage(l)
		l.entries[900].Hash[0]++
		puts := l.puts
		if _, err := n.Hashes(t.Context(), &first.Checkpoint, []int64{0, 800, size - 1}); !errors.Is(err, proof.ErrContradiction) || n.Fault() == nil {
			t.Errorf("%s, and the log is another one: %v", what, err)
		}
		if l.puts != puts {
			t.Errorf("%s: %d tiles of another log are stored over those that tell what was changed", what, l.puts-puts)
		}
	}
}

// Of several notaries one signs each checkpoint and the others take it.
func TestCheckpoint_OneOfSeveralSigns(t *testing.T) {
	t.Parallel()
	l, signer := newFakeLog(10), newSigner(t)
	a, b := newNotary(t, Config{Log: l, Signer: signer}), newNotary(t, Config{Log: l, Signer: signer})
	for round := range 20 {
		l.rival = func() { checkpointOf(t, b) }
		first := checkpointOf(t, a)
		if second := checkpointOf(t, b); string(first.Note) != string(second.Note) {
			t.Fatalf("round %d: they part", round)
		}
		if len(l.notes) != round+1 {
			t.Fatalf("round %d: %d checkpoints", round, len(l.notes))
		}
		l.write(100)
	}
	rounds := 0
	var always func()
	always = func() {
		if rounds++; rounds > 2*maxTries {
			return
		}
		l.write(1)
		checkpointOf(t, b)
		l.write(1)
		l.rival = always
	}
	l.write(1)
	size := int64(len(l.entries))
	l.rival = always
	if c, err := a.Checkpoint(t.Context(), 0); err != nil || c.Size < size {
		t.Errorf("others are always quicker: %+v, %v", c, err)
	}
	l.rival = nil
	l.write(1)
	notes := len(l.notes)
	l.lose = 1 // the answer to the append
	if c := checkpointOf(t, a); c.Size != int64(len(l.entries)) || len(l.notes) != notes+1 {
		t.Errorf("after a lost answer: %d records, %d checkpoints", c.Size, len(l.notes))
	}
}

// Another key goes on where the first one ended, after the whole log was read:
// its tiles are believed of none but its own checkpoints.
func TestCheckpoint_AnotherKey(t *testing.T) {
	t.Parallel()
	l, signer := newFakeLog(1000), newSigner(t)
	checkpointOf(t, newNotary(t, Config{Log: l, Signer: newSigner(t)}))
	l.write(1)
	c := checkpointOf(t, newNotary(t, Config{Log: l, Signer: signer}))
	if _, err := proof.OpenCheckpoint(c.Note, signer.Verifier()); err != nil || c.Size != 1001 {
		t.Errorf("%+v, %v", c, err)
	}
	l = newFakeLog(1000)
	checkpointOf(t, newNotary(t, Config{Log: l, Signer: newSigner(t)}))
	l.entries[5].Hash[0]++
	if _, err := newNotary(t, Config{Log: l, Signer: signer}).Checkpoint(t.Context(), 0); !errors.Is(err, proof.ErrContradiction) {
		t.Errorf("a log that is not the one signed: %v", err)
	}
}

// The checkpoints of another life of the log say nothing of this one.
func TestCheckpoint_AnotherEpoch(t *testing.T) {
	t.Parallel()
	l, signer := newFakeLog(1000), newSigner(t)
	checkpointOf(t, newNotary(t, Config{Log: l, Signer: signer}))
	l.epoch, l.entries = "e2", l.entries[:400]
	n := newNotary(t, Config{Log: l, Signer: signer})
	if _, err := n.Latest(t.Context(), 0); !errors.Is(err, ErrNone) {
		t.Errorf("the latest: %v", err)
	}
	if c := checkpointOf(t, n); c.Epoch != "e2" || c.Size != 400 || len(l.notes) != 2 {
		t.Errorf("%+v, %d checkpoints", c, len(l.notes))
	}
}

func TestNotary_WithoutAKey(t *testing.T) {
	t.Parallel()
	l := newFakeLog(10)
	n := newNotary(t, Config{Log: l})
	if _, err := n.Checkpoint(t.Context(), 0); !errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
	signed := checkpointOf(t, newNotary(t, Config{Log: l, Signer: newSigner(t)}))
	if c, err := n.Latest(t.Context(), 0); err != nil || string(c.Note) != string(signed.Note) {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := n.Covering(t.Context(), "board-1", 10); err != nil || c.Size != 10 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := n.Covering(t.Context(), "board-1", 11); !errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
	if _, err := n.Hashes(t.Context(), &signed.Checkpoint, []int64{3}); err != nil {
		t.Error(err)
	}
	if _, err := n.Tile(t.Context(), 0, tlog.Tile{H: proof.TileHeight, W: 11}); !errors.Is(err, eventlog.ErrNotFound) {
		t.Error(err)
	}
}
