package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/snapback-io/snapback/test/naive"
)

// ReadLog reads the records of all boards straight from the streams of the
// servers that nc is connected to.
func ReadLog(ctx context.Context, nc *nats.Conn) ([]naive.Record, error) {
	var all []naive.Record
	err := eachStream(ctx, nc, func(s jetstream.Stream) error {
		_, list, err := readCopy(ctx, s, nil)
		all = append(all, list...)
		return err
	})
	return all, err
}

// Copies reads each copy of each stream of records, wherever it lies, and says
// where two differ; n is how many there are.
func Copies(ctx context.Context, nc *nats.Conn) (n int, faults []string, err error) {
	err = eachStream(ctx, nc, func(s jetstream.Stream) error {
		first, records, err := readCopy(ctx, s, nil)
		read := map[string]bool{first: true}
		for err == nil && len(read) < s.CachedInfo().Config.Replicas {
			var at string
			var list []naive.Record
			if at, list, err = readCopy(ctx, s, read); err != nil {
				err = fmt.Errorf("beside %s: %w", first, err)
				break
			}
			read[at] = true
			if d := different(records, list); d != "" {
				faults = append(faults, fmt.Sprintf("copies: %s at %s and %s: %s", s.CachedInfo().Config.Name, first, at, d))
			}
		}
		n += len(read)
		return err
	})
	return n, faults, err
}

// different says where two readings of a stream part, "": nowhere.
func different(a, b []naive.Record) string {
	for i := range min(len(a), len(b)) {
		if a[i].Seq != b[i].Seq || !a[i].Stored.Equal(b[i].Stored) || !bytes.Equal(a[i].Data, b[i].Data) {
			return fmt.Sprintf("record %d, stored at %s, is another than record %d, stored at %s", a[i].Seq, a[i].Stored, b[i].Seq, b[i].Stored)
		}
	}
	if len(a) != len(b) {
		return fmt.Sprintf("%d and %d records", len(a), len(b))
	}
	return ""
}

func eachStream(ctx context.Context, nc *nats.Conn, fn func(jetstream.Stream) error) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	names := js.StreamNames(ctx)
	for name := range names.Name() {
		if !strings.HasPrefix(name, "EVT_") {
			continue
		}
		s, err := js.Stream(ctx, name)
		if err == nil {
			err = fn(s)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return names.Err()
}

// placings is how often it is tried to read a copy at another place.
const placings = 100

// readCopy reads a stream at a server that is none of those not wanted. It says
// which: the one on which nats-server puts a consumer of one copy, by chance.
func readCopy(ctx context.Context, s jetstream.Stream, unwanted map[string]bool) (at string, list []naive.Record, err error) {
	info := s.CachedInfo()
	if state := info.State; state.Msgs != state.LastSeq {
		return "", nil, fmt.Errorf("%d records up to sequence %d", state.Msgs, state.LastSeq)
	}
	for range placings {
		c, err := s.CreateConsumer(ctx, jetstream.ConsumerConfig{
			DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Minute,
		})
		if err != nil {
			return "", nil, err
		}
		if group := c.CachedInfo().Cluster; group != nil {
			at = group.Leader
		}
		if !unwanted[at] {
			list, err = readAll(ctx, c, info.Config.Name, info.State.Msgs)
			if err != nil {
				err = fmt.Errorf("the copy at %s: %w", at, err)
			}
		}
		_ = s.DeleteConsumer(ctx, c.CachedInfo().Name) // or it ends by itself
		if !unwanted[at] || err != nil {
			return at, list, err
		}
	}
	return "", nil, fmt.Errorf("no consumer elsewhere than on %v", unwanted)
}

// pullExpiry is for how long a consumer is asked at a time.
const pullExpiry = 2 * time.Second

func readAll(ctx context.Context, c jetstream.Consumer, stream string, n uint64) (list []naive.Record, err error) {
	it, err := c.Messages(jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullExpiry/2))
	if err != nil {
		return nil, err
	}
	defer it.Stop()
	for uint64(len(list)) < n {
		msg, err := it.Next(jetstream.NextContext(ctx))
		if errors.Is(err, jetstream.ErrNoHeartbeat) {
			continue // asked before the server at hand had heard of the consumer, which is elsewhere
		}
		if err != nil {
			return nil, fmt.Errorf("%d of %d records: %w", len(list), n, err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return nil, err
		}
		r, err := naive.Decode(meta.Sequence.Stream, meta.Timestamp, msg.Data())
		if err != nil {
			return nil, err
		}
		if subject := "evt." + strings.TrimPrefix(stream, "EVT_") + "." + r.Board; msg.Subject() != subject {
			return nil, fmt.Errorf("record %d of %s is at %s", r.Seq, r.Board, msg.Subject())
		}
		list = append(list, r)
	}
	return list, nil
}
