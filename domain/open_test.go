package domain

import (
	"reflect"
	"slices"
	"testing"
)

func sentAs(e *Entity) []byte {
	data, err := e.JSONFor(true)
	if err != nil {
		panic(err)
	}
	return data
}

// naiveInSight is InSight by the sentence: not archived, nor what it hangs on.
func naiveInSight(b *Board, e *Entity) bool {
	if e.Fields["archived"] == true && e.Kind != KindBoard {
		return false
	}
	parent := b.Get(e.Parent())
	return parent == nil || naiveInSight(b, parent)
}

// TestOpen_IsWhatIsNeitherArchivedNorAComment, on boards that random commands
// have made; the cards it leaves out are ShutCards, what hangs on each entity is
// Under it, and cards are counted.
func TestOpen_IsWhatIsNeitherArchivedNorAComment(t *testing.T) {
	t.Parallel()
	shut, comments := 0, 0
	for seed := range uint64(20) {
		r := newDice(seed)
		w := newWorld(t).withUsers()
		for range 250 {
			w.run(w.aCommand(r))
		}
		b := w.board
		var open, out []*Entity
		under := map[string][]*Entity{}
		for e := range b.All() {
			switch {
			case e.Kind == KindComment:
				comments++
				continue
			case naiveInSight(b, e):
				open = append(open, e)
			case e.Kind == KindCard:
				out = append(out, e)
			}
			if b.InSight(e) != naiveInSight(b, e) {
				t.Errorf("%s in sight: %v", e.ID, b.InSight(e))
			}
			for up := b.Get(e.Parent()); up != nil; up = b.Get(up.Parent()) {
				if e.Kind != KindCard || !isArchived(e) {
					under[up.ID] = append(under[up.ID], e)
				}
			}
		}
		if got := slices.Collect(b.Open()); !slices.Equal(got, open) {
			t.Fatalf("%d entities in the open part, should be %d", len(got), len(open))
		}
		same := func(got, want []*Entity) bool {
			return len(got) == len(want) && !slices.ContainsFunc(want, func(e *Entity) bool { return !slices.Contains(got, e) })
		}
		if got := slices.Collect(b.ShutCards()); !same(got, out) {
			t.Fatalf("%d cards are left out, should be %d", len(got), len(out))
		}
		shut += len(out)
		for _, e := range open {
			want := slices.DeleteFunc(under[e.ID], func(e *Entity) bool { return !naiveInSight(b, e) })
			if got := slices.Collect(b.Under(e)); e.Kind != KindBoard && !same(got, want) {
				t.Errorf("%d under %s, should be %d", len(got), e.ID, len(want))
			}
			if e.Kind != KindCard {
				continue
			}
			plain, counted := map[string]any{}, map[string]any{}
			if unmarshal(sentAs(e), &plain) != nil || unmarshal(sentAs(b.Counted(e)), &counted) != nil || plain["comments"] != nil {
				t.Fatalf("%v", plain)
			}
			plain["comments"] = float64(len(b.Comments(e.ID)))
			if !reflect.DeepEqual(counted, plain) {
				t.Errorf("counted is %v, should be %v", counted, plain)
			}
		}
	}
	if shut < 20 || comments < 5 {
		t.Errorf("%d cards left out, %d comments", shut, comments)
	}
}
