package trello

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Report says what becomes of an export.
type Report struct {
	Carried []Line // entities by kind, in the order of the board's tree
	Changed []Line // carried over, but not as it was
	Left    []Line // not carried over
}

// Line is one entry of a report.
type Line struct {
	What     string
	Count    int
	Examples []string // at most exampleLimit, shortened
}

const exampleLimit = 3

func (r *Report) carried(what, _ string)       { note(&r.Carried, what, 1, "") }
func (r *Report) changed(what, example string) { note(&r.Changed, what, 1, example) }
func (r *Report) left(what, example string)    { note(&r.Left, what, 1, example) }

func note(lines *[]Line, what string, n int, example string) {
	i := slices.IndexFunc(*lines, func(l Line) bool { return l.What == what })
	if i < 0 {
		*lines = append(*lines, Line{What: what})
		i = len(*lines) - 1
	}
	l := &(*lines)[i]
	l.Count += n
	if example = shorten(example); example != "" && len(l.Examples) < exampleLimit && !slices.Contains(l.Examples, example) {
		l.Examples = append(l.Examples, example)
	}
}

// sortCarried puts the kinds of entities first, in the order of a board's tree.
func (r *Report) sortCarried() {
	rank := func(l Line) int {
		i := slices.Index([]string{"board", "members", "labels", "lists", "cards", "checklists", "checklist items", "comments", "files (links)"}, l.What)
		if i < 0 {
			return len(r.Carried) + 100
		}
		return i
	}
	slices.SortStableFunc(r.Carried, func(a, b Line) int { return rank(a) - rank(b) })
}

// Count gives the count of a line of any of the three lists, 0 if it is in none.
func (r *Report) Count(what string) int {
	for _, lines := range [][]Line{r.Carried, r.Changed, r.Left} {
		for _, l := range lines {
			if l.What == what {
				return l.Count
			}
		}
	}
	return 0
}

// Write prints the report for a person.
func (r *Report) Write(w io.Writer) {
	section(w, "Imported", r.Carried)
	section(w, "Imported with changes", r.Changed)
	section(w, "Not carried over", r.Left)
}

func section(w io.Writer, title string, lines []Line) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "%s:\n", title)
	for _, l := range lines {
		fmt.Fprintf(w, "  %6d  %s", l.Count, l.What)
		if len(l.Examples) > 0 {
			fmt.Fprintf(w, ": %s", strings.Join(l.Examples, "; "))
			if l.Count > len(l.Examples) {
				fmt.Fprint(w, "; …")
			}
		}
		fmt.Fprintln(w)
	}
}
