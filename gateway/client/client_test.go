package client

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

func TestMutationKeptOnAckAndRolledBackOnNack(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		var mu sync.Mutex
		var told []string
		c.Subscribe(func(list []Change) {
			mu.Lock()
			defer mu.Unlock()
			for _, ch := range list {
				told = append(told, ch.After.Fields.String("title"))
			}
		})
		first, second := rename(c, "one"), rename(c, "two")
		wantTitle(t, c, "two")
		conn.wantSent("mutate m1", "mutate m2")
		conn.send(syncOf(2, `{"id":"c1","kind":"card","rev":2,"createdRev":1,"title":"one","columnId":"k1","position":"a0","liked":false,"likes":0}`), ackOf("m1", 2))
		wantTitle(t, c, "two")
		var rolledBack Result
		second.OnRollback(func(r Result) { rolledBack = r })
		conn.send(nackOf("m2", domain.WIPLimit, domain.Details{"limit": 3}))
		wantTitle(t, c, "one")
		if r, err := first.Wait(t.Context()); err != nil || !r.OK || r.Rev != 2 {
			t.Fatal(r, err)
		}
		if r, err := second.Wait(t.Context()); err != nil || r.OK || r.Code != domain.WIPLimit || r.Details["limit"] != 3.0 {
			t.Fatal(r, err)
		}
		if rolledBack.Code != domain.WIPLimit {
			t.Fatal("OnRollback not called")
		}
		if slices.Index(told, "old") >= 0 || told[len(told)-1] != "one" {
			t.Fatalf("told %v", told)
		}
		if first.Status() != StatusAcked || second.Status() != StatusRejected || len(c.Pending()) != 0 {
			t.Fatal(first.Status(), second.Status(), c.Pending())
		}
	})
}

func TestLaw5_SilenceIsAskedAndALateAckKeeps(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		m := rename(c, "new")
		conn.wantSent("mutate m1")
		time.Sleep(4999 * time.Millisecond)
		conn.wantQuiet()
		if m.Status() != StatusPending {
			t.Fatal(m.Status())
		}
		time.Sleep(time.Millisecond)
		conn.wantSent("cancel m1")
		wantTitle(t, c, "new")
		if m.Status() != StatusUnconfirmed {
			t.Fatal(m.Status())
		}
		time.Sleep(5 * time.Second)
		conn.wantSent("cancel m1")
		conn.send(syncOf(2, `{"id":"c1","kind":"card","rev":2,"createdRev":1,"title":"new"}`), ackOf("m1", 2))
		wantTitle(t, c, "new")
		if r, err := m.Wait(t.Context()); err != nil || !r.OK {
			t.Fatal(r, err)
		}
		time.Sleep(20 * time.Second)
		conn.wantQuiet()
	})
}

func TestLaw5_WithdrawnRollsBack(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		m := rename(c, "new")
		time.Sleep(5 * time.Second)
		conn.wantSent("mutate m1", "cancel m1")
		conn.send(nackOf("m1", domain.Withdrawn, nil))
		wantTitle(t, c, "old")
		if r, _ := m.Wait(t.Context()); r.Code != domain.Withdrawn {
			t.Fatal(r)
		}
	})
}

func TestLaw5_RollbackOnSilenceGoesBackAndForwardAgain(t *testing.T) {
	play(t, Options{RollbackOnSilence: true}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		var codes []domain.Code
		m := rename(c, "new")
		m.OnRollback(func(r Result) { codes = append(codes, r.Code) })
		time.Sleep(5 * time.Second)
		conn.wantSent("mutate m1", "cancel m1")
		wantTitle(t, c, "old")
		conn.send(syncOf(2, `{"id":"c1","kind":"card","rev":2,"createdRev":1,"title":"new"}`), ackOf("m1", 2))
		wantTitle(t, c, "new")
		if r, _ := m.Wait(t.Context()); !r.OK || !slices.Equal(codes, []domain.Code{Silence}) {
			t.Fatal(r, codes)
		}
	})
}

func TestLaw5_OfflineKeepsPendingAndAsksAfterReady(t *testing.T) {
	play(t, Options{MinBackoff: 20 * time.Second, MaxBackoff: 20 * time.Second}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		m := rename(c, "new")
		sent := conn.next()
		conn.Close(1001, "")
		time.Sleep(9 * time.Second)
		if m.Status() != StatusPending {
			t.Fatal("time offline counted as silence: ", m.Status())
		}
		made := c.Mutate("c1", domain.Patch{"done": "2026-01-01"})
		conn = s.nextConn()
		if conn.query.Get("since") != "1" || conn.query.Get("epoch") != "e1" {
			t.Fatal("resumes with", conn.query)
		}
		conn.send(hello(1, true))
		conn.wantQuiet()
		conn.send(ready(1))
		again := conn.next()
		if again["clientMutationId"] != "m1" || again["expiresAt"] != sent["expiresAt"] {
			t.Fatalf("resent %v, first %v", again, sent)
		}
		fresh := conn.next()
		if fresh["clientMutationId"] != made.ID() || fresh["expiresAt"] == sent["expiresAt"] {
			t.Fatalf("sent %v", fresh)
		}
		conn.send(nackOf("m1", domain.Expired, nil))
		wantTitle(t, c, "old")
	})
}

func TestLaw9_WhatWasAskedForIsAskedForAgain(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		rename(c, "new")
		time.Sleep(5 * time.Second)
		rename(c, "newer")
		conn.wantSent("mutate m1", "cancel m1", "mutate m2")
		conn.Close(1001, "")
		conn = s.nextConn()
		conn.send(hello(1, true), ready(1))
		conn.wantSent("cancel m1", "mutate m2")
	})
}

func TestLaw7_RefusedIsSentAgainFirstAndNothingOvertakes(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		rename(c, "1")
		rename(c, "2")
		rename(c, "3")
		conn.wantSent("mutate m1", "mutate m2", "mutate m3")
		pause := domain.Details{"retryAfterMs": 700}
		conn.send(ackOf("m1", 1), nackOf("m2", wire.RateLimited, pause))
		conn.wantQuiet()
		rename(c, "4")
		conn.wantQuiet()
		time.Sleep(699 * time.Millisecond)
		conn.wantQuiet()
		wantTitle(t, c, "4")
		time.Sleep(time.Millisecond)
		conn.wantSent("mutate m2", "mutate m3", "mutate m4")
		// The refusal of the first sending of m3 comes late and counts for nothing.
		conn.send(nackOf("m3", wire.RateLimited, pause))
		time.Sleep(time.Second)
		conn.wantQuiet()
		conn.send(nackOf("m3", wire.Unavailable, domain.Details{}))
		time.Sleep(999 * time.Millisecond)
		conn.wantQuiet()
		time.Sleep(time.Millisecond)
		conn.wantSent("mutate m3", "mutate m4")
		conn.send(ackOf("m2", 1), nackOf("m4", wire.Unavailable, nil), ackOf("m3", 1), ackOf("m4", 1))
		wantTitle(t, c, "old")
	})
}

func TestInFlightIsBounded(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		for range 6 {
			rename(c, "x")
		}
		conn.wantSent("mutate m1", "mutate m2", "mutate m3", "mutate m4")
		time.Sleep(3 * time.Second)
		at := time.Now()
		conn.send(ackOf("m2", 1))
		frame := conn.next()
		deadline, err := time.Parse(time.RFC3339, frame["expiresAt"].(string))
		if err != nil || frame["clientMutationId"] != "m5" || !deadline.Equal(at.Add(4*time.Second)) {
			t.Fatalf("%v at %v", frame, at)
		}
	})
}

func TestExpiresAtGoesByTheServersClock(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		ahead := time.Now().Add(time.Hour)
		conn.send(wire.Pong{Type: "pong", ServerTime: ahead})
		synctest.Wait()
		time.Sleep(time.Second)
		rename(c, "x")
		if got := conn.next()["expiresAt"]; got != ahead.Add(5*time.Second).UTC().Format(time.RFC3339) {
			t.Fatalf("expiresAt %v, server's clock %v", got, ahead)
		}
	})
}

// The sender's span goes along with every sending of the mutation, if there is one.
func TestTransactTraced(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		c.TransactTraced(parent, domain.Change{EntityID: "c1", Patch: domain.Patch{"title": "traced"}})
		if got := conn.next()["traceparent"]; got != parent {
			t.Errorf("traceparent %v", got)
		}
		conn.Close(1001, "")
		conn = s.nextConn()
		conn.send(hello(1, true), ready(1))
		if got := conn.next()["traceparent"]; got != parent {
			t.Errorf("sent again: traceparent %v", got)
		}
		rename(c, "untraced")
		if got, there := conn.next()["traceparent"]; there {
			t.Errorf("without a span: traceparent %v", got)
		}
	})
}

func TestCancelWithdraws(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		m := rename(c, "new")
		conn.wantSent("mutate m1")
		m.Cancel()
		m.Cancel()
		conn.wantSent("cancel m1")
		conn.Close(1001, "")
		synctest.Wait()
		unsent := rename(c, "newer")
		unsent.Cancel()
		if r, err := unsent.Wait(t.Context()); err != nil || r.Code != domain.Withdrawn {
			t.Fatal(r, err)
		}
		wantTitle(t, c, "new")
		conn = s.nextConn()
		conn.send(hello(1, true), ready(1))
		conn.wantSent("cancel m1")
	})
}

func TestBackoffDoublesWithJitterAndStopsAtTheCap(t *testing.T) {
	play(t, Options{MinBackoff: 200 * time.Millisecond, MaxBackoff: time.Second}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		s.answer(errors.New("down"))
		start := time.Now()
		conn.Close(1011, "")
		time.Sleep(2 * time.Second)
		want := []time.Duration{100, 300, 700, 1200, 1700} // ms after the cut: half of 200, 400, 800, 1000, 1000
		dials := s.dialled()
		for i, at := range dials {
			if got := at.Sub(start); i < len(want) && got != want[i]*time.Millisecond {
				t.Errorf("dial %d after %v, want %v ms", i, got, want[i])
			}
		}
		if len(dials) != len(want) || c.State() != Connecting {
			t.Fatal(len(dials), c.State())
		}
		s.answer(nil)
		conn = s.nextConn()
		conn.send(hello(1, true), ready(1))
		synctest.Wait()
		s.answer(nil)
		start = time.Now()
		conn.Close(1011, "")
		conn = s.nextConn()
		if got := s.dialled()[0].Sub(start); got != 100*time.Millisecond {
			t.Fatalf("backoff not reset by a ready: %v", got)
		}
	})
}

func TestFinalCloseStopsWithATypedError(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		m := rename(c, "new")
		conn.Close(wire.CloseNoMember, "removed")
		<-c.Done()
		var closed *CloseError
		if _, err := m.Wait(t.Context()); !errors.As(err, &closed) || closed.Code != wire.CloseNoMember {
			t.Fatal(err)
		}
		if c.State() != Stopped || len(s.dialled()) != 1 {
			t.Fatal(c.State(), s.dialled())
		}
	})
}

func TestConnectFailsWhenRefusedForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		s.answer(&RefusedError{Status: 404, Code: domain.NotFound})
		_, err := Connect(t.Context(), Options{URL: "http://x", Board: "b", Dialer: s})
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Code != domain.NotFound {
			t.Fatal(err)
		}
		s.answer(&RefusedError{Status: 503})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := Connect(ctx, Options{URL: "http://x", Board: "b", Dialer: s}); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &refused) || len(s.dialled()) < 4 {
			t.Fatal(err, len(s.dialled()))
		}
	})
}

func TestNoPongReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ends := make(chan Transport, 10)
		dial := dialFunc(func() (Transport, error) {
			near, far := Pipe()
			ends <- far
			return near, nil
		})
		go func() {
			_, _ = Connect(t.Context(), Options{URL: "http://x", Board: "b", Dialer: dial, Jitter: func() float64 { return 0 }})
		}()
		far := <-ends
		if raw, err := far.Read(); err != nil || string(raw) != `{"type":"ping"}` {
			t.Fatal(string(raw), err)
		}
		time.Sleep(2999 * time.Millisecond)
		synctest.Wait()
		if len(ends) != 0 {
			t.Fatal("gave up early")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		var closed *CloseError
		if _, err := far.Read(); !errors.As(err, &closed) || len(ends) != 1 {
			t.Fatal(err, len(ends))
		}
	})
}

type dialFunc func() (Transport, error)

func (f dialFunc) Dial(context.Context, string, string) (Transport, error) { return f() }

func TestPingsKeepAQuietConnectionOpen(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		time.Sleep(time.Hour)
		if len(s.dialled()) != 1 || c.State() != Live {
			t.Fatal(len(s.dialled()), c.State())
		}
	})
}

func TestResumeOfAnUnfinishedFreshJoinStartsAfresh(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		conn.Close(1001, "")
		conn = s.nextConn()
		conn.send(hello(9, false), syncOf(9, cardJSON))
		conn.wantQuiet()
		conn.Close(1001, "")
		conn = s.nextConn()
		if conn.query.Has("since") || conn.query.Has("epoch") {
			t.Fatal(conn.query)
		}
		wantTitle(t, c, "old")
		before := c.Get("c1")
		conn.send(hello(9, false), syncOf(9, cardJSON), ready(9))
		synctest.Wait()
		if c.Get("c1") != before {
			t.Fatal("law 11: an entity sent again alike lost its identity")
		}
		if c.Rev() != 9 {
			t.Fatal(c.Rev())
		}
	})
}

func TestLaw1_AGapMakesANewJoin(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		conn.send(syncOf(3, cardJSON))
		conn = s.nextConn()
		if conn.query.Get("since") != "1" {
			t.Fatal(conn.query)
		}
	})
}

func TestLagMaySkipRevs(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		rename(c, "mine")
		conn.wantSent("mutate m1")
		conn.send(wire.Mark{Type: "lag", Rev: 1}, ackOf("m1", 7), syncOf(8, `{"id":"c1","kind":"card","rev":8,"createdRev":1,"title":"theirs"}`))
		wantTitle(t, c, "mine")
		conn.send(ready(9), syncOf(10, `{"id":"c2","kind":"card","rev":10,"createdRev":10,"title":"x"}`))
		wantTitle(t, c, "theirs")
		if c.Rev() != 10 || c.Get("c2") == nil || len(c.Pending()) != 0 {
			t.Fatal(c.Rev(), c.Pending())
		}
	})
}

func TestTooLargeIsRefusedHere(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		m := c.Mutate("c1", domain.Patch{"x-big": string(make([]byte, wire.FrameBytes))})
		ok := rename(c, "small")
		conn.wantSent("mutate " + ok.ID())
		if r, err := m.Wait(t.Context()); err != nil || r.Code != domain.TooLarge {
			t.Fatal(r.Code, err)
		}
	})
}

func TestPresenceIsThrottledAndPeersAreComplete(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		for _, at := range []int{1, 2, 3} {
			if err := c.Presence(map[string]int{"at": at}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if first := conn.next(); first["data"].(map[string]any)["at"] != 1.0 {
			t.Fatal(first)
		}
		conn.wantQuiet()
		time.Sleep(100 * time.Millisecond)
		if second := conn.next(); second["data"].(map[string]any)["at"] != 3.0 {
			t.Fatal(second)
		}
		conn.send(wire.Presence{Type: "presence", Session: "s2", User: "bob", Data: []byte(`{"x":1}`)}, wire.Presence{Type: "presence", Session: "s3", User: "cy", Data: []byte(`{}`)},
			wire.Presence{Type: "presence", Session: "s2", User: "bob", Data: []byte(`null`)})
		synctest.Wait()
		if p := c.Peers(); len(p) != 1 || p[0].User != "cy" {
			t.Fatal(p)
		}
		conn.Close(1001, "")
		synctest.Wait()
		if len(c.Peers()) != 0 {
			t.Fatal("peers of a lost connection")
		}
		conn = s.nextConn()
		conn.send(hello(1, true), ready(1))
		if again := conn.next(); again["data"].(map[string]any)["at"] != 3.0 {
			t.Fatal(again)
		}
		if c.Presence(string(make([]byte, 2000))) == nil {
			t.Fatal("presence over 1 KiB taken")
		}
	})
}

func TestTraceSeesEveryFrame(t *testing.T) {
	var kinds []TraceKind
	play(t, Options{Trace: func(tr Trace) { kinds = append(kinds, tr.Kind) }}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		rename(c, "x")
		conn.wantSent("mutate m1")
		conn.Close(1001, "")
		synctest.Wait()
		want := []TraceKind{TraceOpened, TraceReceived, TraceReceived, TraceReceived, TraceSent, TraceClosed}
		if !slices.Equal(kinds, want) {
			t.Fatal(kinds)
		}
	})
}
