package client

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// TestLaw10_ViewIsConfirmedPlusPendingReplayed drives a Store with syncs,
// verdicts, silences, lags and new joins in any order, and after each holds it
// against a recomputation from nothing (laws 10 and 11).
func TestLaw10_ViewIsConfirmedPlusPendingReplayed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &run{t: t, s: NewStore("ann", rapid.Bool().Draw(t, "rollbackOnSilence")), seen: map[string]*domain.Entity{}}
		t.Repeat(map[string]func(*rapid.T){
			"sync":    func(t *rapid.T) { r.sync(t, false) },
			"group":   func(t *rapid.T) { r.sync(t, true) },
			"mutate":  r.mutate,
			"ack":     func(t *rapid.T) { r.verdict(t, true) },
			"nack":    func(t *rapid.T) { r.verdict(t, false) },
			"silence": r.silence,
			"lag":     r.lag,
			"join":    r.join,
			"":        r.check,
		})
	})
}

type run struct {
	t    *rapid.T
	s    *Store
	rev  uint64
	made int
	seen map[string]*domain.Entity // as the listeners were told
}

var (
	ids = map[domain.Kind][]string{
		domain.KindColumn: {"k1", "k2"}, domain.KindCard: {"c1", "c2", "c3", "c4"}, domain.KindChecklist: {"l1", "l2"},
		domain.KindItem: {"i1", "i2"}, domain.KindFile: {"f1", "f2"},
	}
	kinds = slices.Sorted(maps.Keys(ids))
)

func (r *run) take(eff Effects) {
	last := ""
	for _, c := range eff.Changed {
		if c.ID <= last {
			r.t.Fatalf("%s told twice or out of order", c.ID)
		}
		last = c.ID
		if c.Before != r.seen[c.ID] {
			r.t.Fatalf("%s: before is not what was told last", c.ID)
		}
		if alike(c.Before, c.After) {
			r.t.Fatalf("law 11: %s told without a change", c.ID)
		}
		if c.After == nil {
			delete(r.seen, c.ID)
		} else {
			r.seen[c.ID] = c.After
		}
	}
}

func (r *run) check(t *rapid.T) {
	want := naiveView(r.s.confirmed, r.s.pending, r.s.user)
	if !maps.EqualFunc(want, r.s.shown, alike) {
		t.Fatalf("view\n%s\nwant\n%s", dump(r.s.shown), dump(want))
	}
	if !maps.Equal(r.seen, r.s.shown) {
		t.Fatalf("told\n%s\nshown\n%s", dump(r.seen), dump(r.s.shown))
	}
	for _, kind := range kinds {
		got := r.s.List(kind)
		var n int
		for _, parent := range []string{"", "k1", "k2", "c1", "c2", "c3", "c4", "l1", "l2"} {
			n += len(r.s.Children(kind, parent))
		}
		if n != len(got) {
			t.Fatalf("%d children of all parents, %d entities of kind %s", n, len(got), kind)
		}
	}
}

func dump(m map[string]*domain.Entity) (out string) {
	for _, id := range slices.Sorted(maps.Keys(m)) {
		raw, _ := json.Marshal(m[id])
		out += string(raw) + "\n"
	}
	return out
}

func (r *run) anyID(t *rapid.T) (domain.Kind, string) {
	kind := rapid.SampledFrom(kinds).Draw(t, "kind")
	return kind, rapid.SampledFrom(ids[kind]).Draw(t, "id")
}

var keysAtHand = []string{"a0", "a1", "a1", "a1V", "a2", "Zz", ""}

func fieldsOf(t *rapid.T, kind domain.Kind) domain.Fields {
	f := domain.Fields{"title": rapid.SampledFrom([]string{"x", "y"}).Draw(t, "title")}
	if k := rapid.SampledFrom(keysAtHand).Draw(t, "position"); k != "" && positioned(kind) {
		f["position"] = k
	}
	switch kind {
	case domain.KindCard:
		f["columnId"] = rapid.SampledFrom(ids[domain.KindColumn]).Draw(t, "columnId")
		if rapid.Bool().Draw(t, "archived") {
			f["archived"] = true
		}
	case domain.KindChecklist, domain.KindFile:
		f["cardId"] = rapid.SampledFrom(ids[domain.KindCard]).Draw(t, "cardId")
	case domain.KindItem:
		f["checklistId"] = rapid.SampledFrom(ids[domain.KindChecklist]).Draw(t, "checklistId")
	}
	return f
}

func (r *run) syncFrame(t *rapid.T, more bool) wire.Sync {
	r.rev++
	kind, id := r.anyID(t)
	e := &domain.Entity{ID: id, Kind: kind, Rev: r.rev, CreatedRev: 1, CreatedBy: "bob"}
	if rapid.IntRange(0, 4).Draw(t, "gone") == 0 {
		e.Deleted = true
	} else {
		e.Fields = fieldsOf(t, kind)
		if kind == domain.KindCard && rapid.Bool().Draw(t, "likedByAnn") {
			e.Fields["likedBy"] = []string{"ann", "bob"}
		}
	}
	raw, err := e.JSONFor(e.LikedBy("ann"))
	if err != nil {
		t.Fatal(err)
	}
	return wire.Sync{Rev: r.rev, Entity: raw, More: more}
}

func (r *run) receive(f wire.Sync) {
	eff, err := r.s.Sync(f)
	if err != nil {
		r.t.Fatal(err)
	}
	r.take(eff)
}

func (r *run) sync(t *rapid.T, group bool) {
	if group {
		for range rapid.IntRange(1, 3).Draw(t, "n") {
			r.receive(r.syncFrame(t, true))
		}
	}
	r.receive(r.syncFrame(t, false))
}

func (r *run) change(t *rapid.T) domain.Change {
	kind, id := r.anyID(t)
	c := domain.Change{EntityID: id}
	if rapid.IntRange(0, 5).Draw(t, "delete") == 0 {
		return c
	}
	c.Patch = domain.Patch{}
	if rapid.Bool().Draw(t, "withKind") {
		c.Patch["kind"] = string(kind)
	}
	fields := fieldsOf(t, kind)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if rapid.Bool().Draw(t, "has "+name) || c.Patch["kind"] != nil && name == domain.ParentField(kind) {
			c.Patch[name] = fields[name]
		}
	}
	switch rapid.IntRange(0, 4).Draw(t, "place") {
	case 0:
		c.Patch["position"] = domain.Place{HasAfter: true, After: rapid.SampledFrom(append(ids[kind], "")).Draw(t, "after")}
	case 1:
		c.Patch["position"] = domain.Place{HasBefore: true, Before: rapid.SampledFrom(append(ids[kind], "")).Draw(t, "before")}
	}
	if kind == domain.KindCard && rapid.Bool().Draw(t, "like") {
		c.Patch["liked"] = rapid.Bool().Draw(t, "liked")
	}
	return c
}

func (r *run) mutate(t *rapid.T) {
	r.made++
	var changes []domain.Change
	for range rapid.IntRange(1, 3).Draw(t, "changes") {
		changes = append(changes, r.change(t))
	}
	r.take(r.s.Mutate(fmt.Sprint("m", r.made), changes))
}

func (r *run) anyPending(t *rapid.T) string {
	if len(r.s.pending) == 0 || rapid.IntRange(0, 9).Draw(t, "stale") == 0 {
		return "stale"
	}
	return rapid.SampledFrom(r.s.pending).Draw(t, "mutation").ID
}

func (r *run) verdict(t *rapid.T, ok bool) {
	id := r.anyPending(t)
	before := len(r.s.pending)
	var eff Effects
	if ok {
		eff = r.s.Ack(wire.Ack{ClientMutationID: id, Rev: r.rev})
	} else {
		eff = r.s.Nack(wire.Nack{ClientMutationID: id, Code: domain.WIPLimit})
	}
	r.take(eff)
	if want := before - len(eff.Verdicts); len(r.s.pending) != want || id == "stale" && len(eff.Verdicts)+len(eff.Changed) > 0 {
		t.Fatalf("%d pending after %d verdicts of %d", len(r.s.pending), len(eff.Verdicts), before)
	}
}

func (r *run) silence(t *rapid.T) { r.take(r.s.Silence(r.anyPending(t))) }

func (r *run) lag(t *rapid.T) {
	r.s.Lag()
	r.fill(t)
}

// fill sends some entities and acks and, mostly, the ready; else it cuts the line.
func (r *run) fill(t *rapid.T) {
	for range rapid.IntRange(0, 4).Draw(t, "syncs") {
		r.receive(r.syncFrame(t, false))
	}
	r.take(r.s.Ack(wire.Ack{ClientMutationID: r.anyPending(t), Rev: r.rev}))
	if rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
		r.s.Disconnected()
		return
	}
	r.take(r.s.Ready(r.rev))
	if _, at, ok := r.s.Resume(); !ok || at != r.rev {
		t.Fatalf("resume from %d, %v after ready %d", at, ok, r.rev)
	}
}

func (r *run) join(t *rapid.T) {
	r.s.Disconnected()
	resumed := rapid.Bool().Draw(t, "resumed")
	r.take(r.s.Hello(wire.Hello{Epoch: "e", User: "ann", Resumed: resumed}))
	if _, _, ok := r.s.Resume(); ok && !resumed {
		t.Fatal("a fresh join keeps a resume position")
	}
	r.fill(t)
}
