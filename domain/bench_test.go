package domain

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// benchBoard has 10 columns of 200 cards of about 2.6 KiB of JSON each.
func benchBoard(b *testing.B) *world {
	w := newWorld(b)
	var changes []string
	for i := range 3 {
		changes = append(changes, fmt.Sprintf(`{"entityId":"l%d","patch":{"kind":"label","name":"label"}}`, i))
	}
	w.must("ann", changes...)
	text := strings.Repeat("All work and no play. ", 94)
	for c := range 10 {
		column := fmt.Sprintf("c%d", c)
		w.columns(column)
		changes = nil
		for k := range 200 {
			changes = append(changes, fmt.Sprintf(`{"entityId":"k%d-%d","patch":{"kind":"card","title":"A card","columnId":%q,"description":%q,"labels":["l0","l1","l2"],"assignees":["ann"],"due":"2026-05-05"}}`, c, k, column, text))
			if len(changes) == 100 {
				w.must("ann", changes...)
				changes = nil
			}
		}
	}
	return w
}

func (w *world) bare(change string) *Command {
	cmd := w.command("ann", change)
	cmd.Deadline = time.Time{}
	return cmd
}

func BenchmarkDecideMove(b *testing.B) {
	w := benchBoard(b)
	cmd := w.bare(`{"entityId":"k3-100","patch":{"columnId":"c7","position":{"after":"k7-50"}}}`)
	b.ReportAllocs()
	for b.Loop() {
		if d := Decide(w.board, cmd, w.now); d.Rejection != nil {
			b.Fatal(d.Rejection)
		}
	}
}

func BenchmarkDecideRename(b *testing.B) {
	w := benchBoard(b)
	cmd := w.bare(`{"entityId":"k3-100","patch":{"title":"Another title"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if d := Decide(w.board, cmd, w.now); d.Rejection != nil {
			b.Fatal(d.Rejection)
		}
	}
}

func BenchmarkDecideRefused(b *testing.B) {
	w := benchBoard(b)
	cmd := w.bare(`{"entityId":"k3-100","patch":{"columnId":"nowhere"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if d := Decide(w.board, cmd, w.now); d.Rejection == nil {
			b.Fatal("accepted")
		}
	}
}

// BenchmarkDecideAndFold moves a card to and fro as a worker does.
func BenchmarkDecideAndFold(b *testing.B) {
	w := benchBoard(b)
	there := w.bare(`{"entityId":"k3-100","patch":{"columnId":"c7","position":{"after":"k7-50"}}}`)
	back := w.bare(`{"entityId":"k3-100","patch":{"columnId":"c3","position":{"after":"k3-50"}}}`)
	seq, hash, _ := w.board.Head()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		cmd := there
		if i%2 == 1 {
			cmd = back
		}
		d := Decide(w.board, cmd, w.now)
		if err := w.board.Fold(&d); err != nil {
			b.Fatal(err)
		}
		seq++
		if err := w.board.Settle(&Commit{Board: "b", Prev: hash, Decisions: []Decision{d}}, hash, seq); err != nil {
			b.Fatal(err)
		}
	}
}

func benchCommit(b *testing.B, w *world) *Commit {
	c := &Commit{V: CommitVersion, Board: "b", At: w.now}
	for i := range 20 {
		d := Decide(w.board, w.bare(fmt.Sprintf(`{"entityId":"k3-%d","patch":{"columnId":"c7","position":{"after":"k7-50"}}}`, i)), w.now)
		if d.Rejection != nil {
			b.Fatal(d.Rejection)
		}
		c.Decisions = append(c.Decisions, d)
	}
	return c
}

func BenchmarkEncodeCommitOf20(b *testing.B) {
	c := benchCommit(b, benchBoard(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeCommitOf20(b *testing.B) {
	data, _, err := benchCommit(b, benchBoard(b)).Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := DecodeCommit(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEntityJSON(b *testing.B) {
	e := benchBoard(b).board.Get("k3-100")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.JSONFor(true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSnapshotOf2000Cards(b *testing.B) {
	w := benchBoard(b)
	for b.Loop() {
		w.snapshot()
	}
}

func BenchmarkLoadSnapshotOf2000Cards(b *testing.B) {
	data := benchBoard(b).snapshot()
	for b.Loop() {
		if _, err := LoadSnapshot(data); err != nil {
			b.Fatal(err)
		}
	}
}
