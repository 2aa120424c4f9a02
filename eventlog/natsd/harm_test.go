package natsd

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"syscall"
	"testing"
)

// What nats-server says when a write has failed is all that tells. A full disk
// is another matter, and so is a node of a cluster.
func TestHarmed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cluster *Cluster
		format  string
		args    []any
		want    bool
	}{
		{nil, "Filestore [EVT_0] Critical write error: %v", []any{fmt.Errorf("sync 1.blk: %w", syscall.EIO)}, true},
		{nil, "JetStream stream '%s > %s' critical write error: %v", []any{"$G", "EVT_0", syscall.EIO}, true},
		{nil, "Filestore [EVT_0] Critical write error: %v", []any{fmt.Errorf("write 1.blk: %w", syscall.ENOSPC)}, false},
		{nil, "Filestore [EVT_0] loadBlock error: %v", []any{syscall.EIO}, false},
		{&Cluster{}, "Filestore [EVT_0] Critical write error: %v", []any{syscall.EIO}, false},
	} {
		s := &Server{cfg: Config{Cluster: c.cluster, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}}
		logger{s.log(), s.failed}.Errorf(c.format, c.args...)
		if got := s.Harmed() != nil; got != c.want {
			t.Errorf(c.format+": %v", append(c.args, s.Harmed())...)
		}
	}
}

// A server that is started again has read what is there.
func TestHarmed_UntilItIsStartedAgain(t *testing.T) {
	t.Parallel()
	s, err := Start(Config{StoreDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown()
	s.failed(errors.New("sync: input/output error"))
	if s.Harmed() == nil {
		t.Fatal("not harmed")
	}
	if err := s.again(); err != nil || s.Harmed() != nil {
		t.Errorf("%v, %v", err, s.Harmed())
	}
}
