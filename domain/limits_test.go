package domain

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// fill imports a board of these entities, and gives ann's admin role.
func fill(t *testing.T, entities ...*Entity) *world {
	t.Helper()
	w := &world{t: t, board: NewBoard("b"), now: start}
	if len(entities) > 2_000 { // straight into the index: the log of it would take seconds
		w = newWorld(t)
		for _, e := range entities {
			w.board.put(nil, e)
		}
		return w
	}
	all := append([]*Entity{{ID: "b", Kind: KindBoard, Fields: Fields{"title": "big"}}}, entities...)
	d := w.run(w.importing(&Import{Source: "test:1", Done: true, Entities: all}))
	if d.Rejection != nil {
		t.Fatalf("import: %v %v", d.Rejection, d.Rejection.Details)
	}
	return w
}

// importing is the command for one part.
func (w *world) importing(im *Import) *Command {
	w.t.Helper()
	cmd := w.command("ann")
	cmd.Op, cmd.Changes = OpImport, nil
	if err := json.Unmarshal(encoded(w.t, im), &cmd.Import); err != nil {
		w.t.Fatalf("import: %v", err)
	}
	return cmd
}

func several(n int, entity func(i int) *Entity) []*Entity {
	list := make([]*Entity, n)
	for i := range n {
		list[i] = entity(i)
	}
	return list
}

func TestLimits(t *testing.T) {
	t.Parallel()
	column := &Entity{ID: "c", Kind: KindColumn, Fields: Fields{"title": "c"}}
	card := &Entity{ID: "k", Kind: KindCard, Fields: Fields{"title": "k", "columnId": "c"}}
	other := &Entity{ID: "k0", Kind: KindCard, Fields: Fields{"title": "k0", "columnId": "c"}}
	list := &Entity{ID: "l", Kind: KindChecklist, Fields: Fields{"cardId": "k"}}
	of := func(kind Kind, fields Fields) func(int) *Entity {
		return func(i int) *Entity { return &Entity{ID: fmt.Sprintf("e%d", i), Kind: kind, Fields: fields} }
	}
	for _, c := range []struct {
		name    string
		limit   int
		given   []*Entity
		room    int // how many more fit
		entity  func(int) *Entity
		change  string
		instead string // still passes, makes room
	}{
		{"500 columns", 500, nil, 0, of(KindColumn, Fields{"title": "x"}),
			`{"entityId":"new","patch":{"kind":"column","title":"x"}}`, `{"entityId":"e7","patch":null}`},
		{"5,000 unarchived cards", 5000, []*Entity{column}, 0, of(KindCard, Fields{"title": "x", "columnId": "c"}),
			`{"entityId":"new","patch":{"kind":"card","columnId":"c","title":"x"}}`, `{"entityId":"e7","patch":{"archived":true}}`},
		{"50,000 archived cards", 50000, []*Entity{column, card}, 0, of(KindCard, Fields{"title": "x", "columnId": "c", "archived": true}),
			`{"entityId":"k","patch":{"archived":true}}`, `{"entityId":"e7","patch":{"archived":false}}`},
		{"1,000 labels", 1000, nil, 0, of(KindLabel, Fields{"name": "x"}),
			`{"entityId":"new","patch":{"kind":"label"}}`, `{"entityId":"e7","patch":null}`},
		{"1,600 members", 1600, nil, 1, func(i int) *Entity {
			return &Entity{ID: fmt.Sprintf("member:e%d", i), Kind: KindMember, Fields: Fields{"role": "viewer"}}
		}, `{"entityId":"member:new","patch":{"kind":"member","role":"viewer"}}`, `{"entityId":"member:e7","patch":null}`},
		{"1,000 files of a card", 1000, []*Entity{column, card}, 0, func(i int) *Entity {
			return &Entity{ID: fmt.Sprintf("e%d", i), Kind: KindFile, Fields: Fields{"name": fmt.Sprint(i), "cardId": "k", "url": "http://example.org"}}
		}, `{"entityId":"new","patch":{"kind":"file","name":"x","cardId":"k","url":"http://example.org"}}`, `{"entityId":"e7","patch":{"cardId":null}}`},
		{"100 checklists of a card", 100, []*Entity{column, card, other}, 0, of(KindChecklist, Fields{"cardId": "k"}),
			`{"entityId":"new","patch":{"kind":"checklist","cardId":"k"}}`, `{"entityId":"e7","patch":{"cardId":"k0"}}`},
		{"5,000 comments of a card", 5000, []*Entity{column, card}, 0, of(KindComment, Fields{"cardId": "k", "text": "x"}),
			`{"entityId":"new","patch":{"kind":"comment","cardId":"k","text":"x"}}`, `{"entityId":"e7","patch":null}`},
		{"500 items of a checklist", 500, []*Entity{column, card, list}, 0, of(KindItem, Fields{"checklistId": "l", "text": "x"}),
			`{"entityId":"new","patch":{"kind":"item","checklistId":"l","text":"x"}}`, `{"entityId":"e7","patch":null}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := c.limit - c.room
			w := fill(t, append(c.given, several(n, c.entity)...)...)
			full := fmt.Sprintf(`"limit":%d,"count":%d`, c.limit, c.limit)
			w.refused(Limit, full, "ann", c.change)
			w.refused(Limit, full+`,"change":1`, "ann", `{"entityId":"b","patch":{"description":"x"}}`, c.change)
			w.must("ann", c.change, c.instead)

			w = &world{t: t, board: NewBoard("b"), now: start}
			if c.room > 0 || n > 2_000 {
				return // the importer's own membership comes on top; too slow
			}
			all := append([]*Entity{{ID: "b", Kind: KindBoard, Fields: Fields{"title": "big"}}}, append(c.given, several(n+1, c.entity)...)...)
			w.check(w.run(w.importing(&Import{Source: "test:1", Entities: all})), Limit, full)
		})
	}
}

func TestLimit_WhoStaysMakesNoRoom(t *testing.T) {
	t.Parallel()
	w := fill(t, append([]*Entity{{ID: "c", Kind: KindColumn, Fields: Fields{"title": "c"}}, {ID: "d", Kind: KindColumn, Fields: Fields{"title": "d"}}},
		several(maxOpenCards, func(i int) *Entity {
			return &Entity{ID: fmt.Sprintf("e%d", i), Kind: KindCard, Fields: Fields{"title": "x", "columnId": "c"}}
		})...)...)
	full := fmt.Sprintf(`"limit":%d,"count":%d,"change":2`, maxOpenCards, maxOpenCards)
	w.refused(Limit, full, "ann", `{"entityId":"e1","patch":{"title":"y"}}`, `{"entityId":"e2","patch":{"columnId":"d"}}`, `{"entityId":"new","patch":{"kind":"card","columnId":"d","title":"x"}}`)
}

func TestLimit_ChangesOfOneMutation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	change := func(i int) string {
		return fmt.Sprintf(`{"entityId":"c%d","patch":{"kind":"column","title":"x"}}`, i)
	}
	var changes []string
	for i := range 101 {
		changes = append(changes, change(i))
	}
	w.refused(Invalid, `"field":"changes","limit":100`, "ann", changes...)
	w.refused(Invalid, `"field":"changes","limit":100`, "ann")
	wantEqual(t, "events", len(w.must("ann", changes[:100]...).Events), 100)
	if got := strings.Count(w.order("", KindColumn), " "); got != 99 {
		t.Errorf("%d columns", got+1)
	}
}
