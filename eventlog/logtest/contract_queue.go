package logtest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

type seq2 = iter.Seq2[eventlog.Record, error]

func (c contract) snapshotsOfOneBoard(t *testing.T) {
	w := c.writer(t)
	for i := range 3 {
		seq, hash := w.write()
		data := []byte(strings.Repeat("snapshot ", 1<<(8*i)))
		if err := c.log.PutSnapshot(bounded(t), w.board, eventlog.Snapshot{Seq: seq, Hash: hash, Data: data}); err != nil {
			t.Fatal(err)
		}
		s, err := c.log.GetSnapshot(bounded(t), w.board)
		if err != nil || s.Seq != seq || s.Hash != hash || string(s.Data) != string(data) {
			t.Errorf("snapshot of %d bytes at %d: %d bytes at %d, %v", len(data), seq, len(s.Data), s.Seq, err)
		}
	}
	// A snapshot that does not read is no reason not to load.
	if b, err := eventlog.LoadBoard(bounded(t), c.log, w.board); err != nil || b.Rev() != w.state.Rev() {
		t.Errorf("load beside a broken snapshot: %v", err)
	}
}

func (c contract) announcementsArriveWhole(t *testing.T) {
	w := c.writer(t)
	got := make(chan eventlog.Announcement, 10)
	stop, err := c.log.Subscribe(w.board, func(a eventlog.Announcement) { got <- a })
	if err != nil {
		t.Fatal(err)
	}
	first, _ := w.write()
	data, hash, commit := w.next("")
	rec := eventlog.Record{Board: w.board, Seq: first + 1, Prev: first, Time: commit.At, Data: data, Hash: hash, Commit: commit}
	verdict := domain.Verdict{User: "ann", ID: "m1", Content: "c", Rev: 1, Events: 1, Seq: first,
		Rejection: &domain.Rejection{Code: domain.WIPLimit, Reason: "full", Details: domain.Details{"columnId": "c"}}}
	for _, a := range []eventlog.Announcement{{Record: &rec}, {Verdict: &verdict}, {Head: 7}} {
		if err := c.log.Announce(w.board, a); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.log.Announce(w.board+"x", eventlog.Announcement{Head: 9}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		a := receive(t, got)
		switch {
		case a.Record != nil:
			r := a.Record
			if r.Seq != rec.Seq || r.Prev != first || r.Hash != hash || string(r.Data) != string(data) || !r.Time.Equal(commit.At) || r.Commit == nil || r.Board != w.board {
				t.Errorf("record %+v", r)
			}
		case a.Verdict != nil:
			if v := a.Verdict; v.ID != "m1" || v.Seq != first || v.Rejection == nil || v.Rejection.Code != domain.WIPLimit {
				t.Errorf("verdict %+v", v)
			}
		case a.Head != 7:
			t.Errorf("head %d", a.Head)
		}
	}
	stop()
	if err := c.log.Announce(w.board, eventlog.Announcement{Head: 8}); err != nil {
		t.Fatal(err)
	}
	if len(got) > 0 {
		t.Errorf("more than was announced: %+v", <-got)
	}
}

func receive[T any](t *testing.T, from chan T) (x T) {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case x = <-from:
	case <-timeout.C:
		t.Fatal("nothing came")
	}
	return x
}

// consume takes a board's shard until the returned stop.
func (c contract) consume(t *testing.T, board string) (got chan eventlog.Delivery, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	got = make(chan eventlog.Delivery, 1000)
	done := make(chan error, 1)
	go func() { done <- c.log.Commands(ctx, c.log.Shard(board), func(d eventlog.Delivery) { got <- d }, nil) }()
	return got, func() {
		cancel()
		if err := receive(t, done); err != nil {
			t.Errorf("Commands ends with %v", err)
		}
	}
}

func (c contract) command(w *writer, id string) *domain.Command {
	now := time.Now().UTC()
	return &domain.Command{
		ID: id, Board: w.board, Op: domain.OpMutate, User: "ann", Name: "Ann", Session: "s", Grant: domain.GrantOpen,
		ReceivedAt: now, Deadline: now.Add(time.Minute), After: "before",
		Changes: []domain.Change{{EntityID: "e", Patch: domain.Patch{"title": "T", "labels": domain.SetChange{Add: []string{"l"}}}}},
	}
}

func (c contract) commandsArriveWithTheirDeadline(t *testing.T) {
	w := c.writer(t)
	got, stop := c.consume(t, w.board)
	defer stop()
	long, short := c.command(w, "long"), c.command(w, "short")
	short.Deadline = short.ReceivedAt.Add(1500 * time.Millisecond)
	for cmd, ttl := range map[*domain.Command]time.Duration{long: time.Hour, short: time.Second} {
		if err := c.log.PublishCommand(cmd, ttl); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		d := receive(t, got)
		d.Done()
		if d.Command.ContentHash() != long.ContentHash() || d.Command.After != "before" || d.Command.Board != w.board {
			t.Errorf("command %+v", d.Command)
		}
		left := time.Until(d.Command.Deadline)
		if d.Command.ID == "long" && !d.Command.Deadline.Equal(long.Deadline) || d.Command.ID == "short" && (left > 1200*time.Millisecond || left < -patience) {
			t.Errorf("%s has %v left", d.Command.ID, left)
		}
	}
}

func (c contract) undoneCommandsComeAgain(t *testing.T) {
	w := c.writer(t)
	got, stop := c.consume(t, w.board)
	if err := c.log.PublishCommand(c.command(w, "undone"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := c.log.PublishCommand(c.command(w, "done"), time.Minute); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if d := receive(t, got); d.Command.ID == "done" {
			d.Done()
		}
	}
	stop()
	got, stop = c.consume(t, w.board) // another node takes over
	defer stop()
	d := receive(t, got)
	if d.Command.ID != "undone" {
		t.Errorf("%s came again", d.Command.ID)
	}
	d.Done()
}

func (c contract) newerListingStays(t *testing.T) {
	w := c.writer(t)
	for _, entry := range []eventlog.Listing{
		{Board: w.board, Title: "one", Seq: 5, Members: map[string]domain.Role{"newer": domain.Admin}},
		{Board: w.board, Title: "two", Seq: 9, Members: map[string]domain.Role{"newer": domain.Viewer}},
		{Board: w.board, Title: "old", Seq: 7, Members: map[string]domain.Role{"newer": domain.Editor, "older": domain.Editor}},
	} {
		if err := c.log.PutListing(bounded(t), entry); err != nil {
			t.Fatal(err)
		}
	}
	list, err := c.log.Listings(bounded(t), "newer", nil, "", 10)
	if err != nil || len(list) != 1 || list[0].Title != "two" || list[0].Members["newer"] != domain.Viewer {
		t.Errorf("listings %+v, %v", list, err)
	}
}

func (c contract) listingsOfAUser(t *testing.T) {
	for i := range 10 {
		members := map[string]domain.Role{"everybody": domain.Editor}
		if i%2 == 0 {
			members["even@example.org"] = domain.Admin
		}
		if err := c.log.PutListing(bounded(t), eventlog.Listing{Board: fmt.Sprint("listed-", i), Title: "T", Seq: 1, Members: members}); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		user, after string
		match       func(string) bool
		limit       int
		want        string
	}{
		{"everybody", "", nil, 100, "0123456789"},
		{"even@example.org", "", nil, 100, "02468"},
		{"even@example.org", "listed-2", nil, 2, "46"},
		{"nobody", "", nil, 100, ""},
		{"even@example.org", "", func(b string) bool { return b == "listed-3" }, 100, "023468"},
	} {
		list, err := c.log.Listings(bounded(t), test.user, test.match, test.after, test.limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range list {
			got = append(got, strings.TrimPrefix(l.Board, "listed-"))
		}
		if strings.Join(got, "") != test.want || !slices.IsSorted(got) {
			t.Errorf("%s after %q: %v, want %s", test.user, test.after, got, test.want)
		}
	}
}
