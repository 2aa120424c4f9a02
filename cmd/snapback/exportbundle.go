package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
)

// exportBundle writes a directory with the bundles of one board or of all, by
// the server or from the log that the flags name.
func exportBundle(ctx context.Context, s streams, r *remote, d *direct, board string, contents bool, dir string) error {
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
		var err error
		if boards, err = from.boards(ctx); err != nil {
			return err
		}
	}
	out, err := bundle.CreateDir(dir, time.Now())
	if err != nil {
		return usageError{fmt.Errorf("-o %s: %w", dir, fileFault(err))}
	}
	defer out.Close()
	e := &exporter{streams: s, from: from, out: out, contents: contents, started: time.Now()}
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
	started  time.Time
	records  int
	passed   []string // boards that may be seen, but not taken away
}

// board stores one board's stream; one of many that is refused is passed over.
func (e *exporter) board(ctx context.Context, id string, many bool) error {
	r, closer, err := e.from.open(ctx, id, e.contents)
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

// key stores the key that the source says it signs with.
func (e *exporter) key(ctx context.Context) error {
	text, err := e.from.key(ctx)
	if err != nil || text == "" {
		return err
	}
	v, err := proof.ParseVerifier(text)
	if err != nil {
		return err
	}
	name := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, v.Name())
	return e.out.Key(name, text)
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
