package domain

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The text that is hashed, and its hash, in full: whoever checks a board with
// tools of his own can start here.
func TestStateHashOfASmallBoard(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("todo")
	w.must("ann", `{"entityId":"k","patch":{"kind":"card","title":"Fix <login>","columnId":"todo","labels":[],"x-n":1.50}}`)
	want := `snapback state v1
b
4
{"id":"b","kind":"board","rev":1,"createdRev":1,"createdAt":"2026-03-01T09:00:01Z","createdBy":"ann","updatedAt":"2026-03-01T09:00:01Z","updatedBy":"ann","title":"Board"}
{"id":"k","kind":"card","rev":4,"createdRev":4,"createdAt":"2026-03-01T09:00:03Z","createdBy":"ann","updatedAt":"2026-03-01T09:00:03Z","updatedBy":"ann","columnId":"todo","number":1,"position":"a0","title":"Fix \u003clogin\u003e","x-n":1.50}
{"id":"member:ann","kind":"member","rev":2,"createdRev":2,"createdAt":"2026-03-01T09:00:01Z","createdBy":"ann","updatedAt":"2026-03-01T09:00:01Z","updatedBy":"ann","role":"admin","user":"ann"}
{"id":"todo","kind":"column","rev":3,"createdRev":3,"createdAt":"2026-03-01T09:00:02Z","createdBy":"ann","updatedAt":"2026-03-01T09:00:02Z","updatedBy":"ann","position":"a0","title":"todo"}
`
	wantEqual(t, "hash of the text", w.board.StateHash(), Hash(sha256.Sum256([]byte(want))))
	wantEqual(t, "hash", w.board.StateHash().String(), "e81c288e39580d0293a8809a6b7ede9dd54d5a1f3ee0e3eb283e9fb97d4f8269")
	wantEqual(t, "hash of an empty board", NewBoard("b").StateHash(), Hash(sha256.Sum256([]byte("snapback state v1\nb\n0\n"))))
}

// The same log gives the same hash at each of its revs: folded record by
// record, decided and folded ahead, and over snapshots.
func TestStateHashIsThatOfTheLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newDice(rapid.Uint64().Draw(t, "seed"))
		w := newWorld(t).withUsers().columns("column0", "column1").cards("column0", "card0", "card1")
		ahead, packed := NewBoard("b"), NewBoard("b")
		last := map[uint64]Hash{}
		for range rapid.IntRange(1, 40).Draw(t, "commands") {
			w.run(w.aCommand(r))
			if h, seen := last[w.board.Rev()]; seen && h != w.board.StateHash() {
				t.Fatalf("another hash at the same rev %d", w.board.Rev())
			}
			last[w.board.Rev()] = w.board.StateHash()
		}
		hashes := map[Hash]bool{}
		for _, h := range last {
			hashes[h] = true
		}
		wantEqual(t, "hashes of so many revs", len(hashes), len(last))
		for i, data := range w.log {
			c, hash, err := DecodeCommit(data)
			if err != nil {
				t.Fatal(err)
			}
			for k := range c.Decisions {
				d := Decide(ahead, &c.Decisions[k].Command, c.Decisions[k].Now())
				if err := ahead.Fold(&d); err != nil {
					t.Fatal(err)
				}
			}
			if err := ahead.Settle(c, hash, uint64(3*i+3)); err != nil {
				t.Fatal(err)
			}
			if err := packed.Apply(c, hash, uint64(3*i+3), c.At, nil); err != nil {
				t.Fatal(err)
			}
			snap, err := packed.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if packed, err = LoadSnapshot(snap); err != nil {
				t.Fatal(err)
			}
			if a, p := ahead.StateHash(), packed.StateHash(); a != p {
				t.Fatalf("record %d: %v ahead, %v over a snapshot", i, a, p)
			}
		}
		wantEqual(t, "hash", ahead.StateHash(), w.board.StateHash())
	})
}

// Whatever of an entity is changed, or which of them are there, shows.
func TestStateHashTellsEachChange(t *testing.T) {
	t.Parallel()
	w := newFieldWorld(t)
	w.must("ann", `{"entityId":"k","patch":{"labels":["red"],"assignees":["ann"],"likedBy":["ann"],"due":"2026-02-03","done":"2026-02-03T04:05:06Z","x-a":{"b":[1,null]}}}`)
	seen := map[Hash]string{w.board.StateHash(): "nothing"}
	tell := func(what string) {
		h := w.board.StateHash()
		if other := seen[h]; other != "" {
			t.Errorf("%s gives the hash of %s", what, other)
		}
		seen[h] = what
	}
	for _, was := range slices.Collect(w.board.All()) {
		try := func(what string, change func(e *Entity)) {
			other := *was
			other.Fields = maps.Clone(was.Fields)
			change(&other)
			w.board.entities[was.ID] = &other
			tell(what + " of " + was.ID)
			w.board.entities[was.ID] = was
		}
		try("id", func(e *Entity) { e.ID += "x" })
		try("kind", func(e *Entity) { e.Kind += "x" })
		try("rev", func(e *Entity) { e.Rev += 100 })
		try("createdRev", func(e *Entity) { e.CreatedRev += 100 })
		try("createdAt", func(e *Entity) { e.CreatedAt = e.CreatedAt.Add(time.Millisecond) })
		try("createdBy", func(e *Entity) { e.CreatedBy += "x" })
		try("updatedAt", func(e *Entity) { e.UpdatedAt = e.UpdatedAt.Add(time.Millisecond) })
		try("updatedBy", func(e *Entity) { e.UpdatedBy += "x" })
		try("a new field", func(e *Entity) { e.Fields["x-new"] = false })
		for name, v := range was.Fields {
			try("no "+name, func(e *Entity) { delete(e.Fields, name) })
			try("another "+name, func(e *Entity) { e.Fields[name] = fmt.Sprint(v, "x") })
		}
		delete(w.board.entities, was.ID)
		tell("no " + was.ID)
		w.board.entities[was.ID] = was
	}
	w.board.rev++
	tell("the next rev")
	w.board.rev--
	w.board.id += "x"
	tell("another board")
}
