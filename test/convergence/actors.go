package convergence

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/client"
	"github.com/snapback-io/snapback/test/naive"
	"github.com/snapback-io/snapback/test/seed"
)

// actor is a client at work.
type actor interface {
	act()
	// settle waits until nothing is pending.
	settle(ctx context.Context) error
	// sees waits until the actor knows an entity.
	sees(ctx context.Context, id string) error
	// judge compares what the actor holds with the log.
	judge(j *judge)
	close()
}

// keen is our own client.
type keen struct {
	name string
	r    *rand.Rand
	gen  *generator
	c    *client.Client

	made []*client.Mutation

	mu     sync.Mutex
	mirror map[string]*domain.Entity // fed by notifications alone (law 11)
	same   []string                  // notifications that told nothing new
}

func newKeen(ctx context.Context, name, url string, dial client.Dialer, r *rand.Rand, gen *generator) (*keen, error) {
	k := &keen{name: name, r: r, gen: gen, mirror: map[string]*domain.Entity{}}
	c, err := client.Connect(ctx, client.Options{
		URL: url, Board: board, User: name, Dialer: dial, RollbackOnSilence: r.IntN(4) == 0,
		TTL: time.Duration(1+r.IntN(4)) * time.Second, MinBackoff: 20 * time.Millisecond, MaxBackoff: time.Second,
		Quiet: 2 * time.Second, PongTimeout: 2 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	k.c = c
	c.Subscribe(k.changed)
	for _, e := range c.All() { // before the first mutation of anybody
		k.mu.Lock()
		if k.mirror[e.ID] == nil {
			k.mirror[e.ID] = e
		}
		k.mu.Unlock()
	}
	return k, nil
}

func (k *keen) changed(list []client.Change) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, ch := range list {
		if ch.After != nil && ch.Before != nil && shown(ch.After) == shown(ch.Before) {
			k.same = append(k.same, ch.ID)
		}
		if k.mirror[ch.ID] = ch.After; ch.After == nil {
			delete(k.mirror, ch.ID)
		}
	}
}

// shown is what a listener may see of an entity: its fields, and whose and how old it is.
func shown(e *domain.Entity) string {
	raw, _ := json.Marshal([]any{e.Fields, e.CreatedRev, e.CreatedBy})
	return string(raw)
}

func (k *keen) act() {
	for _, changes := range k.gen.next() {
		raw, _ := json.Marshal(changes)
		var list []domain.Change
		if json.Unmarshal(raw, &list) != nil {
			continue
		}
		m := k.c.Transact(list...)
		k.made = append(k.made, m)
		if k.r.IntN(15) == 0 {
			m.Cancel()
		}
	}
}

func (k *keen) settle(ctx context.Context) error {
	for _, m := range k.made {
		if _, err := m.Wait(ctx); err != nil {
			return fmt.Errorf("%s: mutation %s (%s): %w; state %s, last %v", k.name, m.ID(), m.Status(), err, k.c.State(), k.c.Err())
		}
	}
	if n := len(k.c.Pending()); n > 0 {
		return fmt.Errorf("%s: %d mutations pending after every verdict", k.name, n)
	}
	return nil
}

func (k *keen) sees(ctx context.Context, id string) error {
	return poll(ctx, func() bool { return k.c.Confirmed(id) != nil && k.c.State() == client.Live })
}

func (k *keen) close() { k.c.Close() }

func (k *keen) judge(j *judge) {
	rev := k.c.Rev()
	want := naive.Fold(j.log.Records, rev).View(k.name)
	confirmed, view, mirror := map[string]naive.Object{}, map[string]naive.Object{}, map[string]naive.Object{}
	for _, e := range k.c.All() {
		view[e.ID] = fields(e)
		if c := k.c.Confirmed(e.ID); c != nil {
			raw, _ := json.Marshal(c)
			confirmed[e.ID], _ = naive.ToObject(raw)
		}
	}
	k.mu.Lock()
	for id, e := range k.mirror {
		mirror[id] = fields(e)
	}
	if len(k.same) > 0 {
		j.fault("law 11", "%s was told of %v, which had not changed", k.name, k.same)
	}
	k.mu.Unlock()
	bare := map[string]naive.Object{}
	for id, o := range want {
		bare[id] = stripped(o)
	}
	for _, d := range naive.Differences(confirmed, want) {
		j.fault("convergence", "%s at rev %d holds %s", k.name, rev, d)
	}
	for _, d := range naive.Differences(view, bare) {
		j.fault("law 10", "%s at rev %d shows %s", k.name, rev, d)
	}
	for _, d := range naive.Differences(mirror, bare) {
		j.fault("law 11", "%s was last told %s", k.name, d)
	}
	for _, m := range k.made {
		k.verdict(j, m)
	}
	j.counts["client mutations"] += len(k.made)
}

// verdict holds what the caller was told against the log.
func (k *keen) verdict(j *judge, m *client.Mutation) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r, err := m.Wait(ctx)
	d, logged := j.log.By[[2]string{k.name, m.ID()}]
	if r.OK {
		j.counts["client acked"]++
	} else {
		j.counts["client "+string(r.Code)]++
	}
	switch {
	case err != nil:
		j.fault("law 3", "%s: %s has no verdict: %v", k.name, m.ID(), err)
	case r.OK && (!logged || !d.Accepted() || d.Rev != r.Rev):
		j.fault("law 4", "%s was told that %s is in the log at rev %d", k.name, m.ID(), r.Rev)
	case !r.OK && logged && d.Accepted():
		j.fault("law 4", "%s was told that %s is refused (%s), the log accepted it", k.name, m.ID(), r.Code)
	}
}

// fields is an entity without what only its confirmed state knows for certain.
func fields(e *domain.Entity) naive.Object {
	raw, _ := json.Marshal(e)
	o, _ := naive.ToObject(raw)
	return stripped(o)
}

func stripped(o naive.Object) naive.Object {
	out := naive.Object{}
	for name, v := range o {
		switch name {
		case "rev", "createdRev", "createdAt", "createdBy", "updatedAt", "updatedBy":
		default:
			out[name] = v
		}
	}
	return out
}

// rude is a raw client at work.
type rude struct {
	*raw
	name string
}

func (a *rude) sees(ctx context.Context, id string) error { return nil }
func (a *rude) judge(j *judge)                            {}

func (a *rude) settle(ctx context.Context) error {
	if err := a.raw.settle(ctx); err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	return nil
}

// plain is the seed's store; when its connection breaks the page is loaded anew.
type plain struct {
	name, url string
	dial      *websocket.Dialer
	r         *rand.Rand
	gen       *generator
	s         *seed.Store
	sent      []string
}

func newPlain(name, url string, dial *websocket.Dialer, r *rand.Rand, gen *generator) *plain {
	p := &plain{name: name, url: url, dial: dial, r: r, gen: gen}
	p.reload()
	return p
}

func (p *plain) reload() {
	if p.s != nil {
		p.s.Close()
	}
	p.s, _ = seed.DialWith(p.dial, p.url, 5*time.Second)
}

func (p *plain) act() {
	if p.s == nil || p.s.Broken() {
		p.reload()
		return
	}
	for _, changes := range p.gen.next() {
		if len(changes) == 1 && changes[0].Patch != nil {
			if id := p.s.Mutate(changes[0].EntityID, changes[0].Patch); id != "" {
				p.sent = append(p.sent, id)
			}
		}
	}
}

func (p *plain) settle(ctx context.Context) error {
	err := poll(ctx, func() bool {
		if p.s == nil || p.s.Broken() {
			p.reload()
			return false
		}
		return p.s.Pending() == 0
	})
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}

func (p *plain) sees(ctx context.Context, id string) error {
	return poll(ctx, func() bool {
		if p.s == nil || p.s.Broken() {
			p.reload()
			return false
		}
		return p.s.Get(id) != nil
	})
}

// judge compares what the seed shows: it keeps what is deleted, in its manner,
// as a last frame with deleted:true, and whatever hung on it.
func (p *plain) judge(j *judge) {
	want := naive.Fold(j.log.Records, 0).View(p.name)
	for id, w := range want {
		raw, _ := json.Marshal(p.s.Get(id))
		got, _ := naive.ToObject(raw)
		for _, d := range naive.Differences(map[string]naive.Object{id: got}, map[string]naive.Object{id: w}) {
			j.fault("convergence", "%s shows %s", p.name, d)
		}
	}
}

func (p *plain) close() {
	if p.s != nil {
		p.s.Close()
	}
}

// poll asks until ok says yes or ctx ends.
func poll(ctx context.Context, ok func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
