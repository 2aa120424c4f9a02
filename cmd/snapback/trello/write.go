package trello

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// object is a JSON object of an export; its keys are written sorted.
type object = map[string]any

// posStep lies between the positions of siblings, as Trello has them.
const posStep = 16384

// Source is a board to be exported.
type Source struct {
	// Board is its id.
	Board string
	// Entities are all of the board's, parents before children and siblings in
	// order, as GET /v1/boards/{board} gives them.
	Entities []*domain.Entity
	// Link gives where the content of an uploaded file can be had.
	Link func(file *domain.Entity) string
}

// Written says what became of a board that was exported.
type Written struct {
	Exported []Line // entities by kind
	Aside    []Line // what Trello's format has no place for and [Map] takes back
	Lost     []Line // what is not the same when the export is imported again
}

// Write writes the board as Trello exports one: what [Read] and [Map] make the
// same board of. What Trello's format has no place for stands beside it, as the
// data of a power-up, entity by entity. What was written is read, mapped and
// decided again before Write returns: Lost is what differed.
func Write(w io.Writer, src Source) (*Written, error) {
	out := &writing{Source: src, ids: map[string]string{}, taken: map[string]bool{}, people: map[string]string{}}
	if err := out.begin(); err != nil {
		return nil, err
	}
	export := out.export()
	m, err := out.mapped(export)
	if err != nil {
		return nil, err
	}
	if export["pluginData"], err = out.aside(m); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(export); err != nil {
		return nil, err
	}
	if err := out.again(buf.Bytes()); err != nil {
		return nil, err
	}
	_, err = w.Write(buf.Bytes())
	return &out.written, err
}

// Print writes it for a person.
func (r *Written) Print(w io.Writer) {
	section(w, "Exported", r.Exported)
	section(w, "Trello has no place for this; it is kept beside the board and an import takes it back", r.Aside)
	section(w, "Not the same after an import", r.Lost)
}

// writing is one run of Write.
type writing struct {
	Source
	board   *domain.Entity
	ids     map[string]string // at Trello, by entity id
	taken   map[string]bool   // of those
	people  map[string]string // ids at Trello by user
	names   map[string]string // of members, by user
	byCard  map[string][]*domain.Entity
	fields  []field
	actions []object
	written Written
}

func (w *writing) begin() error {
	for _, e := range w.Entities {
		if e.Kind == domain.KindBoard {
			w.board = e
		}
	}
	if w.board == nil {
		return errors.New("the board has no entity of its own")
	}
	w.names, w.byCard = map[string]string{}, map[string][]*domain.Entity{}
	for _, e := range w.Entities {
		if e.Kind == domain.KindMember {
			user := e.Fields.String("user")
			w.names[user], w.people[user] = e.Fields.String("name"), hashed(time.Time{}, "user", user)
		}
		if objectID.MatchString(e.ID) && e.Kind != domain.KindCard {
			w.ids[e.ID], w.taken[e.ID] = e.ID, true
		}
	}
	w.numberCards()
	for _, e := range w.Entities {
		switch {
		case e.Kind == domain.KindMember:
			w.ids[e.ID] = w.person(e.Fields.String("user"))
		case e == w.board:
			w.ids[e.ID] = boardAtTrello(e)
		case w.ids[e.ID] == "":
			w.ids[e.ID] = w.free(objectIDOf(e.CreatedAt, e.CreatedRev))
		}
		w.person(e.CreatedBy)
		w.person(e.UpdatedBy)
		w.person(e.Fields.String("assignee"))
		for _, user := range slices.Concat(e.Fields.Set("assignees"), e.Fields.Set("likedBy")) {
			w.person(user)
		}
		switch e.Kind {
		case domain.KindComment, domain.KindFile, domain.KindChecklist:
			w.byCard[e.Parent()] = append(w.byCard[e.Parent()], e)
		}
	}
	w.fields = customFieldsOf(w.board, w.Entities)
	return nil
}

// numberCards gives the cards ids that sort as they are numbered: an import
// numbers them by the moments in their ids. Those of Trello's own do.
func (w *writing) numberCards() {
	var cards []*domain.Entity
	w.each(domain.KindCard, func(e *domain.Entity, _ int) { cards = append(cards, e) })
	slices.SortFunc(cards, func(a, b *domain.Entity) int { return cmp.Compare(a.Fields.Int("number"), b.Fields.Int("number")) })
	last := time.Time{}
	for _, e := range cards {
		if objectID.MatchString(e.ID) && !idTime(e.ID).Before(last) {
			last = idTime(e.ID)
			w.ids[e.ID], w.taken[e.ID] = e.ID, true
			continue
		}
		if at := e.CreatedAt.Truncate(time.Second); at.After(last) {
			last = at
		}
		w.ids[e.ID] = w.free(objectIDOf(last, e.CreatedRev))
	}
}

// boardAtTrello is the id under which Map gives the board its own again, or one
// made of its own.
func boardAtTrello(e *domain.Entity) string {
	if id := strings.TrimPrefix(e.ID, "trello-"); objectID.MatchString(id) {
		return id
	}
	return hashed(e.CreatedAt, "board", e.ID)
}

func (w *writing) free(id string) string {
	for n := 0; w.taken[id]; n++ {
		id = id[:8] + hashed(time.Time{}, id, fmt.Sprint(n))[8:]
	}
	w.taken[id] = true
	return id
}

// person gives the id of a user at Trello, "" for one that is none of anybody:
// of those Map makes the user again.
func (w *writing) person(user string) string {
	id, known := w.people[user]
	if known || user == "" || user == sourceUser {
		return id
	}
	if id = strings.TrimPrefix(user, sourceUser+":"); !strings.HasPrefix(user, sourceUser+":") || !objectID.MatchString(id) {
		id = hashed(time.Time{}, "user", user)
	}
	w.people[user] = id
	return id
}

func (w *writing) persons(users []string) []string {
	ids := []string{}
	for _, user := range users {
		if id := w.person(user); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// each calls fn for the entities of a kind and how many-th of its siblings each is.
func (w *writing) each(kind domain.Kind, fn func(e *domain.Entity, n int)) {
	count := map[string]int{}
	for _, e := range w.Entities {
		if e.Kind == kind {
			count[e.Parent()]++
			fn(e, count[e.Parent()])
		}
	}
}

// export is the board in Trello's format, as far as that goes.
func (w *writing) export() object {
	board := w.ids[w.board.ID]
	lists, labels := []object{}, []object{}
	w.each(domain.KindColumn, func(e *domain.Entity, n int) { lists = append(lists, w.list(e, n)) })
	w.each(domain.KindLabel, func(e *domain.Entity, _ int) {
		labels = append(labels, object{"id": w.ids[e.ID], "idBoard": board, "name": e.Fields.String("name"), "color": orNull(e.Fields.String("color"))})
	})
	cards := []object{}
	w.each(domain.KindCard, func(e *domain.Entity, n int) { cards = append(cards, w.card(e, n)) })
	checklists := w.checklists()
	w.comments()
	members, memberships := w.members()
	for _, k := range kinds {
		n := 0
		for _, e := range w.Entities {
			if e.Kind == k {
				n++
			}
		}
		if n > 0 {
			note(&w.written.Exported, plural[k], n, "")
		}
	}
	slices.SortStableFunc(w.actions, func(a, b object) int { return strings.Compare(b["date"].(string), a["date"].(string)) })
	f := w.board.Fields
	return object{
		"id": board, "name": f.String("title"), "desc": f.String("description"), "closed": f.Bool("archived"),
		"idMemberCreator": orNull(w.person(w.board.CreatedBy)), "dateLastActivity": stamp(w.board.UpdatedAt),
		"prefs": object{"comments": "observers"}, "lists": lists, "cards": cards, "labels": labels, "members": members, "memberships": memberships,
		"checklists": checklists, "customFields": w.fieldObjects(), "actions": w.actions,
	}
}

// kinds are all, in the order of a board's tree.
var kinds = []domain.Kind{
	domain.KindBoard, domain.KindMember, domain.KindLabel, domain.KindColumn, domain.KindCard,
	domain.KindChecklist, domain.KindItem, domain.KindComment, domain.KindFile,
}

func (w *writing) list(e *domain.Entity, n int) object {
	f := e.Fields
	if e.CreatedBy != sourceUser {
		w.act("createList", e.CreatedAt, e.CreatedBy, e.ID, object{"list": object{"id": w.ids[e.ID], "name": f.String("title")}})
	}
	out := object{"id": w.ids[e.ID], "idBoard": w.ids[w.board.ID], "name": f.String("title"), "closed": f.Bool("archived"),
		"pos": n * posStep, "softLimit": nil, "color": orNull(f.String("color"))}
	if limit := f.Int("wipLimit"); limit > 0 {
		out["softLimit"] = limit
	}
	return out
}

// members are everybody who is named: those who are no members of the board as
// people who were, so that an import knows their names and no more.
func (w *writing) members() (people, memberships []object) {
	people, memberships = []object{}, []object{}
	add := func(user string, kind string, f domain.Fields) {
		id := w.person(user)
		if id == "" || user == sourceUser+":"+id {
			return
		}
		avatar, has := strings.CutSuffix(f.String("avatar"), "/170.png")
		if !has {
			avatar = ""
		}
		people = append(people, object{"id": id, "username": user, "fullName": f.String("name"), "avatarUrl": orNull(avatar)})
		memberships = append(memberships, object{"id": hashed(time.Time{}, "membership", user), "idMember": id,
			"memberType": cmp.Or(kind, "normal"), "deactivated": kind == "", "unconfirmed": false})
	}
	at := map[string]bool{}
	w.each(domain.KindMember, func(e *domain.Entity, _ int) {
		kind := map[domain.Role]string{domain.Admin: "admin", domain.Editor: "normal"}[domain.Role(e.Fields.String("role"))]
		at[e.Fields.String("user")] = true
		add(e.Fields.String("user"), cmp.Or(kind, "observer"), e.Fields)
	})
	for _, user := range sortedUsers(w.people) {
		if !at[user] {
			add(user, "", nil)
		}
	}
	return people, memberships
}
