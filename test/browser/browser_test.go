// Package browser drives the page at / in a headless Chromium, with real mouse
// input, against the real binary.
package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) { node.Main(m) }

// window is one page of one user.
type window struct{ *chrome.Page }

func open(t *testing.T, browser context.Context, url, user string) *window {
	t.Helper()
	w := &window{chrome.Open(t, browser, user)}
	w.Do(chromedp.Navigate(url + "/?board=demo&user=" + user))
	w.Until(`document.querySelector('#state').dataset.state === 'live' && document.querySelectorAll('.card').length > 5`)
	return w
}

type point struct{ x, y float64 }

// at is the middle of an element, scrolled into view.
func (w *window) at(selector string) point {
	w.TB.Helper()
	xy := chrome.Run(w.Page, chromedp.Evaluate[[]float64](fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: 'nearest', inline: 'nearest'});
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
	w.TB.Helper()
	b, a := w.at(to), w.at(from)
	w.Do(mouse(pressed, a))
	const steps = 12
	for i := 1; i <= steps; i++ {
		f := float64(i) / steps
		w.Do(mouse(moved, point{a.x + (b.x-a.x)*f, a.y + (b.y-a.y)*f}))
	}
	return b
}

func (w *window) drag(from, to string) {
	w.TB.Helper()
	w.Do(mouse(released, w.grab(from, to)))
}

func (w *window) click(selector string) {
	w.TB.Helper()
	p := w.at(selector)
	w.Do(mouse(pressed, p), mouse(released, p))
}

func card(id string) string { return `.card[data-id="` + id + `"]` }

func in(column, id string) string {
	return fmt.Sprintf("document.querySelector('.column[data-id=%q] .card[data-id=%q]') !== null", column, id)
}

func settled(id string) string {
	return fmt.Sprintf("document.querySelector('.card[data-id=%q]').dataset.pending === undefined", id)
}

func TestTwoWindows(t *testing.T) {
	tabs := chrome.Start(t)
	server := node.Start(t, "node", t.TempDir(), "")
	url := "http://" + server.Addr
	ann, ben := open(t, tabs, url, "ann"), open(t, tabs, url, "ben")
	ann.Shot("start")
	step := func(name string, play func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			ann.TB, ben.TB = t, t
			play(t)
		})
	}

	step("a dragged card is seen by the other", func(t *testing.T) {
		ann.Until(`document.querySelector('#peers').textContent === 'B'`)
		drop := ann.grab(card("dark-mode"), `.column[data-id="review"] .cards .card`)
		ben.Until(`document.querySelector('.card[data-id="dark-mode"] .here').textContent === 'ann'`)
		ann.Shot("dragging")
		ann.Do(mouse(released, drop))
		ann.Until(in("review", "dark-mode"))
		ben.Until(in("review", "dark-mode"))
		ann.Until(settled("dark-mode"))
	})
	step("a full column snaps back and says why", func(t *testing.T) {
		if !strings.Contains(ben.Eval(`document.querySelector('.column[data-id="doing"] .count').textContent`), "3 of 3") {
			t.Fatal("Doing is not full")
		}
		ben.drag(card("keyboard"), `.column[data-id="doing"] .cards .card`)
		ben.Until(`document.querySelector('.toast')?.textContent.includes('“Doing” is full (3 of 3).')`)
		ben.Until(in("ideas", "keyboard") + ` && document.querySelector('.card[data-id="keyboard"]').classList.contains('rejected')`)
		ben.Shot("snapback")
		ben.Until(settled("keyboard"))
		if ann.Eval(in("ideas", "keyboard")) != "true" {
			t.Error("the other saw a move that never was")
		}
	})
	step("a file is renamed in place", func(t *testing.T) {
		ann.click(`.files li[data-id="file-traffic"] .tool`)
		ann.Until(`document.activeElement.matches('.files input')`)
		ann.Do(script(`document.activeElement.select()`), chromedp.KeyEvent("Safari table.csv\r"))
		for _, w := range []*window{ann, ben} {
			w.Until(`document.querySelector('.files li[data-id="file-traffic"] .name').textContent === 'Safari table.csv'`)
		}
	})
	step("a like counts for both, and is lit for one", func(t *testing.T) {
		like := card("import-csv") + " .like"
		ann.click(like)
		ann.Until(fmt.Sprintf(`document.querySelector(%q).textContent === '♥ 2'`, like))
		ben.Until(fmt.Sprintf(`document.querySelector(%q).textContent === '♡ 2'`, like))
	})
	step("a card is added, renamed and moved by keyboard", func(t *testing.T) {
		ann.click(`.column[data-id="next"] .add input`)
		ann.Do(chromedp.KeyEvent("<b>new</b> & plain\r"))
		named := `[...document.querySelectorAll('.column[data-id="next"] .card')].find((c) => c.querySelector('.title').textContent === '<b>new</b> & plain')`
		ben.Until(named + ` !== undefined`)
		ann.Until(named + ` !== undefined`)
		id := ann.Eval(named + `.dataset.id`)
		ann.Do(script(fmt.Sprintf(`document.querySelector(%q).focus()`, card(id))),
			chromedp.KeyEvent(kb.ArrowLeft, chromedp.KeyModifiers(chromedp.ModifierAlt)))
		ben.Until(in("ideas", id))
		ann.click(card(id) + " .title")
		ann.Do(script(`document.activeElement.select()`), chromedp.KeyEvent("renamed\r"))
		ben.Until(fmt.Sprintf(`document.querySelector(%q).textContent === 'renamed'`, card(id)+" .title"))
		ann.Until(`document.querySelector('.edit') === null`)
	})
	step("a file is uploaded", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "notes.txt")
		if err := os.WriteFile(path, []byte("hello"), 0o644); err != nil {
			t.Fatal(err)
		}
		ann.Do(chromedp.SetUploadFiles(card("status-page")+` input[type=file]`, []string{path}))
		ben.Until(fmt.Sprintf(`document.querySelector(%q)?.textContent === 'notes.txt'`, card("status-page")+" .files .name"))
		got := ben.Eval(fmt.Sprintf(`await fetch(document.querySelector(%q).href).then((r) => r.text())`, card("status-page")+" .files .name"))
		if got != "hello" {
			t.Errorf("downloaded %q", got)
		}
	})
	step("the view survives a restart of the server", func(t *testing.T) {
		server.Kill()
		ben.Until(`document.querySelector('#state').dataset.state === 'offline'`)
		ben.click(card("typo") + " .like")
		ben.Until(`document.querySelector('#state').textContent.includes('1 unsaved')`)
		ben.Shot("offline")
		server.Again()
		for _, w := range []*window{ann, ben} {
			w.Until(`document.querySelector('#state').textContent === 'Live'`)
			w.Until(fmt.Sprintf(`document.querySelector(%q).textContent.endsWith('1')`, card("typo")+" .like"))
		}
	})
	ann.TB = t
	ann.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		dark := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, dark)
		return err
	}))
	ann.Shot("dark")
}

func script(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](expression)
}
