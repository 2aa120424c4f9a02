package gateway

import (
	"encoding/json"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

// liveSync is one sync on its way to every session of a board, encoded at most
// twice: for those who like the card and for the others.
type liveSync struct {
	projector.Sync
	encoded [2]*websocket.PreparedMessage
	size    [2]int
}

// item is the sync as user is sent it.
func (l *liveSync) item(user string) (item, error) {
	i := 0
	liked := l.Entity.LikedBy(user)
	if liked {
		i = 1
	}
	if l.encoded[i] == nil {
		data, err := syncFrame(l.Entity, liked, l.Rev, l.By, l.Event, l.More)
		if err != nil {
			return item{}, err
		}
		if l.encoded[i], err = websocket.NewPreparedMessage(websocket.TextMessage, data); err != nil {
			return item{}, err
		}
		l.size[i] = len(data)
	}
	return item{kind: itemSync, rev: l.Rev, prepared: l.encoded[i], size: l.size[i]}, nil
}

func syncFrame(e *domain.Entity, liked bool, rev uint64, by, event string, more bool) ([]byte, error) {
	entity, err := entityFor(e, liked)
	if err != nil {
		return nil, err
	}
	return json.Marshal(wire.Sync{Type: wire.TypeSync, Rev: rev, Entity: entity, By: by, Event: event, More: more})
}

// entityFor is the entity as clients see it: a card with liked and likes, a
// file without its object.
func entityFor(e *domain.Entity, liked bool) ([]byte, error) {
	if _, has := e.Fields["object"]; has && e.Kind == domain.KindFile {
		shown := make(domain.Fields, len(e.Fields))
		for name, v := range e.Fields {
			if name != "object" {
				shown[name] = v
			}
		}
		return e.AppendJSON(nil, shown)
	}
	return e.JSONFor(liked)
}

// entityJSON is the entity as user sees it.
func entityJSON(e *domain.Entity, user string) ([]byte, error) { return entityFor(e, e.LikedBy(user)) }

// verdictFrame is the ack or nack frame (wire.Ack, wire.Nack) of v as its user
// sees it. It does not judge id_reused.
func verdictFrame(v domain.Verdict) any {
	if v.Rejection == nil {
		return wire.Ack{Type: wire.TypeAck, ClientMutationID: v.ID, Rev: v.Rev, Events: v.Events}
	}
	return nackFrame(v.ID, v.User, v.Rejection)
}

func nackFrame(id, user string, r *domain.Rejection) wire.Nack {
	return wire.Nack{Type: wire.TypeNack, ClientMutationID: id, Code: r.Code, Reason: r.Reason,
		Retryable: wire.Retryable(r.Code), Details: detailsFor(r.Details, user)}
}

// detailsFor shows the entity of a conflict as user sees it.
func detailsFor(d domain.Details, user string) domain.Details {
	if d["entity"] == nil {
		return d
	}
	out := make(domain.Details, len(d))
	for name, v := range d {
		out[name] = v
	}
	delete(out, "entity")
	e, isEntity := d["entity"].(*domain.Entity)
	if !isEntity { // as the log gives it back
		raw, err := json.Marshal(d["entity"])
		e = new(domain.Entity)
		if err != nil || json.Unmarshal(raw, e) != nil {
			return out
		}
	}
	if raw, err := entityJSON(e, user); err == nil {
		out["entity"] = json.RawMessage(raw)
	}
	return out
}

// idReused is the verdict on a sending whose id belongs to another content. It
// says nothing about the first.
func idReused(v domain.Verdict) domain.Verdict {
	v.Rejection = &domain.Rejection{Code: domain.IDReused, Reason: "this id was used with another content"}
	return v
}

func verdictItem(v domain.Verdict) item {
	it := replyItem(verdictFrame(v))
	if v.Rejection == nil {
		it.kind, it.rev = itemAck, v.Rev
	}
	return it
}

// replyItem is a frame that is never dropped.
func replyItem(frame any) item {
	data, err := json.Marshal(frame)
	if err != nil { // cannot happen: frames are made of what JSON can write
		data = []byte(`{"type":"error","code":"unavailable","reason":"unencodable frame"}`)
	}
	return item{kind: itemReply, data: data, size: len(data)}
}

// Load replaces the view; every session is brought up to date from where it
// is. Verdicts of records that were passed over are found by the chase.
func (h *hub) Load(v *projector.View) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.view = v
	for s := range h.sessions {
		s.q.update(func() {
			s.q.lag(h.rev)
			if !h.roleOf(s.id).Valid() {
				s.q.end(wire.CloseNoMember, "no longer a member")
			}
		})
	}
	h.hasMoved()
}

// told is what one decision has the sessions told.
type told struct {
	syncs   []*liveSync
	answers map[*session][]item
	members map[string]bool // users whose member entity changed
}

// Apply folds a record and tells everybody: to each session the syncs and its
// own verdicts in one go, so that they leave in one flush.
func (h *hub) Apply(r eventlog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	outcomes, err := h.view.Apply(r)
	if err != nil {
		return err
	}
	news := make([]told, len(outcomes))
	for i, o := range outcomes {
		for _, sync := range o.Syncs {
			news[i].syncs = append(news[i].syncs, &liveSync{Sync: sync})
			if user, is := domain.IsMemberID(sync.Entity.ID); is && sync.Entity.Kind == domain.KindMember {
				if news[i].members == nil {
					news[i].members = map[string]bool{}
				}
				news[i].members[user] = true
			}
		}
		h.hs.counts.syncs.Add(int64(len(o.Syncs)))
		news[i].answers = h.settle(o.Verdict)
	}
	for s := range h.sessions {
		h.tell(s, news)
	}
	h.hasMoved()
	return nil
}

func (h *hub) tell(s *session, news []told) {
	s.q.update(func() {
		for i := range news {
			for _, sync := range news[i].syncs {
				it, err := sync.item(s.id.user)
				if err != nil { // cannot happen: entities are made of JSON
					h.hs.logger.Error("entity not encodable", "board", h.board, "entity", sync.Entity.ID, "error", err)
					continue
				}
				s.q.put(it)
			}
			for _, it := range news[i].answers[s] {
				s.q.put(it)
			}
			if news[i].members[s.id.user] && !h.roleOf(s.id).Valid() {
				s.q.end(wire.CloseNoMember, "no longer a member")
				return
			}
		}
	})
}

// Repeat brings a stored verdict to whoever waits for it.
func (h *hub) Repeat(v domain.Verdict) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer(v)
}

// answer settles v apart from any record. Call it with h.mu held.
func (h *hub) answer(v domain.Verdict) {
	for s, items := range h.settle(v) {
		s.q.update(func() {
			for _, it := range items {
				s.q.put(it)
			}
		})
	}
}

func (h *hub) roleOf(id identity) domain.Role {
	return h.view.Board().RoleOf(id.user, id.grant(h.board))
}

func (h *hub) hasMoved() {
	h.rev = h.view.Rev()
	close(h.moved)
	h.moved = make(chan struct{})
}
