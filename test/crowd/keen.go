package crowd

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/client"
	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/naive"
)

// Keen is our own client.
type Keen struct {
	name  string
	board string
	r     *rand.Rand
	gen   *Generator
	c     *client.Client

	made []*client.Mutation

	mu     sync.Mutex
	mirror map[string]*domain.Entity // fed by notifications alone (law 11)
	same   []string                  // notifications that told nothing new
}

// NewKeen connects a client of user name to a board. NewKeen draws its options from r.
func NewKeen(ctx context.Context, name, url, board string, dial client.Dialer, r *rand.Rand, gen *Generator) (*Keen, error) {
	k := &Keen{name: name, board: board, r: r, gen: gen, mirror: map[string]*domain.Entity{}}
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

func (k *Keen) changed(list []client.Change) {
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

func (k *Keen) Act() {
	for _, changes := range k.gen.Next() {
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

func (k *Keen) Settle(ctx context.Context) error {
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

func (k *Keen) Sees(ctx context.Context, id string) error {
	return Poll(ctx, func() bool { return k.c.Confirmed(id) != nil && k.c.State() == client.Live })
}

func (k *Keen) Close() { k.c.Close() }

// Holds is the confirmed state.
func (k *Keen) Holds() check.View {
	v := check.View{Who: k.name, User: k.name, Board: k.board, Rev: k.c.Rev(), Entities: map[string]naive.Object{}}
	for _, e := range k.c.All() {
		if c := k.c.Confirmed(e.ID); c != nil {
			raw, _ := json.Marshal(c)
			v.Entities[e.ID], _ = naive.ToObject(raw)
		}
	}
	return v
}

// Told is what became of every mutation, once there is a verdict for each.
func (k *Keen) Told() (told []check.Told, missing []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, m := range k.made {
		r, err := m.Wait(ctx)
		if err != nil {
			missing = append(missing, m.ID())
			continue
		}
		told = append(told, check.Told{User: k.name, Board: k.board, ID: m.ID(), OK: r.OK, Rev: r.Rev, Code: string(r.Code)})
	}
	return told, missing
}

// Judge holds what the client has, shows and told against the log.
func (k *Keen) Judge(j *check.Judge) {
	holds := k.Holds()
	j.View(holds, false)
	view, mirror, bare := map[string]naive.Object{}, map[string]naive.Object{}, map[string]naive.Object{}
	for _, e := range k.c.All() {
		view[e.ID] = fields(e)
	}
	k.mu.Lock()
	for id, e := range k.mirror {
		mirror[id] = fields(e)
	}
	if len(k.same) > 0 {
		j.Fault("law 11", "%s was told of %v, which had not changed", k.name, k.same)
	}
	k.mu.Unlock()
	for id, o := range naive.Fold(j.Log.Records, holds.Rev).View(k.name) {
		bare[id] = Stripped(o)
	}
	for _, d := range naive.Differences(view, bare) {
		j.Fault("law 10", "%s at rev %d shows %s", k.name, holds.Rev, d)
	}
	for _, d := range naive.Differences(mirror, bare) {
		j.Fault("law 11", "%s was last told %s", k.name, d)
	}
	told, missing := k.Told()
	for _, t := range told {
		j.Told(t)
		if t.OK {
			j.Counts["client acked"]++
		} else {
			j.Counts["client "+t.Code]++
		}
	}
	for _, id := range missing {
		j.Fault("law 3", "%s: %s has no verdict", k.name, id)
	}
	j.Counts["client mutations"] += len(k.made)
}

// fields is what a client shows of an entity, Stripped.
func fields(e *domain.Entity) naive.Object {
	raw, _ := json.Marshal(e)
	o, _ := naive.ToObject(raw)
	return Stripped(o)
}

// Stripped is an entity without what only its confirmed state knows for certain.
func Stripped(o naive.Object) naive.Object {
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

// Poll asks until ok says yes or ctx ends.
func Poll(ctx context.Context, ok func() bool) error {
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
