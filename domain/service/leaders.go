package service

import (
	"context"
	"slices"
	"time"

	"github.com/snapback-io/snapback/eventlog"
)

// Whoever owns a shard should lead its streams, too: that saves a hop, and as
// the shards are even the leaders are. Owners draw leaders to themselves, late
// and one at a time, for each move holds up those who append. A node that stops
// or whose clock is wrong pushes all that it leads away, at once.
const (
	// leadAfter is how long a node has had a shard before it wants to lead it.
	leadAfter = 15 * time.Second
	// leadEvery is how often a node looks at the leaders of one of its shards.
	leadEvery = 5 * time.Second
	// pushWithin is how long a node that stops goes on pushing.
	pushWithin = 3 * time.Second
)

// leaderLog is what an [eventlog.Log] on an embedded cluster tells and moves.
type leaderLog interface {
	Leaders(ctx context.Context, shard int) ([]eventlog.Led, error)
	Lead(ctx context.Context, led eventlog.Led, server string) error
	Server() string
}

// lead draws and pushes leaders until ctx ends, one shard after the other.
func (o *ownership) lead(ctx context.Context) {
	log, ok := o.s.Log.(leaderLog)
	if !ok {
		return
	}
	look := time.NewTicker(o.leadEvery)
	defer look.Stop()
	for n := 0; ; n++ {
		_, _, next := o.s.Members.Present()
		select {
		case <-look.C:
		case <-next:
			if !o.astray() {
				continue
			}
		case <-ctx.Done():
			return
		}
		if o.astray() {
			o.push(ctx, log)
			continue
		}
		if mine := o.settled(); len(mine) > 0 {
			o.draw(ctx, log, mine[n%len(mine)])
		}
	}
}

func (o *ownership) astray() bool {
	astray, _ := o.s.Members.Astray()
	return astray
}

// settled are the shards this node has had for a while and is to keep.
func (o *ownership) settled() (shards []int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for shard, h := range o.held {
		if h.standing && !h.stopping && o.owners[shard] == o.self && time.Since(h.since) > o.leadAfter {
			shards = append(shards, shard)
		}
	}
	slices.Sort(shards)
	return shards
}

// draw moves at most one thing of a shard to this node's server.
func (o *ownership) draw(ctx context.Context, log leaderLog, shard int) {
	list, err := log.Leaders(ctx, shard)
	if err != nil {
		return // there is no leader to move
	}
	for _, led := range list {
		if led.Here || led.Leader == "" || !slices.Contains(led.Ready, log.Server()) {
			continue
		}
		if err := log.Lead(ctx, led, log.Server()); err != nil {
			o.s.warn("a leader was not moved", "of", led.Name, "error", err)
			return
		}
		o.s.Logger.Info("leader moved here", "of", led.Name, "from", led.Leader)
		return
	}
}

// push moves everything of every shard away that this node's server leads, if
// another one is ready: best to the owner of the shard.
func (o *ownership) push(ctx context.Context, log leaderLog) {
	members, _, _ := o.s.Members.Present()
	for shard := range o.s.Log.Shards() {
		if ctx.Err() != nil {
			return
		}
		list, err := log.Leaders(ctx, shard)
		if err != nil {
			continue
		}
		for _, led := range list {
			if to := successor(members, led, o.owner(shard)); led.Here && to != "" {
				if err := log.Lead(ctx, led, to); err != nil {
					o.s.warn("a leader was not moved", "of", led.Name, "error", err)
				}
			}
		}
	}
}

// successor is who is to lead: the owner, else any member who is able.
func successor(members []eventlog.Member, led eventlog.Led, owner string) (server string) {
	for i := range members {
		if m := &members[i]; m.Able() && !m.Self && slices.Contains(led.Ready, m.Node) && (server == "" || m.Node == owner) {
			server = m.Node
		}
	}
	return server
}

func (o *ownership) owner(shard int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if shard < len(o.owners) {
		return o.owners[shard]
	}
	return ""
}
