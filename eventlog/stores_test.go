package eventlog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/oklog/ulid/v2"
	"github.com/snapback-io/snapback/domain"
)

func randomBytes(n int) []byte {
	out := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1, 2, 3})
	_, _ = r.Read(out)
	return out
}

// chunksOf counts the chunks of an object, or of all when name is "".
func chunksOf(t testing.TB, l *Log, b bucket, name string) int {
	t.Helper()
	filter := b.chunks(">")
	if name != "" {
		o, err := b.info(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		filter = b.chunks(o.NUID)
	}
	stream, err := l.js.Stream(t.Context(), b.stream())
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(t.Context(), jetstream.WithSubjectFilter(filter))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, count := range info.State.Subjects {
		n += int(count)
	}
	return n
}

func TestContents_StreamedInAndOutFromAnyOffset(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		for _, size := range []int{0, 1, chunkSize, chunkSize + 1, 40*chunkSize + 17} {
			data := randomBytes(size)
			name, neighbour := ulid.Make().String(), ulid.Make().String()
			var wg sync.WaitGroup
			wg.Go(func() { // its chunks lie between ours
				if _, _, err := l.PutContent(t.Context(), neighbour, bytes.NewReader(data), int64(size)); err != nil {
					t.Error(err)
				}
			})
			n, sum, err := l.PutContent(t.Context(), name, iotest.HalfReader(bytes.NewReader(data)), int64(size))
			wg.Wait()
			want := sha256.Sum256(data)
			if err != nil || n != int64(size) || sum != hex.EncodeToString(want[:]) {
				t.Fatalf("put %d: %d %s %v", size, n, sum, err)
			}
			for _, offset := range []int{0, 1, size / 3, size / 2, size - chunkSize, size - 1, size, size + 1} {
				if offset < 0 {
					continue
				}
				r, err := l.OpenContent(t.Context(), name, int64(offset))
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(got, data[min(offset, size):]) {
					t.Fatalf("%d bytes from %d: %d, %v", size, offset, len(got), err)
				}
				r.Close()
			}
		}
	})
}

// Any NATS client reads what is stored as an object of an object store.
func TestContents_AreOrdinaryObjects(t *testing.T) {
	t.Parallel()
	l := single(t)
	data := randomBytes(5 * chunkSize / 2)
	if _, _, err := l.PutContent(t.Context(), "one", bytes.NewReader(data), 1<<30); err != nil {
		t.Fatal(err)
	}
	store, err := l.js.ObjectStore(t.Context(), contentBucket)
	if err != nil {
		t.Fatal(err)
	}
	got, err := store.GetBytes(t.Context(), "one")
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
}

func TestContents_NothingIsLeftOfAFailure(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		before := chunksOf(t, l, l.contents(), "")
		broken := errors.New("the client went away")
		readers := map[string]struct {
			r     io.Reader
			limit int64
			err   error
		}{
			"over the limit":     {bytes.NewReader(randomBytes(30 * chunkSize)), 20 * chunkSize, ErrTooLarge},
			"one byte over":      {bytes.NewReader(randomBytes(chunkSize)), chunkSize - 1, ErrTooLarge},
			"reader fails":       {io.MultiReader(bytes.NewReader(randomBytes(9*chunkSize+5)), iotest.ErrReader(broken)), 1 << 30, broken},
			"body broke off":     {io.MultiReader(bytes.NewReader(randomBytes(9*chunkSize+5)), iotest.ErrReader(io.ErrUnexpectedEOF)), 1 << 30, io.ErrUnexpectedEOF},
			"reader fails first": {iotest.ErrReader(broken), 1 << 30, broken},
		}
		for what, c := range readers {
			name := ulid.Make().String()
			if _, _, err := l.PutContent(t.Context(), name, c.r, c.limit); !errors.Is(err, c.err) {
				t.Errorf("%s: %v", what, err)
			}
			if _, err := l.OpenContent(t.Context(), name, 0); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: open says %v", what, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		endless := readerFunc(func(p []byte) (int, error) {
			cancel()
			return len(p), nil
		})
		if _, _, err := l.PutContent(ctx, ulid.Make().String(), io.LimitReader(endless, 5*chunkSize), 1<<30); !errors.Is(err, context.Canceled) {
			t.Errorf("context ended: %v", err)
		}
		if l.cfg.Replicas == 1 {
			if after := chunksOf(t, l, l.contents(), ""); after != before {
				t.Errorf("%d chunks are left", after-before)
			}
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestContents_Delete(t *testing.T) {
	t.Parallel()
	l := single(t)
	if _, _, err := l.PutContent(t.Context(), "gone", bytes.NewReader(randomBytes(3*chunkSize)), 1<<30); err != nil {
		t.Fatal(err)
	}
	for range 2 { // unknown ones are fine
		if err := l.DeleteContent(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.OpenContent(t.Context(), "gone", 0); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if n := chunksOf(t, l, l.contents(), ""); n != 0 {
		t.Fatalf("%d chunks are left", n)
	}
}

func boardsOf(t testing.TB, l *Log, user string, match func(string) bool, after string, limit int) (out []string) {
	t.Helper()
	list, err := l.Listings(t.Context(), user, match, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range list {
		out = append(out, entry.Board)
	}
	return out
}

func TestDirectory_ByMemberAndByMatch(t *testing.T) {
	t.Parallel()
	l := single(t)
	put := func(board string, seq uint64, members ...string) {
		t.Helper()
		entry := Listing{Board: board, Title: "T " + board, Seq: seq, Members: map[string]domain.Role{}}
		for _, m := range members {
			entry.Members[m] = domain.Editor
		}
		if err := l.PutListing(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 7 {
		put(fmt.Sprintf("b:%d", i), 1, "anna@x.org", "bert *>.")
	}
	put("design-1", 1, "anna@x.org")
	put("design-2", 1)
	all := func(string) bool { return true }
	for _, c := range []struct {
		what  string
		user  string
		match func(string) bool
		after string
		limit int
		want  string
	}{
		{"members only", "bert *>.", nil, "", 100, "[b:0 b:1 b:2 b:3 b:4 b:5 b:6]"},
		{"a page", "bert *>.", nil, "", 3, "[b:0 b:1 b:2]"},
		{"the next page", "bert *>.", nil, "b:2", 3, "[b:3 b:4 b:5]"},
		{"the last page", "bert *>.", nil, "b:5", 3, "[b:6]"},
		{"nobody", "carl", nil, "", 100, "[]"},
		{"everything", "carl", all, "", 100, "[b:0 b:1 b:2 b:3 b:4 b:5 b:6 design-1 design-2]"},
		{"some and mine", "bert *>.", func(b string) bool { return b == "design-2" }, "b:4", 100, "[b:5 b:6 design-2]"},
	} {
		if got := fmt.Sprint(boardsOf(t, l, c.user, c.match, c.after, c.limit)); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	put("b:3", 5, "anna@x.org")
	put("b:3", 4, "anna@x.org", "bert *>.") // older: has no effect
	if got := fmt.Sprint(boardsOf(t, l, "bert *>.", nil, "b:1", 3)); got != "[b:2 b:4 b:5]" {
		t.Errorf("after leaving b:3: %s", got)
	}
	list, err := l.Listings(t.Context(), "anna@x.org", nil, "b:2", 1)
	if err != nil || len(list) != 1 || list[0].Seq != 5 || list[0].Title != "T b:3" || list[0].Members["anna@x.org"] != domain.Editor {
		t.Errorf("b:3 is %+v, %v", list, err)
	}
}

// Every board is listed as soon as it is written, however many came since the
// boards were listed last.
func TestDirectory_EveryBoardAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		prefix, n := newBoard(), 0
		mine := func(board string) bool { return strings.HasPrefix(board, prefix) }
		for _, more := range []int{3, 1, 0, 5, fewChanges + 5, 2} {
			for range more {
				n++
				entry := Listing{Board: fmt.Sprintf("%s-%04d", prefix, (n*7)%1000), Seq: 1}
				if n%3 == 0 {
					entry.Members = map[string]domain.Role{"ann": domain.Admin}
				}
				if err := l.PutListing(t.Context(), entry); err != nil {
					t.Fatal(err)
				}
			}
			got := boardsOf(t, l, "bob", mine, "", 1000)
			if len(got) != n || !slices.IsSorted(got) {
				t.Fatalf("%d boards of %d", len(got), n)
			}
		}
	})
}

// A listing that stands is not written again: nothing is appended.
func TestDirectory_TheSameIsNotWrittenAgain(t *testing.T) {
	t.Parallel()
	l := single(t)
	entry := Listing{Board: "b", Title: "T", Seq: 3, Members: map[string]domain.Role{"ann": domain.Admin}}
	var last uint64
	for i := range 3 {
		if err := l.PutListing(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
		stream, err := l.js.Stream(t.Context(), directoryStream)
		if err != nil {
			t.Fatal(err)
		}
		if now := stream.CachedInfo().State.LastSeq; i > 0 && now != last {
			t.Fatalf("%d messages, then %d", last, now)
		} else {
			last = now
		}
	}
}

// Writers that race leave the newest listing, and every member finds it.
func TestDirectory_OlderNeverReplacesNewer(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		for round := range 10 {
			board := newBoard()
			var wg sync.WaitGroup
			for seq := uint64(1); seq <= 8; seq++ {
				wg.Go(func() {
					entry := Listing{Board: board, Seq: seq, Members: map[string]domain.Role{"always " + board: domain.Admin}}
					if seq%2 == 0 {
						entry.Members["sometimes "+board] = domain.Viewer
					}
					if err := l.PutListing(t.Context(), entry); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			for _, user := range []string{"always ", "sometimes "} {
				list, err := l.Listings(t.Context(), user+board, nil, "", 10)
				if err != nil || len(list) != 1 || list[0].Seq != 8 {
					t.Fatalf("round %d: %s finds %+v, %v", round, user, list, err)
				}
			}
		}
	})
}

// Objects no event names go after a day, and so do the chunks of an upload that
// never ended; what an event of the board named stays.
func TestContents_Sweep(t *testing.T) {
	t.Parallel()
	l := single(t)
	board := newBoard()
	named, early, orphan := ObjectName(board), ObjectName(board), ObjectName(board)
	for _, name := range []string{named, early, orphan} {
		if _, _, err := l.PutContent(t.Context(), name, bytes.NewReader(randomBytes(2*chunkSize)), 1<<30); err != nil {
			t.Fatal(err)
		}
	}
	var last uint64
	for i, name := range []string{early, named} {
		at := time.Now().AddDate(0, 0, 3*i-3) // the first was decided by another clock, or restored
		c := &domain.Commit{V: domain.CommitVersion, Board: board, At: at, Decisions: []domain.Decision{{
			Command: domain.Command{ID: name, User: "ann"}, At: at, Rev: 1,
			Events: []domain.Event{{Type: "file.added", V: 1, Rev: 1, EntityID: "f", After: domain.Fields{"object": name}}},
		}}}
		data, hash, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if last, err = l.Append(t.Context(), board, data, hash, last); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := l.js.Publish(t.Context(), l.contents().chunks("crashed"), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for _, tt := range []struct {
		after, before time.Time
		removed       int
	}{{past.Add(-time.Hour), past, 0}, {soon, soon.Add(time.Hour), 0}, {past, soon, 1}, {past, soon, 0}} {
		if n, err := l.SweepUploads(t.Context(), tt.after, tt.before); n != tt.removed || err != nil {
			t.Errorf("swept %d uploads of %d, %v", n, tt.removed, err)
		}
	}
	for name, want := range map[string]error{named: nil, early: nil, orphan: ErrNotFound} {
		r, err := l.OpenContent(t.Context(), name, 0)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if err == nil {
			r.Close()
		}
	}
	if n, err := l.SweepChunks(t.Context(), past); n != 0 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if n, err := l.SweepChunks(t.Context(), soon); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if n := chunksOf(t, l, l.contents(), ""); n != 4 {
		t.Errorf("%d chunks of 4 are left", n)
	}
}
