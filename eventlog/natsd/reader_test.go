package natsd

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
)

// readable starts a server with the streams of a log, a record in EVT_0, and a
// reader of EVT_0 and EVT_1. inside is the process's own connection.
func readable(t *testing.T, r Reader) (s *Server, inside *nats.Conn) {
	t.Helper()
	r.Streams = []string{"EVT_0", "EVT_1"}
	s, err := Start(Config{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", Reader: &r, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	inside, err = nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(inside.Close)
	js, err := jetstream.New(inside)
	if err != nil {
		t.Fatal(err)
	}
	for name, subject := range map[string]string{"EVT_0": "evt.0.*", "EVT_1": "evt.1.*", "CMD_0": "cmd.0.*", "SNAPSHOTS": "snap.>"} {
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{subject}, AllowDirect: true}); err != nil {
			t.Fatal(err)
		}
	}
	for _, subject := range []string{"evt.0.demo", "evt.0.demo", "cmd.0.commands", "snap.demo"} {
		if _, err := js.Publish(t.Context(), subject, []byte("record")); err != nil {
			t.Fatal(err)
		}
	}
	return s, inside
}

func TestReader_Reads(t *testing.T) {
	t.Parallel()
	s, _ := readable(t, Reader{User: "auditor", Password: "secret"})
	nc, err := nats.Connect(s.URL(), nats.UserInfo("auditor", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "EVT_0")
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(t.Context(), jetstream.WithSubjectFilter(">"))
	if err != nil || info.State.LastSeq != 2 || info.State.Subjects["evt.0.demo"] != 2 {
		t.Fatalf("%+v %v", info, err)
	}
	msg, err := stream.GetMsg(t.Context(), 2)
	if err != nil || string(msg.Data) != "record" || msg.Subject != "evt.0.demo" {
		t.Fatalf("%+v %v", msg, err)
	}
	if msg, err = stream.GetLastMsgForSubject(t.Context(), "evt.0.demo"); err != nil || msg.Sequence != 2 {
		t.Fatalf("%+v %v", msg, err)
	}
	inbox, err := nc.SubscribeSync(nats.NewInbox())
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.PublishRequest("$JS.API.DIRECT.GET.EVT_0", inbox.Subject, []byte(`{"seq":1,"batch":10}`)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "2", ""} { // a batch has several answers, and an end
		msg, err := inbox.NextMsg(60 * time.Second)
		if err != nil || msg.Header.Get("Nats-Sequence") != want {
			t.Fatalf("%+v %v, want %q", msg, err, want)
		}
	}
}

// TestReader_DoesNothingElse: each attempt is refused, or comes to nothing.
func TestReader_DoesNothingElse(t *testing.T) {
	t.Parallel()
	s, inside := readable(t, Reader{User: "auditor", Password: "secret"})
	seen, err := inside.SubscribeSync(">") // all that is published where the log is
	if err != nil {
		t.Fatal(err)
	}
	if err := inside.Flush(); err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(s.URL(), nats.UserInfo("auditor", "secret"), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	answers, err := nc.SubscribeSync(nats.NewInbox())
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{
		"$JS.API.STREAM.INFO.CMD_0", "$JS.API.STREAM.INFO.SNAPSHOTS", "$JS.API.STREAM.MSG.GET.CMD_0", "$JS.API.DIRECT.GET.SNAPSHOTS", "$JS.API.DIRECT.GET.SNAPSHOTS.snap.demo",
		"$JS.API.STREAM.DELETE.EVT_0", "$JS.API.STREAM.PURGE.EVT_0", "$JS.API.STREAM.UPDATE.EVT_0", "$JS.API.STREAM.MSG.DELETE.EVT_0", "$JS.API.STREAM.CREATE.MINE",
		"$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.CONSUMER.CREATE.EVT_0", "$JS.API.CONSUMER.CREATE.EVT_0.c", "$JS.API.CONSUMER.DURABLE.CREATE.EVT_0.c",
		"$JS.API.STREAM.SNAPSHOT.EVT_0", "$JS.API.INFO", "evt.0.demo", "cmd.0.commands", "live.demo", "snap.demo", "$SYS.REQ.SERVER.PING",
	} {
		for _, body := range []string{"", `{"seq":1}`, `{"name":"MINE","subjects":["x"]}`, `{"stream_name":"EVT_0","config":{"deliver_subject":"evt.1.demo"}}`} {
			if err := nc.PublishRequest(subject, answers.Subject, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// An answer goes where he says, but only among readers.
	for _, to := range []string{"evt.1.demo", "cmd.0.commands", "live.demo"} {
		for _, of := range []string{"$JS.API.STREAM.INFO.EVT_0", "$JS.API.DIRECT.GET.EVT_0", "$JS.API.STREAM.MSG.GET.EVT_0"} {
			if err := nc.PublishRequest(of, to, []byte(`{"seq":1}`)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := nc.RequestWithContext(t.Context(), "$JS.API.STREAM.INFO.EVT_0", nil); err != nil { // the attempts are through
		t.Fatal(err)
	}
	if msg, err := answers.NextMsg(100 * time.Millisecond); err == nil {
		t.Errorf("answered: %s", msg.Data)
	}
	js, err := jetstream.New(inside)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint64{"EVT_0": 2, "EVT_1": 0, "CMD_0": 1, "SNAPSHOTS": 1} {
		stream, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if st := stream.CachedInfo().State; st.Msgs != want || st.LastSeq != want || st.Consumers != 0 {
			t.Errorf("%s has %+v", name, st)
		}
	}
	for {
		msg, err := seen.NextMsg(time.Millisecond)
		if errors.Is(err, nats.ErrTimeout) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, prefix := range []string{"evt.", "cmd.", "live.", "snap."} {
			if strings.HasPrefix(msg.Subject, prefix) {
				t.Errorf("a reader published %s", msg.Subject)
			}
		}
	}
}

func TestReader_IsWhoHeSays(t *testing.T) {
	t.Parallel()
	s, _ := readable(t, Reader{User: "auditor", Password: "secret"})
	for _, opts := range [][]nats.Option{nil, {nats.UserInfo("auditor", "other")}, {nats.UserInfo("other", "secret")}, {nats.UserInfo("", "")}, {nats.Token("secret")}} {
		if nc, err := nats.Connect(s.URL(), opts...); err == nil {
			nc.Close()
			t.Error("somebody else is admitted")
		}
	}
	key, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseReader(public)
	if err != nil {
		t.Fatal(err)
	}
	s, _ = readable(t, *r)
	nc, err := nats.Connect(s.URL(), nats.Nkey(public, key.Sign))
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	other, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	for _, opts := range [][]nats.Option{nil, {nats.Nkey(public, other.Sign)}, {nats.UserInfo(public, "")}, {nats.UserInfo("", "")}} {
		if nc, err := nats.Connect(s.URL(), opts...); err == nil {
			nc.Close()
			t.Error("somebody without the key is admitted")
		}
	}
}

func TestParseReader(t *testing.T) {
	t.Parallel()
	if r, err := ParseReader("ann:a:b"); err != nil || r.User != "ann" || r.Password != "a:b" {
		t.Errorf("%+v %v", r, err)
	}
	for _, text := range []string{"", "ann", ":x", "ann:", "UABC"} {
		if r, err := ParseReader(text); err == nil {
			t.Errorf("%q is %+v", text, r)
		}
	}
	if _, err := Start(Config{StoreDir: t.TempDir(), Reader: &Reader{User: "a", Password: "b"}}); err == nil {
		t.Error("a reader without an address")
	}
}
