package gateway

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
	"github.com/snapback-io/snapback/gateway/wire"
)

func TestSubmit_AnswersWithTheEntities(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		h, err := w.hubs.open(t.Context(), board)
		if err != nil {
			t.Fatal(err)
		}
		defer h.release()
		gone := put("c2", "")
		gone.Patch = nil
		cmd := domain.Command{ID: "m1", Op: domain.OpMutate, User: "ada", Changes: []domain.Change{put("c1", "", "title", "x"), gone}}
		v, entities, err := h.submit(t.Context(), cmd, 4*time.Second)
		if err != nil || v.Rejection != nil || len(entities) != 2 || entities[0].Fields["title"] != "x" || !entities[1].Deleted {
			t.Fatalf("%+v %v %v", v, entities, err)
		}
		again, _, err := h.submit(t.Context(), cmd, 4*time.Second)
		if err != nil || again.Rev != v.Rev || again.Seq != v.Seq {
			t.Errorf("%+v %v", again, err)
		}
		cmd.Changes = cmd.Changes[:1]
		if v, _, err := h.submit(t.Context(), cmd, 4*time.Second); err != nil || v.Rejection == nil || v.Rejection.Code != domain.IDReused {
			t.Errorf("%+v %v", v, err)
		}
		if v, ok, err := h.lookup(t.Context(), "ada", "m1"); !ok || err != nil || v.Events == 0 {
			t.Errorf("%+v %v %v", v, ok, err)
		}
		if _, ok, err := h.lookup(t.Context(), "bob", "m1"); ok || err != nil {
			t.Errorf("another user's: %v %v", ok, err)
		}
	})
}

func TestSubmit_UndecidedAndUnavailable(t *testing.T) {
	inTappedBubble(t, options{noService: true}, func(t *testing.T, w *world, tap *tapped) {
		stop := w.serveFor()
		w.demo()
		stop()
		h, err := w.hubs.open(t.Context(), board)
		if err != nil {
			t.Fatal(err)
		}
		defer h.release()
		cmd := domain.Command{ID: "m1", Op: domain.OpMutate, User: "ada", Changes: []domain.Change{put("c1", "", "title", "x")}}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if _, _, err := h.submit(ctx, cmd, 4*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		tap.publish = func(*domain.Command, time.Duration) error { return errors.New("not connected") }
		cmd.ID = ulid.Make().String()
		var back *retryError
		if _, _, err := h.submit(t.Context(), cmd, 4*time.Second); !errors.As(err, &back) || back.code != wire.Unavailable {
			t.Errorf("%v", err)
		}
		tap.publish = func(*domain.Command, time.Duration) error { return eventlog.ErrTooLarge }
		cmd.ID = "m3"
		if v, _, err := h.submit(t.Context(), cmd, 4*time.Second); err != nil || v.Rejection == nil || v.Rejection.Code != domain.TooLarge {
			t.Errorf("%+v %v", v, err)
		}
	})
}

// TestLookup_OldULIDIsFoundInTheLog: longer ago than the board remembers.
func TestLookup_OldULIDIsFoundInTheLog(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		id := ulid.Make().String()
		first := w.try(id, "ada", put("c1", "", "title", "old"))
		w.try("opaque", "ada", put("c1", "", "title", "older"))
		time.Sleep(time.Hour)
		w.do(put("c1", "", "title", "new"))
		h, err := w.hubs.open(t.Context(), board)
		if err != nil {
			t.Fatal(err)
		}
		defer h.release()
		if v, ok, err := h.lookup(t.Context(), "ada", id); !ok || err != nil || v.Rev != first.Rev || v.Seq != first.Seq {
			t.Errorf("%+v %v %v", v, ok, err)
		}
		if _, ok, err := h.lookup(t.Context(), "ada", "opaque"); ok || err != nil {
			t.Errorf("%v %v", ok, err)
		}
		if v := w.try(id, "ada", put("c1", "", "title", "old")); v.Rev != first.Rev || v.Rejection != nil {
			t.Errorf("again: %+v", v)
		}
	})
}

func TestWaitRev(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		h, err := w.hubs.open(t.Context(), board)
		if err != nil {
			t.Fatal(err)
		}
		defer h.release()
		w.fake.SetFaults(logtest.Faults{LoseNews: 1})
		v := w.do(put("c1", "", "title", "x"))
		if err := h.waitRev(t.Context(), v.Rev); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.waitRev(ctx, v.Rev+1); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// TestHub_GoesWhenNobodyUsesIt: an unknown board's at once, another's after a minute.
func TestHub_GoesWhenNobodyUsesIt(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		h, err := w.hubs.open(t.Context(), "nowhere")
		if err != nil {
			t.Fatal(err)
		}
		h.release()
		synctest.Wait()
		if n := w.hubs.counters().Boards; n != 1 {
			t.Errorf("%d rooms", n)
		}
		time.Sleep(61 * time.Second)
		if n := w.hubs.counters().Boards; n != 0 {
			t.Errorf("%d rooms", n)
		}
		s := w.connect("bob")
		s.skip("ready")
		time.Sleep(10 * time.Minute)
		if n := w.hubs.counters().Boards; n != 1 {
			t.Errorf("%d rooms", n)
		}
	})
}

// TestLaw4_TooLargeForTheLogIsAPropertyOfTheFrame: a resend on a later
// connection hears it too, and does not wait for a verdict that cannot come.
func TestLaw4_TooLargeForTheLogIsAPropertyOfTheFrame(t *testing.T) {
	inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		tap.publish = func(*domain.Command, time.Duration) error { return eventlog.ErrTooLarge }
		id := ulid.Make().String()
		for range 2 {
			time.Sleep(time.Second) // the id is older than the connection
			s := w.connect("bob")
			s.skip("ready")
			s.mutateAs(id, "c1", `{"title":"1"}`)
			if f := s.verdict(id); f.Code != "too_large" || f.Retryable {
				t.Errorf("%s", f)
			}
		}
	})
}

// TestLaw7_NeverForWhatMayBeInTheLogOverHTTP: a request that is sent again, as
// far as its id can tell, is not told that its id is free.
func TestLaw7_NeverForWhatMayBeInTheLogOverHTTP(t *testing.T) {
	for _, id := range []string{ulid.MustNew(ulid.Timestamp(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), nil).String(), "6ba7b810-9dad-11d1-80b4-00c04fd430c8"} {
		inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
			w.demo()
			h, err := w.hubs.open(t.Context(), board)
			if err != nil {
				t.Fatal(err)
			}
			defer h.release()
			time.Sleep(5 * time.Second)
			tap.publish = func(*domain.Command, time.Duration) error { return errors.New("not connected") }
			cmd := domain.Command{ID: id, Op: domain.OpMutate, User: "ada", Changes: []domain.Change{put("c1", "", "title", "x")}}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			if _, _, err := h.submit(ctx, cmd, 4*time.Second); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", id, err)
			}
			tap.mend()
			if v, _, err := h.submit(t.Context(), cmd, 4*time.Second); err != nil || v.Rejection != nil {
				t.Errorf("%s: %+v %v", id, v, err)
			}
		})
	}
}

// TestSubmit_AVerdictIsNotLost that comes at the moment the caller gives up.
func TestSubmit_AVerdictIsNotLost(t *testing.T) {
	inTappedBubble(t, options{noService: true}, func(t *testing.T, w *world, tap *tapped) {
		h, err := w.hubs.open(t.Context(), board)
		if err != nil {
			t.Fatal(err)
		}
		defer h.release()
		for range 50 { // a select that could take either takes any
			cmd := domain.Command{ID: ulid.Make().String(), Op: domain.OpMutate, User: "ada", Changes: []domain.Change{put("c1", "", "title", "x")}}
			ctx, cancel := context.WithCancel(t.Context())
			tap.publish = func(cmd *domain.Command, _ time.Duration) error {
				h.Repeat(domain.Verdict{User: cmd.User, ID: cmd.ID})
				cancel()
				return nil
			}
			if _, _, err := h.submit(ctx, cmd, time.Second); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// unreadable is a log that gives no single record.
type unreadable struct{ *logtest.Log }

func (unreadable) Get(context.Context, string, uint64) (eventlog.Record, error) {
	return eventlog.Record{}, errors.New("no answer")
}

// A record that cannot be read now is no sign that there is no verdict.
func TestLaw3_AnUnreadableRecordIsNotUndecided(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		w.try("m1", "ada", put("c1", "", "title", "x"))
		h, err := w.hubs.open(t.Context(), board)
		if err != nil {
			t.Fatal(err)
		}
		defer h.release()
		w.hubs.log = unreadable{w.fake}
		if v, ok, err := h.lookup(t.Context(), "ada", "m1"); err == nil {
			t.Errorf("%+v %v", v, ok)
		}
		w.hubs.log = w.fake
		if v, ok, err := h.lookup(t.Context(), "ada", "m1"); !ok || err != nil {
			t.Errorf("%+v %v %v", v, ok, err)
		}
	})
}
