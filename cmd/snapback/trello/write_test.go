package trello

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// sourceOf is a folded board as an export reads it.
func sourceOf(b *domain.Board) Source {
	return Source{Board: b.ID(), Entities: slices.Collect(b.All()), Link: func(f *domain.Entity) string {
		return "https://boards.example.com/v1/boards/" + b.ID() + "/files/" + f.ID + "/content"
	}}
}

func imported(t *testing.T, b *Board) *domain.Board {
	t.Helper()
	parts, err := b.Parts(PartBytes)
	if err != nil {
		t.Fatal(err)
	}
	folded, err := Rehearse(b.ID, parts)
	if err != nil {
		t.Fatal(err)
	}
	return folded
}

func importBytes(t *testing.T, data []byte, opt Options) (*domain.Board, *Board) {
	t.Helper()
	x, err := Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Map(x, opt)
	if err != nil {
		t.Fatal(err)
	}
	return imported(t, b), b
}

func written(t *testing.T, b *domain.Board) ([]byte, *Written) {
	t.Helper()
	var out bytes.Buffer
	report, err := Write(&out, sourceOf(b))
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), report
}

// same compares two boards entity by entity, in order. Keys of places may
// differ, and what lost says.
func same(t *testing.T, was, is *domain.Board, lost ...string) {
	t.Helper()
	if was.ID() != is.ID() {
		t.Errorf("board %s is %s", was.ID(), is.ID())
	}
	a, b := slices.Collect(was.All()), slices.Collect(is.All())
	if len(a) != len(b) {
		t.Errorf("%d entities, were %d", len(b), len(a))
	}
	for i := range min(len(a), len(b)) {
		x, y := shown(t, a[i], lost), shown(t, b[i], lost)
		if !reflect.DeepEqual(x, y) {
			t.Errorf("entity %d\n was %v\n is  %v", i, x, y)
		}
	}
}

func shown(t *testing.T, e *domain.Entity, lost []string) (out map[string]any) {
	t.Helper()
	raw, err := e.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat([]string{"rev", "createdRev", "position"}, lost) {
		delete(out, name)
	}
	for name, v := range out {
		if v == false || reflect.DeepEqual(v, []any{}) { // the same as absent
			delete(out, name)
		}
	}
	if e.Kind == domain.KindBoard {
		delete(out, "updatedAt")
		delete(out, "updatedBy")
	}
	return out
}

func TestWrite_AnImportedBoardComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]*Board{
		simpleProject: mapSample(t, simpleProject, Options{}),
		customFields:  mapSample(t, customFields, Options{}),
		"under an id": mapSample(t, customFields, Options{BoardID: "hundred", Users: map[string]string{"member1": "mia@example.com"}}),
		"everything":  mapObject(t, fullExport(), Options{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			was := imported(t, b)
			data, report := written(t, was)
			is, again := importBytes(t, data, Options{})
			same(t, was, is)
			for _, l := range report.Lost {
				if l.What != "the board's last change (the import is one)" {
					t.Errorf("lost: %d %s %v", l.Count, l.What, l.Examples)
				}
			}
			for _, l := range again.Report.Left {
				if !strings.HasPrefix(l.What, "deactivated members") {
					t.Errorf("the import leaves out: %d %s %v", l.Count, l.What, l.Examples)
				}
			}
			if twice, _ := written(t, was); !bytes.Equal(twice, data) {
				t.Error("two exports of one board differ")
			}
		})
	}
}

// TestWrite_AnyBoardComesBackAsItWas: boards with all that a board can hold.
func TestWrite_AnyBoardComesBackAsItWas(t *testing.T) {
	t.Parallel()
	carried := 0
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			was := anyBoard(t, seed)
			data, report := written(t, was)
			is, _ := importBytes(t, data, Options{})
			same(t, was, is, "number", "size", "contentType", "sha256", "object", "url")
			links(t, was, is)
			if x, y := numbered(was), numbered(is); !slices.Equal(x, y) {
				t.Errorf("cards are numbered in the order %v, were in %v", y, x)
			}
			allowed := []string{"the board's last change (the import is one)", "numbers of cards (an import gives them anew, in the same order)",
				"contents of files (they stay where they are, the file is a link to them)"}
			for _, l := range report.Lost {
				if !slices.Contains(allowed, l.What) {
					t.Errorf("lost: %d %s %v", l.Count, l.What, l.Examples)
				}
			}
			carried += len(report.Aside)
			if t.Failed() {
				report.Print(t.Output())
			}
		})
	}
	if carried == 0 {
		t.Error("nothing had to be kept beside any board")
	}
}

// numbered gives the cards in the order of their numbers.
func numbered(b *domain.Board) (ids []string) {
	number := map[string]int64{}
	for e := range b.All() {
		if e.Kind == domain.KindCard {
			ids, number[e.ID] = append(ids, e.ID), e.Fields.Int("number")
		}
	}
	slices.SortFunc(ids, func(x, y string) int { return cmp.Compare(number[x], number[y]) })
	return ids
}

// links sees that links are kept, and what was uploaded is one now.
func links(t *testing.T, was, is *domain.Board) {
	t.Helper()
	for e := range was.All() {
		if e.Kind != domain.KindFile {
			continue
		}
		want := e.Fields.String("url")
		if want == "" {
			want = sourceOf(was).Link(e)
		}
		if got := is.Get(e.ID); got == nil || got.Fields.String("url") != want {
			t.Errorf("file %s is %v, want a link to %s", e.ID, got, want)
		}
	}
}

// maker makes a board of commands that a service would decide.
type maker struct {
	*rand.Rand
	t     *testing.T
	board *domain.Board
	at    time.Time
	n     int
	ids   map[domain.Kind][]string
}

var anyUsers = []string{"ann", "bob@example.com", "Zoë Ünal", "trello", "trello:" + strings.Repeat("ab", 12), "trello:x", "=cmd"}

func anyBoard(t *testing.T, seed uint64) *domain.Board {
	m := &maker{rand.New(rand.NewPCG(seed, 7)), t, domain.NewBoard("b:" + fmt.Sprint(seed)), time.UnixMilli(1_700_000_000_123).UTC(), 0, map[domain.Kind][]string{}}
	m.do(domain.KindBoard, m.board.ID(), domain.Patch{"title": "Any <board> & more", "description": m.text(), "x-settings": json.RawMessage(`{"a":[1,null]}`)})
	for range m.IntN(4) {
		user := anyUsers[m.IntN(len(anyUsers))]
		patch := domain.Patch{"role": "admin", "name": m.line()}
		if len(m.ids[domain.KindMember]) > 0 {
			patch["role"] = m.one("viewer", "commenter", "editor", "admin")
		}
		if m.IntN(2) == 0 {
			patch["avatar"] = m.one("https://example.com/a.png", "https://example.com/a/170.png")
		}
		if !slices.Contains(m.ids[domain.KindMember], domain.MemberPrefix+user) {
			m.do(domain.KindMember, domain.MemberPrefix+user, patch)
		}
	}
	for range 150 {
		m.step()
	}
	return m.board
}

func (m *maker) one(words ...string) string { return words[m.IntN(len(words))] }
func (m *maker) user() string               { return anyUsers[m.IntN(len(anyUsers))] }

func (m *maker) users() []string {
	list := []string{}
	for range m.IntN(3) {
		list = append(list, m.user())
	}
	return list
}

func (m *maker) line() string {
	return m.one("Fix login", "  Ünïcode 長  ", "<b>&amp;</b>", `"quoted", with commas`, "x", "🙌🏽 done")
}

func (m *maker) text() string {
	return m.one("", "one\n\n  two  \n", "\n leading", "tab\there", "plain")
}

func (m *maker) due() any {
	return []any{nil, "2026-03-01", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z", "2026-03-01T10:00:00.5Z", "2026-03-01T12:00:00+02:00"}[m.IntN(6)]
}

// any gives the id of something of a kind, "" if there is none.
func (m *maker) any(k domain.Kind) string {
	if list := m.ids[k]; len(list) > 0 {
		return list[m.IntN(len(list))]
	}
	return ""
}

func (m *maker) newID() string {
	m.n++
	switch m.IntN(3) {
	case 0:
		return fmt.Sprintf("%024x", m.Uint64())
	case 1:
		return fmt.Sprintf("e-%d", m.n)
	}
	return fmt.Sprintf("01J%023d", m.n)
}

func (m *maker) step() {
	place := domain.Place{HasAfter: true}
	switch kind := kinds[1+m.IntN(len(kinds)-1)]; kind {
	case domain.KindMember:
		m.again()
	case domain.KindLabel:
		m.do(kind, m.newID(), domain.Patch{"name": m.one("", m.line()), "color": m.one("", "red", "#ff00aa"), "position": place})
	case domain.KindColumn:
		m.do(kind, m.newID(), domain.Patch{"title": m.line(), "wipLimit": int64(m.IntN(4) * 5), "wipMode": m.one("soft", "hard"),
			"color": m.one("", "blue"), "x-rule": json.RawMessage(`{"n":1.5}`), "position": place})
	case domain.KindCard:
		patch := domain.Patch{"title": m.line(), "columnId": m.any(domain.KindColumn), "description": m.text(), "due": m.due(), "start": m.due(),
			"assignees": m.users(), "color": m.one("", "sky"), "x-points": int64(m.IntN(9) - 4), "x-Odd.Case": nil,
			"x-Sprint": m.one("a", "b"), "x-mixed": []any{true, "yes", int64(3), false}[m.IntN(4)], "x-size": m.one("S", "M"), "x-flag": m.IntN(2) == 0}
		delete(patch, "x-Odd.Case")
		if label := m.any(domain.KindLabel); label != "" {
			patch["labels"] = []string{label}
		}
		if m.IntN(3) == 0 {
			patch["done"], patch["position"] = "2026-02-01T08:00:00.25Z", place
		}
		m.do(kind, m.newID(), patch)
	case domain.KindChecklist:
		m.do(kind, m.newID(), domain.Patch{"cardId": m.any(domain.KindCard), "title": m.one("", m.line()), "position": place})
	case domain.KindItem:
		m.do(kind, m.newID(), domain.Patch{"checklistId": m.any(domain.KindChecklist), "text": m.line(), "due": m.due(), "assignee": m.user(),
			"done": []any{nil, true, "2026-02-01T08:00:00Z"}[m.IntN(3)]})
	case domain.KindComment:
		m.do(kind, m.newID(), domain.Patch{"cardId": m.any(domain.KindCard), "text": m.one("x", "two\nlines\n", "  spaces")})
	case domain.KindFile:
		m.file()
	}
	m.again()
}

func (m *maker) file() {
	patch := domain.Patch{"kind": "file", "name": m.one("a.txt", "A.TXT", "=1+1.csv", "ünï.pdf")}
	if m.IntN(2) == 0 {
		patch["cardId"] = m.any(domain.KindCard)
	}
	c := domain.Change{EntityID: m.newID(), Patch: patch}
	if m.IntN(2) == 0 {
		c.Content = &domain.Content{Object: "o." + c.EntityID, Size: 3, ContentType: "text/plain", SHA256: strings.Repeat("ab", 32)}
	} else {
		patch["url"] = m.one("https://example.com/x", "http://example.com/?a=b&c=<d>")
	}
	if m.decide(c) {
		m.ids[domain.KindFile] = append(m.ids[domain.KindFile], c.EntityID)
	}
}

// again changes something that is there.
func (m *maker) again() {
	kind := kinds[m.IntN(len(kinds))]
	id := m.any(kind)
	if id == "" {
		return
	}
	patch := domain.Patch{}
	switch kind {
	case domain.KindColumn, domain.KindCard:
		patch = []domain.Patch{{"archived": true}, {"archived": false}, {"title": m.line()}, {"position": domain.Place{HasAfter: true}}, {"liked": true}, {"columnId": m.any(domain.KindColumn)}, nil}[m.IntN(7)]
	case domain.KindComment:
		patch["text"] = m.text()
	case domain.KindItem, domain.KindChecklist:
		patch["position"] = domain.Place{HasAfter: true}
	default:
		return
	}
	if patch == nil {
		m.decide(domain.Change{EntityID: id})
		return
	}
	m.decide(domain.Change{EntityID: id, Patch: patch})
}

func (m *maker) do(kind domain.Kind, id string, patch domain.Patch) {
	patch["kind"] = string(kind)
	if m.decide(domain.Change{EntityID: id, Patch: patch}) {
		m.ids[kind] = append(m.ids[kind], id)
	}
}

// decide says whether the change was accepted.
func (m *maker) decide(c domain.Change) bool {
	m.n++
	if c.Patch == nil && c.Content == nil && m.board.Get(c.EntityID) == nil {
		return false
	}
	if m.IntN(3) > 0 {
		m.at = m.at.Add(time.Duration(m.IntN(3000)) * time.Millisecond)
	}
	grant := domain.GrantOpen // who is assigned is not checked
	if c.Patch["role"] != nil {
		grant = domain.Grant(domain.Admin)
	}
	d := domain.Decide(m.board, &domain.Command{ID: fmt.Sprint("m", m.n), Board: m.board.ID(), Op: domain.OpMutate, User: m.user(),
		Grant: grant, ReceivedAt: m.at, Deadline: m.at.Add(4 * time.Second), Changes: []domain.Change{c}}, m.at)
	if err := m.board.Fold(&d); err != nil {
		m.t.Fatal(err)
	}
	if d.Rejection != nil && m.board.Rev() == 0 {
		m.t.Fatal(d.Rejection)
	}
	return d.Rejection == nil
}
