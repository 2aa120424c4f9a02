package gateway

import (
	"net/http/httptest"
	"testing"

	"github.com/snapback-io/snapback/domain"
)

func TestOrigin_SameOriginByDefault(t *testing.T) {
	t.Parallel()
	allowed, err := newOrigins([]string{"https://app.example", "http://localhost:5173"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		host, origin    string
		byDefault, list bool
	}{
		{"localhost:8080", "", true, true},
		{"localhost:8080", "http://localhost:8080", true, true},
		{"localhost:8080", "http://LOCALHOST:8080", true, true},
		{"board.example", "https://board.example", true, true},
		{"board.example:443", "https://board.example", true, true},
		{"board.example", "http://board.example:8080", false, false},
		{"localhost:8080", "http://localhost:5173", false, true},
		{"localhost:8080", "https://app.example", false, true},
		{"localhost:8080", "https://APP.example", false, true},
		{"localhost:8080", "http://app.example", false, false},
		{"localhost:8080", "https://app.example.evil", false, false},
		{"localhost:8080", "https://app.example:444", false, false},
		{"localhost:8080", "http://evil/localhost:8080", false, false},
		{"localhost:8080", "http://localhost:8080@evil", false, false},
		{"localhost:8080", "null", false, false},
		{"localhost:8080", "file://", false, false},
	} {
		r := httptest.NewRequest("POST", "/v1/boards", nil)
		r.Host = tt.host
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		if got := (origins{}).allows(r); got != tt.byDefault {
			t.Errorf("by default %s at %s: %v", tt.origin, tt.host, got)
		}
		if got := allowed.allows(r); got != tt.list {
			t.Errorf("with a list %s at %s: %v", tt.origin, tt.host, got)
		}
		if !(origins{all: true}).allows(r) {
			t.Errorf("* does not allow %s", tt.origin)
		}
	}
	r := httptest.NewRequest("POST", "/v1/boards", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if (origins{}).allows(r) {
		t.Error("another site that hides its origin")
	}
	for _, bad := range []string{"app.example", "https://app.example/", "https://app.example/x", "ftp://a", "https://*.example*/", ""} {
		if _, err := newOrigins([]string{bad}); err == nil {
			t.Errorf("%q taken for an origin", bad)
		}
	}
}

func TestOrigin_ForeignSitesMayNotChangeAnything(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{Origins: []string{"https://app.example"}})
	s.demo()
	if got := s.must(403, "POST", "/api/posts/c1/like", "", "Origin", "https://evil.example").code(t); got != domain.Forbidden {
		t.Errorf("%s", got)
	}
	s.must(403, "PUT", "/v1/boards/demo/files/f/content?name=a", "x", "Origin", "https://evil.example")
	s.must(403, "GET", "/v1/boards/demo/ws", "", "Origin", "https://evil.example", "Connection", "upgrade", "Upgrade", "websocket")
	r := s.must(200, "POST", "/api/posts/c1/like", "", "Origin", "https://app.example")
	if r.header.Get("Access-Control-Allow-Origin") != "https://app.example" || r.header.Get("Vary") != "Origin" {
		t.Errorf("%v", r.header)
	}
	if r := s.must(200, "GET", "/v1/boards/demo", "", "Origin", "https://evil.example"); r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a foreign site may read: %v", r.header)
	}
	ask := []string{"Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization,mutation-id"}
	r = s.must(204, "OPTIONS", "/v1/boards/demo/files/f/content", "", append(ask, "Origin", "https://app.example")...)
	if r.header.Get("Access-Control-Allow-Methods") == "" || r.header.Get("Access-Control-Allow-Headers") == "" || r.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("preflight: %v", r.header)
	}
	if r = s.do("OPTIONS", "/v1/boards/demo/files/f/content", "", append(ask, "Origin", "https://evil.example")...); r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight of a foreign site: %v", r.header)
	}
}

func TestOpenMode_AnswersOnlyToItsOwnNames(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{Hosts: []string{"board.lan"}})
	for host, status := range map[string]int{
		"localhost:8080": 200, "LOCALHOST": 200, "localhost.:80": 200, "127.0.0.1:8080": 200, "127.1.2.3": 200, "[::1]:8080": 200, "[::1]": 200,
		"board.lan:8080": 200, "evil.example": 403, "evil.example:8080": 403, "127.0.0.1.evil.example": 403, "localhost.evil": 403, "10.0.0.1": 403,
	} {
		if r := s.do("GET", "/v1/boards", "", "Host", host); r.status != status {
			t.Errorf("%s: %d", host, r.status)
		}
	}
	_, auth := newTokens(t)
	s = newSite(t, Config{Auth: auth})
	if r := s.do("GET", "/v1/boards", "", "Host", "board.example"); r.status != 401 {
		t.Errorf("with auth any name is served: %d", r.status)
	}
}
