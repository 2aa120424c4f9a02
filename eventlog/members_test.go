package eventlog_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// town is nodes on one network under virtual time.
type town struct {
	t   *testing.T
	net *logtest.Network
}

type resident struct {
	*eventlog.Members
	skew atomic.Int64 // of its wall clock, ns
	stop func()       // says goodbye
}

func (w *town) join(node string, skew time.Duration) *resident {
	w.t.Helper()
	r := &resident{}
	r.set(skew)
	m, err := eventlog.NewMembers(eventlog.MembersConfig{Bus: w.net.Bus(node), Node: node, Epoch: "e", Decides: true,
		Now: func() time.Time { return time.Now().Add(time.Duration(r.skew.Load())) }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); m.Run(ctx) }()
	r.Members, r.stop = m, func() { cancel(); <-done }
	w.t.Cleanup(r.stop)
	return r
}

func (r *resident) set(skew time.Duration) { r.skew.Store(int64(skew)) }

// sees is who is there for r, those that are astray in brackets.
func (r *resident) sees() string {
	list, _, _ := r.Present()
	var names []string
	for _, m := range list {
		name := m.Node
		if m.Leaving {
			name = "-" + name
		}
		if m.Astray {
			name = "(" + name + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func inTown(t *testing.T, lose float64, delay time.Duration, test func(t *testing.T, w *town)) {
	synctest.Test(t, func(t *testing.T) { test(t, &town{t, logtest.NewNetwork(1, lose, delay)}) })
}

func (w *town) all(want string, list ...*resident) {
	w.t.Helper()
	for i, r := range list {
		if got := r.sees(); got != want {
			w.t.Errorf("node %d sees %q, not %q", i+1, got, want)
		}
	}
}

func TestMembers_ComeAndGo(t *testing.T) {
	inTown(t, 0, 5*time.Millisecond, func(t *testing.T, w *town) {
		a := w.join("a", 0)
		time.Sleep(100 * time.Millisecond)
		if _, settled, _ := a.Present(); settled {
			t.Error("settled before it has listened")
		}
		time.Sleep(200 * time.Millisecond)
		if _, settled, _ := a.Present(); !settled {
			t.Error("alone and not settled")
		}
		b := w.join("b", 0)
		time.Sleep(20 * time.Millisecond) // not a beat's time: who comes is answered at once
		w.all("a b", a, b)
		c := w.join("c", 0)
		time.Sleep(20 * time.Millisecond)
		w.all("a b c", a, b, c)
		b.Leave()
		time.Sleep(20 * time.Millisecond)
		w.all("a -b c", a, b, c)
		b.stop()
		time.Sleep(20 * time.Millisecond) // it said goodbye
		w.all("a c", a, c)
		w.net.Isolate("c", true) // as if killed: probes find nobody
		time.Sleep(300 * time.Millisecond)
		w.all("a", a)
		w.all("c", c)
		w.net.Isolate("c", false)
		time.Sleep(300 * time.Millisecond)
		w.all("a c", a, c)
	})
}

// A node that says nothing, though its subscription stands, is gone after one
// and a half seconds; one that loses half of its beats stays.
func TestMembers_Silence(t *testing.T) {
	inTown(t, 0, 0, func(t *testing.T, w *town) {
		a, b := w.join("a", 0), w.join("b", 0)
		time.Sleep(time.Second)
		w.net.Cut("b", "a", true)
		time.Sleep(1200 * time.Millisecond)
		w.all("a b", a, b)
		time.Sleep(600 * time.Millisecond)
		w.all("a", a)
		w.all("a b", b)
	})
	inTown(t, 0.3, 10*time.Millisecond, func(t *testing.T, w *town) {
		a, b := w.join("a", 0), w.join("b", 0)
		time.Sleep(time.Second)
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			w.all("a b", a, b)
		}
	})
}

// What a node takes is known to the others before its next beat is due, and
// wakes who waits for it.
func TestMembers_TellWhatTheyTake(t *testing.T) {
	inTown(t, 0, 0, func(t *testing.T, w *town) {
		a, b := w.join("a", 0), w.join("b", 0)
		time.Sleep(time.Second)
		_, _, next := a.Present()
		b.Take([]int{1, 5})
		<-next
		list, _, _ := a.Present()
		if got := fmt.Sprint(list[1].Takes); got != "[1 5]" {
			t.Errorf("takes %v", got)
		}
	})
}

// Clocks are compared as exactly as the way allows, and the one that is off
// the median says so until it is right again.
func TestMembers_Clocks(t *testing.T) {
	inTown(t, 0.1, 20*time.Millisecond, func(t *testing.T, w *town) {
		a, b, c := w.join("a", 0), w.join("b", 300*time.Millisecond), w.join("c", -5*time.Minute)
		time.Sleep(2 * time.Second)
		w.all("a b (c)", a, b, c)
		list, _, _ := a.Present()
		for i, want := range []time.Duration{0, 300 * time.Millisecond, -5 * time.Minute} {
			if m := list[i]; !m.Compared || m.Error > 20*time.Millisecond || (m.Offset-want).Abs() > m.Error {
				t.Errorf("%s is %v ahead, at most %v wrong; want %v", m.Node, m.Offset, m.Error, want)
			}
		}
		if astray, ahead := c.Astray(); !astray || (ahead+5*time.Minute).Abs() > 400*time.Millisecond {
			t.Errorf("c: %v, %v ahead", astray, ahead)
		}
		c.set(0)
		time.Sleep(4 * time.Second)
		w.all("a b c", a, b, c)
		a.set(20 * time.Second) // while it runs
		time.Sleep(4 * time.Second)
		w.all("(a) b c", a, b, c)
	})
}

// Of two nodes that differ, the one whose clock has been set gives way, else
// the one that came later; both agree on which.
func TestMembers_ClocksOfTwo(t *testing.T) {
	inTown(t, 0, 10*time.Millisecond, func(t *testing.T, w *town) {
		a := w.join("a", 0)
		time.Sleep(10 * time.Second)
		b := w.join("b", time.Minute)
		time.Sleep(270 * time.Millisecond) // it has just settled
		w.all("a (b)", a, b)
		b.set(0)
		time.Sleep(4 * time.Second)
		w.all("a b", a, b)
		a.set(-time.Minute)
		time.Sleep(4 * time.Second)
		w.all("(a) b", a, b)
	})
}

// A node that was frozen has heard nobody meanwhile: that says nothing of them.
func TestMembers_WhoWasFrozenForgetsNobody(t *testing.T) {
	inTown(t, 0, 0, func(t *testing.T, w *town) {
		a, b := w.join("a", 0), w.join("b", 0)
		time.Sleep(time.Second)
		w.net.Cut("b", "a", true) // nothing of b waits for a to wake
		w.net.Freeze("a", 10*time.Second)
		time.Sleep(5 * time.Second)
		w.all("b", b)
		time.Sleep(5*time.Second + 300*time.Millisecond)
		w.all("a b", a, b)
		time.Sleep(2 * time.Second)
		w.all("a", a)
	})
}
