// Package restore puts a board back that left another log as a bundle: with the
// same ids, revs, hashes and verdicts, verified before anything is stored.
package restore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/bundle"
	"github.com/snapback-io/snapback/projector/past"
	"github.com/snapback-io/snapback/projector/verify"
)

// Target is the log that a board is restored into, an [eventlog.Log]; the
// methods are documented there.
type Target interface {
	past.Keeper
	MaxRecord() int
	Restore(ctx context.Context, board string, records iter.Seq2[eventlog.Restored, error]) (eventlog.Restoring, error)
	PutContent(ctx context.Context, object string, r io.Reader, limit int64) (size int64, sha256 string, err error)
	ContentAt(ctx context.Context, object string) (size int64, sha256 string, err error)
	PutSnapshot(ctx context.Context, board string, s eventlog.Snapshot) error
	PutListing(ctx context.Context, entry eventlog.Listing) error
}

// Opener opens the same stream once more, from its beginning.
type Opener func() (*bundle.Reader, io.Closer, error)

// Restored says what was restored of a board.
type Restored struct {
	Board    string      `json:"board"`
	Records  uint64      `json:"records"` // of the bundle
	Stored   uint64      `json:"stored"`  // of these, now; the others were there
	Contents int         `json:"contents"`
	Rev      uint64      `json:"rev"`   // of the bundle
	State    domain.Hash `json:"state"` // of the board at that rev
	// Missing is how many contents that its events name neither the bundle nor the log has.
	Missing int `json:"missing,omitempty"`
}

// ErrBundle: what is in a bundle does not belong there; nothing was stored.
var ErrBundle = errors.New("restore: not a bundle to restore from")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBundle, fmt.Sprintf(format, args...))
}

// maxNamed is how many findings are named.
const maxNamed = 10

// Refused: a bundle is not what it should be, and nothing of it was stored.
type Refused struct {
	Board    string
	Count    uint64           // of all findings
	Findings []verify.Finding // the first of them
}

func (r *Refused) Error() string {
	return fmt.Sprintf("restore: board %s is refused, nothing is stored: %d findings, the first: %s", r.Board, r.Count, r.Findings[0].Words)
}

// Board verifies a stream to its end, and only then stores its contents and
// records. keys are those that may have signed it; none: that is not looked at.
// A restore that broke off is continued by the same call.
//
// Errors: *Refused, ErrBundle, bundle.ErrForm, bundle.ErrCutOff, eventlog.ErrExists, those of the log.
func Board(ctx context.Context, log Target, open Opener, keys []note.Verifier) (done Restored, err error) {
	s := &restorer{log: log, open: open, keys: keys, objects: map[string]bundle.Object{}, have: map[string]bool{}}
	if err := s.verify(ctx); err != nil {
		return s.done, err
	}
	if err := s.contents(ctx); err != nil {
		return s.done, err
	}
	if err := s.missing(ctx); err != nil {
		return s.done, err
	}
	stored, err := log.Restore(ctx, s.done.Board, s.records)
	s.done.Stored = stored.Stored
	if err != nil {
		return s.done, err
	}
	return s.done, s.follow(ctx)
}

// restorer is how far one restore is.
type restorer struct {
	log     Target
	open    Opener
	keys    []note.Verifier
	objects map[string]bundle.Object // that the events name
	have    map[string]bool          // of these, those that the stream has
	done    Restored

	piece  string // object whose pieces are being looked at
	sum    hash.Hash
	length int64
}

// verify reads all of the stream, contents included.
func (s *restorer) verify(ctx context.Context) error {
	r, closer, err := s.open()
	if err != nil {
		return err
	}
	defer closer.Close()
	refused := &Refused{Board: r.Header().Board}
	cfg := verify.Config{Keys: s.keys, Report: func(f verify.Finding) {
		if refused.Count++; len(refused.Findings) < maxNamed {
			refused.Findings = append(refused.Findings, f)
		}
	}}
	s.done.Board = r.Header().Board
	sum, err := verify.Stream(r, cfg, verify.StreamOptions{Each: func(i bundle.Item) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch {
		case i.Record != nil:
			return s.look(i.Record)
		case i.Content != nil:
			return s.weigh(i.Content)
		}
		return nil
	}})
	switch {
	case err != nil:
		return err
	case refused.Count > 0:
		return refused
	case sum.Records == 0:
		return wrong("board %s has no records", s.done.Board)
	}
	s.done.Records, s.done.Rev, s.done.State = sum.Records, sum.Rev, sum.State
	if err := s.weighed(); err != nil {
		return err
	}
	return nil
}

// look takes the objects of a record down that are the board's.
func (s *restorer) look(r *bundle.Record) error {
	if len(r.Data) > s.log.MaxRecord() {
		return wrong("board %s, record %d: %d bytes, the log takes %d", s.done.Board, r.Seq, len(r.Data), s.log.MaxRecord())
	}
	for _, o := range r.Objects() {
		if strings.HasPrefix(o.Name, s.done.Board+".") { // else its bytes are not the board's to store
			s.objects[o.Name] = o
		}
	}
	return nil
}

// weigh sees that a piece of content belongs to an object that an event names.
func (s *restorer) weigh(c *bundle.Content) error {
	if c.Missing {
		return nil
	}
	o, named := s.objects[c.Object]
	if !named || c.SHA256 != o.SHA256 || c.Size != o.Size {
		return wrong("board %s: no event names content %s of %d bytes with SHA-256 %s", s.done.Board, c.Object, c.Size, c.SHA256)
	}
	if s.piece != c.Object {
		if err := s.weighed(); err != nil {
			return err
		}
		if s.have[c.Object] {
			return wrong("board %s: content %s comes twice", s.done.Board, c.Object)
		}
		s.piece, s.sum, s.length, s.have[c.Object] = c.Object, sha256.New(), 0, true
	}
	if c.Offset != s.length {
		return wrong("board %s: content %s: a piece for %d after %d bytes", s.done.Board, c.Object, c.Offset, s.length)
	}
	s.sum.Write(c.Data)
	s.length += int64(len(c.Data))
	return nil
}

// weighed sees that the object whose pieces have come is whole.
func (s *restorer) weighed() error {
	if s.piece == "" {
		return nil
	}
	o := s.objects[s.piece]
	if sum := hex.EncodeToString(s.sum.Sum(nil)); s.length != o.Size || sum != o.SHA256 {
		return wrong("board %s: content %s has %d bytes with SHA-256 %s, its event names %d with %s", s.done.Board, o.Name, s.length, sum, o.Size, o.SHA256)
	}
	s.piece = ""
	return nil
}

// contents stores the objects that the log does not have.
func (s *restorer) contents(ctx context.Context) error {
	if len(s.have) == 0 {
		return nil
	}
	r, closer, err := s.open()
	if err != nil {
		return err
	}
	defer closer.Close()
	for {
		item, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case item.Content == nil || item.Content.Missing || item.Content.Offset > 0:
			continue
		}
		if err := s.content(ctx, r, item.Content); err != nil {
			return err
		}
	}
}

// content stores the object whose first piece was read.
func (s *restorer) content(ctx context.Context, r *bundle.Reader, first *bundle.Content) error {
	size, sum, err := s.log.ContentAt(ctx, first.Object)
	switch {
	case err == nil && size == first.Size && sum == first.SHA256:
		return nil
	case err == nil:
		return fmt.Errorf("restore: board %s: the log has another content %s", s.done.Board, first.Object)
	case !errors.Is(err, eventlog.ErrNotFound):
		return err
	}
	size, sum, err = s.log.PutContent(ctx, first.Object, &pieces{r: r, left: first.Data, rest: first.Size - int64(len(first.Data))}, first.Size)
	if err == nil && (size != first.Size || sum != first.SHA256) {
		err = fmt.Errorf("restore: board %s: content %s is another one when it is read again", s.done.Board, first.Object)
	}
	if err == nil {
		s.done.Contents++
	}
	return err
}

// missing counts the contents that the log does not have.
func (s *restorer) missing(ctx context.Context) error {
	for name := range s.objects {
		if s.have[name] {
			continue
		}
		_, _, err := s.log.ContentAt(ctx, name)
		switch {
		case errors.Is(err, eventlog.ErrNotFound):
			s.done.Missing++
		case err != nil:
			return err
		}
	}
	return nil
}

// pieces reads one object's bytes out of a stream.
type pieces struct {
	r    *bundle.Reader
	left []byte
	rest int64 // bytes of the pieces to come
}

func (p *pieces) Read(b []byte) (int, error) {
	for len(p.left) == 0 {
		if p.rest == 0 {
			return 0, io.EOF
		}
		item, err := p.r.Next()
		if err != nil || item.Content == nil {
			return 0, errors.Join(io.ErrUnexpectedEOF, err)
		}
		p.left = item.Content.Data
		p.rest -= int64(len(p.left))
	}
	n := copy(b, p.left)
	p.left = p.left[n:]
	return n, nil
}

// records gives the records to be stored.
func (s *restorer) records(yield func(eventlog.Restored, error) bool) {
	r, closer, err := s.open()
	if err != nil {
		yield(eventlog.Restored{}, err)
		return
	}
	defer closer.Close()
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil && item.Record == nil {
			continue
		}
		var rec eventlog.Restored
		if err == nil {
			rec = eventlog.Restored{Time: item.Record.Time, Data: item.Record.Data}
			rec.Hash, err = item.Record.HashOf()
		}
		if !yield(rec, err) || err != nil {
			return
		}
	}
}

// follow makes what is made from the log: snapshots, also of the past, and the
// listing.
func (s *restorer) follow(ctx context.Context) error {
	b, err := eventlog.LoadBoard(ctx, s.log, s.done.Board)
	if err != nil {
		return err
	}
	if b.Rev() == s.done.Rev && b.StateHash() != s.done.State {
		return fmt.Errorf("restore: board %s is restored, but is another one: state hash %s, not %s", s.done.Board, b.StateHash(), s.done.State)
	}
	return past.Derive(ctx, s.log, b)
}
