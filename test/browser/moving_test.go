package browser

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestMove_Both: two hold the same card and put it into different columns; the
// later one stands, for both.
func TestMove_Both(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	here, there := ann.over("review", "release-notes"), ben.over("done", "typo")
	ann.grab("dark-mode", here)
	ben.grab("dark-mode", there)
	ann.Shot("move-both-dragging")
	ann.drop(here)
	s.stands("dark-mode", "review") // what is dropped is sent when that is painted
	ben.drop(there)
	ann.Until(in("done", "dark-mode"))
	ben.Until(in("done", "dark-mode"))
	s.agree(ann, ben)
}

// TestMove_FullColumn: a column that is full says so while a card is over it,
// and what is dropped there all the same flies home with a note.
func TestMove_FullColumn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	ann.Until(holds(column("doing")+" .count", "3 of 3"))
	to := ann.over("doing", "")
	ann.grab("keyboard", to)
	ann.Until(holds(column("doing"), "Doing is full (3 of 3)"))
	ann.Shot("move-over-full")
	ann.drop(to)
	ann.Until(says("refused", "“Doing” is full (3 of 3)"))
	ann.Until(in("ideas", "keyboard"))
	ann.Shot("move-snapped-back")
	s.agree(ann, ben)
}

// TestMove_LastPlace: two drag a card to the last place of a column before
// either can know of the other's: one stays, the other snaps back and is told.
func TestMove_LastPlace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mutate("dana", "upload", patch{"columnId": "next"})
	ann, ben := s.open("ann"), s.open("ben")
	here, there := ann.over("doing", ""), ben.over("doing", "")
	ann.grab("dark-mode", here)
	ben.grab("keyboard", there)
	s.Freeze()
	ann.drop(here)
	ben.drop(there)
	ann.Until(in("doing", "dark-mode"))
	ben.Until(in("doing", "keyboard"))
	s.Thaw()
	s.agree(ann, ben)
	winner, loser, home := ann, ben, in("ideas", "keyboard")
	if ann.Eval(in("ideas", "dark-mode")) == "true" {
		winner, loser, home = ben, ann, in("ideas", "dark-mode")
	}
	loser.Until(home + " && " + says("refused", "“Doing” is full (3 of 3)"))
	loser.Shot("move-last-place")
	winner.Until(`document.querySelectorAll('.note[data-tone=refused]').length === 0`)
	winner.Until(holds(column("doing")+" .count", "3 of 3"))
}

// TestMove_ServerKilled: the server dies while a card is held. Dropped before or
// after it is back, the card lands, and stays.
func TestMove_ServerKilled(t *testing.T) {
	for _, dropped := range []string{"before it is back", "when it is back"} {
		t.Run(dropped, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			ann, ben := s.open("ann"), s.open("ben")
			to := ann.over("review", "release-notes")
			ann.grab("fix-login", to)
			s.Kill()
			ann.Until(offline)
			if dropped == "before it is back" {
				ann.drop(to)
				ann.Until(in("review", "fix-login") + ` && document.body.dataset.waiting === '1'`)
				ann.Shot("move-offline")
				s.Again()
			} else {
				s.Again()
				ann.Until(live)
				ann.drop(to)
			}
			ben.Until(in("review", "fix-login"))
			s.agree(ann, ben)
		})
	}
}

// TestMove_UndoneAfterAnother: undo takes back only what is still one's own.
func TestMove_UndoneAfterAnother(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	ann.drag("typo", "review", "release-notes")
	ben.Until(in("review", "typo"))
	ann.Until(settled)
	ben.drag("typo", "next", "status-page")
	ann.Until(in("next", "typo"))
	ann.keys("z", kb.ModifierCtrl)
	ann.Until(says("plain", "Left as it is, because somebody changed it since"))
	ann.Shot("move-undo-kept")
	s.agree(ann, ben)
	if ann.Eval(in("next", "typo")) != "true" {
		t.Error("ben's move was undone by ann")
	}
	ann.drag("backup", "review", "release-notes")
	ben.Until(in("review", "backup"))
	ann.keys("z", kb.ModifierCtrl)
	ben.Until(in("done", "backup"))
	ann.keys("z", kb.ModifierCtrl, kb.ModifierShift)
	ben.Until(in("review", "backup"))
	s.agree(ann, ben)
}

// TestMove_ByKeyboard: Space lifts, arrows move, Escape puts back, Space puts
// down; the keyboard stays with the card and all of it is read out.
func TestMove_ByKeyboard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	title := card("dark-mode") + " .card-title"
	ann.Do(overhear)
	ann.focus(title)
	ann.keys(" ")
	ann.Until(heardSaying("Dark mode"))
	ann.keys(kb.ArrowRight + kb.ArrowDown)
	ann.Until(in("next", "dark-mode") + " && " + has(card("dark-mode")))
	ann.Until(heardSaying("Next"))
	ann.Shot("move-keyboard")
	if ben.Eval(in("ideas", "dark-mode")) != "true" {
		t.Error("what is lifted was moved for the others, too")
	}
	ann.keys(kb.Escape)
	ann.Until(in("ideas", "dark-mode") + " && " + has(card("dark-mode")) + " && " + heardSaying("Put back. Dark mode: place 1 of 3 in Ideas"))
	ann.keys(" " + kb.ArrowRight + kb.ArrowDown + " ")
	ben.Until(in("next", "dark-mode"))
	ann.Until(in("next", "dark-mode") + " && " + has(card("dark-mode")))
	s.agree(ann, ben)
	order := fmt.Sprintf(`[...document.querySelectorAll('%s .card')].map((c) => c.dataset.id).indexOf('dark-mode')`, cardsOf("next"))
	if got := ben.Eval(order); got != "1" {
		t.Errorf("it stands at %s, not at 1", got)
	}
}

// TestMove_WheelWhileDragging: what is under the pointer is scrolled by the
// wheel though something is held over it, and the pointer says that it holds.
func TestMove_WheelWhileDragging(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for i := range 30 {
		s.mutate("dana", fmt.Sprint("one-of-many-", i), patch{"kind": "card", "columnId": "review", "title": fmt.Sprint("One of many ", i)})
	}
	ann := s.open("ann")
	ann.Until(fmt.Sprintf(`document.querySelector(%q).scrollHeight > 2000`, cardsOf("review")))
	to := ann.over("review", "release-notes")
	ann.grab("dark-mode", to)
	ann.Until(fmt.Sprintf(`getComputedStyle(document.elementFromPoint(%f, %f)).cursor === "grabbing"`, to.x, to.y))
	ann.Do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseWheel, to.x, to.y, func(p *input.DispatchMouseEventParams) {
		p.DeltaX, p.DeltaY, p.Buttons = 0.1, 500, 1 // none at all would be left out
	}))
	ann.Until(fmt.Sprintf(`document.querySelector(%q).scrollTop >= 400`, cardsOf("review")))
	ann.drop(to)
	ann.Until(in("review", "dark-mode"))
	ann.Until(`document.querySelector(".drag-cover") === null`)
	s.agree(ann)
}

// TestMove_ByDialog: without dragging, to a column and place that are chosen.
func TestMove_ByDialog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	ann.in(card("dark-mode")).click("button", "Menu of*")
	ann.click("menuitem", "Move…*")
	ann.Until(`document.activeElement.matches('dialog select')`)
	ann.keys("Rev\tFirst")
	ann.Shot("move-dialog")
	ann.in("dialog").click("button", "Move")
	ben.Until(in("review", "dark-mode"))
	ann.Until(in("review", "dark-mode") + " && " + has(card("dark-mode")))
	if got := ben.Eval(fmt.Sprintf(`document.querySelector('%s .card').dataset.id`, cardsOf("review"))); got != "dark-mode" {
		t.Errorf("the first card is %s", got)
	}
	s.agree(ann, ben)
}

// TestMove_Flick: a card that is let go while the hand still moves, between two
// paintings, lands where it is let go.
func TestMove_Flick(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	to := w.over("review", "release-notes")
	from := w.at(card("dark-mode") + " .card-title").middle()
	w.grab("dark-mode", point{from.x + 20, from.y})
	var both sync.WaitGroup
	both.Go(func() { w.Do(mouse(moved, to)) })
	time.Sleep(time.Millisecond)
	both.Go(func() { w.Do(mouse(released, to)) })
	both.Wait()
	w.Until(in("review", "dark-mode"))
	s.agree(w)
}

// TestMove_UndoneAtOnce: keys that come right behind the letting go, before the
// page was painted, are about what was let go.
func TestMove_UndoneAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	home := w.Eval(columnOf("dark-mode"))
	to := w.over("review", "release-notes")
	w.grab("dark-mode", to)
	w.Eval(`addEventListener("pointerup", () => { for (const end = performance.now() + 500; performance.now() < end; ); }, { capture: true, once: true })`)
	var both sync.WaitGroup
	both.Go(func() { w.drop(to) })
	time.Sleep(100 * time.Millisecond)
	both.Go(func() { w.keys("z", kb.ModifierCtrl) })
	both.Wait()
	w.Until(`!document.querySelector("[data-lifted]")`)
	w.Until(settled)
	if at := w.Eval(columnOf("dark-mode")); at != home {
		t.Errorf("it is in %s, was in %s", at, home)
	}
	s.agree(w)
	w.drag("dark-mode", "review", "release-notes") // a next one goes as ever
	w.Until(in("review", "dark-mode"))
	s.agree(w)
}

// columnOf is the column in which a card is shown.
func columnOf(id string) string {
	return fmt.Sprintf(`document.querySelector(%q)?.closest(".cards").dataset.column`, card(id))
}

// TestMove_Unseen: what others move flies for those who look, and for nobody
// who does not: there are no frames then in which it would arrive.
func TestMove_Unseen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann := s.open("ann")
	ann.Eval(`(() => {
		globalThis.flown = 0;
		new MutationObserver((all) => { for (const { addedNodes } of all) for (const node of addedNodes) if (node.matches?.(".ghost")) flown++; }).observe(document.body, { childList: true });
		globalThis.isHidden = true;
		Object.defineProperty(document, "hidden", { get: () => isHidden });
	})()`)
	s.mutate("ben", "dark-mode", patch{"columnId": "next", "position": map[string]any{"after": nil}})
	ann.Until(in("next", "dark-mode"))
	if n := ann.Eval(`flown`); n != "0" {
		t.Errorf("%s copies fly unseen", n)
	}
	ann.Eval(`isHidden = false`)
	s.mutate("ben", "dark-mode", patch{"columnId": "ideas", "position": map[string]any{"after": nil}})
	ann.Until(in("ideas", "dark-mode") + ` && flown === 1`)
	ann.Until(`document.querySelector(".ghost") === null`)
}
