package convergence

import (
	"context"
	"time"

	"github.com/snapback-io/snapback/test/check"
)

// reloaded is a store that keeps what it has, on a page that is loaded anew
// now and then, whatever is on its way.
type reloaded struct {
	*scripted
	page  onPage
	lives []report // of the pages before
}

func newReloaded(w *world, s onPage, e *entry, name string) (*reloaded, error) {
	a, err := newScripted(w, s, e, name, "")
	if err != nil {
		return nil, err
	}
	a.how["keeps"] = true
	k := &reloaded{scripted: a, page: s}
	return k, k.reload()
}

func (k *reloaded) Act() {
	if k.r.IntN(25) > 0 {
		k.scripted.Act()
	} else if err := k.reload(); err != nil {
		k.w.t.Errorf("%s: loading anew: %v", k.name, err)
	}
}

// reload does not wait for the server: the page begins with what it kept.
func (k *reloaded) reload() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var last report
	if err := k.stage.call(ctx, &last, "report", k.n); err != nil {
		return err
	}
	k.lives = append(k.lives, last)
	if err := k.page.load(); err != nil {
		return err
	}
	return k.stage.call(ctx, nil, "open", k.n, k.options, k.how)
}

func (k *reloaded) Judge(j *check.Judge) {
	k.scripted.Judge(j)
	for _, life := range k.lives {
		for id, m := range life.Mutations {
			if m.Promised == nil && m.Verdict == nil { // it came in a later life, if it was on the disk before the end
				delete(life.Mutations, id)
			}
		}
		k.told(j, life)
	}
	j.Counts["reloads"] += len(k.lives)
}
