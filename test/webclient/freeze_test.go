package webclient

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/cutter"
)

// frozenFor is real time: a browser has no other.
const frozenFor = time.Minute

// watched connects a store that would take back on silence, and counts what must not be.
const watched = `(async () => {
	globalThis.wrong = []; globalThis.ticks = 0; globalThis.verdicts = {};
	setInterval(() => ticks++, 100);
	globalThis.store = snapback.connect({ url: '%s', board: 'demo', user: '%s', rollbackOnSilence: true });
	store.onRollback((m, why) => wrong.push(m.id + ' ' + why.code));
	store.onSettled((m, v) => verdicts[m.id] = v);
	return String(await store.ready);
})()`

// freeze hides the page and lets it run no more, until thaw.
func freeze(p *chrome.Page) {
	p.TB.Helper()
	p.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		// A page with the focus, even a pretended one, is not frozen.
		if _, err := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: false}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateFrozen})
		return err
	}))
}

func thaw(p *chrome.Page) {
	p.TB.Helper()
	p.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateActive})
		return err
	}))
}

// awake holds what a page sent from a moment on against law 5: on the
// connection it had a ping before all else, and on none a question for a
// verdict that was not overdue in running time.
func (l *line) awake(t *testing.T, since time.Time) {
	t.Helper()
	first := ""
	for _, f := range l.frames() {
		if f.way != cutter.Up || f.at.Before(since) {
			continue
		}
		if first == "" && f.conn == 0 {
			first = f.Type
		}
		if f.Type == "cancel" {
			t.Error("it asked for a verdict that was not overdue")
		}
	}
	if first != "ping" && (first != "" || len(l.tap.Conns()) == 1) {
		t.Errorf("its first frame is %q", first)
	}
}

// TestFreeze: a page that is frozen for a minute with a mutation on its way
// takes nothing back when it goes on. (Chromium closes the socket of a frozen
// page when that goes on, just before or just after its ping; what came
// meanwhile is lost with it.)
func TestFreeze(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	p := stand(t, chrome.Start(t), "ann", "http://"+l.Addr)
	p.Eval(fmt.Sprintf(watched, "http://"+l.proxy.Addr(), "ann"))
	l.proxy.Stall(cutter.Down)
	id := p.Eval(`store.mutate('typo', { title: 'made before' }).id`)
	l.await(t, "its verdict", func(f frame) bool { return f.way == cutter.Down && f.ID == id })
	ticks := func() int {
		n, err := strconv.Atoi(p.Eval("ticks"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	freeze(p)
	l.proxy.Release()
	before, frozen := ticks(), time.Now().Add(5*time.Second) // what it said when it was hidden is on its way
	time.Sleep(frozenFor)
	if n := ticks() - before; n > int(frozenFor/time.Second) {
		t.Fatalf("it was not frozen: %d ticks", n)
	}
	thawed := time.Now()
	thaw(p)
	p.Until(fmt.Sprintf("verdicts['%s'] && store.status === 'live' && store.inspect().pending.length === 0", id))
	if got := p.Eval(fmt.Sprintf("JSON.stringify([verdicts['%s'].ok, wrong])", id)); got != "[true,[]]" {
		t.Errorf("verdict and rollbacks: %s", got)
	}
	l.awake(t, frozen)
	for _, f := range l.frames() {
		if f.way == cutter.Up && f.at.After(frozen) && f.at.Before(thawed) {
			t.Errorf("%s was sent while frozen", f.Type)
		}
	}
}

// TestBusyPage: a page that does not run for longer than a verdict may take
// pings when it runs again, and judges after the pong.
func TestBusyPage(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	p := stand(t, chrome.Start(t), "ann", "http://"+l.Addr)
	p.Eval(fmt.Sprintf(watched, "http://"+l.proxy.Addr(), "ann"))
	l.proxy.Stall(cutter.Down)
	id := p.Eval(`store.mutate('typo', { title: 'made before' }).id`)
	l.await(t, "its verdict", func(f frame) bool { return f.way == cutter.Down && f.ID == id })
	again := time.Now().Add(6_900 * time.Millisecond) // it cannot run again before, and may have pinged when Eval returns
	p.Eval(`(() => { for (const end = performance.now() + 7_000; performance.now() < end; ); })()`)
	l.await(t, "a ping", func(f frame) bool { return f.way == cutter.Up && f.Type == "ping" && f.at.After(again) })
	l.proxy.Release()
	p.Until(fmt.Sprintf("verdicts['%s']", id))
	if got := p.Eval(fmt.Sprintf("JSON.stringify([verdicts['%s'].ok, wrong])", id)); got != "[true,[]]" {
		t.Errorf("verdict and rollbacks: %s", got)
	}
	l.awake(t, again)
	if n := len(l.tap.Conns()); n != 1 {
		t.Errorf("it took %d connections", n)
	}
}

// TestStalledSocket: nothing comes through, and nobody says so. The page hears
// that the network has changed, pings, and after 3 s takes a new connection.
func TestStalledSocket(t *testing.T) {
	t.Parallel()
	browser, l := chrome.Start(t), newLine(t)
	p := stand(t, browser, "ann", "http://"+l.Addr)
	p.Eval(fmt.Sprintf(watched, "http://"+l.proxy.Addr(), "ann"))
	session := p.Eval("store.me.session")
	l.proxy.Stall(cutter.Up)
	l.proxy.Stall(cutter.Down)
	took, err := strconv.Atoi(p.Eval(`(async () => {
		const start = performance.now();
		window.dispatchEvent(new Event('online'));
		globalThis.made = store.mutate('typo', { liked: true });
		await new Promise((done) => store.onStatus((status) => status === 'live' && done()));
		return Math.round(performance.now() - start);
	})()`))
	if err != nil || took < 3_000 || took > 7_500 { // 8 s, had it pinged only when 5 s were quiet
		t.Errorf("live again after %d ms (%v); the pong is waited for 3 s", took, err)
	}
	if again := p.Eval("store.me.session"); again == session {
		t.Error("still the old connection")
	}
	if got := p.Eval("JSON.stringify([(await made).ok, wrong])"); got != "[true,[]]" {
		t.Errorf("verdict and rollbacks: %s", got)
	}
}
