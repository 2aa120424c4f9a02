package hub

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/gorilla/websocket"
)

// maxQueue is how many frames may wait for a connection before it is dropped.
const maxQueue = 1 << 16

type hub struct {
	coalesce bool
	wal      *wal // nil: memory only

	mu    sync.Mutex
	rooms map[string]*room
}

type room struct {
	mu      sync.Mutex
	rev     uint64
	cards   map[string][]byte // the frame of each card's last sync
	members map[*member]struct{}
}

// change is a mutation on its way. from is nil when it was read back from the file.
type change struct {
	room   string
	from   *member
	id     json.RawMessage
	card   string
	entity json.RawMessage
}

// parse reads a change from its JSON; room and from are the caller's to set.
func parse(message []byte) (c change, err error) {
	var m struct {
		Room   string
		ID     json.RawMessage
		Entity json.RawMessage
	}
	if err = json.Unmarshal(message, &m); err != nil {
		return c, err
	}
	var card struct{ ID string }
	err = json.Unmarshal(m.Entity, &card)
	return change{room: m.Room, id: m.ID, card: card.ID, entity: m.Entity}, err
}

func newHub(coalesce bool) *hub {
	return &hub{coalesce: coalesce, rooms: map[string]*room{}}
}

func (h *hub) room(name string) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[name]
	if r == nil {
		r = &room{cards: map[string][]byte{}, members: map[*member]struct{}{}}
		h.rooms[name] = r
	}
	return r
}

// serve reads a connection until it ends.
func (h *hub) serve(ws *websocket.Conn, name string) {
	defer ws.Close()
	m := &member{conn: ws.NetConn(), wake: make(chan struct{}, 1)}
	defer m.close()
	go m.write(h.coalesce)
	r := h.room(name)
	r.join(m)
	defer r.leave(m)
	for {
		_, message, err := ws.ReadMessage()
		if err != nil {
			return
		}
		c, err := parse(message)
		if err != nil {
			return
		}
		c.room, c.from = name, m
		if h.wal != nil {
			h.wal.append(c)
		} else {
			h.apply(c)
		}
	}
}

// apply makes a change and tells everybody.
func (h *hub) apply(c change) {
	r := h.room(c.room)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rev++
	payload := make([]byte, 0, len(c.entity)+64)
	payload = strconv.AppendUint(append(payload, `{"type":"sync","rev":`...), r.rev, 10)
	payload = append(append(append(payload, `,"entity":`...), c.entity...), '}')
	sync := frame(payload)
	r.cards[c.card] = sync
	for m := range r.members {
		m.send(sync)
	}
	if c.from != nil {
		c.from.send(frame(fmt.Appendf(nil, `{"type":"ack","id":%s,"rev":%d}`, c.id, r.rev)))
	}
}

func (r *room) join(m *member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, sync := range r.cards {
		m.send(sync)
	}
	m.send(frame(fmt.Appendf(nil, `{"type":"ready","rev":%d}`, r.rev)))
	r.members[m] = struct{}{}
}

func (r *room) leave(m *member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.members, m)
}

// frame puts the head of a text frame before a payload, once for all who are
// sent it (as websocket.PreparedMessage does, but so that several go in one write).
func frame(payload []byte) []byte {
	f := []byte{0x80 | websocket.TextMessage}
	switch n := len(payload); {
	case n < 126:
		f = append(f, byte(n))
	case n < 1<<16:
		f = binary.BigEndian.AppendUint16(append(f, 126), uint16(n))
	default:
		f = binary.BigEndian.AppendUint64(append(f, 127), uint64(n))
	}
	return append(f, payload...)
}

// member is a connection with the frames that wait for it.
type member struct {
	conn net.Conn
	wake chan struct{} // holds one when queue or closed may have changed

	mu     sync.Mutex
	queue  [][]byte
	closed bool
}

func (m *member) send(frame []byte) {
	m.mu.Lock()
	m.queue = append(m.queue, frame)
	m.closed = m.closed || len(m.queue) > maxQueue
	m.mu.Unlock()
	m.signal()
}

func (m *member) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.signal()
}

func (m *member) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// write sends what queues up until the connection is closed or fails.
func (m *member) write(coalesce bool) {
	defer m.conn.Close()
	var queue [][]byte
	var all []byte
	for range m.wake {
		m.mu.Lock()
		queue, m.queue = m.queue, queue[:0]
		closed := m.closed
		m.mu.Unlock()
		if closed {
			return
		}
		if coalesce {
			all = all[:0]
			for _, f := range queue {
				all = append(all, f...)
			}
			queue = append(queue[:0], all)
		}
		for _, f := range queue {
			if _, err := m.conn.Write(f); err != nil {
				return
			}
		}
	}
}
