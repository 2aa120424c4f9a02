// Package chrome drives pages in a headless Chromium.
package chrome

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/tool"
)

// Patience is for one step on a page.
const Patience = time.Minute

// Path is where Chromium is; see [tool.Find].
func Path(tb testing.TB) string {
	tb.Helper()
	return tool.Find(tb, "what runs in a browser", "chromium", "chromium-browser", "google-chrome", "chrome")
}

// Start starts a Chromium with a profile of its own, which ends with the test.
// Open makes its windows.
func Start(tb testing.TB) context.Context {
	tb.Helper()
	ctx, end, err := Launch(Path(tb), tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(end)
	return ctx
}

// Launch is Start for several tests: profile is a directory, to be removed
// after end, which ends Chromium.
func Launch(path, profile string) (ctx context.Context, end func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1500, 900))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	end = func() {
		_ = chromedp.Cancel(ctx) // waits for the end, so that the profile can be removed
		cancel()
		stop()
	}
	if err := chromedp.Do(ctx); err != nil {
		end()
		return nil, nil, err
	}
	return ctx, end, nil
}

// Page is a window of a browser.
type Page struct {
	TB   testing.TB
	Name string
	Ctx  context.Context // the window's life
}

// Open opens an empty window. What is thrown on the page, or said to be an
// error on its console, fails the test.
func Open(tb testing.TB, browser context.Context, name string, options ...chromedp.ContextOption) *Page {
	tb.Helper()
	ctx, cancel := chromedp.NewContext(browser, options...)
	tb.Cleanup(cancel)
	p := &Page{tb, name, ctx}
	if err := chromedp.Do(ctx); err != nil { // opens the window, which lives as long as ctx
		tb.Fatal(err)
	}
	p.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
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
			if m.IsException() || m.Type == chromedp.ConsoleError && m.Source != "network" && !strings.HasPrefix(m.Text, "WebSocket ") {
				p.TB.Errorf("%s: on the console: %s", name, m.Text)
			}
		}
	}()
	return p
}

// Close closes the window, as its user would.
func (p *Page) Close() {
	p.TB.Helper()
	if err := chromedp.Cancel(p.Ctx); err != nil {
		p.TB.Errorf("%s: %v", p.Name, err)
	}
}

// Do plays actions.
func (p *Page) Do(actions ...chromedp.Action[chromedp.Void]) {
	p.TB.Helper()
	Run(p, chromedp.Steps(actions...))
}

// Run plays an action and gives what it gives.
func Run[T any](p *Page, action chromedp.Action[T]) T {
	p.TB.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	got, err := chromedp.Run(ctx, action)
	if err != nil {
		p.TB.Fatalf("%s: %v", p.Name, err)
	}
	return got
}

// Until waits for a condition on the page, which may be a promise.
func (p *Page) Until(condition string) {
	p.TB.Helper()
	_, err := chromedp.Run(p.Ctx, chromedp.Poll[bool]("(async () => !!(await ("+condition+")))()", chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(Patience)))
	if err != nil {
		p.Shot("failed-" + p.Name)
		p.TB.Fatalf("%s: not so: %s: %v\n%s", p.Name, condition, err, p.Eval(`document.body.innerText`))
	}
}

// Eval gives an expression as text, awaited if it is a promise.
func (p *Page) Eval(expression string) string {
	p.TB.Helper()
	return Run(p, chromedp.Evaluate[string](`(async () => String(await (`+expression+`)))()`, chromedp.EvalAwaitPromise))
}

// Shot saves a picture where SNAPBACK_SHOTS says.
func (p *Page) Shot(name string) {
	p.TB.Helper()
	if dir := os.Getenv("SNAPBACK_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), Run(p, chromedp.CaptureScreenshot()), 0o644); err != nil {
			p.TB.Error(err)
		}
	}
}
