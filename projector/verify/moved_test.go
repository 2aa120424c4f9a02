package verify

import (
	"slices"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/proof"
)

// movedOn gives the records of a board as they are where it has moved to: the
// same bytes and times under other sequences, and behind them one that says so.
func movedOn(t *testing.T, list []Record) []Record {
	t.Helper()
	list = slices.Clone(list)
	c := &domain.Commit{V: domain.MovedVersion, Board: "b", At: time.Now(), Decisions: []domain.Decision{}, Moved: &domain.Moved{Generation: 1, Shard: 9}}
	if err := c.Prev.UnmarshalText([]byte(list[len(list)-1].Hash)); err != nil {
		t.Fatal(err)
	}
	data, hash, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, Record{Time: c.At, Hash: hash.String(), Data: data})
	prev := uint64(0)
	for i := range list {
		list[i].Prev, list[i].Seq = prev, uint64(1000+3*i)
		prev = list[i].Seq
	}
	return list
}

// What was signed and kept of a board before it moved is held against the same
// records where it is now.
func TestWhatWasKeptBeforeABoardMoved(t *testing.T) {
	t.Parallel()
	s := wrote(20)
	before := records(s)
	sum, found := run(Config{Board: "b"}, before)
	if len(found) > 0 {
		t.Fatal(found)
	}
	head := proof.Head{Board: "b", Seq: sum.Head, Rev: sum.Rev, Hash: sum.Hash, State: sum.State, Time: time.Now()}
	stand := Stand{Board: "b", Records: sum.Records, Seq: sum.Head, Hash: sum.Hash}
	after := movedOn(t, before)
	other, wrongRev, longer, elsewhere := head, head, stand, stand
	other.Hash[0]++
	wrongRev.Rev++
	longer.Records += 2
	elsewhere.Hash[0]++
	future := head
	future.Seq |= 2 << 44
	last := after[len(after)-1].Seq
	for name, c := range map[string]struct {
		list []Record
		cfg  Config
		want string
	}{
		"nothing":                        {list: after},
		"a head":                         {list: after, cfg: Config{Heads: []proof.Head{head}}},
		"an earlier bundle":              {list: after, cfg: Config{Before: []Stand{stand}}},
		"a head of no record":            {list: after, cfg: Config{Heads: []proof.Head{other}}, want: at("head", last)},
		"a head with another rev":        {list: after, cfg: Config{Heads: []proof.Head{wrongRev}}, want: at("head", after[len(before)-1].Seq)},
		"an earlier bundle with more":    {list: after, cfg: Config{Before: []Stand{longer}}, want: at("head", last)},
		"an earlier bundle with another": {list: after, cfg: Config{Before: []Stand{elsewhere}}, want: at("count", after[len(before)-1].Seq)},
		"a head from where it went to":   {list: after, cfg: Config{Heads: []proof.Head{future}}, want: at("head", 0)},
		"a record is missing":            {list: slices.Delete(slices.Clone(after), 5, 6), want: at("gap", after[5].Seq)},
	} {
		c.cfg.Board, c.cfg.Generation = "b", 1
		sum, found := run(c.cfg, c.list)
		if kindsAt(found) != c.want {
			t.Errorf("%s: %q, want %q", name, kindsAt(found), c.want)
		}
		if c.want == "" && sum.State != head.State {
			t.Errorf("%s: the board is another one", name)
		}
	}
}

func at(kind string, seq uint64) string {
	return kindsAt([]Finding{{Kind: Kind(kind), Seq: seq}})
}
