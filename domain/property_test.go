package domain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// model is the log folded by another and simpler hand: JSON objects by id.
type model map[string]map[string]any

func (m model) fold(data []byte) {
	var c struct {
		Decisions []struct {
			User   string
			At     string
			Events []struct {
				Type, EntityID string
				Rev            uint64
				Before, After  map[string]any
				Added, Removed map[string][]string
				Gone           map[string]int
				Positions      map[string][2]string
			}
		}
	}
	if err := json.Unmarshal(data, &c); err != nil {
		panic(err)
	}
	for _, d := range c.Decisions {
		for _, ev := range d.Events {
			kind, verb, _ := strings.Cut(ev.Type, ".")
			touched := map[string]map[string]any{ev.EntityID: m[ev.EntityID]}
			switch verb {
			case "created", "added":
				m[ev.EntityID] = map[string]any{"id": ev.EntityID, "kind": kind, "createdRev": ev.Rev, "createdAt": d.At, "createdBy": d.User}
				touched[ev.EntityID] = m[ev.EntityID]
			case "deleted", "removed":
				m.drop(ev.EntityID)
				continue
			case "respaced":
				touched = map[string]map[string]any{}
				for id, keys := range ev.Positions {
					if m[id]["position"] != keys[0] {
						panic(fmt.Sprintf("%s was at %v, not %s", id, m[id]["position"], keys[0]))
					}
					m[id]["position"], touched[id] = keys[1], m[id]
				}
			}
			for _, e := range touched {
				e["rev"], e["updatedAt"], e["updatedBy"] = ev.Rev, d.At, d.User
			}
			for name, v := range ev.After {
				if was := ev.Before[name]; verb != "created" && verb != "added" && string(must(was)) != string(must(m[ev.EntityID][name])) {
					panic(fmt.Sprintf("%s of %s was %v, not %v", name, ev.EntityID, m[ev.EntityID][name], was))
				}
				if m[ev.EntityID][name] = v; v == nil {
					delete(m[ev.EntityID], name)
				}
			}
			foldSets(m[ev.EntityID], ev.Added, ev.Removed)
		}
	}
}

func foldSets(e map[string]any, added, removed map[string][]string) {
	for _, name := range []string{"labels", "assignees", "likedBy"} {
		if added[name] == nil && removed[name] == nil {
			continue
		}
		set := map[string]bool{}
		old, _ := e[name].([]any)
		for _, x := range old {
			set[x.(string)] = true
		}
		for _, x := range added[name] {
			set[x] = true
		}
		for _, x := range removed[name] {
			delete(set, x)
		}
		list := []any{}
		for _, x := range slices.Sorted(maps.Keys(set)) {
			list = append(list, x)
		}
		e[name] = list
	}
}

func (m model) drop(id string) {
	delete(m, id)
	for child, e := range m {
		if e["cardId"] == id || e["checklistId"] == id {
			m.drop(child)
		}
	}
}

func must(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

// canon is JSON with sorted keys.
func canon(v any) string {
	var x any
	dec := json.NewDecoder(bytes.NewReader(must(v)))
	dec.UseNumber()
	if err := dec.Decode(&x); err != nil {
		panic(err)
	}
	return string(must(x))
}

// differ says in which entities two states differ, "" for none.
func differ(got, want any) string {
	a, z := map[string]any{}, map[string]any{}
	if unmarshal([]byte(canon(got)), &a) != nil || unmarshal([]byte(canon(want)), &z) != nil {
		return "not objects"
	}
	var out strings.Builder
	for _, id := range slices.Sorted(maps.Keys(a)) {
		if canon(a[id]) != canon(z[id]) {
			fmt.Fprintf(&out, "%s is     %s\n%s should %s\n", id, canon(a[id]), id, canon(z[id]))
		}
		delete(z, id)
	}
	for _, id := range slices.Sorted(maps.Keys(z)) {
		fmt.Fprintf(&out, "%s should %s\n", id, canon(z[id]))
	}
	return out.String()
}

// state is every entity of the board by id.
func state(b *Board) map[string]*Entity {
	out := map[string]*Entity{}
	for e := range b.All() {
		out[e.ID] = e
	}
	return out
}

// sound checks what holds of a board after every decision.
func (w *world) sound(before map[string]*Entity) {
	w.t.Helper()
	now := state(w.board)
	if len(now) != w.board.Len() {
		w.t.Fatalf("All gives %d of %d entities", len(now), w.board.Len())
	}
	places, names := map[string]string{}, map[string]string{}
	open, shut, admins := 0, 0, 0
	inColumn, entered := map[string]int{}, map[string]bool{}
	for id, e := range now {
		unique := func(seen map[string]string, what, key string) {
			if other := seen[key]; other != "" {
				w.t.Fatalf("%s and %s have the same %s %q", id, other, what, key)
			}
			seen[key] = id
		}
		if p := e.Parent(); p != "" && (now[p] == nil || kindRank(now[p].Kind) >= kindRank(e.Kind)) {
			w.t.Fatalf("%s hangs on %q, which is %v", id, p, now[p])
		}
		archived := e.Fields.Bool("archived")
		if positioned(e.Kind) && !archived {
			unique(places, "position", fmt.Sprint(keyOf(e), positionOf(e)))
			if !ValidPosition(positionOf(e)) {
				w.t.Fatalf("%s has position %q", id, positionOf(e))
			}
		}
		switch {
		case e.Kind == KindFile:
			unique(names, "name", e.Parent()+"/"+foldName(e.Fields.String("name")))
		case e.Kind == KindMember && e.Fields.String("role") == "admin":
			admins++
		case e.Kind == KindCard && archived:
			shut++
		case e.Kind == KindCard:
			open++
			inColumn[e.Parent()]++
			if old := before[id]; old == nil || old.Parent() != e.Parent() || old.Fields.Bool("archived") {
				entered[e.Parent()] = true
			}
		}
	}
	if open != w.board.openCards || shut != w.board.shutCards || admins != w.board.admins || admins == 0 {
		w.t.Fatalf("counts are %d %d %d, should be %d %d %d", w.board.openCards, w.board.shutCards, w.board.admins, open, shut, admins)
	}
	for id := range entered {
		column := now[id]
		limit := int(column.Fields.Int("wipLimit"))
		if limit > 0 && column.Fields.String("wipMode") != "soft" && inColumn[id] > limit {
			w.t.Fatalf("a card entered %s, which holds %d of %d", id, inColumn[id], limit)
		}
		if column.Fields.Bool("archived") {
			w.t.Fatalf("a card entered %s, which is archived", id)
		}
	}
}

// outcomes counts what random commands came to.
type outcomes struct {
	accepted, respaced int
	refused            map[Code]int
}

// play runs commands from a seed and holds the fold of what was decided
// against a model, a replay, snapshots, batches, an import, resumes and a
// second decision of every command.
func play(t tester, seed uint64, commands int, count *outcomes) {
	w := newWorld(t).withUsers().columns("column0", "column1").cards("column0", "card0", "card1")
	for i, end := range []string{"1", "2"} { // no key fits between these
		w.must("ann", fmt.Sprintf(`{"entityId":"card%d","patch":{"position":"a0%s%s"}}`, i, strings.Repeat("0", MaxPosition-3), end))
	}
	marks := map[uint64]map[string]*Entity{}
	r := newDice(seed)
	for range commands {
		before := state(w.board)
		marks[w.board.Rev()] = before
		d := w.run(w.aCommand(r))
		w.sound(before)
		if d.Rejection != nil {
			count.refused[d.Rejection.Code]++
		} else {
			count.accepted++
			count.respaced += strings.Count(types(d), "respaced")
		}
	}
	m := model{}
	for _, data := range w.log {
		m.fold(data)
	}
	if d := differ(state(w.board), m); d != "" {
		t.Fatalf("the fold differs from the model:\n%s", d)
	}
	w.sameAfterReplay()
	w.sameInBatches(r)
	w.sameAfterImport(r)
	w.sameAfterResume(marks)
}

// TestSeededCommands plays seeds that reach every refusal.
func TestSeededCommands(t *testing.T) {
	t.Parallel()
	count := outcomes{refused: map[Code]int{}}
	for seed := range uint64(30) {
		play(t, seed, 100, &count)
	}
	t.Logf("%d accepted, %d lists respaced, refused %v", count.accepted, count.respaced, count.refused)
	for _, code := range []Code{Invalid, NotFound, Conflict, Forbidden, NameTaken, WIPLimit, NotEmpty, Archived, Expired, Withdrawn} {
		if count.refused[code] == 0 {
			t.Errorf("nothing was refused with %s", code)
		}
	}
	if count.accepted < 500 || count.respaced == 0 {
		t.Error("too little happened")
	}
}

// TestRandomCommands plays seeds of rapid's choice.
func TestRandomCommands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := outcomes{refused: map[Code]int{}}
		play(t, rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 60).Draw(t, "commands"), &count)
	})
}

// sameAfterReplay folds the log into a new board, deciding every command again
// on the way, and goes over snapshots now and then.
func (w *world) sameAfterReplay() {
	w.t.Helper()
	b := NewBoard("b")
	for i, data := range w.log {
		c, hash, err := DecodeCommit(data)
		if err != nil {
			w.t.Fatalf("%v", err)
		}
		for _, d := range c.Decisions {
			again := Decide(b, &d.Command, d.Now())
			if got, want := canon(again), canon(d); got != want {
				w.t.Fatalf("decided again:\n%s\n%s", got, want)
			}
		}
		if err := b.Apply(c, hash, uint64(3*i+3), w.stored[i], nil); err != nil {
			w.t.Fatalf("%v", err)
		}
		if i%7 == 0 {
			data, err := b.Snapshot()
			if err != nil {
				w.t.Fatalf("%v", err)
			}
			if b, err = LoadSnapshot(data); err != nil {
				w.t.Fatalf("%v", err)
			}
		}
	}
	got, err := b.Snapshot()
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	if !bytes.Equal(got, w.snapshot()) {
		w.t.Fatalf("a replay over snapshots gives another board")
	}
	if b, err = LoadSnapshot(got); err != nil {
		w.t.Fatalf("%v", err)
	}
	for rev := range w.board.Rev() {
		if a, z := changedSet(b, rev), changedSet(w.board, rev); a != z {
			w.t.Fatalf("changed since %d, by a snapshot and by the log:\n%s\n%s", rev, a, z)
		}
	}
	if d := differ(state(b), state(w.board)); d != "" {
		w.t.Fatalf("a replay over snapshots gives other entities:\n%s", d)
	}
}

func changedSet(b *Board, since uint64) string {
	list, ok := b.ChangedSince(since)
	ids := []string{fmt.Sprint(ok)}
	for _, e := range list {
		ids = append(ids, fmt.Sprint(e.ID, e.Rev, e.Deleted))
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// sameAfterResume plays what changed since each mark to a reader of that time,
// who drops what hangs on a tombstone.
func (w *world) sameAfterResume(marks map[uint64]map[string]*Entity) {
	w.t.Helper()
	want := state(w.board)
	for rev, view := range marks {
		changed, ok := w.board.ChangedSince(rev)
		if !ok {
			w.t.Fatalf("no resume since %d", rev)
		}
		for i, e := range changed {
			if e.Rev <= rev {
				w.t.Fatalf("%s did not change since %d", e.ID, rev)
			}
			if !e.Deleted {
				if p := e.Parent(); p != "" && view[p] == nil {
					w.t.Fatalf("%s comes before its parent %s", e.ID, p)
				}
				view[e.ID] = e
				continue
			}
			if i+1 < len(changed) && !changed[i+1].Deleted {
				w.t.Fatalf("a tombstone before %s", changed[i+1].ID)
			}
			var drop func(id string)
			drop = func(id string) {
				delete(view, id)
				for child, e := range view {
					if e.Kind != KindCard && e.Parent() == id {
						drop(child)
					}
				}
			}
			drop(e.ID)
		}
		if maps.Equal(view, want) { // the very same entities
			continue
		}
		if d := differ(view, want); d != "" {
			w.t.Fatalf("resumed since %d:\n%s", rev, d)
		}
	}
}
