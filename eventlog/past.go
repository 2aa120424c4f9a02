package eventlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/snapback-io/snapback/domain"
)

// Past snapshots are kept for ever, so that a look at a board as it was need
// not fold its history from the beginning: past.<board>.<sequence>, bare
// (domain.Still.Bare), compressed, and else like the board's own snapshot. They
// may be thrown away: looks take longer then.

const (
	pastStream = "PAST"
	pastPrefix = "past."
)

// PastEvery is the weight of history (domain.Still.Weight) between two past
// snapshots of a board: to fold so much takes some 30 ms, and 500 cards without
// long texts take a hundredth of what their log does.
const PastEvery = 2048

// Those of large boards lie farther apart, that they take a tenth of the log, a
// record being some 600 bytes and a past snapshot half its size on disk; but not
// so far that a look takes much longer than to read the board itself.
const (
	pastBytes = 128 // of a past snapshot, for each of the weight that follows
	pastMost  = 8 * PastEvery
)

// NextPast is the weight that a board has when the past snapshot after s is
// due; of the zero Snapshot, its first.
func (s *Snapshot) NextPast() uint64 {
	return s.Weight + min(max(uint64(len(s.Data))/pastBytes, PastEvery), pastMost)
}

func (l *Log) pastConfig() jetstream.StreamConfig {
	return l.disposable(pastStream, pastPrefix+">", "Encoded boards as they were, some of each")
}

func pastSubject(board string, seq uint64) string {
	return pastPrefix + board + "." + strconv.FormatUint(seq, 10)
}

// packed compresses past snapshots; made when the first one is.
var packed = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
})

var unpacked = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPast))
})

// maxPast is how large a past snapshot may be, bytes: the largest board takes
// about a tenth of it.
const maxPast = 1 << 30

// PutPast keeps s beside the board's other past snapshots; one at the same
// sequence makes room. It does not keep s.Data.
func (l *Log) PutPast(ctx context.Context, board string, s Snapshot) error {
	enc, err := packed()
	if err == nil {
		s.Data = enc.EncodeAll(s.Data, nil)
		err = l.putSnapshot(ctx, pastSubject(board, s.Seq), s, l.MaxRecord())
	}
	if err != nil {
		return fmt.Errorf("eventlog: past snapshot %d of board %s: %w", s.Seq, board, err)
	}
	return nil
}

// Pasts gives the sequences at which there are past snapshots of a board,
// ascending. Some may be of another epoch, or damaged.
func (l *Log) Pasts(ctx context.Context, board string) ([]uint64, error) {
	subjects, err := l.subjects(ctx, pastStream, pastPrefix+board+".*")
	if err != nil {
		return nil, fmt.Errorf("eventlog: past snapshots of board %s: %w", board, err)
	}
	list := make([]uint64, 0, len(subjects))
	gen := l.home(board).gen // those from before it moved are of no use
	for _, subject := range subjects {
		if seq, err := strconv.ParseUint(lastToken(subject), 10, 64); err == nil && Generation(seq) == gen {
			list = append(list, seq)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// dropPasts removes the past snapshots from before a board moved.
func (l *Log) dropPasts(ctx context.Context, board string, gen int) error {
	subjects, err := l.subjects(ctx, pastStream, pastPrefix+board+".*")
	for _, subject := range subjects {
		if seq, bad := strconv.ParseUint(lastToken(subject), 10, 64); bad != nil || Generation(seq) >= gen {
			continue
		}
		if err = l.api(ctx, "STREAM.PURGE."+pastStream, map[string]string{"filter": subject}, new(answer)); err != nil {
			break
		}
	}
	return err
}

// Past gives the past snapshot of a board at seq if it is of this epoch and can
// be read: else ErrNotFound.
func (l *Log) Past(ctx context.Context, board string, seq uint64) (Snapshot, error) {
	s, err := l.getSnapshot(ctx, pastSubject(board, seq))
	if err == nil && s.Seq != seq {
		err = fmt.Errorf("%w: it says it is of %d", ErrNotFound, s.Seq)
	}
	if err == nil {
		var dec *zstd.Decoder
		if dec, err = unpacked(); err == nil {
			if s.Data, err = dec.DecodeAll(s.Data, nil); err != nil {
				err = fmt.Errorf("%w: %w", ErrNotFound, err)
			}
		}
	}
	if err != nil {
		return Snapshot{}, fmt.Errorf("eventlog: past snapshot %d of board %s: %w", seq, board, err)
	}
	return s, nil
}

// PastSource is what LoadBoardAt reads: a Log, or a fake of one.
type PastSource interface {
	Source
	Pasts(ctx context.Context, board string) ([]uint64, error)
	Past(ctx context.Context, board string, seq uint64) (Snapshot, error)
}

// PastBefore gives the newest past snapshot of a board at or before seq that
// can be read. ErrNotFound if there is none. Use it only if the log agrees.
func PastBefore(ctx context.Context, src interface {
	Pasts(ctx context.Context, board string) ([]uint64, error)
	Past(ctx context.Context, board string, seq uint64) (Snapshot, error)
}, board string, seq uint64) (Snapshot, error) {
	list, err := src.Pasts(ctx, board)
	if err != nil {
		return Snapshot{}, err
	}
	for _, at := range slices.Backward(list) {
		if at > seq {
			continue
		}
		if s, err := src.Past(ctx, board, at); !errors.Is(err, ErrNotFound) {
			return s, err
		}
	}
	return Snapshot{}, fmt.Errorf("%w: a past snapshot of board %s", ErrNotFound, board)
}

// LoadBoardAt folds a board up to its record at seq, 0: none, from the nearest
// snapshot before it with which the log agrees. The board is one to look at and
// to fold on, not to decide on.
func LoadBoardAt(ctx context.Context, src PastSource, board string, seq uint64) (*domain.Board, error) {
	if seq == 0 {
		return domain.NewBoard(board), nil
	}
	list, err := src.Pasts(ctx, board)
	if err != nil {
		return nil, err
	}
	n, _ := slices.BinarySearch(list, seq+1) // so many are not beyond it
	if n == len(list) {                      // else the present one is
		if b, err := presentAt(ctx, src, board, seq); b != nil || err != nil {
			return b, err
		}
	}
	for _, at := range slices.Backward(list[:n]) {
		snap, err := src.Past(ctx, board, at)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if b, err := goOnTo(ctx, src, decoded(board, snap), seq); b != nil || err != nil {
			return b, err
		}
	}
	b := domain.NewBoard(board)
	return b, foldTo(ctx, src, b, 1, seq)
}

// presentAt is LoadBoardAt from what there is of the board at its head or near
// it, nil if that is beyond seq.
func presentAt(ctx context.Context, src PastSource, board string, seq uint64) (*domain.Board, error) {
	if still := src.Kept(board); still != nil {
		if at, _ := still.Head(); at <= seq && seq-at <= keptLag {
			if b, err := goOnTo(ctx, src, still.Board(), seq); b != nil || err != nil {
				return b, err
			}
		}
	}
	snap, err := src.GetSnapshot(ctx, board)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil || snap.Seq == 0 || snap.Seq > seq {
		return nil, nil // whatever is wrong with it, there are others
	}
	return goOnTo(ctx, src, decoded(board, snap), seq)
}

// decoded is the board that a snapshot holds, nil if it is another one or damaged.
func decoded(board string, snap Snapshot) *domain.Board {
	b, err := domain.LoadSnapshot(snap.Data)
	if err != nil || b.ID() != board {
		return nil
	}
	if seq, hash, _ := b.Head(); seq != snap.Seq || hash != snap.Hash {
		return nil
	}
	return b
}

// goOnTo folds what came since upon b, up to seq; nil when the log has another
// record where b stands, or the fold fails: then b is not what it seems.
func goOnTo(ctx context.Context, src Source, b *domain.Board, seq uint64) (*domain.Board, error) {
	if b == nil {
		return nil, nil
	}
	from, hash, _ := b.Head()
	agreed := false
	for r, err := range src.Read(ctx, b.ID(), from, seq) {
		if err != nil {
			return nil, err
		}
		switch {
		case agreed:
			if b.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil) != nil {
				return nil, nil
			}
		case r.Seq != from || r.Hash != hash:
			return nil, nil
		default:
			agreed = true
		}
	}
	if !agreed {
		return nil, nil
	}
	return b, nil
}

// foldTo folds the records from one sequence to another upon b.
func foldTo(ctx context.Context, src Source, b *domain.Board, from, to uint64) error {
	for r, err := range src.Read(ctx, b.ID(), from, to) {
		if err != nil {
			return err
		}
		if err := b.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil); err != nil {
			return fmt.Errorf("eventlog: fold of board %s at %d: %w", b.ID(), r.Seq, err)
		}
	}
	return nil
}

// PastOf encodes a board as a past snapshot, upon buf.
func PastOf(still *domain.Still, buf []byte) (Snapshot, error) {
	data, err := still.Bare().Append(buf)
	seq, hash := still.Head()
	return Snapshot{Seq: seq, Hash: hash, Data: data, Weight: still.Weight()}, err
}
