package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/domain"
)

var start = time.Date(2026, 3, 1, 10, 4, 12, 31e6, time.UTC)

// someLeaf is a leaf, distinct by index.
func someLeaf(index int64) Leaf {
	return Leaf{Board: "demo", Seq: uint64(index) + 1, Time: start.Add(time.Duration(index)), Hash: domain.Hash(sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(index))))}
}

func hashesOf(leaves []Leaf) (hashes []tlog.Hash) {
	for i := range leaves {
		hashes = append(hashes, leaves[i].TreeHash())
	}
	return hashes
}

func someLeaves(n int64) (leaves []Leaf) {
	for i := range n {
		leaves = append(leaves, someLeaf(i))
	}
	return leaves
}

// naiveRoot is RFC 6962, section 2.1, word for word.
func naiveRoot(leaves []tlog.Hash) tlog.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	left, right := naiveRoot(leaves[:k]), naiveRoot(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// store is a tree with all the tiles it ever gave.
type store struct {
	Tree
	tiles map[tlog.Tile][]byte
}

func (s *store) grow(leaves []tlog.Hash) {
	if s.tiles == nil {
		s.tiles = make(map[tlog.Tile][]byte)
	}
	for _, h := range leaves {
		s.Append(h, s.put)
	}
	for _, t := range s.Edge() {
		s.put(t)
	}
}

func (s *store) put(t Tile) { s.tiles[t.Tile] = bytes.Clone(t.Data) }

func (s *store) Height() int                     { return TileHeight }
func (s *store) SaveTiles([]tlog.Tile, [][]byte) {}

func (s *store) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, t := range tiles {
		data, err := s.read(t)
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func (s *store) read(t tlog.Tile) ([]byte, error) {
	data, ok := s.tiles[t]
	if !ok {
		return nil, errors.New("no tile " + t.Path())
	}
	return data, nil
}

// size draws sizes around those where tiles become whole.
func size(t *rapid.T, label string) int64 {
	around := rapid.SampledFrom([]int64{0, 1, 2, 255, 256, 257, 511, 512, 3 * 256, 4000}).Draw(t, label)
	return max(0, around+rapid.Int64Range(-3, 3).Draw(t, label+" off by"))
}

// A tree that grows in any steps has the root of the naive one, its tiles are
// those that tlog asks for, and loaded from them it goes on alike.
func TestTree_IsTheNaiveOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := []int64{size(t, "a"), size(t, "b"), size(t, "c")}
		slices.Sort(sizes)
		leaves := hashesOf(someLeaves(sizes[2]))
		var s store
		for _, n := range sizes {
			s.grow(leaves[s.Size():n])
			if s.Size() != n || s.Root() != naiveRoot(leaves[:n]) {
				t.Fatalf("root at %d of %d", n, s.Size())
			}
			loaded, err := LoadTree(n, s.read)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range leaves[n:] {
				loaded.Append(h, nil)
			}
			if loaded.Root() != naiveRoot(leaves) {
				t.Fatalf("loaded at %d and grown to %d", n, loaded.Size())
			}
		}
		n := s.Size()
		for _, tile := range tlog.NewTiles(TileHeight, 0, n) {
			if _, ok := s.tiles[tile]; !ok {
				t.Fatalf("no tile %s of a tree of %d", tile.Path(), n)
			}
		}
	})
}

// What is gathered for some leaves proves each of them, and no hash too many:
// exactly those that tlog asks for.
func TestProofIndexes_AreThoseThatAreAskedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := size(t, "size") + 1
		var s store
		s.grow(hashesOf(someLeaves(n)))
		some := rapid.SliceOfNDistinct(rapid.Int64Range(0, n-1), 0, 20, rapid.ID).Draw(t, "leaves")
		slices.Sort(some)
		indexes := ProofIndexes(n, some)
		all, err := tlog.TileHashReader(tlog.Tree{N: n, Hash: s.Root()}, &s).ReadHashes(indexes)
		if err != nil {
			t.Fatal(err)
		}
		hashes := Hashes{}
		for i, index := range indexes {
			hashes[index] = all[i]
		}
		asked := map[int64]bool{}
		reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
			for _, index := range indexes {
				asked[index] = true
			}
			return hashes.ReadHashes(indexes)
		})
		c := Checkpoint{Size: n, Root: s.Root()}
		for _, i := range some {
			p, err := tlog.ProveRecord(n, i, reader)
			if err != nil {
				t.Fatal(err)
			}
			leaf := someLeaf(i)
			if err := c.CheckIncluded(&leaf, p); err != nil {
				t.Fatal(err)
			}
		}
		if len(asked) != len(indexes) {
			t.Fatalf("%d hashes of which %d are asked for", len(indexes), len(asked))
		}
	})
}

// Whatever is done to the records, the root is another one, and the proof of a
// record that was changed fails.
func TestTree_EveryChangeShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := 2 + size(t, "size")
		leaves := someLeaves(n)
		var s store
		s.grow(hashesOf(leaves))
		c := Checkpoint{Size: n, Root: s.Root()}
		i := rapid.Int64Range(0, n-2).Draw(t, "where")
		proof, err := tlog.ProveRecord(n, i, tlog.TileHashReader(tlog.Tree{N: n, Hash: c.Root}, &s))
		if err != nil {
			t.Fatal(err)
		}
		changed := slices.Clone(leaves)
		other := changed[i]
		switch rapid.IntRange(0, 6).Draw(t, "what") {
		case 0:
			other.Hash[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1
			changed[i] = other
		case 1:
			other.Board = "other"
			changed[i] = other
		case 2:
			other.Time = other.Time.Add(1)
			changed[i] = other
		case 3: // dropped, and those behind it moved up
			changed = slices.Delete(changed, int(i), int(i)+1)
			for j := i; j < n-1; j++ {
				changed[j].Seq--
			}
			other = changed[i]
		case 4: // inserted
			extra := someLeaf(n)
			changed = slices.Insert(changed, int(i), extra)
			for j := range changed {
				changed[j].Seq = uint64(j) + 1
			}
			other = changed[i]
		case 5: // swapped
			changed[i], changed[i+1] = changed[i+1], changed[i]
			changed[i].Seq, changed[i+1].Seq = changed[i+1].Seq, changed[i].Seq
			other = changed[i]
		case 6: // cut off
			changed = changed[:n-1]
			other.Seq++
		}
		var after Tree
		for _, h := range hashesOf(changed) {
			after.Append(h, nil)
		}
		if after.Root() == c.Root {
			t.Fatal("the same root")
		}
		if err := c.CheckIncluded(&other, proof); !errors.Is(err, ErrContradiction) {
			t.Fatalf("the proof of another record: %v", err)
		}
	})
}

// A newer checkpoint continues an older one, or is refused.
func TestCheckConsistent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := size(t, "a"), size(t, "b")
		a, b = min(a, b), max(a, b)
		var s store
		leaves := hashesOf(someLeaves(b))
		s.grow(leaves[:a])
		older := Checkpoint{Epoch: "e", Size: a, Root: s.Root()}
		s.grow(leaves[a:])
		newer := Checkpoint{Epoch: "e", Size: b, Root: s.Root()}
		var p tlog.TreeProof
		if a > 0 {
			var err error
			if p, err = tlog.ProveTree(b, a, tlog.TileHashReader(tlog.Tree{N: b, Hash: newer.Root}, &s)); err != nil {
				t.Fatal(err)
			}
		}
		if err := CheckConsistent(&older, &newer, p); err != nil {
			t.Fatal(err)
		}
		for what, bad := range map[string]Checkpoint{
			"another epoch": {Epoch: "f", Size: b, Root: newer.Root},
			"another shard": {Epoch: "e", Shard: 1, Size: b, Root: newer.Root},
			"fewer records": {Epoch: "e", Size: a - 1, Root: newer.Root},
			"another root":  {Epoch: "e", Size: b, Root: tlog.Hash{1}},
		} {
			if err := CheckConsistent(&older, &bad, p); !errors.Is(err, ErrContradiction) && (a > 0 || what != "another root") {
				t.Fatalf("%s: %v", what, err)
			}
		}
	})
}

// BenchmarkTree is what a record costs the tree of its shard, its leaf included.
func BenchmarkTree(b *testing.B) {
	var tree Tree
	leaf := someLeaf(1)
	full := 0
	for b.Loop() {
		leaf.Seq++
		tree.Append(leaf.TreeHash(), func(Tile) { full++ })
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// A proof of consistency finds all it asks for among the hashes of its indexes.
func TestConsistencyIndexes(t *testing.T) {
	hashes := Hashes{}
	next := int64(0)
	const size = 70
	for i := range int64(size) {
		more, err := tlog.StoredHashes(i, []byte{byte(i)}, hashes)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range more {
			hashes[next] = h
			next++
		}
	}
	root := func(n int64) tlog.Hash {
		h, err := tlog.TreeHash(n, hashes)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for newer := int64(1); newer <= size; newer++ {
		for older := int64(1); older <= newer; older++ {
			few := Hashes{}
			for _, index := range ConsistencyIndexes(newer, older) {
				few[index] = hashes[index]
			}
			path, err := tlog.ProveTree(newer, older, few)
			if err == nil {
				err = tlog.CheckTree(path, newer, root(newer), older, root(older))
			}
			if err != nil {
				t.Fatalf("%d in %d: %v", older, newer, err)
			}
		}
	}
	if len(ConsistencyIndexes(3, 0))+len(ConsistencyIndexes(3, 9)) > 0 {
		t.Error("there are hashes for what cannot be proven")
	}
}

// Sizes that package tlog would never come to an end with are none.
func TestACheckpointHasNoMoreRecordsThanALogCan(t *testing.T) {
	c := Checkpoint{Epoch: "e", Size: MaxSize}
	if _, err := ParseCheckpoint(c.Text()); err != nil {
		t.Error(err)
	}
	c.Size = 1<<62 + 1
	if _, err := ParseCheckpoint(c.Text()); !errors.Is(err, ErrText) {
		t.Error(err)
	}
}
