// Package crowd has the clients that work on boards while a test breaks things:
// what they do is random, and contradicts what the others do.
package crowd

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
)

// Change is one entity's part of a mutation, as on the wire.
type Change struct {
	EntityID string         `json:"entityId"`
	Patch    map[string]any `json:"patch"` // nil deletes
	If       map[string]any `json:"if,omitempty"`
	IfRev    *uint64        `json:"ifRev,omitempty"`
}

// Pool holds the ids that the clients of one world fight over. An id is in it
// from the moment somebody tries to make it.
type Pool struct {
	mu   sync.Mutex
	ids  map[string][]string
	next int
}

// NewPool holds the ids of Furniture.
func NewPool() *Pool {
	return &Pool{ids: map[string][]string{
		"column": {"k0", "k1", "k2"}, "card": {"c0", "c1", "c2", "c3"}, "label": {"l0", "l1"}, "file": {"f0"},
	}}
}

func (p *Pool) pick(r *rand.Rand, kind string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.ids[kind]
	if len(list) == 0 || r.IntN(40) == 0 {
		return "nobody"
	}
	if n := len(list); n > 6 && r.IntN(2) == 0 {
		list = list[n-6:] // rather the newest
	}
	return list[r.IntN(len(list))]
}

func (p *Pool) mint(kind string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	id := fmt.Sprintf("%s-%d", kind, p.next)
	p.ids[kind] = append(p.ids[kind], id)
	return id
}

// Furniture is what makes a board that a new Pool fits, one mutation each.
func Furniture() []Change {
	return []Change{
		{EntityID: "k0", Patch: map[string]any{"kind": "column", "title": "K0"}},
		{EntityID: "k1", Patch: map[string]any{"kind": "column", "title": "K1", "wipLimit": 2}},
		{EntityID: "k2", Patch: map[string]any{"kind": "column", "title": "K2", "wipLimit": 1}},
		{EntityID: "l0", Patch: map[string]any{"kind": "label", "name": "L0"}},
		{EntityID: "l1", Patch: map[string]any{"kind": "label", "name": "L1"}},
		{EntityID: "c0", Patch: map[string]any{"kind": "card", "title": "C0", "columnId": "k0"}},
		{EntityID: "c1", Patch: map[string]any{"kind": "card", "title": "C1", "columnId": "k0"}},
		{EntityID: "c2", Patch: map[string]any{"kind": "card", "title": "C2", "columnId": "k1"}},
		{EntityID: "c3", Patch: map[string]any{"kind": "card", "title": "C3", "columnId": "k2"}},
		{EntityID: "f0", Patch: map[string]any{"kind": "file", "name": "n0.txt", "url": "https://example.org/0"}},
	}
}

// Generator makes random mutations.
type Generator struct {
	R    *rand.Rand
	Pool *Pool
	made int
}

func (g *Generator) text() string {
	words := []string{"fix", "login", "Ürümqi", "e\u0301tude", " trim me ", "日本", "ship", "a<b>&c", "\"quoted\""}
	out := make([]string, 1+g.R.IntN(3))
	for i := range out {
		out[i] = words[g.R.IntN(len(words))]
	}
	return strings.Join(out, " ") + fmt.Sprint(g.R.IntN(100))
}

func (g *Generator) position(kind string) any {
	switch g.R.IntN(6) {
	case 0:
		return map[string]any{"after": g.Pool.pick(g.R, kind)}
	case 1:
		return map[string]any{"before": g.Pool.pick(g.R, kind)}
	case 2:
		return map[string]any{"after": nil}
	case 3:
		return map[string]any{"before": nil}
	case 4:
		return []string{"a0", "a1", "a0V", "a0V0V", "Zz"}[g.R.IntN(5)]
	}
	return "a0"
}

// Next gives one or more mutations to be sent one after the other.
func (g *Generator) Next() [][]Change {
	one := func(id string, patch map[string]any) [][]Change { return [][]Change{{{EntityID: id, Patch: patch}}} }
	pick := func(kind string) string { return g.Pool.pick(g.R, kind) }
	if g.made++; g.made == 3 { // rare by the dice, and asked for of every run
		return [][]Change{tooLarge(pick("card"))}
	}
	switch g.R.IntN(26) {
	case 0, 1:
		return one(pick("card"), map[string]any{"title": g.text()})
	case 2, 3:
		patch := map[string]any{"columnId": pick("column")}
		if g.R.IntN(2) == 0 {
			patch["position"] = g.position("card")
		}
		return one(pick("card"), patch)
	case 4:
		return one(pick("card"), map[string]any{"position": g.position("card")})
	case 5, 6:
		return one(pick("card"), map[string]any{"liked": g.R.IntN(2) == 0})
	case 7, 8:
		return one(g.Pool.mint("card"), map[string]any{"kind": "card", "title": g.text(), "columnId": pick("column"), "position": g.position("card")})
	case 9: // what comes after its parent finds it (law 6)
		k := g.Pool.mint("column")
		return [][]Change{
			{{EntityID: k, Patch: map[string]any{"kind": "column", "title": g.text()}}},
			{{EntityID: g.Pool.mint("card"), Patch: map[string]any{"kind": "card", "title": g.text(), "columnId": k}}},
		}
	case 10:
		card, list := g.Pool.mint("card"), g.Pool.mint("checklist")
		return [][]Change{{
			{EntityID: card, Patch: map[string]any{"kind": "card", "title": g.text(), "columnId": pick("column")}},
			{EntityID: list, Patch: map[string]any{"kind": "checklist", "title": g.text(), "cardId": card}},
			{EntityID: g.Pool.mint("item"), Patch: map[string]any{"kind": "item", "text": g.text(), "checklistId": list}},
		}}
	case 11:
		return one(pick("item"), map[string]any{"done": g.R.IntN(2) == 0})
	case 12:
		return one(g.Pool.mint("comment"), map[string]any{"kind": "comment", "text": g.text(), "cardId": pick("card")})
	case 13:
		return one(pick([]string{"card", "checklist", "comment", "item", "file", "column", "label"}[g.R.IntN(7)]), nil)
	case 14:
		return one(pick("card"), map[string]any{"archived": g.R.IntN(2) == 0})
	case 15:
		return one(g.Pool.mint("file"), map[string]any{"kind": "file", "name": fmt.Sprintf("n%d.txt", g.R.IntN(4)), "url": "https://example.org/" + fmt.Sprint(g.R.IntN(9))})
	case 16:
		return one(pick("file"), map[string]any{"name": fmt.Sprintf("N%d.txt", g.R.IntN(4))})
	case 17:
		return one(pick("card"), map[string]any{"labels": map[string]any{"add": pick("label"), "remove": []string{pick("label")}}})
	case 18:
		if g.R.IntN(3) == 0 {
			return one(g.Pool.mint("label"), map[string]any{"kind": "label", "name": g.text(), "color": "red"})
		}
		return one(pick("column"), map[string]any{"wipLimit": g.R.IntN(4)})
	case 19: // a swap
		a, b := pick("card"), pick("card")
		return [][]Change{{{EntityID: a, Patch: map[string]any{"columnId": pick("column")}}, {EntityID: b, Patch: map[string]any{"columnId": pick("column")}}}}
	case 20: // mostly untrue
		return [][]Change{{{EntityID: pick("card"), Patch: map[string]any{"title": g.text()}, If: map[string]any{"columnId": pick("column"), "color": nil}}}}
	case 21:
		rev := uint64(g.R.IntN(60))
		return [][]Change{{{EntityID: pick("card"), Patch: map[string]any{"color": "blue"}, IfRev: &rev}}}
	case 22: // changes nothing, the second time at least
		return one(pick("card"), map[string]any{"color": "green", "description": nil})
	case 23:
		return one(pick("card"), map[string]any{"description": strings.Repeat(g.text(), 1+g.R.IntN(400))})
	case 24:
		return [][]Change{g.invalid()}
	}
	return one(pick("column"), map[string]any{"title": g.text(), "archived": g.R.IntN(4) == 0})
}

// invalid breaks a rule that every node sees, or that only the board knows.
func (g *Generator) invalid() []Change {
	card := g.Pool.pick(g.R, "card")
	switch g.R.IntN(6) {
	case 0:
		return []Change{{EntityID: card, Patch: map[string]any{"nonsense": 1}}}
	case 1:
		return []Change{{EntityID: card, Patch: map[string]any{"title": strings.Repeat("x", 16_385)}}}
	case 2:
		return []Change{{EntityID: "no such id!", Patch: map[string]any{"title": "x"}}}
	case 3:
		return []Change{{EntityID: card, Patch: map[string]any{"title": 7}}}
	case 4:
		return tooLarge(card)
	}
	many := make([]Change, 101)
	for i := range many {
		many[i] = Change{EntityID: card, Patch: map[string]any{"title": fmt.Sprint(i)}}
	}
	return many
}

func tooLarge(card string) []Change {
	return []Change{{EntityID: card, Patch: map[string]any{"description": strings.Repeat("y", 300_000)}}}
}
