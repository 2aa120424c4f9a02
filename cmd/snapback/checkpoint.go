package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/notary"
)

const (
	checkpointKey      = "checkpoint.key"
	minCheckpointEvery = time.Second
	// lastCheckpoints is how long a node that stops may sign what is new.
	lastCheckpoints = 3 * time.Second
)

// checkCheckpoints says what is wrong with the flags of checkpoints.
func (c *serveCmd) checkCheckpoints() error {
	if c.CheckpointEvery < minCheckpointEvery {
		return fmt.Errorf("--checkpoint-every=%v: it is %v or more", c.CheckpointEvery, minCheckpointEvery)
	}
	if c.CheckpointKey != "" {
		if _, err := readSigner(c.CheckpointKey); err != nil {
			return err
		}
	}
	if c.CheckpointDir == "" {
		return nil
	}
	if c.CheckpointKey == "" && c.shared() {
		return errors.New("--checkpoint-dir: with --nats-url or --cluster-addr it needs --checkpoint-key, the same on every node")
	}
	info, err := os.Stat(c.CheckpointDir)
	if err == nil && !info.IsDir() {
		err = errors.New("it is no directory")
	}
	if err != nil {
		return fmt.Errorf("--checkpoint-dir=%s: %w", c.CheckpointDir, fileFault(err))
	}
	return nil
}

func readSigner(file string) (*proof.Signer, error) {
	private, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--checkpoint-key=%s: no such file (`snapback keygen --checkpoint FILE` makes one)", file)
	}
	if err != nil {
		return nil, fmt.Errorf("--checkpoint-key=%s: %w", file, fileFault(err))
	}
	signer, err := proof.ParseSigner(string(private))
	if err != nil {
		return nil, fmt.Errorf("--checkpoint-key=%s: %w", file, err)
	}
	return signer, nil
}

// signer gives the key for checkpoints: that of --checkpoint-key, or the one in
// the directory of the log, which the first start makes. Several nodes have no
// directory in common, and a key for each would be one too many: without
// --checkpoint-key they sign nothing (nil).
func (c *serveCmd) signer() (*proof.Signer, error) {
	switch {
	case c.CheckpointKey != "":
		return readSigner(c.CheckpointKey)
	case c.shared():
		return nil, nil
	}
	file := filepath.Join(c.Data, checkpointKey)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := writeSigner(file, proof.DefaultKeyName); err != nil {
			return nil, err
		}
	}
	return readSigner(file)
}

// writeSigner makes a key for checkpoints; what checks goes to file.pub.
func writeSigner(file, name string) error {
	private, public, err := proof.NewKey(rand.Reader, name)
	if err != nil {
		return err
	}
	if err := writeNew(file, []byte(private+"\n"), 0o600); err != nil {
		return err
	}
	return writeNew(file+".pub", []byte(public+"\n"), 0o644)
}

// attest opens the notary, if there is a key, and compares the log with the
// checkpoints in --checkpoint-dir: one that contradicts them is not served.
func (n *node) attest(ctx context.Context) error {
	signer, err := n.signer()
	if err != nil || signer == nil {
		return err
	}
	n.notary, err = notary.New(notary.Config{
		Log: n.events, Signer: signer, Every: n.CheckpointEvery, Dir: n.CheckpointDir, Logger: n.log,
	})
	if err != nil {
		return err
	}
	err = n.notary.Check(ctx)
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.Is(err, proof.ErrContradiction):
		return fmt.Errorf("not served: %w; find what was changed with `snapback audit verify`, or, if this log is to be served all the same "+
			"(a restored backup), move the file away", err)
	case errors.Is(err, proof.ErrStranger):
		return fmt.Errorf("not served: %w; give the key that signed it (--checkpoint-key), or, if it was replaced, move the file away", err)
	}
	return fmt.Errorf("not served: %w", err)
}

// sign makes checkpoints until ctx ends, and the last ones after that.
func (n *node) sign(ctx context.Context) {
	if n.notary == nil {
		return
	}
	n.notary.Run(ctx)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCheckpoints)
	defer cancel()
	n.notary.All(last)
}
