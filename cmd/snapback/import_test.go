package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/cmd/snapback/trello"
	"github.com/snapback-io/snapback/domain"
)

const (
	simpleID = "trello-63792cd280232800fa06fe65"
	fields   = "trello/testdata/trello-project100-customfields-2021.json"
	fieldsID = "trello-5fcbec03c670ab79e1f625b2"
)

// mapped reads and maps a sample.
func mapped(t *testing.T, file string, opt trello.Options) *trello.Board {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x, err := trello.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := trello.Map(x, opt)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sameBoard compares what the server has with what was mapped.
func sameBoard(t *testing.T, got boardState, want *trello.Board) {
	t.Helper()
	if len(got.Entities) != len(want.Entities) {
		t.Errorf("%d entities, want %d", len(got.Entities), len(want.Entities))
	}
	for _, w := range want.Entities {
		g := got.get(w.ID)
		if g == nil {
			t.Errorf("no %s %s", w.Kind, w.ID)
			continue
		}
		for name, v := range w.Fields {
			if !domain.EqualValues(g.Fields[name], v) {
				t.Errorf("%s %s: %s is %v, want %v", w.Kind, w.ID, name, g.Fields[name], v)
			}
		}
		if g.CreatedBy != w.CreatedBy || !g.CreatedAt.Equal(w.CreatedAt) {
			t.Errorf("%s %s: by %s at %v, want %s at %v", w.Kind, w.ID, g.CreatedBy, g.CreatedAt, w.CreatedBy, w.CreatedAt)
		}
	}
}

func TestImport_BothSamples(t *testing.T) {
	t.Parallel()
	s := serve(t, "--data="+t.TempDir(), "--demo=false")
	for file, board := range map[string]string{sample: simpleID, fields: fieldsID} {
		out, err := snapback(t, "import", "trello", file, "--server="+s.url)
		if err != nil || !strings.Contains(out, "is imported: board "+board) || !strings.Contains(out, "Not carried over:") {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
		sameBoard(t, s.board(board), mapped(t, file, trello.Options{}))
	}
}

// TestImport_AgainChangesNothing: the second run says so and the rev stays, also
// when the export was mapped in another way.
func TestImport_AgainChangesNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, "--data="+t.TempDir(), "--demo=false")
	members := filepath.Join(t.TempDir(), "members.csv")
	if err := os.WriteFile(members, []byte("usersample26,ann\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := snapback(t, "import", "trello", sample, "--server="+s.url); err != nil {
		t.Fatal(err)
	}
	rev := s.board(simpleID).Rev
	for _, more := range [][]string{nil, {"--members=" + members}} {
		out, err := snapback(t, append([]string{"import", "trello", sample, "--server=" + s.url}, more...)...)
		if err != nil || !strings.Contains(out, "already imported") {
			t.Errorf("%v: %v %s", more, err, out)
		}
	}
	if now := s.board(simpleID).Rev; now != rev {
		t.Errorf("rev %d, was %d", now, rev)
	}
	if out, err := snapback(t, "import", "trello", sample, "--server="+s.url, "--board=copy", "--members="+members); err != nil {
		t.Errorf("under another id: %v %s", err, out)
	}
	copied := s.board("copy")
	if copied.get("member:ann") == nil || copied.get("637bd042652d59066ee3a295").CreatedBy != "ann" {
		t.Error("the members file was not followed")
	}
	_, err := snapback(t, "import", "trello", fields, "--server="+s.url, "--board=copy")
	if err == nil || !strings.Contains(err.Error(), "comes from elsewhere (trello:63792cd280232800fa06fe65") || exitCode(err) != 1 {
		t.Errorf("into a board from elsewhere: %v", err)
	}
}

// stopAfter is a Ctrl-C after some parts.
type stopAfter struct {
	parts int
	stop  context.CancelFunc
	seen  []int
}

func (p *stopAfter) at(step int) {
	p.seen = append(p.seen, step)
	if step == p.parts {
		p.stop()
	}
}

func (p *stopAfter) done() {}

// TestImport_SecondRunContinues where the first was cut off, with the server
// stopped and started in between; until the end nobody sees the board.
func TestImport_SecondRunContinues(t *testing.T) {
	t.Parallel()
	data := "--data=" + t.TempDir()
	s := serve(t, data, "--demo=false")
	board := mapped(t, sample, trello.Options{})
	parts, err := board.Parts(4 << 10)
	if err != nil || len(parts) < 8 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	send := func(s *server, user string, stop int) (bool, *stopAfter, error) {
		client, err := newImportClient(s.url, board.ID, "", user)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := &stopAfter{parts: stop, stop: cancel}
		fresh, err := client.sendAll(ctx, parts, p)
		return fresh, p, err
	}
	if _, _, err := send(s, "ann", 3); err == nil || !strings.Contains(err.Error(), "the same command continues") {
		t.Fatalf("a stopped import: %v", err)
	}
	if status := s.call("GET", "/v1/boards/"+board.ID, "", "", nil); status != http.StatusNotFound {
		t.Errorf("half a board is seen: %d", status)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s = serve(t, data, "--demo=false")
	if _, _, err := send(s, "ben", 0); err == nil || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("somebody else continues: %v", err)
	}
	fresh, p, err := send(s, "ann", 0)
	if err != nil || !fresh || fmt.Sprint(p.seen[0]) != "3" {
		t.Errorf("the second run: %v, from %v, %v", fresh, p.seen, err)
	}
	sameBoard(t, s.board(board.ID), board)
	if fresh, _, err := send(s, "ann", 0); err != nil || fresh {
		t.Errorf("the third run: %v %v", fresh, err)
	}
}

// TestImport_WithAuthNeedsAnAdminsToken, and who imports is admin.
func TestImport_WithAuthNeedsAnAdminsToken(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "key")
	if _, err := snapback(t, "keygen", key); err != nil {
		t.Fatal(err)
	}
	token := func(args ...string) string {
		out, err := snapback(t, append([]string{"token", "--key=" + key, "--user=dana", "--name=Dana"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	s := serve(t, "--data="+t.TempDir(), "--demo=false", "--auth-key="+key)
	for want, t2 := range map[string]string{"unauthorized": "", "forbidden": token("--board=other=admin")} {
		_, err := snapback(t, "import", "trello", sample, "--server="+s.url, "--token="+t2)
		if err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != 1 {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := snapback(t, "import", "trello", sample, "--server="+s.url, "--token="+token("--board=trello-*=admin")); err != nil {
		t.Fatal(err)
	}
	var b boardState
	if status := s.call("GET", "/v1/boards/"+simpleID, token(), "", &b); status != http.StatusOK {
		t.Fatalf("as a member, without a grant: %d", status)
	}
	if m := b.get("member:dana"); m == nil || m.Fields.String("role") != "admin" || m.Fields.String("name") != "Dana" {
		t.Errorf("who imported is %+v", m)
	}
}

// TestImport_LimitsRefuseBeforeAnythingIsSent: no server is there to be asked.
func TestImport_LimitsRefuseBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	lists := make([]map[string]any, 501)
	for i := range lists {
		lists[i] = map[string]any{"id": fmt.Sprintf("%024x", i+1), "name": "list", "pos": i}
	}
	raw, err := json.Marshal(map[string]any{"id": strings.Repeat("a", 24), "name": "Big", "lists": lists, "cards": []any{}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "big.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = snapback(t, "import", "trello", file, "--server=http://127.0.0.1:1")
	if err == nil || !strings.Contains(err.Error(), "501 lists on the board, the limit is 500") || !strings.Contains(err.Error(), "nothing was written") {
		t.Errorf("%v", err)
	}
}

func TestImport_SaysThatNoServerAnswers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := newImportClient("http://127.0.0.1:1", "b", "", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.sendAll(ctx, []domain.Import{{Source: "trello:x", Done: true}}, newProgress(io.Discard, 1))
	if err == nil || !strings.Contains(err.Error(), "no server answers at http://127.0.0.1:1") {
		t.Errorf("%v", err)
	}
}

func TestImport_DryRunSendsNothing(t *testing.T) {
	t.Parallel()
	out, err := snapback(t, "import", "trello", sample, "--server=http://127.0.0.1:1", "--dry-run")
	if err != nil || !strings.Contains(out, "nothing was sent") || !strings.Contains(out, "10  cards") {
		t.Errorf("%v\n%s", err, out)
	}
}
