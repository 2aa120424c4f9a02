package browser

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestWords_TakenBack: what waits is taken back, in the list of what waits or in
// the inspector; its words are in a note.
func TestWords_TakenBack(t *testing.T) {
	for _, from := range []struct{ name, opens, in, button string }{
		{"queue", "#state", ".queue", "Take back*"},
		{"inspector", "[data-opens=inspect]", ".drawer", "Cancel*"},
	} {
		t.Run(from.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			w := s.open("ann")
			s.Kill()
			w.Until(offline)
			w.describe("dark-mode")
			w.write("words of some worth")
			w.in(dialog).click("button", "Save")
			w.Until(shows(dialog+" .description .prose", "words of some worth"))
			w.keys(kb.Escape)
			w.Until(`document.querySelector('` + dialog + `') === null`)
			w.clickAt(from.opens)
			w.in(from.in).click("button", from.button)
			w.Until(settled + " && " + says("plain", "words of some worth"))
			w.in(".notes").click("button", "Try again")
			w.Until(`document.body.dataset.waiting === '1'`)
		})
	}
}
