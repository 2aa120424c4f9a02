package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
)

// exportBundle writes a directory with the bundles of one board or of all, by
// the server or from the log that the flags name.
func exportBundle(ctx context.Context, s streams, r *remote, d *direct, board string, contents bool, dir string, checkpoints []string) error {
	kept, err := keptSizes(checkpoints)
	if err != nil {
		return err
	}
	var from bundles = served{r}
	if d.asked() {
		log, end, err := openBundles(ctx, d, s, true)
		if err != nil {
			return err
		}
		defer end()
		from = log
	}
	boards := []string{board}
	if board == "" {
		if boards, err = from.boards(ctx); err != nil {
			return err
		}
	}
	out, err := bundle.CreateDir(dir, time.Now())
	if err != nil {
		return usageError{fmt.Errorf("-o %s: %w", dir, fileFault(err))}
	}
	defer out.Close()
	e := &exporter{streams: s, from: from, out: out, contents: contents, kept: kept, started: time.Now()}
	for _, id := range boards {
		if err := e.board(ctx, id, board == ""); err != nil {
			return fmt.Errorf("board %s: %w; %s is no bundle", id, err, dir)
		}
	}
	if err := e.key(ctx); err != nil {
		return err
	}
	if err := out.Finish(); err != nil {
		return err
	}
	return e.report(dir)
}

// exporter is how far an export is.
type exporter struct {
	streams
	from     bundles
	out      *bundle.DirWriter
	contents bool
	kept     []*keptSize
	started  time.Time
	records  int
	passed   []string // boards that may be seen, but not taken away
}

// board stores one board's stream; one of many that is refused is passed over.
func (e *exporter) board(ctx context.Context, id string, many bool) error {
	r, closer, err := e.open(ctx, id)
	var refused *refusal
	if many && errors.As(err, &refused) {
		e.passed = append(e.passed, id)
		fmt.Fprintf(e.Err, "board %s is left out: %s\n", id, refused.reason)
		return nil
	}
	if err != nil {
		return err
	}
	defer closer.Close()
	b, err := e.out.Board(r)
	if err != nil {
		return err
	}
	e.records += b.Records
	fmt.Fprintf(e.Err, "board %s: %s, %s packed\n", id, several(b.Records, "record"), several(int(b.Size), "byte"))
	return nil
}

// keptSize is a checkpoint for which there is to be a proof.
type keptSize struct {
	proof.Checkpoint
	file   string
	proven bool // of some board
}

// keptSizes reads the checkpoints; who signed them is for the verifier to say.
func keptSizes(files []string) (list []*keptSize, err error) {
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, usageError{fmt.Errorf("--checkpoint=%s: %w", file, fileFault(err))}
		}
		c, err := proof.PeekCheckpoint(data)
		if err != nil {
			return nil, usageError{fmt.Errorf("--checkpoint=%s: %w", file, err)}
		}
		list = append(list, &keptSize{Checkpoint: c, file: file})
	}
	return list, nil
}

// open opens a board's stream, once more if there are checkpoints of its shard
// to be proven: its header tells.
func (e *exporter) open(ctx context.Context, id string) (*bundle.Reader, io.Closer, error) {
	r, closer, err := e.from.open(ctx, id, e.contents)
	if err != nil {
		return nil, nil, err
	}
	var sizes []int64
	for _, c := range e.kept {
		if h := r.Header(); c.Epoch == h.Epoch && c.Shard == h.Shard {
			c.proven = true
			if c.Size > 0 {
				sizes = append(sizes, c.Size)
			}
		}
	}
	if len(sizes) == 0 {
		return r, closer, nil
	}
	if err := closer.Close(); err != nil {
		return nil, nil, err
	}
	return e.from.open(ctx, id, e.contents, sizes...)
}

// key stores the keys that the source says it signs with.
func (e *exporter) key(ctx context.Context) error {
	texts, err := e.from.keys(ctx)
	for _, text := range texts {
		v, bad := proof.ParseVerifier(text)
		if bad != nil {
			return bad
		}
		name := strings.Map(func(c rune) rune {
			if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
				return c
			}
			return '-'
		}, v.Name())
		if err := e.out.Key(name, text); err != nil {
			return err
		}
	}
	return err
}

func (e *exporter) report(dir string) error {
	m := e.out.Manifest()
	took := time.Since(e.started)
	for _, miss := range m.Missing {
		fmt.Fprintf(e.Err, "board %s: content %s is missing: %s\n", miss.Board, miss.Object, miss.Why)
	}
	fmt.Fprintf(e.Out, "%s: %s, %s, %s (%.0f records/s).\n", dir,
		several(len(m.Boards), "board"), several(e.records, "record"), several(len(m.Contents), "content"), float64(e.records)/took.Seconds())
	if len(m.Keys) == 0 {
		fmt.Fprintln(e.Out, "Nothing in it is signed: the server has no key for checkpoints.")
	}
	for _, c := range e.kept {
		if !c.proven {
			return fmt.Errorf("--checkpoint=%s: it is one of %s, of which no board was exported: the bundle has no proof for it", c.file, proof.Origin(c.Epoch, c.Shard))
		}
	}
	if len(e.passed) > 0 {
		return fmt.Errorf("left out: %s; a bundle needs the board's admin", several(len(e.passed), "board"))
	}
	return nil
}

// several is a number of things in words.
func several(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprint(n, " ", thing)
}
