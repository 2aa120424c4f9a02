package service

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/snapback-io/snapback/eventlog"
)

// Whoever owns a shard should lead its streams, too: that saves a hop and the
// reading back of what another server stamps, and as the shards are even the
// leaders are. Owners draw leaders to themselves, late and one at a time, for each
// move holds up those who append. A node that stops or whose clock is wrong
// pushes all that it leads away, at once.
const (
	// leadAfter is how long a node has had a shard before it wants to lead it.
	leadAfter = 15 * time.Second
	// leadEvery is how often a node looks for leaders to draw, and a leadNext-th of
	// it when it looks again after it drew the leader of records.
	leadEvery = 5 * time.Second
	leadNext  = 5
	// leadAgain is after how many leadEvery a thing that was drawn is drawn again,
	// if another server leads it: of two nodes that each take themselves for the
	// owner each does so this seldom.
	leadAgain = 3
	// leadRest is how many leadEvery a shard of which all is here is not looked at,
	// unless it is known that its records are not.
	leadRest = 6
	// pushWithin is how long a node that stops goes on pushing.
	pushWithin = 3 * time.Second
)

// leaderLog is what an [eventlog.Log] on an embedded cluster tells and moves.
type leaderLog interface {
	Leaders(ctx context.Context, shard int) ([]eventlog.Led, error)
	Lead(ctx context.Context, led eventlog.Led, server string) error
	Server() string
}

// lead draws and pushes leaders until ctx ends.
func (o *ownership) lead(ctx context.Context) {
	log, ok := o.s.Log.(leaderLog)
	if !ok {
		return
	}
	d := draws{o: o, log: log, drawn: map[string]time.Time{}, whole: map[int]time.Time{}}
	apart := time.Duration(liking(0, log.Server()) % uint64(o.leadEvery/leadNext)) // of nodes that start together
	look := time.NewTimer(o.leadEvery + apart)
	defer look.Stop()
	for {
		_, _, next := o.s.Members.Present()
		select {
		case <-look.C:
			look.Reset(o.leadEvery)
		case <-next:
			if !o.astray() {
				continue
			}
		case <-ctx.Done():
			return
		}
		if o.astray() {
			o.push(ctx, log)
		} else if d.one(ctx, o.settled()) { // there may be more of these
			look.Reset(o.leadEvery / leadNext)
		}
	}
}

func (o *ownership) astray() bool {
	astray, _ := o.s.Members.Astray()
	return astray
}

// settled are the shards this node has had for a while and is to keep, by number.
func (o *ownership) settled() (list []Holding) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for shard, h := range o.held {
		if h.standing && !h.stopping && o.owners[shard] == o.self && time.Since(h.since) > o.leadAfter {
			list = append(list, Holding{shard, h.since, o.self})
		}
	}
	slices.SortFunc(list, func(a, b Holding) int { return cmp.Compare(a.Shard, b.Shard) })
	return list
}

// draws is what a node has drawn.
type draws struct {
	o     *ownership
	log   leaderLog
	first int                  // of the shards, the one to begin with
	drawn map[string]time.Time // when, by name
	whole map[int]time.Time    // when this server was seen to lead all of a shard
}

// one moves at most one thing to this node's server: what stamps records first,
// and then whatever. It says whether it moved what stamps.
func (d *draws) one(ctx context.Context, mine []Holding) (stamps bool) {
	for _, records := range []bool{true, false} {
		for i := range mine {
			h := mine[(d.first+i)%len(mine)]
			if records && !d.o.s.stamps.elsewhere(h.Shard) || !records && d.rests(h) {
				continue
			}
			moved, err := d.from(ctx, h.Shard, records)
			if err != nil { // nobody leads there, and to ask took its time: the next look begins behind it
				d.first = (d.first + i + 1) % len(mine)
			}
			if moved || err != nil {
				return moved && records
			}
		}
	}
	return false
}

// rests says that all of a shard was here a moment ago.
func (d *draws) rests(h Holding) bool {
	at := d.whole[h.Shard]
	return at.After(h.Since) && time.Since(at) < leadRest*d.o.leadEvery
}

// from moves at most one thing of a shard, its records if it is to be these.
func (d *draws) from(ctx context.Context, shard int, records bool) (moved bool, err error) {
	list, err := d.log.Leaders(ctx, shard)
	if err != nil {
		return false, err
	}
	if !slices.ContainsFunc(list, func(led eventlog.Led) bool { return !led.Here }) {
		d.whole[shard] = time.Now()
	}
	if records && len(list) > 0 {
		list = list[:1]
	}
	for _, led := range list {
		at, again := d.drawn[led.Name]
		if led.Here || led.Leader == "" || !slices.Contains(led.Ready, d.log.Server()) || again && time.Since(at) < leadAgain*d.o.leadEvery {
			continue
		}
		if err := d.log.Lead(ctx, led, d.log.Server()); err != nil {
			d.o.s.warn("a leader was not moved", "of", led.Name, "error", err)
			continue
		}
		d.drawn[led.Name] = time.Now()
		d.o.s.Logger.Info("leader moved here", "of", led.Name, "from", led.Leader)
		return true, nil
	}
	return false, nil
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
