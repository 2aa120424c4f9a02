package node

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

func TestMain(m *testing.M) { Main(m) }

func TestNATSKeepsItsDataOverAKill(t *testing.T) {
	dir := t.TempDir()
	n := StartNATS(t, filepath.Join(dir, "nats"))
	nc, err := nats.Connect(n.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := nc.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.AddStream(&nats.StreamConfig{Name: "EVT_0", Subjects: []string{"evt.0.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish("evt.0.b", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	n.Freeze()
	if _, err := js.Publish("evt.0.b", []byte("{}"), nats.AckWait(100*time.Millisecond)); err == nil {
		t.Error("a frozen server answers")
	}
	n.Thaw()
	n.Kill()
	if n.Running() {
		t.Fatal("runs on after a kill")
	}
	if _, err := os.Stat(n.Data); err != nil {
		t.Fatal(err)
	}
	log := OpenLog(t, dir)
	again, err := log.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	info, err := again.StreamInfo("EVT_0")
	if err != nil || info.State.Msgs == 0 {
		t.Fatalf("after the kill: %+v, %v", info, err)
	}
}
