package domain

import (
	"strings"
	"testing"
	"time"
)

func importedEntities() []*Entity {
	then := time.Date(2019, 5, 6, 7, 8, 9, 123456789, time.FixedZone("", 3600))
	by := func(e Entity) *Entity {
		e.CreatedAt, e.CreatedBy = then, "author"
		return &e
	}
	return []*Entity{
		by(Entity{ID: "b", Kind: KindBoard, Fields: Fields{"title": "Old board"}}),
		by(Entity{ID: "red", Kind: KindLabel, Fields: Fields{"name": "red"}}),
		by(Entity{ID: "c", Kind: KindColumn, Fields: Fields{"title": "c", "wipLimit": int64(1)}}),
		by(Entity{ID: "old", Kind: KindColumn, Fields: Fields{"title": "closed", "archived": true}}),
		by(Entity{ID: "k1", Kind: KindCard, UpdatedAt: then.AddDate(1, 0, 0), UpdatedBy: "editor",
			Fields: Fields{"title": "k1", "columnId": "c", "position": "a0", "likedBy": []string{"z", "a"}, "assignees": []string{"gone"}, "labels": []string{"red", "unknown"}, "number": int64(77)}}),
		by(Entity{ID: "k2", Kind: KindCard, Fields: Fields{"title": "k2", "columnId": "c", "position": "a0"}}),
		by(Entity{ID: "k3", Kind: KindCard, Fields: Fields{"title": "k3", "columnId": "old"}}),
		by(Entity{ID: "f1", Kind: KindFile, Fields: Fields{"name": "a.txt", "cardId": "k1", "url": "http://example.org"}}),
		by(Entity{ID: "f2", Kind: KindFile, Fields: Fields{"name": "A.TXT", "cardId": "k1", "url": "http://example.org"}}),
		by(Entity{ID: "t", Kind: KindComment, Fields: Fields{"cardId": "k3", "text": "words"}}),
	}
}

func TestImportInParts(t *testing.T) {
	t.Parallel()
	w := &world{t: t, board: NewBoard("b"), now: start}
	all := importedEntities()
	part := func(n int, done bool, entities ...*Entity) *Decision {
		t.Helper()
		return w.run(w.importing(&Import{Source: "test:1", Part: n, Done: done, Entities: entities}))
	}
	w.check(part(1, false, all[0]), Conflict, `"source":"test:1","next":0`)
	w.check(part(0, false), Invalid, `"field":"entities"`)
	w.check(part(0, false, all[1]), Invalid, `"field":"entities"`)
	first := part(0, false, all[:5]...)
	wantEqual(t, "events", types(first), "board.created label.created column.created column.created card.created")
	wantEqual(t, "seen by nobody", w.board.Exists(), false)
	w.refused(NotFound, `"entityId":"b"`, "ann", `{"entityId":"c","patch":{"title":"x"}}`)
	w.refused(NotFound, `"entityId":"b"`, "ann", `{"entityId":"b","patch":{"kind":"board","title":"x"}}`)

	w.check(part(0, false, all[:5]...), Conflict, `"source":"test:1","next":1`)
	w.check(part(2, true), Conflict, `"next":1`)
	other := w.importing(&Import{Source: "test:2", Part: 1, Done: true})
	w.check(w.run(other), Conflict, `"source":"test:1"`)
	eve := w.importing(&Import{Source: "test:1", Part: 1, Done: true})
	eve.User = "eve"
	w.check(w.run(eve), Forbidden, `"needs":"importer"`)

	last := part(1, true, all[5:]...)
	wantEqual(t, "events", types(last), "card.created card.created file.added file.added comment.added member.added board.imported")
	wantEqual(t, "exists", w.board.Exists(), true)
	wantEqual(t, "imported", w.board.Imported(), "test:1")
	wantEqual(t, "importer", w.board.RoleOf("ann", ""), Admin)

	for _, n := range []int{0, 1, 7} {
		wantEqual(t, "done already", types(part(n, false, all[0]))+"", "")
	}
	w.check(w.run(w.importing(&Import{Source: "test:2", Done: true})), Conflict, ``)
	w.must("ann", `{"entityId":"c","patch":{"title":"x"}}`)

	k1 := w.get("k1")
	wantEqual(t, "createdAt", k1.CreatedAt.Format(time.RFC3339Nano), "2019-05-06T06:08:09.123Z")
	wantEqual(t, "authors", k1.CreatedBy+" "+k1.UpdatedBy, "author editor")
	wantEqual(t, "updatedAt", k1.UpdatedAt.Year(), 2020)
	wantEqual(t, "defaults", w.get("t").UpdatedBy+w.get("t").UpdatedAt.Format("2006"), "author2019")
	wantEqual(t, "number", k1.Fields.Int("number"), int64(1))
	wantEqual(t, "likes", string(encoded(t, k1.Fields["likedBy"])), `["a","z"]`)
	wantEqual(t, "ties", w.order("c", KindCard), "k1 k2")
	wantEqual(t, "names", w.get("f2").Fields.String("name"), "A (2).TXT")
	w.refused(WIPLimit, `"columnId":"c"`, "ann", `{"entityId":"k9","patch":{"kind":"card","title":"x","columnId":"c"}}`)
}

func TestImportIsHeldToFieldsAndParents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code    Code
		details string
		add     Entity
	}{
		{Invalid, `"field":"title","change":10,"imported":"x"`, Entity{ID: "x", Kind: KindCard, Fields: Fields{"columnId": "c"}}},
		{Invalid, `"field":"title","limit":16384,"change":10,"imported":"x"`, Entity{ID: "x", Kind: KindColumn, Fields: Fields{"title": strings.Repeat("x", 16385)}}},
		{Invalid, `"field":"nonsense"`, Entity{ID: "x", Kind: KindColumn, Fields: Fields{"title": "x", "nonsense": true}}},
		{Invalid, `"field":"id"`, Entity{ID: "a b", Kind: KindLabel, Fields: Fields{}}},
		{Invalid, `"field":"kind"`, Entity{ID: "x", Kind: "thing", Fields: Fields{}}},
		{Invalid, `"field":"kind"`, Entity{ID: "x", Kind: KindBoard, Fields: Fields{"title": "two"}}},
		{Conflict, `"fields":["id"]`, Entity{ID: "k1", Kind: KindLabel, Fields: Fields{}}},
		{Invalid, `"field":"createdAt"`, Entity{ID: "x", Kind: KindLabel, CreatedAt: time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("", 14*3600)), Fields: Fields{}}},
		{Invalid, `"field":"updatedAt"`, Entity{ID: "x", Kind: KindLabel, UpdatedAt: time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -14*3600)), Fields: Fields{}}},
		{NotFound, `"entityId":"no","change":10`, Entity{ID: "x", Kind: KindComment, Fields: Fields{"cardId": "no", "text": "x"}}},
	} {
		w := &world{t: t, board: NewBoard("b"), now: start}
		w.check(w.run(w.importing(&Import{Source: "test:1", Entities: append(importedEntities(), &c.add)})), c.code, c.details)
	}
	w := newWorld(t)
	w.check(w.run(w.importing(&Import{Source: "test:1", Entities: importedEntities()})), Conflict, `"fields":["source"]`)
	open := &world{t: t, board: NewBoard("b"), now: start}
	cmd := open.importing(&Import{Source: "demo", Done: true, Entities: importedEntities()})
	cmd.Grant, cmd.User = GrantOpen, "guest"
	if d := open.run(cmd); strings.Contains(types(d), "member") || open.board.RoleOf("anybody", GrantOpen) != Admin {
		t.Errorf("open mode: %s", types(d))
	}
}
