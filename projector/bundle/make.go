package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/notary"
)

// Log is what a bundle is made of, an [eventlog.Log]; the methods are
// documented there.
type Log interface {
	eventlog.Source
	Epoch() string
	Shards() int
	Shard(board string) int
	ReadRaw(ctx context.Context, board string, from, to uint64) iter.Seq2[eventlog.Raw, error]
	OpenContent(ctx context.Context, object string, offset int64) (io.ReadCloser, error)
}

// Options of Make.
type Options struct {
	// Notary signs the head and the checkpoint. nil: there is neither, and no
	// proof of inclusion.
	Notary *notary.Notary
	// Shown is the board as it is shown to its readers, whose head is signed and
	// up to which the records go. nil: it is loaded from the log.
	Shown *domain.Still
	// Contents has the bytes of files in the stream, too.
	Contents bool
	// Sizes are those of checkpoints of the board's shard that somebody keeps: what
	// proves that they are of the same tree is in the stream, too. MaxSizes at most.
	Sizes []int64
	// Warn is told what could not be signed or found. nil: nobody is.
	Warn func(what string, err error)
}

// MaxSizes is how many Options.Sizes may be given.
const MaxSizes = 100

// ErrSizes: Options.Sizes cannot be proven; nothing was written.
var ErrSizes = errors.New("bundle: no proof for the size of a checkpoint")

// ErrNoBoard: the log has no record of the board.
var ErrNoBoard = errors.New("bundle: no such board")

// hashesAtOnce is for how many records hashes are gathered at a time.
const hashesAtOnce = 4096

// Make writes the stream of a board as it is at the call, whole or damaged: a
// board that cannot be folded has no head. It holds some eight bytes per record.
// Errors: ErrNoBoard, ErrSizes, eventlog.ErrRestoring, those of w and of the log.
func Make(ctx context.Context, w io.Writer, log Log, board string, opt Options) error {
	m := &maker{Options: opt, log: log, board: board}
	if m.Warn == nil {
		m.Warn = func(string, error) {}
	}
	head, err := m.load(ctx)
	if err != nil {
		return err
	}
	if err := m.reach(ctx, head); err != nil {
		return err
	}
	m.out = NewWriter(w, Header{Board: board, Epoch: log.Epoch(), Shard: log.Shard(board), Shards: log.Shards(), Generation: eventlog.Generation(head), At: time.Now()})
	if err := m.records(ctx, head); err != nil {
		return err
	}
	if err := m.proofs(ctx); err != nil {
		return err
	}
	for _, o := range m.objects {
		if err := m.content(ctx, o); err != nil {
			return err
		}
	}
	return m.out.End()
}

// maker is how far one bundle is made.
type maker struct {
	Options
	log     Log
	board   string
	out     *Writer
	head    []byte // signed; nil: none
	covered uint64 // records of the shard that the checkpoint is to cover
	leaves  []int64
	objects []Object
}

// load finds where the board is, and signs that.
func (m *maker) load(ctx context.Context) (head uint64, err error) {
	var b *domain.Board
	if m.Shown != nil {
		b = m.Shown.Board()
	} else {
		b, err = eventlog.LoadBoard(ctx, m.log, m.board)
	}
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case errors.Is(err, eventlog.ErrRestoring):
		return 0, err
	case err != nil:
		m.Warn("the board cannot be folded: it has no head", err)
		head, err = m.log.Head(ctx, m.board)
	default:
		head, _, _ = b.Head()
	}
	if err == nil && head == 0 {
		err = fmt.Errorf("%w: %s", ErrNoBoard, m.board)
	}
	if err != nil || b == nil || m.Notary == nil {
		return head, err
	}
	if m.head, err = m.Notary.Head(b); err != nil {
		m.Warn("the head is not signed", err)
	}
	return head, nil
}

// reach sees that there is a checkpoint of as many records as head and Sizes say.
func (m *maker) reach(ctx context.Context, head uint64) error {
	m.covered = eventlog.StreamSeq(head)
	if len(m.Sizes) == 0 {
		return nil
	}
	largest := slices.Max(m.Sizes)
	switch {
	case len(m.Sizes) > MaxSizes:
		return fmt.Errorf("%w: there are %d of them, at most %d", ErrSizes, len(m.Sizes), MaxSizes)
	case slices.Min(m.Sizes) < 1:
		return fmt.Errorf("%w: %d records", ErrSizes, slices.Min(m.Sizes))
	case m.Notary == nil:
		return fmt.Errorf("%w: nothing is signed here", ErrSizes)
	}
	m.covered = max(m.covered, uint64(largest))
	c, err := m.checkpoint(ctx)
	if err == nil && c.Size < largest {
		err = fmt.Errorf("%w: a checkpoint of %d records, the shard has %d", ErrSizes, largest, c.Size)
	}
	return err
}

func (m *maker) records(ctx context.Context, head uint64) error {
	var named map[string]bool
	for raw, err := range m.log.ReadRaw(ctx, m.board, 1, head) {
		if err != nil {
			return err
		}
		r := &Record{Seq: raw.Seq, Time: raw.Time, Hash: raw.MsgID, Data: raw.Data}
		if r.Prev, err = strconv.ParseUint(raw.Expected, 10, 64); err != nil {
			r.Prev = raw.Seq // which nothing follows: it is found to be out of order
		}
		if err := m.out.Record(r); err != nil {
			return err
		}
		m.leaves = append(m.leaves, int64(raw.Seq)-1)
		if !m.Contents || !bytes.Contains(raw.Data, []byte(`"object"`)) {
			continue
		}
		for _, o := range r.Objects() {
			if named == nil {
				named = map[string]bool{}
			}
			if !named[o.Name] {
				named[o.Name] = true
				m.objects = append(m.objects, o)
			}
		}
	}
	return nil
}

// proofs writes the head, the checkpoint, and what proves the records to be in
// its tree.
func (m *maker) proofs(ctx context.Context) error {
	if m.head != nil {
		if err := m.out.Head(m.head); err != nil {
			return err
		}
	}
	if m.Notary == nil {
		return nil
	}
	c, err := m.checkpoint(ctx)
	if err != nil {
		m.Warn("there is no checkpoint", err)
		return ctx.Err()
	}
	if err := m.out.Checkpoint(c.Note); err != nil {
		return err
	}
	covered, _ := slices.BinarySearch(m.leaves, c.Size)
	for part := range slices.Chunk(m.leaves[:covered], hashesAtOnce) {
		hashes, err := m.Notary.Hashes(ctx, &c.Checkpoint, part)
		if err != nil {
			m.Warn("there is no proof of inclusion", err)
			return ctx.Err()
		}
		if err := m.out.Hashes(hashes); err != nil {
			return err
		}
	}
	for _, size := range m.Sizes {
		hashes, err := m.Notary.Consistency(ctx, &c.Checkpoint, size)
		if err != nil {
			m.Warn("there is no proof for a checkpoint that is kept", err)
			return ctx.Err()
		}
		if err := m.out.Hashes(hashes); err != nil {
			return err
		}
	}
	return nil
}

// checkpoint gives one that covers what is to be covered, or, without a key to
// sign one, the newest.
func (m *maker) checkpoint(ctx context.Context) (notary.Signed, error) {
	c, err := m.Notary.Covering(ctx, m.board, m.covered)
	if errors.Is(err, notary.ErrNoKey) {
		c, err = m.Notary.Latest(ctx, m.log.Shard(m.board))
	}
	return c, err
}

func (m *maker) content(ctx context.Context, o Object) error {
	if !strings.HasPrefix(o.Name, m.board+".") { // a restored log may name what is another board's
		return m.out.Missing(o.Name, o.SHA256, o.Size)
	}
	r, err := m.log.OpenContent(ctx, o.Name, 0)
	switch {
	case errors.Is(err, eventlog.ErrNotFound):
		m.Warn("a file's content is missing", err)
		return m.out.Missing(o.Name, o.SHA256, o.Size)
	case err != nil:
		return err
	}
	defer r.Close()
	return m.out.Content(o.Name, o.SHA256, o.Size, io.LimitReader(r, o.Size))
}
