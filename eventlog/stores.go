package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/snapback-io/snapback/domain"
)

const (
	snapshotBucket  = "snapback-snapshots"
	contentBucket   = "snapback-contents"
	directoryBucket = "snapback-directory"
)

func (l *Log) snapshots() bucket { return bucket{l, snapshotBucket} }
func (l *Log) contents() bucket  { return bucket{l, contentBucket} }

// ensureStores makes the buckets that are missing.
func (l *Log) ensureStores(ctx context.Context) error {
	for _, name := range []string{snapshotBucket, contentBucket} {
		cfg := jetstream.StreamConfig{
			Name:        "OBJ_" + name,
			Subjects:    []string{"$O." + name + ".C.>", "$O." + name + ".M.>"},
			Storage:     jetstream.FileStorage,
			Discard:     jetstream.DiscardNew,
			Replicas:    l.cfg.Replicas,
			AllowRollup: true,
			AllowDirect: true,
		}
		if name == snapshotBucket && l.cfg.Replicas == 1 {
			cfg.PersistMode = jetstream.AsyncPersistMode // disposable: no fsync for them
		}
		if _, err := l.ensureStream(ctx, cfg); err != nil {
			return err
		}
	}
	_, err := l.ensureStream(ctx, jetstream.StreamConfig{
		Name:              directoryStream,
		Subjects:          []string{directoryPrefix + ">"},
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardNew,
		Replicas:          l.cfg.Replicas,
		MaxMsgsPerSubject: 1,
		DenyDelete:        true,
		AllowRollup:       true,
		AllowDirect:       true,
	})
	return err
}

// Snapshot is a board's encoded state at a sequence.
type Snapshot struct {
	Seq  uint64
	Hash domain.Hash // of the commit at Seq; use only if the log agrees
	Data []byte
}

// PutSnapshot keeps s as the board's only snapshot.
func (l *Log) PutSnapshot(ctx context.Context, board string, s Snapshot) error {
	data, err := compressed(s.Data)
	if err == nil {
		_, err = l.snapshots().put(ctx, board, map[string]string{
			"epoch": l.epoch,
			"seq":   strconv.FormatUint(s.Seq, 10),
			"hash":  s.Hash.String(),
		}, data)
	}
	if err != nil {
		return fmt.Errorf("eventlog: snapshot of board %s: %w", board, err)
	}
	return nil
}

// GetSnapshot gives the board's snapshot if it is of this epoch. ErrNotFound if there is none.
func (l *Log) GetSnapshot(ctx context.Context, board string) (Snapshot, error) {
	s, err := l.getSnapshot(ctx, board)
	if errors.Is(err, ErrNotFound) { // perhaps it was replaced while it was read
		s, err = l.getSnapshot(ctx, board)
	}
	if err != nil {
		return Snapshot{}, fmt.Errorf("eventlog: snapshot of board %s: %w", board, err)
	}
	return s, nil
}

func (l *Log) getSnapshot(ctx context.Context, board string) (s Snapshot, err error) {
	o, err := l.snapshots().info(ctx, board)
	if err != nil {
		return s, err
	}
	if o.Metadata["epoch"] != l.epoch {
		return s, ErrNotFound
	}
	if s.Seq, err = strconv.ParseUint(o.Metadata["seq"], 10, 64); err != nil {
		return s, err
	}
	if err = s.Hash.UnmarshalText([]byte(o.Metadata["hash"])); err != nil {
		return s, err
	}
	r, err := l.snapshots().open(ctx, o, 0)
	if err != nil {
		return s, err
	}
	defer r.Close()
	s.Data, err = decompress(r)
	return s, err
}

// PutContent stores a file's bytes under a new upload id and gives their size
// and SHA-256. More than limit bytes: ErrTooLarge, and nothing is kept. Nothing
// is kept either when r fails or ctx ends. When it returns nil the bytes are as
// durable as an append.
func (l *Log) PutContent(ctx context.Context, object string, r io.Reader, limit int64) (size int64, sha256 string, err error) {
	o, err := l.contents().put(ctx, object, nil, &limited{r, limit})
	if err != nil {
		return 0, "", fmt.Errorf("eventlog: content %s: %w", object, err)
	}
	sha256, err = o.sha256Hex()
	return int64(o.Size), sha256, err
}

// limited fails with ErrTooLarge when its reader has more than left bytes.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}

// OpenContent opens a file's bytes from offset on. ErrNotFound if there is no
// such object. The reader ends with ctx; it is not safe for concurrent use.
func (l *Log) OpenContent(ctx context.Context, object string, offset int64) (io.ReadCloser, error) {
	o, err := l.contents().info(ctx, object)
	if err != nil {
		return nil, fmt.Errorf("eventlog: content %s: %w", object, err)
	}
	return l.contents().open(ctx, o, offset)
}

// DeleteContent removes an object that no event names. Unknown objects are fine.
func (l *Log) DeleteContent(ctx context.Context, object string) error {
	if err := l.contents().remove(ctx, object); err != nil {
		return fmt.Errorf("eventlog: content %s: %w", object, err)
	}
	return nil
}
