package webclient

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/node"
)

// TestOffline_CrashedTab: what the process of a tab has left when it died is
// taken over by the other, behind its own.
func TestOffline_CrashedTab(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	browser, origin := chrome.Start(t), front(t)
	dying, other := newTab(t, browser, "dying", origin, l, "ann"), newTab(t, browser, "other", origin, l, "ann")
	for _, p := range []*tab{dying, other} {
		p.live()
		p.keeps("typo")
	}
	l.down()
	dying.Until(offline)
	other.Until(offline)
	id := dying.Eval(`store.mutate('typo', { 'x-a': 1 }).id`)
	own := other.Eval(`store.mutate('typo', { 'x-b': 1 }).id`)
	dying.keeps(id)
	crash, cancel := context.WithCancel(dying.Ctx)
	defer cancel()
	go chromedp.Run(crash, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.Crash, cdp.Empty{})
		return err // never: nobody is left to answer
	}))
	other.Until(fmt.Sprintf(`store.inspect().pending.map((m) => m.id).join() === '%s,%s'`, own, id))
	l.Again()
	other.Until(fmt.Sprintf(`verdicts['%s']?.join() === 'ok'`, id))
	other.keepsNot(id)
}

// TestOffline_LastMoment: what was made, and what took effect, just before the
// page ended is shown by the next one without a server.
func TestOffline_LastMoment(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	p := newTab(t, chrome.Start(t), "ann", front(t), l, "ann")
	p.live()
	p.keeps("typo")
	p.Eval(`store.mutate('typo', { title: 'acked just before' })`)
	l.down()
	p.load()
	p.Until(`store.get('typo')?.title === 'acked just before'`)
	l.Again()
	p.live()
	l.down()
	p.Until(offline)
	p.Eval(`store.mutate('typo', { title: 'made just before' }).id`)
	p.load()
	p.Until(`store.get('typo')?.title === 'made just before' && store.pending('typo')`)
	l.Again()
	p.live()
	p.Until(`store.confirmed('typo').title === 'made just before'`)
}

// TestOffline_Cleared: a page whose site data is cleared under it says that it
// keeps nothing, and goes on.
func TestOffline_Cleared(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	p := newTab(t, chrome.Start(t), "ann", front(t), l, "ann")
	p.live()
	p.keeps("typo")
	l.down()
	p.Until(offline)
	before := p.Eval(`store.mutate('typo', { 'x-a': 1 }).id`)
	p.keeps(before)
	p.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: p.origin, StorageTypes: "all"})
		return err
	}))
	p.Until(`kept.error`)
	after := p.Eval(`store.mutate('typo', { 'x-b': 1 }).id`)
	l.Again()
	p.Until(fmt.Sprintf(`['%s', '%s'].every((id) => verdicts[id]?.join() === 'ok')`, before, after))
	p.load()
	p.live()
	p.keeps("typo")
}

// TestOffline_ServerWiped: of a board that the server has lost nothing is left,
// and what was made upon the new one's like takes effect.
func TestOffline_ServerWiped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := lineTo(t, node.Start(t, "server", dir, "", "--log-level=warn", "--origin=*"))
	p := newTab(t, chrome.Start(t), "ann", front(t), l, "ann")
	p.live()
	lost := p.Eval(`store.create('card', { title: 'of the old', columnId: 'next' }).then(() => store.list('card').find((c) => c.title === 'of the old').id)`)
	p.live()
	p.keeps("typo") // the board, not only what is pending on it
	p.keeps(lost)
	l.down()
	p.Until(offline)
	gone := p.Eval(fmt.Sprintf(`store.mutate('%s', { title: 'on what is gone' }).id`, lost))
	there := p.Eval(`store.mutate('typo', { title: 'on what is there again' }).id`)
	p.keeps(there)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	p.load()
	p.Until(painted)
	l.Again()
	p.live()
	p.Until(fmt.Sprintf(`verdicts['%s'].join() === 'not_found' && verdicts['%s'].join() === 'ok'`, gone, there))
	p.Until(fmt.Sprintf(`!store.get('%s') && store.get('typo').title === 'on what is there again'`, lost))
	p.keepsNot(lost)
}

// TestOffline_OpenPart (law 9): what a page of the open part had loaded, and
// what changed of it while the page was gone, is up to date when it comes back.
func TestOffline_OpenPart(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	browser := chrome.Start(t)
	p, other := newTab(t, browser, "ann", front(t), l, "ann"), newTab(t, browser, "bob", front(t), l, "bob")
	other.live()
	change := func(mutations string) {
		t.Helper()
		if got := other.Eval(`Promise.all([` + mutations + `]).then((all) => all.filter((v) => !v.ok).map((v) => v.code).join())`); got != "" {
			t.Fatalf("%s: %s", mutations, got)
		}
	}
	open := func() {
		p.Do(chromedp.Navigate(p.origin))
		load(t, p.Page)
		p.Eval(fmt.Sprintf(`(() => {
			globalThis.kept = snapback.offline();
			globalThis.store = snapback.connect({ url: '%s', board: 'demo', user: 'ann', part: 'open', offline: kept });
		})()`, p.board))
	}
	change(`store.transact([1, 2, 3].map((i) => ({ entityId: 'comment' + i, patch: { kind: 'comment', cardId: 'typo', text: 'old' } }))),
		store.transact([1, 2, 3].map((i) => ({ entityId: 'card' + i, patch: { kind: 'card', columnId: 'next', title: 'old' } }))),
		store.transact([1, 2, 3].map((i) => ({ entityId: 'card' + i, patch: { archived: true } })))`)
	open()
	p.live()
	p.Eval(`Promise.all([snapback.load(store, { card: 'typo' }), snapback.load(store, { archive: true })])`)
	for _, id := range []string{"comment1", "card1"} {
		p.keeps(id)
	}
	p.Do(chromedp.Navigate("about:blank"))
	change(`store.mutate('comment1', { text: 'new' }), store.remove('comment2'), store.remove('card2'),
		store.mutate('card1', { archived: null }), store.mutate('card1', { title: 'new' }), store.mutate('card1', { archived: true }),
		store.mutate('card3', { archived: null }), store.mutate('keyboard', { archived: true }),
		store.transact([{ entityId: 'comment4', patch: { kind: 'comment', cardId: 'typo', text: 'new' } }])`)
	l.down()
	open()
	p.Until(`store.get('comment1')?.text === 'old' && store.get('card1')?.title === 'old'`)
	l.Again()
	p.live()
	other.live()
	const bare = `.map(({ liked, comments, ...e }) => JSON.stringify(Object.entries(e).sort()))`
	held := p.Eval(`JSON.stringify([...store.engine.view.allConfirmed()]` + bare + `)`)
	if got := other.Eval(`((is) => ` + held + `.filter((e) => !is.has(e)).join())(new Set([...store.engine.view.allConfirmed()]` + bare + `))`); got != "" {
		t.Errorf("not so on the board: %s", got)
	}
	p.Until(`store.get('typo').comments === 3 && store.get('card3').archived === undefined && store.get('keyboard').archived`)
}
