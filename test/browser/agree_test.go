package browser

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/snapback-io/snapback/test/chrome"
)

// shown is what a window shows of the board, in words: its columns and cards in
// order, with what every user sees alike, and a "you" where you like it.
const shown = `(() => [...document.querySelectorAll('.column[data-id]')].map((c) => [
	c.dataset.id + ' ' + c.querySelector('.column-head h2')?.textContent,
	...[...c.querySelectorAll('.cards .card[data-id]')].map((e) => '  ' + e.dataset.id + ' ' + e.querySelector('.card-title')?.textContent
		+ ' ' + (parseInt(e.querySelector('.like')?.textContent) || 0) + (e.querySelector('.like')?.ariaPressed === 'true' ? ' you' : '')),
].join('\n')).join('\n'))()`

// stored is the same as the server tells it to a user.
func (s *site) stored(user string) string {
	s.t.Helper()
	return inWords(s.entities(user))
}

// inWords is what a window shows of these entities.
func inWords(all []map[string]any) string {
	slices.SortFunc(all, func(a, b map[string]any) int {
		return cmp.Or(cmp.Compare(text(a, "position"), text(b, "position")), cmp.Compare(text(a, "id"), text(b, "id")))
	})
	var lines []string
	for _, column := range all {
		if column["kind"] != "column" || column["archived"] == true {
			continue
		}
		lines = append(lines, fmt.Sprintf("%v %v", column["id"], column["title"]))
		for _, card := range all {
			if card["kind"] != "card" || card["archived"] == true || card["columnId"] != column["id"] {
				continue
			}
			you := ""
			if card["liked"] == true {
				you = " you"
			}
			lines = append(lines, fmt.Sprintf("  %v %v %v%s", card["id"], card["title"], card["likes"], you))
		}
	}
	return strings.Join(lines, "\n")
}

func text(e map[string]any, field string) string {
	s, _ := e[field].(string)
	return s
}

// agree waits until every window is live and has nothing pending, and shows
// what the server has; and thereby the same as the others.
func (s *site) agree(windows ...*window) {
	s.t.Helper()
	for _, w := range windows {
		w.Eval(sent)
		w.Until(live + " && " + settled)
		for end := time.Now().Add(chrome.Patience); ; time.Sleep(20 * time.Millisecond) {
			want, got := s.stored(w.user), w.Eval(shown)
			if w.Eval(`document.body.dataset.role`) == "viewer" { // does not like, and is not shown that he did
				want = lines(want, everybody)
			}
			if got == want && !w.waits() && w.Eval(live+" && "+settled) == "true" {
				break
			}
			if time.Now().After(end) {
				w.Shot("failed-" + w.Name)
				s.t.Fatalf("%s does not show what the server has:\n%s", w.Name, difference(got, want))
			}
		}
	}
	for _, w := range windows[1:] {
		if a, b := lines(windows[0].Eval(shown), everybody), lines(w.Eval(shown), everybody); a != b {
			s.t.Errorf("%s and %s do not show the same:\n%s", windows[0].Name, w.Name, difference(a, b))
		}
	}
}

// either waits until a condition holds in one of two windows, and gives that one first.
func (s *site) either(condition string, a, b *window) (yes, no *window) {
	s.t.Helper()
	for end := time.Now().Add(chrome.Patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if a.Eval(condition) == "true" {
			return a, b
		}
		if b.Eval(condition) == "true" {
			return b, a
		}
	}
	for _, w := range []*window{a, b} {
		w.Shot("failed-" + w.Name)
		s.t.Logf("%s:\n%s", w.Name, w.Eval(`document.body.innerText`))
	}
	s.t.Fatalf("in neither: %s", condition)
	return nil, nil
}

// everybody is a line without what only one user sees.
func everybody(line string) string { return strings.TrimSuffix(line, " you") }

func lines(text string, each func(string) string) string {
	all := strings.Split(text, "\n")
	for i := range all {
		all[i] = each(all[i])
	}
	return strings.Join(all, "\n")
}

// difference lists the lines of one that the other has not, or not there.
func difference(got, want string) string {
	var list strings.Builder
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			fmt.Fprintf(&list, "%-60s | %s\n", x, y)
		}
	}
	return list.String()
}
