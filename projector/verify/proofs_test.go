package verify

import (
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/verify/verifytest"
)

// notary signs what a log is.
type notary struct {
	t    testing.TB
	sign *proof.Signer
	keys []note.Verifier
}

func newNotary(t testing.TB) *notary {
	private, _, err := proof.NewKey(rand.Reader, "test")
	if err != nil {
		t.Fatal(err)
	}
	sign, err := proof.ParseSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return &notary{t, sign, []note.Verifier{sign.Verifier()}}
}

func (n *notary) note(text string) []byte {
	signed, err := n.sign.Sign(text)
	if err != nil {
		n.t.Fatal(err)
	}
	return signed
}

// shardOf is a shard with the records of board b where they are, and of board
// filler in between: its entries, its hashes and its checkpoint of a size.
func shardOf(t testing.TB, list []Record) (all []eventlog.Entry, hashes proof.Hashes, at func(size int) proof.Checkpoint) {
	hashes = proof.Hashes{}
	next, seq := int64(0), uint64(0)
	for _, r := range list {
		for seq++; seq <= r.Seq; seq++ {
			e := eventlog.Entry{Board: "filler", Seq: seq, Time: r.Time.Add(-time.Minute), Hash: domain.Hash{1}}
			if seq == r.Seq {
				e = eventlog.Entry{Board: "b", Seq: seq, Time: r.Time}
				if err := e.Hash.UnmarshalText([]byte(r.Hash)); err != nil {
					t.Fatal(err)
				}
			}
			leaf := proof.Leaf(e)
			more, err := tlog.StoredHashes(int64(len(all)), leaf.Bytes(), hashes)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range more {
				hashes[next] = h
				next++
			}
			all = append(all, e)
		}
		seq--
	}
	return all, hashes, func(size int) proof.Checkpoint {
		root, err := tlog.TreeHash(int64(size), hashes)
		if err != nil {
			t.Fatal(err)
		}
		return proof.Checkpoint{Epoch: "e", Shard: 3, Size: int64(size), Root: root, Time: time.Unix(int64(1000+size), 0)}
	}
}

func given(list []eventlog.Entry, err error) iter.Seq2[eventlog.Entry, error] {
	return func(yield func(eventlog.Entry, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
		if err != nil {
			yield(eventlog.Entry{}, err)
		}
	}
}

// What was signed of a board is held against its records.
func TestWhatIsSignedIsHeldAgainstTheRecords(t *testing.T) {
	t.Parallel()
	s, n, stranger := wrote(10), newNotary(t), newNotary(t)
	list := records(s)
	all, hashes, at := shardOf(t, list)
	seq, hash, _ := s.Board.Head()
	good := proof.Head{Board: "b", Epoch: "e", Seq: seq, Rev: s.Board.Rev(), Hash: hash, State: s.Board.StateHash(), Time: time.Unix(9, 0)}
	cp, early := at(len(all)), at(20)
	other := early
	other.Root[0] ^= 1
	elsewhere := cp
	elsewhere.Shard = 4
	few := proof.Hashes{}
	var leaves []int64
	for _, r := range list {
		leaves = append(leaves, int64(r.Seq)-1)
	}
	for _, index := range proof.ProofIndexes(cp.Size, leaves) {
		few[index] = hashes[index]
	}
	last := fmt.Sprintf("@%d", seq)
	type given struct {
		head, checkpoint []byte
		hashes           proof.Hashes
		pinned           []proof.Checkpoint
		drop             int
		want             string
		proven           int
	}
	head := func(do func(h *proof.Head)) []byte {
		h := good
		do(&h)
		return n.note(h.Text())
	}
	same := func(*proof.Head) {}
	for name, g := range map[string]given{
		"all":                         {head(same), n.note(cp.Text()), few, nil, 0, "", len(list)},
		"by another key":              {stranger.note(good.Text()), stranger.note(cp.Text()), few, nil, 0, "signature" + last + " signature" + last, 0},
		"a head of another board":     {head(func(h *proof.Head) { h.Board = "c" }), nil, nil, nil, 0, "signature" + last, 0},
		"a head of another epoch":     {head(func(h *proof.Head) { h.Epoch = "f" }), nil, nil, nil, 0, "signature" + last, 0},
		"a head of another record":    {head(func(h *proof.Head) { h.Hash[0] ^= 1 }), nil, nil, nil, 0, "head" + last, 0},
		"a head of another rev":       {head(func(h *proof.Head) { h.Rev++ }), nil, nil, nil, 0, "head" + last, 0},
		"a head of another state":     {head(func(h *proof.Head) { h.State[0] ^= 1 }), nil, nil, nil, 0, "state" + last, 0},
		"a head of what is cut off":   {head(same), nil, nil, nil, 1, fmt.Sprintf("head@%d", seq-3), 0},
		"a head of a record before":   {head(func(h *proof.Head) { h.Seq -= 3 }), nil, nil, nil, 0, fmt.Sprintf("head@%d", seq-3), 0},
		"a checkpoint too early":      {head(same), n.note(early.Text()), hashes, nil, 0, "inclusion" + last, 6},
		"a checkpoint of another":     {nil, n.note(elsewhere.Text()), few, nil, 0, "signature" + last, 0},
		"a checkpoint of other":       {nil, n.note(other.Text()), hashes, nil, 0, "inclusion" + last + " inclusion@3", 0},
		"no hashes":                   {nil, n.note(cp.Text()), nil, nil, 0, "inclusion@3", 0},
		"one kept elsewhere":          {nil, n.note(cp.Text()), hashes, []proof.Checkpoint{early}, 0, "", len(list)},
		"another one kept elsewhere":  {nil, n.note(cp.Text()), hashes, []proof.Checkpoint{other}, 0, "inclusion@20", len(list)},
		"one of another shard":        {nil, n.note(cp.Text()), hashes, []proof.Checkpoint{elsewhere}, 0, fmt.Sprintf("signature@%d", cp.Size), len(list)},
		"only one kept elsewhere":     {nil, nil, hashes, []proof.Checkpoint{early}, 0, "", 6},
		"only another kept elsewhere": {nil, nil, hashes, []proof.Checkpoint{other}, 0, "inclusion@3", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var found []Finding
			v := New(Config{Board: "b", Epoch: "e", Shard: 3, Keys: n.keys, Proofs: true, Pinned: g.pinned, Report: func(f Finding) { found = append(found, f) }})
			for _, r := range list[:len(list)-g.drop] {
				v.Record(r)
			}
			if g.head != nil {
				v.Head(g.head)
			}
			if g.checkpoint != nil {
				v.Checkpoint(g.checkpoint)
			}
			v.Hashes(g.hashes)
			sum := v.Finish()
			if got := kindsAt(found); got != g.want || sum.Proven != uint64(g.proven) {
				t.Errorf("found %q, %d proven; want %q, %d", got, sum.Proven, g.want, g.proven)
			}
			for _, f := range found {
				t.Log(f)
			}
		})
	}
}

// A head that was kept is held against the record when that comes by.
func TestAHeadKeptBeforeIsHeldAgainstItsRecord(t *testing.T) {
	t.Parallel()
	s := wrote(3)
	seq, hash, _ := s.Board.Head()
	good := proof.Head{Board: "b", Seq: seq, Rev: s.Board.Rev(), Hash: hash, State: s.Board.StateHash()}
	s.Commit(false, s.Ask("ann", domain.Change{EntityID: "k1", Patch: domain.Patch{"title": "later"}}))
	for i, want := range []string{"", fmt.Sprintf("state@%d", seq), fmt.Sprintf("head@%d", seq-1)} {
		h := good
		switch i {
		case 1:
			h.State[3] ^= 1
		case 2:
			h.Seq--
		}
		var found []Finding
		v := New(Config{Board: "b", Report: func(f Finding) { found = append(found, f) }})
		v.Expect(h)
		for _, r := range records(s) {
			v.Record(r)
		}
		if v.Finish(); kindsAt(found) != want {
			t.Errorf("found %v, want %s", found, want)
		}
	}
}

func TestShardIsHeldAgainstItsCheckpoints(t *testing.T) {
	t.Parallel()
	s, n, stranger := wrote(10), newNotary(t), newNotary(t)
	list := records(s)
	all, _, at := shardOf(t, list)
	a, b, c := at(0), at(20), at(len(all))
	bad, elsewhere := b, b
	bad.Root[0] ^= 1
	elsewhere.Epoch = "f"
	notes := func(of ...proof.Checkpoint) (list [][]byte) {
		for _, c := range of {
			list = append(list, n.note(c.Text()))
		}
		return list
	}
	for name, test := range map[string]struct {
		notes  [][]byte
		pinned []proof.Checkpoint
		do     func(all []eventlog.Entry) []eventlog.Entry
		good   int
		want   string
	}{
		"all":                        {notes(a, b, b, c), []proof.Checkpoint{b}, nil, 5, ""},
		"none":                       {nil, nil, nil, 0, ""},
		"another root":               {notes(a, bad, c), nil, nil, 2, "inclusion@1"},
		"one kept elsewhere differs": {notes(a, b, c), []proof.Checkpoint{bad}, nil, 3, "inclusion@20"},
		"by another key":             {[][]byte{stranger.note(b.Text())}, nil, nil, 0, "signature@0"},
		"of another log":             {notes(elsewhere, c), nil, nil, 1, "signature@0"},
		"not in order":               {notes(c, b), nil, nil, 1, fmt.Sprintf("order@%d", c.Size)},
		"a record's time": {notes(a, b, c), nil, func(all []eventlog.Entry) []eventlog.Entry {
			all[24].Time = all[24].Time.Add(1)
			return all
		}, 2, "inclusion@21"},
		"one is missing":   {notes(b, c), nil, func(all []eventlog.Entry) []eventlog.Entry { return slices.Delete(all, 24, 25) }, 1, fmt.Sprintf("gap@25 inclusion@%d", c.Size)},
		"the end is gone":  {notes(b, c), nil, func(all []eventlog.Entry) []eventlog.Entry { return all[:30] }, 1, "head@31"},
		"one comes twice":  {notes(b), nil, func(all []eventlog.Entry) []eventlog.Entry { return append(all, all[30]) }, 1, "order@31"},
		"another is there": {notes(b), nil, func(all []eventlog.Entry) []eventlog.Entry { all[3].Hash[0] ^= 1; return all }, 0, "inclusion@1"},
	} {
		t.Run(name, func(t *testing.T) {
			entries := slices.Clone(all)
			if test.do != nil {
				entries = test.do(entries)
			}
			var found []Finding
			sum, err := Shard(ShardConfig{Epoch: "e", Shard: 3, Keys: n.keys, Checkpoints: verifytest.Notes(test.notes...), Pinned: test.pinned,
				Report: func(f Finding) { found = append(found, f) }}, given(entries, nil))
			if got := kindsAt(found); err != nil || got != test.want || sum.Checkpoints != test.good {
				t.Errorf("found %q, %d good, %v; want %q, %d", got, sum.Checkpoints, err, test.want, test.good)
			}
			for _, f := range found {
				t.Log(f)
			}
		})
	}

	// The entries are those of the records that were verified.
	sum, err := Shard(ShardConfig{Epoch: "e", Shard: 3}, given(all, nil))
	if err != nil || sum.Root != c.Root || sum.Records != uint64(len(all)) {
		t.Fatalf("%+v, %v", sum, err)
	}
	whole, _ := run(Config{Board: "b"}, list)
	if f := sum.Boards["b"].Check(&whole); f != nil {
		t.Error(f)
	}
	short, _ := run(Config{Board: "b"}, list[:len(list)-1])
	moved := slices.Clone(list)
	moved[3].Time = moved[3].Time.Add(1)
	late, _ := run(Config{Board: "b"}, moved)
	for _, other := range []Summary{short, late} {
		if f := sum.Boards["b"].Check(&other); f == nil || f.Kind != KindCount {
			t.Errorf("%v", f)
		}
	}
	broken := errors.New("broken")
	if _, err := Shard(ShardConfig{}, given(all[:4], broken)); !errors.Is(err, broken) {
		t.Error(err)
	}
}
