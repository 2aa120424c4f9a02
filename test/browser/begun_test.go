package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestWords_BegunIsRemindedOf: a title that was being written when the page
// went is offered when the board is opened again, and nobody else sees it.
func TestWords_BegunIsRemindedOf(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("ann")
	w.begin(card("fix-login"), "a title half")
	w.Shot("words-begun")
	w.in(".notes").click("button", "Edit again")
	w.Until(value(card("fix-login")+" "+editor, "a title half") + ` && !(` + says("plain", "a title half") + `)`)
	w.Do(chromedp.Navigate(s.url("eve", "/boards/demo")))
	w.Until(live + " && " + anyCards)
	if w.Eval(`document.body.textContent.includes('a title half')`) == "true" {
		t.Error("another user of this browser is shown the words")
	}
}

// TestWords_NotAllowedAnyMore: whoever loses his role while he writes keeps
// the field and the words in it, and is told at sending.
func TestWords_NotAllowedAnyMore(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.open("fay")
	w.describe("fix-login")
	w.write("words of a former editor")
	s.mutate("ben", "fix-login", patch{"archived": true})
	w.Until(`document.querySelector('.banner') !== null && ` + value(dialog+" "+editor, "words of a former editor"))
	w.in(".edit-text").click("button", "Save")
	w.Until(`document.querySelector('.edit-trouble')?.textContent.includes('is archived') && ` + value(dialog+" "+editor, "words of a former editor"))
	w.Shot("words-archived")
}

// TestWords_CommentOnWhatIsGone: a comment that was being written on a card
// that another deletes is kept in a note, also if the page was not there then.
func TestWords_CommentOnWhatIsGone(t *testing.T) {
	for _, name := range []string{"open", "away"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			w := s.open("fay")
			w.clickAt(card("fix-login") + " .card-title")
			w.clickAt(".compose-text")
			w.write("a comment half")
			if name == "away" {
				w.Do(chromedp.Navigate("about:blank"))
			}
			s.mutate("ann", "fix-login", patch{"archived": true})
			s.delete("ann", "fix-login")
			if name == "away" {
				w.visit("/boards/demo")
			}
			w.Until(live + " && " + says("refused", "a comment half"))
			w.Do(chromedp.Reload())
			w.Until(live + " && " + says("refused", "a comment half"))
		})
	}
}

func (s *site) delete(user, id string) {
	s.t.Helper()
	s.ask(user, "POST", "/v1/boards/demo/mutations", map[string]any{"clientMutationId": "delete-" + id, "entityId": id, "patch": nil})
}
