package past

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector/wording"
)

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
		lines = append(lines, fmt.Sprintf("~ %s %s: %s", c.Kind, wording.Quoted(c.Name), strings.Join(d.changes(c), ", ")))
	}
	return lines
}

func (d *Diff) entity(e *domain.Entity) string {
	words := string(e.Kind) + " " + wording.Quoted(wording.Name(e))
	if parent := e.Parent(); parent != "" {
		words += " in " + wording.Quoted(d.name(parent))
	}
	return words
}

func (d *Diff) name(id string) string {
	return wording.Short(cmp.Or(d.Names[id], id))
}

func (d *Diff) changes(c *Change) (words []string) {
	if c.Moved != "" {
		words = append(words, "moved "+c.Moved)
	}
	for _, name := range slices.Sorted(maps.Keys(c.After)) {
		if c.Moved != "" && (name == "position" || name == domain.ParentField(c.Kind)) {
			continue
		}
		words = append(words, fmt.Sprintf("%s %s → %s", wording.Short(name), value(c.Before[name]), value(c.After[name])))
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
		return wording.Quoted(x)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	if len(raw) > 4*wording.Longest {
		return "…"
	}
	return domain.CleanLine(string(raw), len(raw))
}
