package gateway

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/eventlog/logtest"
)

// inLab is inBubble with a lab, bob on the demo board and his setting.
func inLab(t *testing.T, set labSetting, test func(t *testing.T, w *world, s *socket)) {
	t.Helper()
	inBubble(t, options{cfg: Config{Lab: true}}, func(t *testing.T, w *world) {
		w.demo()
		test(t, w, w.inLab("bob", set))
	})
}

// inLab is connect with a setting.
func (w *world) inLab(user string, set labSetting) *socket {
	w.t.Helper()
	s := w.connect(user)
	s.skip("ready")
	w.set(s, user, set)
	return s
}

func (w *world) set(s *socket, user string, set labSetting) {
	w.t.Helper()
	if !w.hubs.withSession(board, s.session, user, func(ses *session) { ses.change(set) }) {
		w.t.Fatal("no such session")
	}
}

// left is what is planned still; trial says whether the session has one.
func (w *world) left(s *socket, user string) (plan []fate, trial bool) {
	w.hubs.withSession(board, s.session, user, func(ses *session) {
		if trial = ses.trial != nil; trial {
			plan = ses.trial.set.Plan
		}
	})
	return plan, trial
}

// TestLab_HelloSaysSo: a page need not try.
func TestLab_HelloSaysSo(t *testing.T) {
	for _, has := range []bool{false, true} {
		inBubble(t, options{cfg: Config{Lab: has}}, func(t *testing.T, w *world) {
			w.demo()
			s := w.connect("bob")
			if hello := s.next(); strings.Contains(hello.raw, `"lab":true`) != has {
				t.Errorf("with a lab: %v; %s", has, hello.raw)
			}
		})
	}
}

// refusedByLab wants the nack of the lab.
func refusedByLab(t *testing.T, f frame) {
	t.Helper()
	if f.Type != "nack" || f.Code != "lab" || f.Retryable || len(f.Details) > 0 || f.Reason == "" {
		t.Errorf("%s", f)
	}
}

func acked(t *testing.T, f frame) {
	t.Helper()
	if f.Type != "ack" {
		t.Errorf("%s", f)
	}
}

// asked is what the log has decided of bob's, by title: the lab's own is never there.
func (w *world) asked() (titles []string) {
	for _, r := range w.fake.Stored(board) {
		for _, d := range r.Commit.Decisions {
			for _, c := range d.Command.Changes {
				if title, ok := c.Patch["title"].(string); ok && d.Command.User == "bob" {
					titles = append(titles, title)
				}
			}
		}
	}
	return titles
}

func TestLab_PlanRefusesTheMiddleOfThree(t *testing.T) {
	t.Parallel()
	onBoth(t, options{cfg: Config{Lab: true}}, func(t *testing.T, w *world) {
		w.demo()
		s := w.inLab("bob", labSetting{Plan: []fate{fatePass, fateRefuse, fatePass, fateSwallow}})
		one, two, three := s.mutate("c1", `{"title":"1"}`), s.mutate("c1", `{"title":"2"}`), s.mutate("c1", `{"color":"red"}`)
		acked(t, s.verdict(one))
		refusedByLab(t, s.verdict(two))
		acked(t, s.verdict(three))
		if plan, _ := w.left(s, "bob"); !slices.Equal(plan, []fate{fateSwallow}) {
			t.Errorf("left: %v", plan)
		}
		for _, f := range w.connect("ada").until("ready") {
			if f.Entity["id"] == "c1" && (f.Entity["title"] != "1" || f.Entity["color"] != "red") {
				t.Errorf("%s", f)
			}
		}
	})
}

// TestLab_OnlyWhoAsks: neither another session of the same user nor what comes
// over HTTP has a part in it, and a setting of zeros ends it.
func TestLab_OnlyWhoAsks(t *testing.T) {
	inLab(t, labSetting{Refuse: 1}, func(t *testing.T, w *world, s *socket) {
		other := w.connect("bob")
		other.skip("ready")
		acked(t, other.verdict(other.mutate("c1", `{"title":"x"}`)))
		if v := w.try(ulid.Make().String(), "bob", put("c1", "", "title", "y")); v.Rejection != nil {
			t.Errorf("%v", v.Rejection)
		}
		refusedByLab(t, s.verdict(s.mutate("c1", `{"title":"z"}`)))
		w.set(s, "bob", labSetting{})
		if _, trial := w.left(s, "bob"); trial {
			t.Error("a trial of nothing")
		}
		acked(t, s.verdict(s.mutate("c1", `{"title":"z"}`)))
	})
}

func TestLab_ShareOfEach(t *testing.T) {
	inLab(t, labSetting{}, func(t *testing.T, w *world, s *socket) {
		draws := []float64{0, 0.299, 0.3, 0.499, 0.5, 0.999}
		n := 0
		w.hubs.lab.random = func() float64 { // of each mutate twice: its fate, its jitter
			n++
			return draws[(n-1)/2]
		}
		w.set(s, "bob", labSetting{Refuse: 0.3, Swallow: 0.2})
		var ids []string
		for i := range draws {
			ids = append(ids, s.mutate("c1", fmt.Sprintf(`{"title":"%d"}`, i)))
		}
		for i, id := range ids {
			switch {
			case i < 2:
				refusedByLab(t, s.verdict(id))
			case i > 3:
				acked(t, s.verdict(id))
			}
		}
		if got := fmt.Sprint(w.asked()); got != "[4 5]" {
			t.Errorf("decided %s", got)
		}
	})
}

// TestLab_SwallowedIsWithdrawnWhenAskedFor: nothing is heard of it, nobody waits
// for it, and the cancel goes through.
func TestLab_SwallowedIsWithdrawnWhenAskedFor(t *testing.T) {
	inLab(t, labSetting{Plan: []fate{fateSwallow, fatePass, fateRefuse, fatePass}}, func(t *testing.T, w *world, s *socket) {
		start := time.Now()
		lost := s.mutate("c1", `{"title":"lost"}`)
		kept := s.mutate("c1", `{"title":"kept"}`)
		refused := s.mutate("c1", `{"title":"refused"}`)
		last := s.mutate("c2", `{"title":"last"}`)
		acked(t, s.verdict(kept))
		refusedByLab(t, s.verdict(refused))
		acked(t, s.verdict(last))
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("waited %v for what never comes", took)
		}
		time.Sleep(5 * time.Second)
		if len(s.kept[lost]) > 0 || len(s.frames) > 0 {
			t.Error("something was heard of it")
		}
		s.send(fmt.Sprintf(`{"type":"cancel","clientMutationId":%q}`, lost))
		if f := s.verdict(lost); f.Code != "withdrawn" {
			t.Errorf("%s", f)
		}
		if got := fmt.Sprint(w.asked()); got != "[kept last]" {
			t.Errorf("decided %s", got)
		}
	})
}

func TestLab_DelayWithJitter(t *testing.T) {
	inLab(t, labSetting{DelayMs: 1000, JitterMs: 500}, func(t *testing.T, w *world, s *socket) {
		w.hubs.withSession(board, s.session, "bob", func(*session) { w.hubs.lab.random = func() float64 { return 0.5 } })
		start := time.Now()
		a, b := s.mutate("c1", `{"title":"a"}`), s.mutate("c1", `{"title":"b"}`)
		for _, id := range []string{a, b} { // each waits for itself, not for one after the other
			acked(t, s.verdict(id))
			if took := time.Since(start); took < 1250*time.Millisecond || took > 1350*time.Millisecond {
				t.Errorf("took %v", took)
			}
		}
	})
}

// TestLab_DeadlineCountsFromReceipt, not from the end of the delay.
func TestLab_DeadlineCountsFromReceipt(t *testing.T) {
	inLab(t, labSetting{DelayMs: 3000}, func(t *testing.T, w *world, s *socket) {
		short, long := s.mutate("c1", `{"title":"short"}`, `"ttlMs":2000`), s.mutate("c1", `{"title":"long"}`, `"ttlMs":3500`)
		at := s.mutate("c1", `{"title":"at"}`, fmt.Sprintf(`"expiresAt":%q`, time.Now().Add(2*time.Second).UTC().Format(time.RFC3339Nano)))
		for _, id := range []string{short, at} {
			if f := s.verdict(id); f.Code != "expired" {
				t.Errorf("%s", f)
			}
		}
		acked(t, s.verdict(long))
	})
}

// TestLab_TheReaderGoesOn: what is no mutation is not delayed.
func TestLab_TheReaderGoesOn(t *testing.T) {
	inLab(t, labSetting{DelayMs: 30_000}, func(t *testing.T, w *world, s *socket) {
		ada := w.connect("ada")
		ada.skip("ready")
		start := time.Now()
		id := s.mutate("c1", `{"title":"x"}`)
		s.send(`{"type":"ping"}`)
		s.send(`{"type":"presence","data":{"at":"c1"}}`)
		s.send(`{"type":"load","id":7,"card":"c1"}`)
		s.skip("pong")
		s.skip("loaded")
		ada.skip("presence")
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
		if f := s.verdict(id); f.Code != "expired" || time.Since(start) < 30*time.Second {
			t.Errorf("after %v: %s", time.Since(start), f)
		}
	})
}

// TestLab_EndOfSessionLeavesNothing: neither a goroutine nor a change.
func TestLab_EndOfSessionLeavesNothing(t *testing.T) {
	inLab(t, labSetting{DelayMs: 30_000}, func(t *testing.T, w *world, s *socket) {
		for range 3 {
			s.mutate("c1", `{"title":"x"}`, `"ttlMs":60000`)
		}
		synctest.Wait()
		if n := running("(*trial).run"); n != 1 {
			t.Fatalf("%d run", n)
		}
		s.ws.Close()
		synctest.Wait()
		if n := running("(*trial).run"); n != 0 {
			t.Errorf("%d run still", n)
		}
		time.Sleep(time.Minute)
		if got := w.asked(); len(got) > 0 || w.hubs.counters().Sessions != 0 {
			t.Errorf("decided %v", got)
		}
		s = w.inLab("bob", labSetting{Refuse: 1})
		w.fake.SetFaults(logtest.Faults{Latency: 4 * time.Second})
		s.mutate("c1", `{"title":"x"}`, `"ttlMs":60000`)
		synctest.Wait() // the log is being asked
		s.ws.Close()
		synctest.Wait()
		if n := running("(*trial).run"); n != 0 {
			t.Errorf("%d run still", n)
		}
		time.Sleep(time.Minute)
		if got := w.asked(); len(got) > 0 {
			t.Errorf("decided %v", got)
		}
	})
}

// running is how many goroutines are in the function.
func running(function string) int {
	stacks := make([]byte, 4<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), function+"(")
}

// TestLab_Drain: what waits is in flight; the last one may be swallowed.
func TestLab_Drain(t *testing.T) {
	inLab(t, labSetting{DelayMs: 3000, Plan: []fate{fatePass, fateRefuse, fateSwallow}}, func(t *testing.T, w *world, s *socket) {
		a, b := s.mutate("c1", `{"title":"a"}`), s.mutate("c1", `{"title":"b"}`)
		synctest.Wait()
		time.Sleep(time.Second)
		s.mutate("c1", `{"title":"c"}`)
		synctest.Wait()
		drained := make(chan error, 1)
		go func() { drained <- w.hubs.drain(t.Context(), 0) }()
		s.skip("goaway")
		time.Sleep(leaveGrace)
		synctest.Wait()
		if f := s.verdict(s.mutate("c1", `{"title":"late"}`)); f.Code != "unavailable" {
			t.Errorf("%s", f)
		}
		acked(t, s.verdict(a))
		refusedByLab(t, s.verdict(b))
		start := time.Now()
		s.closed(1012)
		if took := time.Since(start); took < 900*time.Millisecond || took > 1100*time.Millisecond {
			t.Errorf("closed %v after the second verdict", took)
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
	})
}

// TestLab_AsManyWaitAsMayBeInFlight, and who sent more has room again once
// they are swallowed.
func TestLab_AsManyWaitAsMayBeInFlight(t *testing.T) {
	inLab(t, labSetting{DelayMs: 2000, Swallow: 1}, func(t *testing.T, w *world, s *socket) {
		for range 256 {
			s.mutate("c1", `{"title":"x"}`)
		}
		more := s.mutate("c1", `{"title":"more"}`)
		if f := s.verdict(more); f.Code != "rate_limited" || !f.Retryable {
			t.Errorf("%s", f)
		}
		old := ulid.MustNew(ulid.Timestamp(time.Now().Add(-time.Hour)), nil).String()
		s.mutateAs(old, "c1", `{"title":"old"}`) // may be out: it waits for room
		start := time.Now()
		acked(t, s.verdict(old))
		if took := time.Since(start); took < 3900*time.Millisecond || took > 4100*time.Millisecond {
			t.Errorf("took %v", took)
		}
		w.set(s, "bob", labSetting{})
		s.mutateAs(more, "c1", `{"title":"more"}`)
		acked(t, s.verdict(more))
		synctest.Wait()
		if n := w.hubs.counters().InFlight; n != 0 {
			t.Errorf("%d in flight", n)
		}
	})
}

func TestNewest_ForgetsTheOldest(t *testing.T) {
	t.Parallel()
	n := newest[int]{most: 3}
	key := func(i int) labKey { return labKey{"b", mutationKey{"u", fmt.Sprint(i)}} }
	for i := range 5 {
		n.put(key(i), i)
		n.put(key(i), i) // again: in the same place
	}
	for i := range 5 {
		if v, ok := n.by[key(i)]; ok != (i > 1) || ok && v != i {
			t.Errorf("%d: %d %v", i, v, ok)
		}
	}
	if len(n.by) != 3 || len(n.ring) != 3 {
		t.Errorf("%d in %d", len(n.by), len(n.ring))
	}
}
