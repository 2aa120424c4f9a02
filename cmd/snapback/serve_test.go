package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

const patience = 60 * time.Second

// output is what a command wrote so far.
type output struct {
	mu  sync.Mutex
	buf strings.Builder
	new chan struct{}
}

func newOutput() *output { return &output{new: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.new <- struct{}{}:
	default:
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// server is `snapback serve` in this process.
type server struct {
	t     *testing.T
	url   string
	admin string
	log   *output
	stop  func() error // Ctrl-C
}

// serve runs `snapback serve` on ports of the system's choice until it serves.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &server{t: t, log: newOutput()}
	ended := make(chan error, 1)
	args = append([]string{"serve", "--addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0"}, args...)
	go func() { ended <- run(ctx, args, io.Discard, s.log) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return fmt.Errorf("serve did not end within %v", patience)
		}
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("serve: %v", err)
		}
		if t.Failed() {
			t.Log(s.log)
		}
	})
	for timeout := time.After(patience); ; {
		if line := logLine(s.log.String(), "msg=serving"); line != "" {
			s.url, s.admin = attribute(line, "url"), attribute(line, "admin")
			return s
		}
		select {
		case <-s.log.new:
		case err := <-ended:
			t.Fatalf("serve ended: %v\n%s", err, s.log)
		case <-timeout:
			t.Fatalf("serve does not serve\n%s", s.log)
		}
	}
}

func logLine(log, with string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, with) && strings.HasSuffix(line, "\n") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func attribute(line, name string) string {
	for _, field := range strings.Fields(line) {
		if v, ok := strings.CutPrefix(field, name+"="); ok {
			return v
		}
	}
	return ""
}

// call sends a request and decodes the answer into answer, which may be nil.
func (s *server) call(method, path, token string, body string, answer any) (status int) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if raw, ok := answer.(*string); ok {
		*raw = string(data)
	} else if answer != nil {
		if err := json.Unmarshal(data, answer); err != nil {
			s.t.Fatalf("%s %s: %v in %.200s", method, path, err, data)
		}
	}
	return response.StatusCode
}

// boardState is the answer to GET /v1/boards/{b}.
type boardState struct {
	Rev      uint64           `json:"rev"`
	Entities []*domain.Entity `json:"entities"`
}

func (b *boardState) get(id string) *domain.Entity {
	for _, e := range b.Entities {
		if e.ID == id {
			return e
		}
	}
	return nil
}

func (b *boardState) count(k domain.Kind) (n int) {
	for _, e := range b.Entities {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func (s *server) board(id string) (b boardState) {
	s.t.Helper()
	if status := s.call("GET", "/v1/boards/"+id, "", "", &b); status != http.StatusOK {
		s.t.Fatalf("board %s: %d", id, status)
	}
	return b
}

func TestServe_DemoBoard(t *testing.T) {
	t.Parallel()
	s := serve(t, "--data="+t.TempDir())
	b := s.board(demoID)
	for kind, least := range map[domain.Kind]int{
		domain.KindBoard: 1, domain.KindColumn: 4, domain.KindCard: 10, domain.KindLabel: 3, domain.KindChecklist: 1, domain.KindItem: 3, domain.KindComment: 3, domain.KindFile: 4,
	} {
		if n := b.count(kind); n < least {
			t.Errorf("%d of kind %s, want %d at least", n, kind, least)
		}
	}
	if n := b.count(domain.KindMember); n != 0 {
		t.Errorf("%d members: nobody would be admin in open mode", n)
	}
	doing, inDoing := b.get("doing").Fields, 0
	for _, e := range b.Entities {
		if e.Kind == domain.KindCard && e.Fields.String("columnId") == "doing" {
			inDoing++
		}
	}
	if doing.String("wipMode") != "hard" || int(doing.Int("wipLimit")) != inDoing {
		t.Errorf("Doing has %d cards, %v", inDoing, doing)
	}
	var refusal struct{ Code string }
	status := s.call("POST", "/v1/boards/demo/mutations", "", `{"type":"mutate","clientMutationId":"m1","entityId":"fix-login","patch":{"columnId":"doing"}}`, &refusal)
	if status != http.StatusConflict || refusal.Code != "wip_limit" {
		t.Errorf("a move into the full column: %d %s", status, refusal.Code)
	}
	for _, f := range demoFiles {
		var content string
		if status := s.call("GET", "/v1/boards/demo/files/"+f.id+"/content", "", "", &content); status != http.StatusOK || content != f.content {
			t.Errorf("%s: %d, %d bytes, want %d", f.name, status, len(content), len(f.content))
		}
	}
	if got := b.get("file-cookies").Fields.String("url"); !strings.HasPrefix(got, "https://") {
		t.Errorf("the linked file: %q", got)
	}
	var like struct {
		Liked bool
		Likes int
	}
	if status := s.call("POST", "/api/posts/fix-login/like", "", "", &like); status != http.StatusOK || !like.Liked || like.Likes != 4 {
		t.Errorf("like: %d %+v", status, like)
	}
}

func TestServe_RestartShowsTheSameBoard(t *testing.T) {
	t.Parallel()
	data := "--data=" + t.TempDir()
	s := serve(t, data)
	if status := s.call("POST", "/v1/boards/demo/mutations", "", `{"type":"mutate","clientMutationId":"m1","entityId":"demo","patch":{"title":"Ours"}}`, nil); status != http.StatusOK {
		t.Fatalf("rename: %d", status)
	}
	before := s.board(demoID)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	after := serve(t, data).board(demoID)
	one, _ := json.Marshal(before)
	two, _ := json.Marshal(after)
	if string(one) != string(two) || after.Entities[0].Fields.String("title") != "Ours" {
		t.Errorf("before %d entities at rev %d, after %d at %d", len(before.Entities), before.Rev, len(after.Entities), after.Rev)
	}
}

func TestServe_WithoutDemo(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--demo=false", "--no-demo"} {
		s := serve(t, "--data="+t.TempDir(), flag)
		if status := s.call("GET", "/v1/boards/demo", "", "", nil); status != http.StatusNotFound {
			t.Errorf("%s: board demo: %d", flag, status)
		}
	}
}

// TestServe_SeveralNodesMakeOneDemo starts three nodes at once on one log.
func TestServe_SeveralNodesMakeOneDemo(t *testing.T) {
	t.Parallel()
	nats, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nats.Shutdown)
	nodes := make([]*server, 3)
	var starting sync.WaitGroup
	for i := range nodes {
		starting.Go(func() { nodes[i] = serve(t, "--nats-url="+nats.URL()) })
	}
	starting.Wait()
	if t.Failed() {
		return
	}
	first := nodes[0].board(demoID)
	want := len(demoBoard(time.Now())) + len(demoFiles)
	made := 0
	for i, n := range nodes {
		b := n.board(demoID)
		if b.Rev != first.Rev || len(b.Entities) != want {
			t.Errorf("node %d: %d entities at rev %d, want %d at %d", i, len(b.Entities), b.Rev, want, first.Rev)
		}
		for _, f := range demoFiles {
			if e := b.get(f.id); e.Rev != e.CreatedRev {
				t.Errorf("node %d: %s was made twice", i, f.name)
			}
		}
		made += strings.Count(n.log.String(), "made the demo board")
		if !strings.Contains(n.log.String(), "sync=unverified") || !strings.Contains(n.log.String(), "cannot be read") {
			t.Errorf("node %d does not say that sync is unverified", i)
		}
	}
	if made != 1 {
		t.Errorf("%d nodes say that they made it", made)
	}
}

func TestServe_SaysWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := serve(t, "--data="+data)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"--addr=127.0.0.1:" + port + ": the port is in use":       {"--addr=127.0.0.1:" + port, "--data=" + t.TempDir()},
		"--admin-addr=127.0.0.1:" + port + ": the port is in use": {"--addr=127.0.0.1:0", "--admin-addr=127.0.0.1:" + port, "--data=" + t.TempDir()},
		"--data=" + data + ": another snapback":                   {"--addr=127.0.0.1:0", "--admin-addr=", "--data=" + data},
		"--nats-url=nats://me:xxxxx@127.0.0.1:1: ":                {"--addr=127.0.0.1:0", "--admin-addr=", "--nats-url=nats://me:secret@127.0.0.1:1"},
	} {
		within := patience
		if strings.HasPrefix(want, "--nats-url") {
			within = 5 * time.Second // it tries on for as long as it may
		}
		ctx, cancel := context.WithTimeout(t.Context(), within)
		err := run(ctx, append([]string{"serve"}, args...), io.Discard, io.Discard)
		cancel()
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") || exitCode(err) != 1 {
			t.Errorf("%v: %v (exit code %d), want %s", args, err, exitCode(err), want)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), []string{"serve", "--addr=127.0.0.1:0", "--admin-addr=", "--shards=3", "--data=" + data}, io.Discard, io.Discard)
	if err == nil || !strings.HasPrefix(err.Error(), "--shards=3: ") || !strings.Contains(err.Error(), "8") {
		t.Errorf("another number of shards: %v", err)
	}
}

// TestServe_LabIsAFlag that is off, and is not passed over in silence.
func TestServe_LabIsAFlag(t *testing.T) {
	t.Parallel()
	const lab = "level=WARN msg=\"rollback lab"
	for _, flags := range [][]string{{"--lab"}, nil} {
		s := serve(t, append(flags, "--data="+t.TempDir(), "--sync=interval", "--demo=false")...)
		if said := logLine(s.log.String(), lab) != ""; said != (flags != nil) {
			t.Errorf("%v, log:\n%s", flags, s.log)
		}
		if status := s.call("PATCH", "/v1/boards/demo/lab", "", "", nil); (status == http.StatusMethodNotAllowed) != (flags != nil) {
			t.Errorf("%v: %d", flags, status)
		}
	}
}

func TestServe_SaysThatSyncIsRelaxed(t *testing.T) {
	t.Parallel()
	s := serve(t, "--data="+filepath.Join(t.TempDir(), "made", "here"), "--sync=interval", "--demo=false")
	if log := s.log.String(); !strings.Contains(log, "sync=interval") || logLine(log, "level=WARN msg=\"open mode") == "" || logLine(log, "level=WARN msg=\"relaxed sync") == "" {
		t.Errorf("log:\n%s", log)
	}
	response, err := http.Get(s.admin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"sync":"interval"`) {
		t.Errorf("readyz: %s %s", response.Status, body)
	}
}
