package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
)

// Who waits for an answer of a stream or consumer hears of its new leader.
func TestElections_TellWhoWaits(t *testing.T) {
	t.Parallel()
	nodes := sharedCluster.nodes(t)
	l := openLog(t, Config{InProcess: nodes[0], Shards: clusterShards, Replicas: 3})
	shard := takeShard(t)
	consumer := commandStream(shard) + "." + consumerName
	w := startWorker(t, l, shard, true)
	send(t, l, newBoardOf(l, shard), "first")
	eventually(t, "delivered", func() bool { return w.count() > 0 })
	for i, name := range []string{eventStream(shard), commandStream(shard), consumer} {
		elected := l.elections.of(name)
		eventually(t, "moved", func() bool {
			list, err := l.Leaders(t.Context(), shard)
			return err == nil && len(list[i].Ready) > 0 && l.Lead(t.Context(), list[i], list[i].Ready[0]) == nil
		})
		select {
		case <-elected:
		case <-time.After(time.Minute):
			t.Fatalf("nobody says that %s has a new leader", name)
		}
	}
}

// Messages to a stream that has a new leader are given up, others wait on.
func TestAsks_LoseThoseOfAStream(t *testing.T) {
	t.Parallel()
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	ended := make(chan string, 2)
	for _, subject := range []string{"evt.1.b", "evt.11.b"} {
		if _, err := l.live.Subscribe(subject, func(*nats.Msg) {}); err != nil {
			t.Fatal(err)
		}
		if err := l.live.Flush(); err != nil {
			t.Fatal(err)
		}
		go func() {
			if _, err := l.asks.ask(t.Context(), &nats.Msg{Subject: subject}); errors.Is(err, errElected) {
				ended <- subject
			}
		}()
	}
	eventually(t, "asked", func() bool { return len(l.asks.waiting()) == 2 })
	l.asks.lose("evt.1.")
	if got := <-ended; got != "evt.1.b" || len(l.asks.waiting()) != 1 {
		t.Errorf("%s has ended, %d wait", got, len(l.asks.waiting()))
	}
}

func TestAgain_AsksANewLeaderAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e elections
		var asked atomic.Int64
		go func() {
			time.Sleep(time.Millisecond)
			e.held("other")
			e.held("stream")
		}()
		start := time.Now()
		got, err := again(t.Context(), func() <-chan struct{} { return e.of("stream") }, func(ctx context.Context) (int64, error) {
			if n := asked.Add(1); n > 1 {
				return n, nil
			}
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if took := time.Since(start); got != 2 || err != nil || took != time.Millisecond {
			t.Errorf("%d, %v after %v", got, err, took)
		}
	})
}

// Who leaves gives back what the queue sends him yet, and a pin that he did not
// know of, so that the next one need not wait until it is missed.
func TestCommands_LeavingGivesBackWhatComesLate(t *testing.T) {
	t.Parallel()
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	heard := make(chan string, 10)
	for _, subject := range []string{"back", "$JS.API.CONSUMER.UNPIN.>"} {
		if _, err := l.live.Subscribe(subject, func(msg *nats.Msg) { heard <- msg.Subject + " " + string(msg.Data) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.live.Flush(); err != nil {
		t.Fatal(err)
	}
	p := &puller{log: l, in: make(chan *nats.Msg, 1), rest: make(chan struct{}, 1)}
	sub, err := l.write.ChanSubscribe("late", p.in)
	if err != nil {
		t.Fatal(err)
	}
	p.in <- &nats.Msg{Reply: "back", Data: []byte("command"), Header: nats.Header{"Nats-Pin-Id": {"pin"}}}
	p.leave(sub)
	got := <-heard + ", " + <-heard
	if !strings.Contains(got, "back -NAK") || !strings.Contains(got, "$JS.API.CONSUMER.UNPIN.CMD_0.worker") {
		t.Errorf("%s", got)
	}
}

// What a consumer counts as delivered and the one who has the shard does not
// have is delivered to it again.
func TestCommands_WhatWasNeverSentComesAgain(t *testing.T) {
	t.Parallel()
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	p := &puller{log: l, inbox: l.write.NewInbox(), open: map[uint64]*batch{}}
	if err := p.ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	sub, err := l.write.SubscribeSync(p.inbox)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.pull(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		send(t, l, newBoard(), fmt.Sprint("c", i))
		msg, err := sub.NextMsg(time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 { // the others are lost
			p.batch(meta, msg)
		}
	}
	again := make(chan string, 10)
	if _, err := l.live.Subscribe("$JS.ACK.CMD_0.worker.>", func(msg *nats.Msg) { again <- strings.Split(msg.Subject, ".")[5] + string(msg.Data) }); err != nil {
		t.Fatal(err)
	}
	if err := l.live.Flush(); err != nil {
		t.Fatal(err)
	}
	p.missed(t.Context())
	if got := <-again + " " + <-again; got != "1-NAK 3-NAK" {
		t.Error(got)
	}
	for range 2 {
		msg, err := sub.NextMsg(time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if meta, err := msg.Metadata(); err != nil || meta.NumDelivered != 2 {
			t.Errorf("%v, %v", meta, err)
		}
	}
}

// It looks for that after an election, also when its requests were given back
// before it heard of one; not when another node has had the shard.
func TestCommands_LooksForWhatWasNeverSent(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"", "409", "423"} {
		l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
		p := &puller{log: l, inbox: l.write.NewInbox(), in: make(chan *nats.Msg), open: map[uint64]*batch{}, pin: "pin"}
		heard := make(chan string, 10)
		if _, err := l.live.Subscribe("$JS.API.CONSUMER.INFO.>", func(msg *nats.Msg) { heard <- msg.Subject }); err != nil {
			t.Fatal(err)
		}
		if err := l.live.Flush(); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); p.run(ctx) }()
		if status != "" {
			p.in <- &nats.Msg{Header: nats.Header{"Status": {status}, "Description": {leaderChanged}}}
		}
		p.in <- &nats.Msg{Header: nats.Header{"Status": {"100"}}} // it has asked, and goes on
		l.elections.held(commandStream(0) + "." + consumerName)
		if status != "423" {
			if got := <-heard; got != "$JS.API.CONSUMER.INFO.CMD_0.worker" {
				t.Errorf("%s: %s", status, got)
			}
		}
		stop()
		<-ended
		if status == "423" && len(heard) > 0 {
			t.Errorf("%s: %s", status, <-heard)
		}
	}
}

// What the servers say they lead is together what there is.
func TestMetrics_TellTheLeaders(t *testing.T) {
	t.Parallel()
	nodes := sharedCluster.nodes(t)
	l := openLog(t, Config{InProcess: nodes[0], Shards: clusterShards, Replicas: 3})
	eventually(t, "each of the shards' streams has a leader", func() bool {
		streams := 0
		for _, node := range nodes {
			n, _ := node.Leads()
			streams += n
		}
		return streams >= 2*clusterShards
	})
	eventually(t, "the metrics tell", func() bool {
		streams, consumers := nodes[0].Leads()
		return metric(t, l, "snapback_leaders", "streams") == float64(streams) && metric(t, l, "snapback_leaders", "consumers") == float64(consumers)
	})
}
