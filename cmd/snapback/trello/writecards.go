package trello

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// card writes a card with what an export nests in it, and the actions that say
// who made and changed it.
func (w *writing) card(e *domain.Entity, n int) object {
	f, id := e.Fields, w.ids[e.ID]
	labels, checklists, attachments, comments := []string{}, []string{}, []object{}, 0
	for _, label := range f.Set("labels") {
		if at := w.ids[label]; at != "" {
			labels = append(labels, at)
		}
	}
	for _, child := range w.byCard[e.ID] {
		switch child.Kind {
		case domain.KindChecklist:
			checklists = append(checklists, w.ids[child.ID])
		case domain.KindFile:
			attachments = append(attachments, w.attachment(child, len(attachments)+1))
		case domain.KindComment:
			comments++
		}
	}
	out := object{
		"id": id, "idBoard": w.ids[w.board.ID], "idList": w.ids[f.String("columnId")], "idShort": f.Int("number"), "pos": n * posStep,
		"name": f.String("title"), "desc": f.String("description"), "closed": f.Bool("archived"),
		"idLabels": labels, "idMembers": w.persons(f.Set("assignees")), "idMembersVoted": w.persons(f.Set("likedBy")),
		"due": date(f.String("due")), "start": date(f.String("start")), "dueComplete": f.String("done") != "",
		"dateLastActivity": stamp(e.UpdatedAt), "idChecklists": checklists, "attachments": attachments,
		"badges": object{"comments": comments, "votes": len(w.persons(f.Set("likedBy")))}, "cover": object{"color": orNull(f.String("color"))},
		"customFieldItems": w.fieldItems(e),
	}
	if creator := w.person(e.CreatedBy); creator != "" {
		out["idMemberCreator"] = creator
	}
	named := object{"id": id, "name": f.String("title"), "idShort": f.Int("number")}
	if e.CreatedBy != sourceUser {
		w.act("createCard", e.CreatedAt, e.CreatedBy, e.ID, object{"card": named})
	}
	if done, err := time.Parse(time.RFC3339, f.String("done")); err == nil {
		w.act("updateCard", done, e.UpdatedBy, e.ID+" done", object{
			"card": object{"id": id, "name": f.String("title"), "dueComplete": true}, "old": object{"dueComplete": false}})
	}
	if !e.UpdatedAt.Equal(e.CreatedAt) || e.UpdatedBy != e.CreatedBy {
		w.act("updateCard", e.UpdatedAt, e.UpdatedBy, e.ID+" updated", object{"card": named})
	}
	return out
}

func (w *writing) attachment(e *domain.Entity, n int) object {
	f := e.Fields
	return object{"id": w.ids[e.ID], "name": f.String("name"), "fileName": f.String("name"), "url": w.linkOf(e), "pos": n * posStep,
		"isUpload": f.String("url") == "", "bytes": f["size"], "mimeType": f.String("contentType"), "date": stamp(e.CreatedAt), "idMember": orNull(w.person(e.CreatedBy))}
}

// linkOf is where a file is, wherever that is.
func (w *writing) linkOf(e *domain.Entity) string {
	if link := e.Fields.String("url"); link != "" || w.Link == nil {
		return link
	}
	return w.Link(e)
}

func (w *writing) checklists() []object {
	items, out := map[string][]object{}, []object{}
	w.each(domain.KindItem, func(e *domain.Entity, n int) {
		state := "incomplete"
		if done := e.Fields["done"]; done != nil && done != false {
			state = "complete"
		}
		list := e.Parent()
		items[list] = append(items[list], object{"id": w.ids[e.ID], "idChecklist": w.ids[list], "name": e.Fields.String("text"), "pos": n * posStep,
			"state": state, "due": date(e.Fields.String("due")), "idMember": orNull(w.person(e.Fields.String("assignee")))})
	})
	w.each(domain.KindChecklist, func(e *domain.Entity, n int) {
		id, card := w.ids[e.ID], w.ids[e.Parent()]
		if e.CreatedBy != sourceUser {
			w.act("addChecklistToCard", e.CreatedAt, e.CreatedBy, e.ID, object{"checklist": object{"id": id, "name": e.Fields.String("title")}, "card": object{"id": card}})
		}
		list := items[e.ID]
		if list == nil {
			list = []object{}
		}
		out = append(out, object{"id": id, "idBoard": w.ids[w.board.ID], "idCard": card, "name": e.Fields.String("title"), "pos": n * posStep, "checkItems": list})
	})
	return out
}

// comments are actions at Trello, which are sorted by date and id when they are
// read: one that would come before the one it follows is dated behind that.
func (w *writing) comments() {
	type place struct {
		at time.Time
		id string
	}
	last := map[string]place{}
	w.each(domain.KindComment, func(e *domain.Entity, _ int) {
		at, id, before := e.CreatedAt, w.ids[e.ID], last[e.Parent()]
		if at.Before(before.at) || at.Equal(before.at) && id < before.id {
			at = before.at.Add(time.Millisecond)
		}
		last[e.Parent()] = place{at, id}
		data := object{"text": e.Fields.String("text"), "card": object{"id": w.ids[e.Parent()]}}
		if !e.UpdatedAt.Equal(e.CreatedAt) {
			data["dateLastEdited"] = stamp(e.UpdatedAt)
		}
		w.act("commentCard", at, e.CreatedBy, "", data)
		w.actions[len(w.actions)-1]["id"] = id
	})
}

// act adds an action about the entity that of names.
func (w *writing) act(kind string, at time.Time, by, of string, data object) {
	a := object{"id": hashed(at, kind, of), "type": kind, "date": stamp(at), "data": data}
	if id := w.person(by); id != "" {
		a["idMemberCreator"] = id
		if by != sourceUser+":"+id {
			a["memberCreator"] = object{"id": id, "username": by, "fullName": w.names[by]}
		}
	}
	w.actions = append(w.actions, a)
}

// stamp is a time as Trello writes one.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// date is a date for Trello, which knows no whole days: their first moment.
func date(s string) any {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return stamp(t)
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return stamp(t)
	}
	return nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// objectIDOf is an ObjectID of the moment an entity was made. Entities of one
// board have different ones, which sort in the order they were made.
func objectIDOf(at time.Time, createdRev uint64) string {
	return seconds(at) + fmt.Sprintf("%016x", createdRev)
}

// hashed is an ObjectID of a moment for what the words name, the same in every
// export.
func hashed(at time.Time, words ...string) string {
	sum := sha256.New()
	for _, word := range words {
		fmt.Fprintf(sum, "%d %s", len(word), word)
	}
	return seconds(at) + hex.EncodeToString(sum.Sum(nil)[:8])
}

// seconds is the first part of an ObjectID.
func seconds(at time.Time) string { return fmt.Sprintf("%08x", uint32(max(0, at.Unix()))) }

func sortedUsers(people map[string]string) []string { return slices.Sorted(maps.Keys(people)) }
