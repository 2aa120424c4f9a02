package eventlog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// A command that is published while its queue gets another leader comes well
// before its gateway would publish it again.
func TestResend_CommandsComeThroughALeaderChange(t *testing.T) {
	t.Parallel()
	nodes := sharedCluster.nodes(t)
	l := openLog(t, Config{InProcess: nodes[0], Shards: clusterShards, Replicas: 3})
	shard := int(shardsTaken.Add(1)) - 1
	if shard >= clusterShards {
		t.Fatal("more tests than shards")
	}
	board := newBoardOf(l, shard)
	w := startWorker(t, l, shard, true)
	send(t, l, board, "first")
	eventually(t, "delivered", func() bool { return w.has("first") })
	sent := 0
	for range 3 {
		eventually(t, "another leader", func() bool {
			list, err := l.Leaders(t.Context(), shard)
			return err == nil && len(list[1].Ready) > 0 && l.Lead(t.Context(), list[1], list[1].Ready[0]) == nil
		})
		for range 100 {
			send(t, l, board, fmt.Sprint("c", sent))
			sent++
			time.Sleep(time.Millisecond)
		}
	}
	for i := range sent {
		eventually(t, "each delivered, though published once", func() bool { return w.has(fmt.Sprint("c", i)) })
	}
}

// What is sent later has less time to live.
func TestResend_TimeGoesOn(t *testing.T) {
	a, err := appendCommand(nil, &domain.Command{ID: "a", Board: "b", Op: domain.OpCancel}, 4*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := appendCommand(nil, &domain.Command{ID: "b", Board: "b", Op: domain.OpCancel}, 20*time.Millisecond)
	rest := aged(append(a, b...), 100*time.Millisecond)
	var got []string
	for len(rest) > 0 {
		var cmd domain.Command
		var ttl time.Duration
		if cmd, ttl, rest, err = cutCommand(rest); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(cmd.ID, " ", ttl))
	}
	if s := strings.Join(got, ", "); s != "a 3.9s, b -80ms" {
		t.Errorf("%s", s)
	}
}
