package domain

import (
	"fmt"
	"strings"
)

// A worker decides several commands into one commit: each on the state the
// ones before it leave. So it folds ahead of the log, decision by decision, and
// settles when the commit is stored. A board that was folded ahead and whose
// commit was not stored, or is void, is thrown away and loaded again.

// Fold folds one decision ahead of the commit it will be stored in: entities
// and rev move, [Board.Head]'s time becomes d.At; sequence and hash stay, and
// [Board.Decided] does not know d yet. It fails, and leaves the board unusable,
// if d does not follow (a gap in rev, a time before the last decision's).
func (b *Board) Fold(d *Decision) error {
	if err := b.fold(d, nil); err != nil {
		return err
	}
	b.ahead++
	b.recent.forget(b.rev, b.entities)
	return nil
}

// Settle moves the head to the commit whose decisions were all folded by Fold
// since the last Apply or Settle, and from now on Decided knows them. The
// commit is stored at seq with this hash and is not void. It fails if c does
// not follow the head.
func (b *Board) Settle(c *Commit, hash Hash, seq uint64) error {
	if err := b.follows(c, seq); err != nil {
		return err
	}
	if n := len(c.Decisions); n != b.ahead || n > 0 && (c.Decisions[n-1].Rev != b.rev || !c.Decisions[n-1].At.Equal(b.at)) {
		return fmt.Errorf("domain: board %s: the commit at %d is not the %d decisions folded ahead", b.id, seq, b.ahead)
	}
	b.ahead = 0
	b.settle(c, hash, seq)
	return nil
}

func (b *Board) moveHead(hash Hash, seq uint64) {
	b.seq, b.hash = seq, hash
	b.records++
}

func (b *Board) settle(c *Commit, hash Hash, seq uint64) {
	b.moveHead(hash, seq)
	for i := range c.Decisions {
		d := &c.Decisions[i]
		b.decided.add(d.User, d.ID, seq, d.At)
		if d.lists() {
			b.listed = seq
		}
	}
	b.decided.forget(b.at)
}

// lists says whether the decision changed what a list of boards shows.
func (d *Decision) lists() bool {
	for i := range d.Events {
		if t := d.Events[i].Type; strings.HasPrefix(t, "board.") || strings.HasPrefix(t, "member.") {
			return true
		}
	}
	return false
}
