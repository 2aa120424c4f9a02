package eventlog

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strconv"
	"testing"
	"time"
)

// smallPart has snapshots of a few kilobytes in parts.
const smallPart = 1000

// onEveryReplica waits until whichever replica is asked gives this snapshot. One
// in parts is looked at by its head, which is stored last, and read whole once.
func onEveryReplica(t *testing.T, l *Log, board string, want Snapshot) {
	t.Helper()
	agreed := 0
	eventually(t, "every replica has the snapshot", func() bool {
		head, err := l.lastSnapshot(t.Context(), snapshotPrefix+board)
		if err != nil && !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		agreed++
		if err != nil || head.Header.Get(headerSeq) != strconv.FormatUint(want.Seq, 10) || head.Header.Get(headerHash) != want.Hash.String() ||
			head.Header.Get(headerParts) == "" && !bytes.Equal(head.Data, want.Data) {
			agreed = 0
		}
		if agreed < 20 && (agreed == 0 || l.cfg.Replicas > 1) {
			return false
		}
		agreed = 0
		got, err := l.GetSnapshot(t.Context(), board)
		return err == nil && got.Seq == want.Seq && got.Hash == want.Hash && bytes.Equal(got.Data, want.Data)
	})
}

func TestSnapshots_LastOneOfThisEpoch(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		if _, err := l.GetSnapshot(t.Context(), board); !errors.Is(err, ErrNotFound) {
			t.Fatalf("none yet: %v", err)
		}
		for i, size := range []int{10, l.MaxRecord() + 1, 2*l.MaxRecord() + 1, 0, 100} {
			want := Snapshot{Seq: uint64(i + 1), Hash: sha256.Sum256([]byte{byte(i)}), Data: randomBytes(size)}
			if err := l.PutSnapshot(t.Context(), board, want); err != nil {
				t.Fatal(err)
			}
			onEveryReplica(t, l, board, want)
		}
		epoch := l.epoch
		l.epoch = "another"
		if _, err := l.GetSnapshot(t.Context(), board); !errors.Is(err, ErrNotFound) {
			t.Errorf("of another epoch: %v", err)
		}
		l.epoch = epoch
	})
}

// A snapshot whose parts are lost (snapshots are not fsynced) or those of
// another one is none, at once; one that is made only in part is not seen.
func TestSnapshots_Torn(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		subject := snapshotPrefix + board
		put := func(i byte) {
			t.Helper()
			s := Snapshot{Seq: uint64(i), Hash: sha256.Sum256([]byte{i}), Data: bytes.Repeat([]byte{i}, 3*smallPart-1)}
			if err := l.putSnapshot(t.Context(), subject, s, smallPart); err != nil {
				t.Fatal(err)
			}
		}
		want := func(what string, i byte, torn error) {
			t.Helper()
			eventually(t, what, func() bool {
				s, err := l.GetSnapshot(t.Context(), board)
				if torn != nil {
					return errors.Is(err, torn) && errors.Is(err, ErrNotFound)
				}
				return err == nil && s.Seq == uint64(i) && len(s.Data) == 3*smallPart-1 && s.Data[2*smallPart] == i
			})
		}
		put(1)
		old, err := l.ledSnapshot(t.Context(), subject)
		if err != nil {
			t.Fatal(err)
		}
		put(2)
		want("the second", 2, nil)
		head, err := l.ledSnapshot(t.Context(), subject)
		if err != nil {
			t.Fatal(err)
		}
		put(3)
		head.Subject, old.Subject = subject, subject
		head.Header.Del("Nats-Subject")
		if err := l.publishDisposable(t.Context(), head); err != nil {
			t.Fatal(err)
		}
		want("the third, but for its head", 2, nil)
		if err := l.publishDisposable(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		want("the first, whose parts are the third's", 0, errTorn)
		put(4)
		want("the fourth", 4, nil)
		purge := map[string]string{"filter": subject + ".*.3"}
		if err := l.api(t.Context(), "STREAM.PURGE."+snapshotStream, purge, new(answer)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		want("without its last part", 0, errTorn)
		if d := time.Since(start); d > 10*time.Second {
			t.Fatalf("took %v", d)
		}
	})
}

// Who reads while others write gets one of the snapshots, whole.
func TestSnapshots_ReadWhileReplaced(t *testing.T) {
	t.Parallel()
	l := single(t)
	subject := snapshotPrefix + newBoard()
	put := func(i int) {
		s := Snapshot{Seq: uint64(i), Hash: sha256.Sum256([]byte{byte(i)}), Data: bytes.Repeat([]byte{byte(i)}, 4*smallPart)}
		if err := l.putSnapshot(t.Context(), subject, s, smallPart); err != nil {
			t.Error(err)
		}
	}
	put(1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 2; i < 100; i++ {
			put(i)
		}
	}()
	for reading, read := true, 0; reading || read == 0; {
		select {
		case <-done:
			reading = false
		default:
		}
		s, err := l.getSnapshot(t.Context(), subject)
		if errors.Is(err, errTorn) {
			continue // replaced twice while it was read
		}
		if err != nil || !bytes.Equal(s.Data, bytes.Repeat([]byte{byte(s.Seq)}, 4*smallPart)) {
			t.Fatalf("snapshot %d: %v", s.Seq, err)
		}
		read++
	}
}

// What no snapshot is made of any more goes, what is not old stays.
func TestSnapshots_Sweep(t *testing.T) {
	t.Parallel()
	l := single(t)
	put := func(board string, bytes int) {
		t.Helper()
		if err := l.putSnapshot(t.Context(), snapshotPrefix+board, Snapshot{Seq: 1, Data: randomBytes(bytes)}, smallPart); err != nil {
			t.Fatal(err)
		}
	}
	for board, sizes := range map[string][]int{"in-parts": {5000, 5000}, "in-one": {5000, 5000, 10}, "never": {10}} {
		for _, n := range sizes {
			put(board, n)
		}
	}
	for range 2 { // of the past, at one place
		if err := l.putSnapshot(t.Context(), pastSubject("in-parts", 7), Snapshot{Seq: 7, Data: randomBytes(5000)}, smallPart); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		before  time.Time
		removed int
	}{{time.Now().Add(-time.Minute), 0}, {time.Now().Add(time.Minute), 4}, {time.Now().Add(time.Minute), 0}} {
		if n, err := l.SweepChunks(t.Context(), tt.before); n != tt.removed || err != nil {
			t.Errorf("%d swept, %v, want %d", n, err, tt.removed)
		}
	}
	left, err := l.subjects(t.Context(), snapshotStream, snapshotPrefix+">")
	if err != nil || len(left) != 3+5 {
		t.Errorf("left: %v, %v", left, err)
	}
	if s, err := l.getSnapshot(t.Context(), pastSubject("in-parts", 7)); err != nil || len(s.Data) != 5000 {
		t.Errorf("the past one: %d bytes, %v", len(s.Data), err)
	}
	for board, n := range map[string]int{"in-parts": 5000, "in-one": 10, "never": 10} {
		if s, err := l.GetSnapshot(t.Context(), board); err != nil || len(s.Data) != n {
			t.Errorf("%s: %d bytes, %v", board, len(s.Data), err)
		}
	}
}
