// Package cluster tests several nodes with an embedded log, and clients at work
// on all of them, while nodes stop, come back and die.
package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/client"
	"github.com/snapback-io/snapback/test/node"
)

// plan is how much load there is.
type plan struct {
	boards, users int
	every         time.Duration // between two mutations of a user, on average
}

// load is users at work on the boards of a cluster, who ask for nothing that
// the rules refuse.
type load struct {
	tb      testing.TB
	plan    plan
	nodes   []*node.Server
	users   []*user
	may     []domain.Code // refusals that are to be expected, as nodes die
	refused map[domain.Code]int
	work    context.Context // ends when nobody makes anything new
	stop    context.CancelFunc
	making  sync.WaitGroup // users
	open    sync.WaitGroup // mutations without a verdict

	mu     sync.Mutex
	phases []phase
}

// phase is a stretch of time with a name; one that comes again has the same.
type phase struct {
	name string
	from time.Time
}

// user is a client who knows all nodes.
type user struct {
	name, board string
	c           *client.Client
	r           *rand.Rand

	mu   sync.Mutex
	made []*made
}

// made is one mutation and what became of it.
type made struct {
	m      *client.Mutation
	at     time.Time
	took   time.Duration // until the verdict
	result client.Result
	err    error // there is no verdict
}

// settleTime is how long verdicts and views may take at the end.
const settleTime = 30 * time.Second

// start has users connect, to any node each, and begin to work.
func start(tb testing.TB, nodes []*node.Server, p plan) *load {
	tb.Helper()
	l := &load{tb: tb, plan: p, nodes: nodes, refused: map[domain.Code]int{}}
	l.work, l.stop = context.WithCancel(context.Background())
	tb.Cleanup(l.close)
	for i := range p.boards {
		board := fmt.Sprint("board", i)
		resp, err := http.Post("http://"+nodes[0].Addr+"/v1/boards?user=owner", "application/json", strings.NewReader(fmt.Sprintf(`{"id":%q,"title":%q}`, board, board)))
		if err != nil {
			tb.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusCreated {
			tb.Fatalf("board not made: %s", resp.Status)
		}
	}
	for i := range p.users {
		l.join(i)
	}
	for _, u := range l.users {
		l.making.Go(func() { l.make(u) })
	}
	return l
}

func (l *load) join(i int) {
	l.tb.Helper()
	u := &user{name: fmt.Sprint("user", i), board: fmt.Sprint("board", i%l.plan.boards), r: rand.New(rand.NewPCG(uint64(i), 1))}
	var urls []string
	for _, n := range l.nodes {
		urls = append(urls, "http://"+n.Addr)
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	var err error
	if u.c, err = client.Connect(ctx, client.Options{URLs: urls, Board: u.board, User: u.name}); err != nil {
		l.tb.Fatal(err)
	}
	l.users = append(l.users, u)
	if i >= l.plan.boards { // the columns are there or will be
		return
	}
	for _, column := range columns {
		r, err := u.c.Transact(domain.Change{EntityID: column, Patch: domain.Patch{"kind": "column", "title": column}}).Wait(ctx)
		if err != nil || !r.OK {
			l.tb.Fatalf("column not made: %+v %v", r, err)
		}
	}
}

var columns = []string{"todo", "done"}

// make has a user work until the load stops.
func (l *load) make(u *user) {
	for {
		pause := l.plan.every/2 + time.Duration(u.r.Int64N(int64(l.plan.every)))
		select {
		case <-l.work.Done():
			return
		case <-time.After(pause):
		}
		cards := u.c.List(domain.KindCard)
		column := columns[u.r.IntN(len(columns))]
		switch n := u.r.IntN(10); {
		case n < 2 || len(cards) == 0: // what comes after the card finds it (law 6)
			card := l.watch(u, func() *client.Mutation {
				return u.c.Create(domain.KindCard, domain.Patch{"title": "new", "columnId": column})
			})
			l.watch(u, func() *client.Mutation {
				return u.c.Mutate(card.EntityID(), domain.Patch{"description": "by " + u.name})
			})
		case n < 6:
			l.watch(u, func() *client.Mutation {
				return u.c.Mutate(cards[u.r.IntN(len(cards))].ID, domain.Patch{"columnId": column})
			})
		default:
			l.watch(u, func() *client.Mutation {
				return u.c.Mutate(cards[u.r.IntN(len(cards))].ID, domain.Patch{"title": fmt.Sprint(u.name, " ", u.r.IntN(1000))})
			})
		}
	}
}

// watch makes a mutation and notes what becomes of it.
func (l *load) watch(u *user, mutate func() *client.Mutation) *client.Mutation {
	m := &made{at: time.Now()}
	m.m = mutate()
	u.mu.Lock()
	u.made = append(u.made, m)
	u.mu.Unlock()
	l.open.Go(func() {
		r, err := m.m.Wait(context.Background()) // it ends with the client
		u.mu.Lock()
		defer u.mu.Unlock()
		m.result, m.err, m.took = r, err, time.Since(m.at)
	})
	return m.m
}

// phase begins a phase of the load.
func (l *load) phase(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phases = append(l.phases, phase{name, time.Now()})
}

// settle stops the work and waits for every verdict.
func (l *load) settle() {
	l.tb.Helper()
	l.stop()
	l.making.Wait()
	done := make(chan struct{})
	go func() { l.open.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(settleTime):
		for _, u := range l.users {
			for _, m := range u.c.Pending() {
				l.tb.Errorf("%s: no verdict of %s; %s, last %v", u.name, m.ID(), u.c.State(), u.c.Err())
			}
		}
	}
}

func (l *load) close() {
	l.stop()
	l.making.Wait()
	var all sync.WaitGroup
	for _, u := range l.users {
		all.Go(u.c.Close)
	}
	all.Wait()
	l.open.Wait()
}

// figures are the times to the verdict of one phase.
type figures struct {
	name          string
	n             int
	p50, p99, max time.Duration
}

func (f figures) String() string {
	return fmt.Sprintf("%-16s %6d mutations, to the verdict p50 %4d ms, p99 %4d ms, max %4d ms", f.name, f.n, f.p50.Milliseconds(), f.p99.Milliseconds(), f.max.Milliseconds())
}

// figures gives those of each phase, in order of their first begin. Call it after settle.
func (l *load) figures() []figures {
	var names []string
	times := map[string][]time.Duration{}
	for _, u := range l.users {
		for _, m := range u.made {
			at := slices.IndexFunc(l.phases, func(p phase) bool { return p.from.After(m.at) })
			if at < 0 {
				at = len(l.phases)
			}
			if at > 0 {
				name := l.phases[at-1].name
				times[name] = append(times[name], m.took)
			}
		}
	}
	for _, p := range l.phases {
		if !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	var out []figures
	for _, name := range names {
		list := times[name]
		if len(list) == 0 {
			continue
		}
		slices.Sort(list)
		out = append(out, figures{name, len(list), list[len(list)/2], list[len(list)*99/100], list[len(list)-1]})
	}
	return out
}
