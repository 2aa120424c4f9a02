package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A garbage collection costs by what lives, and is due when what was allocated
// since the last one reaches a share of that (GOGC, 100 %). A server with
// little in memory and much to do then collects many times a second; one that
// merely has many connections would pay for a larger share with memory. So the
// share follows the work: about what is allocated in gcEvery, between 100 % of
// what lives and gcRoom.
const (
	gcEvery  = time.Second
	gcRoom   = 256 << 20 // bytes that may be garbage beyond 100 %
	gcLook   = time.Second
	gcStart  = 100 // percent, and the least
	gcChange = 1.2 // by what factor the share must be off to be set anew
)

// tuneGC sets the share until ctx ends. Whoever sets GOGC himself is obeyed.
func tuneGC(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	look := time.NewTicker(gcLook)
	defer look.Stop()
	set, before := float64(gcStart), allocated()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		now := allocated()
		percent := gcPercent(float64(now.live), float64(now.total-before.total)*float64(gcEvery)/float64(gcLook))
		if percent > set*gcChange || percent < set/gcChange {
			debug.SetGCPercent(int(percent))
			set = percent
		}
		before = now
	}
}

// gcPercent is the share for so many bytes that live, and so many allocated
// within gcEvery.
func gcPercent(live, churn float64) float64 {
	live = max(live, 4<<20) // the runtime's least heap
	return max(gcStart, 100*min(churn, gcRoom)/live)
}

// heap is what the runtime tells of it, in bytes.
type heap struct {
	live  uint64 // at the last collection
	total uint64 // ever allocated
}

func allocated() heap {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(samples)
	return heap{samples[0].Value.Uint64(), samples[1].Value.Uint64()}
}
