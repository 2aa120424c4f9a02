package tamper

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/verify"
	"github.com/snapback-io/snapback/projector/verify/verifytest"
)

const (
	stream       = "EVT_0"
	headerHash   = "Nats-Msg-Id"
	headerBefore = "Nats-Expected-Last-Subject-Sequence"
)

// kept is what somebody took from the log before it was changed, and keeps
// elsewhere.
type kept struct {
	epoch      string
	checkpoint []byte
	heads      map[string][]byte
	hashes     proof.Hashes
	keys       []note.Verifier
}

// world is a log of two boards in one shard, on disk.
type world struct {
	dir  string // of the server that wrote it
	kept kept
	// Sequences of board a: an accepted rename, one of another card behind it, a
	// refusal, a void record, the one that decides its command again.
	rename, next, refused, void, redo uint64
	lastA, last                       uint64 // the last of board a, and of all
}

var quiet = slog.New(slog.DiscardHandler)

func start(t testing.TB, dir string) (*eventlog.Log, func()) {
	t.Helper()
	server, err := natsd.Start(natsd.Config{StoreDir: dir, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	log, err := eventlog.Open(ctx, eventlog.Config{InProcess: server, Shards: 1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() { log.Close(); server.Shutdown() })
	t.Cleanup(stop)
	return log, stop
}

// scribe writes a board to a log, by the machine's clock.
func scribe(t testing.TB, log *eventlog.Log, board string, seed uint64) *verifytest.Scribe {
	s := verifytest.New(board, seed)
	s.Clock = func() time.Time { return time.Now().UTC() }
	s.Store = func(data []byte, hash domain.Hash, prev uint64, _, _ time.Time, _ bool) (uint64, time.Time) {
		seq, err := log.Append(context.Background(), board, data, hash, prev)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := log.Get(context.Background(), board, seq)
		if err != nil {
			t.Fatal(err)
		}
		return seq, rec.Time
	}
	return s
}

var built = sync.OnceValues(func() (*world, error) {
	dir, err := os.MkdirTemp("", "snapback-tamper")
	return &world{dir: dir}, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if w, err := built(); err == nil {
		os.RemoveAll(w.dir)
	}
	os.Exit(code)
}

var building sync.Once

// build writes the log, once for all tests.
func build(t testing.TB) *world {
	t.Helper()
	w, err := built()
	if err != nil {
		t.Fatal(err)
	}
	building.Do(func() { w.write(t) })
	if w.kept.checkpoint == nil {
		t.Fatal("there is no log")
	}
	return w
}

func (w *world) write(t testing.TB) {
	log, stop := start(t, w.dir)
	a, b := scribe(t, log, "a", 1).Start(), scribe(t, log, "b", 2).Start()
	head := func() uint64 { seq, _, _ := a.Board.Head(); return seq }
	change := func(id, field, value string) domain.Change {
		return domain.Change{EntityID: id, Patch: domain.Patch{field: value}}
	}
	for i := range 3 {
		a.Commit(false, a.Ask("ann", domain.Change{EntityID: fmt.Sprint("k", i), Patch: domain.Patch{"kind": "card", "title": "card", "columnId": "column0"}}))
		b.Run(3)
	}
	a.Commit(false, a.Ask("ann", change("k0", "title", "Pay Eve 100")))
	w.rename = head()
	b.Run(1)
	a.Commit(false, a.Ask("ann", change("k1", "title", "Another")))
	w.next = head()
	b.Run(2)
	if c := a.Commit(false, a.Ask("viewer", change("k0", "title", "Pay Eve 900"))); c.Decisions[0].Rejection == nil {
		t.Fatal("not refused")
	}
	w.refused = head()
	b.Run(1)
	a.Commit(false, a.Ask("ann", change("k1", "title", "Yet another")))
	late := a.Ask("ann", change("k2", "title", "Too late"))
	late.ReceivedAt, late.Deadline = late.ReceivedAt.Add(-10*time.Second), late.Deadline.Add(-10*time.Second)
	a.Now = a.Now.Add(-9 * time.Second)
	a.Commit(false, late)
	if w.void = head(); a.Board.Get("k2").Fields.String("title") != "card" {
		t.Fatal("not void")
	}
	b.Run(2)
	late.Deadline = time.Now().Add(10 * time.Second).UTC()
	a.Now = time.Now().UTC()
	a.Commit(false, late)
	w.redo = head()
	b.Run(5)
	a.Run(5)
	b.Run(1)
	w.lastA, w.last = head(), b.Log[len(b.Log)-1].Seq
	w.keep(t, log, a.Board, b.Board)
	stop()
}

// keep signs a checkpoint and heads, and takes the hashes of the tree.
func (w *world) keep(t testing.TB, log *eventlog.Log, boards ...*domain.Board) {
	private, _, err := proof.NewKey(rand.Reader, "tamper")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := proof.ParseSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	w.kept = kept{epoch: log.Epoch(), heads: map[string][]byte{}, hashes: proof.Hashes{}, keys: []note.Verifier{signer.Verifier()}}
	var tree proof.Tree
	next := int64(0)
	for e, err := range entries(t, log) {
		if err != nil {
			t.Fatal(err)
		}
		leaf := proof.Leaf{Board: e.Board, Seq: e.Seq, Time: e.Time, Hash: e.Hash}
		more, err := tlog.StoredHashes(tree.Size(), leaf.Bytes(), w.kept.hashes)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range more {
			w.kept.hashes[next] = h
			next++
		}
		tree.Append(leaf.TreeHash(), nil)
	}
	c := proof.Checkpoint{Epoch: log.Epoch(), Size: tree.Size(), Root: tree.Root(), Time: time.Now()}
	if w.kept.checkpoint, err = signer.Sign(c.Text()); err != nil {
		t.Fatal(err)
	}
	for _, b := range boards {
		seq, hash, _ := b.Head()
		h := proof.Head{Board: b.ID(), Epoch: log.Epoch(), Seq: seq, Rev: b.Rev(), Hash: hash, State: b.StateHash(), Time: time.Now()}
		if w.kept.heads[b.ID()], err = signer.Sign(h.Text()); err != nil {
			t.Fatal(err)
		}
	}
}

func entries(t testing.TB, log *eventlog.Log) func(func(eventlog.Entry, error) bool) {
	t.Helper()
	state, err := log.ShardState(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return log.Entries(t.Context(), 0, 1, state.Last)
}

// change copies the log, changes the copy's messages, and gives where it is.
func (w *world) change(t testing.TB, keepIndex bool, do func(list []Message) []Message) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "store"), os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "store")
	list, err := Read(dir, stream)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, stream, do(list), keepIndex); err != nil {
		t.Fatal(err)
	}
	return dir
}

// audit is what an auditor finds in a log: by its records alone, and by what
// was kept.
func (w *world) audit(t testing.TB, log *eventlog.Log) (alone, byKept []verify.Finding) {
	t.Helper()
	cp, err := proof.OpenCheckpoint(w.kept.checkpoint, w.kept.keys...)
	if err != nil {
		t.Fatal(err)
	}
	for _, pinned := range []bool{false, true} {
		var found []verify.Finding
		report := func(f verify.Finding) { found = append(found, f) }
		cfg := verify.ShardConfig{Epoch: log.Epoch(), Keys: w.kept.keys, Report: report}
		if pinned {
			cfg.Checkpoints = verifytest.Notes(w.kept.checkpoint)
		}
		shard, err := verify.Shard(cfg, entries(t, log))
		if err != nil {
			t.Fatal(err)
		}
		for _, board := range []string{"a", "b"} {
			cfg := verify.Config{Board: board, Epoch: log.Epoch(), Keys: w.kept.keys, Report: report}
			if pinned {
				cfg.Proofs, cfg.Pinned = true, []proof.Checkpoint{cp}
			}
			v := verify.New(cfg)
			if pinned {
				v.Hashes(w.kept.hashes)
				v.Head(w.kept.heads[board])
			}
			for raw, err := range log.ReadRaw(t.Context(), board, 1, shard.Boards[board].Last) {
				if err != nil {
					t.Fatal(err)
				}
				v.Record(verify.Of(raw))
			}
			sum := v.Finish()
			if f := shard.Boards[board].Check(&sum); f != nil {
				report(*f)
			}
		}
		if !pinned {
			alone = found
			continue
		}
		for _, f := range found {
			if !slices.Contains(alone, f) {
				byKept = append(byKept, f)
			}
		}
	}
	return alone, byKept
}

// said gives "kind board@seq" of findings.
func said(found []verify.Finding) string {
	var list []string
	for _, f := range found {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s@%d", f.Kind, f.Board, f.Seq)))
	}
	return strings.Join(slices.Compact(list), ", ")
}
