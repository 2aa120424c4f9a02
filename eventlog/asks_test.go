package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// Every answer comes to who asked for it; who does not wait any longer, or
// whose connection is lost, leaves nothing behind.
func TestAsks_EveryoneGetsHisOwnAnswer(t *testing.T) {
	t.Parallel()
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	if _, err := l.live.Subscribe("echo", func(msg *nats.Msg) { _ = msg.Respond(msg.Data) }); err != nil {
		t.Fatal(err)
	}
	if _, err := l.live.Subscribe("silence", func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	if err := l.live.Flush(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for k := range 20 {
				want := fmt.Sprint(i, k)
				if got, err := l.asks.ask(t.Context(), &nats.Msg{Subject: "echo", Data: []byte(want)}); err != nil || string(got.Data) != want {
					t.Errorf("%v, %v; want %s", got, err, want)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if _, err := l.asks.ask(ctx, &nats.Msg{Subject: "silence"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	lost := make(chan error)
	go func() {
		_, err := l.asks.ask(t.Context(), &nats.Msg{Subject: "silence"})
		lost <- err
	}()
	eventually(t, "asked", func() bool { return len(l.asks.waiting()) == 1 })
	l.write.Close()
	if err := <-lost; !errors.Is(err, nats.ErrDisconnected) {
		t.Error(err)
	}
	if _, err := l.asks.ask(t.Context(), &nats.Msg{Subject: "echo"}); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Error(err)
	}
	if left := l.asks.waiting(); len(left) > 0 {
		t.Errorf("%d are still waiting", len(left))
	}
}

func (a *asks) waiting() (list []uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for n := range a.open {
		list = append(list, n)
	}
	return list
}

func TestParseAck(t *testing.T) {
	for data, want := range map[string]uint64{
		`{"stream":"EVT_0","seq":17}`:                       17,
		`{"stream":"EVT_0", "seq": 18,"duplicate": true}`:   18,
		`{"stream":"EVT_0","domain":"hub","seq":19}`:        19,
		`{"seq":20,"stream":"EVT_0"}`:                       20,
		`{"stream":"EVT_0","seq":0}`:                        0,
		`{"error":{"err_code":10071},"stream":"E","seq":3}`: 0,
		`{"stream":"EVT_0"}`:                                0,
		`{"stream":"EVT_0","seq":`:                          0,
		``:                                                  0,
	} {
		if got, err := parseAck(&nats.Msg{Data: []byte(data)}); got != want || (err == nil) != (want > 0) {
			t.Errorf("%s: %d, %v", data, got, err)
		}
	}
	if _, err := parseAck(&nats.Msg{Header: nats.Header{"Status": {"503"}}}); !errors.Is(err, nats.ErrNoResponders) {
		t.Error(err)
	}
}
