package trello

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

const (
	simpleProject = "trello-simple-project-2022.json"
	customFields  = "trello-project100-customfields-2021.json"
)

func mapSample(t *testing.T, name string, opt Options) *Board {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Map(x, opt)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *Board) entity(t *testing.T, id string) *domain.Entity {
	t.Helper()
	for _, e := range b.Entities {
		if e.ID == id {
			return e
		}
	}
	t.Fatalf("no entity %s", id)
	return nil
}

func (b *Board) kind(k domain.Kind) (out []*domain.Entity) {
	for _, e := range b.Entities {
		if e.Kind == k {
			out = append(out, e)
		}
	}
	return out
}

// children gives the titles of what hangs on parent, in order of position.
func (b *Board) children(k domain.Kind, parent string) (titles []string) {
	var list []*domain.Entity
	for _, e := range b.kind(k) {
		if e.Parent() == parent {
			list = append(list, e)
		}
	}
	slices.SortStableFunc(list, func(x, y *domain.Entity) int {
		switch p, q := x.Fields.String("position"), y.Fields.String("position"); {
		case p < q:
			return -1
		case p > q:
			return 1
		}
		return 0
	})
	for _, e := range list {
		titles = append(titles, e.Fields.String("title")+e.Fields.String("text"))
	}
	return titles
}

// TestSample_CountsAgreeWithTheExport holds the mapping against a count of the
// JSON that knows nothing of this package.
func TestSample_CountsAgreeWithTheExport(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]map[domain.Kind]int{
		simpleProject: {domain.KindBoard: 1, domain.KindMember: 1, domain.KindColumn: 5, domain.KindCard: 10, domain.KindChecklist: 4, domain.KindItem: 12, domain.KindLabel: 8, domain.KindComment: 4, domain.KindFile: 5},
		customFields:  {domain.KindBoard: 1, domain.KindMember: 1, domain.KindColumn: 3, domain.KindCard: 3, domain.KindLabel: 6},
	} {
		counted := countExport(t, name)
		got := map[domain.Kind]int{}
		for _, e := range mapSample(t, name, Options{}).Entities {
			got[e.Kind]++
		}
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(counted, want) {
			t.Errorf("%s:\n mapped  %v\n counted %v\n want    %v", name, got, counted, want)
		}
	}
}

func countExport(t *testing.T, name string) map[domain.Kind]int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var x map[string]any
	if err := json.Unmarshal(data, &x); err != nil {
		t.Fatal(err)
	}
	each := func(name string, fn func(map[string]any)) {
		list, _ := x[name].([]any)
		for _, v := range list {
			fn(v.(map[string]any))
		}
	}
	counts := map[domain.Kind]int{domain.KindBoard: 1}
	for name, kind := range map[string]domain.Kind{"members": domain.KindMember, "lists": domain.KindColumn, "cards": domain.KindCard, "labels": domain.KindLabel, "checklists": domain.KindChecklist} {
		each(name, func(map[string]any) { counts[kind]++ })
	}
	each("cards", func(c map[string]any) {
		if list := c["attachments"].([]any); len(list) > 0 {
			counts[domain.KindFile] += len(list)
		}
	})
	each("checklists", func(c map[string]any) { counts[domain.KindItem] += len(c["checkItems"].([]any)) })
	each("actions", func(a map[string]any) {
		if a["type"] == "commentCard" {
			counts[domain.KindComment]++
		}
	})
	return without0(counts)
}

func without0(counts map[domain.Kind]int) map[domain.Kind]int {
	for k, n := range counts {
		if n == 0 {
			delete(counts, k)
		}
	}
	return counts
}

func TestSample_SimpleProject(t *testing.T) {
	t.Parallel()
	b := mapSample(t, simpleProject, Options{})
	if b.ID != "trello-63792cd280232800fa06fe65" || b.Title != "Simple Project Board" {
		t.Errorf("board %q %q", b.ID, b.Title)
	}
	for parent, want := range map[string][]string{
		"":                         {"BRAINSTORM 🤔", "TODO 📚", "DOING ⚙️", "DONE! 🙌🏽", "some archived list"},
		"63792cd280232800fa06fe6d": {"✋🏿 Move anything 'ready' here", "wow, that's a nice simple project board", "a card with two checklists - this could look weird in planka"},
	} {
		kind := domain.KindCard
		if parent == "" {
			kind = domain.KindColumn
		}
		if got := b.children(kind, parent); !reflect.DeepEqual(got, want) {
			t.Errorf("children of %q: %q, want %q", parent, got, want)
		}
	}
	archived := map[domain.Kind]int{}
	for _, e := range b.Entities {
		if e.Fields.Bool("archived") {
			archived[e.Kind]++
		}
	}
	if archived[domain.KindCard] != 1 || archived[domain.KindColumn] != 1 {
		t.Errorf("archived: %v", archived)
	}
	member := b.entity(t, "member:usersample26").Fields
	if member.String("role") != "admin" || member.String("name") != "Trello Sample User" || member.String("avatar") == "" {
		t.Errorf("member: %v", member)
	}
	comment := b.entity(t, "637bd042652d59066ee3a295")
	if comment.CreatedBy != "usersample26" || !comment.CreatedAt.Equal(time.Date(2022, 11, 21, 19, 23, 46, 824e6, time.UTC)) ||
		!comment.UpdatedAt.Equal(time.Date(2022, 11, 21, 19, 25, 10, 732e6, time.UTC)) || comment.Parent() != "637a008d3ce43701b21573d9" {
		t.Errorf("comment: %+v", comment)
	}
	file := b.entity(t, "637a0c363ac8dc0668d6428a").Fields
	if file.String("name") != "test.pdf" || file.String("url") != "https://trello.com/1/cards/637a008d3ce43701b21573d9/attachments/637a0c363ac8dc0668d6428a/download/test.pdf" {
		t.Errorf("file: %v", file)
	}
	if got := b.entity(t, "63792d21e7e328003e8abc28").Fields.Set("labels"); !slices.Contains(got, "63792cd280232800fa06fea8") {
		t.Errorf("labels of a card: %v", got)
	}
	if got := b.Report.Count("actions (kept as provenance)"); got != 31 {
		t.Errorf("%d actions", got)
	}
}

func TestSample_CustomFields(t *testing.T) {
	t.Parallel()
	b := mapSample(t, customFields, Options{BoardID: "hundred", Users: map[string]string{"member1": "mia@example.com"}})
	want := domain.Fields{
		"x-logical-value": true, "x-date-value": "2021-01-28T10:00:00Z", "x-dropdown": "Down",
		"x-number-value": json.RawMessage("100.32"), "x-text-value": "member1 text",
	}
	card := b.entity(t, "5fcbec466e95cf70fc04fbc6")
	for name, v := range want {
		if !domain.EqualValues(card.Fields[name], v) {
			t.Errorf("%s: %v, want %v", name, card.Fields[name], v)
		}
	}
	if got := card.Fields.Set("assignees"); !reflect.DeepEqual(got, []string{"mia@example.com"}) {
		t.Errorf("assignees %v", got)
	}
	if card.CreatedBy != "mia@example.com" || !card.CreatedAt.Equal(time.Date(2020, 12, 5, 20, 23, 34, 998e6, time.UTC)) {
		t.Errorf("made by %s at %s", card.CreatedBy, card.CreatedAt)
	}
	if b.Entities[0].ID != "hundred" || b.Entities[0].Fields[customFieldNames] == nil {
		t.Errorf("board: %+v", b.Entities[0])
	}
	if got := b.Report.Count("custom field values"); got != 8 {
		t.Errorf("%d custom field values, want 8", got)
	}
}

// TestMap_SameExportSameParts: what a second run sends is what the first sent.
func TestMap_SameExportSameParts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{simpleProject, customFields} {
		var runs [2][]byte
		for i := range runs {
			parts, err := mapSample(t, name, Options{}).Parts(8 << 10)
			if err != nil {
				t.Fatal(err)
			}
			if len(parts) < 3 {
				t.Fatalf("%d parts of 8 KiB", len(parts))
			}
			if runs[i], err = json.Marshal(parts); err != nil {
				t.Fatal(err)
			}
		}
		if string(runs[0]) != string(runs[1]) {
			t.Errorf("%s: two runs differ", name)
		}
	}
}

func TestParts_HoldEverythingOnceInOrder(t *testing.T) {
	t.Parallel()
	b := mapSample(t, simpleProject, Options{})
	parts, err := b.Parts(8 << 10)
	if err != nil {
		t.Fatal(err)
	}
	var entities []*domain.Entity
	actions := 0
	for i, p := range parts {
		if p.Part != i || p.Done != (i == len(parts)-1) || p.Source != parts[0].Source {
			t.Errorf("part %d: %d, done %v, source %s", i, p.Part, p.Done, p.Source)
		}
		entities = append(entities, p.Entities...)
		if p.Provenance != nil {
			var kept provenance
			if err := json.Unmarshal(p.Provenance, &kept); err != nil {
				t.Fatal(err)
			}
			actions += len(kept.Actions)
		}
	}
	if !slices.Equal(entities, b.Entities) || actions != 31 {
		t.Errorf("%d entities of %d, %d actions", len(entities), len(b.Entities), actions)
	}
}
