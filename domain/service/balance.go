package service

import (
	"cmp"
	"hash/fnv"
	"slices"
)

// balance says which node each of so many shards belongs to: evenly, so that
// sizes differ by one at most, and so that few shards move when a node comes or
// goes. It is the same on every node that knows the same nodes, in whatever
// order. Without nodes every shard belongs to "".
//
// Each shard likes each node by a number of its own (rendezvous hashing). Pairs
// are taken in the order of these numbers as long as the node has room.
func balance(shards int, nodes []string) []string {
	owners := make([]string, shards)
	if len(nodes) == 0 {
		return owners
	}
	nodes = slices.Compact(slices.Sorted(slices.Values(nodes)))
	type pair struct {
		liking uint64
		shard  int
		node   string
	}
	pairs := make([]pair, 0, shards*len(nodes))
	for shard := range shards {
		for _, node := range nodes {
			pairs = append(pairs, pair{liking(shard, node), shard, node})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.liking, b.liking), cmp.Compare(a.shard, b.shard), cmp.Compare(a.node, b.node))
	})
	room, larger := shards/len(nodes), shards%len(nodes) // so many have one more
	size := make(map[string]int, len(nodes))
	for _, p := range pairs {
		if owners[p.shard] != "" || size[p.node] > room || size[p.node] == room && larger == 0 {
			continue
		}
		if size[p.node] == room {
			larger--
		}
		owners[p.shard] = p.node
		size[p.node]++
	}
	return owners
}

// liking is a number that looks like chance and is the same everywhere.
func liking(shard int, node string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(node))
	x := h.Sum64() + uint64(shard)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
