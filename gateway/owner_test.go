package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/logtest"
	"github.com/snapback-io/snapback/gateway/wire"
)

// tapped is a log whose publishing a test watches and breaks.
type tapped struct {
	*logtest.Log
	publish func(cmd *domain.Command, ttl time.Duration) error // nil: goes through; one call at a time
	heads   int

	mu sync.Mutex
}

func (l *tapped) PublishCommand(cmd *domain.Command, ttl time.Duration) error {
	l.mu.Lock()
	var err error
	if l.publish != nil {
		err = l.publish(cmd, ttl)
	}
	l.mu.Unlock()
	if err != nil {
		return err
	}
	return l.Log.PublishCommand(cmd, ttl)
}

// mend lets everything through again.
func (l *tapped) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.publish = nil
}

func (l *tapped) Head(ctx context.Context, b string) (uint64, error) {
	l.heads++
	return l.Log.Head(ctx, b)
}

// inTappedBubble is inBubble with the hubs' log tapped.
func inTappedBubble(t *testing.T, o options, test func(t *testing.T, w *world, tap *tapped)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, o)
		tap := &tapped{Log: w.fake}
		w.hubs.log = tap
		test(t, w, tap)
	})
}

// TestOwner_PublishesAgainUntilTheVerdict: after 500 ms, then every second,
// with the time to live that is left, past the deadline too.
func TestOwner_PublishesAgainUntilTheVerdict(t *testing.T) {
	inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		start := time.Now()
		var at, left []time.Duration
		tap.SetFaults(logtest.Faults{LoseCommand: 1})
		tap.publish = func(_ *domain.Command, ttl time.Duration) error {
			at, left = append(at, time.Since(start)), append(left, ttl)
			if len(at) == 8 {
				tap.SetFaults(logtest.Faults{})
			}
			return nil
		}
		id := s.mutate("c1", `{"title":"x"}`)
		f := s.verdict(id)
		if f.Code != "expired" || f.Retryable {
			t.Errorf("%s", f)
		}
		for i, d := range at {
			want := time.Duration(0)
			if i > 0 {
				want = firstLook + time.Duration(i-1)*laterLook
			}
			if d < want || d > want+time.Duration(i+1)*chaseTick {
				t.Errorf("published %d after %v, want %v", i, d, want)
			}
			if left[i] != 4*time.Second-d {
				t.Errorf("published %d after %v with %v left", i, d, left[i])
			}
		}
		if len(at) != 8 {
			t.Errorf("published %d times", len(at))
		}
		time.Sleep(10 * time.Second)
		if len(at) != 8 {
			t.Errorf("published %d times, the last after the verdict", len(at))
		}
	})
}

// TestOwner_StopsWhenNobodyWaits: the connection is gone.
func TestOwner_StopsWhenNobodyWaits(t *testing.T) {
	inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		tap.SetFaults(logtest.Faults{LoseCommand: 1})
		n := 0
		tap.publish = func(*domain.Command, time.Duration) error { n++; return nil }
		h, err := w.hubs.open(t.Context(), board)
		if err != nil {
			t.Fatal(err)
		}
		defer h.release()
		looking := func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.looking
		}
		s.mutate("c1", `{"title":"x"}`)
		synctest.Wait()
		if !looking() {
			t.Error("nobody looks after it")
		}
		s.ws.Close()
		time.Sleep(time.Minute)
		if n != 1 || looking() {
			t.Errorf("published %d times, looked after %v", n, looking())
		}
	})
}

// TestOwner_LooksAtTheTailOncePerBoard, and finds verdicts whose announcement was lost.
func TestOwner_LooksAtTheTailOncePerBoard(t *testing.T) {
	inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		a, b := w.connect("bob"), w.connect("ada")
		a.skip("ready")
		b.skip("ready")
		tap.SetFaults(logtest.Faults{LoseNews: 1})
		published := 0
		tap.publish = func(*domain.Command, time.Duration) error { published++; return nil }
		tap.heads = 0
		var ids []string
		for i := range 10 {
			ids = append(ids, a.mutate("c1", fmt.Sprintf(`{"title":"a%d"}`, i)))
			b.mutate("c2", fmt.Sprintf(`{"title":"b%d"}`, i))
		}
		start := time.Now()
		for _, id := range ids {
			if f := a.verdict(id); f.Type != "ack" {
				t.Errorf("%s", f)
			}
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
		if tap.heads != 1 || published != 20 {
			t.Errorf("looked %d times, published %d", tap.heads, published)
		}
	})
}

// TestOwner_RepeatWhoseVerdictIsNotAnnounced is answered from the record.
func TestOwner_RepeatWhoseVerdictIsNotAnnounced(t *testing.T) {
	inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		id := s.mutate("c1", `{"title":"x"}`)
		first := s.verdict(id)
		tap.SetFaults(logtest.Faults{LoseNews: 1})
		s.mutateAs(id, "c1", `{"title":"x"}`)
		if f := s.verdict(id); f.raw != first.raw {
			t.Errorf("%s, first %s", f, first)
		}
	})
}

// TestLaw6_AfterNamesTheNewestUndecided, on the first publish and as it has
// become on a later one.
func TestLaw6_AfterNamesTheNewestUndecided(t *testing.T) {
	inTappedBubble(t, options{noService: true}, func(t *testing.T, w *world, tap *tapped) {
		stop := w.serveFor()
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		stop()
		type sent struct{ id, after string }
		var log []sent
		lost := map[string]bool{"m2": true}
		tap.publish = func(cmd *domain.Command, _ time.Duration) error {
			log = append(log, sent{cmd.ID, cmd.After})
			if lost[cmd.ID] {
				tap.SetFaults(logtest.Faults{LoseCommand: 1})
			} else {
				tap.SetFaults(logtest.Faults{})
			}
			return nil
		}
		for _, id := range []string{"m1", "m2", "m2", "m3"} {
			s.mutateAs(id, "c1", `{"title":"`+id+`"}`)
		}
		synctest.Wait()
		if fmt.Sprint(log) != "[{m1 } {m2 m1} {m3 m2}]" {
			t.Errorf("published %v", log)
		}
		log, lost = nil, nil
		w.serveFor() // m1 is decided, m3 waits for m2, which was lost
		for i, id := range []string{"m1", "m2", "m2", "m3"} {
			if f := s.skip("ack"); f.ID != id {
				t.Errorf("verdict %d: %s", i, f)
			}
		}
		if len(log) == 0 || log[0].id == "m1" {
			t.Errorf("published again %v", log)
		}
		for _, l := range log {
			if l.id == "m2" && l.after != "" || l.id == "m3" && l.after != "m2" {
				t.Errorf("published again %v", log)
			}
		}
	})
}

// TestLaw6_WhatFollowsARepeatNamesWhatWasBeforeIt, for the repeat is decided
// already and holds nobody up.
func TestLaw6_WhatFollowsARepeatNamesWhatWasBeforeIt(t *testing.T) {
	inTappedBubble(t, options{noService: true}, func(t *testing.T, w *world, tap *tapped) {
		stop := w.serveFor()
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		s.mutateAs("m0", "c1", `{"title":"m0"}`)
		s.verdict("m0")
		stop()
		also := map[string]string{}
		tap.publish = func(cmd *domain.Command, _ time.Duration) error {
			also[cmd.ID] = fmt.Sprint(cmd.After, cmd.Also)
			lose := 0.0
			if cmd.ID == "m1" && also["m2"] == "" {
				lose = 1
			}
			tap.SetFaults(logtest.Faults{LoseCommand: lose})
			return nil
		}
		s.mutateAs("m1", "c1", `{"title":"m1"}`)
		s.mutateAs("m0", "c1", `{"title":"m0"}`)
		s.mutateAs("m2", "c1", `{"title":"m2"}`)
		synctest.Wait()
		if also["m1"] != "[]" || also["m0"] != "m1[]" || also["m2"] != "m0[m1]" {
			t.Errorf("published %v", also)
		}
		w.serveFor()
		first, last := s.verdict("m1"), s.verdict("m2")
		if first.Type != "ack" || last.Type != "ack" || first.Rev >= last.Rev {
			t.Errorf("%s, %s", first, last)
		}
	})
}

// TestLaw7_UnavailableHoldsUpWhatFollows until the refused id comes again or is cancelled.
func TestLaw7_UnavailableHoldsUpWhatFollows(t *testing.T) {
	for _, again := range []string{"sent", "cancelled"} {
		t.Run(again, func(t *testing.T) {
			inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
				w.demo()
				s := w.connect("bob")
				s.skip("ready")
				tap.publish = func(*domain.Command, time.Duration) error { return errors.New("not connected") }
				id := s.mutate("c1", `{"title":"1"}`)
				refused := func(id string) {
					t.Helper()
					if f := s.verdict(id); f.Code != "unavailable" || !f.Retryable || f.Details["retryAfterMs"] != 1000.0 {
						t.Fatalf("%s", f)
					}
				}
				refused(id)
				tap.mend()
				later := s.mutate("c1", `{"title":"2"}`)
				refused(later)
				refused(s.mutate("c2", `{"title":"3"}`))
				s.send(`{"type":"cancel","clientMutationId":"` + later + `"}`)
				if f := s.verdict(later); f.Code != "withdrawn" {
					t.Errorf("%s", f)
				}
				refused(s.mutate("c2", `{"title":"4"}`))
				want := "ack"
				if again == "sent" {
					s.mutateAs(id, "c1", `{"title":"1"}`)
				} else {
					s.send(`{"type":"cancel","clientMutationId":"` + id + `"}`)
					want = "nack"
				}
				if f := s.verdict(id); f.Type != want || f.Retryable {
					t.Errorf("%s", f)
				}
				if f := s.verdict(s.mutate("c2", `{"title":"5"}`)); f.Type != "ack" {
					t.Errorf("%s", f)
				}
			})
		})
	}
}

// TestLaw7_NeverForWhatMayBeInTheLog: repeats and older ids wait instead.
func TestLaw7_NeverForWhatMayBeInTheLog(t *testing.T) {
	inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		done := s.mutate("c1", `{"title":"1"}`)
		first := s.verdict(done)
		old := ulid.Make().String()
		time.Sleep(time.Second)
		r := w.connect("bob")
		r.skip("ready")
		tap.publish = func(*domain.Command, time.Duration) error { return errors.New("not connected") }
		if f := r.verdict(r.mutate("c1", `{"title":"new"}`)); f.Code != "unavailable" { // and holds up what is new
			t.Errorf("%s", f)
		}
		r.mutateAs(done, "c1", `{"title":"1"}`)
		r.mutateAs(old, "c1", `{"title":"2"}`)
		if f := r.verdict(done); f.raw != first.raw {
			t.Errorf("%s", f)
		}
		tap.mend()
		if f := r.verdict(old); f.Type != "ack" {
			t.Errorf("%s", f)
		}
	})
}

// TestLaw7_InFlightIsBounded: the 257th is refused, and what follows it.
func TestLaw7_InFlightIsBounded(t *testing.T) {
	inBubble(t, options{noService: true}, func(t *testing.T, w *world) {
		stop := w.serveFor()
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		stop()
		var ids []string
		for i := range wire.InFlight + 3 {
			ids = append(ids, s.mutate("c1", fmt.Sprintf(`{"title":"%d"}`, i)))
		}
		for _, id := range ids[wire.InFlight:] {
			if f := s.next(); f.ID != id || f.Code != "rate_limited" || !f.Retryable || f.Details["retryAfterMs"] == nil {
				t.Fatalf("%s", f)
			}
		}
		w.serveFor()
		for _, id := range ids[:wire.InFlight] {
			s.verdict(id)
		}
		late := ids[wire.InFlight+1]
		s.mutateAs(late, "c1", fmt.Sprintf(`{"title":"%d"}`, wire.InFlight+1))
		if f := s.verdict(late); f.Code != "rate_limited" {
			t.Errorf("overtakes: %s", f)
		}
		for i, id := range ids[wire.InFlight:] {
			s.mutateAs(id, "c1", fmt.Sprintf(`{"title":"%d"}`, wire.InFlight+i))
			if f := s.verdict(id); f.Type != "ack" {
				t.Errorf("%s", f)
			}
		}
	})
}

// TestOwner_DecidedMutationsAreLetGo: a connection that always has one
// mutation undecided keeps only what is undecided.
func TestOwner_DecidedMutationsAreLetGo(t *testing.T) {
	t.Parallel()
	hs := newHubsOn(nil, Config{Logger: quiet})
	h := newHub(hs, board)
	defer h.cancel()
	s := &session{hs: hs, hub: h}
	s.q.init(1<<20, s)
	send := func() *sending {
		id := newID()
		sent := &sending{key: mutationKey{"bob", id}, session: s,
			cmd: &domain.Command{ID: id, Op: domain.OpMutate, User: "bob", ReceivedAt: time.Now()}}
		h.mu.Lock()
		defer h.mu.Unlock()
		s.line(sent)
		h.register(sent)
		return sent
	}
	before := send()
	for range 1000 {
		next := send()
		h.mu.Lock()
		h.settle(&domain.Verdict{User: before.key.user, ID: before.key.id}, nil, 0)
		h.answers = cleared(h.answers)
		h.mu.Unlock()
		before = next
	}
	kept := 0
	for p := s.last; p != nil; p = p.prev {
		kept++
	}
	if kept > 2 {
		t.Errorf("%d mutations are kept, one is undecided", kept)
	}
}
