package verify

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector/verify/verifytest"
)

// encoded is a record with another commit, under its right hash.
func encoded(r Record, c *domain.Commit) Record {
	data, hash, err := c.Encode()
	if err != nil {
		panic(err)
	}
	r.Data, r.Hash = data, hash.String()
	return r
}

func sum(data []byte) [32]byte { return sha256.Sum256(data) }

func decoded(r Record) *domain.Commit {
	c, _, err := domain.DecodeCommit(r.Data)
	if err != nil {
		panic(err)
	}
	return c
}

// rechained gives every record behind at the hash of the one before it, as
// somebody would who knows the format.
func rechained(list []Record, at int) []Record {
	for i := at + 1; i < len(list); i++ {
		c := decoded(list[i])
		if err := c.Prev.UnmarshalText([]byte(list[i-1].Hash)); err != nil {
			panic(err)
		}
		list[i] = encoded(list[i], c)
	}
	return list
}

// wrote is a board with three cards in one column, record by record, then n
// renames of the third.
func wrote(n int) *verifytest.Scribe {
	s := verifytest.New("b", 1).Start()
	for _, id := range []string{"k1", "k2", "k3"} {
		s.Commit(false, s.Ask("ann", domain.Change{EntityID: id, Patch: domain.Patch{"kind": "card", "title": id, "columnId": "column0"}}))
	}
	for i := range n {
		s.Commit(false, s.Ask("ann", domain.Change{EntityID: "k3", Patch: domain.Patch{"title": fmt.Sprint("title ", i)}}))
	}
	return s
}

// kindsAt gives "kind@seq" of what was found.
func kindsAt(found []Finding) string {
	var list []string
	for _, f := range found {
		list = append(list, fmt.Sprintf("%s@%d", f.Kind, f.Seq))
	}
	return strings.Join(list, " ")
}

func TestWhatIsDoneToALogIsNamed(t *testing.T) {
	t.Parallel()
	s := wrote(10)
	full := s.Commit(false, s.Ask("viewer", domain.Change{EntityID: "k3", Patch: domain.Patch{"title": "not mine"}}))
	if full.Decisions[0].Rejection == nil {
		t.Fatal("not refused")
	}
	s.Commit(true, s.Ask("ann", domain.Change{EntityID: "k2", Patch: domain.Patch{"title": "too late"}}))
	s.Now = s.Now.Add(2 * time.Minute)
	again := s.Ask("ann", domain.Change{EntityID: "k2", Patch: domain.Patch{"title": "too late"}})
	again.ID = decoded(records(s)[len(s.Log)-1]).Decisions[0].ID
	s.Commit(false, again)
	s.Commit(false, s.Ask("ann", domain.Change{EntityID: "k2", Patch: domain.Patch{"title": "in time"}}))
	s.Commit(false, s.Ask("ann", domain.Change{EntityID: "k1", Patch: domain.Patch{"title": "last"}}))
	// 6 records of the start, 3 cards, 10 renames, then these, three sequences apart.
	const card1, rename5, refused, void, redo = 6, 14, 19, 20, 21
	seq := func(i int) uint64 { return s.Log[i].Seq }

	for name, test := range map[string]struct {
		do   func(list []Record) []Record
		want string
	}{
		"nothing": {func(l []Record) []Record { return l }, ""},
		"a title in the outcome": {func(l []Record) []Record {
			l[rename5].Data = []byte(strings.Replace(string(l[rename5].Data), `"after":{"title":"title 5"}`, `"after":{"title":"TITLE 5"}`, 1))
			return l
		}, fmt.Sprintf("hash@%d decision@%d", seq(rename5), seq(rename5))},
		"a title in the command": {func(l []Record) []Record {
			l[rename5].Data = []byte(strings.Replace(string(l[rename5].Data), `"patch":{"title":"title 5"}`, `"patch":{"title":"TITLE 5"}`, 1))
			return l
		}, fmt.Sprintf("hash@%d decision@%d", seq(rename5), seq(rename5))},
		"both, under the new hash": {func(l []Record) []Record {
			c := decoded(l[card1])
			c.Decisions[0].User, c.Decisions[0].Session = "admin", "x"
			l[card1] = encoded(l[card1], c)
			return l
		}, fmt.Sprintf("chain@%d", seq(card1))},
		"bytes that are no record": {func(l []Record) []Record {
			l[refused].Data = l[refused].Data[:100]
			return l
		}, fmt.Sprintf("hash@%d decode@%d", seq(refused), seq(refused))},
		"a version to come": {func(l []Record) []Record {
			c := decoded(l[refused])
			c.V = 2
			l[refused] = encoded(l[refused], c)
			return l
		}, fmt.Sprintf("decode@%d", seq(refused))},
		"something unknown": {func(l []Record) []Record {
			l[len(l)-1].Data = []byte(strings.Replace(string(l[len(l)-1].Data), `"op":`, `"secret":1,"op":`, 1))
			l[len(l)-1].Hash = fmt.Sprintf("%x", sum(l[len(l)-1].Data))
			return l
		}, fmt.Sprintf("decision@%d", seq(len(s.Log)-1))},
		"something unknown around the decisions": {func(l []Record) []Record {
			last := &l[len(l)-1]
			last.Data = []byte(strings.Replace(string(last.Data), `"board":`, `"secret":1,"board":`, 1))
			last.Hash = fmt.Sprintf("%x", sum(last.Data))
			return l
		}, fmt.Sprintf("decode@%d", seq(len(s.Log)-1))},
		"something behind": {func(l []Record) []Record {
			last := &l[len(l)-1]
			last.Data = append(slices.Clone(last.Data), ' ')
			last.Hash = fmt.Sprintf("%x", sum(last.Data))
			return l
		}, fmt.Sprintf("decode@%d", seq(len(s.Log)-1))},
		"a record is dropped": {func(l []Record) []Record { return slices.Delete(l, rename5, rename5+1) }, fmt.Sprintf("gap@%d", seq(rename5))},
		"a refusal is dropped, the chain made anew": {func(l []Record) []Record {
			l[refused+1].Prev = l[refused-1].Seq
			return rechained(slices.Delete(l, refused, refused+1), refused-1)
		}, ""},
		"a rename is dropped, the chain made anew": {func(l []Record) []Record {
			l[rename5+1].Prev = l[rename5-1].Seq
			return rechained(slices.Delete(l, rename5, rename5+1), rename5-1)
		}, fmt.Sprintf("rev@%d", seq(rename5+1))},
		"two change places": {func(l []Record) []Record {
			l[rename5].Data, l[rename5+1].Data = l[rename5+1].Data, l[rename5].Data
			l[rename5].Hash, l[rename5+1].Hash = l[rename5+1].Hash, l[rename5].Hash
			l[rename5].Prev, l[rename5+1].Prev = l[rename5+1].Prev, l[rename5].Prev
			return l
		}, fmt.Sprintf("order@%d order@%d", seq(rename5), seq(rename5))},
		"a void record's time": {func(l []Record) []Record {
			l[void].Time = decoded(l[void]).NotAfter.Add(-time.Second)
			return l
		}, fmt.Sprintf("double@%d rev@%d", seq(redo), seq(void))},
		"a record's time makes it void": {func(l []Record) []Record {
			l[rename5].Time = decoded(l[rename5]).NotAfter.Add(time.Second)
			return l
		}, fmt.Sprintf("rev@%d", seq(rename5))},
		"a record's time before it was decided": {func(l []Record) []Record {
			l[rename5].Time = l[rename5].Time.Add(-time.Hour)
			return l
		}, fmt.Sprintf("order@%d", seq(rename5))},
		"a refusal becomes an acceptance, the chain made anew": {func(l []Record) []Record {
			c := decoded(l[refused])
			d := &c.Decisions[0]
			d.Rejection, c.NotAfter = nil, d.Deadline
			l[refused] = encoded(l[refused], c)
			return rechained(l, refused)
		}, fmt.Sprintf("decision@%d", seq(refused))},
		"a later notAfter, the chain made anew": {func(l []Record) []Record {
			c := decoded(l[rename5])
			c.NotAfter = c.NotAfter.Add(time.Hour)
			l[rename5] = encoded(l[rename5], c)
			return rechained(l, rename5)
		}, fmt.Sprintf("decision@%d", seq(rename5))},
		"the clock of a decision, the chain made anew": {func(l []Record) []Record {
			c := decoded(l[rename5])
			c.Decisions[0].At = c.Decisions[0].At.Add(-2 * time.Second)
			c.At = c.Decisions[0].At
			l[rename5] = encoded(l[rename5], c)
			return rechained(l, rename5)
		}, fmt.Sprintf("order@%d", seq(rename5))},
		"a record of another board": {func(l []Record) []Record {
			c := decoded(l[refused])
			c.Board = "other"
			l[refused] = encoded(l[refused], c)
			return rechained(l, refused)
		}, fmt.Sprintf("chain@%d", seq(refused))},
		"a head without hash": {func(l []Record) []Record { l[rename5].Hash = ""; return l }, fmt.Sprintf("hash@%d", seq(rename5))},
		"a mutation again": {func(l []Record) []Record {
			c := decoded(l[refused])
			c.Decisions[0].ID = decoded(l[rename5]).Decisions[0].ID
			c.Decisions[0].User = "viewer"
			c.Decisions = append(c.Decisions, c.Decisions[0])
			l[refused] = encoded(l[refused], c)
			return rechained(l, refused)
		}, fmt.Sprintf("double@%d", seq(refused))},
	} {
		t.Run(name, func(t *testing.T) {
			_, found := run(Config{Board: "b"}, test.do(records(s)))
			if got := kindsAt(found); got != test.want {
				t.Errorf("found %q, want %q", got, test.want)
			}
			for _, f := range found {
				t.Log(f)
			}
		})
	}
}

// A record that is altered has findings, and they name it.
func TestAnyFlippedByteIsNamed(t *testing.T) {
	s := verifytest.New("b", 5)
	s.Start().Run(40)
	rapid.Check(t, func(t *rapid.T) {
		list := records(s)
		i := rapid.IntRange(0, len(list)-1).Draw(t, "record")
		at := rapid.IntRange(0, len(list[i].Data)-1).Draw(t, "byte")
		data := []byte(string(list[i].Data))
		data[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		list[i].Data = data
		adjusted := rapid.Bool().Draw(t, "adjusted")
		if adjusted {
			list[i].Hash = fmt.Sprintf("%x", sum(data))
		}
		sum, found := run(Config{Board: "b"}, list)
		named := slices.ContainsFunc(found, func(f Finding) bool { return f.Seq == list[i].Seq })
		if !named && !(adjusted && i == len(list)-1) {
			t.Fatalf("record %d, byte %d of %s: found %v", list[i].Seq, at, data, found)
		}
		if len(found) > 8 {
			t.Fatalf("%d findings of one byte: %v", len(found), found)
		}
		if sum.Records != uint64(len(list)) {
			t.Fatalf("%+v", sum)
		}
	})
}

// Another rule than the log was decided by shows at the first decision that it
// decides otherwise.
func TestAnotherRuleIsFound(t *testing.T) {
	t.Parallel()
	s := wrote(0)
	var want string
	for i := range 5 {
		c := s.Commit(false, s.Ask("ann", domain.Change{EntityID: fmt.Sprint("n", i), Patch: domain.Patch{"kind": "card", "title": "x", "columnId": "column1"}}))
		if i == 2 {
			want = fmt.Sprintf("decision@%d", s.Log[len(s.Log)-1].Seq)
		}
		if refused := c.Decisions[0].Rejection != nil; refused != (i >= 3) {
			t.Fatal("the limit is not three")
		}
	}
	stricter := func(b *domain.Board, d *domain.Decision) domain.Decision {
		cmd, n := d.Command, 0
		for e := range b.All() {
			if e.Kind == domain.KindCard && e.Parent() == "column1" {
				n++
			}
		}
		if n >= 2 && cmd.Changes[0].Patch["columnId"] == "column1" {
			return domain.Refuse(b, &cmd, d.Now(), &domain.Rejection{Code: domain.WIPLimit, Reason: "the column is full"})
		}
		return domain.Redecide(b, d)
	}
	_, found := run(Config{Board: "b", Redecide: stricter}, records(s))
	if len(found) == 0 || kindsAt(found[:1]) != want {
		t.Fatalf("found %v, want %s first", found, want)
	}
	t.Log(found[0])
}

// A refusal as too large stands only if it was.
func TestARefusalAsTooLargeIsHeldAgainstTheSize(t *testing.T) {
	t.Parallel()
	s := wrote(0)
	s.Limit = 4000
	s.Commit(false, s.Ask("ann", domain.Change{EntityID: "k1", Patch: domain.Patch{"title": strings.Repeat("w", 3000)}}))
	s.Commit(false, s.Ask("ann", domain.Change{EntityID: "k1", Patch: domain.Patch{"title": strings.Repeat("w", 5000)}}))
	sum, found := run(Config{Board: "b"}, records(s))
	wantNone(t, found)
	if sum.Trusted != 1 {
		t.Errorf("%d are trusted", sum.Trusted)
	}
	list := records(s)
	c := decoded(list[len(list)-2])
	c.Decisions[0].Changes[0].Patch["title"] = "short"
	list[len(list)-2] = encoded(list[len(list)-2], c)
	_, found = run(Config{Board: "b"}, rechained(list, len(list)-2))
	want := fmt.Sprintf("decision@%d", list[len(list)-2].Seq)
	if kindsAt(found) != want {
		t.Errorf("found %v, want %s", found, want)
	}

	// An acceptance does not become a refusal by a limit that nobody had, nor in
	// silence by one that records before were larger than.
	s.Limit = 16 << 10
	s.Commit(false, s.Ask("ann", domain.Change{EntityID: "k1", Patch: domain.Patch{"title": strings.Repeat("w", 6000)}}))
	s.Commit(false, s.Ask("ann", domain.Change{EntityID: "k1", Patch: domain.Patch{"title": strings.Repeat("v", 2000)}}))
	list = records(s)
	last := len(list) - 1
	want = fmt.Sprintf("decision@%d", list[last].Seq)
	for _, test := range []struct {
		limit   int
		want    string
		trusted uint64
	}{{100, want, 1}, {3000, "", 2}, {8000, "", 2}, {15_000, want, 1}} {
		c := decoded(list[last])
		d := &c.Decisions[0]
		d.Rejection = &domain.Rejection{Code: domain.TooLarge, Reason: "larger", Details: domain.Details{"limit": test.limit}}
		d.Rev, d.Events, c.NotAfter = d.Rev-uint64(len(d.Events)), nil, time.Time{}
		altered := slices.Clone(list)
		altered[last] = encoded(list[last], c)
		if sum, found := run(Config{Board: "b"}, altered); kindsAt(found) != test.want || sum.Trusted != test.trusted {
			t.Errorf("limit %d: found %v, %d trusted", test.limit, found, sum.Trusted)
		}
	}
}
