package browser

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/snapback-io/snapback/gateway/web"
)

// stand serves the page's files at the site's address while its server is gone,
// as a cache before it would; ended by what it gives.
func (s *site) stand() (end func()) {
	s.t.Helper()
	files := http.FileServerFS(web.FS)
	front := &http.Server{Addr: s.Addr, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch name := strings.TrimPrefix(r.URL.Path, "/"); {
		case strings.HasPrefix(name, "v1/"):
			http.Error(w, "no server", http.StatusServiceUnavailable)
		case fs.ValidPath(name) && !strings.Contains(name, "/") && strings.Contains(name, "."):
			files.ServeHTTP(w, r)
		default:
			http.ServeFileFS(w, r, web.FS, "index.html")
		}
	})}
	listening := make(chan error, 1)
	go func() { listening <- front.ListenAndServe() }()
	end = func() {
		front.Close()
		if err := <-listening; !errors.Is(err, http.ErrServerClosed) {
			s.t.Error(err)
		}
	}
	return end
}

// TestOffline_Reload: what is done without a server is queued, shown as such,
// there after a reload, and sent when the server is back.
func TestOffline_Reload(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ann, ben := s.open("ann"), s.open("ben")
	s.Kill()
	ann.Until(offline)
	ann.drag("calendar", "next", "status-page")
	ann.in(column("done")).click("button", "Add a card")
	ann.Until(has(column("done") + " textarea"))
	ann.keys("made without a server\r")
	ann.in(card("typo")).click("button", "Menu of*")
	ann.click("menuitem", "Rename*")
	ann.Until(has(card("typo") + " " + editor))
	ann.write("Typo in every mail")
	ann.keys("\r")
	const queued = `document.body.dataset.waiting === '3'`
	ann.Until(queued + " && " + shows(card("typo")+" .card-title", "Typo in every mail") + ` && document.querySelectorAll('.card[data-pending]').length === 3`)
	ann.Shot("offline-queued")
	end := s.stand()
	ann.Do(chromedp.Reload())
	ann.Until(offline + " && " + queued + " && " + in("next", "calendar") + " && " + shows(card("typo")+" .card-title", "Typo in every mail"))
	ann.Until(`document.body.innerText.includes('made without a server')`)
	ann.Shot("offline-reloaded")
	end()
	s.Again()
	s.agree(ann, ben)
	ben.Until(in("next", "calendar") + " && " + shows(card("typo")+" .card-title", "Typo in every mail"))
}
