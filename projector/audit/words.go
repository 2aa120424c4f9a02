package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector/wording"
)

// Words tells d in English behind the name of who asked: a sentence for each
// event, "moved «Fix login» from Doing to Done", or one if there is none. It
// takes d in, with the names as they were when each event happened.
func (n *Names) Words(d *domain.Decision) []string {
	switch {
	case d.Rejection != nil && d.Rejection.Code == domain.Withdrawn:
		return []string{"withdrew a mutation before it was decided"}
	case d.Rejection != nil:
		return []string{"was refused: " + n.Asked(d) + ": " + n.why(d)}
	case len(d.Events) == 0:
		return []string{"asked to " + n.Asked(d) + ": nothing changed"}
	}
	words := make([]string, len(d.Events))
	for i := range d.Events {
		words[i] = n.event(d, &d.Events[i])
		n.take(&d.Events[i])
	}
	return words
}

// VoidWords is Words of a decision that was stored too late to take effect.
func (n *Names) VoidWords(d *domain.Decision) []string {
	return []string{"asked to " + n.Asked(d) + ": stored too late, without effect, and decided again"}
}

// event tells one event, as of before it.
func (n *Names) event(d *domain.Decision, ev *domain.Event) string {
	kind, verb, _ := strings.Cut(ev.Type, ".")
	switch verb {
	case "created", "added":
		return n.created(domain.Kind(kind), ev)
	case "deleted":
		return "deleted " + n.what(ev.EntityID) + gone(ev.Gone)
	case "archived", "restored":
		return verb + " " + n.what(ev.EntityID)
	case "moved":
		return n.moved(domain.Kind(kind), ev)
	case "renamed":
		return n.renamed(domain.Kind(kind), ev)
	}
	what := n.what(ev.EntityID)
	switch ev.Type {
	case "board.imported":
		return "finished the import of the board"
	case "list.respaced":
		return fmt.Sprintf("gave %s in %s new positions, in the same order", counted(len(ev.Positions), string(ev.Kind)), n.home(ev.EntityID))
	case "member.removed":
		if what == wording.Short(d.User) {
			return "left the board"
		}
		return "removed " + what + " from the board"
	case "card.labelled":
		return n.sets(ev, "labels", "labelled "+what+" with ", "took ", " off "+what, n.label)
	case "card.assigned":
		return n.sets(ev, "assignees", "assigned "+what+" to ", "took ", " off "+what, wording.Short)
	case "card.liked":
		return "liked " + what
	case "card.unliked":
		return "took back the like of " + what
	case "item.checked":
		return "ticked off " + what
	case "item.unchecked":
		return "unticked " + what
	case "comment.edited":
		return "edited " + what + ": " + wording.Quoted(ev.After.String("text"))
	case "file.replaced":
		return "replaced what is in " + what
	}
	return "changed " + what + fields(ev)
}

func (n *Names) created(kind domain.Kind, ev *domain.Event) string {
	parent := ""
	if field := domain.ParentField(kind); field != "" {
		parent = ev.After.String(field)
	}
	name := nameIn(kind, ev.After)
	said := ""
	switch kind {
	case domain.KindBoard:
		said = "created the board " + wording.Quoted(name)
	case domain.KindMember:
		said = "added " + n.what(ev.EntityID) + " as " + ev.After.String("role")
	case domain.KindCard:
		said = "created " + wording.Quoted(name) + " in " + n.home(parent)
	case domain.KindComment:
		said = "commented on " + n.what(parent) + ": " + wording.Quoted(ev.After.String("text"))
	case domain.KindFile:
		said = "added the file " + wording.Quoted(name) + " to " + n.home(parent)
	case domain.KindItem:
		said = "added the item " + wording.Quoted(name) + " to " + n.what(parent)
	case domain.KindChecklist:
		said = "added the checklist" + space(wording.Quoted(name), name) + " to " + n.what(parent)
	default:
		said = "added " + n.called(kind, name, parent)
	}
	if ev.Origin != nil {
		said += ", made by " + wording.Short(ev.Origin.CreatedBy)
	}
	return said
}

func (n *Names) moved(kind domain.Kind, ev *domain.Event) string {
	what := n.what(ev.EntityID)
	to, elsewhere := ev.After[domain.ParentField(kind)].(string)
	from, was := ev.Before[domain.ParentField(kind)].(string)
	switch {
	case (elsewhere || was) && kind != domain.KindCard: // without where it is, which is told
		e := n.of[ev.EntityID]
		what = "the " + string(kind) + space(wording.Quoted(e.name), e.name)
		fallthrough
	case elsewhere:
		return "moved " + what + " from " + n.home(from) + " to " + n.home(to)
	case kind == domain.KindCard:
		return "moved " + what + " within " + n.home(n.of[ev.EntityID].parent)
	}
	return "moved " + what
}

func (n *Names) renamed(kind domain.Kind, ev *domain.Event) string {
	field := wording.NameField(kind)
	was, is := wording.Short(ev.Before.String(field)), wording.Short(ev.After.String(field))
	switch kind {
	case domain.KindCard:
		return "renamed " + wording.Quoted(was) + " to " + wording.Quoted(is)
	case domain.KindFile:
		return "renamed " + n.called(kind, was, n.of[ev.EntityID].parent) + " to " + wording.Quoted(is)
	}
	return "renamed the " + string(kind) + " " + was + " to " + is
}

// sets tells what a set of the entity got and lost.
func (n *Names) sets(ev *domain.Event, field, added, took, off string, word func(string) string) string {
	list := func(ids []string) string {
		words := make([]string, 0, len(ids))
		for _, id := range ids {
			if len(words) == maxListed {
				words = append(words, fmt.Sprintf("%d more", len(ids)-maxListed))
				break
			}
			words = append(words, word(id))
		}
		return strings.Join(words, ", ")
	}
	var said []string
	if ids := slices.Concat(ev.Added[field], ev.After.Set(field)); len(ids) > 0 {
		said = append(said, added+list(ids))
	}
	if ids := slices.Concat(ev.Removed[field], ev.Before.Set(field)); len(ids) > 0 {
		said = append(said, took+list(ids)+off)
	}
	if len(said) == 0 { // an empty set became none at all
		return "changed " + field + strings.Replace(off, " off ", " of ", 1)
	}
	return strings.Join(said, " and ")
}

// maxListed is how many elements or fields a sentence lists.
const maxListed = 8

func (n *Names) label(id string) string {
	if e := n.of[id]; e.name != "" {
		return e.name
	}
	return wording.Short(id)
}

// gone says what a deleted entity took along.
func gone(of map[domain.Kind]int) string {
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(of)) {
		list = append(list, counted(of[kind], string(kind)))
	}
	if len(list) == 0 {
		return ""
	}
	return " with " + strings.Join(list, ", ")
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

// fields tells the changed fields: ": due from 2026-01-01 to 2026-01-02, color removed (was red)".
func fields(ev *domain.Event) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(ev.After)) {
		if len(list) == maxListed {
			list = append(list, fmt.Sprintf("%d more", len(ev.After)-maxListed))
			break
		}
		list = append(list, field(wording.Short(name), ev.Before[name], ev.After[name]))
	}
	if len(list) == 0 {
		return ""
	}
	return ": " + strings.Join(list, ", ")
}

func field(name string, before, after any) string {
	was, told := value(before)
	is, told2 := value(after)
	switch {
	case before == nil && told2:
		return name + " set to " + is
	case after == nil && told:
		return name + " removed, was " + was
	case after == nil:
		return name + " removed"
	case told && told2 && before != nil:
		return name + " from " + was + " to " + is
	}
	return name
}

// value is v as a word, if it is a short one.
func value(v any) (word string, ok bool) {
	switch x := v.(type) {
	case string:
		if len(x) > wording.Longest || strings.Contains(x, "\n") {
			return "", false
		}
		if x = wording.Short(x); strings.Contains(x, " ") || x == "" {
			return wording.Quoted(x), true
		}
		return x, true
	case json.RawMessage, []string:
		return "", false
	}
	return fmt.Sprint(v), true
}
