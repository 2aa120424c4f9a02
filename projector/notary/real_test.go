package notary

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/eventlog/proof"
)

var quiet = slog.New(slog.DiscardHandler)

func newSigner(t testing.TB) *proof.Signer {
	t.Helper()
	private, _, err := proof.NewKey(rand.Reader, proof.DefaultKeyName)
	if err != nil {
		t.Fatal(err)
	}
	s, err := proof.ParseSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newNotary(t testing.TB, cfg Config) *Notary {
	t.Helper()
	cfg.Logger = quiet
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func realLog(t testing.TB, dir string, shards int) (l *eventlog.Log, stop func()) {
	t.Helper()
	s, err := natsd.Start(natsd.Config{StoreDir: dir, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	l, err = eventlog.Open(t.Context(), eventlog.Config{InProcess: s, Shards: shards, Logger: quiet})
	if err != nil {
		s.Shutdown()
		t.Fatal(err)
	}
	stop = func() { l.Close(); s.Shutdown() }
	t.Cleanup(stop)
	return l, stop
}

// write appends n records to a board, the first one behind sequence last.
func write(t testing.TB, l *eventlog.Log, board string, n int, last uint64) uint64 {
	t.Helper()
	for i := range n {
		c := domain.Commit{V: domain.CommitVersion, Board: board, Decisions: []domain.Decision{
			{Command: domain.Command{ID: fmt.Sprint(last, "-", i), Op: domain.OpMutate, User: "u"}},
		}}
		data, hash, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if last, err = l.Append(t.Context(), board, data, hash, last); err != nil {
			t.Fatal(err)
		}
	}
	return last
}

// checkProofs proves every record of a board to be in the tree of a checkpoint.
func checkProofs(t testing.TB, n *Notary, l *eventlog.Log, board string, c *proof.Checkpoint) {
	t.Helper()
	var leaves []int64
	var records []proof.Leaf
	for r, err := range l.Read(t.Context(), board, 0, uint64(c.Size)) {
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, int64(r.Seq)-1)
		records = append(records, proof.Leaf{Board: board, Seq: r.Seq, Time: r.Time, Hash: r.Hash})
	}
	hashes, err := n.Hashes(t.Context(), c, leaves)
	if err != nil {
		t.Fatal(err)
	}
	for i, leaf := range leaves {
		p, err := tlog.ProveRecord(c.Size, leaf, hashes)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CheckIncluded(&records[i], p); err != nil {
			t.Fatal(err)
		}
	}
	if len(leaves) == 0 {
		t.Fatal("no record to prove")
	}
}

// On a real log: what is signed verifies, proves each record, goes on after a
// restart, and nothing new is no new checkpoint.
func TestNotary_OnARealLog(t *testing.T) {
	t.Parallel()
	dir, signer := t.TempDir(), newSigner(t)
	l, stop := realLog(t, dir, 1)
	n := newNotary(t, Config{Log: l, Signer: signer})
	if _, err := n.Checkpoint(t.Context(), 0); !errors.Is(err, ErrNone) {
		t.Errorf("of nothing: %v", err)
	}
	last := write(t, l, "demo", 700, 0)
	first, err := n.Checkpoint(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := proof.OpenCheckpoint(first.Note, signer.Verifier())
	if err != nil || opened != first.Checkpoint || first.Size != int64(last) {
		t.Errorf("%+v, %+v, %v", first, opened, err)
	}
	checkProofs(t, n, l, "demo", &first.Checkpoint)
	if again, err := n.Checkpoint(t.Context(), 0); err != nil || string(again.Note) != string(first.Note) {
		t.Errorf("again: %+v, %v", again, err)
	}
	stop()

	l, _ = realLog(t, dir, 1)
	n = newNotary(t, Config{Log: l, Signer: signer})
	write(t, l, "demo", 5, last)
	second, err := n.Checkpoint(t.Context(), 0)
	if err != nil || second.Size != int64(last)+5 {
		t.Fatalf("%+v, %v", second, err)
	}
	checkProofs(t, n, l, "demo", &second.Checkpoint)
	checkProofs(t, n, l, "demo", &first.Checkpoint)
	if err := n.Fault(); err != nil {
		t.Error(err)
	}
}
