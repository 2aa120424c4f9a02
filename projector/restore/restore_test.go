package restore

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	mrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector"
	"github.com/snapback-io/snapback/projector/bundle"
	"github.com/snapback-io/snapback/projector/notary"
	"github.com/snapback-io/snapback/projector/verify/verifytest"
)

var quiet = slog.New(slog.DiscardHandler)

// realLog is an empty log of an embedded server.
func realLog(t testing.TB, sync bool) *eventlog.Log {
	t.Helper()
	s, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), SyncAlways: sync, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	l, err := eventlog.Open(context.Background(), eventlog.Config{InProcess: s, Shards: 2, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// written is a log with the board of a scribe, and the bundle of it.
func written(t testing.TB, s *verifytest.Scribe) (l *eventlog.Log, stream []byte, key note.Verifier) {
	t.Helper()
	l = realLog(t, false)
	records := func(yield func(eventlog.Restored, error) bool) {
		for _, r := range s.Log {
			if !yield(eventlog.Restored{Time: r.Time, Hash: r.Hash, Data: r.Data}, nil) {
				return
			}
		}
	}
	if _, err := l.Restore(t.Context(), s.Board.ID(), iter.Seq2[eventlog.Restored, error](records)); err != nil {
		t.Fatal(err)
	}
	private, _, err := proof.NewKey(rand.Reader, "test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := proof.ParseSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	n, err := notary.New(notary.Config{Log: l, Signer: signer, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	warn := func(what string, err error) { t.Error(what, err) }
	if err := bundle.Make(t.Context(), &out, l, s.Board.ID(), bundle.Options{Notary: n, Warn: warn}); err != nil {
		t.Fatal(err)
	}
	return l, out.Bytes(), signer.Verifier()
}

func opener(stream []byte) Opener {
	return func() (*bundle.Reader, io.Closer, error) {
		r, err := bundle.NewReader(bytes.NewReader(stream))
		return r, io.NopCloser(nil), err
	}
}

// scribe writes a random board; its clock is of spring 2026.
func scribe(seed uint64, n int) *verifytest.Scribe { return verifytest.New("b", seed).Start().Run(n) }

// TestBoard_RandomHistories come back as they were, and leave as they came.
func TestBoard_RandomHistories(t *testing.T) {
	t.Parallel()
	void := 0
	for seed := range uint64(4) {
		s := scribe(seed, 150)
		_, stream, key := written(t, s)
		l := realLog(t, false)
		done, err := Board(t.Context(), l, opener(stream), []note.Verifier{key})
		if err != nil || done.Stored != uint64(len(s.Log)) || done.Rev != s.Board.Rev() || done.State != s.Board.StateHash() {
			t.Fatalf("seed %d: %+v, %v", seed, done, err)
		}
		b, err := eventlog.LoadBoard(t.Context(), l, "b")
		if err != nil || b.StateHash() != s.Board.StateHash() {
			t.Fatalf("seed %d: %v", seed, err)
		}
		i := 0
		for r, err := range l.Read(t.Context(), "b", 1, 0) {
			if err != nil || r.Hash != s.Log[i].Hash || !r.Time.Equal(s.Log[i].Time) {
				t.Fatalf("seed %d: record %d: %v", seed, i, err)
			}
			if r.Void() {
				void++
			}
			i++
		}
		snap, err := l.GetSnapshot(t.Context(), "b")
		if err != nil || snap.Hash != s.Log[len(s.Log)-1].Hash {
			t.Errorf("seed %d: snapshot at %d, %v", seed, snap.Seq, err)
		}
		if list, err := l.Listings(t.Context(), "ann", func(string) bool { return true }, "", 10); err != nil || len(list) != 1 || list[0].Title != s.Board.Get("b").Fields.String("title") {
			t.Errorf("seed %d: %+v, %v", seed, list, err)
		}
		var again bytes.Buffer
		if err := bundle.Make(t.Context(), &again, l, "b", bundle.Options{}); err != nil {
			t.Fatal(err)
		}
		if done, err := Board(t.Context(), realLog(t, false), opener(again.Bytes()), nil); err != nil || done.State != s.Board.StateHash() {
			t.Errorf("seed %d: once more: %+v, %v", seed, done, err)
		}
	}
	if void < 4 {
		t.Errorf("only %d void records", void)
	}
}

// TestBoard_AnyChangeIsRefused: a byte of a record, a time, a place.
func TestBoard_AnyChangeIsRefused(t *testing.T) {
	t.Parallel()
	s := scribe(9, 60)
	_, stream, key := written(t, s)
	l := realLog(t, false)
	var items []bundle.Item
	r, _, err := opener(stream)()
	for err == nil {
		var i bundle.Item
		if i, err = r.Next(); err == nil {
			items = append(items, i)
		}
	}
	records := r.Records()
	rng := mrand.New(mrand.NewPCG(1, 2))
	for try := range 80 {
		changed := append([]bundle.Item(nil), items...)
		n := rng.IntN(records)
		rec := *items[n].Record
		what := rng.IntN(6)
		switch what {
		case 0:
			rec.Data = bytes.Clone(rec.Data)
			rec.Data[rng.IntN(len(rec.Data))] ^= 1 << rng.IntN(7)
		case 1:
			rec.Time = rec.Time.Add(time.Duration(1 + rng.Int64N(int64(time.Hour))))
		case 2:
			rec.Prev++
		case 3:
			changed = append(changed[:n:n], changed[n+1:]...)
		case 4:
			changed = append(changed[:n+1:n+1], changed[n:]...)
		case 5:
			other := rng.IntN(records)
			if other == n {
				continue
			}
			changed[n], changed[other] = changed[other], changed[n]
		}
		if what < 3 {
			changed[n].Record = &rec
		}
		var out bytes.Buffer
		w := bundle.NewWriter(&out, r.Header())
		for _, i := range changed {
			_ = w.Item(i)
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
		done, err := Board(t.Context(), l, opener(out.Bytes()), []note.Verifier{key})
		var refused *Refused
		if !errors.As(err, &refused) || done.Stored != 0 || refused.Count == 0 {
			t.Fatalf("try %d, change %d of record %d: %+v, %v", try, what, n, done, err)
		}
	}
	if head, err := l.Head(t.Context(), "b"); head != 0 || err != nil {
		t.Errorf("stored up to %d, %v", head, err)
	}
}

// TestBoard_StoppedAndContinued wherever it stops.
func TestBoard_StoppedAndContinued(t *testing.T) {
	t.Parallel()
	s := scribe(3, 60)
	_, stream, key := written(t, s)
	l := realLog(t, true)
	total := uint64(len(s.Log))
	for stored, try := uint64(0), 0; stored < total; try++ {
		ctx, stop := context.WithCancel(t.Context())
		opened := 0
		done, err := Board(ctx, l, func() (*bundle.Reader, io.Closer, error) {
			in := io.Reader(bytes.NewReader(stream))
			if opened++; opened == 2 && try < 3 { // the records are being stored
				in = io.MultiReader(io.LimitReader(bytes.NewReader(stream), int64(len(stream)*(try+1)/6)), stopper(stop))
			}
			r, err := bundle.NewReader(in)
			return r, io.NopCloser(nil), err
		}, []note.Verifier{key})
		stop()
		if stored += done.Stored; stored < total && err == nil {
			t.Fatalf("try %d: %+v", try, done)
		}
		if _, err := eventlog.LoadBoard(t.Context(), l, "b"); stored < total && !errors.Is(err, eventlog.ErrRestoring) {
			t.Fatalf("try %d, %d of %d stored: %v, %+v", try, stored, total, err, done)
		}
		if try > 3 || stored == total && try < 3 {
			t.Fatalf("try %d: %d of %d stored, %v", try, stored, total, err)
		}
	}
	if b, err := eventlog.LoadBoard(t.Context(), l, "b"); err != nil || b.StateHash() != s.Board.StateHash() {
		t.Error(err)
	}
}

// shown is what a feed shows of a board.
type shown struct {
	mu             sync.Mutex
	view           *projector.View
	loads, applied int
}

func (s *shown) Load(v *projector.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view = v
	s.loads++
}

func (s *shown) Apply(r eventlog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied++
	_, err := s.view.Apply(r)
	return err
}

func (*shown) Repeat(domain.Verdict) {}

// A feed that was open before shows nothing of a restore until it is whole.
func TestBoard_AFeedShowsItWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	s := scribe(5, 30)
	_, stream, _ := written(t, s)
	l := realLog(t, false)
	sink := &shown{}
	feed, err := projector.Open(t.Context(), l, "b", sink, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	half := func(yield func(eventlog.Restored, error) bool) {
		for _, r := range s.Log[:20] {
			if !yield(eventlog.Restored{Time: r.Time, Hash: r.Hash, Data: r.Data}, nil) {
				return
			}
		}
		yield(eventlog.Restored{}, io.ErrUnexpectedEOF)
	}
	if _, err := l.Restore(t.Context(), "b", half); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	asked, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	err = feed.Current(asked)
	cancel()
	sink.mu.Lock()
	if err == nil || sink.applied > 0 || sink.loads != 1 || sink.view.Board().Exists() {
		t.Errorf("half of it is shown: %d applied, %d loads, %v", sink.applied, sink.loads, err)
	}
	sink.mu.Unlock()
	if _, err := Board(t.Context(), l, opener(stream), nil); err != nil {
		t.Fatal(err)
	}
	if err := feed.Current(t.Context()); err != nil {
		t.Fatal(err)
	}
	sink.mu.Lock()
	defer sink.mu.Unlock()
	if sink.view.Board().StateHash() != s.Board.StateHash() {
		t.Errorf("it shows rev %d", sink.view.Rev())
	}
}

// stopper stops whatever reads it.
type stopper context.CancelFunc

func (s stopper) Read([]byte) (int, error) { s(); return 0, context.Canceled }

// long writes a board of n records of one change each.
func long(n int) *verifytest.Scribe {
	s := verifytest.New("b", 1).Start()
	s.Limit = 4 << 20
	for i := range 500 {
		s.Commit(false, s.Ask("ann", domain.Change{EntityID: fmt.Sprint("card", i), Patch: domain.Patch{"kind": "card", "title": "A card with a title", "columnId": "column0"}}))
	}
	for k := range n - len(s.Log) {
		s.Commit(false, s.Ask("ann", domain.Change{EntityID: fmt.Sprint("card", k*7919%500), Patch: domain.Patch{"title": fmt.Sprint("A card with title ", k)}}))
	}
	return s
}

// BenchmarkMake makes the bundle of a board, packed as in a directory.
func BenchmarkMake(b *testing.B) {
	s := long(20_000)
	l, stream, _ := written(b, s)
	b.Run("stream", func(b *testing.B) {
		for b.Loop() {
			if err := bundle.Make(b.Context(), io.Discard, l, "b", bundle.Options{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(s.Log)*b.N)/b.Elapsed().Seconds(), "records/s")
	})
	b.Run("directory", func(b *testing.B) {
		for b.Loop() {
			d, err := bundle.CreateDir(b.TempDir()+"/d", time.Now())
			if err != nil {
				b.Fatal(err)
			}
			r, _, _ := opener(stream)()
			f, err := d.Board(r)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(f.Size)/float64(f.Records), "bytes/record")
			d.Close()
		}
		b.ReportMetric(float64(len(s.Log)*b.N)/b.Elapsed().Seconds(), "records/s")
	})
}

// BenchmarkBoard verifies a bundle and stores it, each record with its fsync.
func BenchmarkBoard(b *testing.B) {
	s := long(5_000)
	_, stream, key := written(b, s)
	for b.Loop() {
		b.StopTimer()
		l := realLog(b, true)
		b.StartTimer()
		if _, err := Board(b.Context(), l, opener(stream), []note.Verifier{key}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(s.Log)*b.N)/b.Elapsed().Seconds(), "records/s")
}

// A look at a restored board as it was does not read all that was before.
func TestBoard_PastSnapshotsAreMade(t *testing.T) {
	t.Parallel()
	s := long(2500)
	_, stream, _ := written(t, s)
	l := realLog(t, false)
	if _, err := Board(t.Context(), l, opener(stream), nil); err != nil {
		t.Fatal(err)
	}
	if list, err := l.Pasts(t.Context(), "b"); err != nil || len(list) == 0 {
		t.Errorf("%d past snapshots, %v", len(list), err)
	}
}
