package system

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) { node.Main(m) }

const patience = 60 * time.Second

type object = map[string]any

// board reads a board's rev and entities, the latter as they were sent.
func board(t *testing.T, addr, id string) (rev int, entities map[string]string) {
	t.Helper()
	response, err := http.Get("http://" + addr + "/v1/boards/" + id)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var b struct {
		Rev      int
		Entities []json.RawMessage
	}
	if err := json.NewDecoder(response.Body).Decode(&b); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %v", id, response.Status, err)
	}
	entities = map[string]string{}
	for _, raw := range b.Entities {
		var e struct{ ID string }
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		entities[e.ID] = string(raw)
	}
	return b.Rev, entities
}

func same(t *testing.T, before, after map[string]string) {
	t.Helper()
	if len(before) == 0 || len(before) != len(after) {
		t.Errorf("%d entities, before %d", len(after), len(before))
	}
	for id, raw := range before {
		if after[id] != raw {
			t.Errorf("%s is %s, was %s", id, after[id], raw)
		}
	}
}

// mutate posts a mutation that may take its time and says whether it was acked.
func mutate(addr, id, entity string, patch object) (acked bool, err error) {
	return mutateWithin(addr, id, entity, patch, 30*time.Second)
}

// mutateWithin is mutate with a deadline.
func mutateWithin(addr, id, entity string, patch object, ttl time.Duration) (acked bool, err error) {
	body, err := json.Marshal(object{"type": "mutate", "clientMutationId": id, "entityId": entity, "patch": patch, "ttlMs": ttl.Milliseconds()})
	if err != nil {
		return false, err
	}
	client := http.Client{Timeout: patience}
	response, err := client.Post("http://"+addr+"/v1/boards/demo/mutations?user=ann", "application/json", bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return false, err
	}
	return response.StatusCode == http.StatusOK, nil
}

func TestBinary_CtrlCStopsWithinSecondsAndARestartShowsTheSameBoard(t *testing.T) {
	t.Parallel()
	s := node.Start(t, "snapback", t.TempDir(), "")
	if acked, err := mutate(s.Addr, "m1", "fix-login", object{"title": "Fix login", "liked": true}); !acked || err != nil {
		t.Fatalf("mutation: %v %v", acked, err)
	}
	rev, before := board(t, s.Addr, "demo")
	start := time.Now()
	s.Stop() // fails the test when the exit code is not 0
	if took := time.Since(start); took > 9*time.Second {
		t.Errorf("stopping took %v, as if something had not ended within the 10 s", took)
	}
	s.Again()
	again, after := board(t, s.Addr, "demo")
	if again != rev {
		t.Errorf("rev %d, was %d", again, rev)
	}
	same(t, before, after)
}

// TestBinary_SIGKILLLosesNothingAcked: 8 clients write while the server is
// killed; every mutation it acked is there after the restart.
func TestBinary_SIGKILLLosesNothingAcked(t *testing.T) {
	t.Parallel()
	s := node.Start(t, "snapback", t.TempDir(), "")
	var mu sync.Mutex
	acked := map[string]string{} // card -> title
	enough := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for n := 0; ; n++ {
				card := fmt.Sprintf("card-%d-%d", w, n)
				ok, err := mutate(s.Addr, "m-"+card, card, object{"kind": "card", "title": card, "columnId": "ideas"})
				if err != nil {
					return // killed
				}
				if ok {
					mu.Lock()
					if acked[card] = card; len(acked) == 100 {
						close(enough)
					}
					mu.Unlock()
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(patience):
		t.Fatal("no 100 mutations were acked")
	}
	s.Kill()
	writers.Wait()
	s.Again()
	_, after := board(t, s.Addr, "demo")
	for card, title := range acked {
		if !strings.Contains(after[card], fmt.Sprintf("%q", title)) {
			t.Errorf("%s was acked and is gone", card)
		}
	}
}

// TestBinary_ExternalNATS: the log is in another process; two servers share
// it, and it outlives both.
func TestBinary_ExternalNATS(t *testing.T) {
	t.Parallel()
	nats := node.StartNATS(t, t.TempDir())
	one := node.Start(t, "one", t.TempDir(), nats.URL())
	two := node.Start(t, "two", t.TempDir(), nats.URL())
	if acked, err := mutate(one.Addr, "m1", "fix-login", object{"title": "By node one"}); !acked || err != nil {
		t.Fatalf("mutation: %v %v", acked, err)
	}
	eventually(t, "node two shows what node one acked", func() bool {
		_, seen := board(t, two.Addr, "demo")
		return strings.Contains(seen["fix-login"], "By node one")
	})
	one.Stop()
	if acked, err := mutate(two.Addr, "m2", "fix-login", object{"title": "By node two"}); !acked || err != nil {
		t.Fatalf("mutation without node one: %v %v", acked, err)
	}
	_, before := board(t, two.Addr, "demo")
	two.Kill()
	one.Again()
	_, after := board(t, one.Addr, "demo")
	same(t, before, after)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func TestBinary_OneServerPerDataDirectory(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	node.Start(t, "first", data, "")
	code, _, stderr := command(t, "serve", "--addr=127.0.0.1:0", "--admin-addr=", "--data="+data)
	if code != 1 || !strings.HasPrefix(stderr, "snapback: --data="+data+": another snapback that is running") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestBinary_RefusesToBeOpenToOthers(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	code, _, stderr := command(t, "--addr=0.0.0.0:0", "--data="+data)
	if code != 2 || !strings.Contains(stderr, "--addr=0.0.0.0:0") || !strings.Contains(stderr, "--insecure-open") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestBinary_VersionAndHelp(t *testing.T) {
	t.Parallel()
	if code, out, _ := command(t, "version"); code != 0 || !strings.HasPrefix(out, "snapback ") {
		t.Errorf("version: exit code %d, %q", code, out)
	}
	if code, out, _ := command(t, "help"); code != 0 || !strings.Contains(out, "import trello") {
		t.Errorf("help: exit code %d, %q", code, out)
	}
	if code, _, stderr := command(t, "nonsense"); code != 2 || !strings.Contains(stderr, "nonsense") {
		t.Errorf("nonsense: exit code %d, %q", code, stderr)
	}
}

// command runs the binary to its end.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	binary := node.Binary(t) // built first: that takes longer than any command
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// TestBinary_SecondSignalEndsAtOnce: a log that does not answer keeps the
// first one busy.
func TestBinary_SecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	nats := node.StartNATS(t, t.TempDir())
	var log syncBuffer
	cmd := exec.Command(node.Binary(t), "serve", "--addr=127.0.0.1:0", "--admin-addr=", "--nats-url="+nats.URL())
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	eventually(t, "the server serves", func() bool { return strings.Contains(log.String(), "msg=serving") })
	addr := strings.Fields(log.String()[strings.Index(log.String(), "url=http://")+len("url=http://"):])[0]

	nats.Freeze()
	defer nats.Thaw()
	go mutate(addr, "m1", "fix-login", object{"title": "Never decided"})
	signal := func(sig syscall.Signal) {
		if err := cmd.Process.Signal(sig); err != nil {
			t.Error(err)
		}
	}
	signal(syscall.SIGINT)
	eventually(t, "the server says that it stops", func() bool { return strings.Contains(log.String(), "msg=\"stopping") })
	start := time.Now()
	signal(syscall.SIGINT)
	select {
	case <-ended:
		if took := time.Since(start); took > 8*time.Second { // 10 s and more without it
			t.Errorf("it took %v", took)
		}
	case <-time.After(patience):
		t.Error("the server lives on")
	}
}

// syncBuffer is a buffer that may be read while it is written.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
