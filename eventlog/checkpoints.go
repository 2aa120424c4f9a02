package eventlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Signed checkpoints of each shard's tree (package proof) lie in a stream of
// their own, in order on the subject of the shard. An append names the one
// before it, so that two who sign cannot part: who comes second takes the
// other's.

const checkpointStream = "CHECKPOINTS"

func checkpointSubject(shard int) string { return "chk." + strconv.Itoa(shard) }

func (l *Log) checkpointConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        checkpointStream,
		Description: "Signed checkpoints of each shard",
		Subjects:    []string{"chk.*"},
		Retention:   jetstream.LimitsPolicy,
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardNew,
		Replicas:    l.cfg.Replicas,
		DenyDelete:  true,
		DenyPurge:   true,
		AllowDirect: true,
	}
}

// LastCheckpoint gives the shard's newest checkpoint as it was appended and its
// sequence, by the leader. ErrNotFound if there is none, ErrUnreadable if the
// leader cannot read it.
func (l *Log) LastCheckpoint(ctx context.Context, shard int) (note []byte, seq uint64, err error) {
	msg, err := l.last(ctx, checkpointStream, checkpointSubject(shard))
	if err != nil {
		return nil, 0, fmt.Errorf("eventlog: checkpoint of shard %d: %w", shard, err)
	}
	return msg.Data, msg.Seq, nil
}

// AppendCheckpoint stores a shard's next checkpoint if the newest one is that
// at sequence after (0: none yet), and gives its sequence. It is as durable as
// an append. Errors: those of Append.
func (l *Log) AppendCheckpoint(ctx context.Context, shard int, note []byte, after uint64) (seq uint64, err error) {
	seq, err = l.publishExpecting(ctx, &nats.Msg{Subject: checkpointSubject(shard), Data: note, Header: nats.Header{
		headerExpected: {strconv.FormatUint(after, 10)},
	}})
	if err != nil {
		return 0, fmt.Errorf("eventlog: checkpoint of shard %d: %w", shard, err)
	}
	return seq, nil
}

// Checkpoints gives the stored checkpoints of a shard from sequence from up to
// and including sequence to (0: the newest at the call), in the order stored.
// The shard must have one at to or behind it. One that the server cannot read is
// left out. It ends with an error when it could not get so far, after 15 s
// without progress.
func (l *Log) Checkpoints(ctx context.Context, shard int, from, to uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		fail := func(err error) { yield(nil, fmt.Errorf("eventlog: checkpoints of shard %d: %w", shard, err)) }
		if to == 0 {
			_, last, err := l.LastCheckpoint(ctx, shard)
			if errors.Is(err, ErrNotFound) {
				return
			}
			if err != nil {
				fail(err)
				return
			}
			to = last
		}
		get := l.newGetter(checkpointStream)
		for next := max(from, 1); next <= to; {
			var batch []*nats.Msg
			err := retry(ctx, l.patience, func(ctx context.Context) (err error) {
				batch, err = get.get(ctx, messageGet{Seq: next, NextFor: checkpointSubject(shard), Batch: readBatch, MaxBytes: readBatchBytes})
				if err == nil && len(batch) == 0 {
					err = errBehind // the replica that answered
				}
				return err
			})
			if err != nil {
				fail(err)
				return
			}
			for _, msg := range batch {
				seq, err := directSeq(msg.Header)
				if err != nil {
					fail(err)
					return
				}
				if next = seq + 1; seq > to || !yield(msg.Data, nil) {
					return
				}
			}
		}
	}
}
