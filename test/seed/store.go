// Package seed ports the store that clients of this kind start from, in its
// own plain manner: a WebSocket without subprotocol or resume, random UUIDs for
// ids, and a change that is rolled back on a nack and on silence alike. The
// tests hold the real server against it.
package seed

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Entity is an entity as it came in a frame.
type Entity = map[string]any

type change struct {
	id, entityID string
	patch, base  Entity
	timer        *time.Timer
}

// Store is the two-layer store: confirmed from the server, pending on top, the
// view derived. Safe for concurrent use.
type Store struct {
	ws      *websocket.Conn
	silence time.Duration // without a verdict for so long a change is rolled back

	mu        sync.Mutex
	confirmed map[string]Entity
	pending   []*change // in the order made
	view      map[string]Entity
	moved     chan struct{}       // closed and renewed on every frame and change
	history   map[string][]Entity // every state of an entity's view in turn
	verdicts  map[string]string   // by mutation id: ack, nack or timeout
	codes     map[string]string   // of nacks
	broken    error
}

// Dial connects to a board and begins to read.
func Dial(url string, silence time.Duration) (*Store, error) {
	return DialWith(websocket.DefaultDialer, url, silence)
}

// DialWith is Dial by other means.
func DialWith(dialer *websocket.Dialer, url string, silence time.Duration) (*Store, error) {
	ws, _, err := dialer.Dial(url, nil)
	if err != nil {
		return nil, err
	}
	s := &Store{
		ws: ws, silence: silence, moved: make(chan struct{}),
		confirmed: map[string]Entity{}, view: map[string]Entity{}, history: map[string][]Entity{},
		verdicts: map[string]string{}, codes: map[string]string{},
	}
	go s.read()
	return s, nil
}

// Close drops the connection.
func (s *Store) Close() { s.ws.Close() }

func (s *Store) read() {
	for {
		_, data, err := s.ws.ReadMessage()
		if err != nil {
			s.mu.Lock()
			s.broken = err
			s.emit()
			s.mu.Unlock()
			return
		}
		var frame struct {
			Type             string `json:"type"`
			ClientMutationID string `json:"clientMutationId"`
			Entity           Entity `json:"entity"`
			Code             string `json:"code"`
		}
		if json.Unmarshal(data, &frame) != nil {
			continue
		}
		s.mu.Lock()
		switch {
		case frame.Type == "ack" && frame.ClientMutationID != "":
			s.ack(frame.ClientMutationID, frame.Entity)
		case frame.Type == "nack" && frame.ClientMutationID != "":
			s.codes[frame.ClientMutationID] = frame.Code
			s.rollback(frame.ClientMutationID, "nack")
		case frame.Type == "sync" && frame.Entity != nil:
			id, _ := frame.Entity["id"].(string)
			s.confirmed[id] = frame.Entity
			s.rebuild(id)
		}
		s.emit()
		s.mu.Unlock()
	}
}

func (s *Store) emit() {
	close(s.moved)
	s.moved = make(chan struct{})
}

// rebuild derives the view of one entity: confirmed, then every pending patch
// on it in the order made.
func (s *Store) rebuild(id string) {
	next := maps.Clone(s.confirmed[id])
	for _, c := range s.pending {
		if c.entityID != id {
			continue
		}
		if next == nil {
			next = maps.Clone(c.base)
		}
		maps.Copy(next, c.patch)
	}
	if next == nil {
		delete(s.view, id)
		return
	}
	s.view[id] = next
	s.history[id] = append(s.history[id], next)
}

func (s *Store) find(id string) (int, *change) {
	for i, c := range s.pending {
		if c.id == id {
			return i, c
		}
	}
	return -1, nil
}

func (s *Store) drop(i int) {
	c := s.pending[i]
	c.timer.Stop()
	s.pending = append(s.pending[:i:i], s.pending[i+1:]...)
	s.rebuild(c.entityID)
}

func (s *Store) ack(id string, entity Entity) {
	i, c := s.find(id)
	if c == nil {
		return
	}
	if entity != nil {
		s.confirmed[c.entityID] = entity
	}
	s.verdicts[id] = "ack"
	s.drop(i)
}

func (s *Store) rollback(id, why string) {
	i, c := s.find(id)
	if c == nil {
		return
	}
	s.verdicts[id] = why
	s.drop(i)
}

// Mutate shows the patch at once, sends it and arms the timer. It gives the
// mutation's id, "" when the entity is not known.
func (s *Store) Mutate(entityID string, patch Entity) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	base := s.confirmed[entityID]
	if base == nil {
		return ""
	}
	c := &change{id: uuid4(), entityID: entityID, patch: patch, base: base}
	c.timer = time.AfterFunc(s.silence, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.rollback(c.id, "timeout")
		s.emit()
	})
	s.pending = append(s.pending, c)
	s.rebuild(entityID)
	s.emit()
	s.ws.WriteJSON(map[string]any{"type": "mutate", "clientMutationId": c.id, "entityId": entityID, "patch": patch})
	return c.id
}

// Get is the entity as it is shown, nil if there is none.
func (s *Store) Get(id string) Entity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view[id]
}

// History is every state an entity was shown in.
func (s *Store) History(id string) []Entity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Entity(nil), s.history[id]...)
}

// Verdict is what became of a mutation: ack, nack and its code, timeout, or ""
// while it is pending.
func (s *Store) Verdict(id string) (verdict, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.verdicts[id], s.codes[id]
}

// Wait returns when ok says yes, or with an error after the time given or when
// the connection is gone.
func (s *Store) Wait(within time.Duration, ok func() bool) error {
	end := time.After(within)
	for {
		s.mu.Lock()
		moved, broken := s.moved, s.broken
		s.mu.Unlock()
		if ok() {
			return nil
		}
		if broken != nil {
			return broken
		}
		select {
		case <-moved:
		case <-end:
			return fmt.Errorf("not within %s", within)
		}
	}
}

func uuid4() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Broken says whether the connection is gone.
func (s *Store) Broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken != nil
}

// Pending is the number of changes without a verdict.
func (s *Store) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending)
}
