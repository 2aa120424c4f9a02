package past

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/snapback-io/snapback/domain"
)

// longest is how many characters of a text are shown in words.
const longest = 60

// Short is a text on one line, cut when it is long, without what a terminal
// would take for a command and without what turns the direction of writing.
func Short(text string) string {
	if len(text) > 8*longest { // enough for what is shown
		text = text[:8*longest] + "…"
	}
	text = domain.CleanLine(strings.Join(strings.Fields(text), " "), len(text))
	if utf8.RuneCountInString(text) > longest {
		text = string([]rune(text)[:longest]) + "…"
	}
	return text
}

func quoted(name string) string { return "«" + Short(name) + "»" }

// Words tells the difference, a line for each entity.
func (d *Diff) Words() (lines []string) {
	for _, e := range d.Created {
		lines = append(lines, "+ "+d.entity(e))
	}
	for _, e := range d.Deleted {
		lines = append(lines, "- "+d.entity(e))
	}
	for i := range d.Changed {
		c := &d.Changed[i]
		lines = append(lines, fmt.Sprintf("~ %s %s: %s", c.Kind, quoted(c.Name), strings.Join(d.changes(c), ", ")))
	}
	return lines
}

func (d *Diff) entity(e *domain.Entity) string {
	words := string(e.Kind) + " " + quoted(Name(e))
	if parent := e.Parent(); parent != "" {
		words += " in " + quoted(d.name(parent))
	}
	return words
}

func (d *Diff) name(id string) string {
	return Short(cmp.Or(d.Names[id], id))
}

func (d *Diff) changes(c *Change) (words []string) {
	if c.Moved != "" {
		words = append(words, "moved "+c.Moved)
	}
	for _, name := range slices.Sorted(maps.Keys(c.After)) {
		if c.Moved != "" && (name == "position" || name == domain.ParentField(c.Kind)) {
			continue
		}
		words = append(words, fmt.Sprintf("%s %s → %s", Short(name), value(c.Before[name]), value(c.After[name])))
	}
	for _, set := range []struct {
		sign string
		of   map[string][]string
	}{{"+", c.Added}, {"-", c.Removed}} {
		for _, name := range slices.Sorted(maps.Keys(set.of)) {
			for _, element := range set.of[name] {
				words = append(words, name+" "+set.sign+d.name(element))
			}
		}
	}
	if len(words) == 0 {
		return []string{"as it was, after changes"}
	}
	return words
}

// value is a field's value in words.
func value(v any) string {
	switch x := v.(type) {
	case nil:
		return "none"
	case string:
		return quoted(x)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	if len(raw) > 4*longest {
		return "…"
	}
	return domain.CleanLine(string(raw), len(raw))
}
