package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
	"github.com/snapback-io/snapback/projector/restore"
	"github.com/snapback-io/snapback/projector/verify"
)

// importBundleCmd is the flags of `snapback import bundle`.
type importBundleCmd struct {
	admin
	direct
	Key    []string `env:"SNAPBACK_VERIFY_KEY" placeholder:"FILE|KEY" help:"A key that must have signed it; repeatable. Without one the key in the bundle counts, which shows no more than that it belongs together."`
	Shards int      `default:"8" env:"SNAPBACK_SHARDS" help:"With --data: number of streams of a log that is not there yet (${default})."`
	Dir    string   `arg:"" help:"The directory that 'snapback export' wrote."`
	Boards []string `arg:"" optional:"" name:"board" help:"The boards to restore (all)."`
}

// Help is shown by --help.
func (*importBundleCmd) Help() string {
	return `A board comes back with the same ids, revs, hashes and verdicts. It is verified before anything of it is stored: the
chain, the signatures, and every decision is taken again; what has a finding is refused. A board that is there already is
refused unless it is this one. Until all of it is there nobody can open it; what was cut off is continued by the same command.`
}

func (c *importBundleCmd) run(ctx context.Context, s streams) error {
	dir, err := bundle.OpenDir(c.Dir)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Dir, fileFault(err))
	}
	defer dir.Close()
	files, err := c.files(dir)
	if err != nil {
		return err
	}
	given, err := c.keys(dir)
	if err != nil {
		return err
	}
	if len(given) == 0 {
		fmt.Fprintln(s.Err, "There is no key: the signatures are not checked, and that nothing is cut off cannot be seen.")
	}
	put, end, err := c.target(ctx, s, dir, given)
	if err != nil {
		return err
	}
	defer end()
	failed, records, started := 0, uint64(0), time.Now()
	for _, b := range files {
		done, err := put(ctx, b)
		if ctx.Err() != nil {
			return fmt.Errorf("stopped at board %s; the same command continues", b.Board)
		}
		records += done.Stored
		if err != nil {
			failed++
			tellRefused(s.Err, b.Board, err)
			continue
		}
		tellRestored(s.Out, &done)
	}
	fmt.Fprintf(s.Out, "%d of %s, %s stored (%.0f/s).\n", len(files)-failed, several(len(files), "board"), several(int(records), "record"), float64(records)/time.Since(started).Seconds())
	if failed > 0 {
		return fmt.Errorf("not restored: %s", several(failed, "board"))
	}
	return nil
}

// files are those of the boards that are asked for.
func (c *importBundleCmd) files(dir *bundle.Dir) (files []bundle.BoardFile, err error) {
	if len(c.Boards) == 0 {
		return dir.Manifest.Boards, nil
	}
	for _, id := range c.Boards {
		f, err := stored{dir}.file(id)
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", c.Dir, err)}
		}
		files = append(files, f)
	}
	return files, nil
}

// keys are those of --key, or those in the bundle.
func (c *importBundleCmd) keys(dir *bundle.Dir) (texts []string, err error) {
	for _, given := range c.Key {
		if _, err := proof.ParseVerifier(given); err != nil {
			if _, err := readKeys([]string{given}); err != nil {
				return nil, err
			}
			data, err := os.ReadFile(given)
			if err != nil {
				return nil, err
			}
			given = string(data)
		}
		texts = append(texts, given)
	}
	if len(texts) > 0 {
		return texts, nil
	}
	return stored{dir}.keys(context.Background())
}

// target gives what puts a board where the flags say.
func (c *importBundleCmd) target(ctx context.Context, s streams, dir *bundle.Dir, keys []string) (put func(context.Context, bundle.BoardFile) (restore.Restored, error), end func(), err error) {
	if !c.asked() {
		return func(ctx context.Context, b bundle.BoardFile) (restore.Restored, error) {
			return c.send(ctx, dir, b, keys)
		}, func() {}, nil
	}
	shards := 0
	if store := filepath.Join(c.Data, "nats"); c.Data != "" {
		if _, err := os.Stat(store); errors.Is(err, fs.ErrNotExist) {
			shards = c.Shards
		}
		if err := os.MkdirAll(store, 0o755); err != nil {
			return nil, nil, fmt.Errorf("--data=%s: %w", c.Data, fileFault(err))
		}
	}
	log, end, err := c.openWith(ctx, s, eventlog.Config{Shards: shards})
	if err != nil {
		return nil, nil, err
	}
	var checks []note.Verifier
	if checks, err = readKeys(keys); err != nil {
		end()
		return nil, nil, err
	}
	return func(ctx context.Context, b bundle.BoardFile) (restore.Restored, error) {
		return restore.Board(ctx, log, wholeStream(ctx, dir, b), checks)
	}, end, nil
}

// wholeStream opens a board's stream with its contents.
func wholeStream(ctx context.Context, dir *bundle.Dir, b bundle.BoardFile) restore.Opener {
	return func() (*bundle.Reader, io.Closer, error) {
		in, _ := wholeBytes(ctx, dir, b)
		r, err := bundle.NewReader(in)
		if err != nil {
			in.Close()
		}
		return r, in, err
	}
}

// wholeBytes is its text. Closing it waits until nobody reads the directory;
// fault says then what was wrong with that.
func wholeBytes(ctx context.Context, dir *bundle.Dir, b bundle.BoardFile) (text io.ReadCloser, fault func() error) {
	in, out := io.Pipe()
	var failed error
	written := make(chan struct{})
	go func() {
		defer close(written)
		if err := dir.Whole(b, out); !errors.Is(err, io.ErrClosedPipe) {
			failed = err
		}
		out.CloseWithError(failed)
	}()
	stop := context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	closer := closing(func() error {
		stop()
		in.Close()
		<-written
		return nil
	})
	return struct {
		io.Reader
		io.Closer
	}{in, closer}, func() error { return failed }
}

// send sends the board to the admin listener.
func (c *importBundleCmd) send(ctx context.Context, dir *bundle.Dir, b bundle.BoardFile, keys []string) (done restore.Restored, err error) {
	body, unread := wholeBytes(ctx, dir, b)
	defer body.Close()
	answer, err := c.admin.post(ctx, "restore", url.Values{"key": keys}, io.NopCloser(body))
	if err != nil {
		body.Close()
		return done, cmp.Or(unread(), err)
	}
	defer answer.Close()
	return done, json.NewDecoder(answer).Decode(&done)
}

func tellRestored(w io.Writer, done *restore.Restored) {
	switch {
	case done.Stored == 0:
		fmt.Fprintf(w, "board %s is there already, all of %s; nothing was changed\n", done.Board, several(int(done.Records), "record"))
	case done.Stored < done.Records:
		fmt.Fprintf(w, "board %s is restored, rev %d: %s there, %d stored now\n", done.Board, done.Rev, several(int(done.Records-done.Stored), "record"), done.Stored)
	default:
		fmt.Fprintf(w, "board %s is restored, rev %d: %s, %s\n", done.Board, done.Rev, several(int(done.Records), "record"), several(done.Contents, "content"))
	}
	if done.Missing > 0 {
		fmt.Fprintf(w, "board %s: neither the bundle nor the log has %s: those files cannot be opened\n", done.Board, several(done.Missing, "content"))
	}
}

// tellRefused says why a board was not restored, with the findings.
func tellRefused(w io.Writer, board string, err error) {
	var findings []verify.Finding
	var refused *restore.Refused
	var answer *refusal
	switch {
	case errors.As(err, &refused):
		findings = refused.Findings
	case errors.As(err, &answer):
		_ = json.Unmarshal(answer.details["findings"], &findings)
	}
	fmt.Fprintf(w, "board %s is not restored: %v\n", board, err)
	for i := range findings {
		fmt.Fprintf(w, "  %s\n", where(&findings[i]))
	}
}
