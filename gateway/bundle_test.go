package gateway

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"iter"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/oklog/ulid/v2"
	"golang.org/x/mod/sumdb/note"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector"
	"github.com/snapback-io/snapback/projector/bundle"
	"github.com/snapback-io/snapback/projector/restore"
	"github.com/snapback-io/snapback/projector/verify"
)

// newArchive is a real site that makes bundles, and its log.
func newArchive(t *testing.T, cfg Config) (*site, *eventlog.Log) {
	s := newRealSite(t, cfg)
	log := s.s.cfg.Log.(*eventlog.Log)
	s.s.cfg.Archive = log
	return s, log
}

// newOn is another node on the same log.
func newOn(t *testing.T, log *eventlog.Log, cfg Config) *site {
	cfg.Log, cfg.Archive, cfg.Logger = log, log, quiet
	server, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(server.Handler())
	t.Cleanup(func() { srv.Close(); server.Close() })
	return &site{t, nil, server, srv.URL}
}

// restore posts a bundle to the admin listener.
func (s *site) restore(stream, query string) reply {
	w := httptest.NewRecorder()
	s.s.AdminHandler().ServeHTTP(w, httptest.NewRequest("POST", "/restore"+query, strings.NewReader(stream)))
	return reply{w.Code, w.Header(), w.Body.String()}
}

// check verifies a bundle and gives its items.
func check(t *testing.T, stream string, keys ...note.Verifier) (sum verify.Verified, items []bundle.Item) {
	t.Helper()
	r, err := bundle.NewReader(strings.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	sum, err = verify.Stream(r, verify.Config{Keys: keys, Report: func(f verify.Finding) { t.Error(f) }}, verify.StreamOptions{Each: func(i bundle.Item) error {
		items = append(items, i)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return sum, items
}

// old is a board whose records were stored days ago, an hour between two, with
// refusals and one that is void; its mutations are ann's.
func old(t *testing.T, l *eventlog.Log, board string) (ids []string) {
	t.Helper()
	b, now := domain.NewBoard(board), time.Now().UTC().Truncate(time.Millisecond).Add(-80*time.Hour)
	records := func(yield func(eventlog.Restored, error) bool) {
		for i := range 72 {
			now = now.Add(time.Hour)
			id := ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
			change := domain.Change{EntityID: "todo", Patch: domain.Patch{"title": fmt.Sprint("T", i)}}
			switch {
			case i == 0:
				change = domain.Change{EntityID: board, Patch: domain.Patch{"kind": "board", "title": "Old"}}
			case i == 1:
				change.Patch["kind"] = "column"
			case i%7 == 0:
				change.EntityID = "nowhere"
			}
			cmd := &domain.Command{ID: id, Board: board, Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen,
				ReceivedAt: now, Deadline: now.Add(4 * time.Second), Changes: []domain.Change{change}}
			d := domain.Decide(b, cmd, now)
			_, prev, _ := b.Head()
			c := &domain.Commit{V: domain.CommitVersion, Board: board, Prev: prev, At: d.At, Decisions: []domain.Decision{d}}
			if d.Rejection == nil {
				c.NotAfter = d.Deadline
			}
			data, hash, err := c.Encode()
			stored := now.Add(3 * time.Millisecond)
			if i == 30 {
				stored = now.Add(5 * time.Second)
			} else {
				ids = append(ids, id)
			}
			if err == nil {
				err = b.Apply(c, hash, uint64(i+1), stored, nil)
			}
			if !yield(eventlog.Restored{Time: stored, Hash: hash, Data: data}, err) || err != nil {
				return
			}
		}
	}
	if _, err := l.Restore(t.Context(), board, iter.Seq2[eventlog.Restored, error](records)); err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestBundle_IsWholeAndProven(t *testing.T) {
	t.Parallel()
	s, _ := newArchive(t, Config{})
	s.demo()
	key := s.notarize()
	s.mutate("bob", "crowd", "c1", `{"columnId":"full"}`)
	s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=a.txt&user=bob", "hello", "Mutation-Id", "up")
	r := s.must(200, "GET", "/v1/boards/demo/bundle", "")
	if got := r.header.Get("Content-Type"); got != "application/x-ndjson" {
		t.Errorf("Content-Type %q", got)
	}
	sum, items := check(t, r.body, key)
	if !sum.Head || !sum.Checkpoint || sum.Proven != sum.Records || sum.Refused != 1 || sum.Records < 4 {
		t.Errorf("%+v", sum)
	}
	contents := 0
	for _, i := range items {
		if i.Content != nil && string(i.Content.Data) == "hello" && !i.Content.Missing {
			contents++
		}
	}
	if contents != 1 {
		t.Errorf("%d contents", contents)
	}
	if _, items = check(t, s.must(200, "GET", "/v1/boards/demo/bundle?contents=0", "").body, key); items[len(items)-1].Content != nil {
		t.Error("contents all the same")
	}
	if p := s.must(400, "GET", "/v1/boards/demo/bundle?contents=no", ""); !strings.Contains(p.body, `"field":"contents"`) {
		t.Error(p.body)
	}
	s.must(404, "GET", "/v1/boards/nowhere/bundle", "")
	if r := s.do("HEAD", "/v1/boards/demo/bundle", ""); r.status != 200 || r.body != "" {
		t.Error(r)
	}
	s.s.cfg.Notary = nil
	if sum, _ := check(t, s.must(200, "GET", "/v1/boards/demo/bundle", "").body); sum.Head || sum.Checkpoint || sum.Records < 4 {
		t.Errorf("unsigned: %+v", sum)
	}
	s.s.cfg.Archive = nil
	s.must(404, "GET", "/v1/boards/demo/bundle", "")
}

// A checkpoint that somebody keeps is proven by the bundle alone, if it is asked for.
func TestBundle_HasTheProofForACheckpointThatIsKept(t *testing.T) {
	t.Parallel()
	s, log := newArchive(t, Config{})
	s.demo()
	key := s.notarize()
	for i := range 5 {
		s.mutate("bob", fmt.Sprint("m", i), "c1", fmt.Sprintf(`{"title":"%d"}`, i))
	}
	path := fmt.Sprintf("/v1/checkpoints/%d?fresh=1", log.Shard("demo"))
	kept, err := proof.OpenCheckpoint([]byte(s.must(200, "GET", path, "").body), key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		s.mutate("bob", fmt.Sprint("n", i), "c1", fmt.Sprintf(`{"title":"later %d"}`, i))
	}
	forged := kept
	forged.Root[0] ^= 1
	for _, test := range []struct {
		pinned proof.Checkpoint
		found  int
	}{{kept, 0}, {forged, 1}} {
		found := 0
		r, err := bundle.NewReader(strings.NewReader(s.must(200, "GET", fmt.Sprintf("/v1/boards/demo/bundle?size=%d", kept.Size), "").body))
		if err != nil {
			t.Fatal(err)
		}
		cfg := verify.Config{Keys: []note.Verifier{key}, Pinned: []proof.Checkpoint{test.pinned}, Report: func(verify.Finding) { found++ }}
		if done, err := verify.Stream(r, cfg, verify.StreamOptions{}); err != nil || done.Held != 1 || found != test.found {
			t.Errorf("%+v, %v; %d findings", done, err, found)
		}
	}
	for query, want := range map[string]string{
		"size=0": "1 or more", "size=x": "1 or more", "size=99999999999999999": "1 or more", "size=1000": "the shard has",
		strings.Repeat("size=1&", bundle.MaxSizes+1): "at most 100",
	} {
		if p := s.must(400, "GET", "/v1/boards/demo/bundle?"+query, ""); !strings.Contains(p.body, want) || !strings.Contains(p.body, `"field":"size"`) {
			t.Errorf("%.20s: %s", query, p.body)
		}
	}
}

// The head of a bundle is of what people are shown: a view that is not what the
// log makes is found.
func TestBundle_IsHeldAgainstWhatIsShown(t *testing.T) {
	t.Parallel()
	s, _ := newArchive(t, Config{})
	s.demo()
	key := s.notarize()
	shown, err := s.s.open(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	defer shown.release()
	check(t, s.must(200, "GET", "/v1/boards/demo/bundle", "").body, key)
	shown.read(func(v *projector.View) { v.Board().Get("c1").Fields["title"] = "Shown otherwise" })
	r, err := bundle.NewReader(strings.NewReader(s.must(200, "GET", "/v1/boards/demo/bundle", "").body))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []verify.Kind
	cfg := verify.Config{Keys: []note.Verifier{key}, Report: func(f verify.Finding) { kinds = append(kinds, f.Kind) }}
	if _, err := verify.Stream(r, cfg, verify.StreamOptions{}); err != nil || len(kinds) != 1 || kinds[0] != verify.KindState {
		t.Error(kinds, err)
	}
}

func TestBundle_Rights(t *testing.T) {
	t.Parallel()
	k, auth := newTokens(t)
	s, _ := newArchive(t, Config{Auth: auth, BoardIDs: true})
	s.must(201, "POST", "/v1/boards", `{"id":"demo","title":"Demo"}`, k.of("ann")...)
	s.must(200, "GET", "/v1/boards/demo/bundle", "", k.of("ann")...)
	s.must(401, "GET", "/v1/boards/demo/bundle", "")
	for _, role := range []string{"viewer", "editor"} {
		if p := s.must(403, "GET", "/v1/boards/demo/bundle", "", k.of("bob", "demo="+role)...); !strings.Contains(p.body, `"needs":"admin"`) {
			t.Error(p.body)
		}
	}
	s.must(404, "GET", "/v1/boards/demo/bundle", "", k.of("eve")...)
}

// TestRestore_SaysWhichContentsAreNowhere: those that the log has need not be in the bundle.
func TestRestore_SaysWhichContentsAreNowhere(t *testing.T) {
	t.Parallel()
	s, _ := newArchive(t, Config{})
	s.must(201, "POST", "/v1/boards?user=ann", `{"id":"demo","title":"Demo"}`)
	s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=a.txt&user=ann", "hello", "Mutation-Id", "up")
	stream := s.must(200, "GET", "/v1/boards/demo/bundle?contents=0&user=ann", "").body
	other, _ := newArchive(t, Config{})
	for at, missing := range map[*site]int{s: 0, other: 1} {
		var done restore.Restored
		r := at.restore(stream, "")
		if r.json(t, &done); r.status != 200 || done.Missing != missing {
			t.Errorf("%d %s, want %d missing", r.status, r.body, missing)
		}
	}
}

func TestRestore_TheSameBoardElsewhere(t *testing.T) {
	t.Parallel()
	s, log := newArchive(t, Config{})
	key := s.notarize()
	ids := old(t, log, "demo")
	s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=a.txt&user=ann", "hello", "Mutation-Id", "up")
	large := strings.Repeat("0123456789", 300_000)
	s.must(200, "PUT", "/v1/boards/demo/files/f2/content?name=b.txt&user=ann", large, "Mutation-Id", "up2")
	ids = append(ids, "up", "up2")
	stream := s.must(200, "GET", "/v1/boards/demo/bundle", "").body
	before, _ := check(t, stream, key)

	s2, log2 := newArchive(t, Config{})
	s2.must(201, "POST", "/v1/boards?user=ann", `{"id":"other","title":"Other"}`)
	public := "?key=" + url.QueryEscape(s.s.cfg.Notary.Public())
	r := s2.restore(stream, public)
	var done restore.Restored
	if r.json(t, &done); r.status != 200 || done.Stored != before.Records || done.Contents != 2 || done.Missing != 0 || done.State != before.State {
		t.Fatalf("%d %s", r.status, r.body)
	}
	key2 := s2.notarize()
	after, _ := check(t, s2.must(200, "GET", "/v1/boards/demo/bundle", "").body, key2)
	if after.State != before.State || after.Rev != before.Rev || after.Hash != before.Hash || after.Void != 1 || after.Records != before.Records {
		t.Errorf("%+v, was %+v", after, before)
	}
	for _, id := range ids {
		was := s.must(200, "GET", "/v1/boards/demo/mutations/"+id+"?user=ann", "")
		if is := s2.do("GET", "/v1/boards/demo/mutations/"+id+"?user=ann", ""); is.status != was.status || is.body != was.body {
			t.Errorf("%s: %d %s, was %s", id, is.status, is.body, was.body)
		}
	}
	entities := func(s *site) string {
		_, rest, _ := strings.Cut(s.must(200, "GET", "/v1/boards/demo", "").body, `"rev"`)
		return rest
	}
	if is, was := entities(s2), entities(s); is != was {
		t.Errorf("%s\nwas %s", is, was)
	}
	if got := s2.must(200, "GET", "/v1/boards/demo/files/f2/content", "").body; got != large {
		t.Errorf("%d bytes of content", len(got))
	}
	if list := s2.must(200, "GET", "/v1/boards", "").body; !strings.Contains(list, `"demo"`) {
		t.Error(list)
	}
	// Who resumes where he was in the other log starts afresh.
	for _, epoch := range []string{s.s.store.Epoch(), s2.s.store.Epoch()} {
		url := "ws" + strings.TrimPrefix(s2.url, "http") + fmt.Sprintf("/v1/boards/demo/ws?user=ann&since=%d&epoch=%s", before.Rev, epoch)
		ws, _, err := websocket.DefaultDialer.Dial(url, nil)
		if err != nil {
			t.Fatal(err)
		}
		var f frame
		if err := ws.ReadJSON(&f); err != nil || f.Resumed != (epoch == s2.s.store.Epoch()) || f.Rev != before.Rev {
			t.Errorf("epoch %s: %+v, %v", epoch, f, err)
		}
		ws.Close()
	}
	// It goes on, and what was decided is not decided again.
	s2.must(200, "POST", "/v1/boards/demo/mutations?user=ann", `{"clientMutationId":"new","entityId":"todo","patch":{"title":"New"}}`)
	rev := s2.must(200, "GET", "/v1/boards/demo", "").body
	s2.do("POST", "/v1/boards/demo/mutations?user=ann", fmt.Sprintf(`{"clientMutationId":%q,"entityId":"todo","patch":{"title":"T40"}}`, ids[39]))
	if again := s2.must(200, "GET", "/v1/boards/demo", "").body; again != rev {
		t.Errorf("an old mutation had an effect once more: %s", again)
	}
	// Once more changes nothing, and its sweep keeps its contents.
	if r := s2.restore(stream, public); r.status != 200 || !strings.Contains(r.body, `"stored":0,"contents":0`) {
		t.Errorf("again: %d %s", r.status, r.body)
	}
	if n, err := log2.SweepUploads(t.Context(), time.Time{}, time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("%d contents swept, %v", n, err)
	}
}

func TestRestore_RefusesAndStoresNothing(t *testing.T) {
	t.Parallel()
	s, log := newArchive(t, Config{})
	key := s.notarize()
	old(t, log, "demo")
	s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=a.txt&user=ann", "hello", "Mutation-Id", "up")
	stream := s.must(200, "GET", "/v1/boards/demo/bundle", "").body
	check(t, stream, key)
	lines := strings.SplitAfter(stream, "\n")
	lines = lines[:len(lines)-1]
	public := "?key=" + url.QueryEscape(s.s.cfg.Notary.Public())
	s2, log2 := newArchive(t, Config{})
	stranger := s2.notarize()
	_ = stranger
	replace := func(i int, was, is string) []string {
		l := append([]string(nil), lines...)
		if l[i] = strings.Replace(l[i], was, is, 1); l[i] == lines[i] {
			t.Fatalf("line %d has no %s: %s", i, was, l[i])
		}
		return l
	}
	end := len(lines) - 1
	for name, c := range map[string]struct {
		lines []string
		query string
		want  string
	}{
		"another title":      {replace(5, `"title":"T4"`, `"title":"T5"`), "", "hash"},
		"another time":       {replace(5, `"time":"20`, `"time":"21`), "", ""},
		"void no more":       {replace(31, `,"hash"`, `,"hash"`+" "), "", ""},
		"a record less":      {append(append([]string(nil), lines[:9]...), lines[10:]...), "", ""},
		"cut off":            {lines[:40], "", "cut off"},
		"signed by nobody":   {without(lines, `{"type":"head"`), public, "no signed head"},
		"signed by another":  {lines, "?key=" + url.QueryEscape(s2.s.cfg.Notary.Public()), "not signed by a known key"},
		"another content":    {replace(end-1, `aGVsbG8=`, `aGVsbG4=`), "", "content"},
		"content of nobody":  {replace(end-1, `"object":"demo.`, `"object":"demo.X`), "", "no event names"},
		"content of another": {replace(end-1, `"object":"demo.`, `"object":"other.`), "", "no event names"},
		"no bundle":          {[]string{"hello\n"}, "", "line 1"},
		"a bad key":          {lines, "?key=x", `"field":"key"`},
	} {
		if name == "void no more" { // by its time it took effect
			var out bytes.Buffer
			r, _ := bundle.NewReader(strings.NewReader(stream))
			w := bundle.NewWriter(&out, r.Header())
			for i, err := r.Next(); err == nil; i, err = r.Next() {
				if i.Record != nil && r.Records() == 31 {
					i.Record.Time = i.Record.Time.Add(-5 * time.Second)
				}
				_ = w.Item(i)
			}
			_ = w.End()
			c.lines = []string{out.String()}
		}
		r := s2.restore(strings.Join(c.lines, ""), c.query)
		if r.status != 400 || !strings.Contains(r.body, c.want) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		if head, err := log2.Head(t.Context(), "demo"); head != 0 || err != nil {
			t.Fatalf("%s: stored up to %d, %v", name, head, err)
		}
		if n, err := log2.SweepUploads(t.Context(), time.Time{}, time.Now().Add(time.Hour)); n != 0 || err != nil {
			t.Errorf("%s: %d contents were stored, %v", name, n, err)
		}
	}
	s2.must(201, "POST", "/v1/boards?user=ann", `{"id":"demo","title":"Another"}`)
	if r := s2.restore(stream, public); r.status != 409 {
		t.Errorf("a board that is there: %d %s", r.status, r.body)
	}
}

func without(lines []string, prefix string) (rest []string) {
	for _, l := range lines {
		if !strings.HasPrefix(l, prefix) {
			rest = append(rest, l)
		}
	}
	return rest
}

// Half a restore is no board: nobody sees it or changes it before it is whole.
func TestRestore_HalfIsNoBoard(t *testing.T) {
	t.Parallel()
	s, log := newArchive(t, Config{})
	old(t, log, "demo")
	stream := s.must(200, "GET", "/v1/boards/demo/bundle", "").body
	s2, log2 := newArchive(t, Config{})
	half := func(yield func(eventlog.Restored, error) bool) {
		r, _ := bundle.NewReader(strings.NewReader(stream))
		for n := range 40 {
			i, err := r.Next()
			if err == nil && n == 39 {
				err = io.ErrUnexpectedEOF
			}
			var rec eventlog.Restored
			if err == nil {
				rec = eventlog.Restored{Time: i.Record.Time, Data: i.Record.Data}
				rec.Hash, err = i.Record.HashOf()
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
	if done, err := log2.Restore(t.Context(), "demo", half); err == nil || done.Stored != 38 {
		t.Fatal(done, err)
	}
	if r := s2.do("POST", "/v1/boards?user=ann", `{"id":"demo","title":"Mine"}`); r.status < 400 {
		t.Errorf("somebody made it: %d %s", r.status, r.body)
	}
	if r := s2.do("GET", "/v1/boards/demo", ""); r.status < 400 {
		t.Errorf("somebody sees it: %d %s", r.status, r.body)
	}
	fresh := newOn(t, log2, Config{})
	if r := fresh.do("GET", "/v1/boards/demo", ""); r.status != 503 {
		t.Errorf("somebody opens it: %d %s", r.status, r.body)
	}
	if r := s2.restore(stream, ""); r.status != 200 || !strings.Contains(r.body, `"records":72,"stored":34`) {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var page struct{ Rev uint64 }
	s2.must(200, "GET", "/v1/boards/demo", "").json(t, &page)
	sum, _ := check(t, s2.must(200, "GET", "/v1/boards/demo/bundle", "").body)
	if sum.Records != 72 || page.Rev != sum.Rev {
		t.Errorf("%+v", sum)
	}
}
