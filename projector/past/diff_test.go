package past

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/domain"
)

// entities of a board by id, as JSON that tells all of them.
func entities(b *domain.Board) map[string]string {
	all := map[string]string{}
	for e := range b.All() {
		raw, _ := json.Marshal(shown(e))
		all[e.ID] = string(raw)
	}
	return all
}

// apply makes To of From, as a reader of the JSON would.
func apply(t *rapid.T, from *domain.Board, d *Diff) map[string]string {
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatalf("%v", err)
	}
	d = &Diff{}
	if err := json.Unmarshal(raw, d); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	all := entities(from)
	for _, e := range d.Deleted {
		if raw, _ := json.Marshal(e); all[e.ID] != string(raw) {
			t.Fatalf("%s is said to be deleted, there is %s", raw, all[e.ID])
		}
		delete(all, e.ID)
	}
	for _, e := range d.Created {
		raw, _ := json.Marshal(e)
		all[e.ID] = string(raw)
	}
	for _, c := range d.Changed {
		e := *from.Get(c.ID)
		e.Rev, e.UpdatedAt, e.UpdatedBy = c.Rev, c.UpdatedAt, c.UpdatedBy
		e.Fields = maps.Clone(shown(&e).Fields)
		for name, after := range c.After {
			if !domain.EqualValues(e.Fields[name], c.Before[name]) {
				t.Fatalf("%s of %s was %v, not %v", name, c.ID, e.Fields[name], c.Before[name])
			}
			if after == nil {
				delete(e.Fields, name)
			} else {
				e.Fields[name] = after
			}
		}
		for name := range c.Added {
			e.Fields = domain.Merge(e.Fields, domain.Patch{name: domain.SetChange{Add: c.Added[name]}}, "")
		}
		for name := range c.Removed {
			e.Fields = domain.Merge(e.Fields, domain.Patch{name: domain.SetChange{Remove: c.Removed[name]}}, "")
		}
		raw, _ := json.Marshal(&e)
		all[c.ID] = string(raw)
	}
	return all
}

func TestDiff_MakesOneOfTheOther(t *testing.T) {
	moves := 0
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		w, log := fakeWorld(t, ctx, rapid.Uint64().Draw(t, "seed"))
		w.make(3)
		w.random(30)
		for range 20 {
			revs := []uint64{1 + w.dice.Uint64N(w.b.Rev()), 1 + w.dice.Uint64N(w.b.Rev())}
			slices.Sort(revs)
			var looks [2]Look
			for i, rev := range revs {
				var err error
				if looks[i], err = AtRev(ctx, log, board, rev); err != nil {
					t.Fatalf("%v", err)
				}
			}
			d := Compare(looks[0], looks[1])
			if got, want := apply(t, looks[0].Board, d), entities(looks[1].Board); !maps.Equal(got, want) {
				t.Fatalf("revs %v: %v\nwant %v", revs, got, want)
			}
			if n := len(d.Words()); n != len(d.Created)+len(d.Deleted)+len(d.Changed) {
				t.Fatalf("%d lines", n)
			}
			for _, c := range d.Changed {
				if c.Moved != "" {
					moves++
				}
			}
		}
	})
	if moves < 100 {
		t.Errorf("only %d moves", moves)
	}
}

func TestDiff_InWords(t *testing.T) {
	ctx := t.Context()
	w, log := fakeWorld(t, ctx, 1)
	w.make(4)
	from := w.b.Rev()
	w.do("ann", "l", domain.Patch{"kind": "label", "name": "urgent"})
	w.do("ann", "c0", domain.Patch{"columnId": "doing", "title": "Renamed"})
	w.do("ann", "c1", domain.Patch{"position": domain.Place{HasAfter: true, After: "c2"}, "labels": domain.SetChange{Add: []string{"l"}}})
	w.do("ann", "c3", domain.Patch{"position": domain.Place{HasAfter: true}, "description": "d"})
	w.do("ann", "done", domain.Patch{"position": domain.Place{HasAfter: true}, "wipLimit": int64(3)})
	w.do("ann", "c4", domain.Patch{"kind": "card", "title": "New", "columnId": "doing"})
	w.decide("ann", domain.OpMutate, nil, domain.Change{EntityID: "c2"})
	w.store()
	looks := [2]Look{}
	for i, rev := range []uint64{from, w.b.Rev()} {
		var err error
		if looks[i], err = AtRev(ctx, log, board, rev); err != nil {
			t.Fatal(err)
		}
	}
	want := `+ label «urgent»
+ card «New» in «Doing»
- card «Card 2» in «Todo»
~ column «Done»: moved to the top, wipLimit none → 3
~ card «Card 3»: moved to the top in «Todo», description none → «d»
~ card «Card 1»: moved behind «Card 3» in «Todo», labels +urgent
~ card «Card 0»: moved from «Todo» to «Doing», title «Card 0» → «Renamed»`
	if got := strings.Join(Compare(looks[0], looks[1]).Words(), "\n"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if d := Compare(looks[1], looks[1]); len(d.Words()) != 0 {
		t.Errorf("%+v", d)
	}
}
