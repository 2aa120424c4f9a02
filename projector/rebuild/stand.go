package rebuild

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// claim is what somebody says of the board at a record.
type claim struct {
	in   string
	seq  uint64
	data []byte            // the board, encoded
	list *eventlog.Listing // or an entry of the directory
	bad  string            // or why it cannot be read
}

// key names the claim by what it says.
func (c *claim) key() string {
	if c.list != nil {
		return fmt.Sprintf("%s %+v", c.in, *c.list)
	}
	sum := sha256.Sum256(c.data)
	return c.in + " " + string(sum[:])
}

// stand is what is stored of a board and held of it.
type stand struct {
	head             uint64 // asked for after all the rest: none of that is beyond it
	snapshot, listed uint64 // revisions
	hasSnapshot      bool
	entry            *eventlog.Listing // nil: there is none, or none that can be read
	claims           []claim
}

// look takes down what there is.
func (b *rebuilt) look(ctx context.Context) (*stand, error) {
	s := &stand{}
	for _, look := range []func(context.Context, *stand) error{b.lookAtSnapshot, b.lookAtListing, b.lookAtMemories} {
		if err := look(ctx, s); err != nil {
			return nil, err
		}
	}
	err := b.pasts.Look(ctx, b.id)
	if err == nil {
		s.head, err = b.log.Head(ctx, b.id)
	}
	return s, err
}

func (b *rebuilt) lookAtSnapshot(ctx context.Context, s *stand) error {
	snap, revision, err := b.log.StoredSnapshot(ctx, b.id)
	if errors.Is(err, eventlog.ErrNotFound) && !errors.Is(err, eventlog.ErrDamaged) {
		s.snapshot = revision
		return nil
	}
	c := claim{in: "snapshot", seq: snap.Seq, data: snap.Data}
	switch {
	case errors.Is(err, eventlog.ErrDamaged):
		c.bad = err.Error()
	case err != nil:
		return err
	default:
		c.bad = unusable(snap)
	}
	s.snapshot, s.hasSnapshot = revision, true
	s.claims = append(s.claims, c)
	return nil
}

// unusable says why nobody would load a snapshot, "" if it is not so.
func unusable(s eventlog.Snapshot) string {
	board, err := domain.LoadSnapshot(s.Data)
	if err != nil {
		return err.Error()
	}
	if seq, hash, _ := board.Head(); seq != s.Seq || hash != s.Hash {
		return fmt.Sprintf("it holds the board at record %d, not at the one it says", seq)
	}
	return ""
}

func (b *rebuilt) lookAtListing(ctx context.Context, s *stand) error {
	entry, revision, err := b.log.StoredListing(ctx, b.id)
	s.listed = revision
	switch {
	case errors.Is(err, eventlog.ErrDamaged):
		s.claims = append(s.claims, claim{in: "directory", bad: err.Error()})
	case errors.Is(err, eventlog.ErrNotFound):
	case err != nil:
		return err
	default:
		s.entry = &entry
		s.claims = append(s.claims, claim{in: "directory", seq: entry.Seq, list: &entry})
	}
	return nil
}

func (b *rebuilt) lookAtMemories(ctx context.Context, s *stand) (err error) {
	held := map[string]*domain.Still{"boards loaded lately": b.log.Kept(b.id)}
	for name, m := range b.opt.Memories {
		if held[name], err = m.Still(ctx, b.id); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(held)) {
		still := held[name]
		if still == nil {
			continue
		}
		seq, _ := still.Head()
		if seq == 0 { // a room at a board that had no record yet
			continue
		}
		data, err := still.Append(nil)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s.claims = append(s.claims, claim{in: name, seq: seq, data: data})
	}
	return nil
}
