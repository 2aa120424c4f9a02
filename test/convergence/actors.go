package convergence

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/crowd"
	"github.com/snapback-io/snapback/test/naive"
	"github.com/snapback-io/snapback/test/seed"
)

// actor is a client at work.
type actor interface {
	Act()
	// Settle waits until nothing is pending.
	Settle(ctx context.Context) error
	// Sees waits until the actor knows an entity.
	Sees(ctx context.Context, id string) error
	// Judge compares what the actor holds with the log.
	Judge(j *check.Judge)
	Close()
}

// rude is a raw client at work.
type rude struct {
	*crowd.Raw
	name string
}

func (a *rude) Sees(ctx context.Context, id string) error { return nil }
func (a *rude) Judge(j *check.Judge)                      {}

func (a *rude) Settle(ctx context.Context) error {
	if err := a.Raw.Settle(ctx); err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	return nil
}

// plain is the seed's store; when its connection breaks the page is loaded anew.
type plain struct {
	name, url string
	dial      *websocket.Dialer
	r         *rand.Rand
	gen       *crowd.Generator
	s         *seed.Store
	sent      []string
}

func newPlain(name, url string, dial *websocket.Dialer, r *rand.Rand, gen *crowd.Generator) *plain {
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

func (p *plain) Act() {
	if p.s == nil || p.s.Broken() {
		p.reload()
		return
	}
	for _, changes := range p.gen.Next() {
		if len(changes) == 1 && changes[0].Patch != nil {
			if id := p.s.Mutate(changes[0].EntityID, changes[0].Patch); id != "" {
				p.sent = append(p.sent, id)
			}
		}
	}
}

func (p *plain) Settle(ctx context.Context) error {
	err := crowd.Poll(ctx, func() bool {
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

func (p *plain) Sees(ctx context.Context, id string) error {
	return crowd.Poll(ctx, func() bool {
		if p.s == nil || p.s.Broken() {
			p.reload()
			return false
		}
		return p.s.Get(id) != nil
	})
}

// Judge compares what the seed shows: it keeps what is deleted, in its manner,
// as a last frame with deleted:true, and whatever hung on it.
func (p *plain) Judge(j *check.Judge) {
	want := naive.Fold(j.Log.Records, 0).View(p.name)
	for id, w := range want {
		raw, _ := json.Marshal(p.s.Get(id))
		got, _ := naive.ToObject(raw)
		for _, d := range naive.Differences(map[string]naive.Object{id: got}, map[string]naive.Object{id: w}) {
			j.Fault("convergence", "%s shows %s", p.name, d)
		}
	}
}

func (p *plain) Close() {
	if p.s != nil {
		p.s.Close()
	}
}
