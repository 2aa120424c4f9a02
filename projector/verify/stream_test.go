package verify

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
	"github.com/snapback-io/snapback/projector/verify/verifytest"
)

// tilesOf reads the tiles of a tree by its hashes.
type tilesOf proof.Hashes

func (tilesOf) Height() int                     { return proof.TileHeight }
func (tilesOf) SaveTiles([]tlog.Tile, [][]byte) {}
func (h tilesOf) ReadTiles(list []tlog.Tile) (all [][]byte, err error) {
	for _, t := range list {
		data, err := tlog.ReadTileData(t, proof.Hashes(h))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// streamed is a bundle's stream of board b whose checkpoint has a size; without
// are the types of lines that it lacks, sizes are those of checkpoints that it has the proof for.
func streamed(t *testing.T, n *notary, s *verifytest.Scribe, hashes proof.Hashes, c proof.Checkpoint, without string, sizes ...int64) []byte {
	t.Helper()
	var out bytes.Buffer
	w := bundle.NewWriter(&out, bundle.Header{Board: "b", Epoch: c.Epoch, Shard: c.Shard, Shards: c.Shard + 1, At: c.Time})
	var leaves []int64
	for _, r := range records(s) {
		if err := w.Record(&r); err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, int64(r.Seq)-1)
	}
	if !strings.Contains(without, "head") {
		seq, hash, _ := s.Board.Head()
		h := proof.Head{Board: "b", Epoch: c.Epoch, Seq: seq, Rev: s.Board.Rev(), Hash: hash, State: s.Board.StateHash(), Time: c.Time}
		_ = w.Head(n.note(h.Text()))
	}
	if !strings.Contains(without, "checkpoint") {
		_ = w.Checkpoint(n.note(c.Text()))
		some := map[int64]tlog.Hash{}
		for _, index := range proof.ProofIndexes(c.Size, leaves) {
			some[index] = hashes[index]
		}
		for _, size := range sizes {
			for _, index := range proof.ConsistencyIndexes(c.Size, size) {
				some[index] = hashes[index]
			}
		}
		_ = w.Hashes(some)
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// brokenTiles cannot be read, or are wrong.
type brokenTiles struct {
	tilesOf
	wrong bool
}

func (b brokenTiles) ReadTiles(list []tlog.Tile) (all [][]byte, err error) {
	if !b.wrong {
		return nil, io.ErrUnexpectedEOF
	}
	if all, err = b.tilesOf.ReadTiles(list); err == nil {
		all[0][0] ^= 1
	}
	return all, err
}

// Tiles that cannot be read show nothing; wrong ones are a finding.
func TestStream_TilesThatCannotBeRead(t *testing.T) {
	s, n := wrote(40), newNotary(t)
	list := records(s)
	last := int(list[len(list)-1].Seq)
	_, hashes, at := shardOf(t, list)
	for _, wrong := range []bool{false, true} {
		found := 0
		cfg := Config{Keys: n.keys, Pinned: []proof.Checkpoint{at(last / 3)}, Report: func(Finding) { found++ }}
		r, err := bundle.NewReader(bytes.NewReader(streamed(t, n, s, hashes, at(last), "")))
		if err != nil {
			t.Fatal(err)
		}
		done, err := Stream(r, cfg, StreamOptions{Tiles: brokenTiles{tilesOf(hashes), wrong}})
		if err != nil || wrong != (found == 1) || wrong != (done.Held == 1) || wrong == (len(done.Unheld) == 1) || wrong == (done.Unread != nil) {
			t.Errorf("wrong %v: %+v, %d findings, %v", wrong, done, found, err)
		}
	}
}

// What a stream has no proof for is asked of the tiles, or is not held against
// it, and said so.
func TestStream_CheckpointsKeptElsewhere(t *testing.T) {
	s, n := wrote(40), newNotary(t)
	list := records(s)
	last := int(list[len(list)-1].Seq)
	_, hashes, at := shardOf(t, list)
	whole := at(last)
	forged, elsewhere, longer := at(last/2), at(last/2), whole
	forged.Root[0] ^= 1
	elsewhere.Epoch = "01OTHER"
	longer.Size += 5
	for name, c := range map[string]struct {
		pinned  []proof.Checkpoint
		tiles   bool
		without string
		sizes   []int64
		noKeys  bool
		want    string // kinds of the findings
		held    int
		unheld  int
	}{
		"none":                       {},
		"the same":                   {pinned: []proof.Checkpoint{whole}, held: 1},
		"older, tiles":               {pinned: []proof.Checkpoint{at(last / 2), at(1), at(0)}, tiles: true, held: 3},
		"older, no tiles":            {pinned: []proof.Checkpoint{at(last / 3)}, unheld: 1},
		"older, with its proof":      {pinned: []proof.Checkpoint{at(last / 3)}, sizes: []int64{int64(last / 3)}, held: 1},
		"forged, with its proof":     {pinned: []proof.Checkpoint{forged}, sizes: []int64{forged.Size}, held: 1, want: "inclusion"},
		"one of two with its proof":  {pinned: []proof.Checkpoint{at(last / 3), at(last / 5)}, sizes: []int64{int64(last / 3)}, held: 1, unheld: 1},
		"another root":               {pinned: []proof.Checkpoint{forged}, tiles: true, held: 1, want: "inclusion"},
		"longer, tiles":              {pinned: []proof.Checkpoint{longer}, tiles: true, held: 1, want: "head"},
		"longer, no tiles":           {pinned: []proof.Checkpoint{longer}, unheld: 1},
		"another log":                {pinned: []proof.Checkpoint{elsewhere}, want: "signature"},
		"no head":                    {without: "head", want: "head"},
		"no checkpoint":              {without: "checkpoint", pinned: []proof.Checkpoint{whole}, unheld: 1, want: "inclusion"},
		"nothing signed, and no key": {without: "head checkpoint", noKeys: true},
		"signed, and no key":         {noKeys: true},
	} {
		var found []Finding
		cfg := Config{Keys: n.keys, Pinned: c.pinned, Report: func(f Finding) { found = append(found, f) }}
		if c.noKeys {
			cfg.Keys = nil
		}
		opt := StreamOptions{}
		if c.tiles {
			opt.Tiles = tilesOf(hashes)
		}
		r, err := bundle.NewReader(bytes.NewReader(streamed(t, n, s, hashes, whole, c.without, c.sizes...)))
		if err != nil {
			t.Fatal(err)
		}
		done, err := Stream(r, cfg, opt)
		kinds := ""
		for _, f := range found {
			kinds += string(f.Kind)
		}
		if err != nil || kinds != c.want || done.Findings != uint64(len(found)) || done.Held != c.held || len(done.Unheld) != c.unheld {
			t.Errorf("%s: %+v, %v, %v", name, done, found, err)
		}
		signed := !c.noKeys && !strings.Contains(c.without, "checkpoint")
		if signed && done.Proven != uint64(len(list)) || done.Checkpoint != signed {
			t.Errorf("%s: %+v", name, done)
		}
	}
}

// What a stream that is cut off has had is still reported.
func TestStream_CutOff(t *testing.T) {
	s, n := wrote(40), newNotary(t)
	list := records(s)
	_, hashes, at := shardOf(t, list)
	stream := streamed(t, n, s, hashes, at(int(list[len(list)-1].Seq)), "")
	lines := bytes.SplitAfter(stream, []byte("\n"))
	damaged := append([][]byte(nil), lines[:10]...)
	damaged[4] = bytes.Replace(damaged[4], []byte(`"seq":`), []byte(`"seq":9`), 1)
	var found []Finding
	r, err := bundle.NewReader(io.MultiReader(bytes.NewReader(bytes.Join(damaged, nil))))
	if err != nil {
		t.Fatal(err)
	}
	done, err := Stream(r, Config{Keys: n.keys, Report: func(f Finding) { found = append(found, f) }}, StreamOptions{})
	if err == nil || len(found) == 0 || done.Records != 9 || done.Took > time.Minute {
		t.Errorf("%+v, %v, %v", done, found, err)
	}
}
