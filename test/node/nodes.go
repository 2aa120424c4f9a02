package node

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// StartNodes starts n servers, n1 and so on, that are one cluster with an
// embedded log, each with its data in a directory of its name under dir, and
// waits until all are ready. args are further flags of serve.
func StartNodes(tb testing.TB, dir string, n int, args ...string) []*Server {
	tb.Helper()
	var nodes []*Server
	var peers []string
	for range n {
		peers = append(peers, FreeAddr(tb))
	}
	Binary(tb)
	for i := range n {
		name := fmt.Sprint("n", i+1)
		s := &Server{child: child{tb: tb, name: name, output: &lockedBuffer{}}, Addr: FreeAddr(tb), AdminAddr: FreeAddr(tb), Data: filepath.Join(dir, name)}
		s.args = append([]string{"serve", "--addr", s.Addr, "--admin-addr", s.AdminAddr, "--data", s.Data,
			"--node", name, "--cluster-addr", peers[i], "--cluster-peers", strings.Join(peers, ",")}, args...)
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
