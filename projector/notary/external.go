package notary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/eventlog/proof"
)

// What lies beside the log can be changed together with it. A copy of each
// shard's newest checkpoint in a directory of its own, best on another disk or
// machine, cannot: Check compares the log with it before anything is served.

func (n *Notary) fileOf(shard int) string {
	return filepath.Join(n.cfg.Dir, strconv.Itoa(shard)+".checkpoint")
}

// Check compares the log with the checkpoints in Dir: the root over the entries
// of each shard, all of them read, must be the one that was signed. It reads no
// tile and no checkpoint of the log's own, nor the bytes of records: that these
// have the hash that their entry names is for a full audit to say. Errors:
// [proof.ErrContradiction], and what keeps a file from being read.
func (n *Notary) Check(ctx context.Context) error {
	if n.cfg.Dir == "" {
		return nil
	}
	checked := 0
	for _, s := range n.shards {
		start := time.Now()
		c, err := n.filedCheckpoint(s)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = n.checkShard(ctx, s, &c)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", n.fileOf(s.index), err)
		}
		checked++
		n.log.Info("the log agrees with its external checkpoint", "shard", s.index, "records", c.Size, "signed", c.Time, "took", time.Since(start).Round(time.Millisecond))
	}
	if checked == 0 {
		n.log.Warn("there is no external checkpoint yet to compare the log with", "dir", n.cfg.Dir)
	}
	return nil
}

func (n *Notary) filedCheckpoint(s *shard) (proof.Checkpoint, error) {
	note, err := os.ReadFile(n.fileOf(s.index))
	if err != nil {
		return proof.Checkpoint{}, err
	}
	return proof.OpenCheckpoint(note, n.cfg.Signer.Verifier())
}

// checkShard has s.tree be the one of c, from the log alone.
func (n *Notary) checkShard(ctx context.Context, s *shard, c *proof.Checkpoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Epoch != n.cfg.Log.Epoch() || c.Shard != s.index {
		return s.contradiction("the checkpoint is of %s, the log is %s", proof.Origin(c.Epoch, c.Shard), proof.Origin(n.cfg.Log.Epoch(), s.index))
	}
	if err := n.refold(ctx, s, c, looking); err != nil {
		s.tree = nil
		if where := n.differs(ctx, s.index, c.Size); where != "" && errors.Is(err, proof.ErrContradiction) {
			err = fmt.Errorf("%w; %s", err, where)
		}
		return err
	}
	s.filed = c.Size
	return nil
}

// differs says where a shard's log first differs from its tiles, "" if nowhere
// or they are not all there: whoever has changed the log may have left them.
func (n *Notary) differs(ctx context.Context, shard int, size int64) string {
	state, err := n.cfg.Log.ShardState(ctx, shard)
	if err != nil {
		return ""
	}
	stored := tiles{ctx, n.cfg.Log, shard}
	next, tile := int64(0), []byte(nil)
	for e, err := range n.cfg.Log.Entries(ctx, shard, 1, min(uint64(size), state.Last)) { // what is cut off is not waited for
		at := int(next % proof.TileWidth)
		if at == 0 && err == nil {
			tile, err = stored.read(tlog.Tile{H: proof.TileHeight, N: next / proof.TileWidth, W: int(min(proof.TileWidth, size-next))})
		}
		if err != nil {
			return ""
		}
		next++
		if leaf := leafOf(&e); !bytes.Equal(leaf[:], tile[at*tlog.HashSize:][:tlog.HashSize]) {
			return fmt.Sprintf("by the tiles the first record that is another one is %d, now record %d of board %s", next, e.Seq, e.Board)
		}
	}
	return ""
}

// file writes the newest checkpoint to Dir, unless that has it, or a newer one
// of another node's.
func (n *Notary) file(s *shard) {
	if n.cfg.Dir == "" || s.filed >= s.last.Size {
		return
	}
	there, err := n.filedCheckpoint(s)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	case err == nil && there.Epoch != s.last.Epoch:
		err = fmt.Errorf("there is a checkpoint of epoch %s", there.Epoch)
	case err == nil && there.Size >= s.last.Size:
		s.filed = there.Size
		return
	}
	if err == nil {
		err = replace(n.fileOf(s.index), s.last.Note)
	}
	if err != nil {
		n.log.Error("external checkpoint not written, trying again", "shard", s.index, "file", n.fileOf(s.index), "error", err)
		return
	}
	s.filed = s.last.Size
}

// replace writes a file so that there is the old or the new one at any time.
func replace(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".checkpoint-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
