package natsd

import (
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestFull_SaysWhenLessThanTheReserveIsLeft(t *testing.T) {
	t.Parallel()
	for _, reserve := range []int64{0, 1 << 60} {
		s, err := Start(Config{StoreDir: t.TempDir(), Reserve: reserve, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Shutdown)
		if full := s.Full(); errors.Is(full, ErrFull) != (reserve > 0) {
			t.Errorf("reserve %d: %v", reserve, full)
		}
	}
}

// TestAgain_KeepsConnectionsAndRecords: what is connected finds the new server.
func TestAgain_KeepsConnectionsAndRecords(t *testing.T) {
	t.Parallel()
	s, inside := readable(t, Reader{User: "auditor", Password: "secret"})
	back := make(chan struct{}, 1)
	inside.SetReconnectHandler(func(*nats.Conn) { back <- struct{}{} })
	if !s.sound() {
		t.Error("not sound")
	}
	if err := s.nats.Load().ShutdownJetStream(); err != nil {
		t.Fatal(err)
	}
	if s.sound() {
		t.Error("sound without JetStream")
	}
	if err := s.again(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-back:
	case <-time.After(30 * time.Second):
		t.Fatal("not connected again")
	}
	js, err := jetstream.New(inside)
	if err != nil {
		t.Fatal(err)
	}
	ack, err := js.Publish(t.Context(), "evt.0.demo", []byte("record"), jetstream.WithRetryAttempts(100))
	if err != nil || ack.Sequence != 3 {
		t.Errorf("%+v %v", ack, err)
	}
	reader, err := nats.Connect(s.URL(), nats.UserInfo("auditor", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
}
