// Package notary makes the log tamper-evident while it grows: it extends the
// Merkle tree of each shard by the records that have come, and signs its root.
// It signs nothing that contradicts what was signed before.
package notary

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
)

// Log is what a Notary reads and writes of an [eventlog.Log]; the methods are
// documented there.
type Log interface {
	Epoch() string
	Shards() int
	Shard(board string) int
	ShardState(ctx context.Context, shard int) (eventlog.ShardState, error)
	Entries(ctx context.Context, shard int, from, to uint64) iter.Seq2[eventlog.Entry, error]
	LastCheckpoint(ctx context.Context, shard int) (note []byte, seq uint64, err error)
	Checkpoints(ctx context.Context, shard int, from, to uint64) iter.Seq2[[]byte, error]
	AppendCheckpoint(ctx context.Context, shard int, note []byte, after uint64) (seq uint64, err error)
	GetTile(ctx context.Context, shard, level int, n int64) ([]byte, error)
	PutTile(ctx context.Context, shard int, t proof.Tile) error
}

// Config of a Notary.
type Config struct {
	Log Log // required
	// Signer signs; nil: what others have signed is read, unchecked, and nothing
	// is signed.
	Signer *proof.Signer
	// Every is how often each shard gets a checkpoint if it has new records.
	// Default 1 min.
	Every time.Duration
	// Dir is a directory for a copy of each shard's newest checkpoint, best on
	// another disk or machine; "": none.
	Dir string
	// Logger for what goes wrong. Default slog.Default().
	Logger *slog.Logger
}

const defaultEvery = time.Minute

// Errors of a Notary.
var (
	// ErrNoKey: there is no key to sign with.
	ErrNoKey = errors.New("notary: no key to sign with")
	// ErrNone: the shard has no checkpoint, as it has no record.
	ErrNone = errors.New("notary: no checkpoint yet")
)

// Signed is a checkpoint with the note that says so.
type Signed struct {
	proof.Checkpoint
	Note []byte // not to be changed
}

// Notary signs checkpoints and heads. Safe for concurrent use; several may work
// on one log.
type Notary struct {
	cfg    Config
	log    *slog.Logger
	shards []*shard

	unreadable atomic.Int64
}

// shard is what a Notary knows of one shard.
type shard struct {
	mu    sync.Mutex
	index int
	last  Signed // the newest checkpoint; no Note: none of this epoch
	tree  *proof.Tree
	leaf  tlog.Hash // the last one of tree
	filed int64     // size of the checkpoint in Dir

	// What is stored last, and where: last, or what is of another epoch or cannot
	// be read. nil: nothing yet.
	newest []byte
	seq    uint64

	covered atomic.Int64 // when a checkpoint last covered all there was, by All; nanoseconds since 1970

	faultMu sync.Mutex
	fault   error // the log contradicts what was signed: nothing is signed any more
}

// New makes a Notary; it reads nothing yet.
func New(cfg Config) (*Notary, error) {
	if cfg.Log == nil {
		return nil, errors.New("notary: no log")
	}
	if cfg.Every == 0 {
		cfg.Every = defaultEvery
	}
	if cfg.Every < 0 {
		return nil, fmt.Errorf("notary: Every is %v", cfg.Every)
	}
	if cfg.Dir != "" && cfg.Signer == nil {
		return nil, errors.New("notary: Dir without a Signer")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	n := &Notary{cfg: cfg, log: cfg.Logger}
	for i := range cfg.Log.Shards() {
		n.shards = append(n.shards, &shard{index: i})
	}
	return n, nil
}

// Shards is how many trees there are.
func (n *Notary) Shards() int { return len(n.shards) }

// Public is the key that checks what is signed, in one line; "" without a Signer.
func (n *Notary) Public() string {
	if n.cfg.Signer == nil {
		return ""
	}
	return n.cfg.Signer.Public()
}

// Run makes a checkpoint of each shard that has new records, every so often,
// until ctx ends.
func (n *Notary) Run(ctx context.Context) {
	tick := time.NewTicker(n.cfg.Every)
	defer tick.Stop()
	for {
		n.All(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// All makes a checkpoint of each shard that has new records, and logs what goes wrong.
func (n *Notary) All(ctx context.Context) {
	for i := range n.shards {
		_, err := n.Checkpoint(ctx, i)
		switch {
		case err == nil, errors.Is(err, ErrNone):
			n.shards[i].covered.Store(time.Now().UnixNano())
		case ctx.Err() != nil:
		case errors.Is(err, proof.ErrContradiction):
			n.log.Error("TAMPERING? nothing is signed for this shard any more", "shard", i, "error", err, "do", "snapback audit verify")
		default:
			n.log.Warn("no checkpoint, trying again", "shard", i, "error", err, "in", n.cfg.Every)
		}
	}
}

// Age is the time since All last found everything covered by a checkpoint, of the
// shard where that is longest ago; 0 before All has been through them once.
func (n *Notary) Age(now time.Time) (oldest time.Duration) {
	for _, s := range n.shards {
		if at := s.covered.Load(); at != 0 {
			oldest = max(oldest, now.Sub(time.Unix(0, at)))
		}
	}
	return oldest
}

// Latest gives the shard's newest checkpoint. Errors: ErrNone.
func (n *Notary) Latest(ctx context.Context, shard int) (Signed, error) {
	s := n.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := n.adopt(ctx, s); err != nil {
		return Signed{}, s.note(err)
	}
	if s.last.Note == nil {
		return Signed{}, ErrNone
	}
	return s.last, nil
}

// Checkpoint gives a checkpoint of the shard that covers every record it had at
// the call, and signs one if there is none. Errors: ErrNone, ErrNoKey, and
// [proof.ErrContradiction] when the log is not a continuation of what was
// signed; nothing is signed for the shard from then on.
func (n *Notary) Checkpoint(ctx context.Context, shard int) (Signed, error) {
	if n.cfg.Signer == nil {
		return Signed{}, ErrNoKey
	}
	s := n.shards[shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	signed, err := n.checkpoint(ctx, s)
	if err != nil {
		s.tree = nil // it may be ahead of what is signed
	}
	return signed, s.note(err)
}

// Covering gives a checkpoint of the board's shard that covers sequence seq,
// the newest one if it does. Errors: those of Checkpoint.
func (n *Notary) Covering(ctx context.Context, board string, seq uint64) (Signed, error) {
	shard := n.cfg.Log.Shard(board)
	signed, err := n.Latest(ctx, shard)
	if err == nil && uint64(signed.Size) >= seq {
		return signed, nil
	}
	if err != nil && !errors.Is(err, ErrNone) {
		return Signed{}, err
	}
	return n.Checkpoint(ctx, shard)
}

// Head signs how far a board has come, as b has it. b must not change meanwhile.
// Errors: ErrNoKey.
func (n *Notary) Head(b *domain.Board) ([]byte, error) {
	if n.cfg.Signer == nil {
		return nil, ErrNoKey
	}
	seq, hash, _ := b.Head()
	h := proof.Head{
		Board: b.ID(), Epoch: n.cfg.Log.Epoch(), Seq: seq, Rev: b.Rev(), Hash: hash,
		State: b.StateHash(), Time: time.Now(),
	}
	return n.cfg.Signer.Sign(h.Text())
}

// Epoch of the log.
func (n *Notary) Epoch() string { return n.cfg.Log.Epoch() }

// Fault says which shards contradict what was signed, nil if none does.
func (n *Notary) Fault() error {
	var faults []error
	for _, s := range n.shards {
		s.faultMu.Lock()
		faults = append(faults, s.fault)
		s.faultMu.Unlock()
	}
	return errors.Join(faults...)
}

// note remembers a contradiction.
func (s *shard) note(err error) error {
	if errors.Is(err, proof.ErrContradiction) {
		s.faultMu.Lock()
		s.fault = err
		s.faultMu.Unlock()
	}
	return err
}

func (s *shard) contradiction(format string, args ...any) error {
	return fmt.Errorf("notary: shard %d: %w: %s", s.index, proof.ErrContradiction, fmt.Sprintf(format, args...))
}
