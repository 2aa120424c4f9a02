package domain

import (
	"strings"
	"testing"
)

// trail gives the ids of the world's decisions so far that concern an entity.
func (w *world) trail(id string) string {
	w.t.Helper()
	t, ids := NewTrail(id), []string{}
	for _, data := range w.log {
		c, _, err := DecodeCommit(data)
		if err != nil {
			w.t.Fatalf("%v", err)
		}
		for i := range c.Decisions {
			if d := &c.Decisions[i]; t.Touches(d) {
				ids = append(ids, d.ID)
			}
		}
	}
	return strings.Join(ids, " ")
}

// note does changes and gives the id of the mutation.
func (w *world) note(changes ...string) string {
	w.t.Helper()
	return w.do("ann", changes...).ID
}

func TestTrailHasWhatHangsOnTheEntityThenToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c", "d")
	one := w.note(`{"entityId":"k1","patch":{"kind":"card","title":"x","columnId":"c"}}`)
	w.note(`{"entityId":"k2","patch":{"kind":"card","title":"x","columnId":"c"}}`)
	away := w.note(`{"entityId":"l2","patch":{"kind":"checklist","cardId":"k2"}}`, `{"entityId":"i2","patch":{"kind":"item","checklistId":"l2","text":"x"}}`)
	said := w.note(`{"entityId":"m1","patch":{"kind":"comment","cardId":"k1","text":"x"}}`)
	listed := w.note(`{"entityId":"l1","patch":{"kind":"checklist","cardId":"k1"}}`, `{"entityId":"i1","patch":{"kind":"item","checklistId":"l1","text":"x"}}`)
	done := w.note(`{"entityId":"i1","patch":{"done":true}}`)
	edited := w.note(`{"entityId":"m1","patch":{"text":"y"}}`)
	filed := w.note(`{"entityId":"f1","patch":{"kind":"file","name":"a","url":"https://a.example/","cardId":"k1"}}`)
	loose := w.note(`{"entityId":"f1","patch":{"cardId":null}}`)
	w.note(`{"entityId":"f1","patch":{"name":"b"}}`)
	comes := w.note(`{"entityId":"l2","patch":{"cardId":"k1"}}`)
	here := w.note(`{"entityId":"i2","patch":{"text":"y"}}`)
	unsaid := w.note(`{"entityId":"m1","patch":null}`)
	leaves := w.note(`{"entityId":"l2","patch":{"cardId":"k2"}}`)
	there := w.note(`{"entityId":"i2","patch":{"text":"z"}}`)
	same := w.note(`{"entityId":"k1","patch":{"title":"x"}}`)
	moved := w.note(`{"entityId":"k1","patch":{"columnId":"d"}}`)
	gone := w.note(`{"entityId":"k1","patch":null}`)
	after := w.note(`{"entityId":"i1","patch":{"text":"z"}}`) // not_found
	again := w.note(`{"entityId":"m1","patch":{"text":"z"}}`) // not_found
	hangs := w.note(`{"entityId":"m9","patch":{"kind":"comment","cardId":"k1","text":"x"}}`)
	other := w.note(`{"entityId":"zz","patch":{"title":"z"}}`) // never was

	wantEqual(t, "a card", w.trail("k1"), strings.Join([]string{one, said, listed, done, edited, filed, loose, comes, here, unsaid, leaves, same, moved, gone, after, again, hangs}, " "))
	wantEqual(t, "a checklist that moved", w.trail("l2"), strings.Join([]string{away, comes, here, leaves, there}, " "))
	wantEqual(t, "an item, which goes with its card", w.trail("i1"), strings.Join([]string{listed, done, gone, after}, " "))
	wantEqual(t, "a comment deleted before its card", w.trail("m1"), strings.Join([]string{said, edited, unsaid, again}, " "))
	wantEqual(t, "a column has its cards and what hangs on them", w.trail("d"), strings.Join([]string{"m3", moved, gone, after, again, hangs}, " "))
	wantEqual(t, "what never was and was asked for", w.trail("zz"), other)
	wantEqual(t, "what nobody named", w.trail("nothing"), "")
	wantEqual(t, "a member", w.trail("member:ann"), "m1")
}

func TestTrailHasNewPlacesInAList(t *testing.T) {
	t.Parallel()
	tr := NewTrail("k1")
	respaced := func(parent string) *Decision {
		return &Decision{Events: []Event{{Type: "list.respaced", EntityID: parent, Positions: map[string][2]string{"k0": {"a0", "a1"}, parent + "-1": {"a1", "a2"}}}}}
	}
	for parent, want := range map[string]bool{"k": false, "k1": true, "": false} {
		wantEqual(t, "in "+parent, tr.Touches(respaced(parent)), want)
	}
	d := respaced("c")
	d.Events[0].Positions["k1"] = [2]string{"a2", "a3"}
	wantEqual(t, "the card itself", tr.Touches(d), true)
}

func TestTrailHasImports(t *testing.T) {
	t.Parallel()
	part := func(list ...*Entity) *Decision {
		return &Decision{Command: Command{Op: OpImport, Import: &Import{Entities: list}}, Rejection: reject(Limit, "too many")}
	}
	tr := NewTrail("k1")
	wantEqual(t, "another", tr.Touches(part(nil, &Entity{ID: "k2", Kind: KindCard, Fields: Fields{"columnId": "c"}})), false)
	wantEqual(t, "itself", tr.Touches(part(&Entity{ID: "k1", Kind: KindCard})), true)
	wantEqual(t, "on it", tr.Touches(part(&Entity{ID: "m", Kind: KindComment, Fields: Fields{"cardId": "k1"}})), true)
}
