// Package lab plays the rollback lab in a real browser, and makes the moving
// picture of it in the README:
//
//	go test ./test/lab -picture ../../gateway/web/lab.gif
package lab

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/chrome"
	"github.com/snapback-io/snapback/test/node"
	"github.com/snapback-io/snapback/test/picture"
)

var film = flag.String("picture", "", "write the moving picture of the play to this file")

func TestMain(m *testing.M) { node.Main(m) }

// card is the one that the play makes, as the server has it.
type card struct {
	Title, ColumnID string
	Liked           bool
}

// played gives the card of the play.
func played(t *testing.T, url, title string) (found []card) {
	t.Helper()
	answer, err := http.Get(url + "/v1/boards/demo?user=ann")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var board struct{ Entities []card }
	if err := json.NewDecoder(answer.Body).Decode(&board); err != nil {
		t.Fatal(err)
	}
	for _, e := range board.Entities {
		if e.Title == title {
			found = append(found, e)
		}
	}
	return found
}

// click presses the left button in the middle of an element.
func click(p *chrome.Page, selector string) {
	p.TB.Helper()
	p.Until(`document.querySelector('` + selector + `') !== null`)
	at := chrome.Run(p, chromedp.Evaluate[[]float64](`(() => { const e = document.querySelector('`+selector+`'); e.scrollIntoView({block: "nearest"});
		const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; })()`))
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		p.Do(chromedp.MouseEvent(kind, at[0], at[1], chromedp.ButtonType(input.MouseButtonLeft), chromedp.ClickCount(1)))
	}
}

// watch keeps in seen how the three edits stood and where their card was, each
// time that changed.
const watch = `globalThis.seen = [];
new MutationObserver(() => {
	const card = [...document.querySelectorAll(".card")].find((c) => c.querySelector(".card-title")?.textContent === "Plan the launch party");
	const columns = [...document.querySelectorAll(".column")];
	const now = [...document.querySelectorAll(".play li")].map((li) => li.dataset.state).join() + ": in column " +
		columns.indexOf(card?.closest(".column")) + (card?.querySelector(".like").ariaPressed === "true" ? ", liked" : "");
	if (seen.at(-1) !== now) seen.push(now);
}).observe(document.body, { subtree: true, childList: true, attributes: true });`

// TestPlay_TheMiddleOneRefusedTwoStay: the card is renamed, moved and liked in
// a second; the server refuses the move, and only the move is taken back.
func TestPlay_TheMiddleOneRefusedTwoStay(t *testing.T) {
	tabs := chrome.Start(t)
	url := "http://" + node.Start(t, "node", t.TempDir(), "", "--lab").Addr
	p := chrome.Open(t, tabs, "ann")
	p.Do(chromedp.EmulateViewport(1180, 640), chromedp.Navigate(url+"/boards/demo?user=ann"))
	p.Until(`document.body.dataset.status === "live" && document.querySelectorAll(".card").length > 5`)
	click(p, "[data-opens=lab]")
	p.Until(`document.querySelector(".play button") !== null`)
	var reel *picture.Reel
	if *film != "" {
		reel = picture.Record(p)
	}
	p.Do(chromedp.Evaluate[chromedp.Void](watch))
	click(p, ".play button")
	p.Until(`document.querySelector(".play[data-done]") !== null`)
	if got := p.Eval(`[...document.querySelectorAll(".play li")].map((li) => li.dataset.state).join()`); got != "stays,taken back,stays" {
		t.Errorf("the three are %s", got)
	}
	seen := chrome.Run(p, chromedp.Evaluate[[]string]("seen"))
	if !slices.Contains(seen, "pending,pending,pending: in column 1, liked") {
		t.Errorf("all three are never shown together: %q", seen)
	}
	if last := seen[len(seen)-1]; last != "stays,taken back,stays: in column 0, liked" {
		t.Errorf("at the end it is %q", last)
	}
	home := p.Eval(`document.querySelector(".column").dataset.id`)
	if got := played(t, url, "Plan the launch party"); len(got) != 1 || got[0].ColumnID != home || !got[0].Liked {
		t.Errorf("the server has %v", got)
	}
	p.Until(`document.querySelector('.note[data-tone=refused][role=alert]') !== null`)
	if reel != nil {
		if err := os.WriteFile(*film, reel.GIF(t, 3*time.Second), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.Shot("lab")
}

// TestDials_AShareIsRefusedByTheServer: with everything refused and then
// nothing, what the page shows is what the server has.
func TestDials_AShareIsRefusedByTheServer(t *testing.T) {
	tabs := chrome.Start(t)
	url := "http://" + node.Start(t, "node", t.TempDir(), "", "--lab").Addr
	p := chrome.Open(t, tabs, "ann")
	p.Do(chromedp.Navigate(url + "/boards/demo?user=ann"))
	p.Until(`document.body.dataset.status === "live" && document.querySelectorAll(".card").length > 5`)
	click(p, "[data-opens=lab]")
	p.Until(`document.querySelector(".dials input") !== null`)
	p.Do(chromedp.Evaluate[chromedp.Void](`(() => { const [refuse, , delay, jitter] = document.querySelectorAll(".dials input");
		for (const [dial, value] of [[refuse, 1], [delay, 0], [jitter, 0]]) { dial.value = value; dial.dispatchEvent(new Event("input", { bubbles: true })); } })()`))
	click(p, ".dials [role=switch]")
	like := `.card[data-id="status-page"] .like`
	p.Until(`document.querySelector(".dials [role=switch]").ariaChecked === "true"`)
	// The switch is thrown a moment before the server has heard of it.
	for refused := false; !refused; {
		click(p, like)
		p.Until(`document.querySelector("[data-tone=refused].run, [data-tone=acked].run") !== null && document.querySelector(".run[data-tone=pending]") === null`)
		refused = p.Eval(`document.querySelector(".run").dataset.tone`) == "refused"
	}
	was := p.Eval(`document.querySelector('` + like + `').ariaPressed`)
	click(p, like)
	p.Until(`document.querySelectorAll(".run[data-tone=refused]").length >= 2 && document.querySelector(".run[data-tone=pending]") === null`)
	if got := p.Eval(`document.querySelector('` + like + `').ariaPressed`); got != was {
		t.Errorf("a refused like is shown: %s, was %s", got, was)
	}
	click(p, ".dials [role=switch]")
	for acked := false; !acked; {
		click(p, like)
		p.Until(`document.querySelector(".run[data-tone=pending]") === null`)
		acked = p.Eval(`document.querySelector(".run").dataset.tone`) == "acked"
	}
	if got := p.Eval(`document.querySelector('` + like + `').ariaPressed`); got == was {
		t.Errorf("an acked like is not shown: %s", got)
	}
}
