package gateway

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// unwritten is a queue that nobody writes.
type unwritten struct{ queue }

func (*unwritten) startWriting() {}

func newQueue(limit int) *unwritten {
	q := new(unwritten)
	q.init(limit, q)
	return q
}

func syncs(rev uint64, bytes int) item {
	return item{kind: itemSync, rev: rev, data: make([]byte, bytes)}
}

func kinds(items []item) (list []itemKind) {
	for _, it := range items {
		list = append(list, it.kind)
	}
	return list
}

// TestQueue_DropsWholeRecords: what overflows is dropped back to the last
// record that was written, replies are kept, acks wait for the catch-up that
// covers them, and presence is owed.
func TestQueue_DropsWholeRecords(t *testing.T) {
	t.Parallel()
	q := newQueue(1000)
	q.update(func() {
		q.put(syncs(11, 600)) // revs 11 to 15
		q.put(item{kind: itemAck, rev: 14, data: make([]byte, 10)})
		q.put(item{kind: itemAck, rev: 10, data: make([]byte, 10)})
		q.put(item{kind: itemReply, data: make([]byte, 10)})
		q.put(syncs(16, 300)) // 16 to 17
		q.put(item{kind: itemPresence, of: "s", data: make([]byte, 10)})
		q.put(syncs(18, 300))
		q.put(item{kind: itemAck, rev: 18, data: make([]byte, 10)})
		q.put(item{kind: itemReply, data: make([]byte, 10)})
	})
	if !q.lagging || q.since != 10 || q.bytes != 30 || len(q.items) != 3 || len(q.held) != 2 || len(q.stale) != 1 {
		t.Errorf("lagging %v since %d, %d bytes, items %v, held %v, stale %v", q.lagging, q.since, q.bytes, kinds(q.items), kinds(q.held), q.stale)
	}
	if q.held[0].rev != 14 || q.held[1].rev != 18 {
		t.Errorf("held %+v", q.held)
	}
	var b batch
	if !q.take(&b) || b.behind {
		t.Fatal("the replies wait for the catch-up")
	}
	q.done(&b)
	if !q.take(&b) || !b.behind {
		t.Fatal("nobody is to be brought up to date")
	}
	q.update(func() { q.caughtUp([]item{{kind: itemReply}}) })
	if q.take(&b); len(b.items) != 3 || b.items[1].rev != 14 || b.items[2].rev != 18 {
		t.Errorf("caught up with %v", kinds(b.items))
	}
}

// TestQueue_SinceIsBeforeWhatIsDropped, also when only replies are queued.
func TestQueue_SinceIsBeforeWhatIsDropped(t *testing.T) {
	t.Parallel()
	q := newQueue(1000)
	q.update(func() {
		q.put(item{kind: itemReply, data: make([]byte, 900)})
		q.put(syncs(21, 200))
	})
	if !q.lagging || q.since != 20 {
		t.Errorf("lagging %v since %d", q.lagging, q.since)
	}
}

// TestQueue_HeldPagesAreNoBytes: they are made anew.
func TestQueue_HeldPagesAreNoBytes(t *testing.T) {
	t.Parallel()
	q := newQueue(1000)
	page := item{kind: itemLoaded, rev: 11, data: make([]byte, 300)}
	q.update(func() {
		q.put(syncs(11, 500))
		q.put(page)
		q.put(syncs(12, 500))
		q.put(page)
	})
	if len(q.held) != 2 || q.held[0].data != nil || q.held[1].data != nil || q.bytes != 0 {
		t.Errorf("held %+v, %d bytes", q.held, q.bytes)
	}
}

// TestQueue_OneRecordMayBeLarge: it is shared with the other queues, and what
// follows it is bounded again.
func TestQueue_OneRecordMayBeLarge(t *testing.T) {
	t.Parallel()
	q := newQueue(1000)
	q.update(func() { q.put(syncs(1, 5000)) })
	if q.lagging || len(q.items) != 1 {
		t.Error("a record alone was dropped")
	}
	q.update(func() { q.put(syncs(2, 1)) })
	if !q.lagging || q.since != 0 {
		t.Error("a record more was taken")
	}
}

// TestSettle_CancelBesideItsMutate: one frame ends both.
func TestSettle_CancelBesideItsMutate(t *testing.T) {
	t.Parallel()
	x := newBench(t, 0)
	a, b := x.seat("u0"), x.seat("u0")
	r := x.moves(1)
	d := &r.Commit.Decisions[0]
	x.expect(a, r, 0)
	for _, s := range []*seated{a, b} {
		x.hub.mu.Lock()
		x.hub.register(&sending{key: mutationKey{d.User, d.ID}, cmd: &domain.Command{ID: d.ID, User: d.User, Op: domain.OpCancel}, session: s.session})
		x.hub.mu.Unlock()
	}
	x.apply(r)
	if got := a.q.items; len(got) != 2 || got[1].ends != (flight{1, 1, 0}) {
		t.Errorf("mutate and cancel are answered by %+v", got)
	}
	if got := b.q.items; len(got) != 2 || got[1].ends != (flight{0, 1, 0}) {
		t.Errorf("the cancel alone is answered by %+v", got)
	}
}

// TestWatch_NobodyIsSilentWhoIsNotListenedTo: a reader that waits for room
// reads no pongs.
func TestWatch_NobodyIsSilentWhoIsNotListenedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		x := newBench(t, 0)
		s := x.seat("u0")
		s.conn.Conn = far
		s.heard()
		time.Sleep(time.Minute)
		s.q.count(flight{mutates: 2})
		if !s.q.full(1) {
			t.Fatal("there is room")
		}
		silent := func() bool { // a read fails at once
			read := make(chan error)
			go func() { _, err := far.Read(make([]byte, 1)); read <- err }()
			synctest.Wait()
			select {
			case <-read:
				return true
			default:
				near.Write([]byte("x"))
				<-read
				return false
			}
		}
		s.watch(x.hubs.clock(), 15*time.Second)
		if silent() {
			t.Error("given up while nobody listened")
		}
		s.q.count(flight{mutates: -1})
		if s.q.full(1) {
			t.Fatal("there is no room")
		}
		s.watch(x.hubs.clock(), 15*time.Second)
		if !silent() {
			t.Error("not given up after a minute")
		}
	})
}

// TestWatch_WhoCameTogetherIsNotPingedTogether, and each is often enough.
func TestWatch_WhoCameTogetherIsNotPingedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, 0)
		var all []*seated
		for i := range 100 {
			all = append(all, x.seat(fmt.Sprint("u", i)))
			x.hubs.enter(all[i].session)
		}
		total := 0
		for start := time.Now(); time.Since(start) < 7*time.Second; time.Sleep(100 * time.Millisecond) {
			synctest.Wait()
			now := 0
			for _, s := range all {
				now += int(s.woken.Swap(0))
			}
			if total += now; now > 20 {
				t.Errorf("%d are pinged at once", now)
			}
		}
		if total != len(all) {
			t.Errorf("%d of %d are pinged", total, len(all))
		}
		x.hubs.mu.Lock()
		clear(x.hubs.sessions)
		x.hubs.mu.Unlock()
	})
}
