package gateway

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector"
)

// TestFraming_AnyLength: a WebSocket reader reads what was put in, also when
// frames stand behind each other.
func TestFraming_AnyLength(t *testing.T) {
	t.Parallel()
	var sent []string
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 300_000} {
		sent = append(sent, strings.Repeat("x", n))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		var all []byte
		for _, text := range sent {
			start := len(all)
			all = closeFrame(append(openFrame(all), text...), start, websocket.TextMessage)
			all = append(all, textFrame([]byte(text))...)
		}
		ws.NetConn().Write(all)
		ws.Close()
	}))
	defer server.Close()
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	for i := range 2 * len(sent) {
		kind, data, err := ws.ReadMessage()
		if err != nil || kind != websocket.TextMessage || string(data) != sent[i/2] {
			t.Fatalf("frame %d of %d bytes is read as %d: %v", i, len(sent[i/2]), len(data), err)
		}
	}
}

// seated is a session without a socket; woken counts how often its queue asked for a writer.
type seated struct {
	*session
	woken atomic.Int32
}

func (s *seated) startWriting() { s.woken.Add(1) }

func (x *bench) seat(user string) *seated {
	s := &seated{session: &session{hs: x.hubs, hub: x.hub, key: newID(), id: identity{user: user, open: true}}}
	s.q.init(x.hubs.cfg.QueueBytes, s)
	x.hub.mu.Lock()
	defer x.hub.mu.Unlock()
	x.hub.sessions = append(x.hub.sessions, s.session)
	s.at = len(x.hub.sessions)
	return s
}

// expect has s wait for the verdict of decision i of r.
func (x *bench) expect(s *seated, r eventlog.Record, i int) {
	x.hub.mu.Lock()
	defer x.hub.mu.Unlock()
	d := &r.Commit.Decisions[i]
	x.hub.register(&sending{key: mutationKey{d.User, d.ID}, cmd: &d.Command, session: s.session})
}

func (x *bench) apply(r eventlog.Record) {
	x.Helper()
	if err := x.hub.Apply(r); err != nil {
		x.Fatal(err)
	}
}

// taken is what a writer would be given now, as text.
func (s *seated) taken() string {
	var b batch
	s.q.take(&b)
	var all strings.Builder
	for _, it := range b.items {
		all.Write(it.data)
	}
	s.q.done(&b)
	s.q.take(&b)
	return all.String()
}

// TestNews_EachUserIsShownHisLikes: whatever cards of a record are liked by
// whomever, and however much of it a user is told, each gets what encoding
// every sync for him alone gives.
func TestNews_EachUserIsShownHisLikes(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	users := []string{"ann", "bob", "cid", "dan"}
	for range 200 {
		var outcomes []projector.Outcome
		for range 1 + rng.IntN(4) {
			var o projector.Outcome
			for range rng.IntN(12) {
				e := &domain.Entity{ID: fmt.Sprint("c", rng.IntN(9)), Kind: domain.KindCard, Rev: 7, Fields: domain.Fields{"title": "x"}}
				var by []string
				for _, user := range users[:3] {
					if rng.IntN(4) == 0 {
						by = append(by, user)
					}
				}
				if by != nil {
					e.Fields["likedBy"] = by
				}
				o.Syncs = append(o.Syncs, projector.Sync{Rev: 7, Entity: e, By: "eve", Event: "card.liked"})
			}
			outcomes = append(outcomes, o)
		}
		n, err := newNews(outcomes, false)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			user, count := users[rng.IntN(len(users))], rng.IntN(len(n.syncs)+1)
			var want []byte
			var enc syncEncoder
			for i := range count {
				want, _ = enc.append(want, &n.syncs[i], n.syncs[i].Entity.LikedBy(user))
			}
			if got := n.frames(user, count).bytes(); string(got) != string(want) {
				t.Fatalf("%s is told %d of %d syncs as\n%q, not\n%q", user, count, len(n.syncs), got, want)
			}
		}
	}
}

func (it item) bytes() []byte {
	if it.bulk != nil {
		return slices.Concat(it.bulk.frames...)
	}
	return it.data
}

// TestNews_LargeOnesAreNotCopied for each who likes others of the cards.
func TestNews_LargeOnesAreNotCopied(t *testing.T) {
	t.Parallel()
	var o projector.Outcome
	const cards, users = 3000, 200
	for i := range cards {
		e := &domain.Entity{ID: fmt.Sprint("c", i), Kind: domain.KindCard, Rev: 7, Fields: domain.Fields{"likedBy": []string{fmt.Sprint("u", i%users)}}}
		o.Open = append(o.Open, projector.Sync{Rev: 9, Entity: e})
	}
	n, err := newNews([]projector.Outcome{o}, true)
	if err != nil {
		t.Fatal(err)
	}
	end := func(b []byte) *byte { return &b[:cap(b)][cap(b)-1] }
	for i := range users {
		it := n.frames(fmt.Sprint("u", i), cards)
		if got := it.bytes(); it.size() != len(got) || bytes.Count(got, []byte(`"liked":true`)) != cards/users {
			t.Fatalf("u%d is sent %d bytes, %d likes", i, len(got), bytes.Count(got, []byte(`"liked":true`)))
		}
		for k, frames := range it.bulk.frames {
			if k%2 == 0 && len(frames) > 0 && end(frames) != end(n.plain) {
				t.Fatalf("u%d has a copy", i)
			}
		}
	}
}

// TestApply_OneItemForAll: a record is one piece of memory in every queue, and
// behind it each session has its own verdicts, in the order decided.
func TestApply_OneItemForAll(t *testing.T) {
	t.Parallel()
	x := newBench(t, 0)
	a, b, c := x.seat("u0"), x.seat("u1"), x.seat("u9")
	r := x.moves(4)
	for i, s := range []*seated{a, b, a, a} {
		x.expect(s, r, i)
	}
	x.apply(r)
	for _, s := range []*seated{a, b, c} {
		if first := s.q.items[0]; &first.data[0] != &a.q.items[0].data[0] || strings.Count(string(first.data), `"type":"sync"`) != 4 {
			t.Errorf("the syncs of %s are %q", s.id.user, first.data)
		}
	}
	if len(a.q.items) != 4 || len(b.q.items) != 2 || len(c.q.items) != 1 {
		t.Fatalf("%d, %d and %d items", len(a.q.items), len(b.q.items), len(c.q.items))
	}
	for i, decision := range []int{0, 2, 3} {
		if it := a.q.items[i+1]; it.kind != itemAck || it.ends != (flight{mutates: 1}) || !strings.Contains(string(it.data), r.Commit.Decisions[decision].ID) {
			t.Errorf("verdict %d is %q", i, it.data)
		}
	}
}

// TestApply_WhoLosesHisRoleInARecord is told as far as that decision.
func TestApply_WhoLosesHisRoleInARecord(t *testing.T) {
	t.Parallel()
	x := newBench(t, 0)
	x.apply(x.record(1, func(int) []domain.Change {
		return []domain.Change{put("member:u0", "member", "user", "u0", "role", "admin"), put("member:eve", "member", "user", "eve", "role", "editor")}
	}))
	eve, ann := x.seat("eve"), x.seat("u0")
	eve.id.open = false
	gone := put("member:eve", "")
	gone.Patch = nil
	steps := [][]domain.Change{{put("c1", "", "title", "before"), gone}, {put("c1", "", "title", "after")}}
	r := x.record(2, func(i int) []domain.Change { return steps[i] })
	for i := range steps {
		x.expect(eve, r, i)
	}
	x.apply(r)
	if eve.q.closing == nil || eve.q.closing.code != 4502 {
		t.Errorf("eve's connection goes on: %+v", eve.q.closing)
	}
	told := eve.taken()
	if strings.Count(told, `"type":"sync"`) != 2 || strings.Count(told, `"type":"ack"`) != 1 || strings.Contains(told, "after") {
		t.Errorf("eve is told %q", told)
	}
	if told := ann.taken(); strings.Count(told, `"type":"sync"`) != 3 || ann.q.closing != nil {
		t.Errorf("ann is told %q", told)
	}
}

// TestRound_ManyViewersAreWokenInRounds: at once after a quiet while, then no
// sooner than a pause later; who has a verdict to get is not kept waiting, nor
// is a queue that fills.
func TestRound_ManyViewersAreWokenInRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, 0)
		const n = 500
		pause := n * roundPer
		var all []*seated
		for i := range n {
			all = append(all, x.seat(fmt.Sprint("u", i)))
		}
		woken := func() (k int) {
			synctest.Wait()
			for _, s := range all {
				k += int(s.woken.Swap(0))
			}
			return k
		}
		x.apply(x.moves(1))
		if k := woken(); k != n {
			t.Errorf("%d are woken by the first record", k)
		}
		for _, s := range all {
			s.taken()
		}
		time.Sleep(pause / 10)
		r := x.moves(1)
		x.expect(all[7], r, 0)
		x.apply(r)
		if k := all[7].woken.Load(); k != 1 || woken() != 1 {
			t.Errorf("the author is woken %d times", k)
		}
		x.apply(x.moves(1))
		if k := woken(); k != 0 {
			t.Errorf("%d are woken too soon", k)
		}
		time.Sleep(pause)
		if k := woken(); k != n-1 {
			t.Errorf("%d are woken by the next round", k)
		}
		if told := all[3].taken(); strings.Count(told, `"type":"sync"`) != 2 {
			t.Errorf("told %q", told)
		}
		time.Sleep(pause)
		x.apply(x.moves(1))
		if k := woken(); k != 1 { // the others' writers have not ended
			t.Errorf("%d are woken after a quiet while", k)
		}
		all[3].taken()
		all[3].q.limit = 100
		x.apply(x.moves(1))
		if k := woken(); k != 1 {
			t.Errorf("%d queues fill up and are woken", k)
		}
	})
}
