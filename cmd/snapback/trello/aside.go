package trello

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// pluginID names Snapback among the power-ups that leave data on a board.
const pluginID = "736e61706261636b00000001"

// PluginData is what a power-up keeps on the board.
type PluginData struct {
	IDPlugin string `json:"idPlugin"`
	IDModel  string `json:"idModel"`
	Value    string `json:"value"`
}

// aside is what the rest of an export does not say of one entity. In Fields
// null stands for "absent".
type aside struct {
	ID        string        `json:"id,omitempty"`
	Kind      domain.Kind   `json:"kind,omitempty"` // of one that the rest does not have at all
	CreatedAt *time.Time    `json:"createdAt,omitempty"`
	CreatedBy string        `json:"createdBy,omitempty"`
	UpdatedAt *time.Time    `json:"updatedAt,omitempty"`
	UpdatedBy string        `json:"updatedBy,omitempty"`
	Fields    domain.Fields `json:"fields,omitempty"`
}

func (x *Export) readPluginData(dec *json.Decoder) error {
	return eachElement(dec, func(raw json.RawMessage) error {
		var p PluginData
		if json.Unmarshal(raw, &p) == nil && p.IDPlugin == pluginID {
			x.Aside = append(x.Aside, p)
		} else {
			x.Rest["board.pluginData"]++
		}
		return nil
	})
}

// mapAside completes the entities by what an export of Snapback's own keeps
// beside the board, and gives them the ids they had.
func (m *mapping) mapAside() {
	if len(m.x.Aside) == 0 {
		return
	}
	byID := map[string]*domain.Entity{m.x.ID: m.entities[0]}
	for _, e := range m.entities[1:] {
		byID[e.ID] = e
	}
	ids := map[string]string{}
	for _, p := range m.x.Aside {
		var a aside
		if err := json.Unmarshal([]byte(p.Value), &a); err != nil {
			m.report.left("data of Snapback's own that cannot be read", p.Value)
			continue
		}
		e := byID[p.IDModel]
		if e == nil {
			e = byID[domain.MemberPrefix+m.people.user(p.IDModel)]
		}
		if e == nil && a.Kind != "" {
			e = &domain.Entity{ID: p.IDModel, Kind: a.Kind, Fields: domain.Fields{}}
			m.entities = append(m.entities, e)
			m.report.carried(plural[a.Kind], "")
		}
		if e == nil {
			m.report.left("data of Snapback's own about what is not in the export", p.IDModel)
			continue
		}
		m.complete(e, &a)
		if a.ID != "" && e.Kind != domain.KindMember && (e != m.entities[0] || !m.named) {
			ids[e.ID] = a.ID
		}
	}
	rename(m.entities, ids)
}

func (m *mapping) complete(e *domain.Entity, a *aside) {
	if a.CreatedAt != nil {
		e.CreatedAt = *a.CreatedAt
	}
	if a.CreatedBy != "" {
		e.CreatedBy = m.people.named(a.CreatedBy)
	}
	if a.UpdatedAt != nil {
		e.UpdatedAt = *a.UpdatedAt
	}
	if a.UpdatedBy != "" {
		e.UpdatedBy = m.people.named(a.UpdatedBy)
	}
	for name, v := range a.Fields {
		switch name {
		case "assignees", "likedBy":
			list := slices.Clone(a.Fields.Set(name))
			for i, user := range list {
				list[i] = m.people.named(user)
			}
			if v != nil {
				v = sorted(list)
			}
		case "assignee":
			if user, is := v.(string); is {
				v = m.people.named(user)
			}
		}
		if v == nil {
			delete(e.Fields, name)
		} else {
			e.Fields[name] = v
		}
	}
}

// named gives the user that a name stands for.
func (p *people) named(name string) string {
	if user := p.users[name]; user != "" {
		return user
	}
	return name
}

// rename gives entities other ids, wherever they are named.
func rename(entities []*domain.Entity, ids map[string]string) {
	if len(ids) == 0 {
		return
	}
	for _, e := range entities {
		if id := ids[e.ID]; id != "" {
			e.ID = id
		}
		if name := domain.ParentField(e.Kind); name != "" {
			if id := ids[e.Parent()]; id != "" {
				e.Fields[name] = id
			}
		}
		if list := e.Fields.Set("labels"); len(list) > 0 {
			list = slices.Clone(list)
			for i, id := range list {
				if ids[id] != "" {
					list[i] = ids[id]
				}
			}
			e.Fields["labels"] = sorted(list)
		}
	}
}

// mapped is what an import would make of the export so far, by id.
func (w *writing) mapped(export object) (map[string]*domain.Entity, error) {
	raw, err := json.Marshal(export)
	if err != nil {
		return nil, err
	}
	x, err := Read(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	board, err := Map(x, Options{})
	if err != nil {
		return nil, err
	}
	own := map[string]string{}
	for id, at := range w.ids {
		own[at] = id
	}
	out := map[string]*domain.Entity{w.board.ID: board.Entities[0]}
	rename(board.Entities[1:], own)
	for _, e := range board.Entities[1:] {
		out[e.ID] = e
	}
	return out, nil
}

// aside is what has to stand beside the export for an import to make the same
// board of it: where what it would make differs.
func (w *writing) aside(mapped map[string]*domain.Entity) ([]object, error) {
	out := []object{}
	for _, e := range w.Entities {
		want, got := w.wanted(e), mapped[e.ID]
		a := aside{}
		if got == nil {
			a.Kind, got = e.Kind, &domain.Entity{}
			note(&w.written.Aside, "whole "+plural[e.Kind], 1, e.Fields.String("name"))
		}
		w.compare(want, got, &a)
		if at := w.ids[e.ID]; e.Kind != domain.KindMember && e.ID != at && !(e == w.board && e.ID == "trello-"+at) {
			a.ID = e.ID
			note(&w.written.Aside, "ids of "+plural[e.Kind], 1, "")
		}
		raw, err := encode(a)
		if err != nil {
			return nil, err
		}
		if string(raw) != "{}" {
			at := w.ids[e.ID]
			out = append(out, object{"id": hashed(e.CreatedAt, "aside", e.ID), "idPlugin": pluginID, "scope": "board", "idModel": at, "access": "shared", "value": string(raw)})
		}
	}
	return out, nil
}

// compare notes what of want got does not have. Positions are not kept: the
// order is in the export. The last change of the board itself is its import.
func (w *writing) compare(want, got *domain.Entity, a *aside) {
	for _, name := range differing(want, got) {
		if a.Fields == nil {
			a.Fields = domain.Fields{}
		}
		a.Fields[name] = want.Fields[name]
		if a.Kind == "" && !sameMeaning(want.Fields[name], got.Fields[name]) {
			note(&w.written.Aside, name+" of "+plural[want.Kind], 1, "")
		}
	}
	authors := false
	if !want.CreatedAt.Equal(got.CreatedAt) {
		a.CreatedAt, authors = &want.CreatedAt, true
	}
	if want.CreatedBy != got.CreatedBy {
		a.CreatedBy, authors = want.CreatedBy, true
	}
	if want.Kind != domain.KindBoard {
		if !want.UpdatedAt.Equal(got.UpdatedAt) {
			a.UpdatedAt, authors = &want.UpdatedAt, true
		}
		if want.UpdatedBy != got.UpdatedBy {
			a.UpdatedBy, authors = want.UpdatedBy, true
		}
	}
	if authors && a.Kind == "" {
		note(&w.written.Aside, "authors and times of "+plural[want.Kind], 1, "")
	}
}

// differing names the fields that are not the same, but for where it stands and
// what an import gives anew.
func differing(a, b *domain.Entity) []string {
	names := map[string]bool{}
	for _, fields := range []domain.Fields{a.Fields, b.Fields} {
		for name := range fields {
			if name != "position" && name != "number" && !domain.EqualValues(orAbsent(a.Fields[name]), orAbsent(b.Fields[name])) {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// orAbsent is nil for what the rules take for absent.
func orAbsent(v any) any {
	if list, is := v.([]string); v == false || is && len(list) == 0 {
		return nil
	}
	return v
}

// sameMeaning says whether two values are one time, differently written, or
// nothing.
func sameMeaning(a, b any) bool {
	x, _ := a.(string)
	y, _ := b.(string)
	if (a == nil || a == x) && (b == nil || b == y) && x == y {
		return true
	}
	t, err := time.Parse(time.RFC3339, x)
	if err != nil {
		return false
	}
	u, err := time.Parse(time.RFC3339, y)
	return err == nil && t.Equal(u)
}

// wanted is what an import is to make of e: an upload stays where it is, and is
// a link.
func (w *writing) wanted(e *domain.Entity) *domain.Entity {
	want := *e
	want.Fields = maps.Clone(e.Fields)
	for _, name := range []string{"likes", "liked", "comments", "size", "contentType", "sha256", "object"} {
		delete(want.Fields, name)
	}
	if e.Kind == domain.KindFile {
		want.Fields["url"] = w.linkOf(e)
	}
	return &want
}
