package eventlog

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// failing is a server whose disk has failed when a test says so.
type failing struct {
	*natsd.Server
	harm atomic.Bool
}

var errDisk = errors.New("the disk has failed")

func (f *failing) Harmed() error {
	if f.harm.Load() {
		return errDisk
	}
	return nil
}

// TestHarmed_NothingReadCountsAsStored: nats-server gives a record to readers
// whose fsync has failed, and says of one that is sent again that it is stored.
func TestHarmed_NothingReadCountsAsStored(t *testing.T) {
	t.Parallel()
	s := &failing{Server: startServer(t, t.TempDir())}
	l := openLog(t, Config{InProcess: s, Shards: 2})
	board := newBoard()
	seqs := fill(t, l, board, 3)
	s.harm.Store(true)
	if head, err := l.Head(t.Context(), board); !errors.Is(err, errDisk) || head != 0 {
		t.Errorf("head %d, %v", head, err)
	}
	for r, err := range l.Read(t.Context(), board, 1, 0) {
		if !errors.Is(err, errDisk) {
			t.Errorf("record %d, %v", r.Seq, err)
		}
	}
	if _, err := LoadBoard(t.Context(), l, board); !errors.Is(err, errDisk) {
		t.Errorf("load: %v", err)
	}
	data, hash := commitOf(t, board, domain.Hash{}, "later")
	if _, err := l.Append(t.Context(), board, data, hash, seqs[2]); !errors.Is(err, ErrUnknown) {
		t.Errorf("append: %v", err)
	}
	if err := l.Healthy(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("healthy: %v", err)
	}
	for r, err := range l.Read(t.Context(), board, 1, seqs[1]) {
		if err != nil || r.Seq > seqs[1] {
			t.Errorf("what was known to be stored: %d, %v", r.Seq, err)
		}
	}
}
