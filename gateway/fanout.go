package gateway

import (
	"encoding/json"
	"slices"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

// news is what one record has the sessions told: its syncs, encoded once for
// all who like none of its cards and once more for each set of them that
// somebody likes, and the verdicts for who waits here.
type news struct {
	syncs []projector.Sync
	plain []byte // the frames as who likes none of the cards is sent them
	ends  []int  // where each ends in plain
	// liked are those of syncs whose card somebody likes; shown their frames
	// for those who do, and sets all the frames for each set that came up.
	liked []int
	shown map[int][]byte
	sets  map[string]item
	// leavers are the users whose member entity changed: nothing is told from
	// the decision after that on if they have no role now. By place in the
	// record, and the number of syncs up to there.
	leavers map[string]place

	enc syncEncoder

	traced *applied // nil: the record is not traced
}

type place struct{ decision, syncs int }

// maxOpenNews is how large the news of the open part may be, bytes: a restored
// column may have thousands of cards. What is larger is caught up with, at the
// speed of each reader, instead of lying in memory.
const maxOpenNews = 16 << 20

// newNews encodes the syncs of a record, as who watches the open part is sent
// them if open; nil: that is too large.
func newNews(outcomes []projector.Outcome, open bool) (*news, error) {
	n := new(news)
	for i, o := range outcomes {
		if open && o.Swamped {
			return nil, nil
		}
		syncs := o.Syncs
		if open && o.Open != nil {
			syncs = o.Open
		}
		n.syncs = append(n.syncs, syncs...)
		for _, sync := range syncs {
			user, is := domain.IsMemberID(sync.Entity.ID)
			if _, before := n.leavers[user]; before || !is || sync.Entity.Kind != domain.KindMember {
				continue
			}
			if n.leavers == nil {
				n.leavers = map[string]place{}
			}
			n.leavers[user] = place{i, len(n.syncs)}
		}
	}
	n.ends = make([]int, len(n.syncs))
	for i := range n.syncs {
		var err error
		if n.plain, err = n.enc.append(n.plain, &n.syncs[i], false); err != nil {
			return nil, err
		}
		n.ends[i] = len(n.plain)
		if open && len(n.plain) > maxOpenNews {
			return nil, nil
		}
		if len(n.syncs[i].Entity.Fields.Set("likedBy")) > 0 {
			n.liked = append(n.liked, i)
		}
	}
	return n, nil
}

// frames are the first count syncs as user is sent them; none of zero size.
func (n *news) frames(user string, count int) item {
	var few [64]byte
	set := few[:0]
	for at, i := range n.liked {
		if n.syncs[i].Entity.LikedBy(user) {
			for len(set) <= at/8 {
				set = append(set, 0)
			}
			set[at/8] |= 1 << (at % 8)
		}
	}
	switch {
	case count == 0:
		return item{}
	case len(set) == 0:
		return item{data: n.plain[:n.ends[count-1]]}
	case count < len(n.syncs):
		return n.mix(set, count)
	}
	mixed, ok := n.sets[string(set)]
	if !ok {
		if mixed = n.mix(set, count); n.sets == nil {
			n.sets = map[string]item{}
		}
		n.sets[string(set)] = mixed
	}
	return mixed
}

// mix puts together the frames for who likes the cards in set. Large ones are
// not copied: many may each like others of the cards of a restored column.
func (n *news) mix(set []byte, count int) item {
	var pieces [][]byte
	size, from := 0, 0
	add := func(piece []byte) {
		pieces = append(pieces, piece)
		size += len(piece)
	}
	for at, i := range n.liked {
		if i >= count || at/8 >= len(set) || set[at/8]&(1<<(at%8)) == 0 {
			continue
		}
		shown, ok := n.shown[i]
		if !ok {
			shown, _ = n.enc.append(nil, &n.syncs[i], true) // encodable: it was for the others
			if n.shown == nil {
				n.shown = map[int][]byte{}
			}
			n.shown[i] = shown
		}
		start := 0
		if i > 0 {
			start = n.ends[i-1]
		}
		add(n.plain[from:start])
		add(shown)
		from = n.ends[i]
	}
	add(n.plain[from:n.ends[count-1]])
	if size <= maxCopied {
		return item{data: slices.Concat(pieces...)}
	}
	return item{bulk: &bulk{frames: pieces, size: size}}
}

// maxCopied is up to how many bytes of news are copied for each set of cards
// that somebody likes.
const maxCopied = 64 << 10

// syncEncoder makes sync frames.
type syncEncoder struct{ entity []byte }

// append adds the frame of sync for who likes the card, or does not.
func (x *syncEncoder) append(dst []byte, sync *projector.Sync, liked bool) ([]byte, error) {
	entity, err := sync.Entity.AppendJSONFor(x.entity[:0], liked)
	if err != nil {
		return nil, err
	}
	x.entity = entity
	start := len(dst)
	dst = wire.AppendSync(openFrame(dst), sync.Rev, entity, sync.By, sync.Event, sync.More)
	return closeFrame(dst, start, websocket.TextMessage), nil
}

// entityJSON is the entity as user sees it.
func entityJSON(e *domain.Entity, user string) ([]byte, error) { return e.JSONFor(e.LikedBy(user)) }

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
func idReused(v *domain.Verdict) *domain.Verdict {
	other := *v
	other.Rejection = &domain.Rejection{Code: domain.IDReused, Reason: "this id was used with another content"}
	return &other
}

func verdictItem(v *domain.Verdict) item {
	if v.Rejection != nil {
		return replyItem(nackFrame(v.ID, v.User, v.Rejection))
	}
	data := wire.AppendAck(make([]byte, frameRoom, frameRoom+len(v.ID)+ackRoom), v.ID, v.Rev, v.Events)
	return item{kind: itemAck, rev: v.Rev, data: closeFrame(data, 0, websocket.TextMessage)}
}

// ackRoom is about what an ack takes beside its id.
const ackRoom = 80

// replyItem is a frame that is never dropped.
func replyItem(frame any) item {
	data, err := json.Marshal(frame)
	if err != nil { // cannot happen: frames are made of what JSON can write
		data = []byte(`{"type":"error","code":"unavailable","reason":"unencodable frame"}`)
	}
	return item{kind: itemReply, data: textFrame(data)}
}

// Load replaces the view; every session is brought up to date from where it
// is. Verdicts of records that were passed over are found by the chase.
func (h *hub) Load(v *projector.View) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.view = v
	v.WatchOpen(h.opens > 0)
	h.dropImages()
	if h.afresh {
		h.rev, h.afresh = 0, false
	}
	for _, s := range h.sessions {
		s.q.update(func() {
			s.q.lag(h.rev)
			if !h.roleOf(s.id).Valid() {
				s.q.stop(wire.CloseNoMember, "no longer a member")
			}
		})
	}
	h.hasMoved()
}

// Apply folds a record and tells everybody: to each session the syncs and its
// own verdicts in one go, so that they leave in one flush.
func (h *hub) Apply(r eventlog.Record) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var traced *applied
	if h.hs.tracing != nil {
		if traced = h.hs.tracing.apply(&r); traced != nil {
			defer traced.done()
		}
	}
	outcomes, err := h.view.Apply(r)
	if err != nil {
		return err
	}
	waited := len(h.owned)
	for i := range outcomes {
		h.hs.counts.syncs.Add(int64(len(outcomes[i].Syncs)))
		h.settle(&outcomes[i].Verdict, &r.Commit.Decisions[i].Command, i)
	}
	if len(h.sessions) > 0 {
		whole, open := h.bothNews(outcomes, r.Seq)
		if traced != nil {
			traced.tells(whole, open)
		}
		h.chain()
		h.beginRound()
		for _, s := range h.sessions {
			switch {
			case !s.open:
				h.tell(s, whole)
			case open == nil:
				s.q.update(func() { s.q.lag(h.rev) })
				h.tell(s, whole)
			default:
				h.tell(s, open)
			}
		}
	}
	h.answers = cleared(h.answers)
	if told := h.hs.counts.told; told != nil && len(h.owned) < waited && !r.Stored.IsZero() {
		told(r.Stored)
	}
	h.hasMoved()
	return nil
}

// bothNews gives what the sessions are told that watch the whole board, and
// those that watch its open part; the same unless both are there and the record
// tells them differently. open is nil if they must be brought up to date
// instead; then there is whole.
func (h *hub) bothNews(outcomes []projector.Outcome, seq uint64) (whole, open *news) {
	encode := func(part bool) *news {
		n, err := newNews(outcomes, part)
		if err != nil { // cannot happen: entities are made of JSON
			h.hs.logger.Error("record not encodable", "board", h.board, "seq", seq, "error", err)
			n = new(news)
		}
		return n
	}
	if h.opens < len(h.sessions) {
		whole = encode(false)
	}
	differs := func(o projector.Outcome) bool { return o.Open != nil || o.Swamped }
	if open = whole; h.opens > 0 && (whole == nil || slices.ContainsFunc(outcomes, differs)) {
		if open = encode(true); open == nil && whole == nil {
			whole = encode(false)
		}
	}
	return whole, open
}

// tell queues the news and s's own answers. Of a record in which s lost its
// role it is told as far as the decision that had to do with it.
func (h *hub) tell(s *session, n *news) {
	upTo := place{len(h.answers), len(n.syncs)}
	lost := false
	if at, is := n.leavers[s.id.user]; is && !h.roleOf(s.id).Valid() {
		upTo, lost = at, true
	}
	syncs := n.frames(s.id.user, upTo.syncs)
	s.q.mu.Lock()
	if syncs.size() > 0 {
		syncs.kind, syncs.rev = itemSync, n.syncs[0].Rev
		if n.traced != nil {
			n.traced.put(&s.q, syncs)
		} else {
			s.q.put(syncs)
		}
	}
	mine := s.answers != 0
	for i := s.answers; i != 0; i = h.answers[i-1].next {
		if a := &h.answers[i-1]; !lost || a.decision <= upTo.decision {
			s.q.put(a.item)
		}
	}
	s.answers = 0
	if lost {
		s.q.stop(wire.CloseNoMember, "no longer a member")
	}
	h.round.end(&s.q, mine || lost)
}

// Repeat brings a stored verdict to whoever waits for it.
func (h *hub) Repeat(v domain.Verdict) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer(v)
}

// answer settles v apart from any record. Call it with h.mu held.
func (h *hub) answer(v domain.Verdict) {
	h.settle(&v, nil, 0)
	for i := range h.answers {
		h.answers[i].session.put(h.answers[i].item)
	}
	h.answers = cleared(h.answers)
}

func (h *hub) roleOf(id identity) domain.Role {
	return h.view.Board().RoleOf(id.user, id.grant(h.board))
}

func (h *hub) hasMoved() {
	h.rev = h.view.Rev()
	if h.moved != nil {
		close(h.moved)
		h.moved = nil
	}
}
