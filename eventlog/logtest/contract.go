package logtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// Contract checks what every log promises to the services, projectors and
// gateways on it. open gives an empty log of 4 shards or more that works; the
// subtests share it.
func Contract(t *testing.T, open func(t *testing.T) Full) {
	c := contract{open(t)}
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"AppendComparesTheSequence", c.appendComparesTheSequence},
		{"AppendAgainIsStoredOrConflict", c.appendAgainIsStoredOrConflict},
		{"OneOfManyAppendsWins", c.oneOfManyAppendsWins},
		{"TooLargeStoresNothing", c.tooLargeStoresNothing},
		{"EmptyBoard", c.emptyBoard},
		{"ReadInOrderFromTo", c.readInOrderFromTo},
		{"ReadSinceGoesByDecisions", c.readSinceGoesByDecisions},
		{"LoadBoardFoldsToTheHead", c.loadBoardFoldsToTheHead},
		{"SnapshotsOfOneBoard", c.snapshotsOfOneBoard},
		{"AnnouncementsArriveWhole", c.announcementsArriveWhole},
		{"CommandsArriveWithTheirDeadline", c.commandsArriveWithTheirDeadline},
		{"UndoneCommandsComeAgain", c.undoneCommandsComeAgain},
		{"NewerListingStays", c.newerListingStays},
		{"ListingsOfAUser", c.listingsOfAUser},
	} {
		t.Run(test.name, test.run)
	}
}

// Full is all of a log that the suite checks.
type Full interface {
	eventlog.Source
	Append(ctx context.Context, board string, data []byte, hash domain.Hash, expected uint64) (uint64, error)
	Get(ctx context.Context, board string, seq uint64) (eventlog.Record, error)
	ReadSince(ctx context.Context, board string, start time.Time, to uint64) seq2
	PublishCommand(cmd *domain.Command, ttl time.Duration) error
	Commands(ctx context.Context, shard int, fn func(eventlog.Delivery), standing func()) error
	Announce(board string, a eventlog.Announcement) error
	Subscribe(board string, fn func(eventlog.Announcement)) (stop func(), err error)
	PutSnapshot(ctx context.Context, board string, s eventlog.Snapshot) error
	PutListing(ctx context.Context, entry eventlog.Listing) error
	Listings(ctx context.Context, user string, match func(board string) bool, after string, limit int) ([]eventlog.Listing, error)
	MaxRecord() int
	Shards() int
	Shard(board string) int
}

type contract struct{ log Full }

// patience is how long the suite waits for what a log does by itself; longer
// than it takes an undone command to come again.
const patience = 15 * time.Second

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// writer makes a valid chain of commits on one board.
type writer struct {
	t     *testing.T
	log   Full
	board string
	state *domain.Board
	last  uint64
	n     int
}

func (c contract) writer(t *testing.T) *writer {
	board := strings.ReplaceAll(t.Name(), "/", "-")
	board = board[max(0, len(board)-40):]
	return &writer{t: t, log: c.log, board: board, state: domain.NewBoard(board)}
}

// next encodes a commit upon the last one; note makes it differ from others.
func (w *writer) next(note string) (data []byte, hash domain.Hash, c *domain.Commit) {
	w.t.Helper()
	w.n++
	_, prev, at := w.state.Head()
	now := time.Now().UTC().Truncate(time.Millisecond)
	if now.Before(at) {
		now = at
	}
	cmd := domain.Command{
		ID: fmt.Sprint("m", w.n, note), Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen, ReceivedAt: now, Deadline: now.Add(time.Minute),
		Changes: []domain.Change{{EntityID: fmt.Sprint("e", w.n, note), Patch: domain.Patch{"kind": "column", "title": "Column"}}},
	}
	if w.n == 1 {
		cmd.Changes = []domain.Change{{EntityID: w.board, Patch: domain.Patch{"kind": "board", "title": "Board"}}}
	}
	d := domain.Decide(w.state, &cmd, now)
	c = &domain.Commit{V: domain.CommitVersion, Board: w.board, Prev: prev, At: now, NotAfter: cmd.Deadline, Decisions: []domain.Decision{d}}
	data, hash, err := c.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	return data, hash, c
}

// write stores one more commit.
func (w *writer) write() (seq uint64, hash domain.Hash) {
	w.t.Helper()
	data, hash, c := w.next("")
	seq, err := w.log.Append(bounded(w.t), w.board, data, hash, w.last)
	if err != nil {
		w.t.Fatal(err)
	}
	if seq <= w.last {
		w.t.Fatalf("stored at %d after %d", seq, w.last)
	}
	w.last = seq
	if err := w.state.Apply(c, hash, seq, c.At, nil); err != nil {
		w.t.Fatal(err)
	}
	return seq, hash
}

// read collects what a read gives and fails the test if it ends with an error.
func read(t *testing.T, records seq2) (seqs []uint64) {
	t.Helper()
	for rec, err := range records {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Commit == nil || rec.Time.IsZero() || len(rec.Data) == 0 || rec.Hash == (domain.Hash{}) {
			t.Errorf("record %d is not whole", rec.Seq)
		}
		seqs = append(seqs, rec.Seq)
	}
	return seqs
}

func (c contract) appendComparesTheSequence(t *testing.T) {
	w := c.writer(t)
	data, hash, _ := w.next("wrong")
	if _, err := c.log.Append(bounded(t), w.board, data, hash, 77); !errors.Is(err, eventlog.ErrConflict) {
		t.Errorf("expecting a sequence that is none of the board's: %v", err)
	}
	w.n = 0
	first, _ := w.write()
	data, hash, _ = w.next("stale")
	for _, expected := range []uint64{0, first + 1} {
		if _, err := c.log.Append(bounded(t), w.board, data, hash, expected); !errors.Is(err, eventlog.ErrConflict) {
			t.Errorf("expecting %d after %d: %v", expected, first, err)
		}
	}
	w.write()
	if seqs := read(t, c.log.Read(bounded(t), w.board, 1, 0)); len(seqs) != 2 {
		t.Errorf("records %v", seqs)
	}
}

func (c contract) appendAgainIsStoredOrConflict(t *testing.T) {
	w := c.writer(t)
	data, hash, _ := w.next("")
	seq, err := c.log.Append(bounded(t), w.board, data, hash, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := c.log.Append(bounded(t), w.board, data, hash, 0)
		if err == nil && again != seq || err != nil && !errors.Is(err, eventlog.ErrConflict) {
			t.Errorf("again: %d, %v; first %d", again, err, seq)
		}
	}
	if seqs := read(t, c.log.Read(bounded(t), w.board, 1, 0)); !slices.Equal(seqs, []uint64{seq}) {
		t.Errorf("records %v, want %d once", seqs, seq)
	}
}

func (c contract) oneOfManyAppendsWins(t *testing.T) {
	w := c.writer(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	stored := 0
	for i := range 20 {
		w.n = 0
		data, hash, _ := w.next(fmt.Sprint("-", i))
		all.Go(func() {
			_, err := c.log.Append(bounded(t), w.board, data, hash, 0)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				stored++
			} else if !errors.Is(err, eventlog.ErrConflict) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if seqs := read(t, c.log.Read(bounded(t), w.board, 1, 0)); stored != 1 || len(seqs) != 1 {
		t.Errorf("%d appends say stored, the records are %v", stored, seqs)
	}
}

func (c contract) tooLargeStoresNothing(t *testing.T) {
	w := c.writer(t)
	_, _, commit := w.next("")
	commit.Decisions[0].Name = strings.Repeat("x", c.log.MaxRecord())
	data, hash, err := commit.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.log.Append(bounded(t), w.board, data, hash, 0); !errors.Is(err, eventlog.ErrTooLarge) {
		t.Errorf("%d bytes of %d: %v", len(data), c.log.MaxRecord(), err)
	}
	commit.Decisions[0].Name = strings.Repeat("x", c.log.MaxRecord()-2000)
	if data, hash, err = commit.Encode(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.log.Append(bounded(t), w.board, data, hash, 0); err != nil {
		t.Errorf("%d bytes of %d: %v", len(data), c.log.MaxRecord(), err)
	}
}

func (c contract) emptyBoard(t *testing.T) {
	w := c.writer(t)
	if head, err := c.log.Head(bounded(t), w.board); head != 0 || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
	if seqs := read(t, c.log.Read(bounded(t), w.board, 1, 0)); len(seqs) != 0 {
		t.Errorf("records %v", seqs)
	}
	if seqs := read(t, c.log.ReadSince(bounded(t), w.board, time.Now().Add(-time.Hour), 0)); len(seqs) != 0 {
		t.Errorf("records %v", seqs)
	}
	if _, err := c.log.Get(bounded(t), w.board, 1); !errors.Is(err, eventlog.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if _, err := c.log.GetSnapshot(bounded(t), w.board); !errors.Is(err, eventlog.ErrNotFound) {
		t.Errorf("snapshot: %v", err)
	}
	if b, err := eventlog.LoadBoard(bounded(t), c.log, w.board); err != nil || b.Exists() {
		t.Errorf("load: %v", err)
	}
}

func (c contract) readInOrderFromTo(t *testing.T) {
	w := c.writer(t)
	var want []uint64
	for range 50 {
		seq, hash := w.write()
		want = append(want, seq)
		rec, err := c.log.Get(bounded(t), w.board, seq)
		if err != nil || rec.Seq != seq || rec.Hash != hash || rec.Board != w.board || rec.Commit == nil {
			t.Fatalf("get %d: %+v, %v", seq, rec, err)
		}
	}
	if head, err := c.log.Head(bounded(t), w.board); head != want[49] || err != nil {
		t.Errorf("head %d, %v; want %d", head, err, want[49])
	}
	for _, span := range [][2]int{{0, 49}, {10, 49}, {10, 20}, {49, 49}} {
		got := read(t, c.log.Read(bounded(t), w.board, want[span[0]], want[span[1]]))
		if !slices.Equal(got, want[span[0]:span[1]+1]) {
			t.Errorf("records %v of %v: %v", span, want, got)
		}
	}
	if got := read(t, c.log.Read(bounded(t), w.board, want[49]+1, 0)); len(got) != 0 {
		t.Errorf("beyond the head: %v", got)
	}
	n := 0
	for range c.log.Read(bounded(t), w.board, 1, 0) {
		if n++; n == 3 {
			break
		}
	}
	other := c.writer(t)
	other.board += "-other"
	if _, err := c.log.Get(bounded(t), other.board, want[3]); !errors.Is(err, eventlog.ErrNotFound) {
		t.Errorf("another board's record: %v", err)
	}
}

func (c contract) readSinceGoesByDecisions(t *testing.T) {
	w := c.writer(t)
	var seqs []uint64
	var times []time.Time
	for range 10 {
		seq, _ := w.write()
		rec, err := c.log.Get(bounded(t), w.board, seq)
		if err != nil {
			t.Fatal(err)
		}
		seqs, times = append(seqs, seq), append(times, rec.Commit.Decisions[0].At)
		time.Sleep(2 * time.Millisecond) // so that times differ
	}
	for _, i := range []int{0, 4, 9} {
		if got := read(t, c.log.ReadSince(bounded(t), w.board, times[i], 0)); !slices.Equal(got, seqs[i:]) {
			t.Errorf("since record %d: %v of %v", i, got, seqs)
		}
		if got := read(t, c.log.ReadSince(bounded(t), w.board, times[i], seqs[9])); !slices.Equal(got, seqs[i:]) {
			t.Errorf("since record %d to the last: %v of %v", i, got, seqs)
		}
	}
	if got := read(t, c.log.ReadSince(bounded(t), w.board, times[9].Add(time.Second), 0)); len(got) != 0 {
		t.Errorf("since after the last: %v", got)
	}
}

func (c contract) loadBoardFoldsToTheHead(t *testing.T) {
	w := c.writer(t)
	for range 5 {
		w.write()
	}
	b, err := eventlog.LoadBoard(bounded(t), c.log, w.board)
	if err != nil {
		t.Fatal(err)
	}
	wantSeq, wantHash, _ := w.state.Head()
	if seq, hash, _ := b.Head(); seq != wantSeq || hash != wantHash || b.Rev() != w.state.Rev() || b.Len() != w.state.Len() {
		t.Errorf("loaded at %d rev %d, want %d rev %d", seq, b.Rev(), wantSeq, w.state.Rev())
	}
}
