package gateway

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/gateway/browser"
)

// TestHTTP_ClientJS is the browser client as an ES module, for pages of any
// origin.
func TestHTTP_ClientJS(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	const path = "/client.js"
	plain := s.must(200, "GET", path, "", "Origin", "https://elsewhere.example", "Accept-Encoding", "identity")
	for name, want := range map[string]string{
		"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
		"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Content-Encoding": "",
	} {
		if got := plain.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if plain.body != string(browser.Client) || !strings.Contains(plain.body, "export") {
		t.Errorf("%.100s", plain.body)
	}
	zipped := s.must(200, "GET", path, "", "Accept-Encoding", "br, GZIP;q=0.5", "Range", "bytes=0-9")
	r, err := gzip.NewReader(strings.NewReader(zipped.body))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(r); err != nil || string(body) != plain.body || len(zipped.body) > len(plain.body)/2 {
		t.Errorf("%d bytes of %d compressed (%v)", len(body), len(plain.body), err)
	}
	for _, refused := range []string{"identity", "br", "gzip;q=0", "xgzip", "gzip; q=0.0, br"} {
		if got := s.must(200, "GET", path, "", "Accept-Encoding", refused); got.body != plain.body {
			t.Errorf("%q is answered compressed", refused)
		}
	}
	for _, r := range []struct {
		reply, other reply
		accept       string
	}{{plain, zipped, "identity"}, {zipped, plain, "gzip"}} {
		tag := r.reply.header.Get("ETag")
		head := s.must(200, "HEAD", path, "", "Accept-Encoding", r.accept)
		if head.header.Get("Content-Length") != r.reply.header.Get("Content-Length") || head.body != "" || head.header.Get("ETag") != tag {
			t.Errorf("HEAD: %v", head.header)
		}
		s.must(304, "GET", path, "", "Accept-Encoding", r.accept, "If-None-Match", tag)
		s.must(200, "GET", path, "", "Accept-Encoding", r.accept, "If-None-Match", r.other.header.Get("ETag"))
		if vary := strings.Join(r.reply.header.Values("Vary"), ","); !strings.Contains(vary, "Accept-Encoding") {
			t.Errorf("Vary: %s", vary)
		}
	}
	s.must(http.StatusMethodNotAllowed, "POST", path, "")
}
