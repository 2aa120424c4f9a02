// Package browser drives the board application at / in a headless Chromium,
// with real input by mouse, keyboard and finger, against the real binary.
package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) { node.Main(m, func() { chromium.end() }) }

// chromium is the one that all tests open their windows in.
var chromium shared

type shared struct {
	once sync.Once
	ctx  context.Context
	end  func()
	err  error
}

func init() { chromium.end = func() {} }

func (s *shared) start(t *testing.T) context.Context {
	t.Helper()
	path := chrome.Path(t)
	s.once.Do(func() {
		profile, err := os.MkdirTemp("", "snapback-chromium")
		if err != nil {
			s.err = err
			return
		}
		var end func()
		s.ctx, end, s.err = chrome.Launch(path, profile)
		s.end = func() {
			if end != nil {
				end()
			}
			os.RemoveAll(profile)
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.ctx
}

// demo is the board that a new server makes: cards called dark-mode, keyboard
// and calendar in ideas; fix-login, import-csv and status-page in next; search,
// upload and onboarding in doing, which holds three; rate-limit and
// release-notes in review; backup and typo in done.
const demo = "demo"

// site is a server of one test, and its demo board.
type site struct {
	*node.Server
	t      *testing.T
	tokens map[string]string // by user; empty: the server takes everybody's word
}

func newSite(t *testing.T, args ...string) *site {
	t.Helper()
	return &site{Server: node.Start(t, "server", t.TempDir(), "", append(args, "--log-level=warn")...), t: t}
}

func (s *site) url(user, path string) string {
	if s.tokens != nil {
		return "http://" + s.Addr + path
	}
	return "http://" + s.Addr + path + "?user=" + url.QueryEscape(user)
}

// ask sends a request of a user and gives the answer's body.
func (s *site) ask(user, method, path string, body any) []byte {
	s.t.Helper()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		sent = strings.NewReader(string(text))
	}
	req, err := http.NewRequest(method, s.url(user, path), sent)
	if err != nil {
		s.t.Fatal(err)
	}
	if token := s.tokens[user]; token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, text, err)
	}
	return text
}

// patch is a change of one entity by somebody who has no window, or by a hand
// quicker than any.
type patch map[string]any

func (s *site) mutate(user, id string, fields patch) {
	s.t.Helper()
	s.ask(user, "POST", "/v1/boards/demo/mutations", map[string]any{
		"clientMutationId": fmt.Sprintf("by-test-%d", nextID()), "entityId": id, "patch": fields})
}

var nextID = func() func() int {
	var mu sync.Mutex
	n := 0
	return func() int { mu.Lock(); defer mu.Unlock(); n++; return n }
}()

// entity gives an entity of the demo board as the server has it, nil if it has none.
func (s *site) entity(user, id string) map[string]any {
	s.t.Helper()
	for _, e := range s.entities(user) {
		if e["id"] == id {
			return e
		}
	}
	return nil
}

// stands waits until a card is in a column, by the server.
func (s *site) stands(id, column string) {
	s.t.Helper()
	for end := time.Now().Add(chrome.Patience); s.entity("ann", id)["columnId"] != column; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s is not in %s", id, column)
		}
	}
}

func (s *site) entities(user string) []map[string]any {
	s.t.Helper()
	var board struct{ Entities []map[string]any }
	if err := json.Unmarshal(s.ask(user, "GET", "/v1/boards/demo", nil), &board); err != nil {
		s.t.Fatal(err)
	}
	return board.Entities
}

// window is the page of one user, in a browser of his own: nothing is shared
// with the other windows but the server.
type window struct {
	*chrome.Page
	site *site
	user string
	part string // where find looks, a selector; empty: everywhere

	heard *heard
}

// heard is what came through the window's sockets.
type heard struct {
	mu      sync.Mutex
	session string // of the newest hello
	frames  []string
	open    map[string]bool // mutations that were sent, also anew since that hello, and have no verdict
}

const (
	live    = `document.body.dataset.status === 'live'`
	offline = `document.body.dataset.status === 'offline'`
	settled = `document.body.dataset.waiting === '0'`
	// What is shown goes out when it has been painted.
	sent     = `Promise.race([new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20)))), new Promise((done) => setTimeout(done, 500))])`
	anyCards = `document.querySelectorAll('.card[data-id]').length > 5`
)

// open opens a window at the demo board.
func (s *site) open(user string) *window {
	s.t.Helper()
	w := s.empty(user)
	w.visit("/boards/demo")
	w.Until(live + " && " + anyCards)
	return w
}

// empty opens a window that shows nothing yet.
func (s *site) empty(user string) *window {
	s.t.Helper()
	browser := chromium.start(s.t)
	w := &window{Page: chrome.Open(s.t, browser, user, chromedp.WithNewBrowserContext()), site: s, user: user, heard: &heard{open: map[string]bool{}}}
	if err := chromedp.Listen(w.Ctx, w.listen); err != nil {
		s.t.Fatal(err)
	}
	call(w, network.Enable, network.EnableParams{})
	return w
}

// visit goes to a path; a query in it is added to the user's name.
func (w *window) visit(path string) {
	w.TB.Helper()
	path, query, _ := strings.Cut(path, "?")
	to := w.site.url(w.user, path)
	if query != "" {
		to += map[bool]string{true: "&", false: "?"}[strings.Contains(to, "?")] + query
	}
	w.Do(chromedp.Navigate(to))
}

func (w *window) listen(event any) {
	w.heard.mu.Lock()
	defer w.heard.mu.Unlock()
	var frame struct{ Type, Session, ClientMutationID string }
	switch e := event.(type) {
	case *network.EventWebSocketFrameSent:
		if json.Unmarshal(e.Response.PayloadData, &frame) == nil && frame.Type == "mutate" {
			w.heard.open[frame.ClientMutationID] = true
		}
	case *network.EventWebSocketFrameReceived:
		if json.Unmarshal(e.Response.PayloadData, &frame) != nil {
			return
		}
		switch frame.Type {
		case "hello":
			w.heard.session = frame.Session
			clear(w.heard.open)
		case "ack", "nack":
			delete(w.heard.open, frame.ClientMutationID)
		}
		w.heard.frames = append(w.heard.frames, string(e.Response.PayloadData))
	}
}

// waits says whether something that the window has sent has no verdict; what it
// shows of that is slower.
func (w *window) waits() bool {
	w.heard.mu.Lock()
	defer w.heard.mu.Unlock()
	return len(w.heard.open) > 0
}

// call calls a method of the page's debugger.
func call[P, R any](w *window, command cdp.Command[P, R], params P) R {
	w.TB.Helper()
	return chrome.Run(w.Page, func(ctx context.Context, target *chromedp.Target) (R, error) {
		return cdp.Call(ctx, target, command, params)
	})
}

// in is the window, looked at in one part of the page only.
func (w *window) in(part string) *window {
	narrow := *w
	narrow.part = part
	return &narrow
}

// lab has the server do with the window's next mutations as planned: pass,
// refuse, swallow. The server must have been started with --lab.
func (w *window) lab(setting map[string]any) {
	w.TB.Helper()
	w.heard.mu.Lock()
	session := w.heard.session
	w.heard.mu.Unlock()
	w.site.lab(w.user, session, setting)
}

func (s *site) lab(user, session string, setting map[string]any) {
	s.t.Helper()
	text, err := json.Marshal(setting)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequest("PUT", s.url(user, "/v1/boards/demo/lab")+"&session="+url.QueryEscape(session), strings.NewReader(string(text)))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("the lab: %s", resp.Status)
	}
}
