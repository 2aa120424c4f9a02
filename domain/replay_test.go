package domain

import (
	"bytes"
	"maps"
)

// sameInBatches puts the decisions into fewer commits, some of them void at
// first, and folds them ahead on one board, as a worker does, and from the log
// on another, as a reader does.
func (w *world) sameInBatches(r dice) {
	w.t.Helper()
	var all []Decision
	for _, data := range w.log {
		c, _, err := DecodeCommit(data)
		if err != nil {
			w.t.Fatalf("%v", err)
		}
		all = append(all, c.Decisions...)
	}
	worker, reader := NewBoard("b"), NewBoard("b")
	seq, prev := uint64(0), Hash{}
	for len(all) > 0 {
		n := 1 + r.IntN(min(5, len(all)))
		c := &Commit{V: CommitVersion, Board: "b", Prev: prev, At: all[n-1].At, Decisions: all[:n]}
		if r.IntN(5) == 0 { // stored too late
			c.NotAfter = c.At.Add(-1)
			n = 0
		}
		_, hash, err := c.Encode()
		if err != nil {
			w.t.Fatalf("%v", err)
		}
		seq, prev = seq+1, hash
		if n == 0 {
			err = worker.Apply(c, hash, seq, c.At, nil)
		} else {
			for i := range c.Decisions {
				if err := worker.Fold(&c.Decisions[i]); err != nil {
					w.t.Fatalf("fold ahead: %v", err)
				}
			}
			err = worker.Settle(c, hash, seq)
		}
		if err != nil {
			w.t.Fatalf("worker: %v", err)
		}
		if err := reader.Apply(c, hash, seq, c.At, nil); err != nil {
			w.t.Fatalf("reader: %v", err)
		}
		all = all[n:]
	}
	if reader.Records() != seq {
		w.t.Fatalf("%d records, the log has %d, void ones included", reader.Records(), seq)
	}
	a, err := worker.Snapshot()
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	b, err := reader.Snapshot()
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	if !bytes.Equal(a, b) {
		w.t.Fatalf("worker and reader hold different boards")
	}
	if d := differ(state(reader), state(w.board)); d != "" {
		w.t.Fatalf("batches make another board:\n%s", d)
	}
}

// sameAfterImport imports the board as an export of itself, in parts.
func (w *world) sameAfterImport(r dice) {
	w.t.Helper()
	copied := &world{t: w.t, board: NewBoard("b"), now: w.now}
	want := map[string]Fields{}
	var list []*Entity
	for e := range w.board.All() {
		if e.Fields["object"] != nil { // content is only uploaded
			continue
		}
		list = append(list, e)
		want[e.ID] = kept(e)
	}
	for part := 0; ; part++ {
		n := min(1+r.IntN(20), len(list))
		im := &Import{Source: "self", Part: part, Entities: list[:n], Done: n == len(list)}
		cmd := copied.importing(im)
		cmd.User, cmd.Grant = "importer", GrantOpen
		if d := copied.run(cmd); d.Rejection != nil {
			w.t.Fatalf("import: %v %v", d.Rejection, d.Rejection.Details)
		}
		if list = list[n:]; im.Done {
			break
		}
	}
	got := map[string]Fields{}
	for e := range copied.board.All() {
		got[e.ID] = kept(e)
	}
	if d := differ(got, want); d != "" {
		w.t.Fatalf("an import of the board differs from it:\n%s", d)
	}
}

// kept is what an import keeps of an entity. An archived card's
// position only says where it would go.
func kept(e *Entity) Fields {
	f := maps.Clone(e.Fields)
	delete(f, "number")
	if isArchived(e) {
		delete(f, "position")
	}
	for name, v := range f {
		if orAbsent(v) == nil {
			delete(f, name)
		}
	}
	f["kind"], f["createdBy"], f["createdAt"] = string(e.Kind), e.CreatedBy, e.CreatedAt.String()
	return f
}
