package browser

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/test/chrome"
)

// beside opens another window of the same user in the same browser.
func (w *window) beside() *window {
	w.TB.Helper()
	other := &window{Page: chrome.Open(w.site.t, w.Ctx, w.user+"-again"), site: w.site, user: w.user, heard: &heard{}}
	other.visit("/boards/demo")
	other.Until(live + " && " + anyCards)
	return other
}

// TestWords_TwoWindowsOfOneUser: both write at one description and are left.
// The words of one are in the draft then, those of the other in a note.
func TestWords_TwoWindowsOfOneUser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := s.open("ann")
	one.writes("words of the first")
	two := one.beside()
	two.writes("words of the second")
	two.Do(chromedp.Reload())
	two.Until(live + " && " + says("plain", "words of the second"))
	two.Do(chromedp.Navigate("about:blank"))
	one.Do(chromedp.Reload())
	one.Until(live + " && " + says("plain", "words of the first") + " && document.querySelector('.unsaved') !== null")
}

// writes begins a description and waits until it is kept.
func (w *window) writes(text string) {
	w.TB.Helper()
	w.describe("fix-login")
	w.Do(chromedp.Evaluate[chromedp.Void](`document.activeElement.select()`))
	w.write(text)
	w.Until(`localStorage.getItem('snapback.draft/demo/ann/fix-login/description')?.includes(` + quote(text) + `)`)
}
