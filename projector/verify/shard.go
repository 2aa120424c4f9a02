package verify

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
)

// ShardConfig says what a shard's entries are held against.
type ShardConfig struct {
	Epoch string
	Shard int
	Keys  []note.Verifier
	// Checkpoints are the signed ones that the log stored, in the order stored;
	// nil: none. They are read while the entries are.
	Checkpoints iter.Seq2[[]byte, error]
	// Pinned are some that were kept elsewhere, their signatures checked.
	Pinned []proof.Checkpoint
	Report func(Finding)
}

// Tally is what the entries of a shard say of one board.
type Tally struct {
	Records uint64
	Last    uint64 // sequence
	digest  domain.Hash
}

// ShardSummary is what the entries of a shard came to.
type ShardSummary struct {
	Shard       int              `json:"shard"`
	Records     uint64           `json:"records"`
	Checkpoints int              `json:"checkpoints"` // of those given, whose root is that of the entries
	Covered     int64            `json:"covered"`     // records, by the largest of those
	Findings    uint64           `json:"findings"`
	Root        tlog.Hash        `json:"root"`
	Boards      map[string]Tally `json:"-"`
	Took        time.Duration    `json:"took"` // nanoseconds
	// Short: the last records could not be read, which is a finding. Boards may lack some.
	Short bool `json:"short,omitempty"`
}

// Shard verifies the entries of a shard's stream from the first on: that there
// is one for each sequence, and that at the size of each checkpoint they have
// its root, so that all checkpoints are of one tree that only grew. It does not
// look at the bytes: verify each board of Boards as well, and [Tally.Check]. Its
// memory is some hundred bytes a board. An error is that of entries or
// checkpoints, but for
// [eventlog.ErrUnreadable], which is a finding.
func Shard(cfg ShardConfig, entries iter.Seq2[eventlog.Entry, error]) (ShardSummary, error) {
	s := &shard{cfg: cfg, sum: ShardSummary{Shard: cfg.Shard, Boards: map[string]Tally{}}}
	began := time.Now()
	if cfg.Checkpoints != nil {
		pull, stop := iter.Pull2(cfg.Checkpoints)
		defer stop()
		s.pull = pull
	}
	s.open()
	s.reach()
	var failed error
	for e, err := range entries {
		if errors.Is(err, eventlog.ErrUnreadable) {
			if s.unreadable(&e, err); s.sum.Short {
				break
			}
			continue
		}
		if failed = err; err != nil {
			break
		}
		s.entry(&e)
	}
	for c := s.due(); c != nil && failed == nil; c = s.due() {
		if s.take(c); s.sum.Short {
			s.report(Finding{Kind: KindInclusion, Seq: uint64(c.Size), Words: fmt.Sprintf("the checkpoint of %d records cannot be held against a log that can be read up to record %d", c.Size, s.last)})
		} else {
			s.report(Finding{Kind: KindHead, Seq: s.last + 1, Words: fmt.Sprintf("it is missing: the checkpoint of %s counts %d records, the log ends at %d", c.Time.Format(time.RFC3339), c.Size, s.last)})
		}
	}
	s.sum.Covered = s.good
	s.sum.Root, s.sum.Took = s.tree.Root(), time.Since(began)
	return s.sum, cmp.Or(failed, s.failed)
}

type shard struct {
	cfg  ShardConfig
	sum  ShardSummary
	tree proof.Tree
	last uint64
	good int64 // up to this size the roots are those of checkpoints
	torn bool  // an entry is missing: the tree is none any more

	// Those whose size is still to come.
	pinned []proof.Checkpoint // by size
	stored *proof.Checkpoint  // the next one that the log stored, nil: no more
	before proof.Checkpoint   // stored before that one
	pull   func() ([]byte, error, bool)
	failed error // of pull
}

func (s *shard) report(f Finding) {
	f.Shard = s.cfg.Shard
	s.sum.Findings++
	if s.cfg.Report != nil {
		s.cfg.Report(f)
	}
}

// open gets the checkpoints ready.
func (s *shard) open() {
	for _, c := range s.cfg.Pinned {
		if s.ours(&c) {
			s.pinned = append(s.pinned, c)
		}
	}
	slices.SortStableFunc(s.pinned, func(a, b proof.Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	s.next()
}

func (s *shard) ours(c *proof.Checkpoint) bool {
	if c.Epoch == s.cfg.Epoch && c.Shard == s.cfg.Shard {
		return true
	}
	s.report(Finding{Kind: KindSignature, Words: fmt.Sprintf("a checkpoint is that of %s, not of %s", proof.Origin(c.Epoch, c.Shard), proof.Origin(s.cfg.Epoch, s.cfg.Shard))})
	return false
}

// next reads the next checkpoint that the log stored. One that counts fewer
// records than the one before it is a finding and nothing else: the tree has
// passed its size.
func (s *shard) next() {
	for s.stored = nil; s.pull != nil; {
		signed, err, more := s.pull()
		if !more || err != nil {
			s.pull, s.failed = nil, err
			return
		}
		c, err := proof.OpenCheckpoint(signed, s.cfg.Keys...)
		switch last := &s.before; {
		case err != nil:
			s.report(Finding{Kind: KindSignature, Words: fmt.Sprintf("a checkpoint behind that of %d records: %v", last.Size, err)})
		case !s.ours(&c):
		case c.Size < last.Size:
			s.report(Finding{Kind: KindOrder, Seq: uint64(last.Size), Words: fmt.Sprintf("the checkpoint of %s counts %d records, the one of %s before it %d", c.Time.Format(time.RFC3339), c.Size, last.Time.Format(time.RFC3339), last.Size)})
		default:
			s.stored, s.before = &c, c
			return
		}
	}
}

// due is the checkpoint whose size comes next, nil if there is no more.
func (s *shard) due() *proof.Checkpoint {
	if s.stored != nil && (len(s.pinned) == 0 || s.stored.Size <= s.pinned[0].Size) {
		return s.stored
	}
	if len(s.pinned) > 0 {
		return &s.pinned[0]
	}
	return nil
}

// take has c, which was due, be so no longer.
func (s *shard) take(c *proof.Checkpoint) {
	if c == s.stored {
		s.next()
	} else {
		s.pinned = s.pinned[1:]
	}
}

func (s *shard) entry(e *eventlog.Entry) {
	switch {
	case e.Seq <= s.last:
		s.report(Finding{Kind: KindOrder, Board: e.Board, Seq: e.Seq, Words: fmt.Sprintf("it comes behind record %d", s.last)})
		s.torn = true
	case e.Seq > s.last+1:
		s.report(Finding{Kind: KindGap, Seq: s.last + 1, Words: missing(e.Seq - s.last - 1)})
		s.torn = true
	}
	s.last = e.Seq
	s.sum.Records++
	leaf := proof.Leaf{Board: e.Board, Seq: e.Seq, Time: e.Time, Hash: e.Hash}
	h := leaf.TreeHash()
	t := s.sum.Boards[e.Board]
	s.sum.Boards[e.Board] = Tally{t.Records + 1, e.Seq, digest(t.digest, h)}
	s.tree.Append(h, nil)
	s.reach()
}

// unreadable takes down that the stream has something that is no record, or,
// without a sequence, that what is behind the last one cannot be read.
func (s *shard) unreadable(e *eventlog.Entry, err error) {
	if e.Seq > 0 {
		s.report(Finding{Kind: KindDecode, Board: e.Board, Seq: e.Seq, Words: err.Error()})
		s.torn = true
		s.entry(e)
		return
	}
	s.sum.Short = true
	s.report(Finding{Kind: KindGap, Seq: s.last + 1, Words: err.Error()})
}

// reach holds the checkpoints of the present size against the tree.
func (s *shard) reach() {
	for c := s.due(); c != nil && (c.Size == s.tree.Size() || s.torn && c.Size <= int64(s.last)); c = s.due() {
		s.take(c)
		switch root := s.tree.Root(); {
		case s.torn:
			s.report(Finding{Kind: KindInclusion, Seq: uint64(c.Size), Words: fmt.Sprintf("the checkpoint of %d records cannot be held against a log with a gap", c.Size)})
		case root == c.Root:
			s.sum.Checkpoints++
			s.good = c.Size
		case s.good == c.Size:
			s.report(Finding{Kind: KindInclusion, Seq: uint64(c.Size), Words: fmt.Sprintf("the checkpoint of %s has another root than the log and another checkpoint of %d records", c.Time.Format(time.RFC3339), c.Size)})
		default:
			s.report(Finding{Kind: KindInclusion, Seq: uint64(s.good) + 1, Words: fmt.Sprintf("one of the records %d to %d is not the one in the tree of the checkpoint of %s: its bytes or its time are other ones",
				s.good+1, c.Size, c.Time.Format(time.RFC3339))})
		}
	}
}

// missing says that so many records are.
func missing(n uint64) string {
	if n == 1 {
		return "it is missing"
	}
	return fmt.Sprintf("it is missing, and %d behind it", n-1)
}

// Check holds what was verified of a board's records against the entries of its
// shard: the same ones, all of them; nil: they are.
func (t Tally) Check(s *Summary) *Finding {
	f := &Finding{Kind: KindCount, Board: s.Board, Seq: t.Last}
	switch {
	case s.Records != t.Records || s.Head != t.Last:
		f.Words = fmt.Sprintf("its shard has %d records of the board up to %d, %d up to %d were verified", t.Records, t.Last, s.Records, s.Head)
	case s.Digest != t.digest:
		f.Words = "the shard's tree was made over other hashes or times of the board's records"
	default:
		return nil
	}
	return f
}
