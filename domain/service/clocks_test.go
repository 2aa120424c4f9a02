package service

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// whileSet has people work on a board while the clock of the node that decides
// it is set by so much, with wrong telling what else is.
func whileSet(t *testing.T, by time.Duration, wrong func(f *fleet, deciding string, by time.Duration)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1, logtest.Faults{}, 1, 0)
		server := new(atomic.Int64)
		f.log = logtest.New(logtest.Config{Seed: 1, Now: func() time.Time { return time.Now().Add(time.Duration(server.Load())) }})
		f.skews["server"] = server
		for _, name := range []string{"n1", "n2", "n3"} {
			f.join(name)
		}
		time.Sleep(2 * time.Second)
		g := f.gateway("b")
		ctx, cancel := context.WithCancel(context.Background())
		s := &session{g: g, user: "ann", name: "s", ctx: ctx}
		s.mutate(newID(f.rng, time.Now()), 4*time.Second, boardChange("b"), columnChange("wide", 0)).accepted(t)
		var sent []*sending
		for i := range 500 {
			if i == 100 {
				wrong(f, f.deciding(), by)
			}
			sent = append(sent, s.mutate(newID(f.rng, time.Now()), 4*time.Second, cardChange(fmt.Sprint("c", i), "wide")))
			time.Sleep(10 * time.Millisecond)
		}
		for _, x := range sent {
			x.accepted(t)
		}
		for _, x := range f.check("b") {
			t.Error(x)
		}
		cancel()
		g.stop()
		f.bury()
	})
}

// deciding is the node that takes the only shard.
func (f *fleet) deciding() string {
	for name, n := range f.nodes {
		if len(n.s.Ownership()) > 0 {
			return name
		}
	}
	f.t.Fatal("nobody decides")
	return ""
}

// DESIGN.md, Deadline: nothing is refused as expired within its time because the
// clock of a node was set.
func TestClocks_ANodesClockIsSet(t *testing.T) {
	for _, by := range []time.Duration{5 * time.Minute, -5 * time.Minute, 10 * time.Second, 900 * time.Millisecond} {
		whileSet(t, by, func(f *fleet, deciding string, by time.Duration) {
			f.skews[deciding].Store(int64(by))
		})
	}
}

// ... and that of its server, which leads the board's stream and its queue until
// another one does: nothing that is void is taken for stored meanwhile, and few
// records are.
func TestClocks_ANodesServerLeads(t *testing.T) {
	for _, by := range []time.Duration{5 * time.Minute, -5 * time.Minute, 3 * time.Second, -3 * time.Second} {
		whileSet(t, by, func(f *fleet, deciding string, by time.Duration) {
			f.skews[deciding].Store(int64(by))
			f.skews["server"].Store(int64(by))
			time.AfterFunc(2*time.Second, func() {
				f.skews["server"].Store(0)
				void := 0
				for _, rec := range f.log.Stored("b") {
					if rec.Commit.VoidAt(rec.Time) {
						void++
					}
				}
				if void > 20 {
					t.Errorf("%v: %d void commits", by, void)
				}
				t.Logf("%v: %d void commits", by, void)
			})
		})
	}
}

// led is a log in a cluster whose server here leads what it is told to.
type led struct {
	*script
	here atomic.Bool
	next chan struct{} // closed at an election
}

func (l *led) Elected(int) <-chan struct{} { return l.next }

func (*led) Clustered() bool                                   { return true }
func (l *led) LeadsRecords(context.Context, int) (bool, error) { return l.here.Load(), nil }

// ledByOne has one node decide, whose server leads the board's stream or does
// not, and somebody at a gateway; server is by how much the clock is off that
// stamps records.
func ledByOne(t *testing.T, here bool, fn func(f *fleet, log *led, server *atomic.Int64, s *session)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1, logtest.Faults{}, 1, 0)
		server := new(atomic.Int64)
		f.log = logtest.New(logtest.Config{Seed: 1, Now: func() time.Time { return time.Now().Add(time.Duration(server.Load())) }})
		log := &led{script: &script{Log: f.log}, next: make(chan struct{})}
		log.here.Store(here)
		told, err := eventlog.NewMembers(eventlog.MembersConfig{Bus: f.net.Bus("n1"), Node: "n1", Epoch: f.log.Epoch(), Decides: true, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go told.Run(ctx)
		_, stop := f.serve(func(c *Config) { c.Log, c.Members = log, told })
		defer stop()
		g := f.gateway("b")
		defer g.stop()
		fn(f, log, server, &session{g: g, user: "ann", name: "s", ctx: ctx})
	})
}

// What another node's server stamps is read back before anybody hears of it: its
// clock may have been set a moment ago, and nobody knows yet. What the own server
// stamps is not.
func TestClocks_AnotherNodesServerStamps(t *testing.T) {
	ledByOne(t, false, func(f *fleet, log *led, server *atomic.Int64, s *session) {
		gets := func() int { _, n, _ := log.counts(); return n }
		time.Sleep(3 * time.Second)
		send := func(changes ...domain.Change) *sending {
			return s.mutate(newID(f.rng, time.Now()), 4*time.Second, changes...)
		}
		send(boardChange("b"), columnChange("wide", 0)).accepted(t)
		if gets() == 0 {
			t.Error("it was not read back")
		}
		server.Store(int64(time.Minute))
		x := send(cardChange("c1", "wide"))
		time.Sleep(100 * time.Millisecond)
		server.Store(0)
		x.accepted(t)
		log.here.Store(true)
		time.Sleep(2 * time.Second)
		before := gets()
		send(cardChange("c2", "wide")).accepted(t)
		if gets() > before {
			t.Error("it was read back")
		}
		for _, x := range f.check("b") {
			t.Error(x)
		}
	})
}

// ... from the moment on in which another one is elected, though nobody has
// asked since who leads, and it is no member yet.
func TestClocks_AnotherServerIsElected(t *testing.T) {
	ledByOne(t, true, func(f *fleet, log *led, server *atomic.Int64, s *session) {
		time.Sleep(3100 * time.Millisecond)
		s.mutate(newID(f.rng, time.Now()), 4*time.Second, boardChange("b"), columnChange("wide", 0)).accepted(t)
		log.here.Store(false)
		server.Store(int64(time.Minute))
		close(log.next)
		time.AfterFunc(50*time.Millisecond, func() { server.Store(0) })
		s.mutate(newID(f.rng, time.Now()), 4*time.Second, cardChange("c1", "wide")).accepted(t)
		for _, x := range f.check("b") {
			t.Error(x)
		}
		if list := f.log.Stored("b"); !list[1].Commit.VoidAt(list[1].Time) {
			t.Error("nothing was void: the test does not do what it says")
		}
	})
}

// A node that heard nobody follows its wall clock, also back; what it was about
// to try again does not wait for that time to come once more.
func TestClocks_SetBackWhileNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1, logtest.Faults{}, 1, 0)
		f.join("n1")
		time.Sleep(3 * time.Second)
		g := f.gateway("b")
		ctx, cancel := context.WithCancel(context.Background())
		s := &session{g: g, user: "ann", name: "s", ctx: ctx}
		s.mutate(newID(f.rng, time.Now()), 4*time.Second, boardChange("b"), columnChange("wide", 0)).accepted(t)
		f.log.SetFaults(logtest.Faults{LoseAppend: 1, FailRead: 1})
		s.mutate(newID(f.rng, time.Now()), 30*time.Second, cardChange("c1", "wide"))
		time.Sleep(3 * time.Second)
		f.skews["n1"].Store(int64(-10 * time.Minute))
		time.Sleep(2 * time.Second)
		f.log.SetFaults(logtest.Faults{})
		time.Sleep(5 * time.Second)
		if n := len(f.log.Stored("b")); n < 2 {
			t.Errorf("%d records: the board stands still", n)
		}
		cancel()
		g.stop()
		f.bury()
	})
}
