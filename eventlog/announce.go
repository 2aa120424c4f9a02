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
	// headerStored is for measuring only, nanoseconds since 1970.
	headerStored = "Stored"
	// headerTraces are the traceparents of the decisions that are traced, each
	// behind its place in the record: "0=00-...-01,7=00-...-01".
	headerTraces = "Traces"

	kindRecord  = "record"
	kindVerdict = "verdict"
	kindHead    = "head"
)

// Announcement is news of a board: at most once, in any order. Exactly one of
// the three is set. What it points to is shared by everybody who hears it, with
// whoever announced it: nobody changes it any more.
type Announcement struct {
	Record  *Record         // just stored and known not to be void; whole but for Time
	Verdict *domain.Verdict // a stored verdict for somebody who asked again; Seq set
	Head    uint64          // the board's last sequence
}

// Announce tells every subscriber of the board. Those of this Log have heard it
// when it returns; others hear it over NATS, for which it does not wait. It
// fails when the log is not connected.
func (l *Log) Announce(board string, a Announcement) error {
	if a.Record != nil {
		r := *a.Record
		r.Time = heardAt(r.Commit)
		a.Record = &r
	}
	own := l.listeners.tell(board, a)
	subject := liveSubject(board)
	if l.onlyOwn(subject, own) {
		return nil
	}
	msg, err := l.message(subject, a)
	if err == nil {
		err = l.live.PublishMsg(msg)
	}
	if err != nil {
		return fmt.Errorf("eventlog: announce: %w", err)
	}
	return nil
}

// onlyOwn says whether the server knows of nobody who would hear a message but
// own subscriptions of this Log. Only an embedded server can tell.
func (l *Log) onlyOwn(subject string, own int) bool {
	server, tells := l.cfg.InProcess.(interface{ Interest(subject string) int })
	return tells && l.live.IsConnected() && server.Interest(subject) <= own
}

// message is an announcement for other nodes.
func (l *Log) message(subject string, a Announcement) (*nats.Msg, error) {
	msg := &nats.Msg{Subject: subject, Header: nats.Header{headerEpoch: {l.epoch}}}
	put := func(name, value string) { msg.Header[name] = []string{value} }
	switch {
	case a.Record != nil:
		put(headerKind, kindRecord)
		put(headerSeq, strconv.FormatUint(a.Record.Seq, 10))
		put(headerPrev, strconv.FormatUint(a.Record.Prev, 10))
		put(headerHash, a.Record.Hash.String())
		if at := a.Record.Stored; !at.IsZero() {
			put(headerStored, strconv.FormatInt(at.UnixNano(), 10))
		}
		if traces := tracesOf(a.Record.Commit); traces != "" {
			put(headerTraces, traces)
		}
		msg.Data = a.Record.Data
	case a.Verdict != nil:
		data, err := json.Marshal(a.Verdict)
		if err != nil {
			return nil, err
		}
		put(headerKind, kindVerdict)
		msg.Data = data
	default:
		put(headerKind, kindHead)
		put(headerSeq, strconv.FormatUint(a.Head, 10))
	}
	return msg, nil
}

// Subscribe calls fn for every announcement of the board, one at a time, until
// stop is called. When it returns, the subscription is in force at the server:
// whatever is announced from then on arrives, unless lost. fn must not block:
// the announcer waits for it. It may be called once more while stop returns.
func (l *Log) Subscribe(board string, fn func(Announcement)) (stop func(), err error) {
	mine := &listener{fn: fn}
	l.listeners.add(board, mine)
	sub, err := l.live.Subscribe(liveSubject(board), func(msg *nats.Msg) {
		if a, ok := l.announcement(board, msg); ok {
			mine.tell(a)
		}
	})
	if err != nil {
		l.listeners.remove(board, mine)
		return nil, fmt.Errorf("eventlog: subscribe: %w", l.closedOr(err))
	}
	stop = func() {
		l.listeners.remove(board, mine)
		_ = sub.Unsubscribe()
	}
	if err := l.live.FlushTimeout(askTimeout); err != nil {
		stop()
		return nil, fmt.Errorf("eventlog: subscribe: %w", l.closedOr(err))
	}
	mine.inForce.Store(true)
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
			l.log.Warn("announced record cannot be read", "board", board, "seq", seq, "error", decodeErr)
			a.Head = seq
			return a, true
		}
		a.Record = &Record{Board: board, Seq: seq, Prev: prev, Time: heardAt(commit), Data: msg.Data, Hash: hash, Commit: commit}
		if at, err := strconv.ParseInt(msg.Header.Get(headerStored), 10, 64); err == nil {
			a.Record.Stored = time.Unix(0, at)
		}
		setTraces(commit, msg.Header.Get(headerTraces))
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
