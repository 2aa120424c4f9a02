package service

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func nodeNames(t *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,3}[0-9]{0,2}`), 1, 9, rapid.ID).Draw(t, "nodes")
}

// Sizes differ by one at most, and nodes in another order change nothing.
func TestBalance_IsEvenAndTheSameEverywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shards := rapid.IntRange(1, 64).Draw(t, "shards")
		nodes := nodeNames(t)
		owners := balance(shards, nodes)
		size := map[string]int{}
		for _, o := range owners {
			if !slices.Contains(nodes, o) {
				t.Fatalf("owner %q is no node", o)
			}
			size[o]++
		}
		for _, n := range nodes {
			if low := shards / len(nodes); size[n] < low || size[n] > low+1 {
				t.Fatalf("%s has %d of %d shards of %d nodes", n, size[n], shards, len(nodes))
			}
		}
		other := slices.Clone(nodes)
		rand.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		if again := balance(shards, other); !slices.Equal(owners, again) {
			t.Fatalf("%v in another order: %v", owners, again)
		}
	})
}

// When one node comes or goes few more shards move than have to: on average
// less than half as many again, never more than twice as many and one per node.
func TestBalance_FewMove(t *testing.T) {
	var moved, needed int
	rapid.Check(t, func(t *rapid.T) {
		shards := rapid.IntRange(1, 64).Draw(t, "shards")
		nodes := append(nodeNames(t), "one more")
		with, without := balance(shards, nodes), balance(shards, nodes[:len(nodes)-1])
		moves, must := 0, 0
		for s := range with {
			if with[s] != without[s] {
				moves++
			}
			if with[s] == "one more" {
				must++
			}
		}
		moved, needed = moved+moves, needed+must
		if moves > 2*must+len(nodes) {
			t.Fatalf("%d of %d shards move between %d and %d nodes, %d must", moves, shards, len(nodes)-1, len(nodes), must)
		}
	})
	t.Logf("%d moved where %d must", moved, needed)
	if 2*moved > 3*needed {
		t.Errorf("%d moved where %d must", moved, needed)
	}
}

// Three nodes of the default number of shards, as in the README.
func TestBalance_ThreeNodes(t *testing.T) {
	for _, nodes := range [][]string{{"n1", "n2", "n3"}, {"n1", "n3"}, {"n2"}, {}} {
		t.Log(nodes, fmt.Sprint(balance(8, nodes)))
	}
	if got := balance(2, nil); !slices.Equal(got, []string{"", ""}) {
		t.Errorf("without nodes: %q", got)
	}
}
