package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// someNames are those of a small board.
func someNames(t *testing.T) *Names {
	t.Helper()
	n := NewNames("demo")
	n.Take(decision(t, `{"user":"ann","rev":11,"events":[
		{"type":"board.created","entityId":"demo","after":{"title":"Sprint"}},
		{"type":"member.added","entityId":"member:ann","after":{"user":"ann","role":"admin"}},
		{"type":"column.created","entityId":"doing","after":{"title":"Doing"}},
		{"type":"column.created","entityId":"done","after":{"title":"Done"}},
		{"type":"card.created","entityId":"c1","after":{"title":"Fix login","columnId":"doing"}},
		{"type":"card.created","entityId":"c2","after":{"title":"Pay","columnId":"done"}},
		{"type":"checklist.created","entityId":"l1","after":{"title":"Steps","cardId":"c1"}},
		{"type":"item.created","entityId":"i1","after":{"text":"Buy milk","checklistId":"l1"}},
		{"type":"label.created","entityId":"bug","after":{"name":"Bug"}},
		{"type":"comment.added","entityId":"m1","after":{"text":"hm","cardId":"c1"}},
		{"type":"file.added","entityId":"f1","after":{"name":"a.txt","cardId":"c1"}}]}`))
	return n
}

func decision(t *testing.T, text string) *domain.Decision {
	t.Helper()
	d := &domain.Decision{}
	if err := json.Unmarshal([]byte(text), d); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return d
}

// eventWords are events that ann made happen on the board of someNames.
var eventWords = []struct{ event, words string }{
	{`"board.created","entityId":"demo","after":{"title":"Sprint"}`, "created the board «Sprint»"},
	{`"board.changed","entityId":"demo","before":{"title":"Sprint","description":null},"after":{"title":"Sprint 2","description":"x\ny"}`, "changed the board: description, title from Sprint to «Sprint 2»"},
	{`"board.archived","entityId":"demo","before":{"archived":null},"after":{"archived":true}`, "archived the board"},
	{`"board.restored","entityId":"demo","before":{"archived":true},"after":{"archived":null}`, "restored the board"},
	{`"board.imported","entityId":"demo"`, "finished the import of the board"},
	{`"member.added","entityId":"member:bob","after":{"user":"bob","role":"editor"}`, "added bob as editor"},
	{`"member.changed","entityId":"member:bob","before":{"role":"editor"},"after":{"role":"admin"}`, "changed bob: role from editor to admin"},
	{`"member.removed","entityId":"member:bob"`, "removed bob from the board"},
	{`"member.removed","entityId":"member:ann"`, "left the board"},
	{`"column.created","entityId":"x","after":{"title":"Later"}`, "added the column Later"},
	{`"column.renamed","entityId":"doing","before":{"title":"Doing"},"after":{"title":"Now"}`, "renamed the column Doing to Now"},
	{`"column.moved","entityId":"doing","before":{"position":"a0"},"after":{"position":"a1"}`, "moved the column Doing"},
	{`"column.changed","entityId":"doing","before":{"wipLimit":null,"color":"red"},"after":{"wipLimit":3,"color":null}`, "changed the column Doing: color removed, was red, wipLimit set to 3"},
	{`"column.archived","entityId":"doing"`, "archived the column Doing"},
	{`"column.restored","entityId":"doing"`, "restored the column Doing"},
	{`"column.deleted","entityId":"doing"`, "deleted the column Doing"},
	{`"card.created","entityId":"x","after":{"title":"New","columnId":"doing"}`, "created «New» in Doing"},
	{`"card.created","entityId":"x","after":{"title":"New","columnId":"doing"},"origin":{"createdBy":"eve"}`, "created «New» in Doing, made by eve"},
	{`"card.renamed","entityId":"c1","before":{"title":"Fix login"},"after":{"title":"Fix logout"}`, "renamed «Fix login» to «Fix logout»"},
	{`"card.moved","entityId":"c1","before":{"columnId":"doing","position":"a0"},"after":{"columnId":"done","position":"a1"}`, "moved «Fix login» from Doing to Done"},
	{`"card.moved","entityId":"c1","before":{"position":"a0"},"after":{"position":"a1"}`, "moved «Fix login» within Doing"},
	{`"card.changed","entityId":"c1","before":{"due":"2026-03-01"},"after":{"due":"2026-03-02"}`, "changed «Fix login»: due from 2026-03-01 to 2026-03-02"},
	{`"card.labelled","entityId":"c1","added":{"labels":["bug","gone"]}`, "labelled «Fix login» with Bug, gone"},
	{`"card.labelled","entityId":"c1","before":{"labels":["bug"]},"after":{"labels":null}`, "took Bug off «Fix login»"},
	{`"card.labelled","entityId":"c1","before":{"labels":[]},"after":{"labels":null}`, "changed labels of «Fix login»"},
	{`"card.assigned","entityId":"c1","added":{"assignees":["bob"]},"removed":{"assignees":["ann"]}`, "assigned «Fix login» to bob and took ann off «Fix login»"},
	{`"card.liked","entityId":"c1","added":{"likedBy":["ann"]}`, "liked «Fix login»"},
	{`"card.unliked","entityId":"c1","removed":{"likedBy":["ann"]}`, "took back the like of «Fix login»"},
	{`"card.archived","entityId":"c1"`, "archived «Fix login»"},
	{`"card.restored","entityId":"c1"`, "restored «Fix login»"},
	{`"card.deleted","entityId":"c1","gone":{"comment":1,"item":2}`, "deleted «Fix login» with 1 comment, 2 items"},
	{`"checklist.created","entityId":"x","after":{"title":"","cardId":"c1"}`, "added the checklist to «Fix login»"},
	{`"checklist.changed","entityId":"l1","before":{"title":"Steps"},"after":{"title":"All"}`, "changed the checklist «Steps» of «Fix login»: title from Steps to All"},
	{`"checklist.moved","entityId":"l1","before":{"cardId":"c1"},"after":{"cardId":"c2"}`, "moved the checklist «Steps» from «Fix login» to «Pay»"},
	{`"checklist.moved","entityId":"l1","before":{"position":"a0"},"after":{"position":"a1"}`, "moved the checklist «Steps» of «Fix login»"},
	{`"checklist.deleted","entityId":"l1"`, "deleted the checklist «Steps» of «Fix login»"},
	{`"item.created","entityId":"x","after":{"text":"More","checklistId":"l1"}`, "added the item «More» to the checklist «Steps» of «Fix login»"},
	{`"item.changed","entityId":"i1","before":{"assignee":null},"after":{"assignee":"bob"}`, "changed the item «Buy milk» of «Fix login»: assignee set to bob"},
	{`"item.checked","entityId":"i1","after":{"done":true}`, "ticked off the item «Buy milk» of «Fix login»"},
	{`"item.unchecked","entityId":"i1","after":{"done":null}`, "unticked the item «Buy milk» of «Fix login»"},
	{`"item.moved","entityId":"i1","before":{"position":"a0"},"after":{"position":"a1"}`, "moved the item «Buy milk» of «Fix login»"},
	{`"item.deleted","entityId":"i1"`, "deleted the item «Buy milk» of «Fix login»"},
	{`"label.created","entityId":"x","after":{}`, "added the label"},
	{`"label.changed","entityId":"bug","before":{"name":"Bug"},"after":{"name":"Fault"}`, "changed the label Bug: name from Bug to Fault"},
	{`"label.deleted","entityId":"bug"`, "deleted the label Bug"},
	{`"comment.added","entityId":"x","after":{"text":"a\nb","cardId":"c1"}`, "commented on «Fix login»: «a b»"},
	{`"comment.edited","entityId":"m1","before":{"text":"hm"},"after":{"text":"oh"}`, "edited a comment on «Fix login»: «oh»"},
	{`"comment.deleted","entityId":"m1"`, "deleted a comment on «Fix login»"},
	{`"file.added","entityId":"x","after":{"name":"b.txt"}`, "added the file «b.txt» to the board"},
	{`"file.renamed","entityId":"f1","before":{"name":"a.txt"},"after":{"name":"b.txt"}`, "renamed the file «a.txt» of «Fix login» to «b.txt»"},
	{`"file.moved","entityId":"f1","before":{"cardId":"c1"},"after":{"cardId":null}`, "moved the file «a.txt» from «Fix login» to the board"},
	{`"file.replaced","entityId":"f1","before":{"size":1},"after":{"size":2}`, "replaced what is in the file «a.txt» of «Fix login»"},
	{`"file.deleted","entityId":"f1"`, "deleted the file «a.txt» of «Fix login»"},
	{`"list.respaced","entityId":"doing","kind":"card","positions":{"c1":["a0","a1"],"c2":["a1","a2"]}`, "gave 2 cards in Doing new positions, in the same order"},
	{`"list.respaced","entityId":"","kind":"column","positions":{"done":["a0","a1"]}`, "gave 1 column in the board new positions, in the same order"},
	{`"card.renamed","entityId":"gone","before":{"title":"\u001b[2J\u202e"},"after":{"title":"` + strings.Repeat("x", 100) + `"}`, "renamed «\ufffd[2J\ufffd» to «" + strings.Repeat("x", 59) + "…»"},
}

func TestWords_OfEveryTypeOfEvent(t *testing.T) {
	t.Parallel()
	var seen []string
	for _, tt := range eventWords {
		d := decision(t, `{"user":"ann","events":[{"type":`+tt.event+`}]}`)
		seen = append(seen, d.Events[0].Type)
		if got := someNames(t).Words(d); len(got) != 1 || got[0] != tt.words {
			t.Errorf("%s:\n got %q\nwant %q", tt.event, got, tt.words)
		}
	}
	for _, name := range domain.EventTypes() {
		if !slices.Contains(seen, name) {
			t.Errorf("no words of %s are checked", name)
		}
	}
}

// refusalWords are refusals, by what follows the user in a decision.
var refusalWords = []struct{ decision, words string }{
	{`"changes":[{"entityId":"c2","patch":{"columnId":"doing","position":{"after":null}}}],"rejection":{"code":"wip_limit","reason":"x","details":{"columnId":"doing","limit":3,"count":3}}`,
		"was refused: move «Pay» to Doing: Doing is full (3 of 3)"},
	{`"changes":[{"entityId":"c1","patch":{"title":"a"}},{"entityId":"c9","patch":null},{"entityId":"c2","patch":{}}],"rejection":{"code":"not_found","reason":"x","details":{"entityId":"c9","change":1}}`,
		"was refused: delete c9 and 2 more changes: c9 is not there"},
	{`"changes":[{"entityId":"c1","patch":{"title":"\u0007"}}],"rejection":{"code":"invalid","reason":"title: holds control characters","details":{"field":"title"}}`,
		"was refused: rename «Fix login» to «\ufffd»: title: holds control characters"},
	{`"changes":[{"entityId":"x","patch":{"kind":"file","name":"b.txt"}}],"rejection":{"code":"invalid","reason":"name: too long","details":{"field":"name","limit":255}}`,
		"was refused: create the file «b.txt»: name: too long (limit 255)"},
	{`"changes":[{"entityId":"c1","patch":{"due":null,"color":"red","done":null}}],"rejection":{"code":"conflict","reason":"x","details":{"fields":["due","rev"]}}`,
		"was refused: change color, done, due of «Fix login»: due, rev were not as expected"},
	{`"changes":[{"entityId":"m1","patch":{"text":"y"}}],"rejection":{"code":"forbidden","reason":"a comment is edited by its author","details":{"needs":"author"}}`,
		"was refused: change text of a comment on «Fix login»: a comment is edited by its author"},
	{`"changes":[{"entityId":"f2","patch":{"name":"a.txt"},"content":{"size":1,"contentType":"t","sha256":"s"}}],"rejection":{"code":"name_taken","reason":"x","details":{"entityId":"f1"}}`,
		"was refused: upload the file «a.txt»: the file «a.txt» of «Fix login» has the name already"},
	{`"changes":[{"entityId":"x","patch":{"kind":"card","title":"New","columnId":"doing"}}],"rejection":{"code":"limit","reason":"too many: card","details":{"limit":5000,"count":5000}}`,
		"was refused: create the card «New» in Doing: too many: card (5000 of 5000)"},
	{`"changes":[{"entityId":"doing","patch":null}],"rejection":{"code":"not_empty","reason":"x","details":{"cards":1,"archived":2}}`,
		"was refused: delete the column Doing: it has 1 card, and 2 archived"},
	{`"changes":[{"entityId":"c1","patch":{"archived":false}}],"rejection":{"code":"archived","reason":"x","details":{"entityId":"doing"}}`,
		"was refused: restore «Fix login»: Doing is archived"},
	{`"changes":[{"entityId":"c1","patch":{},"toggle":true}],"rejection":{"code":"expired","reason":"x"}`,
		"was refused: like or unlike «Fix login»: its deadline had passed"},
	{`"op":"cancel","id":"m","rejection":{"code":"withdrawn","reason":"x"}`, "withdrew a mutation before it was decided"},
	{`"changes":[{"entityId":"c1","patch":{"liked":true}}],"rejection":{"code":"id_reused","reason":"x"}`, "was refused: like «Fix login»: another mutation has its id"},
	{`"changes":[{"entityId":"member:bob","patch":{"kind":"member","role":"admin"}}],"rejection":{"code":"too_large","reason":"x","details":{"limit":4194304}}`,
		"was refused: add bob as admin: no record could hold it (limit 4194304 bytes)"},
	{`"op":"import","import":{"source":"trello:1","part":2},"rejection":{"code":"conflict","reason":"another part is due","details":{"next":1,"source":"trello:1","fields":["part"]}}`,
		"was refused: import part 2 of trello:1: another part is due"},
	{`"changes":[{"entityId":"c1","patch":{"archived":true,"title":"x"}}],"rejection":{"code":"rate_limited","reason":"too fast"}`, "was refused: archive «Fix login» and change title: too fast"},
	{`"changes":[{"entityId":"c1","patch":{"liked":false}}],"rejection":{"code":"unavailable","reason":"no log"}`, "was refused: take back the like of «Fix login»: no log"},
	{`"rejection":{"code":"lab","reason":"the lab"}`, "was refused: change nothing: the lab"},
	{`"changes":[{"entityId":"c1","patch":{"position":"a0"}}],"rejection":{"code":"undecided","reason":"no verdict yet"}`, "was refused: move «Fix login»: no verdict yet"},
	{`"changes":[{"entityId":"c1","patch":{"columnId":"doing"}}]`, "asked to move «Fix login» to Doing: nothing changed"},
	{`"changes":[{"entityId":"c1","patch":{}}]`, "asked to change nothing of «Fix login»: nothing changed"},
}

func TestWords_OfEveryCode(t *testing.T) {
	t.Parallel()
	seen := map[domain.Code]bool{}
	for _, tt := range refusalWords {
		d := decision(t, `{"user":"ann",`+tt.decision+`}`)
		if d.Rejection != nil {
			seen[d.Rejection.Code] = true
		}
		if got := someNames(t).Words(d); len(got) != 1 || got[0] != tt.words {
			t.Errorf("%s:\n got %q\nwant %q", tt.decision, got, tt.words)
		}
	}
	for _, code := range append(domain.Codes(), domain.IDReused, wire.RateLimited, wire.Unavailable, wire.Lab, wire.Undecided) {
		if !seen[code] {
			t.Errorf("no words of %s are checked", code)
		}
	}
	d := decision(t, `{"user":"ann","changes":[{"entityId":"c1","patch":{"columnId":"done"}}],"events":[{"type":"card.moved","rev":9,"entityId":"c1"}]}`)
	if got := someNames(t).VoidWords(d)[0]; got != "asked to move «Fix login» to Done: stored too late, without effect, and decided again" {
		t.Error(got)
	}
}

// TestNames_AreThoseOfTheMoment: of what happens in one decision, too.
func TestNames_AreThoseOfTheMoment(t *testing.T) {
	t.Parallel()
	n := someNames(t)
	got := n.Words(decision(t, `{"user":"ann","events":[
		{"type":"column.renamed","entityId":"doing","before":{"title":"Doing"},"after":{"title":"Now"}},
		{"type":"card.renamed","entityId":"c1","before":{"title":"Fix login"},"after":{"title":"Fix"}},
		{"type":"card.moved","entityId":"c1","before":{"columnId":"doing"},"after":{"columnId":"done"}},
		{"type":"card.deleted","entityId":"c1","gone":{"checklist":1,"item":1,"comment":1,"file":1}}]}`))
	if want := "renamed the column Doing to Now|renamed «Fix login» to «Fix»|moved «Fix» from Now to Done|deleted «Fix» with 1 checklist, 1 comment, 1 file, 1 item"; strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
}

// TestNames_KeepWhatIsThere: what is deleted with its parents is forgotten, in
// the end.
func TestNames_KeepWhatIsThere(t *testing.T) {
	t.Parallel()
	n := someNames(t)
	for i := range 5000 {
		d := &domain.Decision{Events: []domain.Event{
			{Type: "card.created", EntityID: fmt.Sprint("k", i), After: domain.Fields{"title": "x", "columnId": "doing"}},
			{Type: "checklist.created", EntityID: fmt.Sprint("kl", i), After: domain.Fields{"title": "x", "cardId": fmt.Sprint("k", i)}},
			{Type: "item.created", EntityID: fmt.Sprint("ki", i), After: domain.Fields{"text": "x", "checklistId": fmt.Sprint("kl", i)}},
			{Type: "card.deleted", EntityID: fmt.Sprint("k", i), Gone: map[domain.Kind]int{"checklist": 1, "item": 1}}}}
		n.Take(d)
	}
	if len(n.of) > 2*sweepFrom {
		t.Errorf("%d names are kept of 11", len(n.of))
	}
	if n.of["i1"].name != "Buy milk" {
		t.Error("what is there is forgotten")
	}
}
