package fault

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/gateway/client"
	"github.com/snapback-io/snapback/test/node"
)

// refused says whether a server answers a new mutation `unavailable`.
func refused(s *node.Server, board string) error {
	answer, err := patient.Post("http://"+s.Addr+"/v1/boards/"+board+"/mutations?user=owner", "application/json",
		strings.NewReader(`{"clientMutationId":"`+ulid.Make().String()+`","entityId":"probe","patch":{"kind":"label","name":"`+time.Now().String()+`"},"ttlMs":1000}`))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(said), `"unavailable"`) {
		return fmt.Errorf("%s %s", answer.Status, said)
	}
	return nil
}

// joins says whether a newcomer is let in and sees the board.
func joins(t *testing.T, s *node.Server, board string) error {
	c, err := client.Connect(t.Context(), client.Options{URL: "http://" + s.Addr, Board: board, User: "newcomer"})
	if err != nil {
		return err
	}
	defer c.Close()
	if c.Rev() == 0 {
		return errors.New("nothing is there")
	}
	return nil
}

// TestFullDisk_OneServer: nothing new is taken, people read on, and go on
// working without a restart when there is room again.
func TestFullDisk_OneServer(t *testing.T) {
	t.Parallel()
	d := NeedDisk(t, 96<<20)
	s := node.Start(t, "server", filepath.Join(d.Dir, "data"), "", flags...)
	c := newCrowd(t, []*node.Server{s}, 10*time.Millisecond)
	c.alive("at first")
	for _, leave := range []int64{3 << 20, 0} { // the server has room of its own; it has none, and comes to harm
		if err := d.Fill(leave); err != nil {
			t.Fatal(err)
		}
		eventually(t, "what is new is refused", func() error { return refused(s, "north") })
		told, err := readyz(s)
		if err != nil || told.Ready && !strings.Contains(told.Writes, "full") {
			t.Errorf("readyz: %+v %v", told, err)
		}
		eventually(t, "a newcomer is let in", func() error { return joins(t, s, "south") })
		if err := d.Empty(); err != nil {
			t.Fatal(err)
		}
		c.alive(fmt.Sprintf("room again after %d bytes were left", leave))
	}
	c.check()
	for _, line := range []string{"the disk is full", "is started again"} {
		if !strings.Contains(s.Said(), line) {
			t.Errorf("the server's log does not say that %s", line)
		}
	}
}

// TestPowerCut_OneServer: what was acked is on the disk.
func TestPowerCut_OneServer(t *testing.T) {
	t.Parallel()
	d := NeedDisk(t, 96<<20)
	s := node.Start(t, "server", filepath.Join(d.Dir, "data"), "", flags...)
	c := newCrowd(t, []*node.Server{s}, 5*time.Millisecond)
	for range 2 {
		c.alive("under power")
		cutPower(t, []*Disk{d}, []*node.Server{s})
	}
	c.alive("after the power cuts")
	c.check()
}

// cutPower takes the power from some servers at the same moment, and gives it back.
func cutPower(t *testing.T, disks []*Disk, servers []*node.Server) {
	t.Helper()
	for _, d := range disks {
		if err := d.CutPower(); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range servers {
		s.Kill()
	}
	for _, d := range disks {
		if err := errors.Join(d.Unmount(), d.Mount()); err != nil {
			t.Fatal(err)
		}
	}
	var starting sync.WaitGroup
	for _, s := range servers {
		starting.Go(s.Again)
	}
	starting.Wait()
}

// TestRestart_OnAFullerDisk: what is stored already is no reason to refuse more.
// nats-server's own limit would be three quarters of what is free now.
func TestRestart_OnAFullerDisk(t *testing.T) {
	t.Parallel()
	d := NeedDisk(t, 96<<20)
	cfg := natsd.Config{StoreDir: filepath.Join(d.Dir, "nats"), Logger: slog.New(slog.DiscardHandler)}
	const records, size = 20, 1 << 20
	for start := range 2 {
		s, err := natsd.Start(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Shutdown()
		nc, err := nats.Connect("", nats.InProcessServer(s))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		js, err := nc.JetStream()
		if err != nil {
			t.Fatal(err)
		}
		if start == 0 {
			_, err = js.AddStream(&nats.StreamConfig{Name: "EVT_0", Subjects: []string{"evt"}})
		}
		for range records {
			if err == nil {
				_, err = js.Publish("evt", make([]byte, size))
			}
		}
		if err != nil {
			t.Fatalf("start %d: %v", start, err)
		}
		if start == 0 {
			s.Shutdown()
			if err := d.Fill(records*size + 6<<20); err != nil {
				t.Fatal(err)
			}
		}
	}
}
