package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/test/certs"
	ports "github.com/snapback-io/snapback/test/node"
)

// peersOf gives addresses of n nodes on this machine that nobody takes by chance.
func peersOf(t *testing.T, n int) (addrs []string) {
	t.Helper()
	for range n {
		addrs = append(addrs, ports.FreeAddr(t))
	}
	return addrs
}

// clusterArgs are the flags of a node of three.
func clusterArgs(data, name string, peers []string, addr string) []string {
	return []string{"serve", "--addr=127.0.0.1:0", "--data=" + data, "--node=" + name, "--cluster-addr=" + addr, "--cluster-peers=" + strings.Join(peers, ",")}
}

func TestCluster_FaultsAreOneLineAndNameTheFlag(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	const hidden = "SUAHIDDENHIDDENHIDDEN"
	short, seed, secret := file("short", "fifteen bytes..\n"), file("seed", hidden), file("secret", "sixteen bytes....")
	pem := certs.New(t, dir)
	node := func(more ...string) []string {
		return append([]string{"--node=n1", "--cluster-addr=127.0.0.1:7001", "--cluster-peers=127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003"}, more...)
	}
	remote := func(more ...string) []string { return append([]string{"--nats-url=nats://127.0.0.1:1"}, more...) }
	for want, args := range map[string][]string{
		"--roles=gateway,queen: queen is none; it is gateway, domain, or both": {"--roles=gateway,queen"},
		"--roles=domain: the log is this process's alone":                      {"--roles=domain"},
		"--roles=gateway: the log is this process's alone":                     {"--roles=gateway"},
		"--nats-nkey, --nats-creds, ":                                          {"--nats-creds=" + seed},
		"--nats-nkey=/nowhere: no such file":                                   remote("--nats-nkey=/nowhere"),
		"--nats-nkey=" + seed + ": no seed of a user":                          remote("--nats-nkey=" + seed),
		"--nats-creds=" + seed + ": no JWT of a user":                          remote("--nats-creds=" + seed),
		"--nats-creds=" + seed + ": a user has an nkey or credentials":         remote("--nats-creds="+seed, "--nats-nkey="+seed),
		"--nats-ca=" + seed + ": no certificate in PEM":                        remote("--nats-ca=" + seed),
		"--nats-cert=" + pem.Cert + ": a certificate needs its key":            remote("--nats-cert=" + pem.Cert),
		"--nats-key=" + pem.Key + ": a key needs its certificate":              remote("--nats-key=" + pem.Key),
		"--nats-cert=" + seed + ": ":                                           remote("--nats-cert="+seed, "--nats-key="+pem.Key),
		"--cluster-addr=192.0.2.1:7001 can be reached by others, who could then read and write everything: give what the nodes know each other by (--cluster-secret": {
			"--node=n1", "--cluster-addr=192.0.2.1:7001", "--cluster-peers=192.0.2.1:7001,192.0.2.2:7001,192.0.2.3:7001"},
		"--cluster-secret=/nowhere: no such file":                                     node("--cluster-secret=/nowhere"),
		"--cluster-secret=" + short + ": 15 bytes, 16 or more":                        node("--cluster-secret=" + short),
		"--cluster-peers, --cluster-secret, ":                                         {"--cluster-secret=" + secret},
		"--cluster-cert, --cluster-key, --cluster-ca: one needs the others":           node("--cluster-cert=" + pem.Cert),
		"--cluster-ca=" + seed + ": no certificate":                                   node("--cluster-cert="+pem.Cert, "--cluster-key="+pem.Key, "--cluster-ca="+seed),
		"--cluster-cert=" + seed + ", --cluster-key=":                                 node("--cluster-cert="+seed, "--cluster-key="+pem.Key, "--cluster-ca="+pem.CA),
		"--checkpoint-dir: with --nats-url or --cluster-addr it needs":                node("--checkpoint-dir=" + dir),
		"--cluster-peers=127.0.0.1:1: it names all nodes, 3 or more":                  {"--node=n1", "--cluster-addr=127.0.0.1:1", "--cluster-peers=127.0.0.1:1"},
		"--cluster-addr: beside --nats-url there is no embedded server to be part of": node("--nats-url=nats://127.0.0.1:1"),
	} {
		_, err := snapback(t, append([]string{"serve"}, args...)...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || exitCode(err) != 2 {
			t.Errorf("%v: %v (exit code %d), want %s", args, err, exitCode(err), want)
		}
		if err != nil && strings.Contains(err.Error(), hidden) {
			t.Errorf("%v shows a secret: %v", args, err)
		}
	}
	// The commands that open a log have flags and an environment of their own.
	t.Setenv("SNAPBACK_NATS_NKEY", seed)
	t.Setenv("SNAPBACK_OPEN_NATS_CREDS", "/nowhere")
	_, err := snapback(t, "rebuild", "--nats-url=nats://127.0.0.1:1")
	if err == nil || !strings.Contains(err.Error(), "--nats-creds=/nowhere: no such file") || exitCode(err) != 2 {
		t.Errorf("rebuild: %v", err)
	}
}

// readyz asks the admin listener whether the node is ready, and why not.
func readyz(t *testing.T, admin string) (status int, why string) {
	t.Helper()
	response, err := http.Get(admin + "/readyz")
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	var a struct{ Log string }
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, a.Log
}

// A node that waits for the others lives, says why it is not ready, sends
// clients away, and ends at once when told to.
func TestCluster_WaitsForTheOthers(t *testing.T) {
	t.Parallel()
	addrs := peersOf(t, 5)
	peers, public, admin := addrs[:3], "http://"+addrs[3], "http://"+addrs[4]
	log := newOutput()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	args := append(clusterArgs(t.TempDir(), "n1", peers, peers[0]), "--addr="+addrs[3], "--admin-addr="+addrs[4])
	go func() { ended <- run(ctx, args, io.Discard, log) }()
	waitFor(t, log, "it says what it waits for", func() bool {
		status, why := readyz(t, admin)
		return status == http.StatusServiceUnavailable && why == "waiting for the other nodes: no quorum; heard of nobody"
	})
	waitFor(t, log, "it says so in its log", func() bool {
		return logLine(log.String(), `msg="waiting for the other nodes: no quorum; heard of nobody" peers=`+strings.Join(peers, ",")) != ""
	})
	for url, want := range map[string]int{admin + "/healthz": http.StatusOK, admin + "/metrics": http.StatusServiceUnavailable, public + "/v1/boards/demo": http.StatusServiceUnavailable} {
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != want || want != http.StatusOK && !strings.Contains(string(body), `"code":"unavailable"`) {
			t.Errorf("%s: %s %s", url, response.Status, body)
		}
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("it did not end")
	}
}

// waitFor waits for a condition.
func waitFor(t *testing.T, log *output, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after %v: %s\n%s", patience, what, log)
		}
	}
}

// A data directory is that of one node of one cluster, or of a node that is alone.
func TestCluster_DataIsOneNodes(t *testing.T) {
	t.Parallel()
	peers := peersOf(t, 3)
	fails := func(want string, args []string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		err := run(ctx, append(args, "--admin-addr="), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || exitCode(err) != 1 {
			t.Errorf("%v: %v, want %s", args, err, want)
		}
	}
	alone := t.TempDir()
	s := serve(t, "--data="+alone)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	fails("--data="+alone+": it has the log of a node that was alone, which a cluster does not take over: start the cluster with an empty directory",
		clusterArgs(alone, "n1", peers, peers[0]))
	board := serve(t, "--data="+alone).board(demoID)
	if board.count(domain.KindCard) == 0 {
		t.Error("what the node had is gone")
	}

	data := t.TempDir()
	log := newOutput()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append(clusterArgs(data, "n1", peers, peers[0]), "--admin-addr="), io.Discard, log)
	}()
	waitFor(t, log, "a node has begun", func() bool { return strings.Contains(log.String(), "waiting for the other nodes") })
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	whose := "--data=" + data + ": it is that of node n1 of cluster snapback"
	fails(whose, clusterArgs(data, "n2", peers, peers[1]))
	fails(whose, append(clusterArgs(data, "n1", peers, peers[0]), "--cluster-name=other"))
	if _, err := snapback(t, "rebuild", "--data="+data); err == nil || !strings.Contains(err.Error(), whose+", one copy of the log among others") {
		t.Errorf("rebuild: %v", err)
	}
	fails(whose, []string{"serve", "--addr=127.0.0.1:0", "--data=" + data})
}
