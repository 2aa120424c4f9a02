package rebuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/past"
)

const (
	// snapshotDue is how many records a board may have without a snapshot: a
	// worker makes one at least that often.
	snapshotDue = 1000
	// snapshotWorth is from how many records on a rebuild makes one.
	snapshotWorth = 32
	// rounds is how often a board is looked at again after something was put right.
	rounds = 5
	// lookAgain is how long a listing that is behind is given at a time.
	lookAgain = 50 * time.Millisecond
)

// rebuilt is a board on its way through the log.
type rebuilt struct {
	*run
	id    string
	board *domain.Board // folded from the first record on
	more  bool          // the last record is one of a restore that is not done
	pasts *past.Filler
	right map[string]bool // claims that were found to be right, by claim.key

	listedAt time.Time // when the record of board.Listed was stored
	due      uint64    // what the directory was behind when it was first seen to be, 0: it was not

	// Of this round.
	found []Difference
	wrong bool // who goes on with the board may do so from a wrong state
}

// rebuild compares, puts right and compares again, until all is as the log says.
func (b *rebuilt) rebuild(ctx context.Context) error {
	b.pasts, b.right = past.NewFiller(b.log), map[string]bool{}
	b.pasts.Check = b.opt.Check
	var all []Difference
	for round := 0; ; {
		s, err := b.look(ctx)
		if err != nil {
			return err
		}
		b.found, b.wrong = nil, false
		if err := b.fold(ctx, s); err != nil {
			return err
		}
		if b.more {
			return nil // nobody may load it before it is whole
		}
		if again, err := b.judge(ctx, s); err != nil {
			return err
		} else if again {
			continue
		}
		for _, d := range b.found {
			if !slices.Contains(all, d) {
				all = append(all, d)
			}
		}
		worth := !b.opt.Check && !s.hasSnapshot && b.board.Records() >= snapshotWorth
		if b.opt.Check || len(b.found) == 0 && !worth || round == rounds {
			break
		}
		round++
		if err := b.putRight(ctx, s); err != nil {
			return err
		}
	}
	fixed := !b.opt.Check && len(b.found) == 0
	for _, d := range all {
		d.Board, d.Fixed = b.id, fixed
		b.run.found(d)
	}
	for _, w := range b.pasts.Wrong {
		b.run.found(Difference{Board: b.id, In: "past snapshot", Seq: w.Seq, What: w.What, Fixed: !b.opt.Check})
	}
	return nil
}

func (b *rebuilt) seq() uint64 {
	if b.board == nil {
		return 0
	}
	seq, _, _ := b.board.Head()
	return seq
}

func (b *rebuilt) differs(in string, seq uint64, what string) {
	b.found = append(b.found, Difference{In: in, Seq: seq, What: what})
}

// finds says whether anything there was found to differ in this round.
func (b *rebuilt) finds(in string) bool {
	return slices.ContainsFunc(b.found, func(d Difference) bool { return d.In == in })
}

// fold folds up to the head and compares each claim where it stands.
func (b *rebuilt) fold(ctx context.Context, s *stand) error {
	at := map[uint64][]claim{}
	for _, c := range s.claims {
		switch {
		case c.bad != "":
			b.differs(c.in, c.seq, c.bad)
		case b.right[c.key()]:
		case c.list != nil && b.board != nil && c.seq == b.board.Listed():
			at[b.seq()] = append(at[b.seq()], c) // nothing after it changes a listing
		default:
			at[c.seq] = append(at[c.seq], c)
		}
	}
	for seq := range at {
		if b.board == nil || seq < b.seq() { // of what lies behind nothing is kept
			b.board = nil
			b.pasts.Again()
			break
		}
	}
	if b.board == nil {
		b.board = domain.NewBoard(b.id)
	}
	if err := b.compare(at); err != nil {
		return err
	}
	if b.seq() < s.head {
		if err := b.read(ctx, s.head, at); err != nil {
			return err
		}
	}
	for _, seq := range slices.Sorted(maps.Keys(at)) {
		for _, c := range at[seq] {
			b.differs(c.in, seq, "it stands at a record that the board does not have")
			b.wrong = b.wrong || c.list == nil
		}
	}
	return nil
}

func (b *rebuilt) read(ctx context.Context, to uint64, at map[uint64][]claim) error {
	n := uint64(0)
	defer func() { b.folded(n) }()
	for rec, err := range b.log.Read(ctx, b.id, b.seq()+1, to) {
		if err != nil {
			return err
		}
		if err := b.board.Apply(rec.Commit, rec.Hash, rec.Seq, rec.Time, nil); err != nil {
			return err
		}
		b.more = rec.More
		if b.board.Listed() == rec.Seq {
			b.listedAt = rec.Time
		}
		if n++; n == 1000 {
			b.folded(n)
			n = 0
		}
		if err := b.pasts.Passed(ctx, b.board); err != nil {
			return err
		}
		if err := b.compare(at); err != nil {
			return err
		}
	}
	return nil
}

// compare compares the claims about the record that the board stands at.
func (b *rebuilt) compare(at map[uint64][]claim) error {
	claims := at[b.seq()]
	if len(claims) == 0 || b.seq() == 0 {
		return nil
	}
	delete(at, b.seq())
	var want []byte
	for _, c := range claims {
		what := ""
		if c.list != nil {
			what = listingDiffers(*c.list, b.board)
		} else {
			if want == nil {
				var err error
				if want, err = b.board.Snapshot(); err != nil {
					return err
				}
			}
			if !bytes.Equal(c.data, want) {
				what = boardDiffers(c.data, b.board)
				b.wrong = true
			}
		}
		if b.right[c.key()] = what == ""; what != "" {
			b.differs(c.in, c.seq, what)
		}
	}
	return nil
}

// judge adds what is missing or too much. again says that the directory is
// behind and may be about to catch up: look again.
func (b *rebuilt) judge(ctx context.Context, s *stand) (again bool, err error) {
	if !s.hasSnapshot && b.board.Records() >= snapshotDue {
		b.differs("snapshot", 0, fmt.Sprintf("there is none, of a board with %d records", b.board.Records()))
	}
	if b.finds("directory") {
		return false, nil
	}
	switch {
	case !b.board.Exists():
		if s.listed > 0 {
			b.differs("directory", 0, "there is an entry of a board that does not exist")
		}
		return false, nil
	case s.entry != nil && s.entry.Seq >= b.awaited():
		return false, b.indexed(ctx, s)
	case b.due == 0:
		b.due = b.board.Listed()
	}
	if len(b.found) == 0 && time.Since(b.listedAt) < b.opt.settle {
		return true, pause(ctx, lookAgain)
	}
	if s.entry == nil {
		b.differs("directory", 0, "there is no entry")
	} else {
		b.differs("directory", s.entry.Seq, fmt.Sprintf("nobody has written the entry of record %d", b.due))
	}
	return false, nil
}

// awaited is the record that an entry is to be of at least.
func (b *rebuilt) awaited() uint64 {
	if b.due > 0 {
		return b.due
	}
	return b.board.Listed()
}

// indexed compares the index by member with an entry that is right.
func (b *rebuilt) indexed(ctx context.Context, s *stand) error {
	users, err := b.log.Unindexed(ctx, *s.entry)
	if err != nil || len(users) == 0 {
		return err
	}
	_, revision, err := b.log.StoredListing(ctx, b.id) // those who have left meanwhile are rightly not there
	if err != nil || revision != s.listed {
		return ignoreMissing(err)
	}
	b.differs("index", s.entry.Seq, fmt.Sprintf("%d members are not in it, as %s", len(users), users[0]))
	return nil
}

// putRight puts what the log gives in the place of what was found wrong. What
// somebody else has put there meanwhile is looked at in the next round.
func (b *rebuilt) putRight(ctx context.Context, s *stand) error {
	if b.wrong || b.finds("snapshot") || !s.hasSnapshot && b.board.Records() >= snapshotWorth {
		data, err := b.board.Snapshot()
		if err != nil {
			return err
		}
		seq, hash, _ := b.board.Head()
		// First the snapshot: who forgets loads it.
		err = b.log.ReplaceSnapshot(ctx, b.id, eventlog.Snapshot{Seq: seq, Hash: hash, Data: data}, s.snapshot)
		if err != nil && !errors.Is(err, eventlog.ErrConflict) {
			return err
		}
	}
	if b.wrong {
		b.log.DropKept(b.id)
		for _, name := range slices.Sorted(maps.Keys(b.opt.Memories)) {
			if err := b.opt.Memories[name].Forget(ctx, b.id); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		b.log.DropKept(b.id) // of who was about to keep it
	}
	var err error
	switch {
	case b.finds("directory") && b.board.Exists():
		err = b.log.ReplaceListing(ctx, eventlog.ListingOf(b.board), s.listed)
	case b.finds("directory"):
		err = b.log.DropListing(ctx, b.id, s.listed)
	case b.finds("index"):
		err = b.log.IndexMembers(ctx, *s.entry)
	}
	if errors.Is(err, eventlog.ErrConflict) {
		err = nil
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
