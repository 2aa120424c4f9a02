package gateway

import (
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

const (
	authTimeout   = 10 * time.Second    // for the auth frame
	closeTimeout  = 5 * time.Second     // for what is queued, the close frame and the peer's
	lingerTimeout = time.Second         // for what a peer sends after it was given up
	readLimit     = 4 * wire.FrameBytes // bytes of a frame that is still read, to answer it
	brokenBurst   = 32                  // broken frames in a row that are borne,
	brokenPer     = time.Second
)

// authenticator says whose token it is.
type authenticator func(token string) (identity, error)

// session is one connection. Its reader and its writer share the queue; what
// hub.mu guards is said so.
type session struct {
	hs    *hubs
	hub   *hub // set by join
	conn  conn
	q     queue
	key   string        // names the session to others
	group uint8         // of those looked at together; under hubs.mu
	open  bool          // it watches the open part of the board
	born  time.Time     // of the connection
	auth  authenticator // nil in open mode

	// retired: the node is to stop and this client stays all the same. Nothing
	// new is taken; the connection closes when nothing is in flight.
	retired atomic.Bool

	// Under hub.mu.
	id      identity
	at      int        // 1 + where it is in hub.sessions; 0: it is not there
	answers int        // 1 + where its first one is in hub.answers; 0: there is none
	last    *sending   // newest mutate
	waiting []*sending // sending.at is where each is
	said    *presence  // nil: nothing
	trial   *trial     // in the rollback lab; nil: none

	// The reader's own while nothing waits in trial; else under hub.mu.
	refused refused

	// The reader's own.
	in     incoming
	talked bool    // a message came since the last pong,
	grown  bool    // or since this goroutine began: its stack has grown
	loads  int64   // by hubs.clock: when those answered would have been due at their rate
	broken *broken // nil: no frame was
	expiry *time.Timer

	lastHeard atomic.Int64 // when the peer last showed life, by hubs.clock
	pinged    int64        // watch's own: when a ping was last asked for, by the same
}

// refused is the mutation whose refusal holds up what follows (law 7), "" for
// none.
type refused struct {
	id   string
	code domain.Code
}

// broken counts the frames of late that made no sense.
type broken struct {
	frames int
	at     time.Time // of the last one
}

var upgrader = websocket.Upgrader{
	Subprotocols:    []string{wire.Subprotocol},
	WriteBufferPool: &sync.Pool{},
	CheckOrigin:     func(*http.Request) bool { return true }, // Server has checked it
	Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
		writeProblem(w, problem{status: status, code: domain.Invalid, reason: reason.Error()})
	},
}

// serve upgrades the request and runs the session until it ends. id.user ""
// without open mode means: the token comes as bearer subprotocol or auth
// frame. authenticate is nil in open mode.
func (hs *hubs) serve(w http.ResponseWriter, r *http.Request, board string, id identity, authenticate func(token string) (identity, error)) {
	switch {
	case hs.draining.Load():
		writeProblem(w, unavailable("this node is stopping"))
		return
	case hs.astray(): // it would tell its client a wrong time, which all its ids then have
		writeProblem(w, unavailable(reasonAstray))
		return
	}
	open, bad := partOpen(r.URL.Query())
	if bad != nil {
		writeProblem(w, *bad)
		return
	}
	s := &session{hs: hs, key: ulid.Make().String(), open: open, born: hs.now(), auth: authenticate, id: id}
	s.q.init(hs.cfg.QueueBytes, s)
	s.conn.of = s
	ws, err := upgrader.Upgrade(&hijacker{w, &s.conn}, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	s.in.conn = s.conn.Conn
	// Neither the request nor the stack and the buffers it is served with stay
	// while the connection lives.
	code, reason := s.enter(r, board, ws.Subprotocol())
	if code == 0 {
		go s.listen()
	} else {
		go s.end(code, reason)
	}
}

// listen is the reader: it takes frames until the connection is to be closed.
// One that has fallen silent begins again with a new goroutine, whose stack is
// small.
func (s *session) listen() {
	code, reason, rests := s.read()
	if rests {
		go s.listen()
	} else {
		s.end(code, reason)
	}
}

// end closes the connection and gives everything back.
func (s *session) end(code int, reason string) {
	s.shut(code, reason)
	if s.hub != nil {
		s.endTrial()
		s.hub.part(s)
	}
	s.linger()
	lost := time.AfterFunc(closeTimeout, func() { _ = s.conn.Close() })
	s.q.wait()
	lost.Stop()
	if s.hub != nil {
		s.leave()
	}
	_ = s.conn.Close()
	s.in.at = s.in.end
	s.in.settle()
}

// enter authenticates, opens the room and joins it; a code other than 0 is why not.
func (s *session) enter(r *http.Request, board, subprotocol string) (code int, reason string) {
	offered := websocket.Subprotocols(r)
	named := slices.ContainsFunc(offered, func(p string) bool { return !strings.HasPrefix(p, wire.BearerPrefix) })
	if named && subprotocol == "" {
		return wire.CloseVersion, "offer " + wire.Subprotocol
	}
	if s.id.user == "" && s.auth != nil {
		if code, reason := s.authenticate(offered); code != 0 {
			return code, reason
		}
	}
	hs, start := s.hs, time.Now()
	if !domain.ValidID(board) {
		return s.notHere(start)
	}
	h, err := hs.open(hs.ctx, board)
	if err != nil {
		return wire.CloseOverloaded, "the board cannot be read now"
	}
	if !h.reach(hs.ctx, r.URL.Query()) {
		h.release()
		return wire.CloseOverloaded, "this node is behind what you have seen"
	}
	if !h.join(s, r.URL.Query()) {
		h.release()
		return s.notHere(start)
	}
	hs.enter(s)
	if hs.draining.Load() { // it began while this session joined
		s.goaway(0)
		time.AfterFunc(leaveGrace, s.retire)
	}
	s.expireAt(s.id.expires)
	return 0, ""
}

// notHere is the one answer for a board that does not exist and one that s may
// not see, start being when it was looked for.
func (s *session) notHere(start time.Time) (code int, reason string) {
	if s.auth != nil {
		veil(s.hs.ctx, start)
	}
	reason = "no such board, or not for you"
	s.put(replyItem(wire.Error{Type: wire.TypeError, Code: domain.NotFound, Reason: reason}))
	return wire.CloseNoMember, reason
}

// authenticate finds the token in the offered subprotocols or the first frame.
func (s *session) authenticate(offered []string) (code int, reason string) {
	for _, p := range offered {
		if token, ok := strings.CutPrefix(p, wire.BearerPrefix); ok {
			return s.take(token)
		}
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(authTimeout))
	kind, data, err := websocket.PongMessage, []byte(nil), error(nil)
	for err == nil && kind == websocket.PongMessage {
		kind, data, err = s.message()
	}
	_ = s.conn.SetReadDeadline(time.Time{})
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return wire.CloseBadToken, "no auth frame in time"
		}
		return s.readFailed(err)
	}
	f, bad := wire.ParseClient(data)
	if kind != websocket.TextMessage || !utf8.Valid(data) || bad != nil || f.Type != wire.TypeAuth {
		return wire.CloseProtocol, "the first frame must be auth"
	}
	return s.take(f.Token)
}

func (s *session) take(token string) (code int, reason string) {
	id, err := s.auth(token)
	switch {
	case errors.Is(err, errTokenExpired):
		return wire.CloseTokenExpired, "token expired"
	case err != nil:
		return wire.CloseBadToken, "bad token"
	}
	s.id = id // not joined yet: nobody else reads it
	return 0, ""
}

// expireAt closes the connection 4001 at t, unless another token comes before.
func (s *session) expireAt(t time.Time) {
	if s.expiry != nil {
		s.expiry.Stop()
		s.expiry = nil
	}
	if !t.IsZero() {
		s.expiry = time.AfterFunc(time.Until(t), func() { s.shut(wire.CloseTokenExpired, "token expired") })
	}
}

// leave gives up the room, and says to a drain that this connection is done.
func (s *session) leave() {
	hs := s.hs
	if s.expiry != nil {
		s.expiry.Stop()
	}
	s.hub.release()
	hs.mu.Lock()
	defer hs.mu.Unlock()
	delete(hs.sessions, s)
	if hs.draining.Load() && len(hs.sessions) == 0 {
		hs.allLeft()
	}
}

// heard puts off the end of a connection that shows no life.
func (s *session) heard() { s.lastHeard.Store(s.hs.clock()) }

func (s *session) put(it item) { s.q.update(func() { s.q.put(it) }) }

// owe owes a pong with data instead of those owed until now.
func (s *session) owe(data []byte) {
	pong := makeFrame(websocket.PongMessage, data)
	s.q.update(func() { s.q.pong = pong })
}

// shut queues the close frame; the first code counts.
func (s *session) shut(code int, reason string) { s.q.close(code, reason) }

// read takes frames until the connection is to be closed, and says why, or
// until it rests. What panics over a frame costs its connection, not the node.
func (s *session) read() (code int, reason string, rests bool) {
	defer func() {
		if p := recover(); p != nil {
			s.hs.logger.Error("panic over a frame", "board", s.hub.board, "panic", p, "stack", string(debug.Stack()))
			_ = s.conn.Close()
			code = websocket.CloseAbnormalClosure
		}
	}()
	s.grown = false
	for {
		s.heard()
		kind, data, err := s.message()
		switch {
		case err != nil:
			code, reason = s.readFailed(err)
			return code, reason, false
		case s.q.ended():
			return 0, "", false
		case kind == websocket.PongMessage:
			if s.grown && !s.talked {
				s.in.settle()
				return 0, "", true
			}
			s.talked = false
			continue
		}
		s.grown, s.talked = true, true
		if code, reason := s.frame(kind, data); code != 0 {
			return code, reason, false
		}
		s.hold(2 * wire.InFlight)
	}
}

// message is the next message, or pong.
func (s *session) message() (kind int, data []byte, err error) {
	for s.in.err == nil {
		kind, data, err := s.in.next()
		switch {
		case err != nil:
			s.in.err = err
		case kind == websocket.PingMessage:
			s.heard()
			s.owe(data)
		case kind == websocket.CloseMessage:
			s.in.err = closeError(data)
		default:
			return kind, data, nil
		}
	}
	return 0, nil, s.in.err
}

// hold waits while more answers wait than may; so a client that sends without
// reading waits itself.
func (s *session) hold(maxFlight int) {
	for s.q.full(maxFlight) {
		select {
		case <-s.q.room:
			s.heard() // nobody listened meanwhile
		case <-s.hub.ctx.Done():
			return
		}
	}
}

func (s *session) readFailed(err error) (code int, reason string) {
	var timeout net.Error
	var closed *websocket.CloseError
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return wire.CloseTooBig, "frame far over the limit"
	case errors.As(err, &timeout) && timeout.Timeout():
		return wire.CloseNoPong, "no sign of life"
	case errors.As(err, &closed) && closed.Code == websocket.CloseNoStatusReceived:
		return websocket.CloseNormalClosure, ""
	case errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure:
		return closed.Code, ""
	}
	return websocket.CloseProtocolError, ""
}

// linger reads on after the close frame was queued, until the peer's: what the
// peer still sends must not reset the connection under ours.
func (s *session) linger() {
	s.in.deaf = true
	if errors.Is(s.in.err, websocket.ErrReadLimit) {
		s.in.err = nil // what follows can be read
	}
	var err error
	for err == nil {
		_, _, err = s.message()
	}
	var closed *websocket.CloseError
	if errors.As(err, &closed) || errors.Is(err, io.EOF) {
		return
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(lingerTimeout))
	_, _ = io.Copy(io.Discard, s.conn.Conn)
}
