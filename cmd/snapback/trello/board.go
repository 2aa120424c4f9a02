package trello

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// Options of Map.
type Options struct {
	// BoardID is the id of the board to make; "": "trello-" + the export's id.
	BoardID string
	// Users maps Trello usernames to users; who is not in it keeps his username.
	Users map[string]string
}

// Board is a mapped export, ready to be sent in parts.
type Board struct {
	ID       string
	Title    string
	ExportID string
	Entities []*domain.Entity // parents before children; Entities[0] is the board
	Actions  []Action         // the history, kept as provenance
	Report   Report
}

// mapping is one run of Map.
type mapping struct {
	x       *Export
	board   string
	named   bool // board is the id asked for
	people  *people
	history history
	report  Report

	boardMade  time.Time
	boardMaker string
	entities   []*domain.Entity
	kinds      map[string]domain.Kind // of the entities by id
}

// Map gives the board an export stands for. It fails when the board exceeds
// the limits of DOMAIN.md, naming them all; nothing else is refused.
func Map(x *Export, opt Options) (*Board, error) {
	m := &mapping{
		x: x, board: opt.BoardID, named: opt.BoardID != "", people: newPeople(x, opt.Users), history: newHistory(x.Actions),
		kinds: map[string]domain.Kind{},
	}
	if m.board == "" {
		m.board = "trello-" + x.ID
	}
	m.mapBoard()
	m.mapMembers()
	m.mapLabels()
	m.mapLists()
	m.mapCards()
	m.mapChecklists()
	m.mapComments()
	m.mapFiles()
	m.mapRest()
	m.mapAside()
	m.report.sortCarried()
	if err := checkLimits(m.entities); err != nil {
		return nil, err
	}
	return &Board{ID: m.entities[0].ID, Title: m.entities[0].Fields.String("title"), ExportID: x.ID, Entities: m.entities, Actions: x.Actions, Report: m.report}, nil
}

// add appends an entity made at a time by a user. It says no, and reports, when
// its id is taken or no id.
func (m *mapping) add(e *domain.Entity, at time.Time, by string) bool {
	if _, taken := m.kinds[e.ID]; taken || !validID(e) {
		m.report.left(plural[e.Kind]+" with an id that is no id or is taken", e.ID)
		return false
	}
	e.CreatedAt, e.CreatedBy = at.UTC().Truncate(time.Millisecond), by
	if e.UpdatedBy == "" {
		e.UpdatedBy = by
	}
	e.UpdatedAt = e.UpdatedAt.UTC().Truncate(time.Millisecond)
	if e.UpdatedAt.Before(e.CreatedAt) {
		e.UpdatedAt = e.CreatedAt
	}
	m.kinds[e.ID] = e.Kind
	m.entities = append(m.entities, e)
	m.report.carried(plural[e.Kind], "")
	return true
}

var plural = map[domain.Kind]string{
	domain.KindBoard: "board", domain.KindMember: "members", domain.KindLabel: "labels", domain.KindColumn: "lists",
	domain.KindCard: "cards", domain.KindChecklist: "checklists", domain.KindItem: "checklist items",
	domain.KindComment: "comments", domain.KindFile: "files (links)",
}

func validID(e *domain.Entity) bool {
	if e.Kind == domain.KindBoard || e.Kind == domain.KindMember {
		return true // the first is checked by the server, the second made here
	}
	return objectID.MatchString(e.ID)
}

func (m *mapping) mapBoard() {
	x := m.x
	m.boardMade, m.boardMaker = idTime(x.ID), m.people.user(x.IDMemberCreator)
	fields := domain.Fields{"title": m.title("board titles", x.Name)}
	setText(fields, "description", m.lines("the board's description", x.Desc, maxDescription))
	if x.Closed {
		fields["archived"] = true
	}
	m.mapFieldNames(fields)
	e := &domain.Entity{ID: m.board, Kind: domain.KindBoard, UpdatedAt: x.DateLastActivity, Fields: fields}
	m.add(e, m.boardMade, m.boardMaker)
}

func (m *mapping) mapLabels() {
	keys := domain.KeysEvenly(len(m.x.Labels))
	for i, l := range m.x.Labels {
		fields := domain.Fields{"position": keys[i]}
		setText(fields, "name", m.line("label names", l.Name, maxName))
		setText(fields, "color", m.line("label colours", l.Color, maxColor))
		m.add(&domain.Entity{ID: l.ID, Kind: domain.KindLabel, Fields: fields}, idTime(l.ID), m.boardMaker)
	}
}

func (m *mapping) mapLists() {
	lists := slices.Clone(m.x.Lists)
	slices.SortStableFunc(lists, byPos(func(l List) float64 { return l.Pos }))
	keys := domain.KeysEvenly(len(lists))
	for i, l := range lists {
		fields := domain.Fields{"title": m.title("list names", l.Name), "position": keys[i]}
		if l.Closed {
			fields["archived"] = true
		}
		if l.SoftLimit != nil && *l.SoftLimit > 0 {
			limit := *l.SoftLimit
			if limit > maxWIPLimit {
				m.report.changed(fmt.Sprintf("soft limits lowered to %d", maxWIPLimit), l.Name)
				limit = maxWIPLimit
			}
			fields["wipLimit"], fields["wipMode"] = limit, "soft"
		}
		setText(fields, "color", m.line("list colours", l.Color, maxColor))
		at, by := m.made(l.ID)
		m.add(&domain.Entity{ID: l.ID, Kind: domain.KindColumn, Fields: fields}, at, by)
	}
}

// made says when and by whom an entity was made, as far as the export knows.
func (m *mapping) made(id string) (time.Time, string) {
	if a := m.history.made[id]; a != nil {
		return a.Date, m.people.user(a.author())
	}
	return idTime(id), sourceUser
}

// title is a line that must not be empty.
func (m *mapping) title(what, s string) string {
	if t := m.line(what, s, maxTitle); t != "" {
		return t
	}
	m.report.changed("empty "+what+" (now \"untitled\")", "")
	return "untitled"
}

// mapRest reports what nobody reads.
func (m *mapping) mapRest() {
	for _, key := range slices.Sorted(maps.Keys(m.x.Rest)) {
		name := restNames[key]
		if name == "" {
			name = "fields of the export unknown to this version (" + key + ")"
		}
		note(&m.report.Left, name, m.x.Rest[key], "")
	}
	if m.x.Prefs.Background != "" {
		m.report.left("board background", "")
	}
	if m.x.Prefs.PermissionLevel != "" {
		m.report.left("board visibility", m.x.Prefs.PermissionLevel)
	}
	if len(m.x.Actions) > 0 {
		note(&m.report.Carried, "actions (kept as provenance)", len(m.x.Actions), "")
	}
}

// idTime is when an ObjectID was made: its first 8 hex digits, in seconds.
func idTime(id string) time.Time {
	if len(id) < 8 {
		return time.Unix(0, 0).UTC()
	}
	seconds, err := strconv.ParseInt(id[:8], 16, 64)
	if err != nil {
		return time.Unix(0, 0).UTC()
	}
	return time.Unix(seconds, 0).UTC()
}

// byPos compares by Trello's position; a stable sort keeps ties as they stand
// in the export.
func byPos[T any](pos func(T) float64) func(a, b T) int {
	return func(a, b T) int {
		switch p, q := pos(a), pos(b); {
		case p < q:
			return -1
		case p > q:
			return +1
		}
		return 0
	}
}

func setText(f domain.Fields, name, s string) {
	if s != "" {
		f[name] = s
	}
}

// sorted is list as a set: sorted by bytes, without doubles.
func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
