package gateway

import (
	"bufio"
	"bytes"
	"fmt"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

func TestContent_UploadThenDownload(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testUploadDownload)
}

func testUploadDownload(t *testing.T, s *site) {
	s.demo()
	r := s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=a.txt&card=c1", "hello world", "Content-Type", "text/plain; charset=utf-8", "Mutation-Id", "u1")
	var a struct {
		Events   int
		Entities []map[string]any
	}
	r.json(t, &a)
	if a.Events != 1 || len(a.Entities) != 1 || a.Entities[0]["size"] != 11.0 || a.Entities[0]["sha256"] != "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9" {
		t.Fatalf("%s", r.body)
	}
	if a.Entities[0]["object"] != nil {
		t.Errorf("where the bytes lie is nobody's business: %s", r.body)
	}
	if r.header.Get("Mutation-Id") != "u1" {
		t.Errorf("%v", r.header)
	}
	got := s.must(200, "GET", "/v1/boards/demo/files/f1/content", "")
	if got.body != "hello world" || got.header.Get("Content-Type") != "text/plain; charset=utf-8" || got.header.Get("Content-Length") != "11" {
		t.Errorf("%v %q", got.header, got.body)
	}
	for name, want := range map[string]string{
		"Content-Disposition": `attachment; filename="a.txt"; filename*=UTF-8''a.txt`, "X-Content-Type-Options": "nosniff",
		"Etag": `"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"`, "Cache-Control": "private, no-cache",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.header.Get(name), want)
		}
	}
	if !strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%v", got.header)
	}
	s.must(200, "POST", "/v1/boards/demo/mutations", `{"clientMutationId":"ren","entityId":"f1","patch":{"name":"b.txt"}}`)
	again := s.must(200, "GET", "/v1/boards/demo/files/f1/content", "")
	if again.body != "hello world" || again.header.Get("ETag") != got.header.Get("ETag") {
		t.Errorf("renaming touched the content")
	}
}

func TestContent_Ranges(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	data := strings.Repeat("0123456789", 1000)
	s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=a.bin", data)
	path := "/v1/boards/demo/files/f1/content"
	etag := s.must(200, "HEAD", path, "").header.Get("ETag")
	if len(s.m.opened) != 0 {
		t.Errorf("HEAD opened the content")
	}
	for _, tt := range []struct {
		header []string
		status int
		body   string
		opened []int64
	}{
		{[]string{"Range", "bytes=5000-5004"}, 206, "01234", []int64{5000}},
		{[]string{"Range", "bytes=-3"}, 206, "789", []int64{9997}},
		{[]string{"Range", "bytes=9995-"}, 206, "56789", []int64{9995}},
		{[]string{"Range", "bytes=10000-"}, 416, "", nil},
		{[]string{"Range", "bytes=5-1"}, 416, "", nil},
		{[]string{"Range", "bytes=0-1", "If-Range", etag}, 206, "01", []int64{0}},
		{[]string{"Range", "bytes=0-1", "If-Range", `"other"`}, 200, data, []int64{0}},
		{[]string{"If-None-Match", etag}, 304, "", nil},
		{[]string{"Range", "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8"}, 200, data, []int64{0}},
	} {
		s.m.opened = nil
		r := s.do("GET", path, "", tt.header...)
		if r.status != tt.status || r.status < 300 && r.body != tt.body || !slices.Equal(s.m.opened, tt.opened) {
			t.Errorf("%v: %d, %d bytes, opened at %v", tt.header, r.status, len(r.body), s.m.opened)
		}
	}
	s.m.opened = nil
	r := s.must(206, "GET", path, "", "Range", "bytes=10-11,9000-9001")
	if !strings.Contains(r.body, "01") || !slices.Equal(s.m.opened, []int64{10, 9000}) {
		t.Errorf("two ranges: opened at %v: %s", s.m.opened, r.body)
	}
}

func TestContent_EmptyFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=empty", "")
	if r := s.must(200, "GET", "/v1/boards/demo/files/f1/content", ""); r.body != "" || r.header.Get("Content-Length") != "0" {
		t.Errorf("%v", r.header)
	}
}

func TestContent_DispositionOfHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"plain.txt", "a b.txt", `qu"ote.txt`, `back\slash`, "semi;colon", "50%.txt", "%41.txt", "Grüße.txt", "日本.pdf", "x\r\nSet-Cookie: a=b",
		"a/../../etc/passwd", "\u202egnp.exe", "'quote'", "*", "", strings.Repeat("ü", 127), "nul\x00", "\xff\xfe",
	} {
		got := attachment(name)
		for i := range len(got) {
			if got[i] < ' ' || got[i] > '~' {
				t.Fatalf("%q: byte %#x in %q", name, got[i], got)
			}
		}
		disposition, params, err := mime.ParseMediaType(got)
		if err != nil || disposition != "attachment" {
			t.Errorf("%q: %q: %v", name, got, err)
			continue
		}
		saved := params["filename"]
		if strings.ContainsAny(saved, "/\\\r\n\x00") || !utf8.ValidString(saved) {
			t.Errorf("%q is saved as %q", name, saved)
		}
		if plain := !strings.ContainsFunc(name, func(r rune) bool { return hidden(r) || r == '/' || r == '\\' }); plain && saved != name {
			t.Errorf("%q is saved as %q", name, saved)
		}
		if strings.Count(got, `"`) != 2 {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func TestContent_RefusedUploadsLeaveNothing(t *testing.T) {
	t.Parallel()
	k, auth := newTokens(t)
	s := newSite(t, Config{Auth: auth, BoardIDs: true, MaxContent: 100})
	ann := k.of("ann")
	s.must(201, "POST", "/v1/boards", `{"id":"b","title":"B"}`, ann...)
	s.must(200, "POST", "/v1/boards/b/mutations", `{"clientMutationId":"c","entityId":"col","patch":{"kind":"column","title":"x"}}`, ann...)
	big := strings.Repeat("x", 101)
	for _, tt := range []struct {
		path, body string
		who        []string
		status     int
		code       domain.Code
	}{
		{"f1/content?name=a", "x", k.of("vic", "b=commenter"), 403, domain.Forbidden},
		{"f1/content", "x", ann, 404, domain.NotFound},
		{"f1/content?card=c9", "x", ann, 400, domain.Invalid},
		{"f1/content?name=a&card=c9", "x", ann, 404, domain.NotFound},
		{"f1/content?name=a%2Fb", "x", ann, 400, domain.Invalid},
		{"f1/content?name=a%FF", "x", ann, 400, domain.Invalid},
		{"f1/content?name=%zz", "x", ann, 400, domain.Invalid},
		{"f1/content?name=a", "x", slices.Concat(ann, []string{"Content-Type", "text/plain; name=\"\xff\""}), 400, domain.Invalid},
		{"col/content", "x", ann, 400, domain.Invalid},
		{"a%20b/content?name=a", "x", ann, 400, domain.Invalid},
		{"f1/content?name=a", big, ann, 413, domain.TooLarge},
		{"f1/content?name=a", "x", slices.Concat(ann, []string{"Content-Type", "nonsense;;"}), 400, domain.Invalid},
		{"f1/content?name=a", "x", slices.Concat(ann, []string{"Content-Range", "bytes 0-0/2"}), 400, domain.Invalid},
		{"f1/content?name=a", "x", slices.Concat(ann, []string{"Content-Encoding", "gzip"}), 415, codeMediaType},
		{"f1/content?name=a", "x", slices.Concat(ann, []string{"Mutation-Id", "a b"}), 400, domain.Invalid},
	} {
		r := s.do("PUT", "/v1/boards/b/files/"+tt.path, tt.body, tt.who...)
		if r.status != tt.status || r.code(t) != tt.code {
			t.Errorf("%s: %d %s, want %d %s", tt.path, r.status, r.body, tt.status, tt.code)
		}
		if n := s.m.objects(); n != 0 {
			t.Fatalf("%s left %d objects", tt.path, n)
		}
	}
	req, _ := http.NewRequest("PUT", s.url+"/v1/boards/b/files/f1/content?name=a", struct{ *strings.Reader }{strings.NewReader(big)})
	req.Header.Set(ann[0], ann[1]) // no Content-Length
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 || s.m.objects() != 0 {
		t.Errorf("chunked and too large: %d, %d objects", resp.StatusCode, s.m.objects())
	}
}

func TestContent_RefusalComesBeforeTheBytes(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PUT /v1/boards/demo/files/c1/content HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 400 {
		t.Errorf("status %d, want the refusal without 100", resp.StatusCode)
	}
}

func TestContent_BrokenOffUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "PUT /v1/boards/demo/files/f1/content?name=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if resp.StatusCode != 400 || s.m.objects() != 0 {
		t.Errorf("status %d, %d objects", resp.StatusCode, s.m.objects())
	}
	s.m.room("demo").read(func(v *projector.View) {
		if v.Board().Get("f1") != nil {
			t.Error("half a file is on the board")
		}
	})
}

func TestContent_ARepeatKeepsOneObject(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	put := func(status int, body, mutation string) reply {
		return s.must(status, "PUT", "/v1/boards/demo/files/f1/content?name=a.txt", body, "Mutation-Id", mutation)
	}
	first := put(200, "one", "u1")
	if again := put(200, "one", "u1"); again.body != first.body || s.m.objects() != 1 {
		t.Errorf("a repeat: %s, %d objects", again.body, s.m.objects())
	}
	if got := put(409, "two", "u1").code(t); got != domain.IDReused || s.m.objects() != 1 {
		t.Errorf("another content under the id: %s, %d objects", got, s.m.objects())
	}
	put(200, "one", "u2") // the same bytes again change nothing
	if s.m.objects() != 1 {
		t.Errorf("the same bytes again: %d objects", s.m.objects())
	}
	put(200, "two", "u3") // history and running readers keep the old one
	if s.m.objects() != 2 {
		t.Errorf("a replaced content: %d objects", s.m.objects())
	}
	if r := s.must(200, "GET", "/v1/boards/demo/files/f1/content", ""); r.body != "two" {
		t.Errorf("%q", r.body)
	}
}

func TestContent_WithoutVerdictTheBytesStayUntilItIsKnown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, query string
		left        int
	}{{"accepted later", "?name=a.txt", 1}, {"refused later", "?name=a.txt&card=nosuch", 0}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, Config{})
			s.demo()
			rm := s.m.room("demo")
			rm.silent, rm.voice = true, make(chan struct{})
			st, err := s.s.sit(t.Context(), identity{user: "guest", open: true}, "demo")
			if err != nil {
				t.Fatal(err)
			}
			s.m.contents["o1"] = []byte("x")
			req, _ := http.NewRequest("PUT", "/"+tt.query, nil)
			req.SetPathValue("file", "f1")
			up, err := newUpload(req, 100)
			if err != nil {
				t.Fatal(err)
			}
			up.change.Content = &domain.Content{Object: "o1", Size: 1, ContentType: "text/plain", SHA256: strings.Repeat("a", 64)}
			cmd := st.command("u1", up.change)
			schedule(&cmd, wire.ClientFrame{}, time.Now())
			if !s.s.settleLater(st, cmd) {
				t.Fatal("not taken over")
			}
			if s.m.objects() != 1 {
				t.Fatal("removed before the verdict")
			}
			close(rm.voice)
			s.s.chores.wg.Wait()
			if got := s.m.objects(); got != tt.left {
				t.Errorf("%d objects, want %d", got, tt.left)
			}
		})
	}
}

func TestContent_MissingObjectIsNoHalfAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=a", strings.Repeat("x", 100_000))
	for object, data := range s.m.contents {
		s.m.contents[object] = bytes.Clone(data[:50_000])
	}
	resp, err := http.Get(s.url + "/v1/boards/demo/files/f1/content")
	if err == nil {
		var n int64
		n, err = new(bytes.Buffer).ReadFrom(resp.Body)
		resp.Body.Close()
		if err == nil {
			t.Errorf("a short object was served as whole, %d bytes", n)
		}
	}
	clear(s.m.contents)
	if got := s.must(503, "GET", "/v1/boards/demo/files/f1/content", ""); got.header.Get("Etag") != "" {
		t.Errorf("%v", got.header)
	}
}
