// Package verifytest writes logs of boards for tests: as a worker does, by a
// clock of its own, from random commands that meet each other and every rule.
package verifytest

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// Record is one of a board's records as it was stored.
type Record struct {
	Seq, Prev uint64
	Time      time.Time // when it was stored
	Hash      domain.Hash
	Data      []byte
}

// Store keeps a record and says where and when it did. until is the commit's
// notAfter; late asks for a record that is void.
type Store func(data []byte, hash domain.Hash, prev uint64, at, until time.Time, late bool) (seq uint64, stored time.Time)

// Scribe writes the log of one board. Not safe for concurrent use.
type Scribe struct {
	Board *domain.Board // as it stands behind Log
	Log   []Record
	Now   time.Time
	Clock func() time.Time // of Ask; nil: a second later each time
	Limit int              // bytes of a record, at most
	Store Store
	r     *rand.Rand
	n     int
}

// New gives a scribe of a board that does not exist yet. Its Store has every
// third sequence, a millisecond after the decision, or a minute after notAfter.
func New(board string, seed uint64) *Scribe {
	s := &Scribe{Board: domain.NewBoard(board), Now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Limit: 16 << 10, r: rand.New(rand.NewPCG(seed, 7))}
	s.Store = func(_ []byte, _ domain.Hash, prev uint64, at, until time.Time, late bool) (uint64, time.Time) {
		if late {
			at = until.Add(time.Minute)
		}
		return prev + 3, at.Add(time.Millisecond + 123*time.Nanosecond)
	}
	return s
}

// Start makes the board with members and columns.
func (s *Scribe) Start() *Scribe {
	board := s.Board.ID()
	s.Commit(false, s.Ask("ann", domain.Change{EntityID: board, Patch: domain.Patch{"kind": "board", "title": "Plans & <more>"}}))
	for _, role := range []domain.Role{domain.Viewer, domain.Commenter, domain.Editor, domain.Admin} {
		s.Commit(false, s.Ask("ann", domain.Change{EntityID: domain.MemberPrefix + string(role), Patch: domain.Patch{"kind": "member", "role": string(role)}}))
	}
	s.Commit(false,
		s.Ask("ann", domain.Change{EntityID: "column0", Patch: domain.Patch{"kind": "column", "title": "To do"}}),
		s.Ask("ann", domain.Change{EntityID: "column1", Patch: domain.Patch{"kind": "column", "title": "Done", "wipLimit": int64(3)}}))
	return s
}

// Ask gives a command of now.
func (s *Scribe) Ask(user string, changes ...domain.Change) domain.Command {
	s.n++
	s.Now = s.Now.Add(time.Second)
	if s.Clock != nil {
		s.Now = s.Clock()
	}
	return domain.Command{ID: fmt.Sprint("m", s.n), Op: domain.OpMutate, User: user, Session: "01K0000000000000000000000A", Changes: changes,
		ReceivedAt: s.Now.Add(-2345678 * time.Nanosecond), Deadline: s.Now.Add(4 * time.Second)}
}

// Commit decides commands into one record and stores it, late enough to be void
// if it is asked to and can be, by Store.
func (s *Scribe) Commit(late bool, cmds ...domain.Command) *domain.Commit {
	seq, prev, _ := s.Board.Head()
	still, err := s.Board.Still()
	if err != nil {
		panic(err)
	}
	ahead := still.Board()
	c := &domain.Commit{V: domain.CommitVersion, Board: s.Board.ID(), Prev: prev}
	for i := range cmds {
		d := s.decide(ahead, c, &cmds[i])
		if err := ahead.Fold(&d); err != nil {
			panic(err)
		}
		c.Decisions, c.At = append(c.Decisions, d), d.At
		if d.Rejection == nil && !d.Deadline.IsZero() && (c.NotAfter.IsZero() || d.Deadline.Before(c.NotAfter)) {
			c.NotAfter = d.Deadline
		}
	}
	if data, _, err := c.Encode(); len(cmds) > 1 && (err != nil || len(data) > s.Limit) { // as a worker does
		half := len(cmds) / 2
		s.Commit(late, cmds[:half]...)
		return s.Commit(false, cmds[half:]...)
	}
	s.keep(c, seq, late && !c.NotAfter.IsZero())
	return c
}

func (s *Scribe) keep(c *domain.Commit, prev uint64, late bool) {
	data, hash, err := c.Encode()
	if err != nil {
		panic(err)
	}
	read, _, err := domain.DecodeCommit(data)
	if err != nil {
		panic(err)
	}
	seq, stored := s.Store(data, hash, prev, s.Now, c.NotAfter, late)
	if err := s.Board.Apply(read, hash, seq, stored, nil); err != nil {
		panic(err)
	}
	s.Log = append(s.Log, Record{seq, prev, stored, hash, data})
}

// decide is what a worker does, for which c would be too large: it refuses, and
// leaves the content out if even that is.
func (s *Scribe) decide(b *domain.Board, c *domain.Commit, cmd *domain.Command) domain.Decision {
	fits := func(d domain.Decision) bool {
		alone := *c
		alone.Decisions, alone.At, alone.NotAfter = []domain.Decision{d}, d.At, d.Deadline
		data, _, err := alone.Encode()
		return err == nil && len(data) <= s.Limit
	}
	d := domain.Decide(b, cmd, s.Now)
	if fits(d) {
		return d
	}
	d = domain.Refuse(b, cmd, s.Now, &domain.Rejection{Code: domain.TooLarge, Reason: "its record would be too large", Details: domain.Details{"limit": s.Limit}})
	if !fits(d) {
		d.Changes, d.Import = nil, nil
	}
	return d
}

// Run writes n records of random commands, some of them void and then decided
// again, as their owners send them again.
func (s *Scribe) Run(n int) *Scribe {
	for range n {
		var cmds []domain.Command
		for range 1 + s.r.IntN(4)*s.r.IntN(2) {
			cmds = append(cmds, s.random())
		}
		if s.r.IntN(15) == 0 { // the clock is set back, for this record
			s.Now = s.Now.Add(-5 * time.Second)
		}
		if s.r.IntN(12) == 0 {
			before := s.Board.Rev()
			s.Commit(true, cmds...)
			if s.Board.Rev() != before { // nothing of it can be void
				continue
			}
			if last := s.Log[len(s.Log)-1]; !last.void() {
				continue
			}
			s.Now = s.Now.Add(2 * time.Minute)
			for i := range cmds {
				cmds[i].Deadline = s.Now.Add(time.Second)
				cmds[i].ReceivedAt = s.Now
			}
		}
		s.Commit(false, cmds...)
	}
	return s
}

func (r *Record) void() bool {
	c, _, err := domain.DecodeCommit(r.Data)
	return err == nil && c.VoidAt(r.Time)
}

// Notes gives signed notes as a log does.
func Notes(list ...[]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, note := range list {
			if !yield(note, nil) {
				return
			}
		}
	}
}
