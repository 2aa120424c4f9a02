package webclient

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/cutter"
)

// connected opens a page of the server with a store of the demo board on it.
func connected(t *testing.T, l *line, user string) *chrome.Page {
	t.Helper()
	p := chrome.Open(t, chrome.Start(t), user)
	p.Do(chromedp.Navigate("http://" + l.Addr + "/client.js"))
	load(t, p)
	p.Eval(fmt.Sprintf(`(globalThis.store = snapback.connect({ url: 'http://%s', board: 'demo', user: '%s' })).ready`, l.proxy.Addr(), user))
	return p
}

// click is a real click in the middle of an element.
func click(p *chrome.Page, selector string) {
	p.TB.Helper()
	at := chrome.Run(p, chromedp.Evaluate[[]float64](fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({ block: 'center' });
		const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; })()`, selector)))
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		p.Do(chromedp.MouseEvent(kind, at[0], at[1], chromedp.ButtonType(input.MouseButtonLeft), chromedp.ClickCount(1)))
	}
}

// TestLikeList: a click shows at once, and one that the server refuses snaps
// back with a toast. Only the row it concerns is touched.
func TestLikeList(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	p := connected(t, l, "ben")
	p.Eval(`snapback.mountPosts(store) && ''`)
	const typo, like = `[...document.querySelectorAll('.post')].find((e) => e.dataset.id === 'typo')`, `.post[data-id="typo"] .like`
	pressed := func(want bool) string {
		return fmt.Sprintf(`%s.querySelector('.like').ariaPressed === '%v'`, typo, want)
	}
	p.Until(pressed(false))
	p.Eval(`(() => { globalThis.touched = new Set(); new MutationObserver((list) => list.forEach((m) => {
		const row = (m.target.nodeType === 1 ? m.target : m.target.parentElement).closest('.post'); touched.add(row?.dataset.id ?? m.target.className);
	})).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true }); })()`)
	l.proxy.Stall(cutter.Up)
	click(p, like)
	if p.Eval(pressed(true)) != "true" {
		t.Error("the click does not show before the server has answered")
	}
	l.proxy.Release()
	p.Until(typo + `.ariaBusy === 'false'`)
	if p.Eval(pressed(true)) != "true" {
		t.Error("an accepted like is gone")
	}
	p.Eval(`store.mutate('member:ben', { kind: 'member', user: 'ben', role: 'viewer' })`)
	l.proxy.Stall(cutter.Up)
	click(p, like)
	if p.Eval(pressed(false)) != "true" {
		t.Error("the second click does not show")
	}
	l.proxy.Release()
	p.Until(`document.querySelector('.toast')?.textContent.includes('You may not do that.')`)
	p.Until(pressed(true))
	if got := p.Eval(`[...touched].sort().join()`); got != "toasts,typo" {
		t.Errorf("touched were %s", got)
	}
}

// TestReact: the hooks show the board, follow another's change, and show one's
// own at once and until it is refused.
func TestReact(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	p := connected(t, l, "ann")
	p.Eval(`void (globalThis.unmount = snapback.mountBoard(store))`)
	in := func(column, id string) string {
		return fmt.Sprintf(`!!document.querySelector('ul[data-id="%s"] li[data-id="%s"]')`, column, id)
	}
	p.Until(`document.querySelector('main')?.dataset.status === 'live' && ` + in("ideas", "keyboard"))
	p.Eval(`(async () => { const other = snapback.connect({ board: 'demo', user: 'ben' }); await other.ready;
		await other.mutate('keyboard', { title: 'renamed by ben' }); other.close(); })()`)
	p.Until(`document.querySelector('li[data-id="keyboard"]').textContent.includes('renamed by ben')`)
	l.proxy.Stall(cutter.Up)
	click(p, `li[data-id="keyboard"] button`)
	p.Until(in("doing", "keyboard") + ` && document.querySelector('li[data-id="keyboard"]').ariaBusy === 'true'`)
	l.proxy.Release()
	p.Until(in("ideas", "keyboard") + ` && !document.querySelector('ul[data-id="doing"] li[data-id="keyboard"]')`)
	p.Eval(`unmount()`)
	p.Until(`!document.querySelector('main')`)
}
