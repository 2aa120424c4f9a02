// Package instant measures the board application in a real browser whose
// processor is made four times slower, on a board of 4,900 cards
// (it may have 5,000, and some are added):
//
//	go test ./test/instant -bench . -benchtime 40x
//
// p95-ms is the Event Timing of a local change: from the key or the button to
// the next painting (in steps of 8 ms; what is below 16 ms counts as 16).
// long-tasks are those above 50 ms while syncs of others come in. Both are
// times of the clock, and say little while others use the machine; cpu-ms,
// what the page's main thread computes for one action or sync, at the slowed
// processor and with all that follows it, says something there as well.
package instant

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/client"
	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) { node.Main(m) }

const (
	columns = 10
	cards   = 4_900
	slower  = 4  // times
	rate    = 50 // syncs of others, per second
)

// stage is a server with a large board, somebody who changes it, and a window.
type stage struct {
	url   string
	other *client.Client
	page  *chrome.Page
}

func newStage(b *testing.B) *stage {
	b.Helper()
	tabs := chrome.Start(b)
	s := &stage{url: "http://" + node.Start(b, "node", b.TempDir(), "", "--log-level=warn").Addr}
	answer, err := http.Post(s.url+"/v1/boards?user=ben", "application/json", strings.NewReader(`{"id":"wide","title":"A wide board"}`))
	if err != nil || answer.StatusCode != http.StatusCreated {
		b.Fatalf("no board: %v %v", answer, err)
	}
	answer.Body.Close()
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	other, err := client.Connect(ctx, client.Options{URL: s.url, Board: "wide", User: "ben", TTL: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(other.Close)
	s.other = other
	s.fill(b)
	s.page = chrome.Open(b, tabs, "ann")
	s.page.Do(chromedp.EmulateViewport(1400, 850), chromedp.Navigate(s.url+"/boards/wide?user=ann"))
	s.page.Until(`document.body.dataset.status === "live" && document.querySelectorAll(".column[data-id=wide-0] .card").length > 5`)
	chrome.Run(s.page, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, performance.Enable, performance.EnableParams{TimeDomain: "threadTicks"}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: slower})
		return err
	}))
	return s
}

// cpu is how long the page's main thread has computed, in milliseconds.
func (s *stage) cpu() float64 {
	var took float64
	chrome.Run(s.page, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		got, err := cdp.Call(ctx, target, performance.GetMetrics, cdp.Empty{})
		for _, m := range got.Metrics {
			if m.Name == "TaskDuration" {
				took = m.Value * 1000
			}
		}
		return err
	}))
	return took
}

// fill gives the board its columns, labels and cards.
func (s *stage) fill(b *testing.B) {
	b.Helper()
	var all []*client.Mutation
	for i := columns - 1; i >= 0; i-- {
		all = append(all, s.other.Transact(domain.Change{EntityID: fmt.Sprint("wide-", i), Patch: domain.Patch{
			"kind": "column", "title": fmt.Sprint("Column ", i), "position": map[string]any{"after": nil}}}))
	}
	labels := []string{"red", "blue", "green", "yellow", "purple"}
	for _, color := range labels {
		all = append(all, s.other.Transact(domain.Change{EntityID: color, Patch: domain.Patch{"kind": "label", "name": color, "color": color}}))
	}
	var changes []domain.Change
	for i := range cards {
		patch := domain.Patch{"kind": "card", "columnId": fmt.Sprint("wide-", i%columns), "title": fmt.Sprintf("Card %d: %s", i, words(i))}
		if i%3 == 0 {
			patch["labels"] = labels[i%len(labels) : i%len(labels)+1]
		}
		if i%7 == 0 {
			patch["description"] = words(i + 1)
		}
		changes = append(changes, domain.Change{EntityID: fmt.Sprint("many-", i), Patch: patch})
		if len(changes) == 100 {
			all = append(all, s.other.Transact(changes...))
			changes = nil
		}
	}
	for _, m := range all {
		if r, err := m.Wait(b.Context()); err != nil || !r.OK {
			b.Fatalf("not made: %+v %v", r, err)
		}
	}
}

// words is some text, the same for the same i.
func words(i int) string {
	all := []string{"restore", "the", "backup", "every", "night", "import", "contacts", "from", "a", "large", "table", "limit", "sign-in", "attempts"}
	r := rand.New(rand.NewPCG(uint64(i), 1))
	text := ""
	for range 3 + r.IntN(9) {
		text += " " + all[r.IntN(len(all))]
	}
	return text[1:]
}

// listen has the page keep how long each interaction took, and long tasks.
const listen = `globalThis.took = new Map(); globalThis.long = [];
new PerformanceObserver((list) => { for (const e of list.getEntries()) if (e.interactionId) took.set(e.interactionId, Math.max(e.duration, took.get(e.interactionId) ?? 0)); })
	.observe({ type: "event", durationThreshold: 16 });
new PerformanceObserver((list) => { for (const e of list.getEntries()) long.push(e.duration); }).observe({ type: "longtask" });
globalThis.began = performance.interactionCount;`

// timings are the durations of all interactions since listen, in milliseconds.
func (s *stage) timings() []float64 {
	return chrome.Run(s.page, chromedp.Evaluate[[]float64](`new Promise((resolve) => setTimeout(() => {
		const all = [...took.values()];
		while (all.length < performance.interactionCount - began) all.push(16);
		resolve(all);
	}, 500))`, chromedp.EvalAwaitPromise))
}

// key presses a key as a keyboard does: where the page takes it for itself, its
// letter is not typed as well, which for Space would scroll by a page.
func (s *stage) key(key string) {
	k := kb.Keys[[]rune(key)[0]]
	press := input.DispatchKeyEventParams{Type: kb.KeyDown, Key: k.Key, Code: k.Code, NativeVirtualKeyCode: k.Native, WindowsVirtualKeyCode: k.Windows}
	release := press
	release.Type = kb.KeyUp
	if k.Print {
		press.Text, press.UnmodifiedText = k.Text, k.Unmodified
	}
	chrome.Run(s.page, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		for _, event := range []input.DispatchKeyEventParams{press, release} {
			if _, err := cdp.Call(ctx, target, input.DispatchKeyEvent, event); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (s *stage) script(text string) { s.page.Do(chromedp.Evaluate[chromedp.Void](text)) }

// settled waits until nothing is pending, the page has painted, and a quick
// person would press the next key: seven in a second.
func (s *stage) settled() {
	s.page.Until(`document.body.dataset.waiting === "0" && new Promise((resolve) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => resolve(true))), 120))`)
}

// calm waits until the page has done all that comes with its opening, such as
// keeping the board: a second without a long task.
func (s *stage) calm() {
	s.page.Until(`new Promise((resolve) => {
		let timer = setTimeout(resolve, 1000, true);
		new PerformanceObserver(() => { clearTimeout(timer); timer = setTimeout(resolve, 1000, true); }).observe({ type: "longtask" });
	})`)
}

// middle is where the element stands in the window.
func (s *stage) middle(selector string) (x, y float64) {
	at := chrome.Run(s.page, chromedp.Evaluate[[]float64](fmt.Sprintf(`(() => { const b = document.querySelector(%q).getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; })()`, selector)))
	return at[0], at[1]
}

func (s *stage) mouse(kind input.DispatchMouseEventType, x, y float64) {
	s.page.Do(chromedp.MouseEvent(kind, x, y, chromedp.ButtonType(input.MouseButtonLeft), chromedp.ClickCount(1)))
}

func (s *stage) click(selector string) {
	x, y := s.middle(selector)
	s.mouse(input.DispatchMouseEventTypeMousePressed, x, y)
	s.mouse(input.DispatchMouseEventTypeMouseReleased, x, y)
}

// drag carries the card to the next column, in ten steps as a quick hand makes
// them: one with each painting.
func (s *stage) drag(selector string) {
	x, y := s.middle(selector)
	s.mouse(input.DispatchMouseEventTypeMousePressed, x, y)
	for i := range 10 {
		s.page.Until(`new Promise((resolve) => requestAnimationFrame(() => resolve(true)))`)
		s.mouse(input.DispatchMouseEventTypeMouseMoved, x+28.4*float64(i+1), y)
	}
	s.settled()
	s.mouse(input.DispatchMouseEventTypeMouseReleased, x+284, y)
}

// BenchmarkLocalChange makes one change of each kind in turn.
func BenchmarkLocalChange(b *testing.B) {
	first := `.column[data-id=wide-0] .card:nth-of-type(2)`
	for _, c := range []struct {
		what string
		do   func(s *stage, i int)
	}{
		{"like", func(s *stage, i int) { s.click(first + " .like") }},
		{"move", func(s *stage, i int) {
			s.script(fmt.Sprintf(`document.querySelector(%q).focus()`, first+" .card-title"))
			s.key(" ")
			s.settled()
			s.key(kb.ArrowRight)
			s.settled()
			s.key(" ")
		}},
		{"add", func(s *stage, i int) {
			s.click(`.column[data-id=wide-1] .adder`)
			s.page.Until(`document.activeElement.matches(".column[data-id=wide-1] textarea")`)
			s.script(fmt.Sprintf(`document.execCommand("insertText", false, "A new card %d")`, i))
			s.settled()
			s.key(kb.Enter)
			s.settled()
			s.key(kb.Escape)
		}},
		{"rename", func(s *stage, i int) {
			s.script(fmt.Sprintf(`document.querySelector(%q).focus()`, first+" .card-title"))
			s.key(kb.F2)
			s.script(fmt.Sprintf(`document.execCommand("insertText", false, "A new name %d")`, i))
			s.settled()
			s.key(kb.Enter)
		}},
		{"drag", func(s *stage, _ int) { s.drag(first + " .card-title") }},
	} {
		b.Run(c.what, func(b *testing.B) {
			s := newStage(b)
			s.calm()
			s.script(listen)
			before := s.cpu()
			for i := range b.N {
				c.do(s, i)
				s.settled()
			}
			b.ReportMetric((s.cpu()-before)/float64(b.N), "cpu-ms")
			report(b, s.timings())
		})
	}
}

func report(b *testing.B, took []float64) {
	if len(took) == 0 {
		b.Fatal("nothing was measured")
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "p50-ms")
	b.ReportMetric(took[(len(took)*95)/100], "p95-ms")
	b.ReportMetric(took[len(took)-1], "max-ms")
	b.ReportMetric(float64(len(took)), "interactions")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkRemoteSyncs has others move, like and rename 50 times a second, as
// the board stands, with a filter, and with a card's dialog open.
func BenchmarkRemoteSyncs(b *testing.B) {
	for _, c := range []struct {
		what string
		do   func(s *stage)
	}{
		{"board", func(*stage) {}},
		{"filter", func(s *stage) {
			s.script(`document.querySelector(".search-field input").focus(); document.execCommand("insertText", false, "restore")`)
			s.page.Until(`document.querySelector(".narrowed") !== null`)
		}},
		{"card", func(s *stage) {
			s.script(`document.querySelector(".column[data-id=wide-0] .card:nth-of-type(2) .card-title").click()`)
			s.page.Until(`document.querySelector("dialog.card-dialog") !== null`)
		}},
	} {
		b.Run(c.what, func(b *testing.B) {
			s := newStage(b)
			c.do(s)
			s.settled()
			s.remote(b)
		})
	}
}

func (s *stage) remote(b *testing.B) {
	s.calm()
	s.script(listen)
	beat := time.NewTicker(time.Second / rate)
	defer beat.Stop()
	r := rand.New(rand.NewPCG(1, 2))
	begin, before := time.Now(), s.cpu()
	var last *client.Mutation
	for i := range b.N {
		<-beat.C
		id := fmt.Sprint("many-", r.IntN(300))
		switch i % 3 {
		case 0:
			last = s.other.Mutate(id, domain.Patch{"columnId": fmt.Sprint("wide-", r.IntN(columns)), "position": map[string]any{"after": nil}})
		case 1:
			last = s.other.Mutate(id, domain.Patch{"liked": r.IntN(2) == 0})
		default:
			last = s.other.Mutate(id, domain.Patch{"title": words(r.IntN(1000))})
		}
	}
	if _, err := last.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "syncs/s")
	s.settled()
	b.ReportMetric((s.cpu()-before)/float64(b.N), "cpu-ms")
	long := chrome.Run(s.page, chromedp.Evaluate[[]float64](`new Promise((resolve) => setTimeout(() => resolve(long), 500))`, chromedp.EvalAwaitPromise))
	b.ReportMetric(float64(len(long)), "long-tasks")
	b.ReportMetric(slices.Max(append(long, 0)), "longest-ms")
	b.ReportMetric(0, "ns/op")
}
