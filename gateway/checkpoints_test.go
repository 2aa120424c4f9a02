package gateway

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector/notary"
)

// notarize gives a real site a notary with a key of its own.
func (s *site) notarize() (check note.Verifier) {
	s.t.Helper()
	private, _, err := proof.NewKey(rand.Reader, "test")
	if err != nil {
		s.t.Fatal(err)
	}
	signer, err := proof.ParseSigner(private)
	if err != nil {
		s.t.Fatal(err)
	}
	s.s.cfg.Notary, err = notary.New(notary.Config{Log: s.s.cfg.Log.(notary.Log), Signer: signer, Logger: quiet})
	if err != nil {
		s.t.Fatal(err)
	}
	return signer.Verifier()
}

// Who has the key can check by HTTP alone that a record is in the log of the
// board's shard.
func TestCheckpoints_AreCheckedByHTTPAlone(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{})
	s.demo()
	s.must(404, "GET", "/v1/checkpoints", "")
	s.must(404, "GET", "/v1/boards/demo/head", "")
	check := s.notarize()
	for i := range 20 {
		s.must(200, "POST", "/v1/boards/demo/mutations", fmt.Sprintf(`{"clientMutationId":"n%d","entityId":"c1","patch":{"title":"%d"}}`, i, i))
	}
	shard := s.s.cfg.Log.(interface{ Shard(string) int }).Shard("demo")
	at := fmt.Sprint("/v1/checkpoints/", shard)
	if got := s.must(404, "GET", at, "").code(t); got != domain.NotFound {
		t.Errorf("none yet: %s", got)
	}
	r := s.must(200, "GET", at+"?fresh=1", "")
	c, err := proof.OpenCheckpoint([]byte(r.body), check)
	if err != nil || c.Shard != shard || c.Epoch != s.s.store.Epoch() || c.Size < 21 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/plain") {
		t.Fatalf("%+v, %v: %s", c, err, r.body)
	}
	if again := s.must(200, "GET", at, ""); again.body != r.body {
		t.Errorf("the latest is %s", again.body)
	}
	var list checkpointList
	s.must(200, "GET", "/v1/checkpoints", "").json(t, &list)
	if v, err := proof.ParseVerifier(list.Key); err != nil || v.KeyHash() != check.KeyHash() || list.Shards != 2 || len(list.Checkpoints) != 1 || list.Checkpoints[0].Note != r.body {
		t.Errorf("%+v, %v", list, err)
	}

	read := func(tile tlog.Tile) ([]byte, error) {
		path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", proof.TileHeight))
		return []byte(s.must(200, "GET", at+"/tile/"+path, "").body), nil
	}
	tree, err := proof.LoadTree(c.Size, read)
	if err != nil || tree.Root() != c.Root {
		t.Errorf("tiles do not have the root: %v", err)
	}
	leaves, _ := read(tlog.Tile{H: proof.TileHeight, W: int(c.Size)})
	for r, err := range s.s.store.Read(t.Context(), "demo", 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		leaf := proof.Leaf{Board: "demo", Seq: r.Seq, Time: r.Time, Hash: r.Hash}
		hash := leaf.TreeHash()
		if !bytes.Equal(leaves[(r.Seq-1)*tlog.HashSize:r.Seq*tlog.HashSize], hash[:]) {
			t.Errorf("record %d is another leaf", r.Seq)
		}
	}
}

// A head says what the board's readers are shown, to whom may read it.
func TestHead_IsOfTheLiveView(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{})
	s.demo()
	check := s.notarize()
	head, err := proof.OpenHead([]byte(s.must(200, "GET", "/v1/boards/demo/head", "").body), check)
	if err != nil {
		t.Fatal(err)
	}
	b := domain.NewBoard("demo")
	for r, err := range s.s.store.Read(t.Context(), "demo", 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil); err != nil {
			t.Fatal(err)
		}
	}
	seq, hash, _ := b.Head()
	if head.Board != "demo" || head.Epoch != s.s.store.Epoch() || head.Seq != seq || head.Hash != hash || head.Rev != b.Rev() || head.State != b.StateHash() {
		t.Errorf("%+v, the log is at %d with rev %d", head, seq, b.Rev())
	}
	s.must(404, "GET", "/v1/boards/none/head", "")
}

func TestCheckpoints_Refuse(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{})
	s.demo()
	s.notarize()
	shard := s.s.cfg.Log.(interface{ Shard(string) int }).Shard("demo")
	at := fmt.Sprint("/v1/checkpoints/", shard)
	s.must(200, "GET", at+"?fresh=1", "")
	for path, status := range map[string]int{
		"/v1/checkpoints/2": 404, "/v1/checkpoints/-1": 404, "/v1/checkpoints/x": 404, at + "?fresh=2": 400,
		at + "/tile/0/000": 404, at + "/tile/0/000.p/200": 404, at + "/tile/0/001.p/1": 404, at + "/tile/1/000.p/1": 404,
		at + "/tile/data/000.p/1": 404, at + "/tile/9/000.p/1": 404, at + "/tile/0/999999": 404, at + "/tile/0": 404, at + "/tile/0/000.p/1": 200,
		at + "/tile/0/x999/x999/x999/x999/x999/x999/000": 404,
	} {
		s.must(status, "GET", path, "")
	}
	if got := s.must(429, "GET", at+"?fresh=1", "").code(t); got != wire.RateLimited {
		t.Errorf("fresh again: %s", got)
	}
}

// Only somebody is told, with auth on; and a board's head only who may read it.
func TestCheckpoints_NeedAToken(t *testing.T) {
	t.Parallel()
	key, err := ParseKey("k", bytes.Repeat([]byte("k"), MinSecret))
	if err != nil {
		t.Fatal(err)
	}
	auth, err := NewAuth(key)
	if err != nil {
		t.Fatal(err)
	}
	s := newRealSite(t, Config{Auth: auth})
	s.notarize()
	token := func(user string, boards map[string]domain.Role) string {
		text, err := MintToken(key, Claims{User: user, Boards: boards, Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	s.must(401, "GET", "/v1/checkpoints", "")
	s.must(401, "GET", "/v1/checkpoints/0?fresh=1", "")
	s.must(401, "GET", "/v1/checkpoints/0/tile/0/000.p/1", "")
	s.must(200, "GET", "/v1/checkpoints", "", "Authorization", token("eve", nil))
	r := s.must(201, "POST", "/v1/boards", `{"title":"T"}`, "Authorization", token("ann", nil))
	var made struct{ ID string }
	r.json(t, &made)
	s.must(200, "GET", "/v1/boards/"+made.ID+"/head", "", "Authorization", token("ann", nil))
	s.must(404, "GET", "/v1/boards/"+made.ID+"/head", "", "Authorization", token("eve", nil))
	s.must(200, "GET", "/v1/boards/"+made.ID+"/head", "", "Authorization", token("eve", map[string]domain.Role{made.ID: domain.Viewer}))
}

func TestFreshness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f freshness
		for _, tt := range []struct {
			after time.Duration
			shard int
			wait  time.Duration
		}{{0, 0, 0}, {0, 1, 0}, {freshEvery / 4, 0, freshEvery * 3 / 4}, {freshEvery * 3 / 4, 0, 0}, {0, 0, freshEvery}} {
			time.Sleep(tt.after)
			if wait := f.take(tt.shard, time.Now()); wait != tt.wait {
				t.Errorf("%+v: %v", tt, wait)
			}
		}
	})
}

func TestReadyz_SaysWhetherCheckpointsAreSigned(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{})
	for _, want := range []string{"none are signed", "ok"} {
		w := httptest.NewRecorder()
		s.s.AdminHandler().ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"checkpoints":"`+want+`"`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		s.notarize()
	}
}
