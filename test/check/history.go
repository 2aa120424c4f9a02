package check

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/naive"
)

// History is all that was seen of one run. Its times are those of one process,
// monotonic while it runs; in a file they are nanoseconds since Start.
type History struct {
	Start    time.Time
	About    string // what made it, for whoever reads it again
	Conns    []cutter.Conn
	Requests []Request
	Views    []View // what clients held when all was quiet
	Told     []Told
	Records  []naive.Record // of all boards
	Faults   []Fault        // what was broken meanwhile
}

// Fault is something that happened to a node.
type Fault struct {
	Kind string    `json:"kind"`
	Node string    `json:"node"`
	From time.Time `json:"-"`
	To   time.Time `json:"-"`
}

// Request is one HTTP request about a board.
type Request struct {
	Node   string    `json:"node"` // whom it was sent to
	User   string    `json:"user"`
	Board  string    `json:"board"`
	Method string    `json:"method"`
	Path   string    `json:"path"` // below the board, with its query: "mutations/ID", "?minRev=7"
	Body   string    `json:"body,omitempty"`
	Sent   time.Time `json:"-"`
	Done   time.Time `json:"-"`                // zero: no answer came
	Status int       `json:"status,omitempty"` // 0: no answer came
	Answer string    `json:"answer,omitempty"`
	Quiet  bool      `json:"quiet,omitempty"` // asked when everything was decided and mended
}

// View is the confirmed state that a client held when all was quiet.
type View struct {
	Who      string                  `json:"who"`
	User     string                  `json:"user"`
	Board    string                  `json:"board"`
	Rev      uint64                  `json:"rev"`
	Entities map[string]naive.Object `json:"entities"`
}

// Told is what a client told its application of a mutation.
type Told struct {
	User  string `json:"user"`
	Board string `json:"board"`
	ID    string `json:"id"`
	OK    bool   `json:"ok"`
	Rev   uint64 `json:"rev"`
	Code  string `json:"code,omitempty"`
}

// line is one line of a history's file.
type line struct {
	Kind string `json:"kind"` // start, fault, conn, frame, request, view, told, record
	At   int64  `json:"at"`   // ns since Start: opened, passed, sent
	End  int64  `json:"end,omitempty"`

	Start   *time.Time      `json:"start,omitempty"`
	About   string          `json:"about,omitempty"`
	Conn    int             `json:"conn"`
	URL     string          `json:"url,omitempty"`
	Server  string          `json:"server,omitempty"`
	Partial bool            `json:"partial,omitempty"`
	Up      bool            `json:"up,omitempty"`
	Data    string          `json:"data,omitempty"`
	Seq     uint64          `json:"seq,omitempty"`
	What    json.RawMessage `json:"what,omitempty"`
}

// Write writes the history, one JSON object a line.
func (h *History) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	var failed error
	put := func(l line) {
		if err := enc.Encode(l); err != nil && failed == nil {
			failed = err
		}
	}
	since := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return int64(t.Sub(h.Start))
	}
	start := h.Start.UTC()
	put(line{Kind: "start", Start: &start, About: h.About})
	for _, f := range h.Faults {
		put(line{Kind: "fault", At: since(f.From), End: since(f.To), What: encoded(f)})
	}
	for n, c := range h.Conns {
		put(line{Kind: "conn", Conn: n, URL: c.URL.String(), Server: c.Server, At: since(c.Opened), End: since(c.Closed), Partial: c.Partial})
		for _, f := range c.Frames {
			put(line{Kind: "frame", Conn: n, Up: f.Way == cutter.Up, At: since(f.At), Data: string(f.Data)})
		}
	}
	for _, r := range h.Requests {
		put(line{Kind: "request", At: since(r.Sent), End: since(r.Done), What: encoded(r)})
	}
	for _, v := range h.Views {
		put(line{Kind: "view", What: encoded(v)})
	}
	for _, t := range h.Told {
		put(line{Kind: "told", What: encoded(t)})
	}
	for _, r := range h.Records {
		stored := r.Stored.UTC()
		put(line{Kind: "record", Seq: r.Seq, Start: &stored, Data: string(r.Data)})
	}
	if failed != nil {
		return failed
	}
	return out.Flush()
}

func encoded(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		raw, _ = json.Marshal(err.Error())
	}
	return raw
}

// Read reads what Write wrote.
func Read(r io.Reader) (*History, error) {
	h := &History{}
	dec := json.NewDecoder(bufio.NewReader(r))
	for n := 1; ; n++ {
		var l line
		if err := dec.Decode(&l); err == io.EOF {
			return h, nil
		} else if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if err := h.add(l); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
}

func (h *History) add(l line) error {
	at := func(ns int64) time.Time {
		if ns == 0 {
			return time.Time{}
		}
		return h.Start.Add(time.Duration(ns))
	}
	switch l.Kind {
	case "start":
		h.Start, h.About = *l.Start, l.About
	case "fault":
		h.Faults = append(h.Faults, Fault{From: at(l.At), To: at(l.End)})
		return json.Unmarshal(l.What, &h.Faults[len(h.Faults)-1])
	case "conn":
		u, err := url.Parse(l.URL)
		if err != nil {
			return err
		}
		h.Conns = append(h.Conns, cutter.Conn{URL: u, Server: l.Server, Opened: at(l.At), Closed: at(l.End), Partial: l.Partial})
	case "frame":
		if l.Conn != len(h.Conns)-1 {
			return fmt.Errorf("a frame of connection %d after connection %d", l.Conn, len(h.Conns)-1)
		}
		c := &h.Conns[l.Conn]
		way := cutter.Down
		if l.Up {
			way = cutter.Up
		}
		c.Frames = append(c.Frames, cutter.Frame{Way: way, At: at(l.At), Data: []byte(l.Data)})
	case "request":
		r := Request{Sent: at(l.At), Done: at(l.End)}
		h.Requests = append(h.Requests, r)
		return json.Unmarshal(l.What, &h.Requests[len(h.Requests)-1])
	case "view":
		var v View
		dec := naive.Decoder(l.What)
		if err := dec.Decode(&v); err != nil {
			return err
		}
		h.Views = append(h.Views, v)
	case "told":
		var t Told
		h.Told = append(h.Told, t)
		return json.Unmarshal(l.What, &h.Told[len(h.Told)-1])
	case "record":
		r, err := naive.Decode(l.Seq, *l.Start, []byte(l.Data))
		if err != nil {
			return err
		}
		h.Records = append(h.Records, r)
	default:
		return fmt.Errorf("a line of kind %q", l.Kind)
	}
	return nil
}
