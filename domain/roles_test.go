package domain

import "testing"

func TestRule_RolesAndWhatTheyMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers().columns("c").cards("c", "k")
	w.must("ann", `{"entityId":"red","patch":{"kind":"label"}}`, `{"entityId":"f","patch":{"kind":"file","cardId":"k","name":"x","url":"http://example.org"}}`,
		`{"entityId":"l","patch":{"kind":"checklist","cardId":"k"}}`, `{"entityId":"i","patch":{"kind":"item","checklistId":"l","text":"x"}}`)
	ranks := []Role{NoRole, Viewer, Commenter, Editor, Admin}
	for _, c := range []struct {
		needs  Role
		change string
	}{
		{Viewer, `{"entityId":"k","patch":{}}`},
		{Viewer, `{"entityId":"k","patch":{"likes":3}}`},
		{Commenter, `{"entityId":"k","patch":{"liked":true}}`},
		{Commenter, `{"entityId":"k","patch":{"liked":false}}`},
		{Commenter, `{"entityId":"k","patch":{},"toggle":true}`},
		{Commenter, `{"entityId":"NEW","patch":{"kind":"comment","cardId":"k","text":"x"}}`},
		{Editor, `{"entityId":"k","patch":{"liked":true,"title":"k"}}`},
		{Editor, `{"entityId":"k","patch":{"title":"k"}}`},
		{Editor, `{"entityId":"k","patch":{"x-mine":1}}`},
		{Editor, `{"entityId":"c","patch":{"wipLimit":0}}`},
		{Editor, `{"entityId":"red","patch":{"color":"red"}}`},
		{Editor, `{"entityId":"f","patch":{"name":"y"}}`},
		{Editor, `{"entityId":"i","patch":{"done":true}}`},
		{Editor, `{"entityId":"l","patch":{"title":"y"}}`},
		{Editor, `{"entityId":"NEW","patch":{"kind":"card","columnId":"c","title":"y"}}`},
		{Editor, `{"entityId":"NEW","patch":{"kind":"column","title":"y"}}`},
		{Admin, `{"entityId":"b","patch":{"title":"y"}}`},
		{Admin, `{"entityId":"b","patch":{"x-mine":true}}`},
		{Admin, `{"entityId":"member:bob","patch":{"kind":"member","role":"viewer"}}`},
		{Admin, `{"entityId":"member:bob","patch":{"name":"Bob"}}`},
		{Admin, `{"entityId":"member:bob","patch":null}`},
	} {
		for _, role := range ranks {
			user, change := string(role), c.change
			if role == NoRole {
				user = "nobody"
			}
			if role.Includes(c.needs) {
				w.n++
				w.must(user, replaceNew(change, w.n))
			} else {
				w.refused(Forbidden, `"needs":"`+string(c.needs)+`"`, user, change)
			}
			if c.change == `{"entityId":"member:bob","patch":null}` && role == Admin {
				continue
			}
		}
	}
}

func replaceNew(change string, n int) string {
	if id := "NEW"; len(change) > 16 && change[13:16] == id {
		return change[:13] + "new" + string(rune('a'+n%26)) + string(rune('a'+n/26)) + change[16:]
	}
	return change
}

func TestRule_CommentBelongsToItsAuthor(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers().columns("c").cards("c", "k")
	for _, id := range []string{"t1", "t2", "t3"} {
		w.must("commenter", `{"entityId":"`+id+`","patch":{"kind":"comment","cardId":"k","text":"x"}}`)
	}
	wantEqual(t, "edited", types(w.must("commenter", `{"entityId":"t1","patch":{"text":"y"}}`)), "comment.edited")
	for _, user := range []string{"editor", "admin"} {
		w.refused(Forbidden, `"needs":"author"`, user, `{"entityId":"t1","patch":{"text":"z"}}`)
	}
	w.refused(Forbidden, `"needs":"admin"`, "editor", `{"entityId":"t1","patch":null}`)
	w.must("admin", `{"entityId":"t1","patch":null}`)
	w.must("commenter", `{"entityId":"t2","patch":null}`)
	w.must("ann", `{"entityId":"member:commenter","patch":{"role":"viewer"}}`)
	w.refused(Forbidden, `"needs":"commenter"`, "commenter", `{"entityId":"t3","patch":{"text":"z"}}`)
	w.refused(Forbidden, `"needs":"commenter"`, "commenter", `{"entityId":"t3","patch":null}`)
	w.refused(Invalid, `"field":"cardId"`, "admin", `{"entityId":"t9","patch":{"kind":"comment","text":"z"}}`)
}

func TestRule_LikesAreOnesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers().columns("c").cards("c", "k")
	wantEqual(t, "liked", types(w.must("commenter", `{"entityId":"k","patch":{"liked":true}}`)), "card.liked")
	wantEqual(t, "again", types(w.must("commenter", `{"entityId":"k","patch":{"liked":true}}`)), "")
	for _, patch := range []string{`{"likedBy":["ann","commenter","bob"]}`, `{"likedBy":{"add":"editor"}}`, `{"likedBy":[]}`, `{"likedBy":null}`} {
		w.refused(Forbidden, `"needs":"self"`, "ann", `{"entityId":"k","patch":`+patch+`}`)
	}
	d := w.must("ann", `{"entityId":"k","patch":{"likedBy":{"add":["ann"],"remove":"bob"}}}`)
	wantEqual(t, "event", types(d)+string(encoded(t, d.Events[0].Added)), `card.liked{"likedBy":["ann"]}`)
	wantEqual(t, "unliked", types(w.must("commenter", `{"entityId":"k","patch":{"likedBy":["ann"]}}`)), "card.unliked")
	card := w.get("k")
	mine, _ := card.JSONFor(card.LikedBy("ann"))
	var shown Entity
	if err := shown.UnmarshalJSON(mine); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "shown", shown.Fields.Bool("liked") && shown.Fields.Int("likes") == 1, true)
	for i, want := range []string{"card.liked", "card.unliked", "card.liked"} {
		cmd := w.command("editor", `{"entityId":"k","patch":{},"toggle":true}`)
		wantEqual(t, "toggle "+string(rune('1'+i)), types(w.run(cmd)), want)
	}
	w.refused(Invalid, `"field":"liked"`, "ann", `{"entityId":"c","patch":{},"toggle":true}`)
	w.refused(NotFound, `"entityId":"no"`, "ann", `{"entityId":"no","patch":{},"toggle":true}`)
	w.refused(Invalid, `"field":"liked"`, "ann", `{"entityId":"k","patch":{"liked":1}}`)
}

func TestRoleOfGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers()
	for _, c := range []struct {
		user  string
		grant Grant
		want  Role
	}{
		{"nobody", "", NoRole}, {"nobody", "viewer", Viewer}, {"nobody", "king", NoRole}, {"nobody", GrantOpen, Editor},
		{"viewer", "", Viewer}, {"viewer", "editor", Editor}, {"admin", "viewer", Admin}, {"viewer", GrantOpen, Viewer},
	} {
		wantEqual(t, c.user+" "+string(c.grant), w.board.RoleOf(c.user, c.grant), c.want)
	}
	wantEqual(t, "open board without members", NewBoard("x").RoleOf("guest", GrantOpen), Admin)
}
