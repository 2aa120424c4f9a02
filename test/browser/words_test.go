package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	editor = `textarea.edit`
	dialog = `dialog.card-dialog`
)

// describe opens the editor of a card's description, all of it chosen.
func (w *window) describe(id string) {
	w.TB.Helper()
	w.clickAt(card(id) + " .card-title")
	w.in(dialog).click("button", "Edit the description")
	w.Until(has(dialog + " .description " + editor))
}

// rename begins to edit the title of a card or column where it stands.
func (w *window) rename(at string) {
	w.TB.Helper()
	w.focus(at + " :is(.card-title, .column-head)")
	w.keys(kb.F2)
	w.Until(has(at + " " + editor))
}

// begin leaves a title half written, with the page, which offers the words when
// it is there again.
func (w *window) begin(at, words string) {
	w.TB.Helper()
	w.rename(at)
	w.write(words)
	w.Do(chromedp.Reload())
	w.Until(live + " && " + says("plain", words))
}

// value is a condition: the field has this text.
func value(selector, text string) string {
	return fmt.Sprintf("document.querySelector(%q)?.value === %s", selector, quote(text))
}

// TestWords_TwoEditOneDescription: the second one to save is shown both texts
// and chooses; nobody's are overwritten unseen.
func TestWords_TwoEditOneDescription(t *testing.T) {
	for _, choice := range []struct{ button, left, kept string }{
		{"Use mine", "ben wrote this", ""},
		{"Use theirs", "ann wrote this", "ben wrote this"},
	} {
		t.Run(choice.button, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			ann, ben := s.open("ann"), s.open("ben")
			for _, w := range []*window{ann, ben} {
				w.describe("fix-login")
				w.write(w.user + " wrote this")
			}
			ann.in(dialog).click("button", "Save")
			ben.Until(holds(".edit-changed", "ann has changed this") + " && " + value(editor, "ben wrote this"))
			ben.in(dialog).click("button", "Save")
			ben.Until(`document.querySelector('.edit-theirs')?.textContent === 'ann wrote this' && ` + value(editor, "ben wrote this"))
			ben.Shot("words-conflict")
			ben.in(dialog).click("button", choice.button)
			for _, w := range []*window{ann, ben} {
				w.Until(shows(dialog+" .description .prose", choice.left))
			}
			if choice.kept != "" {
				ben.Until(says("refused", choice.kept))
			}
			s.agree(ann, ben)
			if got := s.entity("ann", "fix-login")["description"]; got != choice.left {
				t.Errorf("the server has %q", got)
			}
		})
	}
}

// TestWords_ConflictBySwiftness: both send before either can know of the other's.
func TestWords_ConflictBySwiftness(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	for _, w := range []*window{ann, ben} {
		w.describe("fix-login")
		w.write(w.user + " wrote this")
	}
	s.Freeze()
	for _, w := range []*window{ann, ben} {
		w.in(dialog).click("button", "Save")
		w.Until(shows(dialog+" .description .prose", w.user+" wrote this"))
	}
	s.Thaw()
	slower, swifter := s.either(`document.querySelector('.edit-theirs') !== null`, ann, ben)
	slower.Until(shows(".edit-theirs", swifter.user+" wrote this") + " && " + value(editor, slower.user+" wrote this"))
	slower.in(dialog).click("button", "Use mine")
	swifter.Until(shows(dialog+" .description .prose", slower.user+" wrote this"))
	s.agree(ann, ben)
}

// TestWords_Refused: a description of 2,000 words is refused. They are in the
// editor still, also after a reload, and trying again saves them.
func TestWords_Refused(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--lab")
	w := s.open("ann")
	w.lab(map[string]any{"refuse": 1})
	w.describe("fix-login")
	long := strings.TrimSpace(strings.Repeat("lorem ipsum dolor sit ", 500))
	w.write(long)
	w.in(dialog).click("button", "Save")
	w.Until(value(dialog+" "+editor, long) + ` && document.querySelector('.edit-trouble')?.textContent.includes('The lab refused it')`)
	w.Shot("words-refused")
	w.Do(chromedp.Reload()) // another session: the lab lets it pass
	w.Until(live)
	if w.Eval(`document.querySelector('`+dialog+` `+editor+`') === null`) == "true" {
		w.in(dialog).click("button", "Edit the description")
	}
	w.Until(value(dialog+" "+editor, long))
	w.Shot("words-refused-reloaded")
	if w.sees("button", "Try again") {
		w.in(dialog).click("button", "Try again")
	} else {
		w.in(dialog).click("button", "Save")
	}
	w.Until(shows(dialog+" .description .prose", long))
	s.agree(w)
	if got := s.entity("ann", "fix-login")["description"]; got != long {
		t.Errorf("the server has %.80q", got)
	}
}

// TestWords_TriedAgain: refused once, the same words are saved by one press.
func TestWords_TriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--lab")
	w := s.open("ann")
	w.lab(map[string]any{"plan": []string{"refuse"}})
	w.describe("fix-login")
	w.write("once more")
	w.in(dialog).click("button", "Save")
	w.Until(value(dialog+" "+editor, "once more") + ` && document.querySelector('.edit-trouble') !== null`)
	w.in(dialog).click("button", "Try again")
	w.Until(shows(dialog+" .description .prose", "once more"))
	s.agree(w)
	if got := s.entity("ann", "fix-login")["description"]; got != "once more" {
		t.Errorf("the server has %q", got)
	}
}

// TestLike_TwiceTheSecondRefused: two quick presses; the second one is refused,
// and the first stays.
func TestLike_TwiceTheSecondRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--lab")
	ann, ben := s.open("ann"), s.open("ben")
	ann.lab(map[string]any{"plan": []string{"pass", "refuse"}, "delayMs": 200})
	heart := card("import-csv") + " .like"
	at := ann.at(heart).middle()
	ann.press(at)
	ann.press(at)
	ann.Until(shows(heart, "1")) // as it was
	ann.Until(says("refused", "The lab refused it"))
	ann.Until(shows(heart, "2"))
	ben.Until(shows(heart, "2"))
	ann.Shot("like-refused")
	s.agree(ann, ben)
}

// TestWords_OfANewCard: a card that is refused is gone from the board, and its
// title is in a note, also after a reload, from where it is tried again.
func TestWords_OfANewCard(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--lab")
	w := s.open("ann")
	w.lab(map[string]any{"plan": []string{"refuse"}})
	w.in(column("next")).click("button", "Add a card")
	w.Until(has(column("next") + " textarea"))
	w.keys("A thought that comes once\r")
	kept := says("refused", "A thought that comes once")
	w.Until(kept + ` && document.querySelectorAll('.card[data-id]').length === 13`)
	w.Shot("words-of-a-new-card")
	w.Do(chromedp.Reload())
	w.Until(live + " && " + kept)
	w.in(".notes").click("button", "Try again")
	w.Until(`[...document.querySelectorAll('` + cardsOf("next") + ` .card-title')].at(-1).textContent === 'A thought that comes once'`)
	w.Until("!(" + kept + ")")
	s.agree(w)
}
