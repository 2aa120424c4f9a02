package eventlog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// Whoever does not wait for the answer to an append, but looks at the tail some
// milliseconds later and appends the same bytes again, while the first copy may
// still be on its way, loses and doubles nothing, two writers to a board, while
// the stream gets one leader after the other.
func TestCluster_ImpatientWritersWhileLeadersChange(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	var logs []*Log
	for _, s := range c.servers {
		logs = append(logs, openLog(t, Config{InProcess: s, Shards: 1, Replicas: 3}))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	stored, total, unknown := map[string]map[domain.Hash]bool{}, 0, 0
	var wg sync.WaitGroup
	for range 3 {
		board := newBoard()
		stored[board] = map[domain.Hash]bool{}
		for w := range 2 {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					data, hash := commitOf(t, board, domain.Hash{}, fmt.Sprint(w, i))
					doubts := appendByTheBook(ctx, t, logs[w], board, data, hash, time.Duration(1+r.IntN(20))*time.Millisecond)
					mu.Lock()
					unknown += doubts
					if ctx.Err() == nil {
						stored[board][hash] = true
						total++
					}
					mu.Unlock()
				}
			})
		}
	}
	for change := range 10 {
		eventually(t, "records under this leader", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return total >= 20*(change+1)
		})
		eventually(t, "another leader", func() bool {
			return logs[2].api(ctx, "STREAM.LEADER.STEPDOWN."+eventStream(0), struct{}{}, new(answer)) == nil
		})
	}
	cancel()
	wg.Wait()
	t.Logf("%d records, %d unknown outcomes", total, unknown)
	if unknown == 0 {
		t.Error("every append was answered")
	}
	for board, hashes := range stored {
		eachOnce(t, logs[2], board, hashes)
	}
}
