package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/oklog/ulid/v2"
)

// frame is any frame from the server.
type frame struct {
	Type      string          `json:"type"`
	ID        string          `json:"clientMutationId"`
	Rev       uint64          `json:"rev"`
	Entity    map[string]any  `json:"entity"`
	By, Event string          `json:",omitempty"`
	More      bool            `json:"more"`
	Events    int             `json:"events"`
	Code      string          `json:"code"`
	Reason    string          `json:"reason"`
	Retryable bool            `json:"retryable"`
	Details   map[string]any  `json:"details"`
	Session   string          `json:"session"`
	User      string          `json:"user"`
	Name      string          `json:"name"`
	Role      string          `json:"role"`
	Epoch     string          `json:"epoch"`
	Resumed   bool            `json:"resumed"`
	Data      json.RawMessage `json:"data"`
	After     int64           `json:"reconnectAfterMs"`
	Time      string          `json:"serverTime"`
	Limits    map[string]any  `json:"limits"`

	LoadID   int              `json:"id"`
	Entities []map[string]any `json:"entities"`
	Before   string           `json:"before"`

	raw    string
	closed int // the close code, Type ""
}

func (f frame) String() string {
	if f.Type == "" {
		return fmt.Sprintf("closed %d %s", f.closed, f.Reason)
	}
	return f.raw
}

// socket is one client connection.
type socket struct {
	t        *testing.T
	ws       *websocket.Conn
	frames   chan frame
	rev      uint64 // law 1: of the last live sync
	live     bool
	part     bool // it watches the open part
	session  string
	epoch    string
	patience time.Duration
	kept     map[string][]frame // verdicts nobody has asked for yet
}

// connect dials as user (a token with auth on), and reads on from then on.
func (w *world) connect(user string, query ...string) *socket {
	w.t.Helper()
	s := w.connectRaw("/"+board+"?user="+user+"&"+strings.Join(query, "&"), http.Header{"Authorization": {"Bearer " + user}})
	s.part = slices.Contains(query, "part=open")
	go s.readAll()
	return s
}

func (w *world) connectRaw(path string, header http.Header, protocols ...string) *socket {
	w.t.Helper()
	d := websocket.Dialer{NetDialContext: w.dial, Subprotocols: protocols, HandshakeTimeout: time.Minute}
	ws, resp, err := d.DialContext(w.t.Context(), w.url+path, header)
	if err != nil {
		w.t.Fatalf("dial: %v %+v", err, resp)
	}
	w.t.Cleanup(func() { ws.Close() })
	patience := time.Minute
	if w.fake != nil {
		patience = 2 * time.Minute
	}
	return &socket{t: w.t, ws: ws, frames: make(chan frame, 100_000), patience: patience, kept: map[string][]frame{}}
}

func (s *socket) readAll() {
	defer close(s.frames)
	for {
		_, data, err := s.ws.ReadMessage()
		if err != nil {
			f := frame{closed: -1, Reason: err.Error()}
			if c, ok := err.(*websocket.CloseError); ok {
				f.closed, f.Reason = c.Code, c.Text
			}
			s.frames <- f
			return
		}
		f := frame{raw: string(data)}
		if err := json.Unmarshal(data, &f); err != nil {
			s.t.Errorf("not JSON: %s", data)
		}
		s.frames <- f
	}
}

// next is the next frame; it holds law 1 on the way.
func (s *socket) next() frame {
	s.t.Helper()
	timeout := time.NewTimer(s.patience)
	defer timeout.Stop()
	select {
	case f := <-s.frames:
		s.law1(f)
		return f
	case <-timeout.C:
		s.t.Fatal("no frame in time")
		return frame{}
	}
}

func (s *socket) law1(f frame) {
	s.t.Helper()
	switch f.Type {
	case "hello":
		s.session, s.epoch = f.Session, f.Epoch
	case "lag":
		if f.Rev != s.rev {
			s.t.Fatalf("lag says rev %d, the last sync was %d", f.Rev, s.rev)
		}
		s.live = false
	case "ready":
		s.live, s.rev = true, f.Rev
	case "sync":
		if s.live && f.Rev != s.rev+1 && !(f.Rev == s.rev && (f.Event == "list.respaced" || f.Event == "" && s.part)) {
			s.t.Fatalf("law 1: sync %d after %d: %s", f.Rev, s.rev, f)
		}
		if s.live {
			s.rev = f.Rev
		}
	case "ack":
		if s.live && f.Rev > s.rev {
			s.t.Fatalf("law 2: ack with rev %d, but syncs only up to %d", f.Rev, s.rev)
		}
	}
}

// until reads up to the first frame of the type, which it gives last.
func (s *socket) until(typ string) []frame {
	s.t.Helper()
	var list []frame
	for {
		f := s.next()
		list = append(list, f)
		if f.Type == typ {
			return list
		}
		if f.Type == "" {
			s.t.Fatalf("%s before %s", f, typ)
		}
	}
}

// skip gives the first frame of the type.
func (s *socket) skip(typ string) frame {
	s.t.Helper()
	list := s.until(typ)
	return list[len(list)-1]
}

// verdict gives the next ack or nack of the mutation. Those of others that come
// before are kept: verdicts of repeats are in no order.
func (s *socket) verdict(id string) frame {
	s.t.Helper()
	for len(s.kept[id]) == 0 {
		f := s.next()
		switch f.Type {
		case "ack", "nack":
			s.kept[f.ID] = append(s.kept[f.ID], f)
		case "":
			s.t.Fatalf("%s before the verdict of %s", f, id)
		}
	}
	f := s.kept[id][0]
	s.kept[id] = s.kept[id][1:]
	return f
}

// closed reads up to the close and wants this code.
func (s *socket) closed(code int) {
	s.t.Helper()
	for {
		if f := s.next(); f.Type == "" {
			if f.closed != code {
				s.t.Fatalf("closed %d (%s), want %d", f.closed, f.Reason, code)
			}
			return
		}
	}
}

func (s *socket) send(text string) {
	s.t.Helper()
	if err := s.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// mutate sends a mutate and gives its id.
func (s *socket) mutate(entity, patch string, more ...string) string {
	s.t.Helper()
	id := ulid.Make().String()
	s.mutateAs(id, entity, patch, more...)
	return id
}

func (s *socket) mutateAs(id, entity, patch string, more ...string) {
	s.t.Helper()
	s.send(fmt.Sprintf(`{"type":"mutate","clientMutationId":%q,"entityId":%q,"patch":%s%s}`, id, entity, patch, strings.Join(append([]string{""}, more...), ",")))
}
