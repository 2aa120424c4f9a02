package domain

import (
	"strings"
	"testing"
)

// Each test here is a row of DOMAIN.md's table of rules, in its order.

func TestRule_CardEntersOnlyAnExistingUnarchivedColumn(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c1", "c2", "old").cards("c1", "k1", "k2").cards("old", "k3", "k4")
	w.must("ann", `{"entityId":"k4","patch":{"archived":true}}`)
	w.must("ann", `{"entityId":"old","patch":{"archived":true}}`)

	w.refused(NotFound, `"entityId":"no"`, "ann", `{"entityId":"k9","patch":{"kind":"card","title":"x","columnId":"no"}}`)
	w.refused(NotFound, `"entityId":"no"`, "ann", `{"entityId":"k1","patch":{"columnId":"no"}}`)
	w.refused(NotFound, `"entityId":"k2"`, "ann", `{"entityId":"k1","patch":{"columnId":"k2"}}`)
	w.refused(Archived, `"entityId":"old"`, "ann", `{"entityId":"k9","patch":{"kind":"card","title":"x","columnId":"old"}}`)
	w.refused(Archived, `"entityId":"old"`, "ann", `{"entityId":"k1","patch":{"columnId":"old"}}`)
	w.refused(Archived, `"entityId":"old"`, "ann", `{"entityId":"k4","patch":{"archived":false}}`)

	for _, patch := range []string{`{"title":"x"}`, `{"archived":true}`, `{"liked":true}`, `{"position":"a5"}`, `{"labels":[]}`} {
		d := w.do("ann", `{"entityId":"k3","patch":`+patch+`}`)
		if patch == `{"labels":[]}` {
			wantEqual(t, "changes nothing", len(d.Events), 0)
			continue
		}
		w.check(d, Archived, `"entityId":"old"`)
	}
	wantEqual(t, "moving out", types(w.must("ann", `{"entityId":"k3","patch":{"columnId":"c1"}}`)), "card.moved")
	wantEqual(t, "moving out archived", types(w.must("ann", `{"entityId":"k4","patch":{"columnId":"c2"}}`)), "card.moved")
	wantEqual(t, "still archived", w.get("k4").Fields.Bool("archived"), true)

	w.must("ann", `{"entityId":"k3","patch":{"columnId":"c2"}}`)
	w.must("ann", `{"entityId":"c2","patch":{"archived":true}}`)
	w.refused(Archived, `"entityId":"c2"`, "ann", `{"entityId":"k3","patch":{"title":"x"}}`)
	w.must("ann", `{"entityId":"c2","patch":{"archived":false}}`)
	w.must("ann", `{"entityId":"k3","patch":{"title":"back with its column"}}`)
	w.must("ann", `{"entityId":"k3","patch":{"archived":true}}`)
	wantEqual(t, "restore elsewhere", types(w.must("ann", `{"entityId":"k3","patch":{"archived":false,"columnId":"c1"}}`)), "card.moved card.restored")
}

func TestRule_CardSentAfterItsColumnInOneMutation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must("ann", `{"entityId":"c","patch":{"kind":"column","title":"c"}}`, `{"entityId":"k","patch":{"kind":"card","title":"k","columnId":"c"}}`)
	w.must("ann", `{"entityId":"k2","patch":{"kind":"card","title":"k","columnId":"d"}}`, `{"entityId":"d","patch":{"kind":"column","title":"d"}}`)
	w.refused(Archived, `"entityId":"d","change":0`, "ann", `{"entityId":"k","patch":{"columnId":"d"}}`, `{"entityId":"d","patch":{"archived":true}}`)
}

func TestRule_WIPLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("a", "b2", "soft").cards("a", "k1", "k2").cards("b2", "k3", "k4")
	w.must("ann", `{"entityId":"a","patch":{"wipLimit":2}}`)
	full := `"columnId":"a","limit":2,"count":2`
	w.refused(WIPLimit, full, "ann", `{"entityId":"k3","patch":{"columnId":"a"}}`)
	w.refused(WIPLimit, full, "ann", `{"entityId":"k9","patch":{"kind":"card","title":"x","columnId":"a"}}`)
	w.must("ann", `{"entityId":"k1","patch":{"position":{"before":null}}}`) // inside a full column
	wantEqual(t, "order", w.order("a", KindCard), "k2 k1")

	w.must("ann", `{"entityId":"k1","patch":{"archived":true}}`)
	w.must("ann", `{"entityId":"k3","patch":{"columnId":"a"}}`) // into the last place
	w.refused(WIPLimit, full, "ann", `{"entityId":"k4","patch":{"columnId":"a"}}`)
	w.refused(WIPLimit, full, "ann", `{"entityId":"k1","patch":{"archived":false}}`)

	w.must("ann", `{"entityId":"a","patch":{"wipLimit":1}}`) // below the count
	w.refused(WIPLimit, `"columnId":"a","limit":1,"count":2`, "ann", `{"entityId":"k4","patch":{"columnId":"a"}}`)
	w.must("ann", `{"entityId":"k3","patch":{"columnId":"b2"}}`) // leaving
	w.must("ann", `{"entityId":"a","patch":{"wipMode":"soft"}}`)
	w.must("ann", `{"entityId":"k4","patch":{"columnId":"a"}}`) // only shown
	w.must("ann", `{"entityId":"a","patch":{"wipMode":"hard","wipLimit":0}}`)
	w.must("ann", `{"entityId":"k3","patch":{"columnId":"a"}}`) // no limit
}

func TestRule_WIPHoldsAtTheEndOfAMutation(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("a", "d").cards("a", "k1").cards("d", "k2", "k3")
	w.must("ann", `{"entityId":"a","patch":{"wipLimit":1}}`)
	w.must("ann", `{"entityId":"d","patch":{"wipLimit":2}}`)
	w.must("ann", `{"entityId":"k1","patch":{"columnId":"d"}}`, `{"entityId":"k2","patch":{"columnId":"a"}}`)
	wantEqual(t, "swapped", w.order("a", KindCard)+", "+w.order("d", KindCard), "k2, k3 k1")
	w.refused(WIPLimit, `"columnId":"a","limit":1,"count":1,"change":1`, "ann",
		`{"entityId":"k2","patch":{"title":"x"}}`, `{"entityId":"k3","patch":{"columnId":"a"}}`)
	w.refused(WIPLimit, `"columnId":"a","limit":2,"count":2,"change":2`, "ann",
		`{"entityId":"a","patch":{"wipLimit":2}}`, `{"entityId":"k3","patch":{"columnId":"a"}}`, `{"entityId":"k1","patch":{"columnId":"a"}}`)
}

func TestRule_FileNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k", "k2")
	add := func(id, name, card string) string {
		return `{"entityId":"` + id + `","patch":{"kind":"file","name":"` + name + `","url":"https://example.org/","cardId":` + card + `}}`
	}
	name := func(id string) string { return w.get(id).Fields.String("name") }
	w.must("ann", add("f1", "Plan.pdf", `"k"`))
	w.must("ann", add("f2", "plan.PDF", `"k"`))
	wantEqual(t, "second", name("f2"), "plan (2).PDF")
	w.must("ann", add("f3", "PLAN.pdf", `"k"`))
	wantEqual(t, "third", name("f3"), "PLAN (3).pdf")
	w.must("ann", add("f4", "plan.pdf", `"k2"`), add("f5", "plan.pdf", `null`), add("f6", ".env", `null`), add("f7", ".env", `null`))
	wantEqual(t, "elsewhere", name("f4")+" "+name("f5")+" "+name("f7"), "plan.pdf plan.pdf .env (2)")
	w.must("ann", add("g1", "Stra\u00dfe", `"k"`), add("g2", "STRASSE", `"k"`), add("g3", "u\u0308", `"k"`), add("g4", "\u00dc", `"k"`))
	wantEqual(t, "folded", name("g2")+" "+name("g4"), "STRASSE (2) \u00dc (2)")

	w.refused(NameTaken, `"entityId":"f1"`, "ann", `{"entityId":"f2","patch":{"name":"plan.pdf"}}`)
	w.refused(NameTaken, `"entityId":"f1"`, "ann", `{"entityId":"f4","patch":{"cardId":"k"}}`)
	w.must("ann", `{"entityId":"f1","patch":{"name":"PLAN.PDF"}}`) // its own
	w.must("ann", `{"entityId":"f1","patch":{"name":"plan (2).pdf"}}`, `{"entityId":"f2","patch":{"name":"PLAN.PDF"}}`)
	wantEqual(t, "swapped", name("f1")+" "+name("f2"), "plan (2).pdf PLAN.PDF")
	w.refused(NameTaken, `"entityId":"f2","change":1`, "ann", `{"entityId":"f2","patch":{"name":"new"}}`, `{"entityId":"f1","patch":{"name":"new"}}`)
	wantEqual(t, "moves", types(w.must("ann", `{"entityId":"f4","patch":{"cardId":"k","name":"other"}}`)), "file.moved file.renamed")
	for _, bad := range []string{"a/b", `a\\b`, ".", "..", " ", strings.Repeat("x", 256), "a\u202eb", "a\u0000"} {
		w.refused(Invalid, `"field":"name"`, "ann", `{"entityId":"f1","patch":{"name":"`+strings.ReplaceAll(bad, "\x00", `\u0000`)+`"}}`)
	}
	long := strings.Repeat("\u00e9", 125) + ".pdf" // 254 bytes
	w.must("ann", add("h1", long, `"k"`), add("h2", long, `"k"`))
	if got := name("h2"); len(got) > 255 || !strings.HasSuffix(got, "\u00e9 (2).pdf") {
		t.Errorf("long name: %q", got)
	}
	w.must("ann", `{"entityId":"f2","patch":null}`)
	w.must("ann", add("f9", "plan.pdf", `"k"`))
	wantEqual(t, "free again", name("f9"), "plan.pdf")
}

func TestRule_ColumnIsDeletedOnlyWhenEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c1", "c2").cards("c1", "k1", "k2", "k3")
	w.must("ann", `{"entityId":"k3","patch":{"archived":true}}`)
	w.refused(NotEmpty, `"cards":2,"archived":1`, "ann", `{"entityId":"c1","patch":null}`)
	w.refused(NotEmpty, `"cards":0,"archived":1,"change":1`, "ann",
		`{"entityId":"k1","patch":{"columnId":"c2"}}`, `{"entityId":"c1","patch":null}`, `{"entityId":"k2","patch":{"columnId":"c2"}}`)
	d := w.must("ann", `{"entityId":"k1","patch":{"columnId":"c2"}}`, `{"entityId":"c1","patch":null}`, `{"entityId":"k2","patch":{"columnId":"c2"}}`, `{"entityId":"k3","patch":null}`)
	wantEqual(t, "events", types(d), "card.moved column.deleted card.moved card.deleted")
	wantEqual(t, "cards", w.order("c2", KindCard), "k1 k2")
	w.must("ann", `{"entityId":"k1","patch":{"archived":true}}`)
	w.must("ann", `{"entityId":"k2","patch":null}`)
	w.refused(NotEmpty, `"cards":0,"archived":1`, "ann", `{"entityId":"c2","patch":null}`)
}

func TestRule_LastAdminStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers()
	w.must("admin", `{"entityId":"member:ann","patch":{"role":"editor"}}`)
	for _, c := range []string{`{"entityId":"member:admin","patch":null}`, `{"entityId":"member:admin","patch":{"role":"editor"}}`} {
		w.refused(Forbidden, `"needs":"admin"`, "admin", c)
	}
	w.must("admin", `{"entityId":"member:admin","patch":{"role":"viewer"}}`, `{"entityId":"member:ann","patch":{"role":"admin"}}`)
	w.refused(Forbidden, `"needs":"admin"`, "ann", `{"entityId":"member:ann","patch":null}`)
	for _, user := range []string{"viewer", "commenter", "editor"} {
		wantEqual(t, "leaves", types(w.must(user, `{"entityId":"member:`+user+`","patch":null}`)), "member.removed")
	}
	w.refused(Forbidden, `"needs":"admin"`, "admin", `{"entityId":"member:ann","patch":null}`)
	w.must("ann", `{"entityId":"member:viewer","patch":{"kind":"member","role":"viewer"}}`) // may come back
}

func TestRule_DeletionTakesWhatHangsOnIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k", "k2")
	w.must("ann",
		`{"entityId":"l","patch":{"kind":"checklist","cardId":"k"}}`, `{"entityId":"l2","patch":{"kind":"checklist","cardId":"k"}}`,
		`{"entityId":"i1","patch":{"kind":"item","checklistId":"l","text":"x"}}`, `{"entityId":"i2","patch":{"kind":"item","checklistId":"l","text":"x"}}`,
		`{"entityId":"i3","patch":{"kind":"item","checklistId":"l2","text":"x"}}`,
		`{"entityId":"t","patch":{"kind":"comment","cardId":"k","text":"x"}}`, `{"entityId":"f","patch":{"kind":"file","cardId":"k","name":"x","url":"http://example.org"}}`)
	d := w.must("ann", `{"entityId":"l2","patch":null}`)
	wantEqual(t, "checklist", string(encoded(t, d.Events)), `[{"type":"checklist.deleted","v":1,"rev":13,"entityId":"l2","gone":{"item":1}}]`)
	wantEqual(t, "tombstone", string(encoded(t, w.steps[0].Entities)), `[{"id":"l2","kind":"checklist","rev":13,"deleted":true,"cardId":"k"}]`)
	d = w.must("ann", `{"entityId":"k","patch":null}`)
	wantEqual(t, "card", string(encoded(t, d.Events[0].Gone)), `{"checklist":1,"comment":1,"file":1,"item":2}`)
	for _, id := range []string{"k", "l", "i1", "i2", "i3", "t", "f"} {
		if w.board.Get(id) != nil {
			t.Errorf("%s is still there", id)
		}
	}
	w.refused(NotFound, `"entityId":"i1"`, "ann", `{"entityId":"i1","patch":{"text":"y"}}`)
	w.refused(NotFound, `"entityId":"k"`, "ann", `{"entityId":"k","patch":{"kind":"card","title":"again","columnId":"c"}}`)
	w.refused(NotFound, `"entityId":"k2","change":1`, "ann", `{"entityId":"k2","patch":null}`, `{"entityId":"t3","patch":{"kind":"comment","cardId":"k2","text":"x"}}`)
}

func TestRule_PositionsAreUniqueAmongUnarchivedSiblings(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c", "d").cards("c", "k1", "k2").cards("d", "k3")
	pos := func(id string) string { return w.get(id).Fields.String("position") }
	wantEqual(t, "last by default", pos("k1")+" "+pos("k2"), "a0 a1")
	w.must("ann", `{"entityId":"k3","patch":{"columnId":"c","position":"a0"}}`)
	wantEqual(t, "right behind an equal one", w.order("c", KindCard)+" "+pos("k3"), "k1 k3 k2 a0V")
	w.must("ann", `{"entityId":"k1","patch":{"archived":true}}`)
	w.must("ann", `{"entityId":"k2","patch":{"position":"a0"}}`)
	wantEqual(t, "an archived one does not count", pos("k2"), "a0")
	d := w.must("ann", `{"entityId":"k1","patch":{"archived":false}}`)
	wantEqual(t, "restored behind on a tie", types(d)+" "+w.order("c", KindCard), "card.restored k2 k1 k3")
	wantEqual(t, "before and after", string(encoded(t, d.Events[0].Before))+string(encoded(t, d.Events[0].After)),
		`{"archived":true,"position":"a0"}{"archived":false,"position":"a0G"}`)
	w.must("ann", `{"entityId":"k2","patch":{"columnId":"d"}}`)
	wantEqual(t, "last in the new column", w.order("d", KindCard), "k2")
}

func TestRule_Places(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c", "d").cards("c", "k1", "k2", "k3").cards("d", "k4")
	move := func(id, patch, want string) {
		t.Helper()
		w.must("ann", `{"entityId":"`+id+`","patch":`+patch+`}`)
		wantEqual(t, id+" "+patch, w.order("c", KindCard), want)
	}
	move("k3", `{"position":{"after":null}}`, "k3 k1 k2")
	move("k3", `{"position":{"before":null}}`, "k1 k2 k3")
	move("k3", `{"position":{"after":"k1"}}`, "k1 k3 k2")
	move("k2", `{"position":{"before":"k1"}}`, "k2 k1 k3")
	move("k4", `{"columnId":"c","position":{"before":"k1"}}`, "k2 k4 k1 k3")
	for _, place := range []string{`{"after":"k2"}`, `{"before":"k1"}`, `{"after":"k4"}`} {
		wantEqual(t, "stays "+place, len(w.must("ann", `{"entityId":"k4","patch":{"position":`+place+`}}`).Events), 0)
	}
	move("k1", `{"columnId":"d"}`, "k2 k4 k3")
	move("k2", `{"position":{"after":"k1"}}`, "k4 k3 k2") // k1 is elsewhere by now: last
	w.refused(NotFound, `"entityId":"no"`, "ann", `{"entityId":"k2","patch":{"position":{"after":"no"}}}`)
	w.refused(NotFound, `"entityId":"c"`, "ann", `{"entityId":"k2","patch":{"position":{"after":"c"}}}`)
	w.must("ann", `{"entityId":"k3","patch":{"archived":true}}`)
	move("k2", `{"position":{"before":"k3"}}`, "k4 k2") // an archived one still marks a place
}

func TestRule_PlacesSeeTheChangesBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c", "d").cards("c", "k1", "k2", "k3")
	w.must("ann", `{"entityId":"k3","patch":{"columnId":"d"}}`, `{"entityId":"k4","patch":{"kind":"card","title":"x","columnId":"c"}}`,
		`{"entityId":"k2","patch":{"position":{"after":null}}}`, `{"entityId":"k5","patch":{"kind":"card","title":"x","columnId":"c","position":"a1"}}`)
	wantEqual(t, "the last has left", w.get("k4").Fields.String("position"), "a2")
	wantEqual(t, "a place that is free by now", w.get("k5").Fields.String("position"), "a1")
	wantEqual(t, "order", w.order("c", KindCard), "k2 k1 k5 k4")
}

func TestRule_LongKeysRespaceTheList(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k1", "k2", "k3")
	long := "a0" + strings.Repeat("0", MaxPosition-3) + "1"
	w.must("ann", `{"entityId":"k2","patch":{"position":"`+long+`"}}`)
	w.refused(Invalid, `"field":"position","limit":200`, "ann", `{"entityId":"k3","patch":{"position":"`+long+`V"}}`)
	d := w.must("ann", `{"entityId":"k3","patch":{"position":{"after":"k1"}}}`)
	wantEqual(t, "events", types(d), "list.respaced card.moved")
	wantEqual(t, "order", w.order("c", KindCard), "k1 k3 k2")
	wantEqual(t, "positions", string(encoded(t, d.Events[0].Positions)), `{"k2":["`+long+`","a2"]}`)
	wantEqual(t, "parent", d.Events[0].EntityID+" "+string(d.Events[0].Kind), "c card")
	wantEqual(t, "visited", len(w.steps[0].Entities), 1)
	wantEqual(t, "more", w.steps[0].More, true)
	wantEqual(t, "rev", w.get("k2").Rev+1, w.get("k3").Rev)
}

func TestRule_ArchivedThingsRefuseChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k", "k2")
	w.must("ann", `{"entityId":"l","patch":{"kind":"checklist","cardId":"k"}}`, `{"entityId":"i","patch":{"kind":"item","checklistId":"l","text":"x"}}`,
		`{"entityId":"t","patch":{"kind":"comment","cardId":"k","text":"x"}}`, `{"entityId":"f","patch":{"kind":"file","cardId":"k","name":"x","url":"http://example.org"}}`)
	w.must("ann", `{"entityId":"k","patch":{"title":"last words","archived":true}}`)
	refused := func(id, changes string) {
		t.Helper()
		for _, c := range strings.Split(changes, "\n") {
			if c = strings.TrimSpace(c); c != "" {
				if d := w.do("ann", c); d.Rejection == nil {
					t.Errorf("accepted: %s", c)
				} else {
					w.check(d, Archived, `"entityId":"`+id+`"`)
				}
			}
		}
	}
	hanging := `{"entityId":"l","patch":{"title":"x"}}
		{"entityId":"i","patch":{"done":true}}
		{"entityId":"t","patch":{"text":"y"}}
		{"entityId":"f","patch":{"name":"y"}}
		{"entityId":"l9","patch":{"kind":"checklist","cardId":"k"}}
		{"entityId":"i9","patch":{"kind":"item","checklistId":"l","text":"x"}}
		{"entityId":"t9","patch":{"kind":"comment","cardId":"k","text":"x"}}
		{"entityId":"f9","patch":{"kind":"file","cardId":"k","name":"z","url":"http://example.org"}}`
	refused("k", hanging+`
		{"entityId":"k","patch":{"title":"y"}}
		{"entityId":"k","patch":{"liked":true}}
		{"entityId":"k","patch":{},"toggle":true}
		{"entityId":"k","patch":{"position":{"after":"k2"}}}`)
	w.must("ann", `{"entityId":"k","patch":{"archived":false}}`, `{"entityId":"k","patch":{"title":"restored and changed"}}`)
	w.must("ann", `{"entityId":"c","patch":{"archived":true}}`)
	refused("c", hanging+`
		{"entityId":"c","patch":{"title":"y"}}
		{"entityId":"c","patch":{"position":"a7"}}
		{"entityId":"c","patch":{"wipLimit":3}}`)
	w.must("ann", `{"entityId":"c","patch":{"archived":false,"title":"c again"}}`)
	w.must("ann", `{"entityId":"k","patch":{"archived":true}}`)
	w.must("ann", `{"entityId":"t","patch":null}`)
	wantEqual(t, "moving out", types(w.must("ann", `{"entityId":"f","patch":{"cardId":"k2"}}`)), "file.moved")
	w.must("ann", `{"entityId":"k","patch":null}`)

	w.must("ann", `{"entityId":"b","patch":{"archived":true}}`)
	refused("b", `{"entityId":"b","patch":{"title":"y"}}
		{"entityId":"c","patch":{"title":"y"}}
		{"entityId":"k2","patch":{"title":"y"}}
		{"entityId":"k2","patch":{"archived":true}}
		{"entityId":"f","patch":{"name":"y"}}
		{"entityId":"c9","patch":{"kind":"column","title":"y"}}
		{"entityId":"member:bob","patch":{"kind":"member","role":"viewer"}}
		{"entityId":"f","patch":{"cardId":null}}`)
	w.refused(Invalid, `"field":"patch"`, "ann", `{"entityId":"b","patch":null}`)
	w.must("ann", `{"entityId":"k2","patch":null}`)
	w.must("ann", `{"entityId":"b","patch":{"archived":false}}`)
}

func TestRule_ChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k")
	rev := w.board.Rev()
	for _, patch := range []string{
		`{}`, `{"title":" k "}`, `{"kind":"card"}`, `{"archived":false}`, `{"liked":false}`, `{"labels":{"add":[],"remove":"x"}}`, `{"description":null}`,
		`{"columnId":"c"}`, `{"position":"a0"}`, `{"position":{"before":null}}`, `{"id":"z","rev":9,"number":7,"likes":3,"createdAt":"x","updatedFoo":1}`,
	} {
		d := w.must("ann", `{"entityId":"k","patch":`+patch+`}`)
		if len(d.Events) > 0 || d.Rev != rev {
			t.Errorf("%s: %s at rev %d", patch, types(d), d.Rev)
		}
	}
}

func TestRule_RenameAndMoveBothLand(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers().columns("c", "d").cards("c", "k")
	rename := w.command("ann", `{"entityId":"k","patch":{"title":"new"}}`)
	move := w.command("editor", `{"entityId":"k","patch":{"columnId":"d"}}`)
	wantEqual(t, "rename", types(w.run(rename)), "card.renamed")
	wantEqual(t, "move", types(w.run(move)), "card.moved")
	wantEqual(t, "both", w.get("k").Fields.String("title")+w.get("k").Parent(), "newd")
	d := w.must("ann", `{"entityId":"k","patch":{"columnId":"c","title":"k","due":"2026-01-02"}}`)
	wantEqual(t, "in one patch", types(d), "card.moved card.renamed card.changed")
	wantEqual(t, "before", string(encoded(t, d.Events[0].Before)), `{"columnId":"d"}`)
}

func TestRule_SetsNameOnlyWhatExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers().columns("c").cards("c", "k")
	w.must("ann", `{"entityId":"red","patch":{"kind":"label","name":"red"}}`, `{"entityId":"blue","patch":{"kind":"label"}}`)
	w.must("ann", `{"entityId":"k","patch":{"labels":["red","blue","red"],"assignees":{"add":"editor"}}}`)
	wantEqual(t, "sorted", string(encoded(t, w.get("k").Fields["labels"])), `["blue","red"]`)
	w.refused(NotFound, `"entityId":"no"`, "ann", `{"entityId":"k","patch":{"labels":{"add":["red","no"]}}}`)
	w.refused(NotFound, `"entityId":"c"`, "ann", `{"entityId":"k","patch":{"labels":{"add":"c"}}}`)
	w.refused(NotFound, `"entityId":"member:bob"`, "ann", `{"entityId":"k","patch":{"assignees":["bob"]}}`)
	open := w.command("guest", `{"entityId":"k","patch":{"assignees":{"add":"bob"}}}`)
	open.Grant = GrantOpen
	wantEqual(t, "open mode", types(w.run(open)), "card.assigned")
	w.must("ann", `{"entityId":"red","patch":null}`)
	w.must("ann", `{"entityId":"member:editor","patch":null}`)
	wantEqual(t, "left in sets", string(encoded(t, w.get("k").Fields["labels"]))+string(encoded(t, w.get("k").Fields["assignees"])), `["blue","red"]["bob","editor"]`)
	d := w.must("ann", `{"entityId":"k","patch":{"labels":{"remove":"red"}}}`)
	wantEqual(t, "removed", string(encoded(t, d.Events[0].Removed)), `{"labels":["red"]}`)
	w.must("ann", `{"entityId":"k","patch":{"labels":["green"]}}`, `{"entityId":"green","patch":{"kind":"label"}}`)
}

func TestFirstChangeThatBrokeARuleIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c", "full").cards("c", "k1", "k2").cards("full", "k3")
	w.must("ann", `{"entityId":"full","patch":{"wipLimit":1}}`)
	wip, label := `{"entityId":"k1","patch":{"columnId":"full"}}`, `{"entityId":"k2","patch":{"labels":["no"]}}`
	w.refused(WIPLimit, `"change":0`, "ann", wip, label)
	w.refused(NotFound, `"entityId":"no","change":0`, "ann", label, wip)
	w.refused(NotFound, `"entityId":"no","change":0`, "ann", label, `{"entityId":"full","patch":null}`)
	w.refused(NotEmpty, `"change":0`, "ann", `{"entityId":"full","patch":null}`, label)
	w.refused(Invalid, `"field":"title","change":1`, "ann", label, `{"entityId":"k1","patch":{"title":""}}`) // a change's own form is judged at once
}
