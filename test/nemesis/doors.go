package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/snapback-io/snapback/test/cutter"
)

// vexDoors has clients' lines cut, delayed, swallowed and led to other nodes
// until ctx ends.
func (w *world) vexDoors(ctx context.Context, r *rand.Rand) {
	for n := 0; ; n++ {
		pause(ctx, time.Duration(100+r.IntN(900))*time.Millisecond)
		if ctx.Err() != nil {
			return
		}
		door, k := w.doors[r.IntN(len(w.doors))], r.IntN(5)
		if n < 5 {
			k = n // so that none is left to chance
		}
		switch k {
		case 0:
			w.count("lines cut", door.CutAll())
		case 1:
			door.Set(cutter.Faults{Delay: [2]time.Duration{time.Duration(r.IntN(1500)) * time.Millisecond, time.Duration(r.IntN(500)) * time.Millisecond}})
			w.count("lines delayed", 1)
		case 2: // to another node, who is asked for what the first one may have decided
			door.Retarget(w.gates[r.IntN(len(w.gates))].Addr)
			door.CutAll()
			w.count("clients moved", 1)
		case 3: // the server's, or the client's, words are lost; then the line breaks
			var f cutter.Faults
			f.Swallow[r.IntN(2)] = true
			door.Set(f)
			pause(ctx, time.Duration(200+r.IntN(1500))*time.Millisecond)
			door.Set(cutter.Faults{})
			door.CutAll()
			w.count("lines swallowed", 1)
		case 4:
			door.Set(cutter.Faults{})
		}
	}
}

func (w *world) mendDoors() {
	for _, door := range w.doors {
		door.Set(cutter.Faults{})
		door.Release()
	}
}
