package logtest

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

func TestContract_Fake(t *testing.T) {
	Contract(t, func(*testing.T) Full { return New(Config{Shards: 4}) })
}

func TestContract_Real(t *testing.T) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	server, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), SyncAlways: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	Contract(t, func(t *testing.T) Full {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		log, err := eventlog.Open(ctx, eventlog.Config{InProcess: server, Shards: 4, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(log.Close)
		return log
	})
}

func TestContractBus_Fake(t *testing.T) {
	n := NewNetwork(1, 0, 0)
	ContractBus(t, func(_ *testing.T, node string) eventlog.Bus { return n.Bus(node) })
}

func TestContractBus_Real(t *testing.T) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	server, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	ContractBus(t, func(t *testing.T, _ string) eventlog.Bus {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		log, err := eventlog.Open(ctx, eventlog.Config{InProcess: server, Shards: 1, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(log.Close)
		return log.Bus()
	})
}

// A log that stalls stores what its caller has given up on.
func TestFaults_StalledAppendIsStoredLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := New(Config{Faults: Faults{Stall: 1, StallFor: time.Hour}})
		w := contract{log}.writer(t)
		data, hash, _ := w.next("")
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if _, err := log.Append(ctx, w.board, data, hash, 0); err == nil {
			t.Fatal("stored at once")
		}
		if len(log.Stored(w.board)) != 0 {
			t.Fatal("stored while it stalls")
		}
		time.Sleep(2 * time.Hour)
		if len(log.Stored(w.board)) != 1 {
			t.Fatal("never stored")
		}
	})
}
