package eventlog_test

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/notary"
)

const tampered = "EVT_0"

// notarized is a log with some records, its notary, and a way around both.
type notarized struct {
	log    *eventlog.Log
	server *natsd.Server
	js     jetstream.JetStream
	cfg    notary.Config
}

func newNotarized(t *testing.T) *notarized {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	server, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	log, err := eventlog.Open(t.Context(), eventlog.Config{InProcess: server, Shards: 1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	nc, err := nats.Connect("", nats.InProcessServer(server))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	private, _, err := proof.NewKey(rand.Reader, "test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := proof.ParseSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	n := &notarized{log, server, js, notary.Config{Log: log, Signer: signer, Dir: t.TempDir(), Logger: quiet}}
	last := map[string]uint64{}
	for i := range 40 {
		board := "board-" + strconv.Itoa(i%3)
		c := domain.Commit{V: domain.CommitVersion, Board: board, At: time.Unix(int64(i), 0).UTC(), Decisions: []domain.Decision{
			{Command: domain.Command{ID: strconv.Itoa(i), Op: domain.OpMutate, User: "u"}},
		}}
		data, hash, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if last[board], err = log.Append(t.Context(), board, data, hash, last[board]); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func (n *notarized) notary(t *testing.T) *notary.Notary {
	t.Helper()
	out, err := notary.New(n.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// rewrite replaces the stream by one with other messages, which keep the times
// at which the first ones were stored: deleting single messages is refused.
func (n *notarized) rewrite(t *testing.T, change func([]*nats.Msg) []*nats.Msg) {
	t.Helper()
	stream, err := n.js.Stream(t.Context(), tampered)
	if err != nil {
		t.Fatal(err)
	}
	info := stream.CachedInfo()
	if err := stream.DeleteMsg(t.Context(), 7); err == nil {
		t.Error("a record can be deleted")
	}
	var all []*nats.Msg
	for seq := uint64(1); seq <= info.State.LastSeq; seq++ {
		raw, err := stream.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		msg := &nats.Msg{Subject: raw.Subject, Data: raw.Data, Header: nats.Header{}}
		msg.Header.Set("Nats-Msg-Id", raw.Header.Get("Nats-Msg-Id"))
		msg.Header.Set("Snapback-Stored-At", raw.Time.UTC().Format(time.RFC3339Nano))
		all = append(all, msg)
	}
	if err := n.js.DeleteStream(t.Context(), tampered); err != nil {
		t.Fatal(err)
	}
	if _, err := n.js.CreateStream(t.Context(), info.Config); err != nil {
		t.Fatal(err)
	}
	for _, msg := range change(all) {
		if _, err := n.js.PublishMsg(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever has the server's files, or may administer its streams, can write
// another history. It is not served beside an external checkpoint of the first.
func TestTamper_ARewrittenStreamIsNotServed(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		change func(all []*nats.Msg) []*nats.Msg
		says   string
	}{
		"the same again": {func(all []*nats.Msg) []*nats.Msg { return all }, ""},
		"one is flipped": {func(all []*nats.Msg) []*nats.Msg {
			all[9].Data[20] ^= 1
			all[9].Header.Set("Nats-Msg-Id", strings.Repeat("ab", 32)) // as its bytes are now, or not
			return all
		}, "do not have the root"},
		"one is of another time": {func(all []*nats.Msg) []*nats.Msg {
			all[9].Header.Set("Snapback-Stored-At", time.Unix(0, 0).UTC().Format(time.RFC3339Nano))
			return all
		}, "do not have the root"},
		"one is of another board": {func(all []*nats.Msg) []*nats.Msg { all[9].Subject = "evt.0.other"; return all }, "do not have the root"},
		"one is dropped":          {func(all []*nats.Msg) []*nats.Msg { return slices.Delete(all, 9, 10) }, "there are 39 records, there were 40"},
		"two are swapped":         {func(all []*nats.Msg) []*nats.Msg { all[9], all[10] = all[10], all[9]; return all }, "do not have the root"},
		"the tail is cut off":     {func(all []*nats.Msg) []*nats.Msg { return all[:30] }, "there are 30 records, there were 40"},
		"all is gone":             {func(all []*nats.Msg) []*nats.Msg { return nil }, "there are 0 records, there were 40"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			n := newNotarized(t)
			running := n.notary(t)
			if _, err := running.Checkpoint(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			n.rewrite(t, tt.change)
			err := n.notary(t).Check(t.Context())
			if tt.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, proof.ErrContradiction) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "0.checkpoint") {
				t.Errorf("at the next start: %v", err)
			}
		})
	}
}
