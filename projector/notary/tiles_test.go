package notary

import (
	"context"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
)

// crowdedLog has as many ask for a tile that is lost as there are, before any
// of them is told.
type crowdedLog struct {
	*fakeLog
	mu    sync.Mutex
	crowd int           // still to come
	here  chan struct{} // closed when all are there
}

func (l *crowdedLog) GetTile(ctx context.Context, shard, level int, n int64) ([]byte, error) {
	data, err := l.fakeLog.GetTile(ctx, shard, level, n)
	if err == nil {
		return data, nil
	}
	l.mu.Lock()
	if l.crowd--; l.crowd == 0 {
		close(l.here)
	}
	l.mu.Unlock()
	<-l.here
	return nil, eventlog.ErrNotFound
}

// However many ask for tiles that are lost, the log is read for one of them.
func TestTiles_AreMadeAgainOnce(t *testing.T) {
	t.Parallel()
	const size, crowd = 3000, 20
	fake := newFakeLog(size)
	l := &crowdedLog{fakeLog: fake, here: make(chan struct{})}
	n := newNotary(t, Config{Log: l, Signer: newSigner(t)})
	l.crowd = 1 << 30
	close(l.here)
	checkpointOf(t, n)
	l.crowd, l.here = crowd, make(chan struct{})
	clear(fake.tiles)
	fake.reads = 0
	var asking sync.WaitGroup
	for range crowd {
		asking.Go(func() {
			if _, err := n.Tile(t.Context(), 0, tlog.Tile{H: proof.TileHeight, L: 0, N: 1, W: 256}); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	if fake.reads > 2*size {
		t.Errorf("%d entries were read for %d who asked: the log has %d", fake.reads, crowd, size)
	}
}
