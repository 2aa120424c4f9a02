package webclient

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/node"
	"github.com/snapback-io/snapback/test/tool"
)

// mover is a program for Node that changes a card again and again on a board of
// several nodes. It says whom it dials and how many verdicts it has, and at the
// end of its input, when all are there, what it saw.
const mover = `
const { connect } = await import(process.argv[2]);
const say = (line) => console.log(JSON.stringify(line));
const statuses = [], refused = [];
let made = 0, verdicts = 0, slowest = 0, ended = false;
const socket = (url, protocols) => {
	say({ dials: new URL(url).host });
	return new WebSocket(url, protocols);
};
const store = connect({ url: process.argv.slice(3), board: 'demo', user: 'ann', ttl: 60000, env: { socket } });
await store.ready;
store.onStatus((status) => statuses.push(status));
const timer = setInterval(() => {
	const began = performance.now();
	store.mutate('typo', { title: 'n' + ++made }).then((verdict) => {
		verdicts++;
		slowest = Math.max(slowest, performance.now() - began);
		if (!verdict.ok) refused.push(verdict.code);
		say({ verdicts });
		if (ended && verdicts === made) end();
	});
}, 20);
const end = () => {
	say({ made, statuses, refused, slowest, title: store.get('typo').title });
	store.close();
};
process.stdin.resume().on('end', () => {
	ended = true;
	clearInterval(timer);
	if (verdicts === made) end();
});
`

// said is a line of mover.
type said struct {
	Dials    string
	Verdicts int

	Made              int
	Statuses, Refused []string
	Slowest           float64 // milliseconds
	Title             string
}

// move runs mover and gives what it says; end has it come to its end.
func move(t *testing.T, servers ...*node.Server) (lines <-chan said, end func()) {
	t.Helper()
	program := tool.Find(t, "the browser client", "node")
	script := filepath.Join(t.TempDir(), "mover.mjs")
	if err := os.WriteFile(script, []byte(mover), 0o644); err != nil {
		t.Fatal(err)
	}
	module, err := filepath.Abs(filepath.Join(client, "dist", "index.js"))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--experimental-websocket", "--no-warnings", script, "file://" + module}
	for _, s := range servers {
		args = append(args, "http://"+s.Addr)
	}
	cmd := exec.Command(program, args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told, read := make(chan said, 10_000), make(chan struct{}) // more than a test makes: nobody waits for who does not read
	go func() {
		defer close(read)
		defer close(told)
		for from := bufio.NewScanner(out); from.Scan(); {
			var line said
			if err := json.Unmarshal(from.Bytes(), &line); err != nil {
				t.Errorf("%q: %v", from.Text(), err)
			}
			told <- line
		}
	}()
	t.Cleanup(func() {
		in.Close()
		if t.Failed() {
			_ = cmd.Process.Kill()
		}
		<-read
		if err := cmd.Wait(); err != nil || errs.Len() > 0 {
			t.Errorf("node: %v\n%s", err, &errs)
		}
	})
	return told, func() { in.Close() }
}

// await reads lines until one is what is waited for.
func await(t *testing.T, lines <-chan said, what string, is func(said) bool) said {
	t.Helper()
	for patience := time.After(time.Minute); ; {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("it ended before %s", what)
			}
			if is(line) {
				return line
			}
		case <-patience:
			t.Fatalf("never came: %s", what)
		}
	}
}

// TestNodes: a store with two nodes is sent from the one to the other and back
// when they are stopped as planned, while it changes the board. It is never
// offline, and each change has taken effect once.
func TestNodes(t *testing.T) {
	t.Parallel()
	log := node.StartNATS(t, t.TempDir())
	servers := map[string]*node.Server{}
	var list []*node.Server
	for _, name := range []string{"n1", "n2"} {
		s := node.Start(t, name, t.TempDir(), log.URL(), "--log-level=warn", "--origin=*")
		servers[s.Addr] = s
		list = append(list, s)
	}
	lines, end := move(t, list...)
	dials := func(l said) bool { return l.Dials != "" }
	work := func() { // more than a second of verdicts of the node that was dialled last, so that it is left at once
		t.Helper()
		first := await(t, lines, "a verdict", func(l said) bool { return l.Verdicts > 0 }).Verdicts
		await(t, lines, "more verdicts", func(l said) bool { return l.Verdicts > first+60 })
	}
	at := await(t, lines, "a connection", dials).Dials
	for range 2 {
		work()
		servers[at].Stop()
		next := await(t, lines, "another connection", dials).Dials
		if next == at {
			t.Fatal("the node that stops is dialled again")
		}
		work()
		servers[at].Again()
		at = next
	}
	end()
	got := await(t, lines, "the end", func(l said) bool { return l.Made > 0 })
	t.Logf("%d changes, the slowest took %.0f ms", got.Made, got.Slowest)
	if len(got.Refused) > 0 || got.Title != fmt.Sprint("n", got.Made) {
		t.Errorf("refused: %v; the title is %q after %d changes", got.Refused, got.Title, got.Made)
	}
	if s := strings.Join(got.Statuses, " "); s != "connecting live connecting live" {
		t.Errorf("it was %s", s)
	}
	for _, s := range list {
		inLog(t, s, got.Made)
	}
}

// inLog holds a node's log against how many changes ann made: each took effect
// once, in the order made.
func inLog(t *testing.T, s *node.Server, made int) {
	t.Helper()
	resp, err := http.Get("http://" + s.Addr + "/v1/boards/demo/log?actor=ann&outcome=accepted&user=ann")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	n, ids := 0, map[string]bool{}
	for decoder := json.NewDecoder(resp.Body); decoder.More(); n++ {
		var decision struct {
			ID     string
			Events []struct{ After map[string]any }
		}
		if err := decoder.Decode(&decision); err != nil {
			t.Fatal(err)
		}
		ids[decision.ID] = true
		if len(decision.Events) != 1 || decision.Events[0].After["title"] != fmt.Sprint("n", n+1) {
			t.Fatalf("change %d is %+v", n+1, decision)
		}
	}
	if n != made || len(ids) != made {
		t.Errorf("%s has %d changes of %d ids, %d were made", s.Name(), n, len(ids), made)
	}
}
