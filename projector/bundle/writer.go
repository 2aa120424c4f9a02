package bundle

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	writeBuffer  = 64 << 10
	hashesALine  = 1000    // hashes in a line
	contentPiece = 1 << 20 // bytes of an object in a line
)

// Writer writes one board's stream. Its first error stays. Not safe for
// concurrent use.
type Writer struct {
	out     *bufio.Writer
	buf     []byte // the line being made
	records int
	err     error
}

// NewWriter begins a stream with its header.
func NewWriter(w io.Writer, h Header) *Writer {
	out := &Writer{out: bufio.NewWriterSize(w, writeBuffer)}
	at := h.At.UTC()
	out.line(struct {
		Type   string    `json:"type"`
		V      int       `json:"v"`
		Board  string    `json:"board"`
		Epoch  string    `json:"epoch"`
		Shard  int       `json:"shard"`
		Shards int       `json:"shards"`
		Gen    int       `json:"generation,omitzero"`
		At     time.Time `json:"at"`
	}{typeBundle, Version, h.Board, h.Epoch, h.Shard, h.Shards, h.Generation, at})
	return out
}

// Item writes a line behind the header.
func (w *Writer) Item(i Item) error {
	switch {
	case i.Record != nil:
		return w.Record(i.Record)
	case i.Head != nil:
		return w.Head(i.Head)
	case i.Checkpoint != nil:
		return w.Checkpoint(i.Checkpoint)
	case i.Hashes != nil:
		return w.Hashes(i.Hashes)
	case i.Content != nil:
		return w.content(i.Content)
	}
	return nil
}

// Record writes the next record of the board. It does not keep r.
func (w *Writer) Record(r *Record) error {
	w.records++
	b := append(w.buf[:0], `{"type":"record","seq":`...)
	b = strconv.AppendUint(b, r.Seq, 10)
	b = append(b, `,"prev":`...)
	b = strconv.AppendUint(b, r.Prev, 10)
	b = append(b, `,"time":"`...)
	b = r.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","hash":`...)
	hash, err := json.Marshal(r.Hash)
	if err != nil {
		return w.fail(err)
	}
	b = append(b, hash...)
	if isLine(r.Data) {
		b = append(b, `,"commit":`...)
		b = append(b, r.Data...)
	} else {
		b = append(b, `,"bytes":"`...)
		b = base64.StdEncoding.AppendEncode(b, r.Data)
		b = append(b, '"')
	}
	w.buf = append(b, "}\n"...)
	return w.flushLine()
}

// isLine says whether data is one JSON object that a line can hold as it is.
func isLine(data []byte) bool {
	n := len(data)
	return n > 1 && data[0] == '{' && data[n-1] == '}' && bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(data, '\r') < 0 &&
		utf8.Valid(data) && json.Valid(data)
}

// Head writes the signed head of the board.
func (w *Writer) Head(note []byte) error { return w.note(typeHead, note) }

// Checkpoint writes the signed checkpoint that covers the records.
func (w *Writer) Checkpoint(note []byte) error { return w.note(typeCheckpoint, note) }

func (w *Writer) note(kind string, note []byte) error {
	return w.line(struct {
		Type string `json:"type"`
		Note string `json:"note"`
	}{kind, string(note)})
}

// Hashes writes hashes of the shard's tree by their stored hash index, in as
// many lines as it takes.
func (w *Writer) Hashes(of map[int64]tlog.Hash) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(of)), hashesALine) {
		b := append(w.buf[:0], `{"type":"hashes","of":{`...)
		for i, index := range part {
			if i > 0 {
				b = append(b, ',')
			}
			h := of[index]
			b = append(b, '"')
			b = strconv.AppendInt(b, index, 10)
			b = append(b, `":"`...)
			b = base64.StdEncoding.AppendEncode(b, h[:])
			b = append(b, '"')
		}
		w.buf = append(b, "}}\n"...)
		if err := w.flushLine(); err != nil {
			return err
		}
	}
	return w.err
}

// Content writes the bytes of an object that an event names, to the end of r.
// What r has is not looked at: whoever reads it compares it with the event.
func (w *Writer) Content(object, sha256 string, size int64, r io.Reader) error {
	piece := Content{Object: object, SHA256: sha256, Size: size}
	buf := make([]byte, min(size+1, contentPiece))
	for {
		n, err := io.ReadFull(r, buf)
		if n > 0 || piece.Offset == 0 && errors.Is(err, io.EOF) {
			piece.Data = buf[:n]
			if err := w.content(&piece); err != nil {
				return err
			}
			piece.Offset += int64(n)
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return w.fail(fmt.Errorf("content %s: %w", object, err))
		}
	}
}

// Missing writes that the log does not have an object that an event names.
func (w *Writer) Missing(object, sha256 string, size int64) error {
	return w.content(&Content{Object: object, SHA256: sha256, Size: size, Missing: true})
}

func (w *Writer) content(c *Content) error {
	return w.line(struct {
		Type    string `json:"type"`
		Object  string `json:"object"`
		SHA256  string `json:"sha256"`
		Size    int64  `json:"size"`
		Offset  int64  `json:"offset"`
		Bytes   []byte `json:"bytes"`
		Missing bool   `json:"missing,omitzero"`
	}{typeContent, c.Object, c.SHA256, c.Size, c.Offset, c.Data, c.Missing})
}

// Flush sends what has come together.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.err
}

// End writes the last line and sends everything.
func (w *Writer) End() error {
	if err := w.line(struct {
		Type    string `json:"type"`
		Records int    `json:"records"`
	}{typeEnd, w.records}); err != nil {
		return err
	}
	return w.Flush()
}

func (w *Writer) line(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return w.fail(err)
	}
	w.buf = append(append(w.buf[:0], data...), '\n')
	return w.flushLine()
}

func (w *Writer) flushLine() error {
	if w.err != nil {
		return w.err
	}
	if len(w.buf) > MaxLine {
		return w.fail(fmt.Errorf("a line of %d bytes, a bundle takes %d", len(w.buf), MaxLine))
	}
	_, err := w.out.Write(w.buf)
	return w.fail(err)
}

func (w *Writer) fail(err error) error {
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("bundle: %w", err)
	}
	return w.err
}
