package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/bundle"
	"github.com/snapback-io/snapback/projector/verify"
)

// auditVerifyCmd is the flags of `snapback audit verify`.
type auditVerifyCmd struct {
	remote
	direct
	Board      string   `arg:"" optional:"" help:"The board."`
	All        bool     `env:"SNAPBACK_ALL" help:"Every board that you are an admin of; with --bundle, --data or --nats-url every board."`
	Bundle     string   `env:"SNAPBACK_BUNDLE" placeholder:"DIR" help:"Verify what 'snapback export' wrote to this directory; no server is asked."`
	Checkpoint []string `env:"SNAPBACK_CHECKPOINT" placeholder:"FILE" help:"A checkpoint that was kept elsewhere: the log must contain it; repeatable. A bundle has the proof if it was exported with the same flag."`
	Head       []string `env:"SNAPBACK_HEAD" placeholder:"FILE" help:"A signed head of a board that was kept elsewhere: its records must lead up to it; repeatable."`
	Earlier    []string `env:"SNAPBACK_EARLIER" placeholder:"DIR" help:"A bundle that was exported earlier: its boards must have gone on from there, with the same records at the same times; repeatable."`
	Key        []string `env:"SNAPBACK_VERIFY_KEY" placeholder:"FILE|KEY" help:"The public key that signs, as you were told it by other means; repeatable. Without one the key counts that comes with what is verified, which proves less."`
	JSON       bool     `env:"SNAPBACK_JSON" help:"The report as JSON."`
}

// Help is shown by --help.
func (*auditVerifyCmd) Help() string {
	return `Every record's bytes, its place in the chain of its board and in the tree of its shard, the signatures, that no rev is
missing, and that the board is the one whose head was signed; and every command is decided again from scratch, with the time
and the role it had, and compared. Findings are named by board, record and rev.

Exit status: 0 no findings; 1 findings, or a bundle that is none; 2 a fault in the command line; 3 no findings, but something that was asked for could
not be checked: a board, a checkpoint or a head that was kept, signatures that are there without a key for them.

With --data or --nats-url whole shards are verified, too: that none of their records is missing, and all signed checkpoints.`
}

func (c *auditVerifyCmd) run(ctx context.Context, s streams) error {
	v, err := c.verify(ctx, s)
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return err
	case err != nil && c.Bundle != "" && ctx.Err() == nil: // it is all there is
		return err
	case err != nil && (v == nil || v.Count == 0):
		return uncheckedError{err}
	case err != nil:
		return fmt.Errorf("%s, and it was not verified to its end: %w", several(v.Count, "finding"), err)
	}
	return v.conclude()
}

// verify verifies all that is asked for. v is how far it came, also with an error.
func (c *auditVerifyCmd) verify(ctx context.Context, s streams) (v *verification, err error) {
	v, end, err := c.open(ctx, s)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := v.trust(ctx, c.Key); err != nil {
		return v, err
	}
	if err := v.keep(ctx, c); err != nil {
		return v, err
	}
	boards := []string{c.Board}
	if c.Board == "" {
		if boards, err = v.from.boards(ctx); err != nil {
			return v, err
		}
	}
	if log, ok := v.from.(*opened); ok {
		err = v.shards(ctx, log, c.Board)
	} else {
		for _, id := range boards {
			if err = v.board(ctx, id); err != nil {
				break
			}
		}
	}
	if dir, ok := v.from.(stored); ok && err == nil {
		err = v.contents(ctx, dir)
	}
	return v, err
}

// open opens what is to be verified.
func (c *auditVerifyCmd) open(ctx context.Context, s streams) (v *verification, end func(), err error) {
	v = &verification{streams: s, json: c.JSON, all: c.Board == "", given: len(c.Key) > 0, started: time.Now()}
	v.Boards, v.Findings = []verify.Verified{}, []verify.Finding{}
	end = func() {}
	switch {
	case c.Bundle != "" && c.asked():
		err = usageError{errors.New("--bundle: not with --data or --nats-url")}
	case c.Bundle == "" && c.All == (c.Board != ""), c.All && c.Board != "":
		err = usageError{errors.New("which board? One, or --all")}
	case c.Bundle != "":
		dir, bad := bundle.OpenDir(c.Bundle)
		if bad != nil {
			err = fmt.Errorf("--bundle=%s: %w", c.Bundle, fileFault(bad))
			if errors.Is(bad, fs.ErrNotExist) {
				err = usageError{err}
			}
			return nil, nil, err
		}
		v.from, v.Source, v.keyFrom, end = stored{dir}, c.Bundle, "comes with the bundle: who made the bundle could have made it, too", func() { dir.Close() }
	case c.asked():
		var log *opened
		if log, end, err = openBundles(ctx, &c.direct, s, false); err != nil {
			return nil, nil, err
		}
		v.from, v.Source, v.keyFrom = log, c.Data+withoutPassword(c.NATSURL), "lies beside the log: who can change the log could have replaced it"
		if c.Data != "" {
			v.keyFile = filepath.Join(c.Data, checkpointKey+".pub")
		}
	default:
		v.from, v.Source, v.keyFrom = served{&c.remote}, c.Server, "comes from the same server: who controls the server could have made it"
	}
	return v, end, err
}

// verification is how far one is, and its report.
type verification struct {
	streams `json:"-"`
	from    bundles
	json    bool
	all     bool // every board is asked for
	given   bool // the keys were
	started time.Time
	keyFrom string // of a key that was not given
	keyFile string // where it lies; "": from is asked
	keys    []note.Verifier
	kept    kept
	roots   map[size]signedRoot
	absent  map[string]bool // SHA-256 of contents that a bundle's events name and it does not have
	unkeyed bool            // there are signatures that no key was there for

	Source     string                `json:"source"`
	Keys       []trustedKey          `json:"keys"`
	Boards     []verify.Verified     `json:"boards"`
	Shards     []verify.ShardSummary `json:"shards,omitempty"`
	Findings   []verify.Finding      `json:"findings"` // the first maxFindings
	Count      int                   `json:"count"`    // of all findings
	NotChecked []string              `json:"notChecked,omitempty"`
	// Lacking is what was asked for and could not be checked.
	Lacking []string `json:"couldNotCheck,omitempty"`
	Records uint64   `json:"records"`
	Seconds float64  `json:"seconds"`
}

// trustedKey is a key that signatures were checked with.
type trustedKey struct {
	Key   string `json:"key"` // its name and hash
	Given bool   `json:"given"`
	From  string `json:"from"`
}

const maxFindings = 1000

// trust settles with which keys signatures are checked.
func (v *verification) trust(ctx context.Context, given []string) (err error) {
	from := "was given"
	if v.keys, err = readKeys(given); err != nil {
		return err
	}
	if len(given) == 0 {
		from = v.keyFrom
		var texts []string
		if v.keyFile == "" {
			texts, err = v.from.keys(ctx)
		} else if data, none := os.ReadFile(v.keyFile); none == nil {
			texts = []string{string(data)}
		}
		if err != nil {
			return err
		}
		if v.keys, err = readKeys(texts); err != nil {
			return err
		}
	}
	for _, k := range v.keys {
		v.Keys = append(v.Keys, trustedKey{fmt.Sprintf("%s+%08x", k.Name(), k.KeyHash()), len(given) > 0, from})
	}
	if len(v.keys) == 0 {
		v.skip("signatures and the tree: there is no key; that a board was not cut off, or replaced as a whole, or is shown otherwise, cannot be seen")
	}
	return nil
}

// board verifies one board's bundle. Its error is only that ctx has ended.
func (v *verification) board(ctx context.Context, id string) error {
	r, closer, err := v.from.open(ctx, id, false)
	if err == nil {
		defer closer.Close()
		h := r.Header()
		var done verify.Verified
		cfg := verify.Config{Keys: v.keys, Pinned: v.kept.pins(h.Epoch, h.Shard), Heads: v.kept.headsOf(id), Before: v.kept.before(id), Report: v.find}
		done, err = verify.Stream(r, cfg, verify.StreamOptions{Tiles: v.from.tiles(ctx, h.Shard), Each: v.without(id)})
		if err == nil {
			v.held(&h, &done)
		}
		v.verified(&done)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		return nil
	}
	if _, offline := v.from.(stored); offline {
		v.find(verify.Finding{Kind: kindBundle, Board: id, Words: err.Error()})
		return nil
	}
	v.lack("board %s: %v", id, err)
	return nil
}

// verified takes a board's summary down.
func (v *verification) verified(sum *verify.Verified) {
	v.Boards = append(v.Boards, *sum)
	v.Records += sum.Records
	if sum.Unjudged > 0 {
		v.lack("board %s: %d decisions behind what is wrong: on what board they were taken is not known", sum.Board, sum.Unjudged)
	}
	if sum.Trusted > 0 {
		v.skip("board %s: %d refusals as too large: their content was not kept, or larger records were stored before", sum.Board, sum.Trusted)
	}
	if !v.json {
		v.tellBoard(sum)
	}
}

// shards verifies the shards of a log and their boards, or only the one board
// and its shard.
func (v *verification) shards(ctx context.Context, log *opened, board string) error {
	if board != "" { // it may have moved
		if _, err := log.log.Head(ctx, board); err != nil && !errors.Is(err, eventlog.ErrUnreadable) {
			return err
		}
	}
	for shard := range log.log.Shards() {
		if board != "" && shard != log.log.Shard(board) {
			continue
		}
		if err := v.shard(ctx, log, shard, board); err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) shard(ctx context.Context, log *opened, shard int, board string) error {
	l := log.log
	_, signed, err := l.LastCheckpoint(ctx, shard) // before the records are counted: it covers no more
	if err != nil && !errors.Is(err, eventlog.ErrNotFound) && !errors.Is(err, eventlog.ErrUnreadable) {
		return err
	}
	if errors.Is(err, eventlog.ErrUnreadable) {
		v.find(verify.Finding{Kind: verify.KindSignature, Shard: shard, Words: err.Error()})
	}
	state, err := l.ShardState(ctx, shard)
	if err != nil {
		return err
	}
	epoch := l.Epoch()
	cfg := verify.ShardConfig{Epoch: epoch, Shard: shard, Keys: v.keys, Pinned: v.kept.pins(epoch, shard), Report: v.find}
	if len(v.keys) > 0 && signed > 0 {
		cfg.Checkpoints = l.Checkpoints(ctx, shard, 1, signed)
	}
	sum, err := verify.Shard(cfg, l.Entries(ctx, shard, 1, state.Last))
	if err != nil {
		return err
	}
	v.kept.hold(epoch, shard)
	v.Shards = append(v.Shards, sum)
	switch {
	case len(v.keys) == 0:
		v.unkeyed = v.unkeyed || signed > 0
	case sum.Records > 0 && signed == 0 && v.Count == 0:
		v.lack("the tree of shard %d: the log has no checkpoint of it", shard)
	case int64(sum.Records) > sum.Covered && v.Count == 0:
		v.skip("the last %d of %d records of shard %d by a signed tree: its newest checkpoint is older", int64(sum.Records)-sum.Covered, sum.Records, shard)
	}
	if !v.json && sum.Records > 0 {
		v.tellShard(&sum)
	}
	if sum.Short { // some boards may be known by the server's index only
		all, err := l.Boards(ctx)
		if err != nil {
			return err
		}
		for _, b := range all {
			if _, there := sum.Boards[b.Board]; !there && l.Shard(b.Board) == shard {
				sum.Boards[b.Board] = verify.Tally{}
			}
		}
	}
	for id, tally := range sum.Boards {
		if board != "" && id != board {
			continue
		}
		if err := v.tallied(ctx, l, id, shard, tally); err != nil {
			return err
		}
	}
	if _, there := sum.Boards[board]; board != "" && !there {
		return fmt.Errorf("there is no board %s", board)
	}
	return nil
}

// tallied verifies a board of a shard against what its entries say of it.
func (v *verification) tallied(ctx context.Context, log *eventlog.Log, id string, shard int, tally verify.Tally) error {
	last := log.Position(shard, tally.Last)
	cfg := verify.Config{Board: id, Epoch: log.Epoch(), Generation: eventlog.Generation(last), Report: v.find}
	here, err := v.isHere(ctx, log, id, shard)
	if err != nil {
		return err
	}
	if here {
		cfg.Heads, cfg.Before = v.kept.headsOf(id), v.kept.before(id)
	}
	done, err := verify.Board(ctx, log, last, cfg)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		v.find(verify.Finding{Kind: verify.KindGap, Board: id, Words: err.Error()})
	}
	if f := tally.Check(&done); f != nil && tally.Last > 0 {
		v.find(*f)
	}
	if here {
		v.verified(&verify.Verified{Summary: done})
		return nil
	}
	v.Records += done.Records
	if !v.json {
		fmt.Fprintf(v.Out, "board %s: %s that it left in shard %d\n", id, several(int(done.Records), "record"), shard)
	}
	return nil
}

// isHere says whether a shard is the one that the board is in. What it has left
// elsewhere, or what a move that broke off has brought, is looked at as well.
func (v *verification) isHere(ctx context.Context, log *eventlog.Log, board string, shard int) (bool, error) {
	if len(log.Generations()) == 1 {
		return true, nil
	}
	if _, err := log.Head(ctx, board); err != nil && !errors.Is(err, eventlog.ErrUnreadable) {
		return false, err
	}
	return log.Shard(board) == shard, nil
}

func (v *verification) find(f verify.Finding) {
	if v.Count++; v.Count > maxFindings {
		return
	}
	f.Words = strings.ReplaceAll(f.Words, "\n", " ")
	v.Findings = append(v.Findings, f)
	if !v.json {
		fmt.Fprintf(v.Out, "FINDING: %s\n", where(&f))
	}
}

func (v *verification) skip(format string, args ...any) {
	v.NotChecked = append(v.NotChecked, fmt.Sprintf(format, args...))
}

// lack takes down what was asked for and cannot be checked.
func (v *verification) lack(format string, args ...any) {
	v.Lacking = append(v.Lacking, fmt.Sprintf(format, args...))
}

// conclude writes the report. Its error is the outcome.
func (v *verification) conclude() error {
	v.unheld()
	if len(v.Boards) == 0 && len(v.Lacking) == 0 {
		v.lack("anything: there is no board")
	}
	if _, offline := v.from.(stored); !offline {
		v.skip("the contents of files (verify an export with --contents)")
	} else if n := len(v.absent); n > 0 {
		v.skip("the contents of %s that the bundle does not have (export --contents)", several(n, "file"))
	}
	v.Seconds = time.Since(v.started).Seconds()
	if v.json {
		out := json.NewEncoder(v.Out)
		out.SetIndent("", "  ")
		if err := out.Encode(v); err != nil {
			return err
		}
	} else {
		v.tell()
	}
	switch {
	case v.Count > 0:
		return errors.New(several(v.Count, "finding"))
	case len(v.Lacking) > 0:
		return uncheckedError{fmt.Errorf("no findings, but %s could not be checked", several(len(v.Lacking), "thing"))}
	}
	return nil
}
