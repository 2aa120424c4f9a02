package eventlog

import (
	"errors"
	"strings"
	"testing"
)

// A stream of records that is gone is not made anew by a server either: of a log
// whose streams had all been made, the first shard's included.
func TestOpen_ALostStreamOfRecordsIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	for _, lost := range []int{0, 2} {
		s := startServer(t, t.TempDir())
		l := openLog(t, Config{InProcess: s, Shards: 3})
		if err := l.js.DeleteStream(t.Context(), eventStream(lost)); err != nil {
			t.Fatal(err)
		}
		if err := l.js.DeleteStream(t.Context(), commandStream(lost)); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), Config{InProcess: s, Shards: 3, Logger: quiet()})
		if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), eventStream(lost)) {
			t.Errorf("%s is lost: %v", eventStream(lost), err)
		}
		if _, err := l.js.Stream(t.Context(), eventStream(lost)); err == nil {
			t.Errorf("%s was made", eventStream(lost))
		}
	}
}

// Whoever made a log was stopped after the first shards: the next start makes the others.
func TestOpen_GoesOnMakingALog(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	l := openLog(t, Config{InProcess: s, Shards: 3})
	for _, name := range l.streams() {
		if name == eventStream(0) || name == commandStream(0) {
			continue
		}
		if err := l.js.DeleteStream(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if again := openLog(t, Config{InProcess: s, Shards: 3}); again.Epoch() != l.Epoch() {
		t.Error("it is another log")
	}
}

// A log with one copy of everything gets three when it is opened with three,
// and then outlives any of its nodes.
func TestCluster_OneCopyBecomesThree(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	l := openLog(t, Config{InProcess: c.servers[0], Shards: 2})
	boards := []string{newBoard(), newBoard(), newBoard(), newBoard()}
	seqs := map[string][]uint64{}
	for _, board := range boards {
		seqs[board] = fill(t, l, board, 50)
	}
	l.Close()
	openLog(t, Config{InProcess: c.servers[1], Shards: 2, Replicas: 3}).Close()
	l = openLog(t, Config{InProcess: c.servers[2], Shards: 2, Replicas: 3})
	for _, name := range l.streams() {
		eventually(t, name+" has three copies that are current", func() bool {
			stream, err := l.js.Stream(t.Context(), name)
			if err != nil {
				return false
			}
			info := stream.CachedInfo()
			if info.Config.Replicas != 3 || info.Cluster.Leader == "" || len(info.Cluster.Replicas) != 2 {
				return false
			}
			for _, r := range info.Cluster.Replicas {
				if !r.Current {
					return false
				}
			}
			return true
		})
	}
	c.servers[0].Shutdown()
	eventually(t, "it is whole without its first node", func() bool { return l.Healthy(t.Context()) == nil })
	for _, board := range boards {
		sameSeqs(t, "records", seqsOf(t, l.Read(t.Context(), board, 1, 0)), seqs[board])
	}
}
