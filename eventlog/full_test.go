package eventlog

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// filling is a server whose disk is as full as a test says.
type filling struct {
	*natsd.Server
	full atomic.Bool
}

func (f *filling) Full() error {
	if f.full.Load() {
		return errors.New("nothing left")
	}
	return nil
}

func (l *Log) othersFull() int {
	l.full.mu.Lock()
	defer l.full.mu.Unlock()
	return len(l.full.nodes)
}

// TestFull_IsToldToAllNodes: one full disk of a log without copies stops it, one
// of three with copies does not, two do; and it is over by itself.
func TestFull_IsToldToAllNodes(t *testing.T) {
	t.Parallel()
	server := startServer(t, t.TempDir())
	for _, replicas := range []int{1, 3} {
		var disks []*filling
		var logs []*Log
		for _, name := range []string{"a", "b", "c"} {
			disk := &filling{Server: server}
			log := openLog(t, Config{InProcess: disk, Name: name, Replicas: replicas, Shards: 2})
			disks, logs = append(disks, disk), append(logs, log)
		}
		full := func(want bool) {
			t.Helper()
			for i, log := range logs {
				eventually(t, "the news", func() bool { return errors.Is(log.Full("demo"), ErrFull) == want })
				_, err := log.Append(t.Context(), "demo", []byte("{}"), domain.Hash{1, byte(i)}, 1<<30)
				if errors.Is(err, ErrFull) != want {
					t.Errorf("%d replicas, node %d: %v", replicas, i, err)
				}
			}
		}
		full(false)
		disks[0].full.Store(true)
		if replicas == 3 {
			eventually(t, "the news", func() bool { return errors.Is(logs[0].Writes(), ErrFull) && logs[1].othersFull() == 1 })
			full(false)
			disks[2].full.Store(true)
		}
		full(true)
		for _, disk := range disks {
			disk.full.Store(false)
		}
		full(false)
	}
}
