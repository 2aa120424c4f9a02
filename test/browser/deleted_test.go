package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestWords_DeletedMeanwhile: one deletes a card in the archive while the other
// writes on it: the words are kept, in a note.
func TestWords_DeletedMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	ben.describe("dark-mode")
	ben.write("words that nobody shall lose")
	ann.in(card("dark-mode")).click("button", "Menu of*")
	ann.click("menuitem", "Archive*")
	ann.clickAt(`[data-opens=archive]`)
	ann.in(".drawer").click("button", "Delete “Dark mode”…")
	ann.Until(`document.querySelector('dialog.confirm') !== null`)
	ann.Shot("words-delete-confirmation")
	ann.in("dialog.confirm").click("button", "Delete for ever")
	ben.Until(says("refused", "words that nobody shall lose"))
	ben.Shot("words-deleted")
	ben.keys(kb.Escape)
	ben.Until(`document.querySelector('` + dialog + `') === null`)
	s.agree(ann, ben)
	if s.entity("ann", "dark-mode") != nil {
		t.Error("the server has the card still")
	}
	ben.Do(chromedp.Reload())
	ben.Until(live + " && " + says("refused", "words that nobody shall lose"))
}
