package eventlog

import (
	"context"
	"errors"
	"fmt"
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
// sequence, by the leader. ErrNotFound if there is none.
func (l *Log) LastCheckpoint(ctx context.Context, shard int) (note []byte, seq uint64, err error) {
	msg, err := l.leaderGet(ctx, checkpointStream, messageGet{LastFor: checkpointSubject(shard)})
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

// Checkpoints gives the stored checkpoints of a shard, in the order stored.
func (l *Log) Checkpoints(ctx context.Context, shard int) (notes [][]byte, err error) {
	_, last, err := l.LastCheckpoint(ctx, shard)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	get := l.newGetter(checkpointStream)
	for next := uint64(1); err == nil && next <= last; {
		err = retry(ctx, l.patience, func(ctx context.Context) error {
			batch, err := get.get(ctx, messageGet{Seq: next, NextFor: checkpointSubject(shard), Batch: readBatch, MaxBytes: readBatchBytes})
			if err == nil && len(batch) == 0 {
				err = errBehind // the replica that answered
			}
			for _, msg := range batch {
				seq, err := directSeq(msg.Header)
				if err != nil {
					return err
				}
				notes, next = append(notes, msg.Data), seq+1
			}
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("eventlog: checkpoints of shard %d: %w", shard, err)
	}
	return notes, nil
}
