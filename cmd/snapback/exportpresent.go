package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/snapback-io/snapback/cmd/snapback/trello"
	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// presentFormats are those of a board as it is now, without its history.
var presentFormats = []string{"trello", "csv", "json"}

// present is a board as it is now.
type present struct {
	Board    string            `json:"board"`
	Epoch    string            `json:"epoch"`
	Rev      uint64            `json:"rev"`
	Raw      []json.RawMessage `json:"entities"` // as GET /v1/boards/{board} has them, in its order
	entities []*domain.Entity
}

// exportPresent writes the board as it is now, asked of the server or read from
// the log that the flags name, in a format of presentFormats to file ("" or -:
// standard output).
func exportPresent(ctx context.Context, s streams, r *remote, d *direct, board, format, file string) error {
	var p *present
	var err error
	if d.asked() {
		p, err = presentOf(ctx, d, board, s)
	} else {
		p, err = askPresent(ctx, r, board)
	}
	if err != nil {
		return err
	}
	toFile := file != "" && file != "-"
	out, report := s.Out, s.Err
	if toFile {
		report = s.Out
	}
	write := func(w io.Writer) error {
		switch format {
		case "csv":
			return writeCSV(w, p.entities)
		case "json":
			return p.writeJSON(w)
		}
		written, err := trello.Write(w, trello.Source{Board: p.Board, Entities: p.entities, Link: func(f *domain.Entity) string {
			return strings.TrimSuffix(r.Server, "/") + "/v1/boards/" + url.PathEscape(p.Board) + "/files/" + url.PathEscape(f.ID) + "/content"
		}})
		if err == nil {
			written.Print(report)
		}
		return err
	}
	if !toFile {
		return write(out)
	}
	if err := writeFile(file, write); err != nil {
		return fmt.Errorf("-o %s: %w", file, err)
	}
	_, err = fmt.Fprintf(report, "Board %s at rev %d is in %s\n", p.Board, p.Rev, file)
	return err
}

// writeFile makes the file whole or not at all.
func writeFile(file string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fileFault(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<16)
	if err := write(out); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fileFault(err)
	}
	if err := f.Chmod(0o644); err != nil {
		return fileFault(err)
	}
	if err := f.Close(); err != nil {
		return fileFault(err)
	}
	return fileFault(os.Rename(f.Name(), file))
}

// askPresent asks the server.
func askPresent(ctx context.Context, r *remote, board string) (*present, error) {
	p := new(present)
	if err := r.getJSON(ctx, p, nil, "boards", board); err != nil {
		return nil, err
	}
	for _, raw := range p.Raw {
		e := new(domain.Entity)
		if err := e.UnmarshalJSON(raw); err != nil {
			return nil, err
		}
		p.entities = append(p.entities, e)
	}
	return p, nil
}

// presentOf folds the board from the log.
func presentOf(ctx context.Context, d *direct, board string, s streams) (*present, error) {
	if !domain.ValidID(board) {
		return nil, usageError{fmt.Errorf("%s: it is no board's id", board)}
	}
	log, end, err := d.open(ctx, s)
	if err != nil {
		return nil, err
	}
	defer end()
	b, err := eventlog.LoadBoard(ctx, log, board)
	if err != nil {
		return nil, err
	}
	if !b.Exists() {
		return nil, fmt.Errorf("there is no board %s", board)
	}
	p := &present{Board: board, Epoch: log.Epoch(), Rev: b.Rev()}
	for e := range b.All() {
		raw, err := e.JSONFor(false)
		if err != nil {
			return nil, err
		}
		p.Raw, p.entities = append(p.Raw, raw), append(p.entities, e)
	}
	return p, nil
}

// writeJSON writes what GET /v1/boards/{board} answers, an entity on each line.
func (p *present) writeJSON(w io.Writer) error {
	head, err := json.Marshal(present{Board: p.Board, Epoch: p.Epoch, Rev: p.Rev, Raw: []json.RawMessage{}})
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	_, _ = out.Write(head[:len(head)-len("]}")])
	for i, raw := range p.Raw {
		if i > 0 {
			_ = out.WriteByte(',')
		}
		_ = out.WriteByte('\n')
		_, _ = out.Write(raw)
	}
	_, _ = out.WriteString("\n]}\n")
	return out.Flush()
}
