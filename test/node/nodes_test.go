package node

import "testing"

// Three embedded nodes find each other, and a node that was killed comes back.
func TestStartNodes(t *testing.T) {
	t.Parallel()
	nodes := StartNodes(t, t.TempDir(), 3, "--demo=false", "--shards=2", "--log-level=warn")
	nodes[1].Kill()
	nodes[1].Again()
	for _, n := range nodes {
		n.Stop()
	}
}
