package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// herd is who leads what of eight shards, and how that was moved.
type herd struct {
	mu      sync.Mutex
	leaders map[string]string // "": nobody
	elected map[int]chan struct{}
	moves   []moved
	asked   int // how often somebody asked for the leaders of a shard
}

// moved is one move.
type moved struct {
	what, to string
	at       time.Time
}

func newHerd(leader string) *herd {
	h := &herd{leaders: map[string]string{}, elected: map[int]chan struct{}{}}
	for shard := range 8 {
		for _, what := range []string{"EVT", "CMD", "worker of"} {
			h.leaders[fmt.Sprint(what, " ", shard)] = leader
		}
	}
	return h
}

// move has another server lead.
func (h *herd) move(what, to string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leaders[what] = to
	h.moves = append(h.moves, moved{what, to, time.Now()})
	var shard int
	if n, _ := fmt.Sscanf(what, "EVT %d", &shard); n == 1 && h.elected[shard] != nil {
		close(h.elected[shard])
		delete(h.elected, shard)
	}
}

// shepherd is a log in that cluster, with a server of its own.
type shepherd struct {
	*script
	*herd
	server string
}

func (s *shepherd) Clustered() bool { return true }
func (s *shepherd) Server() string  { return s.server }

func (s *shepherd) Elected(shard int) <-chan struct{} {
	s.herd.mu.Lock()
	defer s.herd.mu.Unlock()
	if s.elected[shard] == nil {
		s.elected[shard] = make(chan struct{})
	}
	return s.elected[shard]
}

func (s *shepherd) LeadsRecords(_ context.Context, shard int) (bool, error) {
	s.herd.mu.Lock()
	defer s.herd.mu.Unlock()
	return s.leaders[fmt.Sprint("EVT ", shard)] == s.server, nil
}

func (s *shepherd) Leaders(_ context.Context, shard int) (list []eventlog.Led, err error) {
	s.herd.mu.Lock()
	defer s.herd.mu.Unlock()
	s.asked++
	for _, what := range []string{"EVT", "CMD", "worker of"} {
		name := fmt.Sprint(what, " ", shard)
		if s.leaders[name] == "" {
			return nil, errors.New("nobody leads")
		}
		list = append(list, eventlog.Led{Name: name, Leader: s.leaders[name], Here: s.leaders[name] == s.server, Ready: []string{"n1", "n2"}})
	}
	return list, nil
}

func (s *shepherd) Lead(_ context.Context, led eventlog.Led, server string) error {
	s.move(led.Name, server)
	return nil
}

// herded has nodes of those names decide eight shards in a cluster.
func herded(t *testing.T, h *herd, names []string, fn func(f *fleet, services map[string]*Service)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1, logtest.Faults{}, 8, 0)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		services := map[string]*Service{}
		for _, name := range names {
			told, err := eventlog.NewMembers(eventlog.MembersConfig{Bus: f.net.Bus(name), Node: name, Epoch: f.log.Epoch(), Decides: true, Logger: quiet})
			if err != nil {
				t.Fatal(err)
			}
			go told.Run(ctx)
			log := &shepherd{&script{Log: f.log}, h, name}
			s, stop := f.serve(func(c *Config) { c.Log, c.Members = log, told })
			defer stop()
			services[name] = s
		}
		fn(f, services)
	})
}

// A node that has had its shards for a while draws what stamps their records,
// one stream after the other, then the rest, and then asks little; what is led
// elsewhere later is drawn again, and a shard without a leader keeps no other one waiting.
func TestLeaders_AreDrawnOneByOne(t *testing.T) {
	h := newHerd("n2")
	h.leaders["CMD 2"] = ""
	herded(t, h, []string{"n1"}, func(f *fleet, services map[string]*Service) {
		elsewhere := func() (n int) {
			for shard := range 8 {
				if services["n1"].stamps.elsewhere(shard) {
					n++
				}
			}
			return n
		}
		time.Sleep(leadAfter)
		if n := elsewhere(); n != 8 {
			t.Errorf("%d of 8 streams are stamped elsewhere at first", n)
		}
		time.Sleep(8*leadEvery/leadNext + 3*leadEvery)
		if n := elsewhere(); n != 1 { // the one without a leader
			t.Errorf("%d of 8 streams are stamped elsewhere then", n)
		}
		h.mu.Lock()
		h.leaders["CMD 2"] = "n2"
		h.mu.Unlock()
		time.Sleep(18 * leadEvery)
		h.mu.Lock()
		for i, m := range h.moves {
			last, least := h.moves[max(i-1, 0)], leadEvery
			if strings.HasPrefix(last.what, "EVT") {
				least /= leadNext
			}
			if strings.HasPrefix(m.what, "EVT") != (i < 7) && m.what != "EVT 2" || i > 0 && m.at.Sub(last.at) < least {
				t.Errorf("move %d is of %s, at %v", i, m.what, m.at)
			}
		}
		if n := len(h.moves); n != 24 || elsewhere() > 0 {
			t.Errorf("%d moves, %v", n, h.leaders)
		}
		asked := h.asked
		h.mu.Unlock()
		time.Sleep(2 * leadRest * leadEvery)
		h.mu.Lock()
		if n := h.asked - asked; n < 8 || n > 24 {
			t.Errorf("the leaders of shards were asked for %d times", n)
		}
		h.mu.Unlock()
		h.move("EVT 5", "n2")
		if elsewhere() != 1 {
			t.Error("a stream that is led elsewhere is not known to be")
		}
		time.Sleep(leadEvery + 2*ledEvery)
		if elsewhere() != 0 {
			t.Error("it was not drawn again")
		}
	})
}

// Two nodes that do not hear each other both take themselves for the owner of
// all: each draws the same thing seldom.
func TestLeaders_AreNotFoughtOver(t *testing.T) {
	h := newHerd("n1")
	herded(t, h, []string{"n1", "n2"}, func(f *fleet, services map[string]*Service) {
		time.Sleep(time.Second)
		f.net.Isolate("n2", true)
		time.Sleep(5 * time.Minute)
		f.net.Isolate("n2", false)
		last := map[moved]time.Time{}
		h.mu.Lock()
		for _, m := range h.moves {
			by := moved{what: m.what, to: m.to}
			if d := m.at.Sub(last[by]); d < leadAgain*leadEvery {
				t.Errorf("%s was drawn to %s again after %v", m.what, m.to, d)
			}
			last[by] = m.at
		}
		h.mu.Unlock()
		if len(last) < 16 {
			t.Errorf("only %d things were fought over", len(last))
		}
		time.Sleep(time.Minute)
		for shard := range 8 {
			if services["n1"].stamps.elsewhere(shard) == services["n2"].stamps.elsewhere(shard) {
				t.Errorf("shard %d is not led by one of both", shard)
			}
		}
	})
}
