package service

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/test/tamper"
)

// later is a service on a server of its own whose time is ahead by so much.
type later struct {
	t     *testing.T
	dir   string
	ahead time.Duration
	log   *eventlog.Log
	stop  func()
}

func (l *later) start() {
	l.t.Helper()
	server, err := natsd.Start(natsd.Config{StoreDir: l.dir, SyncAlways: true, Logger: quiet})
	if err != nil {
		l.t.Fatal(err)
	}
	if l.log, err = eventlog.Open(l.t.Context(), eventlog.Config{InProcess: server, Shards: 1, Logger: quiet}); err != nil {
		l.t.Fatal(err)
	}
	ahead := l.ahead
	s, err := New(Config{Log: l.log, Logger: quiet, Now: func() time.Time { return time.Now().Add(ahead) }})
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	l.stop = func() { cancel(); <-done; l.log.Close(); server.Shutdown() }
}

// sent sends a mutation to board b and waits for its verdict.
func (l *later) sent(id string, changes ...domain.Change) domain.Verdict {
	l.t.Helper()
	verdicts := make(chan domain.Verdict, 100)
	stop, err := l.log.Subscribe("b", func(a eventlog.Announcement) {
		if a.Verdict != nil {
			verdicts <- *a.Verdict
		}
		if a.Record != nil {
			for i := range a.Record.Commit.Decisions {
				v := a.Record.Commit.Decisions[i].Verdict()
				v.Seq = a.Record.Seq
				verdicts <- v
			}
		}
	})
	if err != nil {
		l.t.Fatal(err)
	}
	defer stop()
	now := time.Now().Add(l.ahead).UTC()
	cmd := &domain.Command{ID: id, Board: "b", Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen,
		ReceivedAt: now, Deadline: now.Add(time.Minute), Changes: changes}
	if err := l.log.PublishCommand(cmd, time.Minute); err != nil {
		l.t.Fatal(err)
	}
	for bound := time.After(30 * time.Second); ; {
		select {
		case v := <-verdicts:
			if v.ID == id {
				return v
			}
		case <-bound:
			l.t.Fatalf("no verdict on %s", id)
		}
	}
}

// Law 3: a mutation that the worker has forgotten gets its old verdict, whatever
// clock the server had that stored it, and those before it and behind.
func TestLaw3_WhateverServersStamped(t *testing.T) {
	l := &later{t: t, dir: t.TempDir()}
	rng := rand.New(rand.NewPCG(1, 1))
	l.start()
	l.sent(newID(rng, time.Now()), boardChange("b"))
	id := newID(rng, time.Now())
	first := l.sent(id, columnChange("x", 0))
	l.stop()
	l.ahead = 20 * time.Minute
	l.start()
	for i := range 6 {
		l.sent(newID(rng, time.Now().Add(l.ahead)), columnChange(fmt.Sprint("y", i), 0))
	}
	l.stop()
	was, err := tamper.Read(l.dir, "EVT_0")
	if err != nil || len(was) != 8 {
		t.Fatalf("%d records, %v", len(was), err)
	}
	for name, off := range map[string][8]time.Duration{
		"as it was":                       {},
		"the first were an hour behind":   {-time.Hour, -time.Hour},
		"it was an hour behind":           {0, -time.Hour},
		"the last are an hour behind":     {0, 0, 0, 0, -time.Hour, -time.Hour, -time.Hour, -time.Hour},
		"the one before it was ahead":     {30 * time.Second},
		"those after are an hour behind":  {0, 0, -time.Hour, -time.Hour},
		"one after it was an hour behind": {0, 0, 0, 0, 0, -time.Hour},
	} {
		list := append([]tamper.Message(nil), was...)
		for i := range list {
			list[i].Time, list[i].Sum = list[i].Time.Add(off[i]), nil
		}
		if err := tamper.Write(l.dir, "EVT_0", list, false); err != nil {
			t.Fatal(err)
		}
		l.start()
		again := l.sent(id, columnChange("x", 0))
		l.stop()
		if again.Seq != first.Seq || again.Rev != first.Rev || again.Rejection != nil {
			t.Errorf("%s: %+v, first %+v", name, again, first)
		}
	}
}
