package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

const chunkBatch = 16 // chunks read at once

// objectReader reads an object's chunks from an offset on. A replica that lags
// is waited for; a chunk that is gone is ErrNotFound.
type objectReader struct {
	ctx    context.Context
	cancel context.CancelFunc
	bucket bucket
	object object
	getter getter
	next   uint64 // number of the next chunk to read, from 0
	seq    uint64 // the stream sequence it is at or behind
	skip   int    // bytes of it to leave out
	ready  [][]byte
}

// open reads from offset on; at the end or beyond it, nothing.
func (b bucket) open(ctx context.Context, o object, offset int64) (io.ReadCloser, error) {
	getter := b.log.newGetter(b.stream())
	ctx, cancel := context.WithCancel(ctx)
	r := &objectReader{ctx: ctx, cancel: cancel, bucket: b, object: o, getter: getter}
	if offset >= int64(o.Size) {
		r.next = uint64(o.Chunks)
		return r, nil
	}
	if o.Opts != nil && o.Opts.ChunkSize > 0 {
		r.next, r.skip = uint64(offset/int64(o.Opts.ChunkSize)), int(offset%int64(o.Opts.ChunkSize))
	}
	if r.next > 0 {
		if err := r.seek(); err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

// seek finds where chunk r.next is stored. Chunks of one object lie close
// together, so a step by as many sequences as chunks are missing never goes too far.
func (r *objectReader) seek() error {
	for at := uint64(0); ; {
		i, seq, err := r.peek(at)
		if err != nil {
			return err
		}
		switch {
		case i == r.next:
			r.seq = seq
			return nil
		case i > r.next:
			return fmt.Errorf("eventlog: object %s: chunk %d is gone", r.object.Name, r.next)
		}
		at = seq + r.next - i
	}
}

// peek gives number and sequence of the first chunk stored at seq or behind.
func (r *objectReader) peek(seq uint64) (i, at uint64, err error) {
	err = retry(r.ctx, r.bucket.log.patience, func(ctx context.Context) error {
		batch, err := r.getter.get(ctx, r.request(seq, 1))
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			return errors.Join(errBehind, r.missing())
		}
		if at, err = directSeq(batch[0].Header); err != nil {
			return err
		}
		i, err = r.number(batch[0].Header)
		return err
	})
	return i, at, err
}

// number is a chunk's number. One that was stored without has it by what comes
// behind it, if the replica that answered has all of the object.
func (r *objectReader) number(h nats.Header) (uint64, error) {
	if n := h.Get(headerChunk); n != "" {
		return strconv.ParseUint(n, 10, 64)
	}
	left, err := strconv.ParseUint(h.Get("Nats-Num-Pending"), 10, 64)
	return uint64(r.object.Chunks) - left - 1, err
}

func (r *objectReader) request(seq uint64, batch int) messageGet {
	return messageGet{Seq: max(seq, 1), NextFor: r.bucket.chunks(r.object.NUID), Batch: batch, MaxBytes: readBatchBytes}
}

func (r *objectReader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 {
		if r.next >= uint64(r.object.Chunks) {
			return 0, io.EOF
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.ready[0])
	if r.ready[0] = r.ready[0][n:]; len(r.ready[0]) == 0 {
		r.ready = r.ready[1:]
	}
	return n, nil
}

func (r *objectReader) fill() error {
	start := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		batch, err := r.getter.get(r.ctx, r.request(r.seq, chunkBatch))
		for _, msg := range batch {
			seq, err := directSeq(msg.Header)
			if err != nil {
				return err
			}
			data := msg.Data[min(r.skip, len(msg.Data)):]
			r.skip = max(0, r.skip-len(msg.Data))
			if len(data) > 0 {
				r.ready = append(r.ready, data)
			}
			r.seq = seq + 1
			r.next++
		}
		if len(batch) > 0 {
			return nil
		}
		if err == nil {
			err = r.missing()
		}
		if permanent(err) {
			return err
		}
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if time.Since(start) > r.bucket.log.patience {
			return fmt.Errorf("eventlog: object %s: chunk %d of %d does not come: %v", r.object.Name, r.next, r.object.Chunks, err)
		}
		if err := sleep(r.ctx, pause); err != nil {
			return err
		}
	}
}

// missing asks the leader for the chunk that a replica does not have:
// ErrNotFound if it is gone, because the object was deleted or replaced or its
// chunks were lost.
func (r *objectReader) missing() error {
	req := messageGet{Seq: max(r.seq, 1), NextFor: r.bucket.chunks(r.object.NUID)}
	if _, err := r.bucket.log.leaderGet(r.ctx, r.bucket.stream(), req); err != nil {
		return fmt.Errorf("eventlog: object %s, chunk %d of %d: %w", r.object.Name, r.next, r.object.Chunks, err)
	}
	return nil
}

// Close ends the reading. It is not to be called while Read runs.
func (r *objectReader) Close() error {
	r.cancel()
	return nil
}
