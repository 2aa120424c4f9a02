package gateway

import (
	"fmt"
	"time"
)

// together is what /readyz says of this node among the others.
type together struct {
	// Clock is "ok", "not compared" without another node, or how far it is off:
	// such a node decides nothing.
	Clock   string        `json:"clock"`
	Members []memberState `json:"members,omitempty"` // with this one, by name; none: it is alone by its flags
	Shards  shardState    `json:"shards"`

	listening bool // it has not heard long enough who the others are
}

// memberState is a node that is there as far as this one hears.
type memberState struct {
	Node     string  `json:"node"`
	Self     bool    `json:"self,omitempty"`
	Decides  bool    `json:"decides"`
	Leaving  bool    `json:"leaving,omitempty"`
	Astray   bool    `json:"astray,omitempty"`
	Shards   int     `json:"shards"`             // it asks for the commands of so many
	SilentMs int64   `json:"silentMs,omitempty"` // since it was last heard
	OffsetMs float64 `json:"offsetMs,omitempty"` // of its clock to this one's
	ErrorMs  float64 `json:"errorMs,omitempty"`  // by how much that may be wrong
}

// shardState is which shards are worked on.
type shardState struct {
	Of      int   `json:"of"`
	Here    []int `json:"here"`              // this node asks for their commands
	Nowhere []int `json:"nowhere,omitempty"` // nobody that is heard does
}

// among looks at the other nodes. shards is how many there are, 0: not known.
func among(members Members, shards int) together {
	t := together{Clock: "not compared", Shards: shardState{Of: shards, Here: []int{}}}
	if members == nil {
		for shard := range shards { // all are this node's, if it decides at all
			t.Shards.Here = append(t.Shards.Here, shard)
		}
		return t
	}
	list, settled, _ := members.Present()
	t.listening = !settled
	taken := make(map[int]bool)
	for i := range list {
		m := &list[i]
		t.Members = append(t.Members, memberState{Node: m.Node, Self: m.Self, Decides: m.Decides, Leaving: m.Leaving, Astray: m.Astray,
			Shards: len(m.Takes), SilentMs: m.Silent.Milliseconds(), OffsetMs: inMs(m.Offset), ErrorMs: inMs(m.Error)})
		for _, shard := range m.Takes {
			taken[shard] = true
			if m.Self {
				t.Shards.Here = append(t.Shards.Here, shard)
			}
		}
		if !m.Self && m.Compared {
			t.Clock = "ok"
		}
	}
	for shard := range shards {
		if settled && !taken[shard] {
			t.Shards.Nowhere = append(t.Shards.Nowhere, shard)
		}
	}
	if astray, ahead := members.Astray(); astray {
		t.Clock = fmt.Sprintf("%v off the other nodes' median", ahead.Round(time.Millisecond))
	}
	return t
}

// astray says whether the node is off the others' time.
func (t *together) astray() bool { return t.Clock != "ok" && t.Clock != "not compared" }

func inMs(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// explain says why traffic should go elsewhere, and what else somebody should
// look at, each in words that name what to do.
func (a *readiness) explain() (reasons, warnings []string) {
	reasons, warnings = []string{}, []string{}
	because := func(is bool, format string, args ...any) {
		if is {
			reasons = append(reasons, fmt.Sprintf(format, args...))
		}
	}
	warn := func(is bool, format string, args ...any) {
		if is {
			warnings = append(warnings, fmt.Sprintf(format, args...))
		}
	}
	because(a.Draining, "draining: this node is stopping")
	because(a.Log != "ok", "log: %s: look after the NATS servers, a majority of them must run and reach each other", a.Log)
	because(a.Rooms != "ok", "rooms: %s", a.Rooms)
	because(a.listening, "starting: this node listens who the others are")
	because(a.astray(), "clock: %s: set this machine's clock (NTP)", a.Clock)
	warn(a.Writes != "ok", "writes: %s: make room on the disk of the log, new mutations are refused until there is", a.Writes)
	warn(a.Sync == "interval", "sync: a power cut loses acked changes of the last interval: --sync always")
	warn(len(a.Shards.Nowhere) > 0, "shards: nobody works on %v: is a node with the domain role running?", a.Shards.Nowhere)
	for _, m := range a.Members {
		warn(m.Astray && !m.Self, "members: the clock of %s is off by %.0f ms: it decides nothing", m.Node, m.OffsetMs)
	}
	warn(a.Checkpoints != "ok" && a.Checkpoints != noneSigned, "checkpoints: %s: run snapback audit verify", a.Checkpoints)
	return reasons, warnings
}

// shards is how many the log has, 0 if it does not say.
func (s *Server) shards() int {
	if l, ok := s.store.(interface{ Shards() int }); ok {
		return l.Shards()
	}
	return 0
}
