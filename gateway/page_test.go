package gateway

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

const pageIndex = "<!doctype html><title>Board</title>"

var pageScript = strings.Repeat("export {};\n", 100)

// newPageSite is a server with a page of a test's own.
func newPageSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, Config{})
	page, err := newPage(fstest.MapFS{
		"index.html":        {Data: []byte(pageIndex)},
		"app.js":            {Data: []byte(pageScript)},
		"fonts/a {b} c.bin": {Data: []byte("x")}, // a name that is no pattern of paths
	})
	if err != nil {
		t.Fatal(err)
	}
	s.s.page = page
	srv := httptest.NewServer(s.s.Handler())
	t.Cleanup(srv.Close)
	return &site{t, s.m, s.s, srv.URL}
}

func TestPage_IsServedWithETagAndPolicy(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	r := s.must(200, "GET", "/", "", "Accept-Encoding", "identity")
	etag := r.header.Get("ETag")
	if etag == "" || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") || !strings.Contains(r.body, "<html") {
		t.Errorf("%v", r.header)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": pagePolicy, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if again := s.must(304, "GET", "/", "", "If-None-Match", etag, "Accept-Encoding", "identity"); again.body != "" {
		t.Errorf("304 with a body")
	}
	s.must(404, "GET", "/web.go", "")
	s.must(404, "GET", "/server.go", "")
}

// TestPage_PlacesOfTheApplication: the application is one page, whatever of its
// places is entered first.
func TestPage_PlacesOfTheApplication(t *testing.T) {
	t.Parallel()
	s := newPageSite(t)
	root := s.must(200, "GET", "/", "", "Accept-Encoding", "identity")
	for _, path := range []string{
		"/index.html", "/boards", "/boards/demo", "/boards/no-such-board", "/boards/%E2%82%AC%20and%2Fmore", "/boards/a:b?user=ann",
		"/boards/demo/cards/c1", "/boards/de%2Fmo/cards/c%2F1%3F", "/boards/demo/cards/member:x",
	} {
		r := s.must(200, "GET", path, "", "Accept-Encoding", "identity")
		if r.body != pageIndex || headers(r) != headers(root) {
			t.Errorf("%s: %s %q, / is %s", path, headers(r), r.body, headers(root))
		}
		s.must(304, "GET", path, "", "If-None-Match", root.header.Get("ETag"), "Accept-Encoding", "identity")
		if head := s.must(200, "HEAD", path, "", "Accept-Encoding", "identity"); head.body != "" || headers(head) != headers(root) {
			t.Errorf("HEAD %s: %s", path, headers(head))
		}
		s.must(405, "POST", path, "")
	}
	for _, path := range []string{
		"/boards/", "/boards/demo/", "/boards/demo/cards", "/boards/demo/cards/", "/boards/demo/cards/c1/", "/boards/demo/cards/c1/more",
		"/boards/demo/files/f1", "/boards%2Fdemo", "/board", "/app.js/", "/nothing.js", "/boards/demo/app.js", "/fonts",
	} {
		s.must(404, "GET", path, "")
	}
}

func TestPage_FilesAreCompressedToWhoTakesThat(t *testing.T) {
	t.Parallel()
	s := newPageSite(t)
	plain := s.must(200, "GET", "/app.js", "", "Accept-Encoding", "identity")
	zipped := s.must(200, "GET", "/app.js", "", "Accept-Encoding", "gzip, br")
	r, err := gzip.NewReader(strings.NewReader(zipped.body))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(r); err != nil || string(body) != pageScript || plain.body != pageScript || len(zipped.body) > len(pageScript)/2 {
		t.Errorf("%d bytes of %d, plain %d (%v)", len(zipped.body), len(pageScript), len(plain.body), err)
	}
	if got := plain.header.Get("Content-Type"); got != "text/javascript; charset=utf-8" || zipped.header.Get("Content-Type") != got {
		t.Errorf("Content-Type: %q", got)
	}
	if plain.header.Get("ETag") == zipped.header.Get("ETag") || zipped.header.Get("Content-Encoding") != "gzip" || zipped.header.Get("Content-Security-Policy") == "" {
		t.Errorf("%v\n%v", plain.header, zipped.header)
	}
	s.must(200, "GET", "/app.js", "", "Accept-Encoding", "gzip", "If-Match", zipped.header.Get("ETag"))
	other := s.must(412, "GET", "/app.js", "", "Accept-Encoding", "gzip", "If-Match", `"other"`)
	if length := other.header.Get("Content-Length"); length != "0" {
		t.Errorf("412 with a Content-Length of %q", length)
	}
	r2 := s.must(200, "GET", "/fonts/a%20%7Bb%7D%20c.bin", "", "Accept-Encoding", "gzip")
	if r2.body != "x" || r2.header.Get("Content-Encoding") != "" || r2.header.Get("Content-Type") != anyContentType {
		t.Errorf("what compresses to more: %q %v", r2.body, r2.header)
	}
}

func TestPage_NeedsAnIndex(t *testing.T) {
	t.Parallel()
	if _, err := newPage(fstest.MapFS{"app.js": {}}); err == nil {
		t.Error("a page without index.html")
	}
}
