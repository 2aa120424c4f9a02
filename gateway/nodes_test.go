package gateway

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
	"github.com/snapback-io/snapback/test/cutter"
)

// node is another gateway on the same log.
func (w *world) node(o options) *world {
	n := &world{t: w.t, log: w.log, fake: w.fake}
	l := cutter.NewPipe()
	n.dial = l.Dial
	n.start(l, o)
	return n
}

// TestLaw3_OnAnyNode: a mutation waits on two nodes, is repeated on a third
// that starts later, and is told alike on all.
func TestLaw3_OnAnyNode(t *testing.T) {
	t.Parallel()
	onBoth(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		other := w.node(options{})
		a, b := w.connect("bob"), other.connect("bob")
		a.skip("ready")
		b.skip("ready")
		var ids []string
		for i := range 20 {
			id := ulid.Make().String()
			patch := fmt.Sprintf(`{"title":"%d"}`, i)
			a.mutateAs(id, "c1", patch)
			b.mutateAs(id, "c1", patch)
			ids = append(ids, id)
		}
		later := w.node(options{}).connect("bob")
		later.skip("ready")
		for i, id := range ids {
			one, two := a.verdict(id), b.verdict(id)
			later.mutateAs(id, "c1", fmt.Sprintf(`{"title":"%d"}`, i))
			if three := later.verdict(id); one.Type != "ack" || one.Rev != two.Rev || one.Rev != three.Rev {
				t.Errorf("%s %s %s", one, two, three)
			}
		}
	})
}

// misled is a log whose announcements a test makes up.
type misled struct {
	*logtest.Log
	announce atomic.Pointer[func(eventlog.Announcement)]
}

func (m *misled) Subscribe(b string, fn func(eventlog.Announcement)) (func(), error) {
	m.announce.Store(&fn)
	return m.Log.Subscribe(b, fn)
}

// TestHub_FailedFoldBringsEverybodyUpToDate: the board is loaded again, every
// session gets what it missed between lag and ready, and the verdict that was
// passed over is found.
func TestHub_FailedFoldBringsEverybodyUpToDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, options{})
		log := &misled{Log: w.fake}
		w.hubs.log = log
		w.demo()
		s, other := w.connect("bob"), w.connect("ada")
		s.skip("ready")
		other.skip("ready")
		w.fake.SetFaults(logtest.Faults{LoseNews: 1})
		id := s.mutate("c1", `{"title":"passed over"}`)
		synctest.Wait()
		stored := w.fake.Stored(board)
		last := stored[len(stored)-1]
		bad := eventlog.Record{Board: board, Seq: last.Seq, Prev: last.Prev, Time: last.Time,
			Commit: &domain.Commit{V: 1, Board: board, Prev: domain.Hash{1}, At: last.Time}}
		(*log.announce.Load())(eventlog.Announcement{Record: &bad})
		for _, c := range []*socket{s, other} {
			c.skip("lag")
			if f := c.next(); f.Type != "sync" || f.Entity["title"] != "passed over" {
				t.Errorf("%s", f)
			}
			c.skip("ready")
		}
		if f := s.verdict(id); f.Type != "ack" || f.Rev != s.rev {
			t.Errorf("%s", f)
		}
		w.fake.SetFaults(logtest.Faults{})
		if f := s.verdict(s.mutate("c1", `{"title":"live"}`)); f.Type != "ack" {
			t.Errorf("%s", f)
		}
		time.Sleep(time.Minute)
	})
}

// TestLaw9_ResumeOnANodeThatIsBehind: the news of what the client has seen
// elsewhere was lost there; nothing is shown to it as it was before.
func TestLaw9_ResumeOnANodeThatIsBehind(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		behind := w.node(options{})
		behind.connect("ada").skip("ready") // the room is open there
		w.fake.SetFaults(logtest.Faults{LoseNews: 1})
		s := w.connect("bob")
		s.skip("ready")
		if f := s.verdict(s.mutate("c1", `{"title":"seen"}`)); f.Type != "ack" {
			t.Fatalf("%s", f)
		}
		r := behind.connect("bob", fmt.Sprintf("since=%d", s.rev), "epoch="+s.epoch)
		if list := r.until("ready"); !list[0].Resumed || list[0].Rev != s.rev || len(list) != 2 {
			t.Errorf("%v", list)
		}
	})
}
