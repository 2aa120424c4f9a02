// Package verify says whether the records of a board are what they should be:
// none missing, none altered, each decision what the rules make of its command
// on the board as it stood. It reads what is there record by record, goes on
// behind what is wrong, and names it. Pure but for the clock of Summary.Took.
package verify

import (
	"crypto/sha256"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
)

// Kind says what is wrong (append-only list).
type Kind string

// The kinds of findings.
const (
	KindHash      Kind = "hash"      // a record's bytes do not have the hash it is stored under
	KindChain     Kind = "chain"     // a record is not the one that the next record follows
	KindGap       Kind = "gap"       // a record is missing
	KindOrder     Kind = "order"     // a record stands where it does not belong, or when
	KindDecode    Kind = "decode"    // bytes that no service writes, or of a version unknown here
	KindRev       Kind = "rev"       // revs have a gap or an overlap
	KindFold      Kind = "fold"      // an event does not fit the board
	KindDecision  Kind = "decision"  // the rules decide otherwise
	KindDouble    Kind = "double"    // a mutation is decided twice
	KindInclusion Kind = "inclusion" // a record is not in the tree of a checkpoint
	KindSignature Kind = "signature" // a note is not signed by a known key, or of another log
	KindHead      Kind = "head"      // the log does not end where a signed head or a checkpoint says
	KindState     Kind = "state"     // the board is not the one that a signed head names
	KindCount     Kind = "count"     // there are other records than were counted
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind     Kind   `json:"kind"`
	Board    string `json:"board,omitempty"`
	Shard    int    `json:"shard,omitempty"` // of one on a shard; then Board need not be there
	Seq      uint64 `json:"seq,omitempty"`   // of the record that is wrong or missing
	Rev      uint64 `json:"rev,omitempty"`   // of the decision
	User     string `json:"user,omitempty"`
	Mutation string `json:"mutation,omitempty"` // of the decision
	Words    string `json:"words"`
}

func (f Finding) String() string {
	where := "board " + f.Board
	if f.Board == "" {
		where = fmt.Sprint("shard ", f.Shard)
	}
	return fmt.Sprintf("%s, record %d: %s: %s", where, f.Seq, f.Kind, f.Words)
}

// Record is one as a log or a bundle has it, whole or damaged.
type Record = bundle.Record

// Config of a Verifier.
type Config struct {
	Board string
	// Epoch and Shard of the log, that heads and checkpoints must be of. "": not compared.
	Epoch string
	Shard int
	// Generation of that shard: heads of an earlier one are from before the board
	// moved, and held against the records that have their hashes.
	Generation int
	// Keys that sign heads and checkpoints.
	Keys []note.Verifier
	// Proofs says that hashes and a checkpoint, or Pinned, will be there to prove
	// each record with: 40 bytes of memory a record.
	Proofs bool
	// Pinned are checkpoints that were kept elsewhere, their signatures checked.
	Pinned []proof.Checkpoint
	// Heads were kept elsewhere, their signatures checked; those of other boards
	// are passed over.
	Heads []proof.Head
	// Before is where the board was in bundles that were kept.
	Before []Stand
	// Report is called with each finding, in the order found.
	Report func(Finding)
	// Redecide is domain.Redecide, unless other rules shall be held against the log.
	Redecide func(*domain.Board, *domain.Decision) domain.Decision
}

// Summary is what a board's records came to.
type Summary struct {
	Board     string `json:"board"`
	Records   uint64 `json:"records"`
	Void      uint64 `json:"void"` // of Records
	Decisions uint64 `json:"decisions"`
	Accepted  uint64 `json:"accepted"`
	Refused   uint64 `json:"refused"`
	Events    uint64 `json:"events"`
	// Trusted are refusals as too large of which it cannot be seen that they had to
	// be: without the content, or by a limit that records before were larger than.
	// They changed nothing.
	Trusted uint64 `json:"trusted,omitempty"`
	// Unjudged are decisions behind a record that is lost: what the board was
	// like when they were taken is not known. Of Decisions, void ones too.
	Unjudged uint64      `json:"unjudged,omitempty"`
	Findings uint64      `json:"findings"`
	Rev      uint64      `json:"rev"`
	Head     uint64      `json:"head"`  // sequence of the last record
	Hash     domain.Hash `json:"hash"`  // of its bytes
	State    domain.Hash `json:"state"` // of the board; zero when Unjudged
	// Digest is one of all records in order: Tally has the same.
	Digest domain.Hash   `json:"-"`
	Proven uint64        `json:"proven,omitempty"` // records that are in the tree of a checkpoint
	Took   time.Duration `json:"took"`             // nanoseconds
}

// Verifier takes a board's records in the order of the log, then what was
// signed of them. Its memory is the board, and Config.Proofs. Not safe for
// concurrent use.
type Verifier struct {
	cfg     Config
	began   time.Time
	sum     Summary
	board   *domain.Board // nil: what it is like is not known any more
	last    link
	rev     uint64    // by the records
	at      time.Time // of the last decision
	excused bool      // a record was missing or unreadable since the last that took effect
	other   bool      // the rules decide the record at work otherwise
	void    *waiting  // the last record, if that is void
	took    taken     // the last that took effect
	buf     []byte
	largest int // bytes of a record so far

	leaves []leaf
	hashes proof.Hashes
	check  *proof.Checkpoint
	heads  []proof.Head // whose records are still to come
	stands []Stand      // the same
	// Those from before the board moved; their records have other sequences here.
	headsBefore  []proof.Head
	standsBefore []Stand
	signed       time.Time // when Head's was
	much         bool      // more hashes came than prove anything
}

// link is what a record is for the one behind it.
type link struct {
	seq   uint64
	hash  domain.Hash // of its bytes
	named string      // hex, as the log names it
	bad   bool        // it has a finding of its own that explains a broken link
	other bool        // the rules decide otherwise
}

// waiting is a void record.
type waiting struct {
	commit *domain.Commit
	seq    uint64
}

// taken is a record that took effect.
type taken struct {
	seq      uint64
	before   uint64 // the rev before it
	voidable bool
}

type leaf struct {
	seq  uint64
	hash tlog.Hash
}

// New gives a verifier at the start of a board's log.
func New(cfg Config) *Verifier {
	if cfg.Redecide == nil {
		cfg.Redecide = domain.Redecide
	}
	v := &Verifier{cfg: cfg, began: time.Now(), sum: Summary{Board: cfg.Board}, board: domain.NewBoard(cfg.Board), hashes: proof.Hashes{}}
	for _, h := range cfg.Heads {
		if h.Board == cfg.Board {
			v.expect(h)
		}
	}
	for _, s := range cfg.Before {
		if cfg.Epoch != "" && s.Epoch != cfg.Epoch {
			v.report(KindSignature, s.Seq, "an earlier bundle is of epoch %s, this log is %s: another one", s.Epoch, cfg.Epoch)
		} else if s.Generation < cfg.Generation {
			v.standsBefore = append(v.standsBefore, s)
		} else {
			v.stands = append(v.stands, s)
		}
	}
	return v
}

// report tells a finding on a record.
func (v *Verifier) report(kind Kind, seq uint64, format string, args ...any) {
	v.tell(Finding{Kind: kind, Seq: seq, Words: fmt.Sprintf(format, args...)})
}

func (v *Verifier) tell(f Finding) {
	f.Board = v.cfg.Board
	v.sum.Findings++
	if v.cfg.Report != nil {
		v.cfg.Report(f)
	}
}

// Record takes the next record, which it does not keep.
func (v *Verifier) Record(r Record) {
	v.sum.Records++
	v.other = false
	commit, hash, err := domain.DecodeCommit(r.Data)
	if err != nil {
		hash = sha256.Sum256(r.Data)
	}
	now := link{seq: r.Seq, hash: hash, named: r.Hash}
	whole := now.hash.String() == r.Hash
	if !whole {
		now.bad = true
		v.report(KindHash, r.Seq, "its bytes have the hash %s, it is stored under %q", now.hash, r.Hash)
	}
	placed := v.place(&r)
	switch {
	case err != nil:
		v.report(KindDecode, r.Seq, "it cannot be read: %v", err)
	case commit.Board != v.cfg.Board:
		v.report(KindChain, r.Seq, "it is a record of board %q", commit.Board)
	case len(commit.Decisions) == 0 && commit.Moved == nil:
		v.report(KindDecode, r.Seq, "it has no decision")
	case commit.Moved != nil:
		v.ended(&r, commit, hash, placed)
	default:
		if placed {
			v.follows(&r, commit)
		}
		v.judge(&r, commit, hash, whole, placed)
	}
	now.bad, now.other = now.bad || !placed, v.other
	if err != nil || commit.Board != v.cfg.Board || len(commit.Decisions) == 0 && commit.Moved == nil {
		now.bad, v.excused = true, true
	}
	v.last = now
	v.largest = max(v.largest, len(r.Data))
	v.leaf(&r)
	v.meet(r.Seq)
	v.stand(r.Seq)
	v.meetBefore()
}

// ended takes a record that says where the board goes on, and nothing else.
func (v *Verifier) ended(r *Record, c *domain.Commit, hash domain.Hash, placed bool) {
	if placed {
		v.follows(r, c)
	}
	if v.board != nil && v.settle(c, hash, r.Seq) != nil {
		v.lose()
	}
}

// place sees that the record stands where it should, by sequences.
func (v *Verifier) place(r *Record) bool {
	switch last := v.last.seq; {
	case r.Seq <= last:
		v.report(KindOrder, r.Seq, "it comes behind record %d", last)
	case r.Prev >= r.Seq:
		v.report(KindOrder, r.Seq, "it says that it follows record %d: it stood behind that", r.Prev)
	case r.Prev > last:
		v.report(KindGap, r.Prev, "it is missing: record %d follows it, but the one before that is %s", r.Seq, ordinal(last))
	case r.Prev < last:
		v.report(KindOrder, last, "it stands between %s and record %d, which follows that", ordinal(r.Prev), r.Seq)
	default:
		return true
	}
	v.excused = true
	return false
}

func ordinal(seq uint64) string {
	if seq == 0 {
		return "none"
	}
	return fmt.Sprint("record ", seq)
}

// follows sees that the record names the bytes of the one before it.
func (v *Verifier) follows(r *Record, c *domain.Commit) {
	if c.Prev == v.last.hash || v.last.bad {
		return
	}
	if v.last.seq == 0 {
		v.report(KindChain, r.Seq, "it is the first, but follows a record with the hash %s", c.Prev)
		return
	}
	v.report(KindChain, v.last.seq, "it is not the record that record %d follows: that had the hash %s, this has %s", r.Seq, c.Prev, v.last.hash)
	if v.last.other { // it was altered, and what it left here is not what the rest was decided on
		v.lose()
	}
}

// clocks is how far a worker's clock may be ahead of a stream's: nodes that
// differ by more than a second are not ready. Five leave no doubt.
const clocks = 5 * time.Second

// times sees that the record was stored after it was decided.
func (v *Verifier) times(r *Record, c *domain.Commit) {
	for i := range c.Decisions {
		if now := c.Decisions[i].Now(); now.After(r.Time.Add(clocks)) {
			v.report(KindOrder, r.Seq, "it was stored at %s, and decided at %s", r.Time.Format(time.RFC3339Nano), now.Format(time.RFC3339Nano))
			return
		}
	}
}

// lose gives up what the board is like.
func (v *Verifier) lose() { v.board = nil }

// Finish says what came of all, when nothing more comes.
func (v *Verifier) Finish() Summary {
	v.prove()
	for _, h := range v.heads {
		v.report(KindHead, v.last.seq, "the log ends here, its signed head of %s is record %d: it is cut off", h.Time.Format(time.RFC3339), h.Seq)
	}
	v.heads = nil
	v.cutOff()
	v.missedBefore()
	if v.board == nil && v.sum.Findings == 0 { // which has a reason that is a finding, or is one
		v.report(KindFold, v.last.seq, "what the board is like could not be kept up to here")
	}
	s := &v.sum
	s.Rev, s.Head, s.Hash = v.rev, v.last.seq, v.last.hash
	if v.board != nil {
		s.State = v.board.StateHash()
	}
	s.Took = time.Since(v.began)
	return *s
}
