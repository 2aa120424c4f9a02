package domain

import (
	"encoding/json"
	"testing"
	"time"
)

func TestLaw5_DeadlinePassedIsExpired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cmd := w.command("ann", `{"entityId":"c","patch":{"kind":"column","title":"x"}}`)
	cmd.Deadline = w.now
	wantEqual(t, "on the dot", types(w.run(cmd)), "column.created")
	cmd = w.command("ann", `{"entityId":"d","patch":{"kind":"column","title":"x"}}`)
	cmd.Deadline = w.now.Add(-time.Millisecond)
	d := w.run(cmd)
	w.check(d, Expired, ``)
	wantEqual(t, "rev", d.Rev, w.board.Rev())
}

func TestULIDTooFarAheadIsInvalid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at, ok := IDTime("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	if !ok || !at.Equal(time.UnixMilli(1469922850259)) {
		t.Fatalf("time of the ULID of the specification: %v %v", at, ok)
	}
	for _, id := range []string{"81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "0190c9c2-7e0c-4b1e-8d0f-1f"} {
		if _, ok := IDTime(id); ok {
			t.Errorf("%s passes for a ULID", id)
		}
	}
	for lead, want := range map[time.Duration]Code{MaxIDLead: "", MaxIDLead + time.Millisecond: Invalid} {
		for _, id := range []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV", "01arz3ndektsv4rrffq69g5fav"} {
			cmd := w.command("ann", `{"entityId":"b","patch":{}}`)
			cmd.ID, cmd.ReceivedAt, cmd.Deadline = id, at.Add(-lead), time.Time{}
			if d := w.run(cmd); want == "" && d.Rejection != nil {
				t.Errorf("lead %v: %v", lead, d.Rejection)
			} else if want != "" {
				w.check(d, want, `"field":"clientMutationId"`)
			}
		}
	}
	cmd := w.command("ann", `{"entityId":"b","patch":{}}`)
	cmd.ID = "a:b"
	w.check(w.run(cmd), Invalid, `"field":"clientMutationId"`)
}

func TestCancelIsWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cmd := w.command("nobody")
	cmd.Op, cmd.Changes, cmd.Deadline = OpCancel, nil, time.Time{}
	d := w.run(cmd)
	w.check(d, Withdrawn, ``)
	v := d.Verdict()
	wantEqual(t, "fits every content", v.Fits("whatever"), true)
}

func TestPreconditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k")
	w.must("ann", `{"entityId":"red","patch":{"kind":"label"}}`)
	w.must("ann", `{"entityId":"k","patch":{"labels":["red"],"liked":true,"due":"2026-01-01","x-a":{"n":1}}}`)
	holds := `{"title":"k","labels":["red","red"],"due":"2026-01-01","start":null,"archived":false,"liked":true,"likes":1,"x-a":{ "n": 1 },"columnId":"c","kind":"card"}`
	w.must("ann", `{"entityId":"k","patch":{},"if":`+holds+`}`)
}

func TestPreconditionConflictShowsTheEntity(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers().columns("c").cards("c", "k")
	w.must("ann", `{"entityId":"k","patch":{"liked":true}}`)
	rest := w.refused(Conflict, `"fields":["archived","due","liked","title"]`, "ann",
		`{"entityId":"k","patch":{"title":"n"},"if":{"title":"j","due":"x","liked":false,"archived":true,"start":null}}`)
	var e Entity
	if err := json.Unmarshal(encoded(t, rest["entity"]), &e); err != nil {
		t.Fatal(err)
	}
	if e.ID != "k" || e.Rev != w.get("k").Rev || !e.Fields.Bool("liked") || e.Fields.Int("likes") != 1 {
		t.Errorf("entity is %s", encoded(t, rest["entity"]))
	}
	w.refused(Conflict, `"fields":["rev"]`, "ann", `{"entityId":"k","patch":null,"ifRev":1}`)
	w.refused(Conflict, `"fields":["rev"]`, "ann", `{"entityId":"c","patch":{"kind":"column","title":"new"},"ifRev":0}`)
	w.refused(Conflict, `"fields":["rev"],"entity":null`, "ann", `{"entityId":"c9","patch":{"kind":"column","title":"new"},"ifRev":7}`)
	w.refused(NotFound, `"entityId":"c9"`, "ann", `{"entityId":"c9","patch":{"title":"new"},"ifRev":7}`)
	w.must("ann", `{"entityId":"c9","patch":{"kind":"column","title":"new"},"ifRev":0}`)
	w.refused(Forbidden, `"needs":"editor"`, "viewer", `{"entityId":"k","patch":{"title":"n"},"if":{"title":"j"}}`)
	// Judged by the board before the mutation, whatever the changes before did.
	w.must("ann", `{"entityId":"k","patch":{"title":"n"}}`, `{"entityId":"k","patch":{"title":"m"},"if":{"title":"k"}}`)
	w.refused(Conflict, `"fields":["title"],"change":1`, "ann", `{"entityId":"k","patch":{"title":"n"}}`, `{"entityId":"k","patch":{"title":"o"},"if":{"title":"n"}}`)
}

func TestCreatedAndDeletedInOneMutation(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k")
	d := w.must("ann", `{"entityId":"k9","patch":{"kind":"card","title":"x","columnId":"c"}}`,
		`{"entityId":"t","patch":{"kind":"comment","cardId":"k9","text":"x"}}`, `{"entityId":"k9","patch":null}`)
	wantEqual(t, "events", types(d), "card.created comment.added card.deleted")
	wantEqual(t, "gone", d.Events[2].Gone[KindComment], 1)
	w.refused(NotFound, `"entityId":"x","change":2`, "ann", `{"entityId":"x","patch":{"kind":"label"}}`,
		`{"entityId":"x","patch":null}`, `{"entityId":"x","patch":{"kind":"label"}}`)
	wantEqual(t, "numbers are not used again", w.must("ann", `{"entityId":"k8","patch":{"kind":"card","title":"x","columnId":"c"}}`).Events[0].After.Int("number"), 3)
}

func TestChangeOfParent(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k1", "k2")
	w.must("ann", `{"entityId":"l1","patch":{"kind":"checklist","cardId":"k1"}}`, `{"entityId":"l2","patch":{"kind":"checklist","cardId":"k2"}}`,
		`{"entityId":"i1","patch":{"kind":"item","checklistId":"l1","text":"x"}}`, `{"entityId":"i2","patch":{"kind":"item","checklistId":"l2","text":"x"}}`)
	wantEqual(t, "item", types(w.must("ann", `{"entityId":"i1","patch":{"checklistId":"l2"}}`)), "item.moved")
	wantEqual(t, "last", w.order("l2", KindItem), "i2 i1")
	wantEqual(t, "checklist", types(w.must("ann", `{"entityId":"l2","patch":{"cardId":"k1","position":{"after":null}}}`)), "checklist.moved")
	wantEqual(t, "first", w.order("k1", KindChecklist), "l2 l1")
	w.refused(NotFound, `"entityId":"l9"`, "ann", `{"entityId":"i1","patch":{"checklistId":"l9"}}`)
	w.refused(NotFound, `"entityId":"c"`, "ann", `{"entityId":"l1","patch":{"cardId":"c"}}`)
	// Out, its old parent deleted, and back: nothing may hang on what is gone.
	w.refused(NotFound, `"entityId":"k1"`, "ann", `{"entityId":"l1","patch":{"cardId":"k2"}}`, `{"entityId":"k1","patch":null}`, `{"entityId":"l1","patch":{"cardId":"k1"}}`)
	d := w.must("ann", `{"entityId":"l1","patch":{"cardId":"k2"}}`, `{"entityId":"k1","patch":null}`)
	wantEqual(t, "gone", string(encoded(t, d.Events[1].Gone)), `{"checklist":1,"item":2}`)
	wantEqual(t, "saved", w.order("k2", KindChecklist), "l1")
}

func TestFileContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers().columns("c").cards("c", "k")
	content := func(object, sha string) *Content {
		return &Content{Object: object, Size: 12, ContentType: "text/plain", SHA256: sha}
	}
	one, two := hex64("1"), hex64("2")
	upload := func(user, id string, patch Patch, c *Content) *Decision {
		t.Helper()
		cmd := w.command(user)
		cmd.Changes = []Change{{EntityID: id, Patch: patch, Content: c}}
		return w.run(cmd)
	}
	d := upload("editor", "f", Patch{"name": "a.txt", "cardId": "k", "kind": "file"}, content("o1", one))
	wantEqual(t, "added", types(d), "file.added")
	wantEqual(t, "fields", string(encoded(t, w.get("f").Fields)), `{"cardId":"k","contentType":"text/plain","name":"a.txt","object":"o1","sha256":"`+one+`","size":12}`)
	shown, _ := w.get("f").JSONFor(false)
	var seen map[string]any
	if err := json.Unmarshal(shown, &seen); err != nil || seen["object"] != nil || seen["size"] != 12.0 {
		t.Errorf("a client is shown %s", shown)
	}
	wantEqual(t, "the same again", len(upload("editor", "f", nil, content("o2", one)).Events), 0)
	wantEqual(t, "object", w.get("f").Fields.String("object"), "o1")
	d = upload("editor", "f", nil, content("o3", two))
	wantEqual(t, "replaced", types(d)+string(encoded(t, d.Events[0].After)), `file.replaced{"object":"o3","sha256":"`+two+`"}`)
	w.check(upload("commenter", "f", nil, content("o4", one)), Forbidden, `"needs":"editor"`)
	w.check(upload("editor", "f2", Patch{"cardId": "k", "kind": "file"}, content("o4", one)), Invalid, `"field":"name"`)
	w.check(upload("editor", "f2", Patch{"name": "x", "kind": "label"}, content("o4", one)), Invalid, `"field":"kind"`)
	w.check(upload("editor", "f2", Patch{"name": "x"}, content("o4", "12")), Invalid, `"field":"content"`)
	wantEqual(t, "kind is not needed", types(upload("editor", "f2", Patch{"name": "A.TXT", "cardId": "k"}, content("o4", one))), "file.added")
	wantEqual(t, "new name", w.get("f2").Fields.String("name"), "A (2).TXT")
	w.refused(Invalid, `"field":"url"`, "ann", `{"entityId":"f9","patch":{"kind":"file","name":"x"}}`)
	wantEqual(t, "a link instead", types(w.must("ann", `{"entityId":"f2","patch":{"url":"https://example.org/"}}`)), "file.replaced")
	wantEqual(t, "fields", string(encoded(t, w.get("f2").Fields)), `{"cardId":"k","name":"A (2).TXT","url":"https://example.org/"}`)
	upload("editor", "f2", nil, content("o5", one))
	wantEqual(t, "no link", w.get("f2").Fields["url"], nil)
}

func hex64(s string) string {
	out := ""
	for len(out) < 64 {
		out += s
	}
	return out
}

func TestEventsOfOnePatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c", "d").cards("c", "k")
	w.must("ann", `{"entityId":"red","patch":{"kind":"label"}}`, `{"entityId":"l","patch":{"kind":"checklist","cardId":"k"}}`, `{"entityId":"i","patch":{"kind":"item","checklistId":"l","text":"x"}}`)
	for _, c := range []struct{ id, patch, want string }{
		{"k", `{"title":"n","columnId":"d","description":"y","due":"2026-01-01","labels":["red"],"assignees":["ann"],"liked":true,"archived":true}`,
			"card.moved card.renamed card.changed card.labelled card.assigned card.liked card.archived"},
		{"k", `{"archived":false}`, "card.restored"},
		{"k", `{"liked":false,"done":"2026-01-01T00:00:00Z"}`, "card.changed card.unliked"},
		{"c", `{"title":"n","position":{"before":null},"wipLimit":1,"color":"red","archived":true}`, "column.moved column.renamed column.changed column.archived"},
		{"c", `{"archived":false}`, "column.restored"},
		{"i", `{"text":"y","done":true,"due":"2026-01-01"}`, "item.changed item.checked"},
		{"i", `{"done":false}`, "item.unchecked"},
		{"i", `{"done":"2026-01-01T00:00:00Z"}`, "item.checked"},
		{"i", `{"done":null}`, "item.unchecked"},
		{"l", `{"title":"y"}`, "checklist.changed"},
		{"red", `{"name":"y","position":"a9"}`, "label.changed"},
		{"b", `{"title":"y","description":"z"}`, "board.changed"},
		{"b", `{"archived":true}`, "board.archived"},
		{"b", `{"archived":false}`, "board.restored"},
		{"member:ann", `{"name":"Ann"}`, "member.changed"},
	} {
		d := w.must("ann", `{"entityId":"`+c.id+`","patch":`+c.patch+`}`)
		wantEqual(t, c.id+" "+c.patch, types(d), c.want)
		for i, ev := range d.Events {
			wantEqual(t, "version", ev.V, 1)
			wantEqual(t, "more", w.steps[i].More, i < len(d.Events)-1)
			wantEqual(t, "rev of the entity", w.steps[i].Entities[0].Rev, ev.Rev)
		}
	}
	d := w.must("ann", `{"entityId":"k","patch":{"labels":null}}`)
	wantEqual(t, "null takes a set away", string(encoded(t, d.Events[0])), `{"type":"card.labelled","v":1,"rev":35,"entityId":"k","before":{"labels":["red"]},"after":{"labels":null}}`)
	if _, there := w.get("k").Fields["labels"]; there {
		t.Error("labels is still there")
	}
}
