package gateway

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// uuid is an id that tells nothing of its age.
const uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

// TestLaw3_RefusedByTheLabForEver: whoever of the user asks for it, however, is
// told the same, and law 4: it never takes effect.
func TestLaw3_RefusedByTheLabForEver(t *testing.T) {
	for _, id := range []string{uuid, ""} {
		inLab(t, labSetting{Plan: []fate{fateRefuse}}, func(t *testing.T, w *world, s *socket) {
			if id == "" {
				id = ulid.Make().String()
			}
			const patch = `{"title":"never"}`
			s.mutateAs(id, "c1", patch)
			first := s.verdict(id)
			refusedByLab(t, first)
			other := w.connect("bob")
			other.skip("ready")
			planned := w.inLab("bob", labSetting{Plan: []fate{fateSwallow}})
			for _, again := range []*socket{s, other, planned} {
				again.mutateAs(id, "c1", patch)
				if f := again.verdict(id); f.raw != first.raw {
					t.Errorf("again: %s", f)
				}
				again.send(fmt.Sprintf(`{"type":"cancel","clientMutationId":%q}`, id))
				if f := again.verdict(id); f.raw != first.raw {
					t.Errorf("cancelled: %s", f)
				}
				again.mutateAs(id, "c1", `{"title":"other"}`)
				if f := again.verdict(id); f.Code != "id_reused" {
					t.Errorf("other content: %s", f)
				}
			}
			if plan, _ := w.left(planned, "bob"); len(plan) != 1 {
				t.Errorf("the plan was used: %v", plan)
			}
			if v := w.try(id, "bob", put("c1", "", "title", "never")); v.Rejection == nil || v.Rejection.Code != "lab" {
				t.Errorf("over HTTP: %+v", v)
			}
			h, err := w.hubs.open(t.Context(), board)
			if err != nil {
				t.Fatal(err)
			}
			defer h.release()
			if v, ok, err := h.lookup(t.Context(), "bob", id); !ok || err != nil || v.Rejection == nil || v.Rejection.Code != "lab" {
				t.Errorf("looked up: %+v %v %v", v, ok, err)
			}
			time.Sleep(time.Minute)
			if got := w.asked(); len(got) > 0 {
				t.Errorf("decided %v", got)
			}
			ada := w.connect("ada")
			ada.skip("ready")
			ada.mutateAs(id, "c1", patch) // an id belongs to its user
			acked(t, ada.verdict(id))
		})
	}
}

// TestLaw6_InTheLab: mutates that are delayed by chance, more and less, take
// effect in the order sent; a cancel may overtake as ever, but not what waits.
func TestLaw6_InTheLab(t *testing.T) {
	inLab(t, labSetting{DelayMs: 200, JitterMs: 2000}, func(t *testing.T, w *world, s *socket) {
		var ids []string
		cancelled := ""
		for i := range 30 {
			ids = append(ids,
				s.mutate(fmt.Sprintf("col%d", i), `{"kind":"column","title":"New"}`),
				s.mutate(fmt.Sprintf("new%d", i), fmt.Sprintf(`{"kind":"card","title":"In it","columnId":"col%d"}`, i)))
			switch i {
			case 10:
				synctest.Wait()
				w.set(s, "bob", labSetting{JitterMs: 10})
			case 20: // none waits any longer than those before it
				synctest.Wait()
				w.set(s, "bob", labSetting{})
			case 25:
				cancelled = s.mutate("c1", `{"title":"x"}`)
				s.send(fmt.Sprintf(`{"type":"cancel","clientMutationId":%q}`, cancelled))
			}
		}
		start := time.Now()
		s.verdict(cancelled)
		if took := time.Since(start); took < 200*time.Millisecond {
			t.Errorf("the cancel came first, after %v", took)
		}
		last := uint64(0)
		for i, id := range ids {
			f := s.verdict(id)
			if f.Type != "ack" || f.Rev <= last {
				t.Fatalf("%d after rev %d: %s", i, last, f)
			}
			last = f.Rev
		}
		synctest.Wait()
		if _, trial := w.left(s, "bob"); trial {
			t.Error("the trial does not end")
		}
	})
}

// TestLaw4_WhatMayBeOutPassesTheLab: it is neither refused nor swallowed, and
// takes nothing from the plan.
func TestLaw4_WhatMayBeOutPassesTheLab(t *testing.T) {
	refuse := labSetting{Plan: []fate{fateRefuse}}
	whole := func(t *testing.T, w *world, s *socket) {
		t.Helper()
		if plan, _ := w.left(s, "bob"); len(plan) != 1 {
			t.Errorf("the plan was used: %v", plan)
		}
	}
	const patch = `{"title":"x"}`
	t.Run("made before the connection", func(t *testing.T) {
		inBubble(t, options{cfg: Config{Lab: true}}, func(t *testing.T, w *world) {
			w.demo()
			id := ulid.Make().String()
			time.Sleep(time.Second)
			s := w.inLab("bob", refuse)
			s.mutateAs(id, "c1", patch)
			acked(t, s.verdict(id))
			whole(t, w, s)
		})
	})
	t.Run("decided", func(t *testing.T) {
		inBubble(t, options{cfg: Config{Lab: true}}, func(t *testing.T, w *world) {
			w.demo()
			w.try(uuid, "bob", put("c1", "", "title", "x"))
			s := w.inLab("bob", refuse)
			s.mutateAs(uuid, "c1", patch)
			acked(t, s.verdict(uuid))
			whole(t, w, s)
		})
	})
	for _, leaves := range []bool{false, true} {
		t.Run(fmt.Sprint("undecided, and the first connection is gone: ", leaves), func(t *testing.T) {
			inBubble(t, options{cfg: Config{Lab: true}, noService: true}, func(t *testing.T, w *world) {
				stop := w.serveFor()
				w.demo()
				first := w.connect("bob")
				first.skip("ready")
				stop()
				first.mutateAs(uuid, "c1", patch)
				synctest.Wait()
				if leaves {
					first.ws.Close()
					synctest.Wait()
				}
				s := w.inLab("bob", refuse)
				s.mutateAs(uuid, "c1", patch)
				synctest.Wait()
				w.serveFor()
				acked(t, s.verdict(uuid))
				whole(t, w, s)
			})
		})
	}
	t.Run("undecided, and the request is gone", func(t *testing.T) {
		inBubble(t, options{cfg: Config{Lab: true}, noService: true}, func(t *testing.T, w *world) {
			stop := w.serveFor()
			w.demo()
			stop()
			h, err := w.hubs.open(t.Context(), board)
			if err != nil {
				t.Fatal(err)
			}
			defer h.release()
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			cmd := domain.Command{ID: uuid, Op: domain.OpMutate, User: "bob", Changes: []domain.Change{put("c1", "", "title", "x")}}
			if _, _, err := h.submit(ctx, cmd, 4*time.Second); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			s := w.inLab("bob", refuse)
			s.mutateAs(uuid, "c1", patch)
			synctest.Wait()
			w.serveFor()
			acked(t, s.verdict(uuid))
		})
	})
	t.Run("decided by another node, whose news is lost", func(t *testing.T) {
		inBubble(t, options{cfg: Config{Lab: true}}, func(t *testing.T, w *world) {
			w.demo()
			s := w.inLab("bob", labSetting{Plan: []fate{fateSwallow}})
			w.fake.SetFaults(logtest.Faults{LoseNews: 1})
			w.node(options{}).try(uuid, "bob", put("c1", "", "title", "x"))
			s.mutateAs(uuid, "c1", patch)
			acked(t, s.verdict(uuid))
		})
	})
	t.Run("the log does not say", func(t *testing.T) {
		inTappedBubble(t, options{cfg: Config{Lab: true}}, func(t *testing.T, w *world, tap *tapped) {
			w.demo()
			s := w.inLab("bob", refuse)
			tap.SetFaults(logtest.Faults{FailRead: 1})
			s.mutateAs(uuid, "c1", patch)
			time.Sleep(6 * time.Second)
			tap.SetFaults(logtest.Faults{})
			if f := s.verdict(uuid); f.Code == "lab" {
				t.Errorf("%s", f)
			}
		})
	})
	for _, leaves := range []bool{false, true} {
		t.Run(fmt.Sprint("sent by another connection while it waits, undecided, and that is gone: ", leaves), func(t *testing.T) {
			inBubble(t, options{cfg: Config{Lab: true}, noService: true}, func(t *testing.T, w *world) {
				stop := w.serveFor()
				w.demo()
				s := w.inLab("bob", labSetting{DelayMs: 1000, Refuse: 1})
				other := w.connect("bob")
				other.skip("ready")
				stop()
				id := s.mutate("c1", patch)
				synctest.Wait()
				other.mutateAs(id, "c1", patch)
				synctest.Wait()
				if leaves {
					other.ws.Close()
				}
				time.Sleep(2 * time.Second)
				w.serveFor()
				acked(t, s.verdict(id))
			})
		})
	}
	t.Run("sent by another session while it waits", func(t *testing.T) {
		inLab(t, labSetting{DelayMs: 1000, Plan: []fate{fateRefuse}}, func(t *testing.T, w *world, s *socket) {
			id := s.mutate("c1", patch)
			synctest.Wait()
			if v := w.try(id, "bob", put("c1", "", "title", "x")); v.Rejection != nil {
				t.Errorf("%+v", v)
			}
			acked(t, s.verdict(id))
		})
	})
}

// TestLaw3_InTheLabEachSendingIsAnswered: one that is sent twice while it waits
// is one of the plan's, and both are told.
func TestLaw3_InTheLabEachSendingIsAnswered(t *testing.T) {
	inLab(t, labSetting{DelayMs: 100, Plan: []fate{fateRefuse, fatePass, fateRefuse}}, func(t *testing.T, w *world, s *socket) {
		var ids []string
		for range 2 {
			id := s.mutate("c1", `{"title":"x"}`)
			s.mutateAs(id, "c1", `{"title":"x"}`)
			ids = append(ids, id)
		}
		for range 2 {
			refusedByLab(t, s.verdict(ids[0]))
			acked(t, s.verdict(ids[1]))
		}
		if plan, _ := w.left(s, "bob"); len(plan) != 1 {
			t.Errorf("left: %v", plan)
		}
	})
}

// TestLaw7_InTheLab: what waits behind one that could not be published is
// refused with it, until it comes again.
func TestLaw7_InTheLab(t *testing.T) {
	inTappedBubble(t, options{cfg: Config{Lab: true}}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		s := w.inLab("bob", labSetting{DelayMs: 500, JitterMs: 1})
		tap.publish = func(*domain.Command, time.Duration) error { return errors.New("not connected") }
		var ids []string
		for i := range 3 {
			ids = append(ids, s.mutate("c1", fmt.Sprintf(`{"title":"%d"}`, i)))
		}
		s.send(fmt.Sprintf(`{"type":"cancel","clientMutationId":%q}`, uuid))
		old := ulid.MustNew(ulid.Timestamp(time.Now().Add(-time.Hour)), nil).String()
		s.mutateAs(old, "c1", `{"title":"old"}`) // may be out: never refused
		for _, id := range ids {
			if f := s.verdict(id); f.Code != "unavailable" || !f.Retryable {
				t.Errorf("%s", f)
			}
		}
		tap.mend()
		if f := s.verdict(uuid); f.Code != "withdrawn" {
			t.Errorf("%s", f)
		}
		acked(t, s.verdict(old))
		start := time.Now()
		if f := s.verdict(s.mutate("c1", `{"title":"overtakes"}`)); f.Code != "unavailable" || time.Since(start) > 100*time.Millisecond {
			t.Errorf("%s", f)
		}
		for i, id := range ids {
			s.mutateAs(id, "c1", fmt.Sprintf(`{"title":"%d"}`, i))
		}
		for _, id := range ids {
			acked(t, s.verdict(id))
		}
		if got := fmt.Sprint(w.asked()); got != "[old 0 1 2]" {
			t.Errorf("decided %s", got)
		}
		synctest.Wait()
		if n := w.hubs.counters().InFlight; n != 0 {
			t.Errorf("%d in flight", n)
		}
	})
}

// TestLaw7_InTheLabACancelFrees what waits behind it.
func TestLaw7_InTheLabACancelFrees(t *testing.T) {
	inTappedBubble(t, options{cfg: Config{Lab: true}}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		s := w.inLab("bob", labSetting{DelayMs: 500})
		tap.publish = func(cmd *domain.Command, _ time.Duration) error {
			if cmd.Op == domain.OpMutate {
				tap.publish = nil
				return errors.New("not connected")
			}
			return nil
		}
		first, held := s.mutate("c1", `{"title":"first"}`), s.mutate("c1", `{"title":"held"}`)
		s.send(fmt.Sprintf(`{"type":"cancel","clientMutationId":%q}`, first))
		free := s.mutate("c1", `{"title":"free"}`)
		for _, id := range []string{first, held} {
			if f := s.verdict(id); f.Code != "unavailable" {
				t.Errorf("%s", f)
			}
		}
		if f := s.verdict(first); f.Code != "withdrawn" {
			t.Errorf("%s", f)
		}
		acked(t, s.verdict(free))
		acked(t, s.verdict(s.mutate("c1", `{"title":"later"}`)))
	})
}
