package trello

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/domain"
)

// TestRehearse_TheRulesTakeEveryEntityAsItIs folds the mapped boards by the
// rules and compares what came out with what went in.
func TestRehearse_TheRulesTakeEveryEntityAsItIs(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]*Board{
		simpleProject: mapSample(t, simpleProject, Options{}),
		customFields:  mapSample(t, customFields, Options{}),
		"everything":  mapObject(t, fullExport(), Options{}),
	} {
		for _, size := range []int{4 << 10, PartBytes} {
			parts, err := b.Parts(size)
			if err != nil {
				t.Fatal(err)
			}
			folded, err := Rehearse(b.ID, parts)
			if err != nil {
				t.Fatalf("%s in parts of %d: %v", name, size, err)
			}
			if folded.Len() != len(b.Entities) || folded.Imported() != parts[0].Source {
				t.Errorf("%s: %d entities from %q, want %d", name, folded.Len(), folded.Imported(), len(b.Entities))
			}
			for _, want := range b.Entities {
				got := folded.Get(want.ID)
				for field, v := range want.Fields {
					if !domain.EqualValues(got.Fields[field], v) {
						t.Errorf("%s: %s %s: %s is %.60v, was %.60v", name, want.Kind, want.ID, field, got.Fields[field], v)
					}
				}
				if got.CreatedBy != want.CreatedBy || !got.CreatedAt.Equal(want.CreatedAt) || want.Kind != domain.KindBoard && !got.UpdatedAt.Equal(want.UpdatedAt) {
					t.Errorf("%s: %s %s by %s at %s, was by %s at %s", name, want.Kind, want.ID, got.CreatedBy, got.CreatedAt, want.CreatedBy, want.CreatedAt)
				}
			}
		}
	}
}

// TestRule_LimitsAreNamedBeforeAnythingIsWritten: all that are exceeded, each with its count.
func TestRule_LimitsAreNamedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	x := fullExport()
	lists, labels := x["lists"].([]object), []object{}
	for i := range 499 {
		lists = append(lists, object{"id": id(noon, 1000+i), "name": fmt.Sprint("list ", i), "pos": i})
	}
	for i := range 1001 {
		labels = append(labels, object{"id": id(noon, 3000+i), "name": fmt.Sprint("label ", i)})
	}
	x["lists"], x["labels"] = lists, labels
	_, err := tryObject(t, x, Options{})
	var limits *LimitError
	if !errors.As(err, &limits) || len(limits.Exceeded) != 2 ||
		!strings.Contains(err.Error(), "502 lists on the board, the limit is 500") || !strings.Contains(err.Error(), "1001 labels on the board, the limit is 1000") {
		t.Errorf("error: %v", err)
	}
}

// TestLimits_AreThoseOfTheRules: the largest board allowed here is one the
// rules allow, and one more of anything is refused by both.
func TestLimits_AreThoseOfTheRules(t *testing.T) {
	t.Parallel()
	for what, fill := range map[string]struct {
		limit int
		more  func(int) []*domain.Entity
	}{
		"lists":      {maxColumns, many(domain.KindColumn, domain.Fields{"title": "t"})},
		"labels":     {maxLabels, many(domain.KindLabel, domain.Fields{})},
		"cards":      {maxOpenCards, many(domain.KindCard, domain.Fields{"title": "t", "columnId": "column"})},
		"files":      {maxFiles, many(domain.KindFile, domain.Fields{"cardId": "card", "url": "https://example.com"})},
		"checklists": {maxChecklists, many(domain.KindChecklist, domain.Fields{"cardId": "card"})},
		"comments":   {maxComments, many(domain.KindComment, domain.Fields{"cardId": "card", "text": "t"})},
		"items":      {maxItems, many(domain.KindItem, domain.Fields{"checklistId": "checklist", "text": "t"})},
	} {
		for _, over := range []bool{false, true} {
			base := []*domain.Entity{
				{ID: "b", Kind: domain.KindBoard, Fields: domain.Fields{"title": "t"}},
			}
			n := fill.limit
			switch what {
			case "lists", "labels":
			case "cards":
				base = append(base, &domain.Entity{ID: "column", Kind: domain.KindColumn, Fields: domain.Fields{"title": "t"}})
			default:
				base = append(base, &domain.Entity{ID: "column", Kind: domain.KindColumn, Fields: domain.Fields{"title": "t"}},
					&domain.Entity{ID: "card", Kind: domain.KindCard, Fields: domain.Fields{"title": "t", "columnId": "column"}})
				if what == "items" {
					base = append(base, &domain.Entity{ID: "checklist", Kind: domain.KindChecklist, Fields: domain.Fields{"cardId": "card"}})
				}
			}
			if over {
				n++
			}
			entities := append(base, fill.more(n)...)
			_, ruled := Rehearse("b", []domain.Import{{Source: "trello:x", Done: true, Entities: entities}})
			checked := checkLimits(entities)
			if (ruled != nil) != over || (checked != nil) != over {
				t.Errorf("%d %s: the rules say %v, the check says %v", n, what, ruled, checked)
			}
		}
	}
}

func many(kind domain.Kind, fields domain.Fields) func(int) []*domain.Entity {
	return func(n int) []*domain.Entity {
		out := make([]*domain.Entity, n)
		for i, key := range domain.KeysEvenly(n) {
			f := domain.Fields{}
			for name, v := range fields {
				f[name] = v
			}
			if kind == domain.KindFile {
				f["name"] = fmt.Sprint("file ", i)
			} else if kind != domain.KindComment {
				f["position"] = key
			}
			out[i] = &domain.Entity{ID: fmt.Sprintf("%s-%d", kind, i), Kind: kind, Fields: f}
		}
		return out
	}
}

func TestRead_RefusesWhatIsNoBoard(t *testing.T) {
	t.Parallel()
	whole, err := json.Marshal(fullExport())
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":             "not a JSON object",
		"name,list\n":  "not a JSON object",
		"PK\x03\x04":   "ZIP archive",
		`[]`:           "not a JSON object",
		`{"name":"x"}`: `has no "id"`,
		`{"id":"x","name":"","lists":[],"cards":[]}`: "24 hex digits",
		string(whole[:len(whole)/2]):                 "cut off after byte",
		`{"cards":[{"id":7}]}`:                       "cards: number 1",
		`{"cards":{}}`:                               "cards: not an array",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
	if _, err := Read(strings.NewReader("\xef\xbb\xbf" + string(whole))); err != nil {
		t.Errorf("with a byte order mark: %v", err)
	}
}

func TestReadUsers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"# who is who\n@ann , ann@example.com\n\nben,ben@example.com\n": "map[ann:ann@example.com ben:ben@example.com]",
		`{"ann":"a", "ben":"b"}`: "map[ann:a ben:b]",
		"":                       "map[]",
	} {
		if got, err := ReadUsers(strings.NewReader(text)); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v %v, want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"ann,a\nben": "line 2: 1 columns", "ann,": "line 1: a Trello username and a user", "ann,a\nann,b": "line 2: ann stands for two users",
		`{"ann":7}`: "not a JSON object of strings", "ann," + strings.Repeat("x", 256): "at most 255 bytes",
	} {
		if _, err := ReadUsers(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %s", text, err, want)
		}
	}
}
