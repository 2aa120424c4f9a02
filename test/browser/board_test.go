package browser

import (
	"fmt"
	"testing"
)

// TestAddAndRename: what is typed at the foot of a column is a card, in markup
// or not, and has another name when the menu has given it one.
func TestAddAndRename(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	ann.Shot("board")
	next := ann.in(column("next"))
	next.click("button", "Add a card")
	ann.Until(has(column("next") + " textarea"))
	ann.keys("<b>new</b> & plain\rand another one\r")
	named := func(title string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('.card')].find((c) => c.querySelector('.card-title')?.textContent === %s)`, quote(title))
	}
	ben.Until(named("<b>new</b> & plain") + " && " + named("and another one"))
	id := ben.Eval(named("<b>new</b> & plain") + ".dataset.id")
	ben.in(card(id)).click("button", "Menu of the card <b>new</b> & plain")
	ben.click("menuitem", "Rename*")
	ben.Until(has(card(id) + " textarea"))
	ben.keys("quite another name\r")
	ann.Until(shows(card(id)+" .card-title", "quite another name"))
	s.agree(ann, ben)
}

// TestListsThatFitDoNotScroll: of cards that are all in sight none can be
// pushed out of it.
func TestListsThatFitDoNotScroll(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann := s.open("ann")
	ann.Until(`document.querySelectorAll(".card").length > 5 && [...document.querySelectorAll(".cards")].every((list) => list.scrollHeight === list.clientHeight)`)
}

// TestLike: a like counts for all and is lit for one.
func TestLike(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	heart := card("import-csv") + " .like"
	ann.clickAt(heart)
	ann.Until(shows(heart, "2") + fmt.Sprintf(" && document.querySelector(%q).ariaPressed === 'true'", heart))
	ben.Until(shows(heart, "2") + fmt.Sprintf(" && document.querySelector(%q).ariaPressed === 'false'", heart))
	ann.clickAt(heart)
	ben.Until(shows(heart, "1"))
	s.agree(ann, ben)
}

// TestPresence: the others see who is here, and who drags or edits which card.
func TestPresence(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	ben.Until(`document.querySelector('.top').innerText.includes('ann') || document.querySelector('.top [aria-label*=ann], .top [title*=ann]') !== null`)
	at := func(what string) string {
		return fmt.Sprintf(`document.querySelector(%q) !== null`, card("dark-mode")+` [aria-label*="`+what+`"], `+card("dark-mode")+` [title*="`+what+`"]`)
	}
	to := ann.over("review", "release-notes")
	ann.grab("dark-mode", to)
	ben.Until(at("ann is dragging this"))
	ben.Shot("presence-drag")
	ann.drop(to)
	ben.Until("!(" + at("ann is dragging this") + ")")
	ann.describe("dark-mode")
	ben.Until(at("ann is editing this"))
	ann.Close()
	ben.Until("!(" + at("ann") + ")")
	s.agree(ben)
}
