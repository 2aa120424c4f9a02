// Package webclient holds the browser client against a real server on pages of
// a real browser: frozen, cut off, reloaded, and out of its npm package.
package webclient

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/bundle"
	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/node"
	"github.com/snapback-io/snapback/test/tool"
)

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "4") // pages wait most of the time
	node.Main(m)
}

// line is a server behind a proxy that records.
type line struct {
	*node.Server
	proxy *cutter.Proxy
	tap   *cutter.Recorder
}

func newLine(t *testing.T) *line {
	t.Helper()
	return lineTo(t, node.Start(t, "server", t.TempDir(), "", "--log-level=warn", "--origin=*"))
}

func lineTo(t *testing.T, s *node.Server) *line {
	t.Helper()
	l := &line{Server: s, tap: &cutter.Recorder{}}
	var err error
	if l.proxy, err = cutter.New(s.Addr, l.tap); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.proxy.Close)
	return l
}

// frame is what a test looks at in a frame.
type frame struct {
	way  cutter.Way
	at   time.Time
	conn int // counts connections from 0

	Type string
	ID   string `json:"clientMutationId"`
	Code string
}

// frames are those that have passed, in the order of time on each connection.
func (l *line) frames() []frame {
	var list []frame
	for n, c := range l.tap.Conns() {
		for _, raw := range c.Frames {
			f := frame{way: raw.Way, at: raw.At, conn: n}
			_ = json.Unmarshal(raw.Data, &f)
			list = append(list, f)
		}
	}
	return list
}

// await waits until a frame has passed.
func (l *line) await(t *testing.T, what string, is func(f frame) bool) {
	t.Helper()
	until(t, "a frame is "+what, func() bool { return slices.ContainsFunc(l.frames(), is) })
}

// stand opens a page of the server that runs nothing of its own and imports
// what the server serves at /client.js, as the global snapback.
func stand(t *testing.T, browser context.Context, name, origin string) *chrome.Page {
	t.Helper()
	p := chrome.Open(t, browser, name)
	p.Do(chromedp.Navigate(origin + "/client.js"))
	p.Eval(`import('/client.js').then((module) => { globalThis.snapback = module; })`)
	return p
}

// client is the npm package.
var client = filepath.Join("..", "..", "gateway", "browser")

// packages sees to it that those of package-lock.json are there; see [tool.Missing].
func packages(t *testing.T, untested string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(client, "node_modules", "typescript")); err != nil {
		tool.Missing(t, untested, "gateway/browser/node_modules (npm ci makes it)")
	}
}

// load loads page.tsx as the global snapback: the client from its source, and
// what is beside it.
func load(t *testing.T, p *chrome.Page) {
	t.Helper()
	packages(t, "React on a page")
	p.Do(chromedp.Evaluate[chromedp.Void](bundle.Script(t, filepath.Join(client, "test", "page.tsx"), "snapback")))
}

// until waits for what no single page can tell.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(chrome.Patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so: %s", what)
		}
	}
}
