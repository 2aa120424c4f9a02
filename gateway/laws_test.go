package gateway

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/ulid/v2"
)

func TestJoin_HelloSyncsReady(t *testing.T) {
	t.Parallel()
	onBoth(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("ada")
		list := s.until("ready")
		hello := list[0]
		if hello.Type != "hello" || hello.User != "ada" || hello.Role != "admin" || hello.Resumed || hello.Epoch == "" || hello.Session == "" ||
			hello.Limits["frameBytes"] != 262144.0 || hello.Limits["inFlight"] != 256.0 || hello.Limits["ackTimeoutMs"] != 5000.0 {
			t.Errorf("hello: %s", hello)
		}
		var ids []string
		for _, f := range list[1 : len(list)-1] {
			if f.Type != "sync" || f.By != "" || f.Event != "" || f.Rev != uint64(f.Entity["rev"].(float64)) {
				t.Errorf("sync: %s", f)
			}
			ids = append(ids, f.Entity["id"].(string))
			if f.Entity["kind"] == "card" && (f.Entity["liked"] != false || f.Entity["likes"] != 0.0) {
				t.Errorf("card without likes: %s", f)
			}
		}
		for _, id := range []string{board, "member:ada", "member:bob", "todo", "doing", "c1", "c2", "c3"} {
			if !strings.Contains(" "+strings.Join(ids, " ")+" ", " "+id+" ") {
				t.Errorf("%s is missing in %v", id, ids)
			}
		}
		if ready := list[len(list)-1]; ready.Rev < hello.Rev {
			t.Errorf("ready %d before hello %d", ready.Rev, hello.Rev)
		}
	})
}

func TestLaw1_SyncsInRevOrder(t *testing.T) {
	t.Parallel()
	onBoth(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		watcher := w.connect("bob") // next checks the order
		ready := watcher.skip("ready")
		const each = 50
		var writers []*socket
		for range 4 {
			s := w.connect("ada")
			s.skip("ready")
			writers = append(writers, s)
		}
		for i := range each {
			for n, s := range writers {
				s.mutate("c1", fmt.Sprintf(`{"title":"%d by %d"}`, i, n))
			}
		}
		for _, s := range writers {
			for range each {
				if f := s.skip("ack"); f.Rev > s.rev {
					t.Fatalf("law 2: %s", f)
				}
			}
		}
		for n := range uint64(4 * each) {
			if f := watcher.skip("sync"); f.Rev != ready.Rev+n+1 || f.By != "ada" || f.Event != "card.renamed" {
				t.Fatalf("sync %d: %s", n, f)
			}
		}
	})
}

func TestLaw2_AckRightAfterItsSyncs(t *testing.T) {
	t.Parallel()
	onBoth(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		id := s.mutate("c1", `{"title":"New","columnId":"doing"}`)
		one, two, ack := s.next(), s.next(), s.next()
		if one.Type != "sync" || !one.More || two.Type != "sync" || two.More || two.Entity["title"] != "New" || two.Entity["columnId"] != "doing" {
			t.Errorf("syncs: %s %s", one, two)
		}
		if ack.Type != "ack" || ack.ID != id || ack.Rev != two.Rev || ack.Events != 2 {
			t.Errorf("ack: %s", ack)
		}
	})
}

// writes is a connection that remembers what each Write carried.
type writes struct {
	net.Conn
	mu  sync.Mutex
	all []string
}

func (c *writes) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.all = append(c.all, string(p))
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// TestLaw2_OneFlush: what one record tells a connection is one write, for the
// originator its ack included.
func TestLaw2_OneFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, options{})
		w.demo()
		near, far := net.Pipe()
		server := &writes{Conn: far}
		w.dial = func(context.Context, string, string) (net.Conn, error) { return near, nil }
		w.listener.Offer(server)
		s := w.connect("bob")
		s.skip("ready")
		id := s.mutate("c1", `{"title":"New","columnId":"doing"}`)
		s.verdict(id)
		server.mu.Lock()
		defer server.mu.Unlock()
		last := server.all[len(server.all)-1]
		if strings.Count(last, `"type":"sync"`) != 2 || !strings.Contains(last, `"type":"ack","clientMutationId":"`+id) {
			t.Errorf("last write: %q", last)
		}
	})
}

func TestLaw3_EverySendingOneVerdict(t *testing.T) {
	t.Parallel()
	onBoth(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		a, b := w.connect("bob"), w.connect("bob")
		a.skip("ready")
		b.skip("ready")
		id := ulid.Make().String()
		a.mutateAs(id, "c1", `{"title":"Once"}`)
		a.mutateAs(id, "c1", `{"title":"Once"}`)
		first, second := a.verdict(id), a.verdict(id)
		b.mutateAs(id, "c1", `{"title":"Once"}`)
		third := b.verdict(id)
		if first.Type != "ack" || first.raw != second.raw || first.raw != third.raw {
			t.Errorf("verdicts differ: %s %s %s", first, second, third)
		}
		// A like belongs to its user: the same id of another is another mutation.
		c := w.connect("ada")
		c.skip("ready")
		c.mutateAs(id, "c1", `{"title":"Ada's"}`)
		if f := c.verdict(id); f.Type != "ack" || f.Rev == first.Rev {
			t.Errorf("another user's: %s", f)
		}
		bad := a.mutate("nowhere", `{"title":"x"}`)
		n1 := a.verdict(bad)
		b.mutateAs(bad, "nowhere", `{"title":"x"}`)
		if n2 := b.verdict(bad); n1.Type != "nack" || n1.Code != "not_found" || n1.Retryable || n1.raw != n2.raw {
			t.Errorf("nacks: %s %s", n1, n2)
		}
	})
}

func TestLaw3_OtherContentIsIDReused(t *testing.T) {
	t.Parallel()
	onBoth(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		id := ulid.Make().String()
		s.mutateAs(id, "c1", `{"title":"One"}`)
		s.mutateAs(id, "c1", `{"title":"Two"}`)
		got := map[string]frame{}
		for range 2 {
			f := s.verdict(id)
			got[f.Type] = f
		}
		if got["ack"].ID == "" || got["nack"].Code != "id_reused" {
			t.Errorf("verdicts: %v", got)
		}
		s.mutateAs(id, "c1", `{"title":"Three"}`)
		if f := s.verdict(id); f.Code != "id_reused" || f.Retryable {
			t.Errorf("later: %s", f)
		}
		s.mutateAs(id, "c1", `{"title":"One"}`)
		if f := s.verdict(id); f.raw != got["ack"].raw {
			t.Errorf("the first again: %s", f)
		}
	})
}

func TestLaw4_FormErrorsAreFinalAndPublishNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.demo()
	s := w.connect("bob")
	s.skip("ready")
	before := len(w.fake.Stored(board))
	s.mutateAs("m1", "c1", `7`)
	if f := s.verdict("m1"); f.Code != "invalid" || f.Retryable || f.Details["field"] != "patch" {
		t.Errorf("%s", f)
	}
	id := s.mutate("c1", `{"title":"after"}`)
	s.verdict(id)
	if n := len(w.fake.Stored(board)); n != before+1 {
		t.Errorf("%d records more", n-before)
	}
}

func TestLaw6_MutatesInTheOrderSent(t *testing.T) {
	t.Parallel()
	onBoth(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		var ids []string
		for i := range 30 {
			ids = append(ids,
				s.mutate(fmt.Sprintf("col%d", i), `{"kind":"column","title":"New"}`),
				s.mutate(fmt.Sprintf("new%d", i), fmt.Sprintf(`{"kind":"card","title":"In it","columnId":"col%d"}`, i)))
		}
		last := uint64(0)
		for _, id := range ids {
			f := s.verdict(id)
			if f.Type != "ack" || f.Rev <= last {
				t.Fatalf("after rev %d: %s", last, f)
			}
			last = f.Rev
		}
	})
}

func TestLaw9_ResumeMissesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		rev := s.skip("ready").Rev
		w.do(put("c1", "", "title", "changed"))
		w.do(put("gone", "card", "title", "x", "columnId", "todo"))
		deleted := put("c2", "")
		deleted.Patch = nil
		w.do(deleted)
		r := w.connect("bob", fmt.Sprintf("since=%d", rev), "epoch="+s.epoch)
		list := r.until("ready")
		if !list[0].Resumed || len(list) != 5 {
			t.Fatalf("resumed: %v", list)
		}
		got := map[string]frame{}
		for _, f := range list[1:4] {
			got[f.Entity["id"].(string)] = f
		}
		if got["c1"].Entity["title"] != "changed" || got["gone"].Entity == nil || got["c2"].Entity["deleted"] != true || got["c2"].Entity["columnId"] != "todo" {
			t.Errorf("resumed: %v", list)
		}
		for _, query := range []string{"since=1&epoch=other", "since=99999&epoch=" + s.epoch, "since=x&epoch=" + s.epoch} {
			if list := w.connect("bob", query).until("ready"); list[0].Resumed || len(list) < 8 {
				t.Errorf("%s: %v", query, list[0])
			}
		}
		head := list[4].Rev
		if list := w.connect("bob", fmt.Sprintf("since=%d&epoch=%s", head, s.epoch)).until("ready"); !list[0].Resumed || len(list) != 2 {
			t.Errorf("at the head: %v", list)
		}
	})
}

func TestLaw9_ResentPendingGetTheirVerdicts(t *testing.T) {
	t.Parallel()
	onBoth(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		expires := fmt.Sprintf(`"expiresAt":%q`, time.Now().Add(4*time.Second).UTC().Format(time.RFC3339Nano))
		var ids []string
		for range 20 {
			ids = append(ids, s.mutate("c1", `{"likedBy":{"add":"bob"}}`, expires))
		}
		s.ws.Close() // with some decided and some not
		r := w.connect("bob")
		r.skip("ready")
		for _, id := range ids {
			r.mutateAs(id, "c1", `{"likedBy":{"add":"bob"}}`, expires)
		}
		for _, id := range ids {
			if f := r.verdict(id); f.Type != "ack" {
				t.Errorf("%s", f)
			}
		}
	})
}
