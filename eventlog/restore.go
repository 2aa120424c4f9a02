package eventlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// Headers of a restored record, beside those of any.
const (
	// headerStoredAt is when it was first stored, RFC 3339 with nanoseconds.
	headerStoredAt = "Snapback-Stored-At"
	// headerMore stands on all but the last record of a restore.
	headerMore = "Snapback-Restoring"
)

// ErrExists: the board is there, with other records than those to be restored.
var ErrExists = errors.New("eventlog: the board is there with another history")

// storedAhead is how far ahead of this process's clock a record may have been
// stored: clocks differ. With more a clock is wrong, this one or that one, and
// what is decided on the board from now on would have times yet to come.
const storedAhead = time.Minute

// Restored is a record that another log stored.
type Restored struct {
	Time time.Time // when that was
	Hash domain.Hash
	Data []byte
}

// Restoring says what has become of the records of a board.
type Restoring struct {
	There  uint64 // that the log had already
	Stored uint64 // by this call
	Head   uint64 // sequence of the board's last record
}

// Restore stores the records of a board, all of them from its first on, with
// their bytes, hashes and times. It stores nothing that is there already, so
// that a restore which broke off is continued by the same call. Until the last
// one is stored nobody can load the board. The caller has verified them.
//
// Errors: ErrExists if the board has other records, what records gives, those
// of Append but for ErrConflict. It ends with ctx; what is stored stays.
func (l *Log) Restore(ctx context.Context, board string, records iter.Seq2[Restored, error]) (done Restoring, err error) {
	head, err := l.Head(ctx, board)
	if err != nil {
		return done, err
	}
	r := &restore{log: l, board: board, unfinished: head > 0}
	r.there, r.stop = func() (rec Record, err error, ok bool) { return }, func() {}
	if head > 0 {
		r.there, r.stop = iter.Pull2(l.Read(ctx, board, 1, head))
	}
	defer r.stop()
	var held *Restored
	for next, err := range records {
		if err == nil && held != nil {
			err = r.take(ctx, held, true)
		}
		if err != nil {
			return r.done, err
		}
		held = &next
	}
	if held != nil {
		if err := r.take(ctx, held, false); err != nil {
			return r.done, err
		}
	}
	if err := r.rest(); err != nil {
		return r.done, err
	}
	if r.done.Stored > 0 {
		err = l.Announce(board, Announcement{Head: r.done.Head})
	}
	return r.done, err
}

// restore is how far one is.
type restore struct {
	log   *Log
	board string
	there func() (Record, error, bool) // the records that the log has
	stop  func()
	last  Record // of those, the last that was compared
	done  Restoring

	unfinished bool // some of those are still to be compared
}

// take compares a record with the one that is there, or stores it.
func (r *restore) take(ctx context.Context, rec *Restored, more bool) error {
	if ahead := time.Until(rec.Time); ahead > storedAhead {
		return fmt.Errorf("eventlog: record %d of board %s was stored at %s, which is yet to come by this machine's clock", r.done.There+r.done.Stored+1, r.board, rec.Time.Format(time.RFC3339))
	}
	if r.unfinished {
		there, err, ok := r.there()
		switch {
		case err != nil:
			return err
		case ok && (there.Hash != rec.Hash || !there.Time.Equal(rec.Time)):
			return fmt.Errorf("%w: record %d of board %s", ErrExists, r.done.There+1, r.board)
		case ok:
			r.last = there
			r.done.There++
			r.done.Head = there.Seq
			return nil
		}
		r.unfinished = false
	}
	return r.store(ctx, rec, more)
}

// rest looks at what the board has beyond the records that were given.
func (r *restore) rest() error {
	for r.unfinished {
		there, err, ok := r.there()
		if err != nil {
			return err
		}
		if r.unfinished = ok; ok {
			r.last, r.done.Head = there, there.Seq
		}
	}
	if r.done.Stored == 0 && r.last.More {
		return fmt.Errorf("%w: the restore of more records of board %s was begun, and is to be finished", ErrExists, r.board)
	}
	return nil
}

// store appends a record until it is stored.
func (r *restore) store(ctx context.Context, rec *Restored, more bool) error {
	at, last := r.log.homeAt(r.board, r.done.Head), StreamSeq(r.done.Head)
	msg := record(at, rec.Data, rec.Hash, last)
	msg.Header[headerStoredAt] = []string{rec.Time.UTC().Format(time.RFC3339Nano)}
	if more {
		msg.Header[headerMore] = []string{"1"}
	}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		seq, err := r.log.append(ctx, msg, last)
		seq = position(at.gen, seq)
		if errors.Is(err, ErrConflict) || errors.Is(err, ErrUnknown) && ctx.Err() == nil {
			seq, err = r.resolve(ctx, rec, err)
		}
		switch {
		case err == nil && seq > 0:
			r.done.Stored++
			r.done.Head = seq
			return nil
		case err != nil:
			return fmt.Errorf("eventlog: restore of board %s: %w", r.board, err)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// resolve finds out what became of an append without an answer, or that met
// another sequence than it expected: 0 without an error is that nothing is
// stored yet.
func (r *restore) resolve(ctx context.Context, rec *Restored, why error) (seq uint64, err error) {
	for next, err := range r.log.Read(ctx, r.board, r.done.Head+1, 0) {
		switch {
		case err != nil:
			return 0, err
		case next.Hash == rec.Hash:
			return next.Seq, nil
		}
		return 0, fmt.Errorf("%w: somebody else has stored record %d", ErrExists, next.Seq)
	}
	if errors.Is(why, ErrConflict) {
		return 0, why
	}
	return 0, nil
}

// ContentAt gives size and SHA-256 of an object. ErrNotFound if there is none.
func (l *Log) ContentAt(ctx context.Context, object string) (size int64, sha256 string, err error) {
	o, err := l.contents().info(ctx, object)
	if err != nil {
		return 0, "", fmt.Errorf("eventlog: content %s: %w", object, err)
	}
	sha256, err = o.sha256Hex()
	return int64(o.Size), sha256, err
}
