package node

import (
	"cmp"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// Place is where a node of a cluster runs, and what of.
type Place struct {
	Data   string   // directory of its log
	Host   string   // address it listens on; "": loopback
	Inside []string // what its command is preceded by, to run in a place of its own
	Binary string   // "": [Binary]
	Env    []string // beside this process's own
	Args   []string // further flags of serve, of this node alone
}

// StartNodes starts n servers, n1 and so on, that are one cluster with an
// embedded log, each with its data in a directory of its name under dir, and
// waits until all are ready. args are further flags of serve.
func StartNodes(tb testing.TB, dir string, n int, args ...string) []*Server {
	tb.Helper()
	places := make([]Place, n)
	for i := range places {
		places[i].Data = filepath.Join(dir, fmt.Sprint("n", i+1))
	}
	return StartNodesAt(tb, places, args...)
}

// StartNodesAt is StartNodes with a node at each place.
func StartNodesAt(tb testing.TB, places []Place, args ...string) []*Server {
	tb.Helper()
	var nodes []*Server
	var peers []string
	for _, p := range places {
		peers = append(peers, p.addr(tb))
	}
	for i, p := range places {
		name := fmt.Sprint("n", i+1)
		s := &Server{child: child{tb: tb, name: name, output: &lockedBuffer{}}, Addr: p.addr(tb), AdminAddr: p.addr(tb), ClusterAddr: peers[i], Data: p.Data,
			Binary: p.Binary, Inside: p.Inside, Env: p.Env}
		s.args = append([]string{"serve", "--addr", s.Addr, "--admin-addr", s.AdminAddr, "--data", s.Data,
			"--node", name, "--cluster-addr", peers[i], "--cluster-peers", strings.Join(peers, ",")}, args...)
		s.args = append(s.args, p.Args...)
		if s.Binary == "" {
			Binary(tb)
		}
		tb.Cleanup(s.finish)
		nodes = append(nodes, s)
	}
	for _, s := range nodes {
		s.launch()
	}
	for _, s := range nodes {
		if err := s.waitReady(); err != nil {
			tb.Fatal(err)
		}
	}
	return nodes
}

// addr is a free address of the place.
func (p Place) addr(tb testing.TB) string {
	tb.Helper()
	_, port, _ := net.SplitHostPort(FreeAddr(tb)) // free on loopback: nobody else is at the place
	return net.JoinHostPort(cmp.Or(p.Host, "127.0.0.1"), port)
}
