package verify

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector/verify/verifytest"
)

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// records are a scribe's as a log gives them.
func records(s *verifytest.Scribe) (list []Record) {
	for _, r := range s.Log {
		list = append(list, Record{Seq: r.Seq, Prev: r.Prev, Time: r.Time, Hash: r.Hash.String(), Data: r.Data})
	}
	return list
}

// run verifies records and gives what was found.
func run(cfg Config, list []Record) (Summary, []Finding) {
	var found []Finding
	cfg.Report = func(f Finding) { found = append(found, f) }
	v := New(cfg)
	for _, r := range list {
		v.Record(r)
	}
	return v.Finish(), found
}

func wantNone(t fataler, found []Finding) {
	t.Helper()
	for _, f := range found[:min(len(found), 5)] {
		t.Fatalf("found in a log that is whole: %v", f)
	}
}

// whole verifies a random log, which has no findings.
func whole(t fataler, seed uint64, n int) (Summary, *verifytest.Scribe) {
	t.Helper()
	s := verifytest.New("b", seed)
	s.Limit = 3000
	s.Start().Run(n)
	sum, found := run(Config{Board: "b"}, records(s))
	wantNone(t, found)
	last := s.Log[len(s.Log)-1]
	if sum.State != s.Board.StateHash() || sum.Rev != s.Board.Rev() || sum.Head != last.Seq || sum.Hash != last.Hash ||
		sum.Records != uint64(len(s.Log)) || sum.Unjudged > 0 || sum.Decisions != sum.Accepted+sum.Refused {
		t.Fatalf("it came to %+v", sum)
	}
	return sum, s
}

// Whatever is decided, void or refused, is decided again alike.
func TestAWholeLogHasNoFindings(t *testing.T) {
	t.Parallel()
	seen := map[domain.Code]int{}
	var void, trusted, halted uint64
	for seed := range uint64(40) {
		sum, s := whole(t, seed, 120)
		void, trusted = void+sum.Void, trusted+sum.Trusted
		for _, r := range records(s) {
			for _, d := range decoded(r).Decisions {
				if d.Rejection != nil {
					seen[d.Rejection.Code]++
				}
				if !d.Clock.IsZero() {
					halted++
				}
			}
		}
	}
	t.Logf("%d void, %d with a clock set back, %d trusted, refused %v", void, halted, trusted, seen)
	for _, code := range []domain.Code{domain.Invalid, domain.NotFound, domain.Conflict, domain.Forbidden, domain.NameTaken, domain.WIPLimit,
		domain.NotEmpty, domain.Archived, domain.Expired, domain.Withdrawn, domain.TooLarge} {
		if seen[code] == 0 {
			t.Errorf("nothing was refused with %s", code)
		}
	}
	if void == 0 || trusted == 0 || halted == 0 {
		t.Error("too little happened")
	}
}

func TestAnyWholeLogHasNoFindings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole(t, rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 120).Draw(t, "records"))
	})
}

func TestAWholeImportHasNoFindings(t *testing.T) {
	t.Parallel()
	from := verifytest.New("a", 3).Start().Run(300)
	s := verifytest.New("b", 4).Import(from.Board, 7)
	if !s.Board.Exists() {
		t.Fatal("it was not imported")
	}
	s.Run(100)
	sum, found := run(Config{Board: "b"}, records(s))
	wantNone(t, found)
	if sum.State != s.Board.StateHash() {
		t.Errorf("it came to %+v", sum)
	}
}
