package bundle

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/snapback-io/snapback/domain"
)

const readBuffer = 64 << 10

// Reader reads one board's stream. It takes lines only as a Writer writes them,
// in their order, so that nobody can read something else in them: no name twice
// or in other letters, nothing unknown, no second head. An error says in which
// line, and stays. Not safe for concurrent use.
type Reader struct {
	in      *bufio.Reader
	long    []byte  // a line that is longer than in's buffer
	text    []byte  // the line read last; good until the next is read
	form    *Writer // writes each line again
	rank    int     // of the line read last
	number  int     // of the line read last, from 1
	header  Header
	records int
	ended   bool
	err     error
}

// NewReader reads the header.
func NewReader(r io.Reader) (*Reader, error) {
	in := &Reader{in: bufio.NewReaderSize(r, readBuffer)}
	l, err := in.decode()
	switch {
	case err != nil:
	case l.Type != typeBundle:
		err = in.fault("a bundle begins with a line of type %q, not %q", typeBundle, l.Type)
	case l.V != Version:
		err = in.fault("v is %d, this code reads %d", l.V, Version)
	case !domain.ValidID(l.Board) || l.Epoch == "" || l.Shard < 0 || l.Shards <= l.Shard || l.Gen < 0 || l.At == nil:
		err = in.fault("board, epoch, shard, shards and at are not all there")
	default:
		in.header = Header{Board: l.Board, Epoch: l.Epoch, Shard: l.Shard, Shards: l.Shards, Generation: l.Gen, At: *l.At}
		in.form = NewWriter(io.Discard, in.header)
		err = in.asWritten()
	}
	if err != nil {
		return nil, err
	}
	return in, nil
}

// Header is the first line.
func (r *Reader) Header() Header { return r.header }

// Records is how many records have been read.
func (r *Reader) Records() int { return r.records }

// Next reads the next line. io.EOF: the stream has ended, and is whole. Errors:
// ErrCutOff, ErrForm, those of what is read from.
func (r *Reader) Next() (i Item, err error) {
	if r.err == nil {
		i, r.err = r.next()
	}
	return i, r.err
}

// ranks are the types of lines behind the header in the order in which they
// come; of those that come once there is no second.
var (
	ranks = map[string]int{typeRecord: 1, typeHead: 2, typeCheckpoint: 3, typeHashes: 4, typeContent: 5, typeEnd: 6}
	once  = map[string]bool{typeHead: true, typeCheckpoint: true}
)

// asWritten sees that the line is what a Writer makes of what was read of it,
// which form has just written.
func (r *Reader) asWritten() error {
	if line, whole := bytes.CutSuffix(r.form.buf, []byte("\n")); !whole || r.form.err != nil || !bytes.Equal(line, r.text) {
		return r.fault("it is written in another way than a bundle's")
	}
	return nil
}

func (r *Reader) next() (i Item, err error) {
	l, err := r.decode()
	if err != nil {
		return i, err
	}
	rank := ranks[l.Type]
	switch {
	case rank == 0:
		return i, r.fault("type %q", l.Type)
	case rank < r.rank || rank == r.rank && once[l.Type]:
		return i, r.fault("a line of type %q stands in the wrong place", l.Type)
	}
	r.rank = rank
	switch l.Type {
	case typeRecord:
		r.records++
		i.Record = &Record{Seq: l.Seq, Prev: l.Prev, Time: l.Time, Hash: l.Hash, Data: l.Commit}
		if l.Commit == nil {
			i.Record.Data = l.Bytes
		}
		if l.Seq == 0 || l.Time.IsZero() || l.Commit == nil && l.Bytes == nil {
			return Item{}, r.fault("seq, time and commit or bytes are not all there")
		}
	case typeHead, typeCheckpoint:
		if l.Note == "" {
			return i, r.fault("note is missing")
		}
		if i.Head = []byte(l.Note); l.Type == typeCheckpoint {
			i.Head, i.Checkpoint = nil, i.Head
		}
	case typeHashes:
		if i.Hashes = l.Of; l.Of == nil {
			return i, r.fault("of is missing")
		}
	case typeContent:
		i.Content = &Content{Object: l.Object, SHA256: l.SHA256, Size: l.Size, Offset: l.Offset, Data: l.Bytes, Missing: l.Missing}
		if l.Object == "" || l.Size < 0 || l.Offset < 0 || l.Offset+int64(len(l.Bytes)) > l.Size {
			return Item{}, r.fault("object, size, offset and bytes do not fit")
		}
	case typeEnd:
		if l.Records == nil || *l.Records != r.records {
			return i, r.fault("the end of a bundle of another number of records than the %d before it", r.records)
		}
		if _ = r.form.End(); r.asWritten() != nil {
			return i, r.asWritten()
		}
		_, err := r.in.ReadByte()
		if err == nil {
			err = r.fault("more follows")
		}
		return i, err
	}
	_ = r.form.Item(i)
	if err := r.asWritten(); err != nil {
		return Item{}, err
	}
	return i, nil
}

// decode reads a line.
func (r *Reader) decode() (l line, err error) {
	text, err := r.read()
	if err != nil {
		return l, err
	}
	r.text = text
	if err := json.Unmarshal(text, &l); err != nil {
		return l, r.fault("%v", err)
	}
	return l, nil
}

// read gives the next line; it is good until the next call.
func (r *Reader) read() (text []byte, err error) {
	r.number++
	r.long = r.long[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		if err == nil && len(r.long) == 0 {
			return bytes.TrimSuffix(part, []byte("\n")), nil
		}
		r.long = append(r.long, part...)
		switch {
		case err == nil:
			return bytes.TrimSuffix(r.long, []byte("\n")), nil
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("bundle: %w in line %d, after %d records", ErrCutOff, r.number, r.records)
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("bundle: %w in line %d, after %d records: %w", ErrCutOff, r.number, r.records, err)
		case len(r.long) > MaxLine:
			return nil, r.fault("longer than %d bytes", MaxLine)
		}
	}
}

func (r *Reader) fault(format string, args ...any) error {
	return fmt.Errorf("bundle: line %d, after %d records: %w: %s", r.number, r.records, ErrForm, fmt.Sprintf(format, args...))
}
