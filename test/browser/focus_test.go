package browser

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/snapback-io/snapback/test/chrome"
)

// TestFocus_StaysWithTheCard: the keyboard is at a card; somebody else moves the
// card, then the server takes a move back. It is at the card still, and beside
// it when the card goes with its column.
func TestFocus_StaysWithTheCard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	ann.focus(card("keyboard") + " .card-title")
	ben.drag("keyboard", "review", "release-notes")
	ann.Until(in("review", "keyboard"))
	ann.Until(has(card("keyboard")))
	ann.drag("keyboard", "doing", "")
	ann.Until(says("refused", "“Doing” is full (3 of 3)"))
	ann.Until(in("review", "keyboard") + " && " + has(card("keyboard")))
	ann.focus(card("keyboard") + " .like")
	ben.drag("keyboard", "ideas", "calendar")
	ann.Until(in("ideas", "keyboard") + " && " + has(card("keyboard")))
	ann.focus(card("release-notes") + " .card-title")
	s.mutate("ben", "review", patch{"archived": true}) // with the card; the next column has it
	ann.Until(`!document.querySelector('.column[data-id=review]')`)
	ann.Until(has(column("done") + " .column-head"))
	s.agree(ann, ben)
}

// TestVoice: who does not see the page hears of a refusal and of a lost
// connection at once, and of both once only.
func TestVoice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	w.Do(overhear)
	w.drag("keyboard", "doing", "")
	w.Until(heardSaying("“Doing” is full (3 of 3)"))
	w.Until(`document.querySelector('.note[data-tone=refused]').matches('[role=alert], [role=alert] *')`)
	s.Kill()
	w.Until(offline + " && " + heardSaying("The connection is lost"))
	s.Again()
	w.Until(live + " && " + heardSaying("The connection is back"))
	for _, text := range []string{"“Doing” is full", "The connection is lost"} {
		if got := w.Eval(fmt.Sprintf(`overheard.filter((said) => said.includes(%q)).join('\n')`, text)); strings.Contains(got, "\n") {
			t.Errorf("said more than once:\n%s", got)
		}
	}
	s.agree(w)
}

// watch keeps what changes in the document of one card, with its time and that
// of the painting that follows the first change after mark().
const watch = `((id) => {
	const seen = globalThis.seen = [];
	const of = (n) => (n.nodeType === 1 ? n : n.parentElement)?.closest('.card[data-id]')?.dataset.id === id;
	new MutationObserver((records) => {
		for (const r of records) {
			if (of(r.target) || [...r.addedNodes, ...r.removedNodes].some((n) => n.dataset?.id === id || n.nodeType === 1 && n.querySelector('[data-id="' + id + '"]'))) {
				seen.push({ at: performance.now(), what: r.type + ' ' + (r.attributeName ?? '') + ' in ' + (r.target.outerHTML ?? r.target.data).slice(0, 120) });
			}
		}
	}).observe(document.querySelector('.columns'), { attributes: true, childList: true, characterData: true, subtree: true });
	globalThis.painted = new Promise((done) => {
		const look = () => (seen.length ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))) : requestAnimationFrame(look));
		globalThis.mark = () => { seen.length = 0; look(); };
	});
})(%q)`

// TestQuiet: between the painting of a change and one second after its ack
// nothing changes in the document of the card: no mark that comes and goes, no
// node made anew.
func TestQuiet(t *testing.T) {
	for _, c := range []struct {
		name, card string
		begin      func(w *window) (change func())
	}{
		{"a like", "import-csv", func(w *window) func() {
			heart := w.at(card("import-csv") + " .like").middle()
			return func() { w.press(heart) }
		}},
		{"a move", "dark-mode", func(w *window) func() {
			to := w.over("review", "release-notes")
			w.grab("dark-mode", to)
			return func() { w.drop(to) }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "--lab")
			w := s.open("ann")
			w.lab(map[string]any{"delayMs": 150}) // the ack must not come before the painting
			w.Eval(fmt.Sprintf(watch, c.card))
			change := c.begin(w)
			w.Eval(`mark()`)
			sent, since := w.count(`"type":"ack"`), time.Now()
			change()
			w.hear(`"type":"ack"`, sent+1)
			// On a machine that is busy the ack may take so long that the card is rightly marked as pending.
			marked := time.Since(since) > 200*time.Millisecond
			w.Eval(`new Promise((done) => setTimeout(done, 1000))`)
			if got := w.Eval(`painted.then((at) => seen.filter((s) => s.at > at && !(` + strconv.FormatBool(marked) + ` && /^attributes (data-pending|aria-busy) /.test(s.what))).map((s) => Math.round(s.at - at) + ' ms: ' + s.what).join('\n'))`); got != "" {
				t.Errorf("after the painting:\n%s", got)
			}
			if w.Eval(`seen.length`) == "0" {
				t.Error("nothing was seen to change at all")
			}
			s.agree(w)
		})
	}
}

// count counts the frames that came with this text in them.
func (w *window) count(text string) (n int) {
	w.heard.mu.Lock()
	defer w.heard.mu.Unlock()
	for _, f := range w.heard.frames {
		if strings.Contains(f, text) {
			n++
		}
	}
	return n
}

// hear waits for so many of them.
func (w *window) hear(text string, n int) {
	w.TB.Helper()
	for end := time.Now().Add(chrome.Patience); w.count(text) < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			w.TB.Fatalf("%s has not heard %s %d times", w.Name, text, n)
		}
	}
}

// TestReducedMotion: who wants no motion gets none, also when a card moves.
func TestReducedMotion(t *testing.T) {
	for _, reduce := range []bool{true, false} {
		t.Run(map[bool]string{true: "reduced", false: "usual"}[reduce], func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			w := s.empty("ann")
			if reduce {
				w.media("prefers-reduced-motion", "reduce")
			}
			w.visit("/boards/demo")
			w.Until(live + " && " + anyCards)
			w.Do(chromedp.Evaluate[chromedp.Void](`(() => {
				globalThis.moving = new Set();
				const look = () => {
					for (const a of document.getAnimations()) {
						const { activeDuration } = a.effect.getComputedTiming();
						if (activeDuration > 10) moving.add((a.animationName ?? a.transitionProperty ?? 'script') + ' ' + activeDuration + ' ms on ' + a.effect.target?.className);
					}
					requestAnimationFrame(look);
				};
				look();
			})()`))
			w.drag("keyboard", "doing", "") // flies there, and home
			w.Until(says("refused", "“Doing” is full (3 of 3)") + " && " + in("ideas", "keyboard"))
			w.drag("keyboard", "review", "release-notes")
			s.agree(w)
			got := w.Eval(`[...moving].join('\n')`)
			if reduce && got != "" {
				t.Errorf("it moves:\n%s", got)
			}
			if !reduce && got == "" {
				t.Error("nothing flies, so nothing is tested")
			}
		})
	}
}

// TestFocus_Renaming: whoever gives up renaming, or renames, is at what was to be
// renamed; and nobody is put anywhere by a page that has just opened.
func TestFocus_Renaming(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	w.Until(`document.querySelector('.title-button')`)
	w.Eval(`new Promise((done) => requestAnimationFrame(() => setTimeout(done)))`)
	if at := w.Eval(`document.activeElement.outerHTML.slice(0, 100)`); !strings.HasPrefix(at, "<body") {
		t.Errorf("a page that was opened has put the focus on %s", at)
	}
	for _, at := range []string{card("keyboard") + " .card-title", column("review") + " .column-head"} {
		for _, end := range []string{kb.Escape, kb.Enter} {
			w.focus(at)
			w.keys(kb.F2)
			w.Until(has("textarea.edit"))
			w.keys("x")
			w.keys(end)
			w.Until(`!document.querySelector('textarea.edit')`)
			w.Until(has(at))
		}
	}
	s.agree(w)
}

// TestFocus_Notes: a note's button was pressed, and the note is gone; the
// keyboard is where it was before. The list of keys opens from anywhere. What is
// said twice is heard twice.
func TestFocus_Notes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	w.keys("?")
	w.Until(has("dialog.keys-dialog"))
	w.keys(kb.Escape)
	w.Until(`!document.querySelector('dialog')`)
	w.focus(card("backup") + " .card-title")
	w.keys("c")
	w.Until(has(card("typo")))
	w.press(w.at(".note-actions button").middle())
	w.Until(in("done", "backup") + " && " + has(card("typo")))
	w.Do(chromedp.Evaluate[chromedp.Void](`(() => {
		globalThis.said = [];
		const status = document.querySelector('.unseen[role=status][aria-live]');
		new MutationObserver((all) => all.some((r) => r.addedNodes.length) && said.push(status.textContent)).observe(status, { childList: true, subtree: true });
	})()`))
	w.keys(" " + kb.End + kb.End + kb.Escape)
	w.Until(`said.at(-1)?.startsWith('Put back')`)
	if got := w.Eval(`said.slice(1, 3).join('\n')`); got == "" || got != w.Eval(`[said[1], said[1]].join('\n')`) {
		t.Errorf("at the end of the list it said %q", w.Eval(`said.join('\n')`))
	}
	s.agree(w)
}
