package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// recordsOf is the records of a board as they go into another log.
func recordsOf(t testing.TB, l *Log, board string) (list []Restored) {
	t.Helper()
	for r, err := range l.Read(t.Context(), board, 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, Restored{Time: r.Time, Hash: r.Hash, Data: r.Data})
	}
	return list
}

// cut gives the first n of a list and then err, if that is not nil.
func cut(list []Restored, n int, err error) iter.Seq2[Restored, error] {
	return func(yield func(Restored, error) bool) {
		for _, r := range list[:n] {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(Restored{}, err)
		}
	}
}

// written is a board with a void record and one more behind it.
func written(t testing.TB, l *Log) *author {
	a := newAuthor(t, l)
	a.change(t, "c1", `{"kind":"column","title":"Todo"}`, time.Hour)
	a.change(t, "c1", `{"title":"void"}`, -time.Hour)
	for i := range 5 {
		a.change(t, "c1", fmt.Sprintf(`{"title":"T%d"}`, i), time.Hour)
	}
	return a
}

func TestRestore_SameBytesTimesAndVerdicts(t *testing.T) {
	old, l := single(t), single(t)
	a := written(t, old)
	board, was := a.b.ID(), recordsOf(t, old, a.b.ID())
	fill(t, l, newBoardOf(l, l.Shard(board)), 3) // sequences are others here
	before := time.Now()
	done, err := l.Restore(t.Context(), board, cut(was, len(was), nil))
	if err != nil || done.There != 0 || done.Stored != uint64(len(was)) {
		t.Fatal(done, err)
	}
	is := recordsOf(t, l, board)
	if len(is) != len(was) {
		t.Fatal(len(is), "records of", len(was))
	}
	for i := range was {
		if string(is[i].Data) != string(was[i].Data) || is[i].Hash != was[i].Hash || !is[i].Time.Equal(was[i].Time) {
			t.Errorf("record %d: %v, was %v", i, is[i].Time, was[i].Time)
		}
	}
	if b := mustLoad(t, l, board); b.StateHash() != a.b.StateHash() {
		t.Errorf("rev %d, was %d", b.Rev(), a.b.Rev())
	}
	void := 0
	for r, err := range l.Read(t.Context(), board, 1, 0) {
		if err != nil || r.Seq == r.Prev {
			t.Fatal(err)
		}
		if r.Void() {
			void++
		}
		if one, err := l.Get(t.Context(), board, r.Seq); err != nil || !one.Time.Equal(r.Time) {
			t.Error(one.Time, err)
		}
	}
	if void != 1 {
		t.Errorf("%d void records", void)
	}
	n := 0
	for raw, err := range l.ReadRaw(t.Context(), board, 1, 0) {
		if err != nil || !raw.Time.Equal(was[n].Time) {
			t.Fatalf("raw record %d: %v, %v", n, raw.Time, err)
		}
		n++
	}
	// What was decided before it was stored again is found by that time.
	for _, w := range readAll(t, l, board) {
		start := w.Commit.Decisions[0].At
		for r, err := range l.ReadSince(t.Context(), board, start, 0) {
			if err != nil || r.Seq > w.Seq || !r.Commit.Decisions[0].At.Equal(start) {
				t.Errorf("since %v: record %d, %v", start, r.Seq, err)
			}
			break
		}
	}
	for r := range l.ReadSince(t.Context(), board, before, 0) {
		t.Error("decided before the restore, found behind it:", r.Seq)
	}
}

func TestRestore_ContinuesWhereItBrokeOff(t *testing.T) {
	old, l := single(t), single(t)
	a := written(t, old)
	board, was := a.b.ID(), recordsOf(t, old, a.b.ID())
	for n := 2; n < len(was); n++ {
		done, err := l.Restore(t.Context(), board, cut(was, n, io.ErrUnexpectedEOF))
		if !errors.Is(err, io.ErrUnexpectedEOF) || done.There+done.Stored != uint64(n-1) {
			t.Fatal(n, done, err)
		}
		if _, err := LoadBoard(t.Context(), l, board); !errors.Is(err, ErrRestoring) {
			t.Fatal(n, err)
		}
		if _, err := l.Restore(t.Context(), board, cut(was, n-1, nil)); !errors.Is(err, ErrExists) {
			t.Fatal(n, "ends half way:", err)
		}
	}
	for _, stored := range []uint64{2, 0} {
		done, err := l.Restore(t.Context(), board, cut(was, len(was), nil))
		if err != nil || done.Stored != stored || done.There+done.Stored != uint64(len(was)) {
			t.Fatal(done, err)
		}
		sameBoard(t, "restored", mustLoad(t, l, board), a.b)
	}
	// A board that has gone on is left as it is.
	here := &author{log: l, b: mustLoad(t, l, board), n: 100}
	here.change(t, "c1", `{"title":"later"}`, time.Hour)
	if done, err := l.Restore(t.Context(), board, cut(was, len(was), nil)); err != nil || done.Stored != 0 || done.Head <= uint64(len(was)) {
		t.Fatal(done, err)
	}
	// One that went another way is not.
	a.change(t, "c1", `{"title":"elsewhere"}`, time.Hour)
	was = recordsOf(t, old, board)
	if done, err := l.Restore(t.Context(), board, cut(was, len(was), nil)); !errors.Is(err, ErrExists) || done.Stored != 0 {
		t.Fatal(done, err)
	}
}

func mustLoad(t testing.TB, l *Log, board string) *domain.Board {
	t.Helper()
	b, err := LoadBoard(t.Context(), l, board)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRestore_RefusesWhatIsThere(t *testing.T) {
	old, l := single(t), single(t)
	a := written(t, old)
	board, was := a.b.ID(), recordsOf(t, old, a.b.ID())
	fill(t, l, board, 1)
	if done, err := l.Restore(t.Context(), board, cut(was, len(was), nil)); !errors.Is(err, ErrExists) || done.Stored != 0 {
		t.Fatal(done, err)
	}
	// The same bytes, stored at another time, are another history.
	l = single(t)
	if _, err := l.Restore(t.Context(), board, cut(was, len(was), nil)); err != nil {
		t.Fatal(err)
	}
	was[3].Time = was[3].Time.Add(time.Nanosecond)
	if done, err := l.Restore(t.Context(), board, cut(was, len(was), nil)); !errors.Is(err, ErrExists) || done.There != 3 {
		t.Fatal(done, err)
	}
	l = single(t)
	was[0].Time = time.Now().Add(time.Hour)
	if done, err := l.Restore(t.Context(), board, cut(was, len(was), nil)); err == nil || done.Stored != 0 {
		t.Fatal(done, err)
	}
}

func TestRestore_SomebodyElseWrites(t *testing.T) {
	old, l := single(t), single(t)
	a := written(t, old)
	board, was := a.b.ID(), recordsOf(t, old, a.b.ID())
	records := func(yield func(Restored, error) bool) {
		for i, r := range was {
			if i == 4 {
				data, hash := commitOf(t, board, was[2].Hash, "another")
				head, _ := l.Head(context.Background(), board)
				if _, err := l.Append(t.Context(), board, data, hash, head); err != nil {
					t.Error(err)
				}
			}
			if !yield(r, nil) {
				return
			}
		}
	}
	if done, err := l.Restore(t.Context(), board, records); !errors.Is(err, ErrExists) || done.Stored != 3 {
		t.Fatal(done, err)
	}
}

// BenchmarkRestore stores records again with an fsync for each.
func BenchmarkRestore(b *testing.B) {
	old, l := single(b), single(b)
	a := newAuthor(b, old)
	fill := 2000
	for i := range fill {
		a.change(b, a.b.ID(), fmt.Sprintf(`{"title":"T%d"}`, i), time.Hour)
	}
	was := recordsOf(b, old, a.b.ID())
	for b.Loop() {
		l = single(b)
		start := time.Now()
		if _, err := l.Restore(b.Context(), a.b.ID(), cut(was, len(was), nil)); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(was))/time.Since(start).Seconds(), "records/s")
	}
}
