package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/snapback-io/snapback/domain"
)

// The last message on snap.<board> is the board's snapshot. One that is larger
// than a message lies in parts on snap.<board>.<slot>.1 and so on, and the
// message on snap.<board> says in which slot; the next one goes to the other
// slot, so that there is a whole one at any time.

const (
	snapshotStream = "SNAPSHOTS"
	snapshotPrefix = "snap."
)

// Headers of a snapshot, beside headerEpoch, headerSeq and headerHash.
const (
	headerSlot  = "Slot"  // "a" or "b", of a rebuild "c" or "d"; missing: the data is here
	headerParts = "Parts" // how many lie there
	// headerWeight is Snapshot.Weight, of past ones only.
	headerWeight = "Weight"
)

// snapshotStreamOf is the stream that a snapshot's subject belongs to.
func snapshotStreamOf(subject string) string {
	if strings.HasPrefix(subject, pastPrefix) {
		return pastStream
	}
	return snapshotStream
}

func (l *Log) snapshotConfig() jetstream.StreamConfig {
	return l.disposable(snapshotStream, snapshotPrefix+">", "Encoded boards, the last one of each")
}

// disposable describes a stream that has the last message of each subject and
// can be made again from the log.
func (l *Log) disposable(name, subjects, description string) jetstream.StreamConfig {
	cfg := jetstream.StreamConfig{
		Name:              name,
		Description:       description,
		Subjects:          []string{subjects},
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardNew,
		Replicas:          l.cfg.Replicas,
		MaxMsgsPerSubject: 1,
		AllowDirect:       true,
	}
	if l.cfg.Replicas == 1 {
		cfg.PersistMode = jetstream.AsyncPersistMode // no fsync
	}
	return cfg
}

// Snapshot is a board's encoded state at a sequence.
type Snapshot struct {
	Seq    uint64
	Hash   domain.Hash // of the commit at Seq; use only if the log agrees
	Data   []byte
	Weight uint64 // of a past one: domain.Still.Weight of the board then
}

// PutSnapshot keeps s as the board's only snapshot. It does not keep s.Data.
func (l *Log) PutSnapshot(ctx context.Context, board string, s Snapshot) error {
	if err := l.putSnapshot(ctx, snapshotPrefix+board, s, l.MaxRecord()); err != nil {
		return fmt.Errorf("eventlog: snapshot of board %s: %w", board, err)
	}
	return nil
}

// putSnapshot puts s in one message, or in parts of at most that many bytes.
func (l *Log) putSnapshot(ctx context.Context, subject string, s Snapshot, most int) error {
	return l.putSnapshotOver(ctx, subject, s, most, nil)
}

// putSnapshotOver is putSnapshot, if revision is not nil only instead of what
// has that: ErrConflict. It then has slots of its own, so that it tears nothing
// that somebody else is about to put.
func (l *Log) putSnapshotOver(ctx context.Context, subject string, s Snapshot, most int, revision *uint64) error {
	head := &nats.Msg{Subject: subject, Data: s.Data, Header: nats.Header{
		headerEpoch: {l.epoch}, headerSeq: {strconv.FormatUint(s.Seq, 10)}, headerHash: {s.Hash.String()},
	}}
	if s.Weight > 0 {
		head.Header.Set(headerWeight, strconv.FormatUint(s.Weight, 10))
	}
	slot, other := "a", "b"
	if revision != nil {
		slot, other = "c", "d"
		head.Header.Set(headerExpected, strconv.FormatUint(*revision, 10))
	}
	if len(s.Data) <= most {
		return l.publishDisposable(ctx, head)
	}
	if old, err := l.ledSnapshot(ctx, subject); err == nil && old.Header.Get(headerSlot) == slot {
		slot = other
	} else if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	parts := 0
	for from := 0; from < len(s.Data); from += most {
		parts++
		part := &nats.Msg{Subject: partSubject(subject, slot, parts), Header: nats.Header{headerHash: head.Header[headerHash]},
			Data: s.Data[from:min(from+most, len(s.Data))]}
		if err := l.publishDisposable(ctx, part); err != nil {
			return err
		}
	}
	head.Data = nil
	head.Header.Set(headerSlot, slot)
	head.Header.Set(headerParts, strconv.Itoa(parts))
	return l.publishDisposable(ctx, head)
}

func partSubject(subject, slot string, n int) string {
	return subject + "." + slot + "." + strconv.Itoa(n)
}

func (l *Log) publishDisposable(ctx context.Context, msg *nats.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	answer, err := l.bulk.RequestMsgWithContext(ctx, msg)
	if err != nil {
		return err
	}
	_, err = parseAck(answer)
	return classify(err)
}

// GetSnapshot gives the board's snapshot if it is of this epoch. ErrNotFound if there is none.
func (l *Log) GetSnapshot(ctx context.Context, board string) (s Snapshot, err error) {
	for range 3 { // it may be replaced while its parts are read
		if s, err = l.getSnapshot(ctx, snapshotPrefix+board); !errors.Is(err, errTorn) {
			break
		}
	}
	if err != nil {
		return Snapshot{}, fmt.Errorf("eventlog: snapshot of board %s: %w", board, err)
	}
	return s, nil
}

// errTorn: a part is gone, or of another snapshot.
var errTorn = fmt.Errorf("%w whole", ErrNotFound)

func (l *Log) getSnapshot(ctx context.Context, subject string) (s Snapshot, err error) {
	head, err := l.lastSnapshot(ctx, subject)
	if err != nil {
		return s, err
	}
	if head.Header.Get(headerEpoch) != l.epoch {
		return s, ErrNotFound
	}
	if s.Seq, err = strconv.ParseUint(head.Header.Get(headerSeq), 10, 64); err != nil {
		return s, err
	}
	if err = s.Hash.UnmarshalText([]byte(head.Header.Get(headerHash))); err != nil {
		return s, err
	}
	if weight := head.Header.Get(headerWeight); weight != "" {
		if s.Weight, err = strconv.ParseUint(weight, 10, 64); err != nil {
			return s, err
		}
	}
	slot := head.Header.Get(headerSlot)
	if s.Data = head.Data; slot == "" {
		return s, nil
	}
	parts, err := strconv.Atoi(head.Header.Get(headerParts))
	if err != nil {
		return s, err
	}
	for n := range parts {
		part, err := l.lastSnapshot(ctx, partSubject(subject, slot, n+1))
		if errors.Is(err, ErrNotFound) || err == nil && part.Header.Get(headerHash) != s.Hash.String() {
			return s, errTorn
		}
		if err != nil {
			return s, err
		}
		s.Data = append(s.Data, part.Data...)
	}
	return s, nil
}

// lastSnapshot reads the last message on a subject of the stream. Any replica
// may answer, as an older snapshot serves, too; that there is none is for the
// leader to say.
func (l *Log) lastSnapshot(ctx context.Context, subject string) (msg *nats.Msg, err error) {
	err = retry(ctx, l.patience, func(ctx context.Context) error {
		msg, err = l.newGetter(snapshotStreamOf(subject)).one(ctx, messageGet{LastFor: subject})
		return err
	})
	if msg != nil || err != nil || l.cfg.Replicas == 1 {
		if msg == nil && err == nil {
			err = ErrNotFound
		}
		return msg, err
	}
	return l.ledSnapshot(ctx, subject)
}

// ledSnapshot reads the last message on a subject of the stream from the leader.
func (l *Log) ledSnapshot(ctx context.Context, subject string) (msg *nats.Msg, err error) {
	led, err := l.leaderGet(ctx, snapshotStreamOf(subject), messageGet{LastFor: subject})
	if err != nil {
		return nil, err
	}
	msg = &nats.Msg{Subject: led.Subject, Data: led.Data}
	msg.Header, err = led.header()
	return msg, err
}

// sweepSnapshots removes parts stored before that time that no snapshot, past
// or present, is made of, and says of how many snapshots there were.
func (l *Log) sweepSnapshots(ctx context.Context, before time.Time) (removed int, err error) {
	subjects, err := l.subjects(ctx, snapshotStream, snapshotPrefix+"*.*.1")
	if err != nil {
		return 0, err
	}
	past, err := l.subjects(ctx, pastStream, pastPrefix+"*.*.*.1")
	if err != nil {
		return 0, err
	}
	subjects = append(subjects, past...)
	for _, first := range subjects {
		place := strings.TrimSuffix(first, ".1")
		subject, slot := place[:strings.LastIndexByte(place, '.')], lastToken(place)
		head, err := l.ledSnapshot(ctx, subject)
		if err == nil && head.Header.Get(headerSlot) == slot {
			continue
		}
		if err == nil || errors.Is(err, ErrNotFound) {
			err = l.purgeOlder(ctx, first, place+".*", before)
		}
		switch {
		case err == nil:
			removed++
		case !errors.Is(err, ErrNotFound):
			return removed, err
		}
	}
	return removed, nil
}

// purgeOlder purges what filter matches unless first was stored since before:
// ErrNotFound.
func (l *Log) purgeOlder(ctx context.Context, first, filter string, before time.Time) error {
	stream := snapshotStreamOf(first)
	part, err := l.leaderGet(ctx, stream, messageGet{LastFor: first})
	if err != nil {
		return err
	}
	if !part.Time.Before(before) {
		return ErrNotFound
	}
	return l.api(ctx, "STREAM.PURGE."+stream, map[string]string{"filter": filter}, new(answer))
}
