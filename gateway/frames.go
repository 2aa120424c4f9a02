package gateway

import (
	"errors"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// frame answers one message of the client; a code other than 0 closes.
func (s *session) frame(kind int, data []byte) (code int, reason string) {
	switch {
	case kind != websocket.TextMessage:
		return s.senseless(&domain.Rejection{Code: domain.Invalid, Reason: "not a text frame"})
	case !utf8.Valid(data):
		return websocket.CloseInvalidFramePayloadData, "not UTF-8"
	case len(data) > wire.FrameBytes:
		return s.oversized(data)
	}
	f, bad := wire.ParseClient(data)
	switch {
	case bad != nil && f.ID != "":
		s.nack(f.ID, bad)
		return 0, ""
	case bad != nil:
		return s.senselessAs(f.Page, bad)
	}
	switch f.Type {
	case wire.TypeMutate:
		s.mutate(f)
	case wire.TypeCancel:
		s.cancel(f.ID)
	case wire.TypePresence:
		s.present(f.Data)
	case wire.TypeAuth:
		return s.refresh(f.Token)
	case wire.TypeLoad:
		s.load(f.Page)
	case wire.TypePing:
		s.put(replyItem(wire.Pong{Type: wire.TypePong, ServerTime: stamp(s.hs.now())}))
	}
	return 0, ""
}

// senseless answers a frame that costs itself, and the connection when it
// comes over and over.
func (s *session) senseless(r *domain.Rejection) (code int, reason string) {
	return s.senselessAs(nil, r)
}

// senselessAs is senseless with the load, if it was one and its id can be told.
func (s *session) senselessAs(load *wire.Page, r *domain.Rejection) (code int, reason string) {
	now := time.Now()
	if s.broken == nil {
		s.broken = new(broken)
	}
	s.broken.frames = max(0, s.broken.frames-int(now.Sub(s.broken.at)/brokenPer))
	s.broken.at = now
	s.hs.counts.broken.Add(1)
	if s.broken.frames++; s.broken.frames > brokenBurst {
		return wire.CloseAbuse, "too many broken frames"
	}
	answer := wire.Error{Type: wire.TypeError, Code: r.Code, Reason: r.Reason}
	if load != nil {
		answer.ID = &load.ID
	}
	s.put(replyItem(answer))
	return 0, ""
}

func (s *session) oversized(data []byte) (code int, reason string) {
	r := &domain.Rejection{Code: domain.TooLarge, Reason: "frame too large", Details: domain.Details{"limit": wire.FrameBytes}}
	if typ, id := wire.Peek(data); typ == wire.TypeMutate && id != "" {
		s.nack(id, r)
		return 0, ""
	}
	return s.senseless(r)
}

func (s *session) nack(id string, r *domain.Rejection) {
	if wire.Retryable(r.Code) {
		s.hs.counts.retryable.Add(1)
	} else {
		s.hs.counts.nacks.Add(1)
	}
	s.put(replyItem(nackFrame(id, s.id.user, r)))
}

// refuse answers a mutate that was not published, and from then on every one
// that is not known to be out already, until this id comes again (law 7).
func (s *session) refuse(id string, code domain.Code, reason string) {
	if s.refused.id == "" {
		s.refused = refused{id, code}
	}
	s.pushBack(id, code, reason)
}

// pushBack answers a mutate that was not published and may be sent again.
func (s *session) pushBack(id string, code domain.Code, reason string) {
	s.nack(id, &domain.Rejection{Code: code, Reason: reason, Details: domain.Details{"retryAfterMs": retryAfter1.Milliseconds()}})
}

func (s *session) mutate(f wire.ClientFrame) {
	s.hs.counts.mutations.Add(1)
	cmd := &domain.Command{
		ID: f.ID, Board: s.hub.board, Op: domain.OpMutate, User: s.id.user, Session: s.key,
		Grant: s.id.grant(s.hub.board), Changes: f.Changes,
	}
	ttl := schedule(cmd, f, s.hs.now())
	sent := &sending{key: mutationKey{s.id.user, f.ID}, cmd: cmd, deadline: time.Now().Add(ttl), session: s}
	if s.hs.tracing != nil {
		s.hs.tracing.begin(cmd, f.Trace, viaSocket)
	}
	out, first, ok := s.admit(sent)
	if !ok && cmd.Trace != "" {
		s.hs.tracing.drop(cmd.Trace)
	}
	if !ok || !first {
		return
	}
	if err := s.hub.publish(sent, out); err != nil {
		s.q.count(flight{mutates: -1})
		s.refuse(f.ID, wire.Unavailable, "the log cannot be reached")
	}
}

// admit puts a mutate behind the session's earlier ones and registers it, or
// refuses it. out says that it may have been published before: then it is not
// refused, but waits its turn.
func (s *session) admit(sent *sending) (out, first, ok bool) {
	made, isULID := domain.IDTime(sent.key.id)
	for {
		s.hub.mu.Lock()
		if s.refused.id == sent.key.id {
			s.refused.id = ""
		}
		out = s.hub.maybeOut(sent.key, made, s.born)
		sent.repeat = out || !isULID
		var code domain.Code
		var reason string
		switch {
		case !out && s.refused.id != "":
			code, reason = s.refused.code, "an earlier mutation was refused: send that one first"
		case !out && s.retired.Load():
			code, reason = wire.Unavailable, "this node is stopping"
		case !out && s.hs.astray():
			code, reason = wire.Unavailable, reasonAstray
		case !out && s.hs.full(s.hub.board):
			code, reason = wire.Unavailable, reasonFull
		case !s.q.fly(wire.InFlight):
			code, reason = wire.RateLimited, "too many mutations in flight"
		default:
			first = !(s.trial != nil && s.trial.take(sent, out)) && s.enlist(sent)
			s.hub.mu.Unlock()
			return out, first, true
		}
		if !out && s.refused.id == "" {
			s.refused = refused{sent.key.id, code}
		}
		s.hub.mu.Unlock()
		if !out {
			s.pushBack(sent.key.id, code, reason)
			return out, false, false
		}
		s.hold(wire.InFlight - 1)
		if s.q.ended() || s.hub.ctx.Err() != nil {
			return out, false, false
		}
	}
}

// enlist puts a mutate behind the session's earlier ones and registers it. Call
// it with hub.mu held.
func (s *session) enlist(sent *sending) (first bool) {
	if s.hs.lab != nil && s.hub.refusedInLab(sent) {
		return false
	}
	s.line(sent)
	return s.hub.register(sent)
}

// line puts a mutate behind the session's earlier ones. Another sending of one
// that still waits keeps the place of the first. Call it with hub.mu held.
func (s *session) line(sent *sending) {
	if o := s.hub.owned[sent.key]; o != nil {
		for _, other := range o.sendings {
			if other.session == s && other.cmd.Op == domain.OpMutate {
				return
			}
		}
	}
	sent.prev = s.last
	s.last = sent
	if p := sent.undecidedBefore(); p != nil {
		sent.mixed = p.repeat || p.mixed
	}
}

// cancel withdraws a mutation. It has no predecessor: it may overtake.
func (s *session) cancel(id string) {
	now := s.hs.now()
	ttl := wire.MaxTTLMs * time.Millisecond
	cmd := &domain.Command{
		ID: id, Board: s.hub.board, Op: domain.OpCancel, User: s.id.user, Session: s.key,
		Grant: s.id.grant(s.hub.board), ReceivedAt: stamp(now), Deadline: stamp(now.Add(ttl)),
	}
	s.q.count(flight{cancels: 1})
	sent := &sending{key: mutationKey{s.id.user, id}, cmd: cmd, deadline: time.Now().Add(ttl), session: s}
	s.hub.mu.Lock()
	if s.refused.id == id {
		s.refused.id = ""
	}
	first := !(s.trial != nil && s.trial.take(sent, true)) && s.hub.await(sent)
	s.hub.mu.Unlock()
	if first {
		_ = s.hub.publish(sent, true) // not published yet: the chase will
	}
}

// refresh takes another token of the same user.
func (s *session) refresh(token string) (code int, reason string) {
	if s.auth == nil {
		return s.senseless(&domain.Rejection{Code: domain.Invalid, Reason: "auth: this server asks for no token"})
	}
	id, err := s.auth(token)
	switch {
	case errors.Is(err, errTokenExpired):
		return wire.CloseTokenExpired, "token expired"
	case err != nil || id.user != s.id.user:
		return wire.CloseBadToken, "bad token, or another user's"
	}
	s.hub.mu.Lock()
	s.id = id
	role := s.hub.roleOf(id)
	s.hub.mu.Unlock()
	if !role.Valid() {
		return wire.CloseNoMember, "no longer a member"
	}
	s.expireAt(id.expires)
	return 0, ""
}
