package convergence

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
)

// change is one entity's part of a mutation, as on the wire.
type change struct {
	EntityID string         `json:"entityId"`
	Patch    map[string]any `json:"patch"` // nil deletes
	If       map[string]any `json:"if,omitempty"`
	IfRev    *uint64        `json:"ifRev,omitempty"`
}

// pool holds the ids that the clients of one world fight over. An id is in it
// from the moment somebody tries to make it.
type pool struct {
	mu   sync.Mutex
	ids  map[string][]string
	next int
}

func newPool() *pool {
	return &pool{ids: map[string][]string{
		"column": {"k0", "k1", "k2"}, "card": {"c0", "c1", "c2", "c3"}, "label": {"l0", "l1"}, "file": {"f0"},
	}}
}

func (p *pool) pick(r *rand.Rand, kind string) string {
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

func (p *pool) mint(kind string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	id := fmt.Sprintf("%s-%d", kind, p.next)
	p.ids[kind] = append(p.ids[kind], id)
	return id
}

// generator makes random mutations.
type generator struct {
	r    *rand.Rand
	pool *pool
	made int
}

func (g *generator) text() string {
	words := []string{"fix", "login", "Ürümqi", "e\u0301tude", " trim me ", "日本", "ship", "a<b>&c", "\"quoted\""}
	out := make([]string, 1+g.r.IntN(3))
	for i := range out {
		out[i] = words[g.r.IntN(len(words))]
	}
	return strings.Join(out, " ") + fmt.Sprint(g.r.IntN(100))
}

func (g *generator) position(kind string) any {
	switch g.r.IntN(6) {
	case 0:
		return map[string]any{"after": g.pool.pick(g.r, kind)}
	case 1:
		return map[string]any{"before": g.pool.pick(g.r, kind)}
	case 2:
		return map[string]any{"after": nil}
	case 3:
		return map[string]any{"before": nil}
	case 4:
		return []string{"a0", "a1", "a0V", "a0V0V", "Zz"}[g.r.IntN(5)]
	}
	return "a0"
}

// next gives one or more mutations to be sent one after the other.
func (g *generator) next() [][]change {
	one := func(id string, patch map[string]any) [][]change { return [][]change{{{EntityID: id, Patch: patch}}} }
	pick := func(kind string) string { return g.pool.pick(g.r, kind) }
	if g.made++; g.made == 3 { // rare by the dice, and asked for of every run
		return [][]change{tooLarge(pick("card"))}
	}
	switch g.r.IntN(26) {
	case 0, 1:
		return one(pick("card"), map[string]any{"title": g.text()})
	case 2, 3:
		patch := map[string]any{"columnId": pick("column")}
		if g.r.IntN(2) == 0 {
			patch["position"] = g.position("card")
		}
		return one(pick("card"), patch)
	case 4:
		return one(pick("card"), map[string]any{"position": g.position("card")})
	case 5, 6:
		return one(pick("card"), map[string]any{"liked": g.r.IntN(2) == 0})
	case 7, 8:
		return one(g.pool.mint("card"), map[string]any{"kind": "card", "title": g.text(), "columnId": pick("column"), "position": g.position("card")})
	case 9: // what comes after its parent finds it (law 6)
		k := g.pool.mint("column")
		return [][]change{
			{{EntityID: k, Patch: map[string]any{"kind": "column", "title": g.text()}}},
			{{EntityID: g.pool.mint("card"), Patch: map[string]any{"kind": "card", "title": g.text(), "columnId": k}}},
		}
	case 10:
		card, list := g.pool.mint("card"), g.pool.mint("checklist")
		return [][]change{{
			{EntityID: card, Patch: map[string]any{"kind": "card", "title": g.text(), "columnId": pick("column")}},
			{EntityID: list, Patch: map[string]any{"kind": "checklist", "title": g.text(), "cardId": card}},
			{EntityID: g.pool.mint("item"), Patch: map[string]any{"kind": "item", "text": g.text(), "checklistId": list}},
		}}
	case 11:
		return one(pick("item"), map[string]any{"done": g.r.IntN(2) == 0})
	case 12:
		return one(g.pool.mint("comment"), map[string]any{"kind": "comment", "text": g.text(), "cardId": pick("card")})
	case 13:
		return one(pick([]string{"card", "checklist", "comment", "item", "file", "column", "label"}[g.r.IntN(7)]), nil)
	case 14:
		return one(pick("card"), map[string]any{"archived": g.r.IntN(2) == 0})
	case 15:
		return one(g.pool.mint("file"), map[string]any{"kind": "file", "name": fmt.Sprintf("n%d.txt", g.r.IntN(4)), "url": "https://example.org/" + fmt.Sprint(g.r.IntN(9))})
	case 16:
		return one(pick("file"), map[string]any{"name": fmt.Sprintf("N%d.txt", g.r.IntN(4))})
	case 17:
		return one(pick("card"), map[string]any{"labels": map[string]any{"add": pick("label"), "remove": []string{pick("label")}}})
	case 18:
		if g.r.IntN(3) == 0 {
			return one(g.pool.mint("label"), map[string]any{"kind": "label", "name": g.text(), "color": "red"})
		}
		return one(pick("column"), map[string]any{"wipLimit": g.r.IntN(4)})
	case 19: // a swap
		a, b := pick("card"), pick("card")
		return [][]change{{{EntityID: a, Patch: map[string]any{"columnId": pick("column")}}, {EntityID: b, Patch: map[string]any{"columnId": pick("column")}}}}
	case 20: // mostly untrue
		return [][]change{{{EntityID: pick("card"), Patch: map[string]any{"title": g.text()}, If: map[string]any{"columnId": pick("column"), "color": nil}}}}
	case 21:
		rev := uint64(g.r.IntN(60))
		return [][]change{{{EntityID: pick("card"), Patch: map[string]any{"color": "blue"}, IfRev: &rev}}}
	case 22: // changes nothing, the second time at least
		return one(pick("card"), map[string]any{"color": "green", "description": nil})
	case 23:
		return one(pick("card"), map[string]any{"description": strings.Repeat(g.text(), 1+g.r.IntN(400))})
	case 24:
		return [][]change{g.invalid()}
	}
	return one(pick("column"), map[string]any{"title": g.text(), "archived": g.r.IntN(4) == 0})
}

// invalid breaks a rule that every node sees, or that only the board knows.
func (g *generator) invalid() []change {
	card := g.pool.pick(g.r, "card")
	switch g.r.IntN(6) {
	case 0:
		return []change{{EntityID: card, Patch: map[string]any{"nonsense": 1}}}
	case 1:
		return []change{{EntityID: card, Patch: map[string]any{"title": strings.Repeat("x", 16_385)}}}
	case 2:
		return []change{{EntityID: "no such id!", Patch: map[string]any{"title": "x"}}}
	case 3:
		return []change{{EntityID: card, Patch: map[string]any{"title": 7}}}
	case 4:
		return tooLarge(card)
	}
	many := make([]change, 101)
	for i := range many {
		many[i] = change{EntityID: card, Patch: map[string]any{"title": fmt.Sprint(i)}}
	}
	return many
}

func tooLarge(card string) []change {
	return []change{{EntityID: card, Patch: map[string]any{"description": strings.Repeat("y", 300_000)}}}
}
