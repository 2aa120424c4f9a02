package domain

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// dice draw random commands from a seed. (The ranges of rapid favour what is
// small: its commands would hardly ever meet.)
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1))} }

// pick draws one of a few values, so that random commands meet.
func pick[T any](r dice, of ...T) T { return of[r.IntN(len(of))] }

func anID(r dice, kind Kind) string {
	n := r.IntN(8)
	switch kind {
	case KindBoard:
		return "b"
	case KindMember:
		if r.IntN(12) > 0 { // an admin who is none any more makes a dull run
			return MemberPrefix + pick(r, "viewer", "commenter", "editor")
		}
		return MemberPrefix + pick(r, users...)
	case KindColumn:
		n %= 4
	}
	return fmt.Sprintf("%s%d", kind, n)
}

var (
	users    = []string{"ann", "viewer", "commenter", "editor", "admin"}
	allKinds = []Kind{KindBoard, KindMember, KindColumn, KindColumn, KindColumn, KindCard, KindCard, KindCard, KindCard, KindCard, KindCard,
		KindCard, KindChecklist, KindChecklist, KindItem, KindItem, KindLabel, KindComment, KindFile, KindFile, KindFile}
)

func aPosition(r dice, kind Kind) any {
	switch r.IntN(9) {
	case 0:
		return Place{HasAfter: true}
	case 1:
		return Place{HasBefore: true}
	case 2:
		return Place{HasAfter: true, After: anID(r, kind)}
	case 3:
		return Place{HasBefore: true, Before: anID(r, kind)}
	case 4, 5, 6: // keys so long that the next one respaces the list
		return "a0" + strings.Repeat("0", MaxPosition-3) + pick(r, "1", "2")
	}
	return pick(r, "a0", "a1", "a0V", "Zz", "a0", "not a key")
}

func aSet(r dice, of ...string) any {
	some := []string{}
	for range r.IntN(3) {
		some = append(some, pick(r, of...))
	}
	if r.IntN(2) == 0 {
		return some
	}
	return SetChange{Add: some, Remove: []string{pick(r, of...)}}
}

// aValue draws a value for a field, mostly a valid one.
func aValue(r dice, kind Kind, field string) any {
	if r.IntN(30) == 29 {
		return pick[any](r, nil, "", " ", true, int64(3), []string{"x"}, "a\u202e")
	}
	switch field {
	case "position":
		return aPosition(r, kind)
	case "columnId":
		return anID(r, KindColumn)
	case "cardId":
		return anID(r, KindCard)
	case "checklistId":
		return anID(r, KindChecklist)
	case "archived", "liked":
		return r.IntN(2) == 0
	case "wipLimit":
		return r.Int64N(4)
	case "wipMode":
		return pick(r, "hard", "soft")
	case "role":
		return string(pick(r, Viewer, Commenter, Editor, Admin))
	case "labels":
		return aSet(r, anID(r, KindLabel), anID(r, KindLabel), "label9")
	case "assignees", "likedBy":
		return aSet(r, users...)
	case "due", "start", "done":
		return pick(r, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00+01:00")
	case "url":
		return pick(r, "http://example.org/", "https://example.org/")
	case "name":
		return pick(r, "a.txt", "A.TXT", "b", "stra\u00dfe", "STRASSE")
	case "assignee":
		return pick(r, users...)
	case "avatar":
		return "https://example.org/a.png"
	}
	return pick(r, "x", "y", " y ", "z")
}

var fieldsOf = map[Kind][]string{
	KindBoard:     {"title", "description", "archived", "x-a"},
	KindMember:    {"name", "avatar", "role"},
	KindColumn:    {"title", "position", "wipLimit", "wipMode", "archived", "color"},
	KindCard:      {"title", "description", "columnId", "columnId", "position", "position", "position", "labels", "assignees", "liked", "likedBy", "due", "done", "archived", "archived", "x-b"},
	KindChecklist: {"cardId", "title", "position"},
	KindItem:      {"checklistId", "text", "done", "assignee", "position"},
	KindLabel:     {"name", "color", "position"},
	KindComment:   {"text"},
	KindFile:      {"name", "cardId", "url"},
}

var neededBy = map[Kind][]string{
	KindBoard: {"title"}, KindMember: {"role"}, KindColumn: {"title"}, KindCard: {"title", "columnId"},
	KindChecklist: {"cardId"}, KindItem: {"checklistId", "text"}, KindComment: {"cardId", "text"}, KindFile: {"name", "url"},
}

func aChange(r dice, b *Board) Change {
	kind := pick(r, allKinds...)
	c := Change{EntityID: anID(r, kind)}
	e := b.Get(c.EntityID)
	switch what := r.IntN(30); {
	case what == 0:
		return c // delete
	case what == 1 && kind == KindCard:
		c.Patch, c.Toggle = Patch{}, true
		return c
	case what == 2:
		rev := r.Uint64N(b.Rev() + 1)
		c.IfRev = &rev
	case what == 3 && e != nil:
		c.If = Fields{"title": e.Fields["title"], "archived": r.IntN(2) == 0}
	case what == 4 && kind == KindFile:
		c.Content = &Content{Object: fmt.Sprint(b.Rev()), Size: 3, ContentType: "text/plain", SHA256: hex64(pick(r, "1", "2"))}
	}
	c.Patch = Patch{}
	if e == nil || r.IntN(10) == 9 {
		c.Patch["kind"] = string(kind)
		for _, name := range neededBy[kind] {
			c.Patch[name] = aValue(r, kind, name)
		}
	}
	for range r.IntN(4) {
		name := pick(r, fieldsOf[kind]...)
		c.Patch[name] = aValue(r, kind, name)
	}
	return c
}

// aCommand draws a command of one to four changes.
func (w *world) aCommand(r dice) *Command {
	cmd := w.command(pick(r, "ann", "ann", "ann", "ann", "admin", "admin", "admin", "admin", "editor", "editor", "commenter", "viewer", "nobody"))
	if r.IntN(5) == 4 {
		cmd.Grant = GrantOpen
	}
	for range pick(r, 1, 1, 1, 2, 3, 4) {
		cmd.Changes = append(cmd.Changes, aChange(r, w.board))
	}
	switch r.IntN(40) {
	case 0:
		cmd.Op, cmd.Changes = OpCancel, nil
	case 1:
		cmd.Deadline = w.now.Add(-1)
	}
	var read Command // as the worker gets it
	if err := unmarshal(encoded(w.t, cmd), &read); err != nil {
		w.t.Fatalf("command: %v", err)
	}
	return &read
}
