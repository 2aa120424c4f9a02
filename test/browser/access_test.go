package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/snapback-io/snapback/test/tool"
)

// axe is the source of axe-core; see [tool.Missing].
func axe(t *testing.T) string {
	t.Helper()
	read := sync.OnceValues(func() ([]byte, error) {
		return os.ReadFile(filepath.Join("..", "..", "gateway", "web", "node_modules", "axe-core", "axe.min.js"))
	})
	source, err := read()
	if err != nil {
		tool.Missing(t, "that everybody can use the page", "gateway/web/node_modules/axe-core (npm ci makes it)")
	}
	return string(source)
}

// judged is what axe-core finds against WCAG 2.2 A and AA, one line for each element.
const judged = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] }).then(({ violations, passes }) =>
	(passes.length < 10 ? 'it has looked at next to nothing\n' : '')
	+ violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.target.join(' ') + ' ' + n.html.slice(0, 160) + ' ' + n.any.map((c) => c.message).join('; '))).join('\n'))`

// small lists what can be pressed and is smaller than a side, in CSS pixels. A
// link in the middle of a text may be as small as the text; a label counts for
// what it labels; what lies over the whole of its card is as large as that.
const small = `((side) => {
	const list = [];
	for (const e of document.querySelectorAll('button, a[href], input:not([type=hidden]), select, textarea, summary, [role=button], [role=menuitem], [role=option], [role=checkbox], [role=tab]')) {
		if (!e.checkVisibility({ visibilityProperty: true }) || e.closest('[inert], .unseen')) continue;
		const modal = document.querySelector('dialog:modal');
		if (modal && !modal.contains(e)) continue;
		if (e.matches('a') && getComputedStyle(e).display === 'inline' && e.closest('p, li, blockquote')?.textContent.trim() !== e.textContent.trim()) continue;
		const over = getComputedStyle(e, '::after').position === 'absolute' ? e.offsetParent : null;
		const boxes = [e, over, ...(e.labels ?? [])].filter(Boolean).map((x) => x.getBoundingClientRect());
		const [w, h] = [Math.max(...boxes.map((b) => b.width)), Math.max(...boxes.map((b) => b.height))];
		if (w < side - 0.01 || h < side - 0.01) list.push(Math.round(w) + ' x ' + Math.round(h) + ' ' + e.outerHTML.slice(0, 160));
	}
	return list.join('\n');
})(%d)`

// state is one the page can be in: how a window comes to it.
type state struct {
	name string
	args []string // of the server
	come func(t *testing.T, s *site, w *window)
}

var states = []state{
	{"the board with notes", nil, func(t *testing.T, s *site, w *window) {
		w.in(card("calendar")).click("button", "Menu of*")
		w.click("menuitem", "Archive*")
		w.Until(says("done", "Due dates in the calendar"))
		w.drag("keyboard", "doing", "")
		w.Until(says("refused", "“Doing” is full (3 of 3)"))
		w.keys(kb.F8) // with the keyboard in them they stay
		w.Until(has(".notes"))
	}},
	{"a card being written on", nil, func(t *testing.T, s *site, w *window) {
		w.describe("fix-login")
		w.write("Half a sentence")
	}},
	{"a conflict", nil, func(t *testing.T, s *site, w *window) {
		w.describe("fix-login")
		w.write("my words")
		s.mutate("ben", "fix-login", patch{"description": "the words of another"})
		w.Until(`document.querySelector('.edit-changed') !== null`)
		w.in(dialog).click("button", "Save")
		w.Until(shows(".edit-theirs", "the words of another"))
	}},
	{"an archive with a delete confirmation", nil, func(t *testing.T, s *site, w *window) {
		s.mutate("ben", "fix-login", patch{"archived": true})
		w.clickAt(`[data-opens=archive]`)
		w.in(".drawer").click("button", "Delete “Fix login on Safari”…")
		w.Until(`document.querySelector('dialog.confirm')?.textContent.includes('comment')`)
	}},
	{"the lab", []string{"--lab"}, func(t *testing.T, s *site, w *window) {
		w.clickAt(`[data-opens=lab]`)
		w.clickAt(".play button")
		w.Until(`document.querySelector('.play[data-done]') !== null`)
	}},
	{"a replay at what was refused", nil, func(t *testing.T, s *site, w *window) {
		s.story()
		w.replay()
		w.keys(kb.ArrowLeft)
		w.Until(at("keyboard was refused"))
	}},
	{"offline with a queue", nil, func(t *testing.T, s *site, w *window) {
		s.Kill()
		w.Until(offline)
		w.clickAt(card("typo") + " .like")
		w.drag("dark-mode", "next", "status-page")
		w.Until(`document.body.dataset.waiting === '2' && document.querySelectorAll('.card[data-pending]').length === 2`)
		w.clickAt(`[data-opens=inspect]`)
		w.Until(`document.querySelector('.drawer')?.innerText.includes('Dark mode')`)
	}},
}

// TestAccess: in each state, dark and light, wide and narrow, for mouse and
// finger, nothing is against WCAG 2.2 A or AA, and everything is large enough.
func TestAccess(t *testing.T) {
	for _, now := range states {
		t.Run(now.name, func(t *testing.T) {
			t.Parallel()
			source := axe(t)
			s := newSite(t, now.args...)
			w := s.open("ann")
			now.come(t, s, w)
			w.Do(chromedp.Evaluate[chromedp.Void](source + ";0"))
			look := func(name string) {
				t.Helper()
				w.Until(`document.getAnimations().every((a) => a.playState !== 'running')`)
				w.Shot("access-" + strings.ReplaceAll(now.name, " ", "-") + "-" + name)
				if found := w.Eval(judged); found != "" {
					t.Errorf("%s:\n%s", name, found)
				}
				if found := w.Eval(fmt.Sprintf(small, 24)); found != "" {
					t.Errorf("%s: smaller than 24 px:\n%s", name, found)
				}
			}
			for _, colours := range []string{"light", "dark"} {
				w.media("prefers-color-scheme", colours)
				w.size(1400, 900)
				look(colours)
				w.size(390, 800)
				look(colours + "-narrow")
			}
			w.fingers()
			if w.Eval(`matchMedia('(pointer: coarse)').matches`) != "true" {
				t.Fatal("the pointer is not coarse")
			}
			w.Shot("access-" + strings.ReplaceAll(now.name, " ", "-") + "-touch")
			if found := w.Eval(fmt.Sprintf(small, 44)); found != "" {
				t.Errorf("smaller than 44 px for a finger:\n%s", found)
			}
		})
	}
}
