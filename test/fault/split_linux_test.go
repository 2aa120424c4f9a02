package fault

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/node"
)

// TestSplit_AGatewayIsCutOffFromTheDomainService: two gateways and a domain
// service on a NATS cluster; one gateway reaches it over lines that can be cut.
//
//	g1 ─────────────────────────┐
//	g2 ── cutter.Proxy of each ─┴─ nats n0, n1, n2 ── d
func TestSplit_AGatewayIsCutOffFromTheDomainService(t *testing.T) {
	t.Parallel()
	var direct, cuttable []string
	var lines []*cutter.Proxy
	for _, n := range node.StartCluster(t, t.TempDir()) {
		line, err := cutter.New(n.Addr, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(line.Close)
		lines = append(lines, line)
		direct, cuttable = append(direct, n.URL()), append(cuttable, "nats://"+line.Addr())
	}
	role := func(name, role string, urls []string) *node.Server {
		return node.Start(t, name, t.TempDir(), strings.Join(urls, ","), append([]string{"--node=" + name, "--roles=" + role}, flags...)...)
	}
	role("d", "domain", direct)
	near, far := role("g1", "gateway", direct), role("g2", "gateway", cuttable)
	c := newCrowd(t, []*node.Server{near, far}, 20*time.Millisecond)
	c.alive("at first")
	for _, way := range []struct {
		name string
		cut  func(*cutter.Proxy)
	}{
		{"nothing passes", func(p *cutter.Proxy) { p.Set(cutter.Faults{Swallow: [2]bool{true, true}}) }},
		{"every line breaks", func(p *cutter.Proxy) { p.Retarget("127.0.0.1:1"); p.CutAll() }},
	} {
		var asked []*verdict
		for range 5 {
			asked = append(asked, &verdict{board: boards[0], id: ulid.Make().String()})
		}
		for _, line := range lines {
			way.cut(line)
		}
		c.alive(way.name+": the others go on", near)
		before := c.settled(far)
		for _, v := range asked {
			if said := v.ask(far); v.final {
				t.Errorf("%s: %s without the domain service: %s", way.name, v.id, said)
			}
		}
		if now := c.acks(far); now != before {
			t.Errorf("%s: %d acks at a gateway that is cut off", way.name, now-before)
		}
		c.pending(way.name, far)
		for i, line := range lines {
			line.Retarget(strings.TrimPrefix(direct[i], "nats://"))
			line.Set(cutter.Faults{})
			line.CutAll() // a line that has lost bytes is of no use
		}
		c.alive(way.name + ": everybody goes on")
		for _, v := range asked {
			eventually(t, "each has its verdict", func() error {
				if said := v.ask(far); !v.final {
					return fmt.Errorf("%s: %s", v.id, said)
				}
				return nil
			})
			eventually(t, "both gateways tell the same", func() error {
				if said := v.told(near); said != v.told(far) || v.acked != strings.Contains(said, `"ack"`) {
					return fmt.Errorf("%s: %s: %s and %s, acked %t", way.name, v.id, said, v.told(far), v.acked)
				}
				return nil
			})
		}
	}
	c.check()
}

// settled is how many acks the people at a server have once those that were on
// their way have come: none for a second.
func (c *crowd) settled(at *node.Server) (acks int) {
	c.t.Helper()
	since := time.Now()
	eventually(c.t, "no more acks come", func() error {
		if now := c.acks(at); now != acks {
			acks, since = now, time.Now()
		}
		if time.Since(since) < time.Second {
			return fmt.Errorf("%d, the last one just now", acks)
		}
		return nil
	})
	return acks
}

// pending waits until people at a server have changes that nobody has decided.
func (c *crowd) pending(what string, at *node.Server) {
	c.t.Helper()
	eventually(c.t, what+": people see their changes as pending", func() error {
		for _, p := range c.people {
			if p.server == at && len(p.client.Pending()) == 0 {
				return fmt.Errorf("%s has none", p.name)
			}
		}
		return nil
	})
}

// verdict is what becomes of a mutation over HTTP.
type verdict struct {
	board, id    string
	final, acked bool
}

// ask sends the mutation, the first time or again.
func (v *verdict) ask(s *node.Server) (said string) {
	body := fmt.Sprintf(`{"clientMutationId":%q,"entityId":%q,"patch":{"kind":"label","name":%q},"ttlMs":1000}`, v.id, "label-"+v.id, v.id)
	answer, err := patient.Post("http://"+s.Addr+"/v1/boards/"+v.board+"/mutations?user=asker", "application/json", strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	var told struct{ Code string }
	_ = json.Unmarshal(text, &told)
	v.acked = answer.StatusCode == http.StatusOK
	v.final = v.acked || told.Code == "expired"
	if !v.final && told.Code != "undecided" && told.Code != "unavailable" {
		return "neither verdict nor pending: " + answer.Status + " " + string(text)
	}
	return answer.Status + " " + string(text)
}

// told is the verdict as a server has it.
func (v *verdict) told(s *node.Server) string {
	said, err := get("http://" + s.Addr + "/v1/boards/" + v.board + "/mutations/" + v.id + "?user=asker")
	if err != nil {
		return err.Error()
	}
	return string(said)
}
