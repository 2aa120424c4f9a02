package eventlog

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/snapback-io/snapback/domain"
)

// Headers of an announcement.
const (
	headerKind  = "Kind"
	headerEpoch = "Epoch"
	headerSeq   = "Seq"
	headerPrev  = "Prev"
	headerHash  = "Hash"

	kindRecord  = "record"
	kindVerdict = "verdict"
	kindHead    = "head"
)

// Announcement is news of a board on core NATS: at most once, in any order.
// Exactly one of the three is set.
type Announcement struct {
	Record  *Record         // just stored and known not to be void; Seq and Prev set
	Verdict *domain.Verdict // a stored verdict for somebody who asked again; Seq set
	Head    uint64          // the board's last sequence
}

// Announce sends an announcement to every subscriber of the board. It does not
// wait, and it fails when the log is not connected.
func (l *Log) Announce(board string, a Announcement) error {
	msg := &nats.Msg{Subject: liveSubject(board), Header: nats.Header{headerEpoch: {l.epoch}}}
	put := func(name, value string) { msg.Header[name] = []string{value} }
	switch {
	case a.Record != nil:
		put(headerKind, kindRecord)
		put(headerSeq, strconv.FormatUint(a.Record.Seq, 10))
		put(headerPrev, strconv.FormatUint(a.Record.Prev, 10))
		put(headerHash, a.Record.Hash.String())
		msg.Data = a.Record.Data
	case a.Verdict != nil:
		data, err := json.Marshal(a.Verdict)
		if err != nil {
			return fmt.Errorf("eventlog: announce: %w", err)
		}
		put(headerKind, kindVerdict)
		msg.Data = data
	default:
		put(headerKind, kindHead)
		put(headerSeq, strconv.FormatUint(a.Head, 10))
	}
	if err := l.live.PublishMsg(msg); err != nil {
		return fmt.Errorf("eventlog: announce: %w", err)
	}
	return nil
}

// Subscribe calls fn for every announcement of the board, one at a time, until
// stop is called. When it returns, the subscription is in force at the server:
// whatever is announced from then on arrives, unless lost. fn must not block,
// and may be called once more while stop returns.
func (l *Log) Subscribe(board string, fn func(Announcement)) (stop func(), err error) {
	sub, err := l.live.Subscribe(liveSubject(board), func(msg *nats.Msg) {
		if a, ok := l.announcement(board, msg); ok {
			fn(a)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("eventlog: subscribe: %w", l.closedOr(err))
	}
	stop = func() { _ = sub.Unsubscribe() }
	if err := l.live.FlushTimeout(askTimeout); err != nil {
		stop()
		return nil, fmt.Errorf("eventlog: subscribe: %w", l.closedOr(err))
	}
	return stop, nil
}

// announcement reads a message of another life of the log as none, and a
// record it cannot read as the head it says there is: the reader of the log
// then meets the error.
func (l *Log) announcement(board string, msg *nats.Msg) (a Announcement, ok bool) {
	if msg.Header.Get(headerEpoch) != l.epoch {
		return a, false
	}
	seq, err := strconv.ParseUint(msg.Header.Get(headerSeq), 10, 64)
	switch msg.Header.Get(headerKind) {
	case kindVerdict:
		a.Verdict = new(domain.Verdict)
		return a, json.Unmarshal(msg.Data, a.Verdict) == nil
	case kindHead:
		a.Head = seq
		return a, err == nil && seq > 0
	case kindRecord:
		if err != nil {
			return a, false
		}
		prev, err := strconv.ParseUint(msg.Header.Get(headerPrev), 10, 64)
		commit, hash, decodeErr := domain.DecodeCommit(msg.Data)
		if err != nil || decodeErr != nil || hash.String() != msg.Header.Get(headerHash) {
			l.log.Warn("announced record cannot be read", "board", board, "seq", seq, "err", decodeErr)
			a.Head = seq
			return a, true
		}
		a.Record = &Record{Board: board, Seq: seq, Prev: prev, Time: heardAt(commit), Data: msg.Data, Hash: hash, Commit: commit}
		return a, true
	}
	return a, false
}

// heardAt is the Time of an announced record: its At, but never later than its
// NotAfter, for it is known not to be void.
func heardAt(c *domain.Commit) time.Time {
	if c.VoidAt(c.At) {
		return c.NotAfter
	}
	return c.At
}
