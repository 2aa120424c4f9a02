package browser

import (
	"fmt"
	"strings"
	"testing"
)

// rowsOf looks at a list of which only a part is in the page: all is what it
// says it has, first and last are the places drawn, from and to those seen,
// and right tells that each stands at the place it says, without a hole.
const rowsOf = `(() => {
	const list = document.querySelector('.column[data-id=ideas] .cards'), rows = [...list.children], view = list.getBoundingClientRect();
	const place = (row) => Number(row.ariaPosInSet), box = (row) => row.getBoundingClientRect();
	const seen = rows.filter((row) => box(row).bottom > view.top && box(row).top < view.bottom);
	if (!seen[0]) return {};
	return {
		all: Number(rows[0].ariaSetSize), count: rows.length, first: place(rows[0]), last: place(rows.at(-1)), from: place(seen[0]), to: place(seen.at(-1)),
		right: rows.every((row, i) => !i || place(row) === place(rows[i - 1]) + 1 && Math.abs(box(row).top - box(rows[i - 1]).bottom - 7) < 1),
		top: seen[0].dataset.id, isAtEnd: Math.abs(list.scrollTop + list.clientHeight - list.scrollHeight) < 1, below: view.bottom - box(rows.at(-1)).bottom,
	};
})()`

// TestLongList: of a long list the page has what is seen and a little around
// it, however much others move, archive and rename in it, and wherever it is
// scrolled to.
func TestLongList(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const count = 120
	for i := range count {
		s.mutate("ben", fmt.Sprint("long-", i), patch{"kind": "card", "columnId": "ideas", "title": fmt.Sprint("Card ", i)})
	}
	ann := s.open("ann")
	around := func(all int) string {
		return fmt.Sprintf(`((l) => l.all === %d && l.right && l.from - l.first <= 6 && l.last - l.to <= 6 && (l.first === 1 || l.first < l.from) && (l.last === l.all || l.last > l.to))(%s)`, all, rowsOf)
	}
	all := len(s.in("ideas"))
	ann.Until(around(all))

	for i := range 12 { // those that are seen first
		s.mutate("ben", fmt.Sprint("long-", i), patch{"archived": true})
	}
	ann.Until(around(all - 12))
	for i := range 12 {
		s.mutate("ben", fmt.Sprint("long-", i), patch{"archived": false})
	}
	ann.Until(around(all))
	for i := range 20 {
		s.mutate("ben", fmt.Sprint("long-", i), patch{"title": strings.Repeat("a longer title ", i%6+1), "position": map[string]any{"after": nil}})
	}
	ann.Until(around(all) + ` && ` + rowsOf + `.top === 'long-19'`)

	scroll := `document.querySelector('.column[data-id=ideas] .cards').scrollTop = %s`
	ann.Eval(fmt.Sprintf(scroll, "3000"))
	ann.Until(around(all) + ` && ` + rowsOf + `.from > 20`)
	ann.Eval(fmt.Sprintf(scroll, "1e6"))
	ann.Until(fmt.Sprintf(`((l) => l.last === %d && l.right && l.isAtEnd && Math.abs(l.below - 3) < 1)(%s)`, all, rowsOf))
	for i := range 8 { // from the end, in sight
		s.mutate("ben", fmt.Sprint("long-", count-1-i), patch{"columnId": "next"})
	}
	ann.Until(around(all-8) + ` && ` + rowsOf + `.to === ` + rowsOf + `.all`)
}

// TestLongList_GrowsWhereItIsScrolledTo: the card more with which a list is
// drawn in part only moves nothing that is seen.
func TestLongList_GrowsWhereItIsScrolledTo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	add := func(i int) {
		s.mutate("ben", fmt.Sprint("long-", i), patch{"kind": "card", "columnId": "ideas", "title": fmt.Sprint("Card ", i)})
	}
	const most = 60
	n := len(s.in("ideas"))
	for ; n < most; n++ {
		add(n)
	}
	ann := s.open("ann")
	list := `document.querySelector('.column[data-id=ideas] .cards')`
	ann.Until(fmt.Sprintf(`%s.children.length === %d`, list, most))
	seen := `((top) => { const row = [...` + list + `.children].find((row) => row.getBoundingClientRect().top > top); return row.dataset.id + " at " + Math.round(row.getBoundingClientRect().top - top); })(` + list + `.getBoundingClientRect().top)`
	ann.Eval(list + `.scrollTop = 1500`)
	before := ann.Eval(seen)
	add(n)
	ann.Until(fmt.Sprintf(`%s.children[0].ariaSetSize === '%d' && %s.children.length < 30`, list, most+1, list))
	if now := ann.Eval(seen); now != before {
		t.Errorf("%s is seen first, it was %s", now, before)
	}
}

// in is the cards of a column that are not archived.
func (s *site) in(column string) []string {
	s.t.Helper()
	var ids []string
	for _, e := range s.entities("ann") {
		if e["kind"] == "card" && e["columnId"] == column && e["archived"] != true {
			ids = append(ids, e["id"].(string))
		}
	}
	return ids
}
