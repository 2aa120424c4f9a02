package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestCard_Parts: all that belongs to a card is put there by one and seen by
// the other, on the card and on the board.
func TestCard_Parts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	for _, w := range []*window{ann, ben} {
		w.clickAt(card("status-page") + " .card-title")
		w.Until(`document.querySelector('` + dialog + ` h2') !== null`)
	}
	on := ann.in(dialog)
	told := func(what string) {
		t.Helper()
		ben.Until(fmt.Sprintf(`document.querySelector(%q).innerText.includes(%s)`, dialog, quote(what)))
	}
	on.click("button", "Choose labels")
	on.click("checkbox", "Customer")
	told("Customer")
	ann.keys(kb.Escape)
	on.click("button", "Assign to me")
	ben.Until(fmt.Sprintf(`document.querySelector(%q)?.textContent.includes('ann')`, dialog+" .people"))
	on.click("button", "Set a due date")
	ann.Until(`document.activeElement.type === 'date'`)
	ann.keys("12312031\r")
	told("Dec 31")
	on.click("button", "Add a checklist")
	ann.Until(has(dialog + " textarea"))
	ann.keys("Before we open\r")
	told("Before we open")
	on.click("button", "Add an item to Before we open")
	ann.Until(has(dialog + " textarea"))
	ann.keys("Ask the hosts\rAsk the guests\r")
	told("Ask the guests")
	ben.in(dialog).click("checkbox", "Ask the hosts")
	ann.Until(`document.querySelector('.item[data-done]') !== null`)
	on.click("textbox", "Write a comment")
	ann.write("Who brings the cake?")
	on.click("button", "Comment")
	told("Who brings the cake?")
	ann.Shot("card")
	for _, w := range []*window{ann, ben} {
		w.in(dialog).click("button", "Close")
		w.Until(`document.querySelector('` + dialog + `') === null`)
		for _, badge := range []string{"Customer", "Dec 31", "1/2"} {
			w.Until(fmt.Sprintf(`document.querySelector(%q).innerText.includes(%q)`, card("status-page"), badge))
		}
	}
	s.agree(ann, ben)
	e := s.entity("ann", "status-page")
	if got := fmt.Sprintf("%v %v %v", e["labels"], e["assignees"], e["due"]); got != "[customer infra quick-win] [ann] 2031-12-31" {
		t.Errorf("the server has %s", got)
	}
}

// TestCard_ArchivedAndBack: archived by one, gone for both; undone, or restored
// from the archive, back for both.
func TestCard_ArchivedAndBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	gone := fmt.Sprintf(`document.querySelector(%q) === null`, card("typo"))
	for _, back := range []func(){
		func() { ann.in(".notes").click("button", "Undo") },
		func() {
			ben.clickAt(`[data-opens=archive]`)
			ben.in(".drawer").click("button", "Restore “Typo in the invoice mail”")
		},
	} {
		ann.in(card("typo")).click("button", "Menu of*")
		ann.click("menuitem", "Archive*")
		ann.Until(gone)
		ben.Until(gone)
		s.agree(ann, ben)
		back()
		ann.Until(in("done", "typo"))
		ben.Until(in("done", "typo"))
		s.agree(ann, ben)
	}
}

// TestSearch: the board is narrowed to what is asked for, and whole again.
func TestSearch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	w.keys("/")
	w.Until(`document.activeElement.type === 'search'`)
	w.keys("safari")
	cards := func(ids string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('.card[data-id]')].map((c) => c.dataset.id).sort().join() === %q`, ids)
	}
	w.Until(cards("fix-login"))
	w.Shot("search")
	w.keys(kb.Escape)
	w.Until(anyCards)
	w.click("button", "Filter")
	w.click("checkbox", "Quick win")
	w.Until(cards("status-page,typo"))
	w.keys(kb.Escape)
	w.click("button", "Show all")
	s.agree(w)
}
