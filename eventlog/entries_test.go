package eventlog

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// entriesOf collects entries; it fails the test on an error.
func entriesOf(t testing.TB, l *Log, shard int, from, to uint64) (list []Entry) {
	t.Helper()
	for e, err := range l.Entries(t.Context(), shard, from, to) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// The entries of a shard are its records without the bytes: of all boards, in
// the order of the stream, wherever one begins and ends.
func TestEntries_AreTheRecords(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		shard := l.Shard(board)
		before, err := l.ShardState(t.Context(), shard)
		if err != nil {
			t.Fatal(err)
		}
		other := newBoard()
		for l.Shard(other) != shard {
			other = newBoard()
		}
		fill(t, l, board, 30)
		fill(t, l, other, 5)
		var want []Entry
		for _, b := range []string{board, other} {
			for r, err := range l.Read(t.Context(), b, 0, 0) {
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, Entry{Board: b, Seq: r.Seq, Time: r.Time, Hash: r.Hash})
			}
		}
		slices.SortFunc(want, func(a, b Entry) int { return int(a.Seq) - int(b.Seq) })
		head, err := l.ShardState(t.Context(), shard)
		if err != nil || head.First != 1 || head.Records != head.Last || head.Last < before.Last+35 {
			t.Fatalf("%+v, then %+v, %v", before, head, err)
		}
		from, to := want[0].Seq, want[len(want)-1].Seq
		mine := func(e Entry) bool { return e.Board != board && e.Board != other } // tests share the cluster
		same := func(what string, got, want []Entry) {
			t.Helper()
			if !slices.EqualFunc(slices.DeleteFunc(got, mine), want, func(a, b Entry) bool {
				return a.Board == b.Board && a.Seq == b.Seq && a.Time.Equal(b.Time) && a.Hash == b.Hash
			}) {
				t.Errorf("%s: %d entries, want %d", what, len(got), len(want))
			}
		}
		same("all", entriesOf(t, l, shard, from, to), want)
		same("from the beginning", entriesOf(t, l, shard, 0, to), want)
		same("one", entriesOf(t, l, shard, want[7].Seq, want[7].Seq), want[7:8])
		same("none", entriesOf(t, l, shard, to, to-1), nil)
	})
}

// More entries than are on their way at once, and a reader that has enough.
func TestEntries_ManyAndFew(t *testing.T) {
	t.Parallel()
	l := unsynced(t, 1)
	fillMany(t, l, "demo", 3*entriesAhead+1)
	n := uint64(0)
	for e, err := range l.Entries(t.Context(), 0, 1, 3*entriesAhead+1) {
		if n++; err != nil || e.Seq != n {
			t.Fatalf("entry %d: %+v, %v", n, e, err)
		}
	}
	if n != 3*entriesAhead+1 {
		t.Errorf("%d entries", n)
	}
	for range l.Entries(t.Context(), 0, 1, 100) {
		break
	}
	eventually(t, "no consumer is left", func() bool {
		stream, err := l.js.Stream(t.Context(), eventStream(0))
		return err == nil && stream.CachedInfo().State.Consumers == 0
	})
}

// What is restored keeps the time it was first stored at.
func TestEntries_StoredAt(t *testing.T) {
	t.Parallel()
	l := single(t)
	at := time.Date(2026, 3, 1, 10, 4, 12, 31e6, time.UTC)
	msg := &nats.Msg{Subject: l.home("demo").subject, Data: []byte("{}"), Header: nats.Header{
		headerMsgID: {"00000000000000000000000000000000000000000000000000000000000000ff"}, headerStoredAt: {at.Format(time.RFC3339Nano)},
	}}
	if _, err := l.publishOnce(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	if list := entriesOf(t, l, l.Shard("demo"), 1, 1); len(list) != 1 || !list[0].Time.Equal(at) {
		t.Errorf("%+v", list)
	}
}

// A reading ends with its context, and with an error when there is nothing at
// its end.
func TestEntries_EndsWithAnError(t *testing.T) {
	t.Parallel()
	l := single(t)
	fill(t, l, "demo", 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	n := 0
	for e, err := range l.Entries(ctx, l.Shard("demo"), 1, 3) {
		if last = err; err == nil && e.Seq > 0 {
			if n++; n == 2 {
				time.AfterFunc(100*time.Millisecond, cancel)
			}
		}
	}
	if n != 2 || last == nil {
		t.Errorf("%d entries, then %v", n, last)
	}
}

// fillMany appends n records to a board without waiting for each.
func fillMany(t testing.TB, l *Log, board string, n int) {
	t.Helper()
	const most = 500
	answers := make(chan error, most)
	take := func() {
		if err := <-answers; err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		if i >= most {
			take()
		}
		data, hash := commitOf(t, board, [32]byte{}, fmt.Sprint(i))
		go func() {
			_, err := l.publishOnce(t.Context(), &nats.Msg{Subject: l.home(board).subject, Data: data, Header: nats.Header{headerMsgID: {hash.String()}}})
			answers <- err
		}()
	}
	for range min(n, most) {
		take()
	}
}

// BenchmarkEntries is what reading a shard's log for its tree costs.
func BenchmarkEntries(b *testing.B) {
	l := unsynced(b, 1)
	const n = 100_000
	fillMany(b, l, "demo", n)
	for b.Loop() {
		seen := 0
		for _, err := range l.Entries(b.Context(), 0, 1, n) {
			if err != nil {
				b.Fatal(err)
			}
			seen++
		}
		if seen != n {
			b.Fatal(seen)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
