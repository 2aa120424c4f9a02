package seed

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/node"
)

// inLab opens a store through a proxy that reads along, for a store knows
// nothing of its session, and has the server misbehave towards it.
func (b *board) inLab(user string, silence time.Duration, set string) *Store {
	b.t.Helper()
	tap := &cutter.Recorder{}
	p, err := cutter.New(b.Addr, tap)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(p.Close)
	s := b.dial(user, p.Addr(), silence)
	var hello struct{ Session string }
	if err := json.Unmarshal(tap.Conns()[0].Frames[0].Data, &hello); err != nil || hello.Session == "" {
		b.t.Fatalf("no hello: %+v %v", hello, err)
	}
	b.set(user, hello.Session, set)
	return s
}

func (b *board) set(user, session, set string) {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPut, "http://"+b.Addr+"/v1/boards/"+b.id+"/lab?user="+user+"&session="+session, strings.NewReader(set))
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	if raw, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || !bytes.Contains(raw, []byte(`"plan":["`)) {
		b.t.Fatalf("PUT lab: %s %s", resp.Status, raw)
	}
}

// newLab is newBoard on a server with a lab.
func newLab(t *testing.T) *board {
	t.Helper()
	shared = node.Start(t, "server", t.TempDir(), "", "--demo=false", "--lab")
	return newBoard(t)
}

// TestLabRefusesTheMiddleOfThree quick edits of one card: it snaps back, the
// others stay.
func TestLabRefusesTheMiddleOfThree(t *testing.T) {
	b := newLab(t)
	s := b.inLab("ann", silence, `{"delayMs":100,"plan":["pass","refuse","pass"]}`)
	first := s.Mutate("c1", Entity{"description": "first"})
	second := s.Mutate("c1", Entity{"columnId": "doing"})
	third := s.Mutate("c1", Entity{"color": "red"})
	if c := s.Get("c1"); c["description"] != "first" || c["columnId"] != "doing" || c["color"] != "red" {
		t.Errorf("shown at once: %v", c)
	}
	b.verdict(s, first, "ack", "")
	b.verdict(s, second, "nack", "lab")
	b.verdict(s, third, "ack", "")
	b.shown(s, "c1", "description", nil, "first")
	b.shown(s, "c1", "columnId", "todo", "doing", "todo")
	b.shown(s, "c1", "color", nil, "red")
	b.verdict(s, s.Mutate("c2", Entity{"columnId": "doing"}), "ack", "") // the plan is used up
	if c := b.dial("bob", b.Addr, silence).Get("c1"); c["description"] != "first" || c["columnId"] != "todo" || c["color"] != "red" {
		t.Errorf("who comes later sees %v", c)
	}
}

// TestLabSwallowsOne: what is lost comes back by silence, and what follows does
// not wait for it.
func TestLabSwallowsOne(t *testing.T) {
	b := newLab(t)
	s := b.inLab("ann", time.Second, `{"plan":["pass","swallow","pass"]}`)
	first := s.Mutate("c1", Entity{"title": "kept"})
	lost := s.Mutate("c1", Entity{"title": "lost"})
	last := s.Mutate("c1", Entity{"color": "red"})
	b.verdict(s, first, "ack", "")
	b.verdict(s, last, "ack", "")
	if v, _ := s.Verdict(lost); v != "" {
		t.Errorf("the lost one is %s", v)
	}
	b.verdict(s, lost, "timeout", "")
	b.shown(s, "c1", "title", "Card c1", "kept", "lost", "kept")
	b.shown(s, "c1", "color", nil, "red")
	if c := b.dial("bob", b.Addr, silence).Get("c1"); c["title"] != "kept" || c["color"] != "red" {
		t.Errorf("who comes later sees %v", c)
	}
}
