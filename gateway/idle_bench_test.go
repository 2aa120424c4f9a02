package gateway

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// memoryUse is what the process holds, bytes: live on the heap, in stacks, and
// resident in all.
func memoryUse(b *testing.B) (heap, stacks, resident float64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(raw))[1])
	return float64(m.HeapAlloc), float64(m.StackInuse), float64(pages * os.Getpagesize())
}

// BenchmarkIdle: what a connection costs that does nothing, of ten on each of
// some hundred small boards. One round is enough: -benchtime 1x.
func BenchmarkIdle(b *testing.B) {
	const boards, each = 300, 10
	for range b.N {
		log := logtest.New(logtest.Config{})
		x := &bench{TB: b, hubs: newHubsOn(log, Config{})}
		var names []string
		for i := range boards {
			names = append(names, fmt.Sprint("idle", i))
			x.ahead = domain.NewBoard(names[i])
			r := x.record(1, func(int) []domain.Change {
				return []domain.Change{put(names[i], "board", "title", "Idle"), put("todo", "column", "title", "To do"),
					put("c1", "card", "title", "A card", "columnId", "todo")}
			})
			if _, err := log.Append(b.Context(), names[i], r.Data, r.Hash, r.Prev); err != nil {
				b.Fatal(err)
			}
		}
		heap, stacks, resident := memoryUse(b)
		x.watch(boards*each, names...)
		time.Sleep(time.Second)
		heap2, stacks2, resident2 := memoryUse(b)
		goroutines := runtime.NumGoroutine()
		b.ReportMetric((heap2-heap)/boards/each, "heap-B/conn")
		b.ReportMetric((stacks2-stacks)/boards/each, "stack-B/conn")
		b.ReportMetric((resident2-resident)/boards/each, "rss-B/conn")
		b.ReportMetric(float64(goroutines)/boards/each, "goroutines/conn")
		x.hubs.close()
	}
}
