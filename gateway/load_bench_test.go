package gateway

import (
	"fmt"
	"testing"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// BenchmarkLoad: a page, without its way: of 50,000 archived cards, the first
// and one from the middle, and of a card's 5,000 comments.
func BenchmarkLoad(b *testing.B) {
	x := newBench(b, 0)
	const cards, comments, each = 50_000, 5_000, 100
	for i := range cards / each {
		x.apply(x.record(1, func(int) []domain.Change {
			var list []domain.Change
			for j := range each {
				list = append(list, put(fmt.Sprintf("old%d-%d", i, j), "card", "title", "A card", "columnId", "todo", "archived", true))
			}
			return list
		}))
	}
	for i := range comments / each {
		x.apply(x.record(1, func(int) []domain.Change {
			var list []domain.Change
			for j := range each {
				list = append(list, put(fmt.Sprintf("say%d-%d", i, j), "comment", "text", "Some words of a usual length.", "cardId", "c1"))
			}
			return list
		}))
	}
	rev := x.hub.view.Rev()
	for name, ask := range map[string]wire.Page{
		"newest-cards":    {Before: wire.Cursor{Rev: rev + 1}},
		"older-cards":     {Before: wire.Cursor{Rev: rev / 2, ID: "x"}, Further: true},
		"newest-comments": {Card: "c1", Before: wire.Cursor{Rev: rev + 1}},
	} {
		b.Run(name, func(b *testing.B) {
			s := &session{hs: x.hubs, open: true}
			b.ReportAllocs()
			before := cpuTime()
			for b.Loop() {
				x.hub.mu.Lock()
				it, _ := x.hub.page(s, &ask)
				x.hub.mu.Unlock()
				b.SetBytes(int64(len(it.data)))
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N)/1e3, "cpu-µs/op")
		})
	}
}
