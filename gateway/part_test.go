package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// shelf makes the board of demo with more on it: column shut is archived and
// has card s1 with checklist list1, item item1 and file file1, and card s2 that
// is archived itself; c3 is archived; c1 has comments say1 and say2, s1 say3.
func (w *world) shelf() {
	w.t.Helper()
	w.demo()
	w.do(put("shut", "column", "title", "Shut"))
	w.do(put("s1", "card", "title", "S1", "columnId", "shut"), put("s2", "card", "title", "S2", "columnId", "shut"))
	w.do(put("list1", "checklist", "title", "L", "cardId", "s1"), put("item1", "item", "text", "I", "checklistId", "list1"))
	w.do(put("file1", "file", "name", "F", "url", "https://example.com/", "cardId", "s1"))
	w.do(put("say1", "comment", "text", "1", "cardId", "c1"), put("say2", "comment", "text", "2", "cardId", "c1"), put("say3", "comment", "text", "3", "cardId", "s1"))
	w.do(put("s2", "", "archived", true), put("shut", "", "archived", true), put("c3", "", "archived", true))
}

// told names the entities of the syncs in frames, with a card's comments and,
// of live ones, rev, event and more.
func told(frames []frame) string {
	var out []string
	for _, f := range frames {
		if f.Type != "sync" {
			continue
		}
		text := f.Entity["id"].(string)
		if n, ok := f.Entity["comments"]; ok {
			text += fmt.Sprint(":", n)
		}
		if f.Entity["deleted"] == true {
			text += "-"
		}
		if f.Event != "" {
			text += " " + f.Event
		}
		if f.More {
			text += "+"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// inOrder sorts what told gives.
func inOrder(text string) string {
	list := strings.Split(text, ", ")
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// TestPartOpen_WithoutArchivedColumnsAndCardsWhatHangsOnThemAndComments: a card
// carries their count.
func TestPartOpen_WithoutArchivedColumnsAndCardsWhatHangsOnThemAndComments(t *testing.T) {
	t.Parallel()
	onBoth(t, options{}, func(t *testing.T, w *world) {
		w.shelf()
		const want = "b1, c1:2, c2:0, doing, member:ada, member:bob, todo"
		for range 2 {
			if got := told(w.connect("bob", "part=open").until("ready")); inOrder(got) != want {
				t.Errorf("join: %s", got)
			}
		}
		if got := inOrder(told(w.connect("bob").until("ready"))); !strings.Contains(got, "say1, say2") || strings.Contains(got, ":0") {
			t.Errorf("the whole board: %s", got)
		}
	})
}

// TestPartOpen_WhatAnEventBringsIntoSightFollowsUnderItsRev, and so does the
// card of a comment that came or went. Who watches the whole board is told the
// events.
func TestPartOpen_WhatAnEventBringsIntoSightFollowsUnderItsRev(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.shelf()
		open, whole := w.connect("bob", "part=open"), w.connect("bob")
		open.skip("ready")
		whole.skip("ready")
		for _, step := range []struct {
			changes     []domain.Change
			open, whole string
		}{
			{[]domain.Change{put("c1", "", "title", "x")}, "c1:2 card.renamed", "c1 card.renamed"},
			{[]domain.Change{put("todo", "", "title", "x")}, "todo column.renamed", "todo column.renamed"},
			{[]domain.Change{put("shut", "", "archived", false)},
				"shut column.restored+, s1:1+, list1+, item1+, file1", "shut column.restored"},
			{[]domain.Change{put("s1", "", "archived", true)}, "s1:1 card.archived", "s1 card.archived"},
			{[]domain.Change{put("s1", "", "archived", false, "title", "y")},
				"s1:1 card.restored+, list1+, item1+, file1+, s1:1 card.renamed", "s1 card.restored+, s1 card.renamed"},
			{[]domain.Change{put("shut", "", "archived", true)}, "shut column.archived", "shut column.archived"},
			{[]domain.Change{put("s1", "", "columnId", "todo")}, "s1:1 card.moved+, list1+, item1+, file1", "s1 card.moved"},
			{[]domain.Change{put("s1", "", "columnId", "doing")}, "s1:1 card.moved", "s1 card.moved"},
			{[]domain.Change{put("say4", "comment", "text", "4", "cardId", "c2"), put("say5", "comment", "text", "5", "cardId", "c2")},
				"say4 comment.added+, c2:1+, say5 comment.added+, c2:2", "say4 comment.added+, say5 comment.added"},
			{[]domain.Change{put("say4", "", "text", "44")}, "say4 comment.edited", "say4 comment.edited"},
			{[]domain.Change{{EntityID: "say4"}}, "say4- comment.deleted+, c2:1", "say4- comment.deleted"},
		} {
			v := w.do(step.changes...)
			synctest.Wait()
			for s, want := range map[*socket]string{open: step.open, whole: step.whole} {
				var list []frame
				for len(s.frames) > 0 {
					list = append(list, s.next()) // law 1 on the way
				}
				if got := told(list); got != want || s.rev != v.Rev {
					t.Errorf("told %s\nshould %s", got, want)
				}
			}
		}
	})
}

// TestLaw9_PartOpen: one that resumes is told what changed, what came into
// sight, other counts of comments, and nothing else.
func TestLaw9_PartOpen(t *testing.T) {
	for _, test := range []struct {
		name    string
		changes []domain.Change
		want    string
	}{
		{"nothing", nil, ""},
		{"renamed", []domain.Change{put("todo", "", "title", "x"), put("c1", "", "title", "x")}, "todo, c1:2"},
		{"archived", []domain.Change{put("c1", "", "archived", true)}, "c1:2"},
		{"archived column", []domain.Change{put("todo", "", "archived", true)}, "todo"},
		{"restored column", []domain.Change{put("shut", "", "archived", false)}, "shut, s1:1, list1, item1, file1"},
		{"and shut again", []domain.Change{put("shut", "", "archived", false), put("shut", "", "archived", true)}, "shut"},
		{"moved out", []domain.Change{put("s1", "", "columnId", "todo")}, "s1:1, list1, item1, file1"},
		{"moved", []domain.Change{put("c1", "", "columnId", "doing")}, "c1:2"},
		{"commented", []domain.Change{put("say4", "comment", "text", "4", "cardId", "c2")}, "c2:1, say4"},
		{"comment gone", []domain.Change{{EntityID: "say1"}}, "c1:1, say1-"},
		{"card gone", []domain.Change{{EntityID: "c1"}}, "c1-"},
		// What is out of sight again comes with what it hangs on, so that it goes with that.
		{"changed out of sight", []domain.Change{put("shut", "", "archived", false), put("item1", "", "text", "x"), put("shut", "", "archived", true)},
			"shut, s1:1, list1, item1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, options{}, func(t *testing.T, w *world) {
				w.shelf()
				s := w.connect("bob", "part=open")
				since := s.skip("ready").Rev
				s.ws.Close()
				for _, c := range test.changes {
					w.do(c)
				}
				list := w.connect("bob", "part=open", fmt.Sprint("since=", since), "epoch="+s.epoch).until("ready")
				if got := told(list); got != test.want || !list[0].Resumed {
					t.Errorf("told %s\nshould %s", got, test.want)
				}
			})
		})
	}
}

// loaded asks for a page and gives the ids in it.
func (s *socket) loaded(what string) (ids string, f frame) {
	s.t.Helper()
	s.send(`{"type":"load","id":7,` + what + `}`)
	if f = s.skip("loaded"); f.LoadID != 7 {
		s.t.Errorf("not to this load: %s", f)
	}
	var list []string
	for _, e := range f.Entities {
		list = append(list, e["id"].(string))
	}
	return strings.Join(list, ","), f
}

// TestLoad_ACardsCommentsOrWhatIsArchived, as of the rev of the sync before.
func TestLoad_ACardsCommentsOrWhatIsArchived(t *testing.T) {
	t.Parallel()
	onBoth(t, options{}, func(t *testing.T, w *world) {
		w.shelf()
		w.do(put("member:eve", "member", "user", "eve", "role", "viewer"))
		for _, s := range []*socket{w.connect("eve", "part=open"), w.connect("eve")} {
			at := s.skip("ready").Rev
			for what, want := range map[string]string{
				`"card":"c1"`:                   "c1,say2,say1",
				`"card":"c2","before":null`:     "c2",
				`"card":"s1"`:                   "s1,list1,item1,file1,say3",
				`"card":"s2"`:                   "s2",
				`"card":"nowhere"`:              "",
				`"card":"todo"`:                 "",
				`"archive":true`:                "shut,c3,s2,s1",
				`"later":1,"archive":true`:      "shut,c3,s2,s1",
				`"archive":true,"before":"1.a"`: "",
			} {
				got, f := s.loaded(what)
				if got != want || f.Rev != at || !strings.HasSuffix(f.raw, `"before":null}`) {
					t.Errorf("%s: %s", what, f)
				}
			}
			_, f := s.loaded(`"card":"c1"`)
			if n, counted := f.Entities[0]["comments"]; counted != s.part || s.part && n != 2.0 || f.Entities[0]["liked"] != false {
				t.Errorf("%s", f)
			}
		}
	})
}

// TestLoad_Newest50CommentsOr100Cards, fewer where they are long, and then the
// older ones.
func TestLoad_Newest50CommentsOr100Cards(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		long := strings.Repeat("x", 16_000)
		var said, put1 []string
		for i := range 120 {
			w.do(put(fmt.Sprint("say", i), "comment", "text", "x", "cardId", "c1"), put(fmt.Sprint("card", i), "card", "title", "x", "columnId", "todo"))
			w.do(put(fmt.Sprint("card", i), "", "archived", true))
			if i < 40 {
				w.do(put(fmt.Sprint("long", i), "comment", "text", long, "cardId", "c2"))
			}
			said, put1 = append([]string{fmt.Sprint("say", i)}, said...), append([]string{fmt.Sprint("card", i)}, put1...)
		}
		s := w.connect("bob", "part=open")
		s.skip("ready")
		pages := func(what string) (sizes []int, ids []string) {
			before := ""
			for {
				got, f := s.loaded(what + before)
				list := strings.Split(got, ",")
				if strings.HasPrefix(what, `"card"`) {
					list = list[1:] // the card
				}
				sizes, ids = append(sizes, len(list)), append(ids, list...)
				if f.Before == "" {
					return sizes, ids
				}
				before = fmt.Sprintf(`,"before":%q`, f.Before)
			}
		}
		if sizes, ids := pages(`"card":"c1"`); !slices.Equal(sizes, []int{50, 50, 20}) || !slices.Equal(ids, said) {
			t.Errorf("comments: %v %v", sizes, ids)
		}
		if sizes, ids := pages(`"archive":true`); !slices.Equal(sizes, []int{100, 20}) || !slices.Equal(ids, put1) {
			t.Errorf("cards: %v %v", sizes, ids)
		}
		if sizes, _ := pages(`"card":"c2"`); !slices.Equal(sizes, []int{17, 17, 6}) {
			t.Errorf("long comments: %v", sizes)
		}
		w.do(put("list", "checklist", "title", "x", "cardId", "c1"), put("c1", "", "archived", true))
		if sizes, ids := pages(`"card":"c1"`); !slices.Equal(sizes, []int{51, 50, 20}) || !slices.Equal(ids, append([]string{"list"}, said...)) {
			t.Errorf("of an archived card: %v %v", sizes, ids)
		}
		w.do(domain.Change{EntityID: "c1"})
		if got, _ := s.loaded(`"card":"c1"`); got != "" {
			t.Errorf("of a deleted card: %s", got)
		}
	})
}

// TestLoad_BadFormIsAnErrorThatNamesTheField, and the load if it can.
func TestLoad_BadFormIsAnErrorThatNamesTheField(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob", "part=open")
		s.skip("ready")
		for frame, field := range map[string]string{
			`"card":"c1"`:                            "id",
			`"id":-1,"card":"c1"`:                    "id",
			`"id":1.5,"card":"c1"`:                   "id",
			`"id":"1","card":"c1"`:                   "id",
			`"id":9007199254740992,"card":"c1"`:      "id",
			`"id":3`:                                 "card",
			`"id":3,"card":7`:                        "card",
			`"id":3,"card":"not an id"`:              "card",
			`"id":3,"archive":false`:                 "archive",
			`"id":3,"archive":true,"card":"c1"`:      "archive",
			`"id":3,"card":"c1","before":7`:          "before",
			`"id":3,"card":"c1","before":""`:         "before",
			`"id":3,"card":"c1","before":"x"`:        "before",
			`"id":3,"card":"c1","before":"0.say1"`:   "before",
			`"id":3,"card":"c1","before":"01.say1"`:  "before",
			`"id":3,"archive":true,"before":"1.a b"`: "before",
		} {
			s.send(`{"type":"load",` + frame + `}`)
			f := s.next()
			id := strings.Contains(f.raw, `"id":3`)
			if f.Type != "error" || f.Code != "invalid" || !strings.HasPrefix(f.Reason, field+": ") || id != (field != "id") {
				t.Errorf("%s: %s", frame, f)
			}
			time.Sleep(time.Second) // broken frames are borne, not in any number
		}
	})
}

// TestHTTP_PartOpen is the board without what is archived and comments, which
// cards count; another part there is not.
func TestHTTP_PartOpen(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, func(t *testing.T, s *site) {
		s.demo()
		s.must(200, "POST", "/v1/boards/demo/mutations?user=ann", `{"clientMutationId":"more","changes":[
			{"entityId":"say","patch":{"kind":"comment","cardId":"c1","text":"Well"}},
			{"entityId":"list","patch":{"kind":"checklist","cardId":"c2","title":"Do"}},
			{"entityId":"full","patch":{"archived":true}}]}`)
		for query, want := range map[string]string{"": "c1 c2 demo full list member:ann say todo", "?part=open": "c1 demo member:ann todo"} {
			var board struct{ Entities []map[string]any }
			s.must(200, "GET", "/v1/boards/demo"+query, "").json(t, &board)
			var ids []string
			for _, e := range board.Entities {
				ids = append(ids, e["id"].(string))
				if n, counted := e["comments"]; counted != (query != "" && e["kind"] == "card") || counted && n != 1.0 {
					t.Errorf("%v", e)
				}
			}
			if slices.Sort(ids); strings.Join(ids, " ") != want {
				t.Errorf("%q: %v", query, ids)
			}
		}
		for _, path := range []string{"/v1/boards/demo?part=", "/v1/boards/demo?part=shut"} {
			if got := s.must(400, "GET", path, "").code(t); got != domain.Invalid {
				t.Errorf("%s: %s", path, got)
			}
		}
	})
}
