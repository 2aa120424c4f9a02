package verify

import (
	"context"
	"errors"
	"iter"
	"strconv"

	"github.com/snapback-io/snapback/eventlog"
)

// Of is a message of a log as a record.
func Of(raw eventlog.Raw) Record {
	prev, err := strconv.ParseUint(raw.Expected, 10, 64)
	if err != nil {
		prev = raw.Seq // which nothing follows: it is out of order
	}
	return Record{Seq: raw.Seq, Prev: prev, Time: raw.Time, Hash: raw.MsgID, Data: raw.Data}
}

// RawLog is what Board needs of an eventlog.Log.
type RawLog interface {
	ReadRaw(ctx context.Context, board string, from, to uint64) iter.Seq2[eventlog.Raw, error]
}

// Board verifies a board's records in a log up to sequence to (0: its head by
// the leader at the call). An error says that they could not be read so far,
// for another reason than that the log has one that cannot be read, which is a
// finding; what was found before stands.
func Board(ctx context.Context, log RawLog, to uint64, cfg Config) (Summary, error) {
	v := New(cfg)
	for raw, err := range log.ReadRaw(ctx, cfg.Board, 1, to) {
		if errors.Is(err, eventlog.ErrUnreadable) {
			v.report(KindGap, to, "%v", err)
			return v.Finish(), nil
		}
		if err != nil {
			return v.Finish(), err
		}
		v.Record(Of(raw))
	}
	if v.sum.Records == 0 {
		v.report(KindCount, 0, "the log has no record of it")
	}
	return v.Finish(), nil
}
