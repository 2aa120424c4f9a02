package eventlog

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/cutter"
)

// TestCommands_AQueueThatDoesNotAnswerIsMadeAgain: its consumer is silent,
// whatever is asked, until the stream is deleted.
func TestCommands_AQueueThatDoesNotAnswerIsMadeAgain(t *testing.T) {
	t.Parallel()
	var deleted atomic.Int32
	var mute atomic.Bool
	_, direct, p := behindProxy(t, func(way cutter.Way, subject, _ string) cutter.Fate {
		if way == cutter.Up && subject == "$JS.API.STREAM.DELETE.CMD_0" {
			deleted.Add(1)
		}
		if mute.Load() && way == cutter.Up && (deleted.Load() == 0 && strings.HasPrefix(subject, "$JS.API.CONSUMER.") ||
			subject == "$JS.API.STREAM.CREATE.CMD_0") { // of three copies: direct makes one

			return cutter.Lose
		}
		return cutter.Pass
	})
	l := openLog(t, Config{URL: p.URL(), Shards: 1, Replicas: 3}) // as of a cluster
	l.patience = 500 * time.Millisecond
	mute.Store(true)
	w := startWorker(t, l, 0, true)
	eventually(t, "the queue is deleted", func() bool { return deleted.Load() > 0 })
	board, id := newBoard(), "after"
	eventually(t, "commands come again", func() bool {
		if _, err := direct.ensureStream(t.Context(), direct.commandConfig(0)); err != nil {
			t.Fatal(err)
		}
		_ = direct.PublishCommand(command(board, id), time.Hour)
		return w.has(id)
	})
	if n := deleted.Load(); n != 1 {
		t.Errorf("deleted %d times", n)
	}
}
