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
	shard := takeShard(t)
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
			eventually(t, "few enough are unsure", func() bool { return l.outboxes[shard].unsure.Load() < maxUnsure })
			send(t, l, board, fmt.Sprint("c", sent))
			sent++
			time.Sleep(time.Millisecond)
		}
	}
	eventually(t, "all settled", func() bool { return l.outboxes[shard].unsure.Load() == 0 })
	given := int(metric(t, l, "snapback_commands_unsent_total", "")) // an election took long: its gateway would look after it
	eventually(t, "each delivered, though published once", func() bool {
		missing := 0
		for i := range sent {
			if !w.has(fmt.Sprint("c", i)) {
				missing++
			}
		}
		return missing <= given
	})
	t.Logf("%d of %d messages were given up", given, sent)
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
