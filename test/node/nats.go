package node

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	natsDirEnv    = "SNAPBACK_TEST_NATS_DIR"
	natsAddrEnv   = "SNAPBACK_TEST_NATS_ADDR"
	natsNameEnv   = "SNAPBACK_TEST_NATS_NAME"
	natsRouteEnv  = "SNAPBACK_TEST_NATS_ROUTE"  // where a cluster's node listens for the others
	natsRoutesEnv = "SNAPBACK_TEST_NATS_ROUTES" // of all nodes, comma separated
	maxPayload    = 8 << 20                     // bytes, as the embedded server has it
)

// NATS is a nats-server with JetStream and sync always in a process of its own.
type NATS struct {
	child
	Addr, Data string
	env        []string
}

// URL is where clients connect.
func (n *NATS) URL() string { return "nats://" + n.Addr }

// StartNATS starts a server with its data under dir and waits until it answers.
// The package's TestMain must be Main.
func StartNATS(tb testing.TB, dir string) *NATS {
	tb.Helper()
	n := &NATS{child: child{tb: tb, name: "nats", output: &lockedBuffer{}}, Addr: FreeAddr(tb), Data: dir}
	tb.Cleanup(n.finish)
	n.Again()
	return n
}

// StartCluster starts three servers that are one cluster, n0 to n2, and waits
// until they answer.
func StartCluster(tb testing.TB, dir string) []*NATS {
	tb.Helper()
	var nodes []*NATS
	var routes []string
	for range 3 {
		routes = append(routes, "nats://"+FreeAddr(tb))
	}
	for i := range 3 {
		name := fmt.Sprint("n", i)
		n := &NATS{child: child{tb: tb, name: name, output: &lockedBuffer{}}, Addr: FreeAddr(tb), Data: filepath.Join(dir, name)}
		n.env = []string{natsNameEnv + "=" + name, natsRouteEnv + "=" + strings.TrimPrefix(routes[i], "nats://"), natsRoutesEnv + "=" + strings.Join(routes, ",")}
		tb.Cleanup(n.finish)
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		n.launch()
	}
	for _, n := range nodes {
		n.waitReady()
	}
	return nodes
}

// Again starts the process again after a Kill.
func (n *NATS) Again() {
	n.tb.Helper()
	n.launch()
	n.waitReady()
}

func (n *NATS) launch() {
	n.tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), natsDirEnv+"="+n.Data, natsAddrEnv+"="+n.Addr)
	cmd.Env = append(cmd.Env, n.env...)
	if err := n.start(cmd); err != nil {
		n.tb.Error(err)
	}
}

func (n *NATS) waitReady() {
	n.tb.Helper()
	for end := time.Now().Add(readyWithin); time.Now().Before(end) && n.Running(); time.Sleep(20 * time.Millisecond) {
		nc, err := nats.Connect(n.URL(), nats.MaxReconnects(0))
		if err != nil {
			continue
		}
		js, err := nc.JetStream(nats.MaxWait(time.Second))
		if err == nil {
			_, err = js.AccountInfo()
		}
		nc.Close()
		if err == nil {
			return
		}
	}
	n.tb.Error("nats is not ready")
}

func options(dir, addr string) (*server.Options, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	return &server.Options{
		Host: host, Port: number, ServerName: "test", NoSigs: true,
		JetStream: true, StoreDir: dir, SyncAlways: true, MaxPayload: maxPayload,
	}, err
}

// join makes the options those of a cluster's node, if the environment says so.
func join(opts *server.Options) error {
	name := os.Getenv(natsNameEnv)
	if name == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(os.Getenv(natsRouteEnv))
	if err != nil {
		return err
	}
	opts.ServerName, opts.Cluster.Name, opts.Cluster.Host = name, "test", host
	opts.Cluster.NoAdvertise = true // who knows a server by a proxy's address is not told its own
	if opts.Cluster.Port, err = strconv.Atoi(port); err != nil {
		return err
	}
	opts.Routes = server.RoutesFromStr(os.Getenv(natsRoutesEnv))
	return nil
}

// runNATS is the child's whole life.
func runNATS(dir, addr string) {
	opts, err := options(dir, addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := join(opts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	s, err := server.NewServer(opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	s.ConfigureLogger()
	s.Start()
	s.WaitForShutdown()
}

// OpenLog starts a NATS server in this process on the files that a stopped or
// killed server left somewhere under dir, and connects to it.
func OpenLog(tb testing.TB, dir string) *nats.Conn {
	tb.Helper()
	store := ""
	filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "jetstream" && store == "" {
			store = filepath.Dir(name)
		}
		return nil
	})
	if store == "" {
		tb.Fatalf("no log under %s", dir)
	}
	opts, err := options(store, "127.0.0.1:-1")
	if err != nil {
		tb.Fatal(err)
	}
	s, err := server.NewServer(opts)
	if err != nil {
		tb.Fatal(err)
	}
	s.Start()
	tb.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(readyWithin) {
		tb.Fatal("the log does not open again")
	}
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	return nc
}
