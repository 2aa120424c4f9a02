package system

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/test/node"
)

// ask sends a request and gives its status and body.
func ask(t *testing.T, method, url string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func urlOf(servers []*node.NATS) string {
	var urls []string
	for _, s := range servers {
		urls = append(urls, s.URL())
	}
	return strings.Join(urls, ",")
}

// Gateways and domain services in processes of their own, on one NATS cluster:
// what one takes the other decides, and without a decider nothing is decided
// until there is one again, which then says what became of it.
func TestSeveral_RolesInProcessesOfTheirOwn(t *testing.T) {
	t.Parallel()
	url := urlOf(node.StartCluster(t, t.TempDir()))
	decider := node.Start(t, "decider", t.TempDir(), url, "--node=d", "--roles=domain", "--shards=2")
	gateways := []*node.Server{
		node.Start(t, "gateway-1", t.TempDir(), url, "--node=g1", "--roles=gateway", "--shards=2"),
		node.Start(t, "gateway-2", t.TempDir(), url, "--node=g2", "--roles=gateway", "--shards=2"),
	}
	eventually(t, "the decider makes the demo board", func() bool {
		status, _ := ask(t, "GET", "http://"+gateways[0].Addr+"/v1/boards/demo")
		return status == http.StatusOK
	})
	if acked, err := mutate(gateways[0].Addr, "m1", "fix-login", object{"title": "Through a gateway"}); !acked || err != nil {
		t.Fatalf("mutation: %v %v", acked, err)
	}
	eventually(t, "the other gateway shows it", func() bool {
		_, seen := board(t, gateways[1].Addr, "demo")
		return strings.Contains(seen["fix-login"], "Through a gateway")
	})
	if conn, err := net.Dial("tcp", decider.Addr); err == nil {
		conn.Close()
		t.Error("a node without the gateway's role serves clients")
	}
	for method, path := range map[string]string{"GET": "/metrics", "POST": "/rebuild?check"} {
		if status, body := ask(t, method, "http://"+decider.AdminAddr+path); status != http.StatusOK || strings.Contains(body, `"failed"`) {
			t.Errorf("%s %s: %d %.300s", method, path, status, body)
		}
	}

	decider.Stop()
	if status, body := ask(t, "GET", "http://"+gateways[0].AdminAddr+"/readyz"); status != http.StatusOK {
		t.Errorf("a gateway alone: %d %s", status, body)
	}
	if acked, err := mutateWithin(gateways[0].Addr, "m2", "fix-login", object{"title": "Nobody decides"}, 4*time.Second); acked || err != nil {
		t.Fatalf("acked by nobody: %v %v", acked, err)
	}
	verdict := func(addr, id string) string {
		_, body := ask(t, "GET", "http://"+addr+"/v1/boards/demo/mutations/"+id+"?user=ann")
		return body
	}
	if said := verdict(gateways[0].Addr, "m2"); strings.Contains(said, "expired") || strings.Contains(said, `"ack"`) {
		t.Errorf("decided by nobody: %s", said)
	}
	ended := make(chan string, 1)
	go func() { // a mutation of a client that waits, and asks again as clients do
		for {
			if acked, err := mutateWithin(gateways[1].Addr, "m3", "fix-login", object{"title": "Too late"}, 4*time.Second); acked || err != nil {
				ended <- fmt.Sprint(acked, err)
				return
			}
			if said := verdict(gateways[1].Addr, "m3"); strings.Contains(said, "expired") {
				ended <- ""
				return
			}
			if t.Context().Err() != nil {
				return
			}
		}
	}()
	decider.Again()
	if acked, err := mutate(gateways[1].Addr, "m4", "fix-login", object{"title": "Decided again"}); !acked || err != nil {
		t.Fatalf("mutation after the decider came back: %v %v", acked, err)
	}
	select {
	case said := <-ended:
		if said != "" && said != "true <nil>" {
			t.Error(said)
		}
	case <-time.After(patience):
		t.Error("a mutation has no verdict though there is a decider")
	}
	_, seen := board(t, gateways[0].Addr, "demo")
	if strings.Contains(seen["fix-login"], "Nobody decides") {
		t.Error("what nobody decided in time took effect")
	}
}

// signedBy has nodes with one key sign every second while all of them are
// written to, and checks what they give out: one root for each size, on all.
func signedBy(t *testing.T, nodes []*node.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for i, n := range nodes {
		writers.Go(func() {
			for m := 0; ctx.Err() == nil; m++ {
				id := fmt.Sprintf("c-%d-%d", i, m)
				_, _ = mutate(n.Addr, id, id, object{"kind": "card", "title": id, "columnId": "ideas"})
			}
		})
	}
	roots := map[string]string{} // of shard and size
	const enough = 5             // checkpoints of a shard
	eventually(t, "checkpoints are signed", func() bool {
		for _, n := range nodes {
			status, body := ask(t, "GET", "http://"+n.Addr+"/v1/checkpoints")
			var given struct {
				Checkpoints []struct {
					Shard, Size int
					Note        string
				}
			}
			if err := json.Unmarshal([]byte(body), &given); err != nil || status != http.StatusOK {
				t.Fatalf("%s: %d %v %s", n.Name(), status, err, body)
			}
			for _, c := range given.Checkpoints {
				key := fmt.Sprint(c.Shard, " ", c.Size)
				if roots[key] != "" && roots[key] != c.Note {
					t.Fatalf("shard and size %s: %s says\n%s, another node\n%s", key, n.Name(), c.Note, roots[key])
				}
				roots[key] = c.Note
			}
		}
		return len(roots) >= enough
	})
	cancel()
	writers.Wait()
	for _, n := range nodes {
		if status, body := ask(t, "GET", "http://"+n.AdminAddr+"/readyz"); status != http.StatusOK || !strings.Contains(body, `"checkpoints":"ok"`) {
			t.Errorf("%s: %d %s", n.Name(), status, body)
		}
		if code, out, stderr := command(t, "audit", "verify", "demo", "--server=http://"+n.Addr); code != 0 {
			t.Errorf("audit of %s: exit code %d\n%s%s", n.Name(), code, out, stderr)
		}
	}
}

// newKey makes a key for checkpoints, and gives its file and its public half.
func newKey(t *testing.T) (file, public string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "checkpoint.key")
	if code, _, stderr := command(t, "keygen", "--checkpoint", file); code != 0 {
		t.Fatal(stderr)
	}
	text, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return file, strings.TrimSpace(string(text))
}

func TestSeveral_EmbeddedNodesSignOneSequence(t *testing.T) {
	t.Parallel()
	file, _ := newKey(t)
	signedBy(t, node.StartNodes(t, t.TempDir(), 3, "--shards=1", "--checkpoint-every=1s", "--checkpoint-key="+file))
}

// Nodes on one NATS server, too; there the sequence itself is read.
func TestSeveral_NodesOnOneServerSignOneSequence(t *testing.T) {
	t.Parallel()
	file, public := newKey(t)
	nats := node.StartNATS(t, t.TempDir())
	var nodes []*node.Server
	for _, name := range []string{"one", "two"} {
		nodes = append(nodes, node.Start(t, name, t.TempDir(), nats.URL(), "--node="+name, "--shards=1", "--checkpoint-every=1s", "--checkpoint-key="+file))
	}
	signedBy(t, nodes)
	for _, n := range nodes {
		n.Stop()
	}
	log, err := eventlog.Open(t.Context(), eventlog.Config{URL: nats.URL(), Existing: true})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	key, err := proof.ParseVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	state, err := log.ShardState(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	roots := []tlog.Hash{{}} // of the first n records
	tree := &proof.Tree{}
	for e, err := range log.Entries(t.Context(), 0, 1, state.Last) {
		if err != nil {
			t.Fatal(err)
		}
		tree.Append((&proof.Leaf{Board: e.Board, Seq: e.Seq, Time: e.Time, Hash: e.Hash}).TreeHash(), func(proof.Tile) {})
		roots = append(roots, tree.Root())
	}
	var last int64
	for note, err := range log.Checkpoints(t.Context(), 0, 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		c, err := proof.OpenCheckpoint(note, key)
		if err != nil || c.Size <= last || c.Root != roots[c.Size] {
			t.Fatalf("after a checkpoint of %d records: %+v %v", last, c, err)
		}
		last = c.Size
	}
	if last != int64(state.Last) {
		t.Errorf("the last checkpoint is of %d of %d records: a node that stops signs what is new", last, state.Last)
	}
}

// What a node that was alone has goes to a cluster as a bundle: every board, with
// the verdicts of old, and an auditor's key.
func TestSeveral_FromOneNodeToThree(t *testing.T) {
	t.Parallel()
	old, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
	one := node.Start(t, "one", old, "")
	if acked, err := mutate(one.Addr, "m1", "fix-login", object{"title": "Of old"}); !acked || err != nil {
		t.Fatalf("mutation: %v %v", acked, err)
	}
	_, before := board(t, one.Addr, "demo")
	_, verdict := ask(t, "GET", "http://"+one.Addr+"/v1/boards/demo/mutations/m1?user=ann")
	one.Stop()
	if code, _, stderr := command(t, "export", "--all", "--contents", "--data", old, "-o", backup); code != 0 {
		t.Fatal(stderr)
	}
	nodes := node.StartNodes(t, t.TempDir(), 3, "--demo=false", "--checkpoint-key="+filepath.Join(old, "checkpoint.key"))
	if code, _, stderr := command(t, "import", "bundle", backup, "--admin-server", "http://"+nodes[1].AdminAddr); code != 0 {
		t.Fatal(stderr)
	}
	for _, n := range nodes {
		_, after := board(t, n.Addr, "demo")
		same(t, before, after)
		if _, again := ask(t, "GET", "http://"+n.Addr+"/v1/boards/demo/mutations/m1?user=ann"); again != verdict {
			t.Errorf("%s says %s, once it was %s", n.Name(), again, verdict)
		}
		if status, _ := ask(t, "GET", "http://"+n.Addr+"/v1/boards/demo/files/file-cookies/content"); status >= 500 {
			t.Errorf("%s: a file: %d", n.Name(), status)
		}
	}
	if acked, err := mutate(nodes[2].Addr, "m2", "fix-login", object{"title": "Of now"}); !acked || err != nil {
		t.Errorf("mutation: %v %v", acked, err)
	}
}

// A node that comes back alone waits for the others, says so, and ends when told
// to; with one more it serves what all three had.
func TestSeveral_ANodeAloneWaits(t *testing.T) {
	t.Parallel()
	nodes := node.StartNodes(t, t.TempDir(), 3, "--shards=2")
	if acked, err := mutate(nodes[0].Addr, "m1", "fix-login", object{"title": "Of three"}); !acked || err != nil {
		t.Fatalf("mutation: %v %v", acked, err)
	}
	_, before := board(t, nodes[0].Addr, "demo")
	for _, n := range nodes { // the last two without a quorum
		n.Stop()
	}
	alone := nodes[1]
	alone.Launch()
	eventually(t, "it says what it waits for", func() bool {
		response, err := http.Get("http://" + alone.AdminAddr + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return err == nil && response.StatusCode == http.StatusServiceUnavailable && strings.Contains(string(body), "waiting for the other nodes: no quorum; heard of nobody")
	})
	if status, _ := ask(t, "GET", "http://"+alone.AdminAddr+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
	alone.Stop() // fails the test when the exit code is not 0
	alone.Launch()
	nodes[2].Again()
	eventually(t, "two of three serve", func() bool {
		status, _ := ask(t, "GET", "http://"+alone.AdminAddr+"/readyz")
		return status == http.StatusOK
	})
	for _, n := range nodes[1:] {
		_, after := board(t, n.Addr, "demo")
		same(t, before, after)
	}
	for _, n := range nodes[1:] {
		tries := 0
		for acked := false; !acked; tries++ { // queues without a leader are made again after some seconds
			var err error
			if acked, err = mutate(n.Addr, fmt.Sprint("by-", n.Name(), tries), "fix-login", object{"title": "Of two"}); err != nil || tries > 20 {
				t.Fatalf("mutation through %s: %v %v", n.Name(), acked, err)
			}
		}
	}
}
