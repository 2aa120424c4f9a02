package proof

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// TileHeight is that of C2SP tlog-tiles: a tile has at most TileWidth hashes,
// those of level L stand each for 256^L leaves.
const (
	TileHeight = 8
	TileWidth  = 1 << TileHeight
)

// Tile is a tile with its hashes, one behind the other.
type Tile struct {
	tlog.Tile
	Data []byte
}

// Tree grows by leaves. It holds no more than the right edge: the last tile of
// each level, so that nothing is computed twice. The zero value is the empty
// tree. Not safe for concurrent use.
type Tree struct {
	size int64
	edge [][]byte // by level; each has fewer hashes than a whole tile
}

// Size is the number of leaves.
func (t *Tree) Size() int64 { return t.size }

// Append adds a leaf's hash ([Leaf.TreeHash]) and gives each tile that it makes
// whole to full; nil: nobody wants them. The data is good during the call.
func (t *Tree) Append(leaf tlog.Hash, full func(Tile)) {
	t.size++
	for level, h := 0, leaf; ; level++ {
		if level == len(t.edge) {
			t.edge = append(t.edge, make([]byte, 0, TileWidth*tlog.HashSize))
		}
		data := append(t.edge[level], h[:]...)
		t.edge[level] = data
		if len(data) < TileWidth*tlog.HashSize {
			return
		}
		if full != nil {
			full(Tile{tlog.Tile{H: TileHeight, L: level, N: t.size>>(TileHeight*(level+1)) - 1, W: TileWidth}, data})
		}
		h = subtree(data)
		t.edge[level] = data[:0]
	}
}

// subtree is the root over a whole tile's hashes.
func subtree(data []byte) tlog.Hash {
	if len(data) == tlog.HashSize {
		return tlog.Hash(data)
	}
	half := len(data) / 2
	return tlog.NodeHash(subtree(data[:half]), subtree(data[half:]))
}

// Root is the root hash, that of no bytes for the empty tree.
func (t *Tree) Root() tlog.Hash {
	root, err := tlog.TreeHash(t.size, tlog.HashReaderFunc(t.read))
	if err != nil {
		panic("proof: the edge of a tree lacks a hash: " + err.Error()) // every whole subtree of the right edge is in it
	}
	return root
}

func (t *Tree) read(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		tile := tlog.TileForIndex(TileHeight, index)
		if tile.L >= len(t.edge) || tile.N != t.size>>(TileHeight*(tile.L+1)) {
			return nil, fmt.Errorf("hash %d is in no tile of the edge", index)
		}
		var err error
		if hashes[i], err = tlog.HashFromTile(tile, t.edge[tile.L], index); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

// Edge gives the tiles that are not whole, in the order of levels. The data is
// good until the next Append.
func (t *Tree) Edge() (tiles []Tile) {
	for level, data := range t.edge {
		if len(data) > 0 {
			tiles = append(tiles, Tile{edgeTile(t.size, level), data})
		}
	}
	return tiles
}

// edgeTile is the last tile of a level, W 0 if it has nothing in it.
func edgeTile(size int64, level int) tlog.Tile {
	n := size >> (TileHeight * level)
	return tlog.Tile{H: TileHeight, L: level, N: n >> TileHeight, W: int(n % TileWidth)}
}

// LoadTree gives the tree of that size, whose edge read gives. Whether it is
// the tree it should be its Root tells.
func LoadTree(size int64, read func(tlog.Tile) ([]byte, error)) (*Tree, error) {
	t := &Tree{size: size}
	for level := 0; size>>(TileHeight*level) > 0; level++ {
		data := make([]byte, 0, TileWidth*tlog.HashSize)
		if tile := edgeTile(size, level); tile.W > 0 {
			hashes, err := read(tile)
			if err != nil {
				return nil, err
			}
			if len(hashes) != tile.W*tlog.HashSize {
				return nil, fmt.Errorf("proof: tile %s has %d bytes", tile.Path(), len(hashes))
			}
			data = append(data, hashes...)
		}
		t.edge = append(t.edge, data)
	}
	return t, nil
}

// Hashes are some of a tree's hashes by their stored hash index
// (tlog.StoredHashIndex), enough for the proofs they were gathered for.
type Hashes map[int64]tlog.Hash

// ReadHashes is tlog.HashReader.
func (m Hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		h, ok := m[index]
		if !ok {
			level, n := tlog.SplitStoredHashIndex(index)
			return nil, fmt.Errorf("proof: hash %d of level %d is missing", n, level)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// ProofIndexes gives, in rising order, the stored hash indexes that prove each
// of the leaves to be in the tree of a size: all that tlog.ProveRecord asks
// for. The leaves are in rising order.
func ProofIndexes(size int64, leaves []int64) (indexes []int64) {
	var walk func(lo, hi int64, leaves []int64)
	walk = func(lo, hi int64, leaves []int64) {
		if len(leaves) == 0 || lo+1 >= hi {
			return
		}
		half := int64(1) // the largest power of two below hi-lo
		for 2*half < hi-lo {
			half *= 2
		}
		middle := lo + half
		at, _ := slices.BinarySearch(leaves, middle)
		if at > 0 {
			indexes = appendSubtrees(indexes, middle, hi)
		}
		if at < len(leaves) {
			indexes = appendSubtrees(indexes, lo, middle)
		}
		walk(lo, middle, leaves[:at])
		walk(middle, hi, leaves[at:])
	}
	walk(0, size, leaves)
	slices.Sort(indexes)
	return slices.Compact(indexes)
}

// ConsistencyIndexes gives the stored hash indexes that prove the tree of one
// size to be the beginning of that of a size that is not smaller: all that
// tlog.ProveTree asks for.
func ConsistencyIndexes(newer, older int64) (indexes []int64) {
	if older <= 0 || older >= newer {
		return nil
	}
	_, _ = tlog.ProveTree(newer, older, tlog.HashReaderFunc(func(due []int64) ([]tlog.Hash, error) {
		indexes = append(indexes, due...)
		return make([]tlog.Hash, len(due)), nil
	}))
	return indexes
}

// appendSubtrees adds the indexes of the whole subtrees that leaves lo to hi
// are made of, the largest first.
func appendSubtrees(indexes []int64, lo, hi int64) []int64 {
	for lo < hi {
		level := 0
		for lo+2<<level <= hi {
			level++
		}
		indexes = append(indexes, tlog.StoredHashIndex(level, lo>>level))
		lo += 1 << level
	}
	return indexes
}
