package client

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/gateway/wire"
)

// The test's jitter of 0 gives this order: n2, n3, n1.
var threeServers = []string{"http://n1", "http://n2", "http://n3"}

// A goaway is followed at its time, not when the server closes: until then all
// goes on, then the next server gets what is pending.
func TestGoawayLeavesAtItsTimeForTheNextServer(t *testing.T) {
	play(t, Options{URLs: threeServers}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		conn.send(wire.Goaway{Type: "goaway", ReconnectAfterMs: 3210})
		start := time.Now()
		time.Sleep(time.Second)
		m := rename(c, "still here")
		conn.wantSent("mutate m1")
		next := s.nextConn()
		if got := time.Since(start); got != 3210*time.Millisecond || conn.host != "n2" || next.host != "n3" {
			t.Fatal(got, conn.host, next.host)
		}
		if next.query.Get("since") != "1" || next.query.Get("epoch") != "e1" {
			t.Fatal(next.query)
		}
		if _, open := <-conn.got; open {
			t.Fatal("the old connection is used on")
		}
		next.send(hello(1, true), ready(1))
		next.wantSent("mutate m1")
		next.send(syncOf(2, `{"id":"c1","kind":"card","rev":2,"createdRev":1,"title":"still here","columnId":"k1","position":"a0","liked":false,"likes":0}`), ackOf("m1", 2))
		if r, err := m.Wait(t.Context()); err != nil || !r.OK {
			t.Fatal(r, err)
		}
		next.send(wire.Goaway{Type: "goaway"})
		if last := s.nextConn(); last.host != "n1" || time.Since(start) != 3210*time.Millisecond {
			t.Fatal(last.host, time.Since(start))
		}
	})
}

// One address may stand for several servers: the same is done with it.
func TestGoawayWithOneServer(t *testing.T) {
	play(t, Options{}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		start := time.Now()
		conn.send(wire.Goaway{Type: "goaway", ReconnectAfterMs: 300})
		s.nextConn()
		if got := time.Since(start); got != 300*time.Millisecond {
			t.Fatal(got)
		}
	})
}

// A server that closes before the time it gave has its clients come again
// spread over it all the same.
func TestGoawayClosedBeforeItsTime(t *testing.T) {
	play(t, Options{URLs: threeServers}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		start := time.Now()
		conn.send(wire.Goaway{Type: "goaway", ReconnectAfterMs: 3000})
		synctest.Wait()
		conn.Close(1012, "restart")
		s.nextConn()
		if got := time.Since(start); got != 3*time.Second {
			t.Fatal(got)
		}
	})
}

// The rest of that time is bounded, and so is what a goaway can say.
func TestGoawayOfAnotherYear(t *testing.T) {
	for ms, want := range map[int64]time.Duration{3_600_000: longestRest, math.MaxInt64: longestRest, -5: 0, math.MinInt64: 0} {
		play(t, Options{URLs: threeServers}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
			start := time.Now()
			conn.send(wire.Goaway{Type: "goaway", ReconnectAfterMs: ms})
			synctest.Wait()
			if want > 0 {
				conn.Close(1012, "restart")
			}
			s.nextConn()
			if got := time.Since(start); got != want {
				t.Errorf("%d: dialled after %v, want %v", ms, got, want)
			}
		})
	}
}

// Nodes that all send everybody on at once are not dialled without end, and a
// planned stop is no failure.
func TestGoawayOfEveryServer(t *testing.T) {
	play(t, Options{URLs: threeServers, MinBackoff: 200 * time.Millisecond}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		start := time.Now()
		for i, want := range []time.Duration{0, 100, 200, 300} { // the half of 200
			conn.send(wire.Goaway{Type: "goaway"})
			conn = s.nextConn()
			if got := time.Since(start); got != want*time.Millisecond {
				t.Errorf("dial %d after %v, want %v ms", i, got, want)
			}
			conn.send(hello(1, true), ready(1))
		}
		time.Sleep(2 * time.Second)
		start = time.Now()
		conn.send(wire.Goaway{Type: "goaway", ReconnectAfterMs: 10})
		s.nextConn()
		if got := time.Since(start); got != 10*time.Millisecond {
			t.Error(got)
		}
	})
}

// After a failure it is the next server's turn; the pause doubles with every
// round of failures and not with every server.
func TestServersAreTriedInTurn(t *testing.T) {
	play(t, Options{URLs: threeServers, MinBackoff: 200 * time.Millisecond, MaxBackoff: 10 * time.Second}, func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn) {
		s.only("", "n1", "n2", "n3")
		start := time.Now()
		conn.Close(1011, "")
		time.Sleep(2 * time.Second)
		hosts, dials := s.dialledHosts(), s.dialled()
		if want := []string{"n3", "n1", "n2", "n3", "n1", "n2", "n3", "n1"}; !slices.Equal(hosts, want) {
			t.Fatal(hosts)
		}
		for i, want := range []time.Duration{100, 200, 300, 500, 700, 900, 1300, 1700} { // the half of 200, 400, 800
			if got := dials[i].Sub(start); got != want*time.Millisecond {
				t.Errorf("dial %d after %v, want %v ms", i, got, want)
			}
		}
	})
}

// Clients come to every server first, and from one that is left to every other.
func TestServersAreTriedAtRandom(t *testing.T) {
	first := map[string]map[string]int{}
	for range 300 {
		o, err := Options{URLs: threeServers, Board: "b"}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		list := o.shuffled()
		if first[list[0]] == nil {
			first[list[0]] = map[string]int{}
		}
		first[list[0]][list[1]]++
	}
	for _, at := range threeServers {
		if len(first[at]) != 2 {
			t.Fatalf("%v", first)
		}
	}
	if !slices.Equal(threeServers, []string{"http://n1", "http://n2", "http://n3"}) {
		t.Fatal("the caller's list was changed")
	}
}

func TestOptionsNameOneServerOrSeveral(t *testing.T) {
	for _, o := range []Options{{Board: "b"}, {Board: "b", URL: "http://n1", URLs: threeServers}, {URLs: threeServers}} {
		if _, err := o.withDefaults(); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}
