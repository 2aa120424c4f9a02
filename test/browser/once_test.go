package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestWords_RefusedTwice: the page is gone before the refused mutation is out
// of what is kept, so the next page sends it again and is refused again. The
// words are in the editor then, once, and not in a note as well.
func TestWords_RefusedTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--lab")
	w := s.open("ann")
	w.lab(map[string]any{"refuse": 1})
	w.describe("fix-login")
	w.Do(chromedp.Evaluate[chromedp.Void](`IDBObjectStore.prototype.delete = function (key) { return this.get(key); }; undefined`))
	w.write("words of one place")
	w.in(dialog).click("button", "Save")
	w.Until(`document.querySelector('.edit-trouble')?.textContent.includes('The lab refused it')`)
	w.Do(chromedp.Reload()) // another session: the lab lets it pass
	w.Until(live + ` && document.querySelector('.description .unsaved') !== null && ` + settled)
	w.in(dialog).click("button", "Edit the description")
	w.Until(value(dialog+" "+editor, "words of one place") + ` && document.querySelector('.edit-trouble')?.textContent.includes('The lab refused it')`)
	if w.Eval(says("refused", "words of one place")) == "true" {
		t.Error("the words are in a note, too")
	}
	w.in(".edit-text").click("button", "Try again")
	w.Until(shows(dialog+" .description .prose", "words of one place"))
	s.agree(w)
	if got := s.entity("ann", "fix-login")["description"]; got != "words of one place" {
		t.Errorf("the server has %q", got)
	}
}
