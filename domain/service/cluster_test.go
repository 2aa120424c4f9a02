package service

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/test/node"
)

// nodes are three clustered servers in this process, each with a service among
// members, and a gateway of sorts on the last one.
type nodes struct {
	t                    testing.TB
	configs              []natsd.Config
	list                 []*clusterNode
	leadAfter, leadEvery time.Duration // 0: as ever
	skew                 atomic.Int64  // of the last node's clock, ns
}

type clusterNode struct {
	name   string
	server *natsd.Server
	log    *eventlog.Log
	told   *eventlog.Members
	s      *Service
	end    context.CancelFunc // as planned
	ended  chan struct{}
}

func newNodes(t testing.TB) *nodes {
	t.Helper()
	if procs := runtime.GOMAXPROCS(0); procs < 4 { // fsync blocks threads
		runtime.GOMAXPROCS(4)
		t.Cleanup(func() { runtime.GOMAXPROCS(procs) })
	}
	c := &nodes{t: t, list: make([]*clusterNode, 3)}
	var addrs, routes []string
	for range c.list {
		addr := node.FreeAddr(t)
		addrs, routes = append(addrs, addr), append(routes, "nats://"+addr)
	}
	dir := t.TempDir()
	for i, addr := range addrs {
		name := fmt.Sprint("n", i+1)
		c.configs = append(c.configs, natsd.Config{StoreDir: filepath.Join(dir, name), SyncAlways: true, Logger: quiet,
			Cluster: &natsd.Cluster{Name: "test", Node: name, Listen: addr, Routes: routes}})
	}
	return c
}

// startAll starts servers and logs of all nodes, and services on the first few.
func (c *nodes) startAll(services int) {
	c.t.Helper()
	for i := range c.list {
		c.open(i)
	}
	var wg sync.WaitGroup
	for i := range c.list {
		wg.Go(func() { c.connect(i) })
	}
	wg.Wait()
	for i := range services {
		c.serve(i)
	}
}

func (c *nodes) open(i int) {
	c.t.Helper()
	server, err := natsd.Start(c.configs[i])
	if err != nil {
		c.t.Fatal(err)
	}
	c.list[i] = &clusterNode{name: fmt.Sprint("n", i+1), server: server, end: func() {}}
	c.t.Cleanup(func() { c.stop(i) })
}

func (c *nodes) connect(i int) {
	n := c.list[i]
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	if n.log, err = eventlog.Open(ctx, eventlog.Config{InProcess: n.server, Replicas: 3, Name: n.name, Logger: quiet}); err != nil {
		c.t.Error(err)
	}
}

func (c *nodes) serve(i int) {
	c.t.Helper()
	n := c.list[i]
	clock := time.Now
	if i == len(c.list)-1 {
		clock = func() time.Time { return time.Now().Add(time.Duration(c.skew.Load())) }
	}
	var err error
	n.told, err = eventlog.NewMembers(eventlog.MembersConfig{Bus: n.log.Bus(), Node: n.name, Epoch: n.log.Epoch(), Decides: true, Now: clock, Logger: quiet})
	if err == nil {
		n.s, err = New(Config{Log: n.log, Logger: quiet, Members: n.told})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	if c.leadAfter > 0 {
		n.s.ownership.leadAfter, n.s.ownership.leadEvery = c.leadAfter, c.leadEvery
	}
	ctx, cancel := context.WithCancel(context.Background())
	life, dead := context.WithCancel(context.Background())
	n.end, n.ended = cancel, make(chan struct{})
	beating := make(chan struct{})
	go func() { defer close(beating); n.told.Run(life) }()
	go func() {
		defer close(n.ended)
		n.s.Run(ctx)
		dead()
		<-beating
	}()
}

// leave ends a node's service as planned.
func (c *nodes) leave(i int) {
	n := c.list[i]
	n.end()
	if n.ended != nil {
		<-n.ended
	}
	n.end, n.ended, n.s = func() {}, nil, nil
}

// crash cuts a node's service and log off at once: nothing is handed over.
func (c *nodes) crash(i int) {
	n := c.list[i]
	n.log.Close()
	c.leave(i)
}

func (c *nodes) stop(i int) {
	if n := c.list[i]; n != nil {
		c.leave(i)
		if n.log != nil {
			n.log.Close()
		}
		n.server.Shutdown()
		c.list[i] = nil
	}
}

// even waits until the shards are spread evenly over the services.
func (c *nodes) even() {
	c.t.Helper()
	until(c.t, "shards are even", func() bool {
		var sizes []int
		takers := make([]int, 8)
		for _, n := range c.list {
			if n == nil || n.s == nil {
				continue
			}
			list := n.s.Ownership()
			sizes = append(sizes, len(list))
			for _, h := range list {
				takers[h.Shard]++
			}
		}
		return slices.Min(takers) == 1 && slices.Max(takers) == 1 && slices.Max(sizes)-slices.Min(sizes) <= 1
	})
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after a minute: %s", what)
		}
	}
}

// crowd sends mutations to boards over one log, several boards to each shard,
// one after the other on each board, and again as a gateway does.
type crowd struct {
	t      testing.TB
	log    *eventlog.Log
	boards []string
	stop   func()

	mu    sync.Mutex
	waits []wait
	again int // commands that were published again

	reasons []domain.Code // for which a command may be refused
	refused int
}

// wait is the time from a mutation's first sending to its verdict.
type wait struct {
	board    string
	sent     time.Time
	took     time.Duration
	repeated bool
}

func newCrowd(t testing.TB, log *eventlog.Log, boards int, every time.Duration) *crowd {
	c := &crowd{t: t, log: log}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	c.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(c.stop)
	for i := range boards {
		board := fmt.Sprintf("board-%d-%s", i, ulid.Make())
		c.boards = append(c.boards, board)
		wg.Go(func() { c.run(ctx, board, every) })
	}
	return c
}

func (c *crowd) run(ctx context.Context, board string, every time.Duration) {
	verdicts := make(chan domain.Verdict, 1000)
	stop, err := c.log.Subscribe(board, func(a eventlog.Announcement) {
		if a.Verdict != nil {
			verdicts <- *a.Verdict
		}
		if a.Record != nil {
			for j := range a.Record.Commit.Decisions {
				verdicts <- a.Record.Commit.Decisions[j].Verdict()
			}
		}
	})
	if err != nil {
		c.t.Error(err)
		return
	}
	defer stop()
	last := ""
	for n := 0; ctx.Err() == nil; n++ {
		id := ulid.Make().String()
		now := time.Now().UTC()
		cmd := &domain.Command{ID: id, Board: board, Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen, After: last,
			ReceivedAt: now, Deadline: now.Add(time.Minute), Changes: []domain.Change{{EntityID: board, Patch: domain.Patch{"title": "T" + id}}}}
		if n == 0 {
			cmd.Changes = []domain.Change{boardChange(board)}
		}
		c.mutate(cmd, verdicts)
		last = id
		pause(ctx, every)
	}
}

// mutate sends until there is a verdict.
func (c *crowd) mutate(cmd *domain.Command, verdicts <-chan domain.Verdict) {
	w := wait{board: cmd.Board, sent: time.Now()}
	again := time.NewTimer(500 * time.Millisecond)
	defer again.Stop()
	for publish := true; ; {
		if publish {
			if err := c.log.PublishCommand(cmd, time.Minute); err != nil && w.took > 0 {
				c.t.Error(err)
			}
			publish = false
		}
		select {
		case v := <-verdicts:
			if v.ID != cmd.ID {
				continue
			}
			w.took = time.Since(w.sent)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.waits = append(c.waits, w)
			if w.repeated {
				c.again++
			}
			if v.Rejection != nil {
				c.refused++
			}
			if v.Rejection != nil && !slices.Contains(c.reasons, v.Rejection.Code) {
				c.t.Errorf("%s: refused %v", cmd.Board, v.Rejection)
			}
			return
		case <-again.C:
			publish, w.repeated = true, true
			again.Reset(time.Second)
		}
	}
}

// count is how many verdicts there are.
func (c *crowd) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waits)
}

// more waits for so many verdicts more.
func (c *crowd) more(n int) {
	c.t.Helper()
	n += c.count()
	until(c.t, "verdicts", func() bool { return c.count() >= n })
}

// slowest is the longest time to a verdict of what was sent since, and how many
// of these were published again.
func (c *crowd) slowest(since time.Time) (d time.Duration, again int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.waits {
		if w.sent.Add(w.took).Before(since) {
			continue
		}
		d = max(d, w.took)
		if w.repeated {
			again++
		}
	}
	return d, again
}

// check holds the log against what was sent: each decided once, in order.
func (c *crowd) check(t *testing.T, log *eventlog.Log) {
	t.Helper()
	c.stop()
	sent := map[string]int{}
	for _, w := range c.waits {
		sent[w.board]++
	}
	for _, board := range c.boards {
		checkReal(t, log, board, sent[board], c.reasons...)
	}
}

// Shards spread over three nodes; one leaves as planned, joins again, crashes:
// each time the others have its shards, and no command is lost or decided twice.
func TestCluster_ShardsFollowTheNodes(t *testing.T) {
	t.Parallel()
	c := newNodes(t)
	c.startAll(2)
	crowd := newCrowd(t, c.list[2].log, 16, 5*time.Millisecond)
	crowd.more(100)
	c.even()
	step := func(what string, do func()) {
		t.Helper()
		start := time.Now()
		do()
		c.even()
		crowd.more(200)
		d, again := crowd.slowest(start)
		t.Logf("%s: the slowest mutation took %v, %d were sent again", what, d, again)
	}
	step("the third joins", func() { c.serve(2) })
	step("the first leaves", func() { c.leave(0) })
	step("the first joins", func() { c.serve(0) })
	step("the second crashes", func() { c.crash(1) })
	crowd.check(t, c.list[2].log)
}

// leads is how many things of shards a node leads; -1: some have no leader now.
func (c *nodes) leads(i int) (n int) {
	for shard := range 8 {
		list, err := c.list[i].log.Leaders(context.Background(), shard)
		if err != nil {
			return -1
		}
		for _, led := range list {
			if led.Leader == "" {
				return -1
			}
			if led.Here {
				n++
			}
		}
	}
	return n
}

// A node whose clock is set to five minutes off owns no shard and leads nothing,
// as long as that is so, and refuses nothing.
func TestCluster_ClockThatIsWrong(t *testing.T) {
	t.Parallel()
	c := newNodes(t)
	c.leadAfter, c.leadEvery = 100*time.Millisecond, 100*time.Millisecond
	c.startAll(3)
	crowd := newCrowd(t, c.list[0].log, 8, 20*time.Millisecond)
	crowd.more(50)
	c.even()
	for _, skew := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		start := time.Now()
		c.skew.Store(int64(skew))
		until(t, "it owns nothing and leads nothing", func() bool { return len(c.list[2].s.Ownership()) == 0 && c.leads(2) == 0 })
		t.Logf("%v: out after %v", skew, time.Since(start))
		if astray, _ := c.list[2].told.Astray(); !astray {
			t.Error("it is not astray")
		}
		crowd.more(100)
		c.skew.Store(0)
		c.even()
		crowd.more(50)
	}
	for i, n := range c.list[:2] {
		if astray, ahead := n.told.Astray(); astray {
			t.Errorf("node %d is astray, %v ahead", i+1, ahead)
		}
	}
	crowd.check(t, c.list[0].log)
}

// Leaders come to the nodes that own their shards, and leave a node that stops
// before it does, while commands are decided.
func TestCluster_LeadersFollowTheShards(t *testing.T) {
	t.Parallel()
	c := newNodes(t)
	c.leadAfter, c.leadEvery = 100*time.Millisecond, 100*time.Millisecond
	c.startAll(3)
	crowd := newCrowd(t, c.list[2].log, 8, 20*time.Millisecond)
	crowd.more(50)
	c.even()
	leads := c.leads
	start := time.Now()
	until(t, "owners lead", func() bool {
		for i, n := range c.list {
			if leads(i) != 3*len(n.s.Ownership()) {
				return false
			}
		}
		return true
	})
	d, again := crowd.slowest(start)
	t.Logf("leaders are where their shards are after %v; the slowest mutation took %v, %d were sent again", time.Since(start), d, again)
	start = time.Now()
	c.leave(0)
	took := time.Since(start)
	until(t, "a node that has stopped leads nothing", func() bool { return leads(0) == 0 })
	crowd.more(100)
	d, again = crowd.slowest(start)
	t.Logf("left within %v; the slowest mutation took %v, %d were sent again", took, d, again)
	crowd.check(t, c.list[2].log)
}
