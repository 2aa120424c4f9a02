package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// BenchmarkLog: what reading a log of 10,000 records costs, a decision each:
// moves and renames of 100 cards, every tenth refused.
func BenchmarkLog(b *testing.B) {
	const records = 10_000
	url := newBenchLog(b, records)
	for _, what := range []struct{ name, query string }{
		{"all", ""},
		{"last-50", "?last=50"},
		{"since-near-the-end", fmt.Sprintf("?since=%d", records*9/10-50)},
		{"of-a-card", "?entity=card-7"},
		{"of-a-card-last-50", "?entity=card-7&last=50"},
		{"all-as-text", "?format=text"},
		{"all-as-csv", "?format=csv"},
		{"all-as-cloudevents", "?format=cloudevents"},
		{"last-50-with-words", "?last=50&with=words"},
		{"refused", "?outcome=refused"},
	} {
		b.Run(what.name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpuTime()
			for b.Loop() {
				resp, err := http.Get(url + "/v1/boards/b/log" + what.query)
				if err != nil || resp.StatusCode != http.StatusOK {
					b.Fatal(err, resp)
				}
				n, err := io.Copy(io.Discard, resp.Body)
				if _ = resp.Body.Close(); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(n)
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N)/1e6, "cpu-ms/op")
		})
	}
}

// newBenchLog serves a board whose log was written in one go, without fsync.
func newBenchLog(b *testing.B, records int) (url string) {
	b.Helper()
	nats, err := natsd.Start(natsd.Config{StoreDir: b.TempDir(), Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nats.Shutdown)
	log, err := eventlog.Open(b.Context(), eventlog.Config{InProcess: nats, Shards: 1, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(log.Close)
	w := benchWriter{b, log, domain.NewBoard("b"), time.Now().UTC()}
	w.write(put("b", "board", "title", "Board"), put("todo", "column", "title", "To do"), put("full", "column", "title", "Full", "wipLimit", int64(1)),
		put("kept", "card", "title", "Kept", "columnId", "full"))
	for i := 1; i < records; i++ {
		card := fmt.Sprintf("card-%d", i%100)
		switch {
		case i < 100:
			w.write(put(card, "card", "title", "A card", "columnId", "todo"))
		case i%10 == 0:
			w.write(put("card-7", "", "columnId", "full"))
		case i%2 == 0:
			w.write(put(card, "", "title", fmt.Sprint("A card with title ", i)))
		default:
			w.write(put(card, "", "position", domain.Place{HasAfter: true}))
		}
	}
	s, err := New(Config{Log: log, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	b.Cleanup(func() { srv.Close(); s.Close() })
	return srv.URL
}

type benchWriter struct {
	b     *testing.B
	log   *eventlog.Log
	board *domain.Board
	at    time.Time
}

func (w *benchWriter) write(changes ...domain.Change) {
	w.b.Helper()
	w.at = w.at.Add(time.Millisecond)
	cmd := domain.Command{ID: newID(), Board: "b", Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen, Changes: changes,
		ReceivedAt: w.at, Deadline: w.at.Add(time.Minute)}
	d := domain.Decide(w.board, &cmd, w.at)
	if refuse := d.Rejection != nil; refuse != (changes[0].Patch["columnId"] == "full") {
		w.b.Fatal(d.Rejection)
	}
	seq, prev, _ := w.board.Head()
	c := domain.Commit{V: domain.CommitVersion, Board: "b", Prev: prev, At: d.At, Decisions: []domain.Decision{d}}
	data, hash, err := c.Encode()
	if err == nil {
		seq, err = w.log.Append(context.Background(), "b", data, hash, seq)
	}
	if err == nil {
		err = w.board.Fold(&d)
	}
	if err == nil {
		err = w.board.Settle(&c, hash, seq)
	}
	if err != nil {
		w.b.Fatal(err)
	}
}
