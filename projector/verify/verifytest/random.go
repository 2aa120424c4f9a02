package verifytest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/snapback-io/snapback/domain"
)

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

var kinds = []domain.Kind{domain.KindBoard, domain.KindMember, domain.KindColumn, domain.KindColumn, domain.KindCard, domain.KindCard, domain.KindCard,
	domain.KindCard, domain.KindCard, domain.KindCard, domain.KindChecklist, domain.KindItem, domain.KindLabel, domain.KindComment, domain.KindFile}

var fields = map[domain.Kind][]string{
	domain.KindBoard: {"title", "description", "x-a"}, domain.KindMember: {"name", "role"},
	domain.KindColumn:    {"title", "position", "wipLimit", "wipMode", "archived", "x-a"},
	domain.KindCard:      {"title", "description", "columnId", "columnId", "position", "position", "labels", "assignees", "liked", "due", "archived", "x-a", "nonsense"},
	domain.KindChecklist: {"cardId", "title", "position"}, domain.KindItem: {"checklistId", "text", "done", "position"},
	domain.KindLabel: {"name", "color"}, domain.KindComment: {"text"}, domain.KindFile: {"name", "cardId", "url"},
}

var needed = map[domain.Kind][]string{
	domain.KindBoard: {"title"}, domain.KindMember: {"role"}, domain.KindColumn: {"title"}, domain.KindCard: {"title", "columnId"}, domain.KindChecklist: {"cardId"},
	domain.KindItem: {"checklistId", "text"}, domain.KindComment: {"cardId", "text"}, domain.KindFile: {"name", "url"},
}

func (s *Scribe) id(kind domain.Kind) string {
	switch kind {
	case domain.KindBoard:
		return s.Board.ID()
	case domain.KindMember:
		return domain.MemberPrefix + pick(s.r, "viewer", "commenter", "editor", "eve")
	case domain.KindColumn:
		return fmt.Sprint("column", s.r.IntN(3))
	}
	return fmt.Sprint(kind, s.r.IntN(12))
}

func (s *Scribe) value(kind domain.Kind, name string) any {
	r := s.r
	switch name {
	case "position":
		return pick[any](r, domain.Place{HasAfter: true}, domain.Place{HasBefore: true}, domain.Place{HasAfter: true, After: s.id(kind)},
			domain.Place{HasBefore: true, Before: s.id(kind)}, "a0"+strings.Repeat("0", domain.MaxPosition-3)+pick(r, "1", "2"), "a0", "a1V", "no key")
	case "columnId":
		return s.id(domain.KindColumn)
	case "cardId":
		return s.id(domain.KindCard)
	case "checklistId":
		return s.id(domain.KindChecklist)
	case "archived", "liked":
		return r.IntN(3) == 0
	case "wipLimit":
		return r.Int64N(5)
	case "wipMode":
		return pick(r, "hard", "soft")
	case "role":
		return string(pick(r, domain.Viewer, domain.Commenter, domain.Editor, domain.Admin))
	case "labels":
		return pick[any](r, domain.SetChange{Add: []string{s.id(domain.KindLabel)}}, domain.SetChange{Remove: []string{s.id(domain.KindLabel)}}, []string{})
	case "assignees":
		return pick[any](r, domain.SetChange{Add: []string{"ann", "editor"}}, domain.SetChange{Remove: []string{"ann"}}, []string{"viewer"})
	case "due":
		return pick[any](r, "2026-04-01", "2026-04-01T10:00:00.5+02:00", nil)
	case "done":
		return pick[any](r, true, false, "2026-04-01T10:00:00Z", nil)
	case "url":
		return "https://example.org/?a=<b>&c"
	case "name":
		return pick(r, "a.txt", "A.TXT", "Straße", "STRASSE", "b&b")
	case "x-a":
		return json.RawMessage(pick(r, `12345678901234567890`, `{"b":[1.50,null,"<&>"],"a":1e400}`, `-0`, `[1,"x"]`, `"\u2028"`))
	}
	return pick[any](r, "x", "y & <z>", " Füße\u2028 ", "\U0001F600", fmt.Sprint("text ", s.n), "", int64(3))
}

func (s *Scribe) change() domain.Change {
	r := s.r
	kind := pick(r, kinds...)
	c := domain.Change{EntityID: s.id(kind)}
	e := s.Board.Get(c.EntityID)
	switch what := r.IntN(24); {
	case what == 0 && kind != domain.KindMember:
		return c // delete
	case what == 1 && kind == domain.KindCard:
		c.Patch, c.Toggle = domain.Patch{}, true
		return c
	case what == 2:
		rev := r.Uint64N(s.Board.Rev() + 1)
		c.IfRev = &rev
	case what == 3 && e != nil:
		c.If = domain.Fields{"title": e.Fields["title"], "description": pick[any](r, nil, "x")}
	case what == 4 && kind == domain.KindFile:
		c.Content = &domain.Content{Object: fmt.Sprint("o", s.n), Size: 3, ContentType: "text/plain", SHA256: strings.Repeat(pick(r, "1", "2"), 64)}
	}
	c.Patch = domain.Patch{}
	if e == nil || r.IntN(12) == 0 {
		c.Patch["kind"] = string(kind)
		for _, name := range needed[kind] {
			c.Patch[name] = s.value(kind, name)
		}
	}
	for range r.IntN(3) {
		name := pick(r, fields[kind]...)
		c.Patch[name] = s.value(kind, name)
	}
	return c
}

// random gives a command as a worker gets it.
func (s *Scribe) random() domain.Command {
	r := s.r
	cmd := s.Ask(pick(r, "ann", "ann", "ann", "admin", "admin", "editor", "commenter", "viewer", "nobody"))
	for range pick(r, 1, 1, 1, 1, 2, 3) {
		cmd.Changes = append(cmd.Changes, s.change())
	}
	if r.IntN(6) == 0 {
		cmd.Grant = pick(r, domain.GrantOpen, domain.Grant(domain.Editor))
	}
	switch r.IntN(40) {
	case 0:
		cmd.Op, cmd.Changes = domain.OpCancel, nil
	case 1:
		cmd.Deadline = s.Now.Add(-time.Second)
	case 2:
		cmd.After = fmt.Sprint("m", s.n-1)
	case 3:
		cmd.Changes[0].Patch = domain.Patch{"title": strings.Repeat("w", r.IntN(2*s.Limit))}
	case 4:
		cmd.ID = fmt.Sprint("no id! ", s.n)
	}
	data, err := cmd.AppendJSON(nil)
	if err == nil {
		cmd, err = domain.DecodeCommand(data)
	}
	if err != nil {
		panic(err)
	}
	return cmd
}

// Import takes over another board's entities in parts, the last one twice.
func (s *Scribe) Import(from *domain.Board, each int) *Scribe {
	var list []*domain.Entity
	for e := range from.All() {
		if e.Fields["object"] != nil {
			continue
		}
		moved := *e
		if e.Kind == domain.KindBoard {
			moved.ID = s.Board.ID()
		}
		list = append(list, &moved)
	}
	for part := 0; len(list) > 0; part++ {
		n := min(each, len(list))
		cmd := s.Ask("importer")
		cmd.Op, cmd.Deadline, cmd.Grant = domain.OpImport, time.Time{}, domain.GrantOpen
		cmd.Import = &domain.Import{Source: "self", Part: part, Done: n == len(list), Entities: list[:n], Provenance: json.RawMessage(`[{"a": "<&>", "n":1.50}]`)}
		s.Commit(false, cmd)
		list = list[n:]
		cmd.ID += "x"
		s.Commit(false, cmd)
	}
	return s
}
