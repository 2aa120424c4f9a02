package service

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// fact is where and how a mutation was decided.
type fact struct {
	d   *domain.Decision
	seq uint64
	pos int // among all decisions of the board
}

// check gives every way in which the log of a board and what its senders were
// told break the laws. It trusts only the true times of storage.
func (w *world) check(board string) []string {
	var wrong []string
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	facts := w.checkLog(board, fail)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sendings {
		if s.cmd.Board != board {
			continue
		}
		f, stored := facts[key{s.cmd.User, s.cmd.ID}]
		switch {
		case s.verdict == nil:
			fail("%s %s got no verdict", s.cmd.Op, s.cmd.ID)
		case !stored:
			fail("%s %s got a verdict that is not stored", s.cmd.Op, s.cmd.ID)
		default:
			want := f.d.Verdict()
			if got := s.verdict; got.Seq != f.seq || got.Rev != want.Rev || got.Events != want.Events || code(got.Rejection) != code(want.Rejection) {
				fail("%s %s got %+v, the log at %d says %+v", s.cmd.Op, s.cmd.ID, *got, f.seq, want)
			}
		}
	}
	w.checkOrder(board, facts, fail)
	return append(wrong, w.wrong...)
}

func code(r *domain.Rejection) domain.Code {
	if r == nil {
		return ""
	}
	return r.Code
}

// checkLog checks what one can see from the records alone.
func (w *world) checkLog(board string, fail func(string, ...any)) map[key]fact {
	facts := make(map[key]fact)
	state := domain.NewBoard(board)
	var prev domain.Hash
	var rev uint64
	for _, rec := range w.log.Stored(board) {
		if rec.Commit.Prev != prev {
			fail("record %d does not follow the one before it", rec.Seq)
		}
		prev = rec.Hash
		if err := state.Apply(rec.Commit, rec.Hash, rec.Seq, rec.Time, nil); err != nil {
			fail("record %d: %v", rec.Seq, err)
			return facts
		}
		if rec.Commit.VoidAt(rec.Time) {
			continue
		}
		if len(rec.Data) > w.log.MaxRecord() {
			fail("record %d has %d bytes", rec.Seq, len(rec.Data))
		}
		for i := range rec.Commit.Decisions {
			d := &rec.Commit.Decisions[i]
			k := key{d.User, d.ID}
			if first, twice := facts[k]; twice {
				fail("%s is decided at %d and again at %d", d.ID, first.seq, rec.Seq)
			}
			facts[k] = fact{d, rec.Seq, len(facts)}
			if d.Rejection == nil && rec.At.After(d.Deadline) {
				fail("%s took effect %v past its deadline", d.ID, rec.At.Sub(d.Deadline))
			}
			for j := range d.Events {
				if rev++; d.Events[j].Rev != rev {
					fail("event %d of %s has rev %d, not %d", j, d.ID, d.Events[j].Rev, rev)
				}
			}
		}
	}
	return facts
}

// checkOrder checks that what one session sent took effect in the order sent.
func (w *world) checkOrder(board string, facts map[key]fact, fail func(string, ...any)) {
	type effect struct{ n, pos int }
	chains := make(map[string][]effect)
	counted := make(map[key]bool)
	for _, s := range w.sendings {
		k := key{s.cmd.User, s.cmd.ID}
		f, ok := facts[k]
		if s.cmd.Board != board || !ok || f.d.Rejection != nil || counted[k] || s.cmd.Op != domain.OpMutate {
			continue
		}
		counted[k] = true
		chains[s.cmd.Session] = append(chains[s.cmd.Session], effect{s.n, f.pos})
	}
	for name, chain := range chains {
		slices.SortFunc(chain, func(a, b effect) int { return cmp.Compare(a.n, b.n) })
		if !slices.IsSortedFunc(chain, func(a, b effect) int { return cmp.Compare(a.pos, b.pos) }) {
			fail("session %s: effects out of order: %v%s", name, chain, w.story(board, name, facts))
		}
	}
}

// story tells what became of a session's sendings, for a failure's reader.
func (w *world) story(board, session string, facts map[key]fact) string {
	var b strings.Builder
	for _, s := range w.sendings {
		if s.cmd.Board != board || s.cmd.Session != session {
			continue
		}
		f := facts[key{s.cmd.User, s.cmd.ID}]
		fmt.Fprintf(&b, "\n\t%d %s %s sent %s", s.n, s.cmd.Op, s.cmd.ID, s.sent.Format(".05.000"))
		if f.d != nil {
			fmt.Fprintf(&b, ": %s after %q at %s, record %d, position %d, %s", f.d.Op, f.d.After, f.d.At.Format(".05.000"), f.seq, f.pos, code(f.d.Rejection))
		}
	}
	return b.String()
}

// count gives the number of records of a board, and of void ones among them.
func count(l *logtest.Log, board string) (records, void int) {
	for _, rec := range l.Stored(board) {
		records++
		if rec.Commit.VoidAt(rec.Time) {
			void++
		}
	}
	return records, void
}
