package audit

import (
	"context"
	"iter"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

const (
	buffer = 64 << 10 // bytes of lines that are given out at once
	// turnRecords is how many records one reads until it is another's turn.
	turnRecords = 1000
	// clockLead is by how much the times of decisions that are void may run
	// ahead of the others': clocks of nodes differ by one second at most.
	clockLead = 2 * time.Second
)

// Source is what a Reader needs of an [eventlog.Log].
type Source interface {
	Get(ctx context.Context, board string, seq uint64) (eventlog.Record, error)
	Read(ctx context.Context, board string, from, to uint64) iter.Seq2[eventlog.Record, error]
}

// Turns lets few of many Readers read at a time.
type Turns interface {
	Take(ctx context.Context) error
	Give() // after the last Take that did not fail
}

// Config of a Reader.
type Config struct {
	Query
	Board  string
	Source Source
	// Out takes what is told, whole lines, as it comes together; at the end of
	// every Read at least once, if only with nothing.
	Out func(lines []byte) error
	// Line appends a decision in the format NDJSON, with its line feed and what
	// the query wants beside it.
	Line func(dst []byte, e *Entry, q *Query) ([]byte, error)
	// Turns are waited for while reading, not while Out runs. nil: none.
	Turns Turns
	// Past gives the board as it was after its record with this sequence, as
	// [eventlog.LoadBoardAt] does. nil: names are found by reading all that was
	// before.
	Past func(ctx context.Context, board string, seq uint64) (*domain.Board, error)
}

// Entry is a decision that is told. It is valid until the next one is.
type Entry struct {
	*domain.Decision
	Log   *eventlog.Record // that holds it
	Index int              // in the record, from 0
	Void  bool
	Words []string // see [Names.Words]; nil in formats without
	Asked string   // see [Names.Asked]; "" in formats without
}

// Outcome is Accepted, Refused or Void.
func (e *Entry) Outcome() string {
	switch {
	case e.Void:
		return Void
	case e.Rejection != nil:
		return Refused
	}
	return Accepted
}

// Reader reads the decisions of one board that a query asks for, in the order
// of the log, in constant memory but for names and trail, which grow with the
// board. Not safe for concurrent use.
type Reader struct {
	Config
	format format
	kinds  bool          // a kind of entity is asked for: names tell of which one is
	trail  *domain.Trail // nil: no entity is asked for
	names  *Names        // nil: nobody needs them
	begun  bool
	next   uint64   // sequence to read from
	skip   position // decisions before it are taken in, but not told
	count  int      // of those told
	ended  bool     // no decision to come is asked for
	entry  Entry    // that is told
	buf    []byte   // lines to be given out
}

// position is where a decision stands.
type position struct {
	seq   uint64
	index int
}

func (p position) before(o position) bool {
	return p.seq < o.seq || p.seq == o.seq && p.index < o.index
}

// NewReader is one that has read nothing.
func NewReader(cfg Config) *Reader {
	r := &Reader{Config: cfg, format: newFormat(&cfg), kinds: cfg.Kind != "" && isKind(cfg.Kind)}
	r.trail = r.newTrail()
	return r
}

func (r *Reader) newTrail() *domain.Trail {
	if r.Entity == "" {
		return nil
	}
	return domain.NewTrail(r.Entity)
}

// worded says whether what is told has words.
func (r *Reader) worded() bool { return r.Words || r.Asked || r.Format == CSV || r.Format == Text }

// Ended says whether no decision to come is asked for.
func (r *Reader) Ended() bool { return r.ended }

// Read tells what is asked for up to the record at head, but for what was told
// by earlier calls. It ends with an error when it could not get that far, or
// with that of Out.
func (r *Reader) Read(ctx context.Context, head uint64) error {
	if !r.begun {
		r.begun = true
		r.buf = r.format.begin(r.buf)
		if err := r.first(ctx, head); err != nil {
			return err
		}
	} else if err := r.read(ctx, head, r.tell); err != nil {
		return err
	}
	return r.flush()
}

// first is the first Read.
func (r *Reader) first(ctx context.Context, head uint64) error {
	if r.Last > 0 {
		return r.newest(ctx, head)
	}
	start, err := r.start(ctx, head)
	if err != nil {
		return err
	}
	if err := r.from(ctx, start, head, r.worded() || r.kinds); err != nil {
		return err
	}
	if err := r.read(ctx, head, r.tell); err != nil || r.count > 0 || !r.idTime().After(r.From) {
		return err
	}
	// What was refused for an id that was too far ahead stands before its time.
	r.ended = false
	if err := r.from(ctx, 1, head, r.worded() || r.kinds); err != nil {
		return err
	}
	return r.read(ctx, min(start-1, head), r.tell)
}

// idTime is the time before which the mutation asked for was not decided, if
// its id tells that, but to refuse it. Who follows the log is not helped.
func (r *Reader) idTime() time.Time {
	minted, ok := domain.IDTime(r.ID)
	if !ok || r.Follow || r.Last > 0 {
		return time.Time{}
	}
	return minted.Add(-domain.MaxIDLead)
}

// start is the sequence of a record before which nothing is asked for, not far
// before the first that is.
func (r *Reader) start(ctx context.Context, head uint64) (uint64, error) {
	from := r.From
	if r.idTime().After(from) {
		from = r.idTime()
	}
	if r.trail != nil || r.Since == 0 && from.IsZero() {
		return 1, nil
	}
	if !from.IsZero() {
		from = from.Add(-clockLead)
	}
	return r.seek(ctx, head, func(d *domain.Decision) bool {
		return r.Since > 0 && d.Rev-uint64(len(d.Events)) <= r.Since || d.At.Before(from)
	})
}

// from sees that what is told next begins at the record start, up to head. With
// names, they are as they were then: from a past state of the board, or by
// reading what was before.
func (r *Reader) from(ctx context.Context, start, head uint64, names bool) error {
	r.next, r.skip, r.trail, r.names = start, position{}, r.newTrail(), nil
	if !names {
		return nil
	}
	r.names = NewNames(r.Board)
	if eventlog.StreamSeq(start) <= 1 {
		return nil
	}
	if r.Past == nil || r.trail != nil {
		r.next, r.skip = 1, position{seq: start}
		return nil
	}
	if err := r.take(ctx); err != nil {
		return err
	}
	defer r.give()
	for rec, err := range r.Source.Read(ctx, r.Board, start, head) {
		if err != nil {
			return err
		}
		board, err := r.Past(ctx, r.Board, rec.Prev)
		if err != nil {
			return err
		}
		r.names = NamesOf(board)
		break
	}
	return nil
}

// seek gives the sequence of the last record up to head whose first decision
// comes before, by something that never runs backwards along the log, or of the board's first. It
// looks at one record in the middle of what is left at a time; void ones do not
// count.
func (r *Reader) seek(ctx context.Context, head uint64, before func(*domain.Decision) bool) (uint64, error) {
	at := eventlog.First(head)
	for end := head; at < end; {
		middle := at + (end-at+1)/2
		found := false
		for rec, err := range r.Source.Read(ctx, r.Board, middle, head) {
			if err != nil {
				return 0, err
			}
			if rec.Void() || len(rec.Commit.Decisions) == 0 {
				continue
			}
			found = before(&rec.Commit.Decisions[0])
			break
		}
		if found {
			at = middle
		} else {
			end = middle - 1
		}
	}
	return at, nil
}

// read calls fn for each decision that is asked for, from r.next on to the
// record at head. It gives out what comes together while others read.
func (r *Reader) read(ctx context.Context, head uint64, fn func(e *Entry) error) error {
	if head < r.next || r.ended {
		return nil // a head of 0 is another one to Read
	}
	if err := r.take(ctx); err != nil {
		return err
	}
	held := true
	defer func() {
		if held {
			r.give()
		}
	}()
	records := 0
	for rec, err := range r.Source.Read(ctx, r.Board, r.next, head) {
		if err != nil {
			return err
		}
		r.next = rec.Seq + 1
		if err := r.pick(&rec, fn); err != nil || r.ended {
			return err
		}
		if records++; records%turnRecords != 0 && len(r.buf) < buffer {
			continue
		}
		r.give()
		held = false
		if err := r.fill(nil); err != nil {
			return err
		}
		if err := r.take(ctx); err != nil {
			return err
		}
		held = true
	}
	return nil
}

func (r *Reader) take(ctx context.Context) error {
	if r.Turns == nil {
		return ctx.Err()
	}
	return r.Turns.Take(ctx)
}

func (r *Reader) give() {
	if r.Turns != nil {
		r.Turns.Give()
	}
}

// pick calls fn for each decision of rec that is asked for.
func (r *Reader) pick(rec *eventlog.Record, fn func(e *Entry) error) error {
	void := rec.Void()
	if void && r.Outcome != Void {
		return nil
	}
	for i := range rec.Commit.Decisions {
		d := &rec.Commit.Decisions[i]
		if !void && r.beyond(d.Rev, d.At) {
			r.ended = true
			return nil
		}
		if !r.wants(d, void) || (position{rec.Seq, i}).before(r.skip) {
			if r.names != nil && !void {
				r.names.Take(d)
			}
			continue
		}
		r.entry = Entry{Decision: d, Log: rec, Index: i, Void: void}
		e := &r.entry
		if r.Asked && r.names != nil { // else the newest are only looked for
			e.Asked = r.names.Asked(d)
		}
		switch {
		case r.names == nil:
		case !r.worded():
			if !void {
				r.names.Take(d)
			}
		case void:
			e.Words = r.names.VoidWords(d)
		default:
			e.Words = r.names.Words(d)
		}
		r.count++
		if err := fn(e); err != nil {
			return err
		}
		if r.ended = r.once(); r.ended {
			return nil
		}
	}
	return nil
}

// wants says whether the decision is asked for. It must be shown each that
// takes effect.
func (r *Reader) wants(d *domain.Decision, void bool) bool {
	if r.trail != nil {
		concerns := false
		if void {
			concerns = r.trail.Asked(&d.Command)
		} else {
			concerns = r.trail.Touches(d)
		}
		if !concerns {
			return false
		}
	}
	return r.told(d, void) && (r.Kind == "" || r.ofKind(d, void, r.names))
}

// tell adds a decision to what is given out.
func (r *Reader) tell(e *Entry) (err error) {
	r.buf, err = r.format.entry(r.buf, e)
	return err
}

// fill adds a line and gives out what has come together, if that is much.
func (r *Reader) fill(line []byte) error {
	if r.buf = append(r.buf, line...); len(r.buf) < buffer {
		return nil
	}
	return r.flush()
}

func (r *Reader) flush() error {
	if err := r.Out(r.buf); err != nil {
		return err
	}
	if r.buf = r.buf[:0]; cap(r.buf) > 2*buffer {
		r.buf = nil // a line was very long
	}
	return nil
}
