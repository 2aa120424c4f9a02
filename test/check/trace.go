// Package check holds what clients sent and saw, as recorded, against the log:
// each law of PROTOCOL.md for every connection, that the log keeps what it
// promises by itself, and that the mutations are linearizable. It decides
// nothing with the server's code: the log is folded by package naive.
package check

import (
	"encoding/json"
	"time"

	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/naive"
)

// Frame is a WebSocket frame of either way, as far as a law asks for it.
type Frame struct {
	way cutter.Way
	at  time.Time
	raw []byte
	bad bool // not a JSON object

	Type       string          `json:"type"`
	ID         string          `json:"clientMutationId"`
	Rev        uint64          `json:"rev"`
	Events     int             `json:"events"`
	Entity     json.RawMessage `json:"entity"`
	By         string          `json:"by"`
	Event      string          `json:"event"`
	More       bool            `json:"more"`
	Code       string          `json:"code"`
	Retryable  bool            `json:"retryable"`
	Epoch      string          `json:"epoch"`
	Resumed    bool            `json:"resumed"`
	User       string          `json:"user"`
	ServerTime *time.Time      `json:"serverTime"`
	ExpiresAt  *time.Time      `json:"expiresAt"`

	EntityID json.RawMessage `json:"entityId"`
	Patch    json.RawMessage `json:"patch"`
	Changes  json.RawMessage `json:"changes"`
	If       json.RawMessage `json:"if"`
	IfRev    json.RawMessage `json:"ifRev"`
}

// content tells sendings of one id apart.
func (f *Frame) content() string {
	part := map[string]any{}
	for name, raw := range map[string]json.RawMessage{"entityId": f.EntityID, "patch": f.Patch, "changes": f.Changes, "if": f.If, "ifRev": f.IfRev} {
		var v any
		if len(raw) > 0 && naive.Decoder(raw).Decode(&v) == nil {
			part[name] = v
		}
	}
	out, _ := json.Marshal(part)
	return string(out)
}

// trace is one connection, decoded.
type trace struct {
	conn   cutter.Conn
	user   string
	since  string // of the URL, "" to start afresh
	frames []Frame
}

func (t *trace) alive() bool { return t.conn.Closed.IsZero() }

func decode(conns []cutter.Conn) []*trace {
	var list []*trace
	for _, c := range conns {
		t := &trace{conn: c, user: c.User(), since: c.URL.Query().Get("since")}
		for _, f := range c.Frames {
			x := Frame{}
			x.bad = json.Unmarshal(f.Data, &x) != nil
			x.way, x.at, x.raw = f.Way, f.At, f.Data
			t.frames = append(t.frames, x)
		}
		list = append(list, t)
	}
	return list
}

// Unanswered counts mutates on living connections that wait for a verdict.
func Unanswered(conns []cutter.Conn) int {
	n := 0
	for _, t := range decode(conns) {
		if !t.alive() {
			continue
		}
		open := map[string]int{}
		for i := range t.frames {
			switch f := &t.frames[i]; {
			case f.way == cutter.Up && f.Type == "mutate":
				open[f.ID]++
			case f.way == cutter.Down && (f.Type == "ack" || f.Type == "nack"):
				open[f.ID]--
			}
		}
		for _, k := range open {
			n += max(k, 0)
		}
	}
	return n
}
