package browser

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// pseudo is a text without params in the made-up language.
func pseudo(text string) string {
	return "⟦\u202e" + text + "\u202c" + strings.Repeat("·", (len(text)+3)/4) + "⟧"
}

// places are what is looked at in the made-up language: how a window comes
// there from the board, and leaves it again.
var places = []struct {
	name       string
	come, away func(w *window)
}{
	{"board", func(w *window) {}, func(w *window) {}},
	{"card-menu", func(w *window) {
		w.clickAt(card("fix-login") + " [aria-haspopup=menu]")
		w.find("menuitem", pseudo("Move…")+"*")
	}, escape},
	{"column-menu", func(w *window) { w.clickAt(column("doing") + " .column-head [aria-haspopup=menu]") }, escape},
	{"main-menu", func(w *window) { w.clickAt(`.main-menu`) }, escape},
	{"filter", func(w *window) { w.click("button", pseudo("Filter")) }, escape},
	{"move", func(w *window) { w.focus(card("fix-login") + " .card-title"); w.keys("m"); w.Until(modal) }, escape},
	{"keys", func(w *window) { w.focus(card("fix-login") + " .card-title"); w.keys("?"); w.Until(modal) }, escape},
	{"notes", func(w *window) {
		w.drag("keyboard", "doing", "search")
		w.Until(`document.querySelector('.note[data-tone=refused]') !== null`)
		w.focus(card("calendar") + " .card-title")
		w.keys("c")
		w.Until(`document.querySelector('.note[data-tone=done]') !== null`)
	}, func(w *window) {}},
	{"archive", panel("archive"), escape},
	{"deletion", func(w *window) {
		panel("archive")(w)
		w.clickAt(`.archived-tools button:last-child`)
		w.Until(modal)
	}, func(w *window) { escape(w); w.Until(`!(` + modal + `)`); w.clickAt(`[data-opens=archive]`) }},
	{"files", panel("files"), escape},
	{"labels", panel("labels"), escape},
	{"history", func(w *window) { panel("history")(w); w.Until(`document.querySelector('.drawer li time') !== null`) }, escape},
	{"members", panel("members"), escape},
	{"inspect", panel("inspect"), escape},
	{"lab", panel("lab"), escape},
	{"card", func(w *window) { w.clickAt(card("fix-login") + " .card-title"); w.Until(modal) }, func(w *window) {}},
	{"conflict", func(w *window) {
		w.in(dialog).click("button", pseudo("Edit the description"))
		w.Until(has(editor))
		w.write("my words")
		w.site.mutate("ben", "fix-login", patch{"description": "the words of another"})
		w.Until(`document.querySelector('.edit-changed') !== null`)
		w.in(dialog).click("button", pseudo("Save"))
		w.Until(shows(".edit-theirs", "the words of another"))
	}, func(w *window) { w.in(dialog).click("button", pseudo("Use theirs")); escape(w) }},
	{"replay", func(w *window) {
		escape(w)
		w.Until(`!(` + modal + `)`)
		w.clickAt(`[data-opens=replay]`)
		w.Until(ready)
		w.keys(kb.ArrowRight) // back
		w.Until(ready)
	}, func(w *window) {}},
	{"replayed-card", func(w *window) { w.clickAt(card("fix-login") + " .card-title"); w.Until(modal) }, func(w *window) {
		escape(w)
		w.Until(`!(` + modal + `)`)
		escape(w)
		w.Until(`document.querySelector('.past') === null`)
	}},
	{"boards", func(w *window) {
		w.visit("/boards?locale=ar-XB")
		w.Until(`document.querySelector('.boards a') !== null`)
	}, func(w *window) {}},
}

const modal = `document.querySelector('dialog:modal') !== null`

func escape(w *window) {
	w.TB.Helper()
	w.keys(kb.Escape)
}

func panel(name string) func(*window) {
	return func(w *window) {
		w.clickAt(`[data-opens=` + name + `]`)
		w.Until(`document.querySelector('.drawer h2') !== null`)
	}
}

// TestPseudoLocale: in a made-up language, written from right to left, every
// text of ours comes from the catalogue, and nothing hangs out of the page.
func TestPseudoLocale(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--lab")
	w := s.empty("ann")
	w.size(1400, 900)
	w.visit("/boards/demo?locale=ar-XB")
	w.Until(live + " && " + anyCards)
	known := w.theirs()
	for _, p := range places {
		p.come(w)
		w.Until(`document.getAnimations().every((a) => a.playState !== 'running')`)
		w.Shot("locale-" + p.name)
		if got := w.Eval(`document.documentElement.dir`); got != "rtl" {
			t.Errorf("%s: dir is %s", p.name, got)
		}
		if got := w.Eval(`(` + unmarked + `)(` + known + `)`); got != "" {
			t.Errorf("%s: not from the catalogue:\n%s", p.name, got)
		}
		for _, width := range []int64{390, 1400} {
			w.size(width, 900)
			if width == 390 {
				w.Shot("locale-" + p.name + "-narrow")
			}
			if got := w.Eval(overflowing); got != "" {
				t.Errorf("%s: hangs out at %d px:\n%s", p.name, width, got)
			}
		}
		p.away(w)
	}
}

// theirs is an object whose keys are the texts that users wrote.
func (w *window) theirs() string {
	w.TB.Helper()
	theirs := map[string]bool{"ann": true, "demo": true, "127.0.0.1": true}
	for _, e := range w.site.entities("ann") {
		for _, field := range []string{"title", "name", "text", "description", "user", "createdBy", "updatedBy", "url"} {
			if v, ok := e[field].(string); ok {
				theirs[v] = true
			}
		}
	}
	known, err := json.Marshal(theirs)
	if err != nil {
		w.TB.Fatal(err)
	}
	return string(known)
}

// unmarked lists what can be read, seen or heard, of ours and is not marked as
// a text of the catalogue. What users wrote stands in an element of its own
// (bdi, or dir=auto) or is one of the board's texts; a file's sign has the end of its name.
const unmarked = `(theirs) => {
	const list = new Set();
	const fine = (text) => !/\p{Script=Latin}/u.test(text) || text in theirs || /⟦[^]*⟧/.test(text);
	const ownText = (e) => e.closest('bdi, [dir=auto], .avatar, .file-sort, time, kbd, code, pre, option[value]:not([value=""])');
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
	for (let n = walk.nextNode(); n; n = walk.nextNode()) {
		if (n.nodeType === 3) {
			const text = n.data.trim(), p = n.parentElement;
			if (!p.closest('script, style, noscript') && !ownText(p) && !fine(text)) {
				// A text of several nodes is marked as a whole.
				if (!fine(p.textContent)) list.add('text: ' + text.slice(0, 80) + ' in ' + p.outerHTML.slice(0, 120));
			}
			continue;
		}
		for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'aria-roledescription', 'aria-description', 'aria-valuetext']) {
			const text = n.getAttribute(name);
			if (text && !fine(text)) list.add(name + ': ' + text.slice(0, 80) + ' in ' + n.outerHTML.slice(0, 120));
		}
	}
	return [...list].join('\n');
}`

// overflowing lists what is to be read or pressed and lies outside of the
// window, or of the box it stands in. The board itself can be scrolled.
const overflowing = `(() => {
	const page = document.documentElement, list = [];
	if (page.scrollWidth > page.clientWidth) list.push('the page is ' + page.scrollWidth + ' wide');
	for (const e of document.querySelectorAll('body *')) {
		const isText = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
		if (!isText && !e.matches('button, a, input, select, textarea, img')) continue;
		if (!e.checkVisibility({ visibilityProperty: true }) || e.closest('.unseen, svg, .ghost')) continue;
		const b = e.getBoundingClientRect();
		if (!b.width) continue;
		let within = e.parentElement;
		for (; within && !within.matches('.column, .drawer, .dialog'); within = within.parentElement) {
			if (getComputedStyle(within).position === 'fixed') within = document.body;
		}
		const box = within?.getBoundingClientRect();
		if (box && (b.left < box.left - 1 || b.right > box.right + 1)) list.push('out of its box: ' + e.outerHTML.slice(0, 120));
		if (!e.closest('.board') && (b.left < -1 || b.right > innerWidth + 1)) list.push(Math.round(b.left) + '..' + Math.round(b.right) + ' ' + e.outerHTML.slice(0, 120));
	}
	return list.slice(0, 12).join('\n');
})()`
