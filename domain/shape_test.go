package domain

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEventTypes_AreThoseOfRULES: the page lists by kind and verb.
func TestEventTypes_AreThoseOfRULES(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("RULES.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "## Events")
	rest, _, _ = strings.Cut(rest, "`.restored` is")
	var want []string
	for _, list := range regexp.MustCompile("`[^`]+`(?: and `[^`]+`)?").FindAllString(rest, -1) {
		var kinds []string
		for _, word := range strings.Fields(strings.NewReplacer("`", " ", ",", " ").Replace(list)) {
			kind, verb, typed := strings.Cut(word, ".")
			switch {
			case !typed:
			case verb == "*": // `checklist.*` and those of items have the same but for two
				kinds = append(kinds, kind)
			default:
				if kind != "" {
					kinds = append(kinds, kind)
				}
				for _, k := range kinds {
					if k != "checklist" || !strings.HasSuffix(verb, "checked") {
						want = append(want, k+"."+verb)
					}
				}
			}
		}
	}
	slices.Sort(want)
	if got := EventTypes(); !slices.Equal(got, want) || len(got) < 40 {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestShapes_NameOnlyTypesThatThereAre(t *testing.T) {
	t.Parallel()
	types := EventTypes()
	for _, s := range Shapes() {
		list := []string{s.Created, s.Gone}
		for _, f := range s.Fields {
			list = append(list, f.Event)
		}
		for _, name := range list {
			if name != "" && !slices.Contains(types, name) {
				t.Errorf("%s: %s", s.Kind, name)
			}
		}
	}
}
