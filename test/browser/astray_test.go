package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestWords_TypedOn: whoever types a title while another takes the card away
// goes on typing. Nothing of that is taken for keys of the neighbour, which has
// the focus now, and what was typed is offered.
func TestWords_TypedOn(t *testing.T) {
	for _, taken := range []struct {
		name, text string
		away       patch
		search     string // what the board is narrowed to
	}{
		{"archived", "Clean", patch{"archived": true}, ""},
		{"not matching any more", "Sign-in", patch{"title": "Another matter"}, "keyboard"},
	} {
		t.Run(taken.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			w := s.open("ann")
			if taken.search != "" {
				w.focus(".search-field input")
				w.keys(taken.search)
				w.Until(`document.querySelectorAll('.card[data-id]').length === 1`)
			}
			w.rename(card("keyboard"))
			w.write(taken.text)
			w.keys("l") // the field has been typed in
			s.mutate("ben", "keyboard", taken.away)
			w.Until(`document.querySelector(` + quote(card("keyboard")) + `) === null && !document.activeElement.matches('textarea')`)
			w.keys("c l c") // would archive, lift and like
			w.Until(says("plain", taken.text+"l"))
			if w.Eval(`document.querySelector('[data-lifted]') === null && !document.querySelector('.notes').textContent.includes('is archived')`) != "true" {
				t.Error("what was typed was taken for keys")
			}
			w.Shot("words-typed-on")
			w.keys(kb.Escape) // whoever has seen it has the keys again
			w.keys("?")
			w.Until(has("dialog[open]"))
			w.keys(kb.Escape)
			w.in(".notes").click("button", "Edit again")
			w.Until(value(dialog+" "+editor, taken.text+"l"))
			if taken.search == "" {
				s.agree(w)
			}
		})
	}
}

// TestWords_ColumnTakenAway: a card was being written for a column that another
// archives, and the title of one.
func TestWords_ColumnTakenAway(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	w.clickAt(column("next") + " .adder")
	w.Until(has(column("next") + " .adder-form textarea"))
	w.write("a card half")
	s.mutate("ben", "next", patch{"archived": true})
	w.Until(says("plain", "a card half"))
	s.mutate("ben", "next", patch{"archived": nil})
	w.Until(`document.querySelector(` + quote(column("next")+" .unsaved") + `) !== null`)
	w.rename(column("doing"))
	w.write("a title half")
	s.mutate("ben", "doing", patch{"archived": true})
	w.Until(says("plain", "a title half"))
	w.in(".notes").find("button", "Copy")
}

// TestWords_TwoAtOnePlace: words in a note go back into the editor, and what was
// being written there becomes a note.
func TestWords_TwoAtOnePlace(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--lab")
	w := s.open("ann")
	w.describe("dark-mode")
	w.write("these are refused")
	w.lab(map[string]any{"delayMs": 1500, "plan": []string{"refuse"}})
	w.in(dialog).click("button", "Save")
	w.in(dialog).click("button", "Edit the description")
	w.Until(has(dialog + " .description " + editor))
	w.write("these come later")
	w.Until(says("refused", "these are refused"))
	w.in(".notes").click("button", "Edit again")
	w.Until(value(dialog+" "+editor, "these are refused") + " && " + says("plain", "these come later"))
	w.in(".notes").click("button", "Edit again")
	w.Until(value(dialog+" "+editor, "these come later") + " && " + says("plain", "these are refused"))
}

// TestSearch_HidesWhatIsAdded: a card that is added and does not match is said
// to be there.
func TestSearch_HidesWhatIsAdded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	w.focus(".search-field input")
	w.keys("login")
	w.Until(`document.querySelectorAll('.card[data-id]').length === 1`)
	w.clickAt(column("ideas") + " .adder")
	w.keys("Quite another\r")
	w.Until(says("plain", "Quite another"))
	w.in(".notes").click("button", "Show all")
	w.Until(shows(column("ideas")+" .card:last-child .card-title", "Quite another"))
	s.agree(w)
}

// TestMove_OutOfTheArchive: for a card whose column is archived a column is to
// be chosen; so it is where somebody archives the one that was.
func TestMove_OutOfTheArchive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	s.mutate("ben", "next", patch{"archived": true})
	w.clickAt(`[data-opens=archive]`)
	w.in(".drawer").click("button", "Move out “Public*")
	w.Until(value("dialog select", ""))
	w.in("dialog").click("button", "Move")
	if w.Eval(`document.querySelector('dialog select')?.matches(':invalid')`) != "true" {
		t.Fatal("nothing was chosen, and it is moved")
	}
	w.Eval(`(() => { const s = document.querySelector('dialog select'); s.value = 'done'; s.dispatchEvent(new Event('change', { bubbles: true })) })()`)
	s.mutate("ben", "done", patch{"archived": true})
	w.Until(value("dialog select", ""))
	w.Eval(`(() => { const s = document.querySelector('dialog select'); s.value = 'ideas'; s.dispatchEvent(new Event('change', { bubbles: true })) })()`)
	w.in("dialog").click("button", "Move")
	w.Until(in("ideas", "status-page"))
	s.agree(w)
}

// TestNotes_TheNewestIsSeen: in a narrow window a note with many words leaves no
// room for another; the one that comes is in sight.
func TestNotes_TheNewestIsSeen(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--lab")
	w := s.open("ann")
	w.size(390, 500)
	w.lab(map[string]any{"plan": []string{"refuse"}})
	w.clickAt(column("ideas") + " .adder")
	w.write(strings.Repeat("many words ", 300))
	w.keys("\r")
	w.Until(says("refused", "many words"))
	w.keys(kb.Escape)
	w.focus(card("dark-mode") + " .card-title")
	w.keys("m")
	w.Until(`document.querySelector('dialog select') !== null`)
	w.Eval(`(() => { const s = document.querySelector('dialog select'); s.value = 'doing'; s.dispatchEvent(new Event('change', { bubbles: true })) })()`)
	w.in("dialog").click("button", "Move")
	w.Until(says("refused", "“Doing” is full (3 of 3)"))
	w.Until(`(() => { const at = [...document.querySelectorAll('.note')].at(-1).getBoundingClientRect(), all = document.querySelector('.notes').getBoundingClientRect();
		return at.top >= all.top && at.bottom <= all.bottom; })()`)
	w.Shot("notes-narrow")
}

// TestReplay_EditsNothing: words that wait in a note are edited on the board of
// now, also if the note is pressed on that of then.
func TestReplay_EditsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	w.begin(card("typo"), "a title half")
	w.replay()
	w.in(".notes").click("button", "Edit again")
	w.Until(`document.querySelector('.page.past') === null && ` + value(card("typo")+" "+editor, "a title half") + " && " + has(editor))
	w.Eval(`location.hash = '#at=30'`)
	w.Until(`document.querySelector('.page.past .card') !== null`)
	if w.Eval(`document.querySelector('`+editor+`') === null`) != "true" {
		t.Error("a title can be edited in the replay")
	}
}
