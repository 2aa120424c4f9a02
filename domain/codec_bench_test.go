package domain

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// benchPatches are what is asked for in the benchmarks of one mutation: a card
// is moved, and a card of about 200 bytes and one of about 2.6 KiB are made.
var benchPatches = []struct{ name, patch string }{
	{"move", `{"columnId":"c7","position":{"after":"k7-50"}}`},
	{"small", `{"kind":"card","title":"A card","columnId":"c7"}`},
	{"large", fmt.Sprintf(`{"kind":"card","title":"A card","columnId":"c7","description":%q,"labels":["l0","l1","l2"],"assignees":["ann","bob"],"due":"2026-05-05"}`,
		strings.Repeat("All work and no play makes \"Jack\" a dull boy.\n", 45))},
}

// benchMutations runs bench for each of benchPatches: a command as a gateway
// stamps it, on a board it is accepted on.
func benchMutations(b *testing.B, bench func(b *testing.B, w *world, cmd *Command)) {
	w := benchBoard(b)
	w.must("ann", `{"entityId":"member:bob","patch":{"kind":"member","role":"editor"}}`)
	for _, p := range benchPatches {
		id := "01J8ZC5N3V9Q4W2X6Y7T8R1S0P"
		if p.name == "move" {
			id = "k3-100"
		}
		cmd := w.command("ann", fmt.Sprintf(`{"entityId":%q,"patch":%s}`, id, p.patch))
		cmd.ID, cmd.Board, cmd.Session, cmd.Deadline = "01J8ZC5N3V9Q4W2X6Y7T8R1S0P", "b", "01J8ZC5N3V9Q4W2X6Y7T8R1S0Q", w.now.Add(MaxTTL/2)
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			bench(b, w, cmd)
		})
	}
}

func benchDecision(b *testing.B, w *world, cmd *Command) Decision {
	d := Decide(w.board, cmd, w.now)
	if d.Rejection != nil {
		b.Fatal(d.Rejection)
	}
	return d
}

func BenchmarkEncodeCommand(b *testing.B) {
	benchMutations(b, func(b *testing.B, w *world, cmd *Command) {
		var buf []byte
		for b.Loop() {
			var err error
			if buf, err = cmd.AppendJSON(buf[:0]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeCommand(b *testing.B) {
	benchMutations(b, func(b *testing.B, w *world, cmd *Command) {
		data := encoded(b, cmd)
		for b.Loop() {
			if _, err := DecodeCommand(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkContentHash(b *testing.B) {
	benchMutations(b, func(b *testing.B, w *world, cmd *Command) {
		for b.Loop() {
			cmd.ContentHash()
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	benchMutations(b, func(b *testing.B, w *world, cmd *Command) {
		for b.Loop() {
			if d := Decide(w.board, cmd, w.now); d.Rejection != nil {
				b.Fatal(d.Rejection)
			}
		}
	})
}

func BenchmarkEncodeCommit(b *testing.B) {
	benchMutations(b, func(b *testing.B, w *world, cmd *Command) {
		c := &Commit{V: CommitVersion, Board: "b", At: w.now, NotAfter: w.now.Add(time.Second), Decisions: []Decision{benchDecision(b, w, cmd)}}
		for b.Loop() {
			if _, _, err := c.Encode(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeCommit(b *testing.B) {
	benchMutations(b, func(b *testing.B, w *world, cmd *Command) {
		c := &Commit{V: CommitVersion, Board: "b", At: w.now, NotAfter: w.now.Add(time.Second), Decisions: []Decision{benchDecision(b, w, cmd)}}
		data, _, err := c.Encode()
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, _, err := DecodeCommit(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkApply folds a stored commit, as a gateway does. The same one again
// and again: the board is set back between.
func BenchmarkApply(b *testing.B) {
	benchMutations(b, func(b *testing.B, w *world, cmd *Command) {
		board := benchCopy(b, w)
		c := &Commit{V: CommitVersion, Board: "b", At: w.now, Decisions: []Decision{benchDecision(b, w, cmd)}}
		id := cmd.Changes[0].EntityID
		for b.Loop() {
			old, rev, revs, number := board.entities[id], board.rev, len(board.recent.revs), board.number
			c.Prev = board.hash
			if err := board.Apply(c, board.hash, board.seq+1, w.now, nil); err != nil {
				b.Fatal(err)
			}
			board.put(board.entities[id], old)
			board.rev, board.recent.revs, board.number = rev, board.recent.revs[:revs], number
		}
	})
}

func benchCopy(b *testing.B, w *world) *Board {
	board, err := LoadSnapshot(w.snapshot())
	if err != nil {
		b.Fatal(err)
	}
	return board
}

// BenchmarkMerge applies the patch as a view does.
func BenchmarkMerge(b *testing.B) {
	benchMutations(b, func(b *testing.B, w *world, cmd *Command) {
		var old Fields
		if e := w.board.Get(cmd.Changes[0].EntityID); e != nil {
			old = e.Fields
		}
		patch := cmd.Changes[0].Patch
		for b.Loop() {
			Merge(old, patch, "ann")
		}
	})
}

// BenchmarkEncodeEntity writes the card for a reader, BenchmarkDecodeEntity
// reads what was written, as a client does.
func BenchmarkEncodeEntity(b *testing.B) {
	benchMutations(b, func(b *testing.B, w *world, cmd *Command) {
		e := benchCard(b, w, cmd)
		var buf []byte
		for b.Loop() {
			var err error
			if buf, err = e.AppendJSONFor(buf[:0], true); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeEntity(b *testing.B) {
	benchMutations(b, func(b *testing.B, w *world, cmd *Command) {
		data, err := benchCard(b, w, cmd).JSONFor(true)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			var e Entity
			if err := e.UnmarshalJSON(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchCard is the card as the command leaves it.
func benchCard(b *testing.B, w *world, cmd *Command) *Entity {
	board := benchCopy(b, w)
	d := benchDecision(b, w, cmd)
	if err := board.Fold(&d); err != nil {
		b.Fatal(err)
	}
	return board.Get(cmd.Changes[0].EntityID)
}
