package eventlog

import (
	"context"
	"fmt"
	"io"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	contentBucket   = "snapback-contents"
	directoryBucket = "snapback-directory"
)

func (l *Log) contents() bucket { return bucket{l, contentBucket} }

// ensureStores makes the streams of the stores that are missing.
func (l *Log) ensureStores(ctx context.Context) error {
	for _, cfg := range []jetstream.StreamConfig{l.snapshotConfig(), l.pastConfig()} {
		if _, err := l.ensureStream(ctx, cfg); err != nil {
			return err
		}
	}
	_, err := l.ensureStream(ctx, jetstream.StreamConfig{
		Name:        l.contents().stream(),
		Subjects:    []string{"$O." + contentBucket + ".C.>", "$O." + contentBucket + ".M.>"},
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardNew,
		Replicas:    l.cfg.Replicas,
		AllowRollup: true,
		AllowDirect: true,
	})
	if err != nil {
		return err
	}
	_, err = l.ensureStream(ctx, jetstream.StreamConfig{
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

// PutContent stores a file's bytes under a new upload id and gives their size
// and SHA-256. More than limit bytes: ErrTooLarge, and nothing is kept. Nothing
// is kept either when r fails or ctx ends. When it returns nil the bytes are as
// durable as an append.
func (l *Log) PutContent(ctx context.Context, object string, r io.Reader, limit int64) (size int64, sha256 string, err error) {
	o, err := l.contents().put(ctx, object, nil, &limited{r, limit, l.disksFull})
	if err != nil {
		return 0, "", fmt.Errorf("eventlog: content %s: %w", object, err)
	}
	sha256, err = o.sha256Hex()
	return int64(o.Size), sha256, err
}

// limited fails with ErrTooLarge when its reader has more than left bytes, and
// when full does.
type limited struct {
	r    io.Reader
	left int64
	full func() error
}

func (l *limited) Read(p []byte) (int, error) {
	if err := l.full(); err != nil {
		return 0, err
	}
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
