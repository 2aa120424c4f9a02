package past

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// naive blames by comparing the whole board before and after each event.
type naive struct {
	before map[string]*domain.Entity
	of     map[string]*blamed
}

type blamed struct {
	kind     domain.Kind
	values   domain.Fields
	fields   map[string]Set
	elements map[string]map[string]Set
	deleted  *Set
}

func (n *naive) step(b *domain.Board, s domain.Step) {
	by := Set{Rev: s.Event.Rev, At: s.Decision.At, User: s.Decision.User, Mutation: s.Decision.ID, Event: s.Event.Type, Origin: s.Event.Origin}
	now := map[string]*domain.Entity{}
	for e := range b.All() {
		now[e.ID] = e
	}
	for id := range n.before { // inside a mutation a card may be in no column
		if e := b.Get(id); e != nil {
			now[id] = e
		}
	}
	for _, e := range now {
		old := n.before[e.ID]
		if old == nil {
			n.of[e.ID] = &blamed{kind: e.Kind, fields: map[string]Set{}, elements: map[string]map[string]Set{}}
			old = &domain.Entity{}
		}
		n.of[e.ID].change(old.Fields, e.Fields, by)
	}
	for id := range n.before {
		if now[id] == nil {
			gone := by
			if id != s.Event.EntityID {
				gone.Entity = s.Event.EntityID
			}
			n.of[id].deleted = &gone
		}
	}
	n.before = now
}

func (b *blamed) change(old, now domain.Fields, by Set) {
	b.values = now
	for name, v := range now {
		if domain.EqualValues(old[name], v) {
			continue
		}
		b.fields[name] = by
		if !domain.IsSetField(name) {
			continue
		}
		had := b.elements[name]
		b.elements[name] = map[string]Set{}
		for _, element := range v.([]string) {
			b.elements[name][element] = by
			if slices.Contains(old.Set(name), element) {
				b.elements[name][element] = had[element]
			}
		}
	}
	for name := range old {
		if now[name] == nil {
			b.fields[name] = by
			delete(b.elements, name)
		}
	}
}

// blame is what is expected of Whose.
func (b *blamed) blame(entity string, at Point) *Blame {
	out := &Blame{Board: board, Entity: entity, Kind: b.kind, Point: at, Deleted: b.deleted, Fields: []Field{}}
	for _, name := range slices.Sorted(maps.Keys(b.values)) {
		raw, _ := json.Marshal(b.values[name])
		f := Field{Name: name, Value: raw, Set: b.fields[name]}
		for _, element := range slices.Sorted(maps.Keys(b.elements[name])) {
			f.Elements = append(f.Elements, Element{element, b.elements[name][element]})
		}
		out.Fields = append(out.Fields, f)
	}
	return out
}

func text(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

func TestBlame_LikeTheNaive(t *testing.T) {
	deleted, taken, respaced, sets := 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		w, log := fakeWorld(t, ctx, rapid.Uint64().Draw(t, "seed"))
		w.make(2)
		w.random(30)
		if rapid.Bool().Draw(t, "snapshots") {
			w.snapshots(4)
		}
		n := naive{of: map[string]*blamed{}}
		b := domain.NewBoard(board)
		head, _ := log.Head(ctx, board)
		records := 0
		for r, err := range log.Read(ctx, board, 1, head) {
			if err == nil {
				err = b.Apply(r.Commit, r.Hash, r.Seq, r.Time, func(s domain.Step) { n.step(b, s) })
			}
			if err != nil {
				t.Fatalf("%v", err)
			}
			if records++; r.Void() || records%16 != 0 && r.Seq != head {
				continue
			}
			for id, by := range n.of {
				got, err := whose(ctx, log, board, Question{Entity: id, Rev: b.Rev()}, 1+w.dice.Uint64N(8))
				if err != nil {
					t.Fatalf("%s at %d: %v", id, b.Rev(), err)
				}
				want := by.blame(id, got.Point)
				if text(got) != text(want) || got.Rev != b.Rev() {
					t.Fatalf("%s at rev %d:\n%s\nwant\n%s", id, b.Rev(), text(got), text(want))
				}
				for i, f := range got.Fields {
					sets += len(f.Elements)
					if f.Set.Event == "list.respaced" {
						respaced++
					}
					if i != w.dice.IntN(4) {
						continue
					}
					one, err := whose(ctx, log, board, Question{Entity: id, Field: f.Name, Rev: b.Rev()}, 1+w.dice.Uint64N(8))
					if err != nil || text(one.Fields) != text([]Field{f}) {
						t.Fatalf("%s of %s: %s, %v, want %s", f.Name, id, text(one), err, text(f))
					}
				}
				if by.deleted != nil {
					deleted++
					if by.deleted.Entity != "" {
						taken++
					}
				}
			}
		}
	})
	if deleted < 100 || taken < 100 || respaced < 10 || sets < 100 {
		t.Errorf("%d deleted, %d of them taken along, %d respaced, %d elements", deleted, taken, respaced, sets)
	}
}

func TestBlame_WhatIsNotThere(t *testing.T) {
	ctx := t.Context()
	w, log := fakeWorld(t, ctx, 1)
	w.make(1)
	w.do("ann", "c0", domain.Patch{"description": "d", "assignees": []string{"bob"}})
	w.do("ann", "c0", domain.Patch{"description": nil, "assignees": nil})
	w.do("bob", "c0", domain.Patch{"title": "T"})
	for _, tt := range []struct {
		q    Question
		want error
	}{
		{Question{Entity: "nobody"}, ErrNoEntity}, {Question{Entity: "c0", Rev: 5}, ErrNoEntity}, {Question{Entity: "c0", Field: "due"}, ErrNoField},
		{Question{Entity: "c0", Field: "object"}, ErrNoField}, {Question{Entity: "c0", Rev: 1000}, ErrBeyond},
	} {
		if _, err := Whose(ctx, log, board, tt.q); !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v", tt.q, err)
		}
	}
	for _, name := range []string{"description", "assignees"} { // who took it away
		b, err := Whose(ctx, log, board, Question{Entity: "c0", Field: name})
		if err != nil || len(b.Fields) != 1 || string(b.Fields[0].Value) != "null" || b.Fields[0].Set.Mutation != "m7" || len(b.Fields[0].Elements) != 0 {
			t.Errorf("%s: %s, %v", name, text(b), err)
		}
	}
}

// What came with an import is its importer's, and says whose it was before.
func TestBlame_OfAnImport(t *testing.T) {
	ctx := t.Context()
	w, log := fakeWorld(t, ctx, 1)
	made := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	w.decide("ann", domain.OpImport, &domain.Import{Source: "test:1", Done: true, Entities: []*domain.Entity{
		{ID: board, Kind: domain.KindBoard, Fields: domain.Fields{"title": "B"}},
		{ID: "col", Kind: domain.KindColumn, CreatedBy: "zoe", CreatedAt: made, UpdatedBy: "yan", UpdatedAt: made.Add(time.Hour), Fields: domain.Fields{"title": "C"}},
	}})
	w.store()
	w.do("bob", "col", domain.Patch{"color": "red"})
	b, err := Whose(ctx, log, board, Question{Entity: "col"})
	if err != nil || len(b.Fields) != 3 {
		t.Fatalf("%s, %v", text(b), err)
	}
	color, title := b.Fields[0].Set, b.Fields[2].Set
	if color.User != "bob" || color.Origin != nil || title.User != "ann" || title.Origin == nil || title.Origin.CreatedBy != "zoe" || title.Origin.UpdatedBy != "yan" {
		t.Error(text(b))
	}
}

// Blame stops looking when all is explained.
func TestBlame_ReadsWhatItMust(t *testing.T) {
	ctx := t.Context()
	w, log := fakeWorld(t, ctx, 1)
	w.make(2)
	for range 1000 {
		w.do("ann", "c1", domain.Patch{"title": w.pick("A", "B") + w.pick("C", "D", "E")})
	}
	w.do("bob", "c0", domain.Patch{"title": "T"})
	near, err := w.b.Still()
	if err != nil {
		t.Fatal(err)
	}
	snap, err := eventlog.PastOf(near, nil)
	if err == nil {
		err = log.PutPast(ctx, board, snap)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.do("bob", "c1", domain.Patch{"title": "T"})
	for _, tt := range []struct {
		q    Question
		most int
	}{{Question{Entity: "c1", Field: "title"}, firstSpan}, {Question{Entity: "c0", Field: "title"}, firstSpan}, {Question{Entity: board}, 10}} {
		src := &counted{appender: log}
		if _, err := Whose(ctx, src, board, tt.q); err != nil {
			t.Fatal(err)
		}
		if most := tt.most + 60; src.records > most {
			t.Errorf("%+v reads %d records, at most %d", tt.q, src.records, most)
		}
	}
}
