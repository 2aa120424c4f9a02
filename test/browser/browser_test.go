// Package browser drives the page at / in a headless Chromium, with real mouse
// input, against the real binary.
package browser

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) { node.Main(m) }

const patience = 20 * time.Second // for one step

// chromium finds a browser. Without one the test fails where CI is set and is
// skipped, loudly, on a machine that has only Go.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium found: install one, the page must be looked at")
	}
	log.Print("SKIPPED: no Chromium found, THE PAGE IS NOT TESTED")
	t.Skip("no Chromium found")
	return ""
}

// browser starts a headless Chromium that makes windows.
func browser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1500, 900))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the end, so that the profile can be removed
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// window is one page of one user.
type window struct {
	t    *testing.T
	user string
	ctx  context.Context
}

func open(t *testing.T, browser context.Context, url, user string) *window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	w := &window{t, user, ctx}
	if err := chromedp.Do(ctx); err != nil { // opens the window, which lives as long as ctx
		t.Fatal(err)
	}
	w.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}))
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return // the window is closed
			}
			// A lost server is in the browser's log too, and none of the page's errors.
			if m.IsException() || m.Type == chromedp.ConsoleError && m.Source != "network" && !strings.Contains(m.Text, "WebSocket connection to") {
				t.Errorf("%s: on the console: %s", user, m.Text)
			}
		}
	}()
	w.do(chromedp.Navigate(url + "/?board=demo&user=" + user))
	w.until(`document.querySelector('#state').dataset.state === 'live' && document.querySelectorAll('.card').length > 5`)
	return w
}

func (w *window) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	run(w, chromedp.Steps(actions...))
}

func run[T any](w *window, action chromedp.Action[T]) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, action)
	if err != nil {
		w.t.Fatalf("%s: %v", w.user, err)
	}
	return got
}

// until waits for a condition on the page.
func (w *window) until(condition string) {
	w.t.Helper()
	_, err := chromedp.Run(w.ctx, chromedp.Poll[bool](condition, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience)))
	if err != nil {
		w.shot("failed-" + w.user)
		w.t.Fatalf("%s: not so: %s: %v\n%s", w.user, condition, err, w.eval(`document.body.innerText`))
	}
}

// eval gives an expression as text, awaited if it is a promise.
func (w *window) eval(expression string) string {
	w.t.Helper()
	return run(w, chromedp.Evaluate[string](`(async () => String(`+expression+`))()`, chromedp.EvalAwaitPromise))
}

// shot saves a picture where SNAPBACK_SHOTS says.
func (w *window) shot(name string) {
	w.t.Helper()
	if dir := os.Getenv("SNAPBACK_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), run(w, chromedp.CaptureScreenshot()), 0o644); err != nil {
			w.t.Error(err)
		}
	}
}

type point struct{ x, y float64 }

// at is the middle of an element, scrolled into view.
func (w *window) at(selector string) point {
	w.t.Helper()
	xy := run(w, chromedp.Evaluate[[]float64](fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: 'nearest', inline: 'nearest'});
		const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; })()`, selector)))
	return point{xy[0], xy[1]}
}

const (
	pressed  = input.DispatchMouseEventTypeMousePressed
	released = input.DispatchMouseEventTypeMouseReleased
	moved    = input.DispatchMouseEventTypeMouseMoved
)

// mouse is real input of the left button, held while moving.
func mouse(kind input.DispatchMouseEventType, p point) chromedp.Action[chromedp.Void] {
	return chromedp.MouseEvent(kind, p.x, p.y, chromedp.ButtonType(input.MouseButtonLeft), chromedp.ClickCount(1))
}

// grab presses on an element and moves to another, without letting go.
func (w *window) grab(from, to string) point {
	w.t.Helper()
	b, a := w.at(to), w.at(from)
	w.do(mouse(pressed, a))
	const steps = 12
	for i := 1; i <= steps; i++ {
		f := float64(i) / steps
		w.do(mouse(moved, point{a.x + (b.x-a.x)*f, a.y + (b.y-a.y)*f}))
	}
	return b
}

func (w *window) drag(from, to string) {
	w.t.Helper()
	w.do(mouse(released, w.grab(from, to)))
}

func (w *window) click(selector string) {
	w.t.Helper()
	p := w.at(selector)
	w.do(mouse(pressed, p), mouse(released, p))
}

func card(id string) string { return `.card[data-id="` + id + `"]` }

func in(column, id string) string {
	return fmt.Sprintf("document.querySelector('.column[data-id=%q] .card[data-id=%q]') !== null", column, id)
}

func settled(id string) string {
	return fmt.Sprintf("document.querySelector('.card[data-id=%q]').dataset.pending === undefined", id)
}

func TestTwoWindows(t *testing.T) {
	chrome := browser(t)
	server := node.Start(t, "node", t.TempDir(), "")
	url := "http://" + server.Addr
	ann, ben := open(t, chrome, url, "ann"), open(t, chrome, url, "ben")
	ann.shot("start")
	step := func(name string, play func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			ann.t, ben.t = t, t
			play(t)
		})
	}

	step("a dragged card is seen by the other", func(t *testing.T) {
		ann.until(`document.querySelector('#peers').textContent === 'B'`)
		drop := ann.grab(card("dark-mode"), `.column[data-id="review"] .cards .card`)
		ben.until(`document.querySelector('.card[data-id="dark-mode"] .here').textContent === 'ann'`)
		ann.shot("dragging")
		ann.do(mouse(released, drop))
		ann.until(in("review", "dark-mode"))
		ben.until(in("review", "dark-mode"))
		ann.until(settled("dark-mode"))
	})
	step("a full column snaps back and says why", func(t *testing.T) {
		if !strings.Contains(ben.eval(`document.querySelector('.column[data-id="doing"] .count').textContent`), "3 of 3") {
			t.Fatal("Doing is not full")
		}
		ben.drag(card("keyboard"), `.column[data-id="doing"] .cards .card`)
		ben.until(`document.querySelector('.toast')?.textContent.includes('“Doing” is full (3 of 3).')`)
		ben.until(in("ideas", "keyboard") + ` && document.querySelector('.card[data-id="keyboard"]').classList.contains('rejected')`)
		ben.shot("snapback")
		ben.until(settled("keyboard"))
		if ann.eval(in("ideas", "keyboard")) != "true" {
			t.Error("the other saw a move that never was")
		}
	})
	step("a file is renamed in place", func(t *testing.T) {
		ann.click(`.files li[data-id="file-traffic"] .tool`)
		ann.until(`document.activeElement.matches('.files input')`)
		ann.do(script(`document.activeElement.select()`), chromedp.KeyEvent("Safari table.csv\r"))
		for _, w := range []*window{ann, ben} {
			w.until(`document.querySelector('.files li[data-id="file-traffic"] .name').textContent === 'Safari table.csv'`)
		}
	})
	step("a like counts for both, and is lit for one", func(t *testing.T) {
		like := card("import-csv") + " .like"
		ann.click(like)
		ann.until(fmt.Sprintf(`document.querySelector(%q).textContent === '♥ 2'`, like))
		ben.until(fmt.Sprintf(`document.querySelector(%q).textContent === '♡ 2'`, like))
	})
	step("a card is added, renamed and moved by keyboard", func(t *testing.T) {
		ann.click(`.column[data-id="next"] .add input`)
		ann.do(chromedp.KeyEvent("<b>new</b> & plain\r"))
		named := `[...document.querySelectorAll('.column[data-id="next"] .card')].find((c) => c.querySelector('.title').textContent === '<b>new</b> & plain')`
		ben.until(named + ` !== undefined`)
		ann.until(named + ` !== undefined`)
		id := ann.eval(named + `.dataset.id`)
		ann.do(script(fmt.Sprintf(`document.querySelector(%q).focus()`, card(id))),
			chromedp.KeyEvent(kb.ArrowLeft, chromedp.KeyModifiers(chromedp.ModifierAlt)))
		ben.until(in("ideas", id))
		ann.click(card(id) + " .title")
		ann.do(script(`document.activeElement.select()`), chromedp.KeyEvent("renamed\r"))
		ben.until(fmt.Sprintf(`document.querySelector(%q).textContent === 'renamed'`, card(id)+" .title"))
		ann.until(`document.querySelector('.edit') === null`)
	})
	step("a file is uploaded", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "notes.txt")
		if err := os.WriteFile(path, []byte("hello"), 0o644); err != nil {
			t.Fatal(err)
		}
		ann.do(chromedp.SetUploadFiles(card("status-page")+` input[type=file]`, []string{path}))
		ben.until(fmt.Sprintf(`document.querySelector(%q)?.textContent === 'notes.txt'`, card("status-page")+" .files .name"))
		got := ben.eval(fmt.Sprintf(`await fetch(document.querySelector(%q).href).then((r) => r.text())`, card("status-page")+" .files .name"))
		if got != "hello" {
			t.Errorf("downloaded %q", got)
		}
	})
	step("the view survives a restart of the server", func(t *testing.T) {
		server.Kill()
		ben.until(`document.querySelector('#state').dataset.state === 'offline'`)
		ben.click(card("typo") + " .like")
		ben.until(`document.querySelector('#state').textContent.includes('1 unsaved')`)
		ben.shot("offline")
		server.Again()
		for _, w := range []*window{ann, ben} {
			w.until(`document.querySelector('#state').textContent === 'Live'`)
			w.until(fmt.Sprintf(`document.querySelector(%q).textContent.endsWith('1')`, card("typo")+" .like"))
		}
	})
	ann.t = t
	ann.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		dark := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, dark)
		return err
	}))
	ann.shot("dark")
}

func script(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](expression)
}
