package domain

// A worker decides several commands into one commit: each on the state the
// ones before it leave. So it folds ahead of the log, decision by decision, and
// settles when the commit is stored. A board that was folded ahead and whose
// commit was not stored, or is void, is thrown away and loaded again.

// Fold folds one decision ahead of the commit it will be stored in: entities
// and rev move, [Board.Head]'s time becomes d.At; sequence and hash stay, and
// [Board.Decided] does not know d yet. It fails, and leaves the board unusable,
// if d does not follow (a gap in rev, a time before the last decision's).
func (b *Board) Fold(d *Decision) error { panic("todo") }

// Settle moves the head to the commit whose decisions were all folded by Fold
// since the last Apply or Settle, and from now on Decided knows them. The
// commit is stored at seq with this hash and is not void. It fails if c does
// not follow the head.
func (b *Board) Settle(c *Commit, hash Hash, seq uint64) error { panic("todo") }
