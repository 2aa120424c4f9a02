package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
	"github.com/snapback-io/snapback/projector/verify"
)

// kept is what an auditor keeps elsewhere, to be held against what is verified.
type kept struct {
	checkpoints []keptCheckpoint
	heads       []keptHead
	stands      []keptStand
	shards      map[int]bool // that were verified, of the epoch of each
}

type keptCheckpoint struct {
	proof.Checkpoint
	file     string
	optional bool // it came with a bundle that is held against what is verified by its records
	held     bool
	unheld   []string // why not, of each board for which it was not
}

type keptHead struct {
	proof.Head
	file string
}

// keptStand is how far a board was in an earlier bundle.
type keptStand struct {
	verify.Stand
	dir string
}

// keep reads what was kept elsewhere.
func (v *verification) keep(ctx context.Context, c *auditVerifyCmd) error {
	v.kept.shards = map[int]bool{}
	for _, file := range c.Checkpoint {
		data, err := os.ReadFile(file)
		if err != nil {
			return usageError{fmt.Errorf("--checkpoint=%s: %w", file, fileFault(err))}
		}
		checkpoint, err := openKept(v, data, "checkpoint "+file, proof.OpenCheckpoint, proof.ParseCheckpoint)
		if err != nil {
			return usageError{fmt.Errorf("--checkpoint=%s: %w", file, err)}
		}
		v.kept.checkpoints = append(v.kept.checkpoints, keptCheckpoint{Checkpoint: checkpoint, file: file})
	}
	for _, file := range c.Head {
		data, err := os.ReadFile(file)
		if err != nil {
			return usageError{fmt.Errorf("--head=%s: %w", file, fileFault(err))}
		}
		head, err := openKept(v, data, "head "+file, proof.OpenHead, proof.ParseHead)
		if err != nil {
			return usageError{fmt.Errorf("--head=%s: %w", file, err)}
		}
		v.kept.heads = append(v.kept.heads, keptHead{head, file})
	}
	for _, name := range c.Earlier {
		if err := v.earlier(ctx, name, c.Board); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return usageError{fmt.Errorf("--earlier=%s: %w", name, fileFault(err))}
		}
	}
	return nil
}

// openKept reads a note, without a key unchecked. That what is verified names
// another key than the one that signed what was kept is a finding.
func openKept[T any](v *verification, data []byte, what string, open func([]byte, ...note.Verifier) (T, error), parse func(string) (T, error)) (T, error) {
	if len(v.keys) > 0 {
		of, err := open(data, v.keys...)
		if v.given || !errors.Is(err, proof.ErrStranger) {
			return of, err
		}
		v.find(verify.Finding{Kind: kindKey, Words: what + ": " + err.Error() + ": what is verified comes with another key now (with --key the one that counts is yours)"})
	} else {
		v.skip("the signature of %s", what)
	}
	text, err := proof.PeekNote(data)
	if err != nil {
		var none T
		return none, err
	}
	return parse(text)
}

// earlier takes down how far the boards of a bundle are, or the one board.
func (v *verification) earlier(ctx context.Context, name, board string) error {
	dir, err := bundle.OpenDir(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, b := range dir.Manifest.Boards {
		if board != "" && b.Board != board {
			continue
		}
		if err := v.stood(ctx, dir, b, name); err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) stood(ctx context.Context, dir *bundle.Dir, b bundle.BoardFile, name string) error {
	r, closer, err := dir.Board(b)
	if err != nil {
		return err
	}
	defer closer.Close()
	stand, err := verify.Stood(ctx, r)
	if err != nil {
		return err
	}
	v.kept.stands = append(v.kept.stands, keptStand{stand, name})
	where := fmt.Sprintf("of board %s in %s", b.Board, name)
	if stand.Head != nil {
		head, err := openKept(v, stand.Head, "the head "+where, proof.OpenHead, proof.ParseHead)
		if err != nil {
			return fmt.Errorf("the head of board %s: %w", b.Board, err)
		}
		v.kept.heads = append(v.kept.heads, keptHead{head, name})
	}
	if stand.Checkpoint != nil {
		checkpoint, err := openKept(v, stand.Checkpoint, "the checkpoint "+where, proof.OpenCheckpoint, proof.ParseCheckpoint)
		if err != nil {
			return fmt.Errorf("the checkpoint of board %s: %w", b.Board, err)
		}
		v.kept.checkpoints = append(v.kept.checkpoints, keptCheckpoint{Checkpoint: checkpoint, file: name, optional: true})
	}
	return nil
}

// pins are the checkpoints that a shard is held against: of another epoch, too,
// which shows that the log is not the one it was.
func (k *kept) pins(epoch string, shard int) (list []proof.Checkpoint) {
	for _, c := range k.checkpoints {
		if c.Shard == shard || c.Epoch != epoch {
			list = append(list, c.Checkpoint)
		}
	}
	return list
}

// headsOf are the heads of a board.
func (k *kept) headsOf(board string) (list []proof.Head) {
	for _, h := range k.heads {
		if h.Board == board {
			list = append(list, h.Head)
		}
	}
	return list
}

// before is where a board stood in earlier bundles.
func (k *kept) before(board string) (list []verify.Stand) {
	for _, s := range k.stands {
		if s.Board == board {
			list = append(list, s.Stand)
		}
	}
	return list
}

// hold takes down that a shard was held against all its checkpoints.
func (k *kept) hold(epoch string, shard int) {
	k.shards[shard] = true
	for i := range k.checkpoints {
		c := &k.checkpoints[i]
		c.held = c.held || c.Shard == shard || c.Epoch != epoch
	}
}

// size is that of a tree.
type size struct {
	epoch string
	shard int
	size  int64
}

// signedRoot is a root that was signed, with a board.
type signedRoot struct {
	root  tlog.Hash
	board string
}

// held takes down what a board's bundle was held against, and that two boards do
// not come with two histories of their shard.
func (v *verification) held(h *bundle.Header, done *verify.Verified) {
	v.unkeyed = v.unkeyed || done.Notes && len(v.keys) == 0
	v.kept.shards[h.Shard] = true
	for i := range v.kept.checkpoints {
		c := &v.kept.checkpoints[i]
		switch {
		case c.Epoch == h.Epoch && c.Shard != h.Shard:
		case !slices.Contains(done.Unheld, c.Checkpoint):
			c.held = true
		case done.Covered == nil:
			c.unheld = append(c.unheld, fmt.Sprintf("board %s has no checkpoint that could be of the same tree", h.Board))
		case c.Size > done.Covered.Size:
			c.unheld = append(c.unheld, fmt.Sprintf("the bundle of board %s is older: it was made when the shard had %d records", h.Board, done.Covered.Size))
		case done.Unread != nil:
			c.unheld = append(c.unheld, fmt.Sprintf("the tree of board %s cannot be read: %v", h.Board, done.Unread))
		default:
			c.unheld = append(c.unheld, fmt.Sprintf("the bundle of board %s has no proof for it: export it with --checkpoint=%s", h.Board, c.file))
		}
	}
	if done.Covered == nil {
		return
	}
	at := size{done.Covered.Epoch, done.Covered.Shard, done.Covered.Size}
	if v.roots == nil {
		v.roots = map[size]signedRoot{}
	}
	if before, there := v.roots[at]; !there {
		v.roots[at] = signedRoot{done.Covered.Root, h.Board}
	} else if before.root != done.Covered.Root {
		v.find(verify.Finding{Kind: verify.KindInclusion, Board: h.Board, Shard: h.Shard, Seq: uint64(at.size),
			Words: fmt.Sprintf("its checkpoint of %d records has another root than that of board %s: two histories of the shard were signed", at.size, before.board)})
	}
}

// unheld says what was kept and not held against anything.
func (v *verification) unheld() {
	if v.unkeyed {
		v.lack("the signatures and the tree, which are there: there is no key to check them with (--key)")
	}
	for _, c := range v.kept.checkpoints {
		what := fmt.Sprintf("checkpoint %s (shard %d, %d records)", c.file, c.Shard, c.Size)
		if c.optional {
			continue
		}
		for _, why := range c.unheld {
			v.lack("%s: %s", what, why)
		}
		if !c.held && len(c.unheld) == 0 {
			v.lack("%s: it is of another shard: what was verified is of %s", what, v.kept.verified())
		}
	}
	boards := map[string]bool{}
	for _, b := range v.Boards {
		boards[b.Board] = true
	}
	gone := map[string]string{} // where it was kept, by board
	for _, h := range v.kept.heads {
		gone[h.Board] = h.file
	}
	for _, s := range v.kept.stands {
		gone[s.Board] = s.dir
	}
	for _, board := range slices.Sorted(maps.Keys(gone)) {
		if boards[board] {
			continue
		}
		if _, all := v.from.(*opened); all && v.all {
			v.find(verify.Finding{Kind: verify.KindCount, Board: board, Words: "the log has no record of it, of which " + gone[board] + " was kept"})
			continue
		}
		v.lack("board %s, of which %s was kept: it was not verified", board, gone[board])
	}
}

// verified names the shards that were.
func (k *kept) verified() string {
	if len(k.shards) == 0 {
		return "none"
	}
	var list []string
	for _, shard := range slices.Sorted(maps.Keys(k.shards)) {
		list = append(list, fmt.Sprint(shard))
	}
	return "shard " + strings.Join(list, ", ")
}

// without takes down, for each item of a bundle's stream, which contents that
// its events name the directory does not have; nil where nobody looks for any.
func (v *verification) without(board string) func(bundle.Item) error {
	dir, ok := v.from.(stored)
	if !ok {
		return nil
	}
	have := map[string]bool{}
	for _, f := range dir.Manifest.Contents {
		have[f.SHA256] = true
	}
	return func(i bundle.Item) error {
		if i.Record == nil || !bytes.Contains(i.Record.Data, []byte(`"object"`)) {
			return nil
		}
		for _, o := range i.Record.Objects() {
			if !have[o.SHA256] && strings.HasPrefix(o.Name, board+".") {
				if v.absent == nil {
					v.absent = map[string]bool{}
				}
				v.absent[o.SHA256] = true
			}
		}
		return nil
	}
}

// contents verifies the other files of a directory.
func (v *verification) contents(ctx context.Context, dir stored) error {
	for _, f := range dir.Manifest.Contents {
		r, err := dir.Content(f.SHA256, f.Size)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			r.Close()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			v.find(verify.Finding{Kind: kindContent, Words: err.Error()})
		}
	}
	return nil
}

// The kinds of findings on files of a bundle, and on what was kept.
const (
	kindBundle  verify.Kind = "bundle"
	kindContent verify.Kind = "content"
	kindKey     verify.Kind = "key" // of the one that signs
)

// uncheckedError: there are no findings, but not all that was asked for was checked.
type uncheckedError struct{ error }

func (e uncheckedError) Unwrap() error { return e.error }
