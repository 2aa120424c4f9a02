package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/snapback-io/snapback/test/chrome"
)

// What a hand does at a window: find what is called so, press, drag, type.

type point struct{ x, y float64 }

// spot is where something is in the window, in CSS pixels.
type spot struct{ X, Y, W, H float64 }

func (s spot) middle() point { return point{s.X + s.W/2, s.Y + s.H/2} }

// find waits for the one thing in the accessibility tree that has this role
// and name, and gives where it is when it has come to rest and nothing covers
// it. A name that ends with "*" begins so.
func (w *window) find(role, name string) spot {
	w.TB.Helper()
	var s spot
	var err error
	for end := time.Now().Add(chrome.Patience); ; {
		if s, err = w.look(role, name); err == nil {
			return s
		}
		if time.Now().After(end) {
			w.Shot("failed-" + w.Name)
			w.TB.Fatalf("%s: %s %q %s: %v\n%s", w.Name, role, name, w.part, err, w.names(role))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// sees says whether there is such a thing now.
func (w *window) sees(role, name string) bool {
	w.TB.Helper()
	return len(w.called(role, name)) > 0
}

// called gives what has this role and name, in the part of the page looked at.
func (w *window) called(role, name string) []*accessibility.Node {
	w.TB.Helper()
	exact, open := strings.CutSuffix(name, "*")
	nodes := chrome.Run(w.Page, func(ctx context.Context, target *chromedp.Target) ([]*accessibility.Node, error) {
		root := "document"
		if w.part != "" {
			root = fmt.Sprintf("document.querySelector(%q)", w.part)
		}
		object, err := cdp.Call(ctx, target, runtime.Evaluate, runtime.EvaluateParams{Expression: root})
		if err != nil || object.Result.ObjectID == "" {
			return nil, err // the part is not there
		}
		found, err := cdp.Call(ctx, target, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: object.Result.ObjectID, Role: role})
		if err != nil {
			return nil, nil // the page has changed meanwhile
		}
		return found.Nodes, nil
	})
	var fit []*accessibility.Node
	for _, n := range nodes {
		is := axName(n)
		if !n.Ignored && (is == exact || open && strings.HasPrefix(is, exact)) {
			fit = append(fit, n)
		}
	}
	return fit
}

func axName(n *accessibility.Node) (name string) {
	if n.Name != nil {
		_ = json.Unmarshal(n.Name.Value, &name)
	}
	return name
}

// names lists what of this role there is, for a test's output.
func (w *window) names(role string) string {
	w.TB.Helper()
	var list strings.Builder
	for _, n := range w.called(role, "*") {
		fmt.Fprintf(&list, "%s %q\n", role, axName(n))
	}
	return list.String()
}

// rest scrolls an element into view, waits until it stands still for two
// frames, and says where it is, or what covers it.
const rest = `async function() {
	this.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
	const frame = () => new Promise(requestAnimationFrame);
	let b = this.getBoundingClientRect();
	for (let still = 0; still < 2;) {
		await frame();
		const n = this.getBoundingClientRect();
		still = n.x === b.x && n.y === b.y && n.width === b.width && n.height === b.height ? still + 1 : 0;
		b = n;
	}
	const top = document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);
	const over = top && !this.contains(top) && !top.contains(this) && !this.labels?.length ? top.outerHTML.slice(0, 200) : '';
	return JSON.stringify({ X: b.x, Y: b.y, W: b.width, H: b.height, over });
}`

func (w *window) look(role, name string) (spot, error) {
	w.TB.Helper()
	nodes := w.called(role, name)
	if len(nodes) != 1 {
		return spot{}, fmt.Errorf("there are %d", len(nodes))
	}
	return w.resting(func(ctx context.Context, target *chromedp.Target) (runtime.RemoteObjectID, error) {
		object, err := cdp.Call(ctx, target, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: nodes[0].BackendDOMNodeID})
		if err != nil {
			return "", err
		}
		return object.Object.ObjectID, nil
	})
}

// at is find for what a selector says.
func (w *window) at(selector string) spot {
	w.TB.Helper()
	var s spot
	var err error
	for end := time.Now().Add(chrome.Patience); ; {
		s, err = w.resting(func(ctx context.Context, target *chromedp.Target) (runtime.RemoteObjectID, error) {
			object, err := cdp.Call(ctx, target, runtime.Evaluate, runtime.EvaluateParams{Expression: fmt.Sprintf("document.querySelector(%q)", selector)})
			if err != nil {
				return "", err
			}
			return object.Result.ObjectID, nil
		})
		if err == nil {
			return s
		}
		if time.Now().After(end) {
			w.Shot("failed-" + w.Name)
			w.TB.Fatalf("%s: %s: %v", w.Name, selector, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *window) resting(object func(context.Context, *chromedp.Target) (runtime.RemoteObjectID, error)) (spot, error) {
	w.TB.Helper()
	type told struct {
		spot
		Over string
	}
	ctx, cancel := context.WithTimeout(w.Ctx, 2*time.Second) // a page that goes away meanwhile does not answer
	defer cancel()
	got, err := chromedp.Run(ctx, func(ctx context.Context, target *chromedp.Target) (told, error) {
		var where told
		id, err := object(ctx, target)
		if err != nil {
			return where, err
		}
		if id == "" {
			return where, fmt.Errorf("there is none")
		}
		yes := true
		got, err := cdp.Call(ctx, target, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
			ObjectID: id, FunctionDeclaration: rest, AwaitPromise: &yes, ReturnByValue: &yes})
		if err != nil {
			return where, err
		}
		var text string
		if err := json.Unmarshal(got.Result.Value, &text); err != nil {
			return where, fmt.Errorf("%s: %w", got.Result.Description, err)
		}
		return where, json.Unmarshal([]byte(text), &where)
	})
	switch {
	case err != nil:
	case got.Over != "":
		err = fmt.Errorf("it is covered by %s", got.Over)
	case got.W == 0 || got.H == 0:
		err = fmt.Errorf("it has no size")
	}
	return got.spot, err
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

func (w *window) press(p point) {
	w.TB.Helper()
	w.Do(chromedp.MouseEvent(moved, p.x, p.y), mouse(pressed, p), mouse(released, p))
}

// click presses what has this role and name.
func (w *window) click(role, name string) {
	w.TB.Helper()
	w.press(w.find(role, name).middle())
}

// clickAt presses what a selector says.
func (w *window) clickAt(selector string) {
	w.TB.Helper()
	w.press(w.at(selector).middle())
}

// grab presses on the title of a card and moves to a place, without letting go.
func (w *window) grab(id string, to point) {
	w.TB.Helper()
	from := w.at(card(id) + " .card-title").middle()
	w.Do(chromedp.MouseEvent(moved, from.x, from.y), mouse(pressed, from))
	w.carry(from, to)
}

// carry moves what is held, in the steps of a hand.
func (w *window) carry(from, to point) {
	w.TB.Helper()
	const steps = 15
	for i := 1; i <= steps; i++ {
		f := float64(i) / steps
		w.Do(mouse(moved, point{from.x + (to.x-from.x)*f, from.y + (to.y-from.y)*f}))
	}
	w.Do(mouse(moved, to))
	w.Eval(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`) // a hand rests before it lets go
}

// drop lets go.
func (w *window) drop(at point) {
	w.TB.Helper()
	w.Do(mouse(released, at))
}

// over is a place in a column of this window: on the upper half of a card of
// it, or, without one, under its last.
func (w *window) over(column, before string) point {
	w.TB.Helper()
	if before != "" {
		s := w.at(card(before))
		return point{s.X + s.W/2, s.Y + s.H/4}
	}
	w.at(cardsOf(column))
	xy := chrome.Run(w.Page, chromedp.Evaluate[[]float64](fmt.Sprintf(`(() => {
		const list = document.querySelector(%q), b = list.getBoundingClientRect(), last = [...list.querySelectorAll('.card[data-id]')].at(-1)?.getBoundingClientRect();
		return [b.x + b.width / 2, last ? last.bottom - last.height / 8 : b.y + 10]; })()`, cardsOf(column))))
	return point{xy[0], xy[1]}
}

// drag takes a card to a column, before one of its cards or to its end.
func (w *window) drag(id, column, before string) {
	w.TB.Helper()
	w.at(card(id)) // scrolled there before the place is measured
	to := w.over(column, before)
	w.grab(id, to)
	w.drop(to)
}

// keys presses keys, each with what is held meanwhile. The letter of a key that
// the page takes for itself is not written, as with a real keyboard.
func (w *window) keys(keys string, held ...chromedp.Modifier) {
	w.TB.Helper()
	for _, r := range keys {
		key, known := kb.Keys[r]
		if !known {
			w.TB.Fatalf("there is no key %q", r)
		}
		event := input.DispatchKeyEventParams{Type: kb.KeyDown, Key: key.Key, Code: key.Code,
			NativeVirtualKeyCode: key.Native, WindowsVirtualKeyCode: key.Windows}
		for _, m := range held {
			event.Modifiers |= int64(m)
		}
		if key.Shift {
			event.Modifiers |= int64(kb.ModifierShift)
		}
		if key.Print && len(held) == 0 {
			event.Text, event.UnmodifiedText = key.Text, key.Unmodified
		}
		call(w, input.DispatchKeyEvent, event)
		event.Type, event.Text, event.UnmodifiedText = kb.KeyUp, "", ""
		call(w, input.DispatchKeyEvent, event)
	}
}

// write puts a text in where the cursor is, all at once, as an input method does.
func (w *window) write(text string) {
	w.TB.Helper()
	call(w, input.InsertText, input.InsertTextParams{Text: text})
}

// focus puts the keyboard at what a selector says, where Tab would come in time.
func (w *window) focus(selector string) {
	w.TB.Helper()
	w.at(selector)
	w.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector(%q).focus()", selector)))
}

// has is a condition: the keyboard is at, or in, what a selector says.
func has(selector string) string {
	return fmt.Sprintf("document.activeElement.closest(%q) !== null", selector)
}

func card(id string) string        { return `.card[data-id="` + id + `"]` }
func column(id string) string      { return `.column[data-id="` + id + `"]` }
func cardsOf(column string) string { return `.cards[data-column="` + column + `"]` }

// in is a condition: a card stands in a column.
func in(column, id string) string {
	return fmt.Sprintf("document.querySelector(%q) !== null", cardsOf(column)+" "+card(id))
}

// shows is a condition: something has this text.
func shows(selector, text string) string {
	return fmt.Sprintf("document.querySelector(%q)?.textContent === %s", selector, quote(text))
}

// holds is a condition: something has this text in it.
func holds(selector, text string) string {
	return fmt.Sprintf("document.querySelector(%q)?.textContent.includes(%s)", selector, quote(text))
}

// says is a condition: a note of that tone has this text in it.
func says(tone, text string) string {
	return fmt.Sprintf("[...document.querySelectorAll('.note[data-tone=%s]')].some((n) => n.textContent.includes(%s))", tone, quote(text))
}

func quote(text string) string {
	q, _ := json.Marshal(text)
	return string(q)
}

// overhear keeps what the page has a screen reader say: what an alert comes
// with, and what changes in any live region.
var overhear = chromedp.Evaluate[chromedp.Void](`(() => {
	globalThis.overheard = [];
	const said = new WeakMap();
	const listen = (hears) => {
		for (const region of document.querySelectorAll('[role=status], [role=alert], [aria-live]')) {
			const text = region.textContent, is = region.role ?? 'live';
			if (hears && text && said.get(region) !== text && (said.has(region) || is === 'alert')) overheard.push(is + ': ' + text);
			said.set(region, text);
		}
	};
	listen(false);
	new MutationObserver(() => listen(true)).observe(document.body, { childList: true, characterData: true, subtree: true });
})()`)

// heardSaying is a condition: something with this text was read out since overhear.
func heardSaying(text string) string {
	return fmt.Sprintf(`globalThis.overheard.some((said) => said.includes(%s))`, quote(text))
}
