package browser

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/snapback-io/snapback/test/chrome"
)

// markup is what a text must stay.
const markup = `"><img src=x onerror="pwned=1"><script>pwned=2</script><a href="javascript:pwned=3" onfocus="pwned=4" autofocus>x`

const colour = `"><img src=x onerror="pwned=6">`

// harmed lists what of a text has become more than a text: what ran, what the
// page's policy had to stop, and elements and links that only markup makes.
const harmed = `JSON.stringify([typeof pwned === 'undefined' ? [] : 'ran: ' + pwned, stopped,
	[...document.querySelectorAll('body script, iframe, object, embed, base, [onerror], [onfocus], [onclick], [autofocus][href], img[src$="/x"]')].map((e) => e.outerHTML),
	[...document.querySelectorAll('[href], [src], [action]')].map((e) => e.href ?? e.src ?? e.action).filter((to) => !/^(https?:|blob:|data:image\/)/.test(to)),
	[...document.querySelectorAll('a[target]')].filter((a) => !a.relList.contains('noopener')).map((a) => a.outerHTML)].flat())`

// before has a script run in the window before any of the page's own.
func (w *window) before(script string) {
	w.TB.Helper()
	call(w, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// put uploads a file as it is said to be.
func (s *site) put(user, id, name, card, contentType, content string) {
	s.t.Helper()
	to := "http://" + s.Addr + "/v1/boards/demo/files/" + id + "/content?name=" + url.QueryEscape(name) + "&card=" + card
	if s.tokens == nil {
		to += "&user=" + user
	}
	req, err := http.NewRequest("PUT", to, strings.NewReader(content))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Mutation-Id", "put-"+id)
	if token := s.tokens[user]; token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 300 {
		s.t.Fatalf("upload %s: %s", name, resp.Status)
	}
}

// TestHostile_Texts: whatever people write, wherever they write it, is shown as
// they wrote it and does nothing.
func TestHostile_Texts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mutate("eve", "member:eve", patch{"kind": "member", "user": "eve", "role": "admin", "name": markup, "avatar": `https://x.invalid/"onerror="pwned=5`})
	for id, fields := range map[string]patch{
		"demo":           {"title": markup, "description": markup},
		"next":           {"title": markup, "color": colour},
		"import-csv":     {"title": markup, "archived": true},
		"member:" + "<b": {"kind": "member", "user": "<b", "role": "admin"},
		"evil-label":     {"kind": "label", "name": markup, "color": "red;background:url(javascript:pwned=6)"},
		"evil-comment":   {"kind": "comment", "cardId": "fix-login", "text": markup},
		"evil-list":      {"kind": "checklist", "cardId": "fix-login", "title": markup},
		"evil-link":      {"kind": "file", "cardId": "fix-login", "name": "plan.pdf", "url": "https://bank.example@x.invalid/" + url.PathEscape(markup)},
		"fix-login": {"title": markup, "description": markup + " https://x.invalid/\"onmouseover=\"pwned=7 javascript:pwned=8 data:text/html,x",
			"x-any": map[string]any{"__proto__": map[string]any{"pwned": 9}, "constructor": markup}, "color": colour},
	} {
		s.mutate("eve", id, fields)
	}
	s.mutate("eve", "evil-item", patch{"kind": "item", "checklistId": "evil-list", "text": markup})
	s.mutate("eve", "fix-login", patch{"labels": patch{"add": "evil-label"}, "assignees": patch{"add": []string{"eve", "<b"}}})
	s.put("eve", "evil-page", "page.html", "fix-login", "text/html", "<script>pwned=10</script>")
	s.put("eve", "evil-drawing", "drawing.svg", "fix-login", "image/svg+xml",
		`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="top.pwned=11"><script>top.pwned=12</script></svg>`)

	w, eve := s.empty("ann"), s.open("eve")
	eve.Do(chromedp.Evaluate[chromedp.Void](oddPeers))
	w.before(`globalThis.stopped = []; addEventListener('securitypolicyviolation', (e) => stopped.push('stopped: ' + e.violatedDirective + ' ' + e.blockedURI))`)
	w.visit("/boards/demo")
	w.Until(live + " && " + anyCards + " && " + shows(card("fix-login")+" .card-title", markup))
	w.Until(`document.querySelectorAll('.here li').length > 0`)
	look := func(where string) {
		t.Helper()
		w.Shot("hostile-" + where)
		if got := w.Eval(harmed); got != "[]" {
			t.Errorf("%s: %s", where, got)
		}
	}
	look("board")
	for _, panel := range []string{"archive", "files", "labels", "history", "members", "inspect"} {
		w.clickAt(`[data-opens=` + panel + `]`)
		w.Until(`document.querySelector('.drawer h2') !== null`)
		if panel == "history" {
			w.Until(`document.querySelector('.history-entry time') !== null`)
		}
		look(panel)
	}
	w.keys(kb.Escape)
	w.clickAt(card("fix-login") + " .card-title")
	w.Until(holds(dialog+" h2", markup) + ` && document.querySelectorAll('` + dialog + ` .file').length >= 4`)
	look("card")
	if got := w.Eval(`[...document.querySelectorAll('` + dialog + ` .props .chip')].every((c) => c.getBoundingClientRect().right <= c.closest('.props').getBoundingClientRect().right)`); got != "true" {
		t.Error("a label hangs out of its part of the card")
	}
	w.in(dialog).click("button", "Open drawing.svg")
	w.Until(`document.querySelector('.preview img')?.complete`)
	look("preview")
}

// oddPeers are pages of others that say of themselves what ours never would.
const oddPeers = `(() => {
	const deep = (n) => (n ? { card: deep(n - 1) } : 'fix-login');
	for (const data of [{ card: '<b>', doing: '<i>' }, { card: 'fix-login', doing: 'constructor' }, { card: ['fix-login'], doing: {} }, 7, 'text', [], true, deep(30),
		{ card: '"]:x', doing: 'drag' }, { card: '__proto__', doing: 'edit' }, { card: 'x'.repeat(900) }, JSON.parse('{"__proto__":{"card":"fix-login"}}')]) {
		const socket = new WebSocket('ws://' + location.host + '/v1/boards/demo/ws?user=' + encodeURIComponent('odd ' + JSON.stringify(data).slice(0, 20).replace(/[^a-z]/g, '')));
		(globalThis.odd ??= []).push(socket);
		socket.onmessage = (e) => JSON.parse(e.data).type === 'ready' && socket.send(JSON.stringify({ type: 'presence', data }));
	}
})()`

// TestHostile_Drawing: with tokens the page fetches a picture itself; one that
// can carry scripts gets no address of this origin.
func TestHostile_Drawing(t *testing.T) {
	t.Parallel()
	s := newClosedSite(t)
	s.put("ann", "drawing", "drawing.svg", "fix-login", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><script>alert(1)</script><rect width="90" height="90"/></svg>`)
	w := s.enter("vera")
	w.clickAt(card("fix-login") + " .card-title")
	w.in(dialog).click("button", "Open drawing.svg")
	w.Until(`document.querySelector('.preview img')?.naturalWidth === 90`)
	if got := w.Eval(`[...document.images].filter((i) => i.src.startsWith('blob:')).map((i) => i.src).join()`); got != "" {
		t.Errorf("a drawing of somebody is at %s", got)
	}
}

// TestSignOut_LeavesNothing: of a person who has signed out nothing is in the
// browser, and who signs in after him finds none of his words.
func TestSignOut_LeavesNothing(t *testing.T) {
	t.Parallel()
	s := newClosedSite(t)
	w := s.enter("ann")
	w.describe("fix-login")
	w.write("a secret of ann")
	w.keys(kb.Escape)
	const stored = `JSON.stringify([{ ...localStorage }, Object.keys(sessionStorage)])`
	w.Until(stored + `.includes('a secret of ann')`)
	if got := w.Eval(`location.href + JSON.stringify({ ...localStorage })`); strings.Contains(got, s.tokens["ann"]) {
		t.Error("the token is kept beyond its window")
	}
	w.keys(kb.Escape)
	w.Until(`document.querySelector('` + dialog + `') === null`)
	w.clickAt(`.main-menu`)
	w.click("menuitem", "Sign out…")
	w.in("dialog:modal").click("button", "Sign out")
	w.Until(has(".sign-in input") + " && " + stored + ` === '[{},[]]'`)
	const kept = `(async () => {
		let rows = 0;
		for (const { name } of await indexedDB.databases()) {
			const db = await new Promise((done) => (indexedDB.open(name).onsuccess = (e) => done(e.target.result)));
			for (const store of db.objectStoreNames) rows += await new Promise((done) => (db.transaction(store).objectStore(store).count().onsuccess = (e) => done(e.target.result)));
			db.close();
		}
		return rows;
	})()`
	w.Until(kept + ` .then((rows) => rows === 0)`)
	w.write(s.tokens["vera"])
	w.click("button", "Sign in")
	w.Until(live + " && " + anyCards)
	if got := w.Eval(`document.body.innerText + ` + stored); strings.Contains(got, "secret") || strings.Contains(got, "/ann/") {
		t.Errorf("vera finds of ann:\n%s", got)
	}
}

// TestTwoUsers_OneBrowser: two windows of one browser are two people; neither
// sees the other's unfinished words, and both keep their own.
func TestTwoUsers_OneBrowser(t *testing.T) {
	t.Parallel()
	s := newClosedSite(t)
	s.tokens["ben"] = s.tokens["vera"]
	s.mutate("ann", "fix-login", patch{"description": "as it was"})
	ann := s.enter("ann")
	ben := &window{Page: chrome.Open(t, ann.Ctx, "ben"), site: s, user: "ben", heard: &heard{}}
	ben.visit("/boards/demo")
	ben.Until(has(".sign-in input"))
	ben.write(s.tokens["ben"])
	ben.click("button", "Sign in")
	ben.Until(live + " && " + anyCards)
	ann.describe("fix-login")
	ann.write("words of ann")
	ben.Until(`JSON.stringify({ ...localStorage }).includes('words of ann')`) // one browser
	ben.clickAt(card("fix-login") + " .card-title")
	ben.Until(shows(dialog+" .description .prose", "as it was"))
	if got := ben.Eval(`document.body.innerText`); strings.Contains(got, "words of ann") {
		t.Error("ben sees what ann has not sent")
	}
	ann.Do(chromedp.Reload())
	ann.Until(live + ` && document.querySelector('` + dialog + ` h2') !== null`)
	if ann.Eval(`document.querySelector('`+dialog+` `+editor+`') === null`) == "true" {
		ann.in(dialog).click("button", "Edit the description")
	}
	ann.Until(value(dialog+" "+editor, "words of ann"))
	ann.in(dialog).click("button", "Save")
	ben.Until(shows(dialog+" .description .prose", "words of ann"))
	s.agree(ann, ben)
}

// TestNothingKept: a browser that lets the page keep nothing shows the board,
// and what is done there is done.
func TestNothingKept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.empty("ann")
	w.before(`for (const name of ['localStorage', 'sessionStorage']) {
		Object.defineProperty(globalThis, name, { get() { throw new DOMException('blocked', 'SecurityError'); } });
	}
	IDBFactory.prototype.open = () => { throw new DOMException('blocked', 'SecurityError'); }`)
	w.visit("/boards/demo")
	w.Until(live + " && " + anyCards)
	w.drag("dark-mode", "review", "release-notes")
	w.describe("fix-login")
	w.write("kept by the server alone")
	w.in(dialog).click("button", "Save")
	w.Until(shows(dialog+" .description .prose", "kept by the server alone"))
	w.keys(kb.Escape)
	s.agree(w)
	if got := s.entity("ann", "dark-mode")["columnId"]; got != "review" {
		t.Errorf("the card is in %v", got)
	}
}

// TestHostile_LongTitles: one endless title leaves room for what stands around it.
func TestHostile_LongTitles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mutate("ben", "fix-login", patch{"title": strings.Repeat("W", 16384)})
	s.mutate("ben", "next", patch{"title": strings.Repeat("W", 16384)})
	w := s.empty("ann")
	w.visit("/boards/demo")
	w.Until(live + " && " + anyCards)
	w.Shot("hostile-long-titles")
	for _, part := range []string{column("next") + " .column-head", card("fix-login")} {
		if got := w.Eval(fmt.Sprintf(`document.querySelector(%q).offsetHeight < innerHeight`, part)); got != "true" {
			t.Errorf("%s is higher than the window", part)
		}
	}
	w.drag("typo", "next", "import-csv")
	w.Until(in("next", "typo") + " && " + settled)
}
