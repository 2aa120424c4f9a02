package service

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/snapback-io/snapback/eventlog"
)

const (
	// vacantFor is how long nobody may take a shard, as far as is known, before
	// any node does: nodes may disagree on who is there.
	vacantFor = 2 * time.Second
	// handOverWithin is how long a node that stops waits for others to take its shards.
	handOverWithin = 2 * time.Second
	// unpinEvery is how often a node takes a shard's pin from the same run of
	// another that it believes to be gone: two that disagree must not do so in turns.
	unpinEvery = 10 * time.Second
	// lookEvery is how often ownership is looked at when nothing changes.
	lookEvery = 500 * time.Millisecond
)

// ownership has this node take the shards that are its own among the members.
//
// Who owns a shard is the same on all nodes that know the same members
// ([balance]); as nodes may know different ones, now and then two take a shard
// or none does. Of two the queue serves one, and the log's compare-and-set
// keeps what both decide apart; none is noticed after vacantFor.
//
// A shard is handed over by its owner-to-be asking for commands, in vain as
// long as the other has the pin; the other hears so in its beat, finishes what
// it has and unpins.
type ownership struct {
	s    *Service
	wake chan struct{} // holds a token when a holding has changed

	mu     sync.Mutex
	held   map[int]*holding
	self   string   // this node's name
	owners []string // by the members known last

	leadAfter, leadEvery time.Duration // tests have less time

	// of the goroutine in run
	vacant   map[int]time.Time // since when nobody is known to take it
	takers   map[int]string    // the run that was last known to take it
	unpinned map[int]unpinned
	said     []int
}

// unpinned says whose pin was taken, and when.
type unpinned struct {
	run string
	at  time.Time
}

// holding is a shard that this node takes.
type holding struct {
	stop     context.CancelFunc
	since    time.Time
	standing bool // the queue knows that it is asked for
	stopping bool
	unpin    bool // who had it is gone
}

func (o *ownership) init(s *Service) {
	o.s, o.wake, o.leadAfter, o.leadEvery = s, make(chan struct{}, 1), leadAfter, leadEvery
	o.held, o.vacant, o.takers, o.unpinned = map[int]*holding{}, map[int]time.Time{}, map[int]string{}, map[int]unpinned{}
}

// run takes and gives shards until ctx ends, and then until others have taken
// them or handOverWithin has passed. It returns when no command comes any more.
func (o *ownership) run(ctx context.Context) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	var takers sync.WaitGroup
	defer o.stepDown(ctx)
	defer takers.Wait()
	defer end()
	takers.Go(func() { o.lead(ctx) })
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	ending := ctx.Done()
	var bound <-chan time.Time
	for {
		members, settled, next := o.s.Members.Present()
		if settled {
			for _, shard := range o.apply(members) {
				takers.Go(func() { o.take(life, shard) })
			}
		}
		o.say()
		if ending == nil && (o.idle() || !slices.ContainsFunc(members, func(m eventlog.Member) bool { return m.Able() })) {
			return
		}
		select {
		case <-next:
		case <-o.wake:
		case <-look.C:
		case <-ending:
			ending = nil
			o.s.Members.Leave()
			bound = time.After(handOverWithin)
		case <-bound:
			return
		case <-o.s.lost: // the log is closed
			return
		}
	}
}

// stepDown pushes away what this node's server leads before it stops. ctx has ended.
func (o *ownership) stepDown(ctx context.Context) {
	log, ok := o.s.Log.(leaderLog)
	if !ok || ctx.Err() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pushWithin)
	defer cancel()
	o.push(ctx, log)
}

// apply begins to give away what others are to have, and says what is to be taken.
func (o *ownership) apply(members []eventlog.Member) (start []int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	for i := range members {
		for _, shard := range members[i].Takes {
			if !members[i].Self {
				o.takers[shard] = members[i].Run
			}
		}
	}
	p := plan(o.s.Log.Shards(), members, func(shard int) bool { return o.held[shard] != nil }, o.vacant, now)
	o.self, o.owners = p.self, p.owners
	for _, shard := range p.stop {
		if h := o.held[shard]; !h.stopping {
			h.stopping = true
			if h.stop != nil { // else take has not begun, and ends at once
				h.stop()
			}
		}
	}
	for _, shard := range p.start {
		if !slices.Contains(o.s.Shards, shard) {
			continue
		}
		h := &holding{since: now}
		u := unpinned{o.takers[shard], now}
		if last := o.unpinned[shard]; p.abandoned[shard] && (u.run != last.run || now.Sub(last.at) > unpinEvery) {
			h.unpin, o.unpinned[shard] = true, u
		}
		o.held[shard] = h
		start = append(start, shard)
	}
	return start
}

// steps are what ownership does next.
type steps struct {
	self        string
	owners      []string
	start, stop []int
	abandoned   map[int]bool // of start: no member takes it
}

// plan says which shards to take and which to give away. holds tells which this
// node has, vacant since when nobody was known to take a shard; plan keeps it.
func plan(shards int, members []eventlog.Member, holds func(shard int) bool, vacant map[int]time.Time, now time.Time) steps {
	var able []string
	var self eventlog.Member
	takers := make(map[int][]string) // others
	for i := range members {
		m := &members[i]
		if m.Able() {
			able = append(able, m.Node)
		}
		if m.Self {
			self = *m
			continue
		}
		for _, shard := range m.Takes {
			takers[shard] = append(takers[shard], m.Node)
		}
	}
	p := steps{self: self.Node, owners: balance(shards, able), abandoned: map[int]bool{}}
	for shard, owner := range p.owners {
		mine, has := owner == self.Node, holds(shard)
		if has || len(takers[shard]) > 0 {
			delete(vacant, shard)
		} else if _, known := vacant[shard]; !known {
			vacant[shard] = now
		}
		switch {
		case mine && !has, !has && self.Able() && len(takers[shard]) == 0 && now.Sub(vacant[shard]) >= vacantFor:
			p.start = append(p.start, shard)
			p.abandoned[shard] = len(takers[shard]) == 0
		case !mine && has && (slices.Contains(takers[shard], owner) || owner == "" && self.Astray):
			p.stop = append(p.stop, shard)
		}
	}
	return p
}

// take has one shard's commands delivered until it is to be given away or ctx ends.
func (o *ownership) take(ctx context.Context, shard int) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	o.mu.Lock()
	h := o.held[shard]
	h.stop = stop
	if h.stopping {
		stop()
	}
	o.mu.Unlock()
	o.s.consume(ctx, shard, func() { o.stands(ctx, shard, h) })
	o.s.giveAway(shard)
	o.mu.Lock()
	delete(o.held, shard)
	o.mu.Unlock()
	o.rouse()
}

// stands is called when the queue knows that this node asks for the shard.
func (o *ownership) stands(ctx context.Context, shard int, h *holding) {
	o.mu.Lock()
	h.standing = true
	unpin := h.unpin
	h.unpin = false
	o.mu.Unlock()
	o.rouse()
	if !unpin {
		return
	}
	go func() {
		if err := o.s.Log.Unpin(ctx, shard); err != nil && ctx.Err() == nil {
			o.s.Logger.Info("the pin of a node that is gone was not taken; it ends by itself", "shard", shard, "error", err)
		}
	}()
}

func (o *ownership) rouse() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// say tells the others what this node takes, if that is not what it said last.
func (o *ownership) say() {
	o.mu.Lock()
	takes := make([]int, 0, len(o.held))
	for shard, h := range o.held {
		if h.standing && !h.stopping {
			takes = append(takes, shard)
		}
	}
	o.mu.Unlock()
	if slices.Sort(takes); !slices.Equal(takes, o.said) {
		o.said = takes
		o.s.Members.Take(takes)
	}
}

func (o *ownership) idle() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.held) == 0
}

// Holding is a shard whose commands a node asks for.
type Holding struct {
	Shard int       `json:"shard"`
	Since time.Time `json:"since"`
	Owner string    `json:"owner"` // who is to have it; while it is handed over, another node
}

// Ownership gives the shards that this node takes, by number; of a node alone,
// which has all, nil.
func (s *Service) Ownership() []Holding {
	o := &s.ownership
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []Holding
	for _, shard := range slices.Sorted(maps.Keys(o.held)) {
		list = append(list, Holding{shard, o.held[shard].since, o.owners[shard]})
	}
	return list
}
