package webclient

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/cutter"
)

// front serves an empty page, whatever becomes of the server.
func front(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>front</title><body></body>"))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// tab is a page that keeps the demo board.
type tab struct {
	*chrome.Page
	t             *testing.T
	origin, board string // of the page, and of the server
	user          string
}

func newTab(t *testing.T, browser context.Context, name, origin string, l *line, user string) *tab {
	t.Helper()
	p := &tab{chrome.Open(t, browser, name), t, origin, "http://" + l.proxy.Addr(), user}
	p.load()
	return p
}

// load loads the page, also anew.
func (p *tab) load() {
	p.TB.Helper()
	p.Do(chromedp.Navigate(p.origin))
	load(p.t, p.Page)
	p.Eval(fmt.Sprintf(`(() => {
		globalThis.verdicts = {};
		globalThis.kept = snapback.offline();
		globalThis.store = snapback.connect({ url: '%s', board: 'demo', user: '%s', offline: kept });
		store.onSettled((m, v) => (verdicts[m.id] ??= []).push(v.ok ? 'ok' : v.code));
	})()`, p.board, p.user))
}

// live waits for the board and for what is known of it to be kept.
func (p *tab) live() {
	p.TB.Helper()
	p.Until(`store.status === 'live' && store.inspect().pending.length === 0`)
	p.Until(`!kept.error`)
}

// stored says whether an id is in the page's database. (What a page does in its
// last moment may not come that far.)
const stored = `(async () => {
	for (const { name } of await indexedDB.databases()) {
		const db = await new Promise((done, failed) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result); r.onerror = failed; });
		try {
			for (const table of db.objectStoreNames) {
				const rows = await new Promise((done) => { db.transaction(table).objectStore(table).getAll().onsuccess = (e) => done(e.target.result); });
				if (JSON.stringify(rows).includes('"%s"')) return true;
			}
		} finally { db.close(); }
	}
	return false;
})()`

func (p *tab) keeps(id string) {
	p.TB.Helper()
	p.Until(fmt.Sprintf(stored, id))
}

func (p *tab) keepsNot(id string) {
	p.TB.Helper()
	p.Until("!(await " + fmt.Sprintf(stored, id) + ")")
}

const (
	painted = `store.list('card').length > 5`
	offline = `store.status === 'offline'`
)

func (l *line) down() {
	l.Kill()
	l.proxy.CutAll()
}

// TestOffline_SurvivesAReload: without a server a reloaded page shows the board
// with what was not sent, which gets its verdicts when the server is back.
func TestOffline_SurvivesAReload(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	p := newTab(t, chrome.Start(t), "ann", front(t), l, "ann")
	p.live()
	p.Until(painted)
	p.keeps("typo")
	l.down()
	p.Until(offline)
	renamed := p.Eval(`store.mutate('typo', { title: 'made without a server' }).id`)
	moved := p.Eval(`store.mutate('keyboard', { columnId: 'doing' }).id`) // which is full
	made := p.Eval(`store.create('card', { title: 'new', columnId: 'next' }).id`)
	p.keeps(made)
	p.load()
	p.Until(painted)
	p.Until(`store.get('typo').title === 'made without a server' && store.pending('typo') && store.get('keyboard').columnId === 'doing'`)
	if got := p.Eval(`store.inspect().pending.map((m) => m.id).join()`); got != renamed+","+moved+","+made {
		t.Errorf("pending after the reload: %s", got)
	}
	l.Again()
	p.Until(fmt.Sprintf(`['%s', '%s', '%s'].every((id) => verdicts[id])`, renamed, moved, made))
	if got := p.Eval(fmt.Sprintf(`['%s', '%s', '%s'].map((id) => verdicts[id].join()).join(' ')`, renamed, moved, made)); got != "ok wip_limit ok" {
		t.Errorf("verdicts: %s", got)
	}
	p.live()
	p.Until(`store.get('typo').title === 'made without a server' && store.get('keyboard').columnId === 'ideas' && store.list('card').some((c) => c.title === 'new')`)
	for _, id := range []string{renamed, moved, made} {
		p.keepsNot(id)
	}
	p.load()
	p.live()
	if got := p.Eval(`Object.keys(verdicts).length`); got != "0" {
		t.Errorf("%s verdicts again after another reload", got)
	}
}

// TestOffline_OneTabAdopts: what a closed tab has left is taken over by exactly
// one of the others, and sent once.
func TestOffline_OneTabAdopts(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	browser, origin := chrome.Start(t), front(t)
	var tabs []*tab
	for _, name := range []string{"first", "second", "third"} {
		p := newTab(t, browser, name, origin, l, "ann")
		p.live()
		p.Until(painted)
		tabs = append(tabs, p)
	}
	tabs[0].keeps("typo")
	l.down()
	ids := make([]string, len(tabs))
	for i, p := range tabs {
		p.Until(offline)
		ids[i] = p.Eval(fmt.Sprintf(`store.mutate('typo', { 'x-%d': true }).id`, i))
		p.keeps(ids[i])
	}
	tabs[0].Close()
	has := fmt.Sprintf(`store.inspect().pending.some((m) => m.id === '%s')`, ids[0])
	until(t, "one of the others has it", func() bool { return tabs[1].Eval(has) == "true" || tabs[2].Eval(has) == "true" })
	l.Again()
	for i, p := range tabs[1:] {
		p.live()
		p.Until(fmt.Sprintf(`verdicts['%s']?.join() === 'ok'`, ids[i+1]))
		p.Until(`[0, 1, 2].every((i) => store.get('typo')['x-' + i] === true)`)
	}
	if a, b := tabs[1].Eval(fmt.Sprintf(`verdicts['%s']?.join()`, ids[0])), tabs[2].Eval(fmt.Sprintf(`verdicts['%s']?.join()`, ids[0])); a+b != "okundefined" && a+b != "undefinedok" {
		t.Errorf("the two were told %s and %s of what the closed one has left", a, b)
	}
	sent := map[string]int{}
	for _, f := range l.frames() {
		if f.way == cutter.Up && f.Type == "mutate" {
			sent[f.ID]++
		}
	}
	for _, id := range ids {
		if sent[id] != 1 {
			t.Errorf("%s was sent %d times", id, sent[id])
		}
	}
}

// TestOffline_AnotherUserWipes: nobody sees what another has left, and when
// another has joined nothing of it is there any more.
func TestOffline_AnotherUserWipes(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	p := newTab(t, chrome.Start(t), "ann", front(t), l, "ann")
	p.live()
	p.keeps("typo")
	l.down()
	p.Until(offline)
	mine := p.Eval(`store.mutate('typo', { title: 'for my eyes' }).id`)
	p.keeps(mine)
	p.user = "ben"
	p.load()
	p.Until(offline)
	if got := p.Eval(`[store.list('card').length, store.inspect().pending.length].join()`); got != "0,0" {
		t.Errorf("ben sees %s cards and mutations of ann", got)
	}
	l.Again()
	p.live()
	p.Until(painted)
	p.keepsNot(mine)
	p.keeps("typo")
	l.down()
	p.user = "ann"
	p.load()
	p.Until(offline)
	if got := p.Eval(`[store.list('card').length, store.inspect().pending.length].join()`); got != "0,0" {
		t.Errorf("ann finds %s cards and mutations after ben was there", got)
	}
	for _, f := range l.frames() {
		if f.Type == "mutate" {
			t.Error("ben sent what ann had made")
		}
	}
}
