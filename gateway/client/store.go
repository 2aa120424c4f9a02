package client

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// Store holds one board as one user sees it: what is confirmed, the pending
// mutations in the order made, and the view derived from them. Every input is
// a method, its consequences are the returned [Effects].
//
// Not safe for concurrent use. Entities handed out are immutable.
type Store struct {
	user              string
	rollbackOnSilence bool

	confirmed map[string]*domain.Entity // advances by syncs alone
	siblings  siblings                  // confirmed, by list

	pending []*Pending          // in the order made
	byID    map[string]*Pending // the same
	users   map[key]map[*Pending]struct{}
	overlay overlay
	seq     uint64 // of the last mutation made, from 1
	bound   uint64 // the change that is replayed, or now

	shown map[string]*domain.Entity // the view; pointers change with the values only

	hold hold
	at   resumePoint
}

// resumePoint is where a later connection resumes.
type resumePoint struct {
	epoch string
	rev   uint64
	known bool
}

// hold is what has been received and is not to be seen yet: the syncs of one
// mutation before its last, or of a join or lag before its ready.
type hold struct {
	active bool // hello…ready or lag…ready
	fresh  bool // at ready, what was not sent again is gone
	epoch  string
	syncs  []*domain.Entity
	acks   []wire.Ack
}

// Pending is a mutation without a verdict.
type Pending struct {
	ID      string
	Changes []domain.Change
	// Unconfirmed: the verdict is overdue and has been asked for.
	Unconfirmed bool
	// Hidden: rolled back on silence; the view no longer shows it.
	Hidden bool

	seq  uint64
	keys map[key]struct{} // what the last replay read and wrote
}

// Change is an entity whose view changed: Before nil for a new one, After nil
// for one that is gone.
type Change struct {
	ID            string
	Before, After *domain.Entity
}

// Result is the verdict of a mutation.
type Result struct {
	ID      string
	OK      bool
	Rev     uint64 // board's rev of its last event, if OK
	Events  int
	Code    domain.Code // why not
	Reason  string      // English, for logs
	Details domain.Details
}

// Effects are the consequences of one input.
type Effects struct {
	Changed  []Change // by id; only entities whose view changed (law 11)
	Verdicts []Result // of mutations that were pending until now
}

// NewStore makes an empty Store. rollbackOnSilence is the seed's manner:
// silence takes a change back at once, a late ack brings it forward again.
func NewStore(user string, rollbackOnSilence bool) *Store {
	return &Store{
		user: user, rollbackOnSilence: rollbackOnSilence,
		confirmed: map[string]*domain.Entity{}, siblings: siblings{},
		byID: map[string]*Pending{}, users: map[key]map[*Pending]struct{}{},
		overlay: newOverlay(), bound: now, shown: map[string]*domain.Entity{},
	}
}

// User is whom `liked` speaks of.
func (s *Store) User() string { return s.user }

// Get gives the entity as shown, nil if there is none. The same pointer comes
// back until its fields change (law 11), so its Rev, UpdatedAt and UpdatedBy
// may be older than those of [Store.Confirmed].
func (s *Store) Get(id string) *domain.Entity { return s.shown[id] }

// Confirmed gives the entity without the pending mutations, nil if there is none.
func (s *Store) Confirmed(id string) *domain.Entity { return s.confirmed[id] }

// Len is the number of entities shown.
func (s *Store) Len() int { return len(s.shown) }

// All gives the entities shown, in no particular order.
func (s *Store) All() iter.Seq[*domain.Entity] { return maps.Values(s.shown) }

// List gives the entities of a kind as shown, ordered like siblings.
func (s *Store) List(kind domain.Kind) []*domain.Entity {
	var out []*domain.Entity
	for _, e := range s.shown {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return s.sort(out)
}

// Children gives the entities of a kind under a parent ("" is the board) as
// shown, archived ones included, in order: by position and id, without
// positions by createdRev, pending ones last.
func (s *Store) Children(kind domain.Kind, parent string) []*domain.Entity {
	out := s.members(list{kind, parent})
	for i, e := range out {
		out[i] = s.shown[e.ID]
	}
	return s.sort(out)
}

func (s *Store) sort(list []*domain.Entity) []*domain.Entity {
	slices.SortFunc(list, func(a, b *domain.Entity) int {
		if !positioned(a.Kind) && a.CreatedRev == 0 && b.CreatedRev == 0 {
			return cmp.Compare(s.made(a), s.made(b))
		}
		return compareSiblings(a, b)
	})
	return list
}

// made is the order of an entity that is not confirmed.
func (s *Store) made(e *domain.Entity) uint64 {
	v, _ := s.overlay.before(e.ID, now)
	return v.made
}

// Pending gives the mutations without a verdict in the order made. The caller
// must not change them.
func (s *Store) Pending() []*Pending { return s.pending }

// IsPending says whether a mutation without a verdict concerns the entity.
func (s *Store) IsPending(id string) bool {
	for p := range s.users[entityKey(id)] {
		for _, c := range p.Changes {
			if c.EntityID == id {
				return true
			}
		}
	}
	return false
}

// Resume gives epoch and rev to resume from; ok is false when the next join
// must start afresh.
func (s *Store) Resume() (epoch string, rev uint64, ok bool) {
	return s.at.epoch, s.at.rev, s.at.known
}

// Mutate shows a change made here. The id must be new.
func (s *Store) Mutate(id string, changes []domain.Change) Effects {
	s.seq++
	p := &Pending{ID: id, Changes: changes, seq: s.seq}
	s.pending = append(s.pending, p)
	s.byID[id] = p
	s.replay(p)
	s.note(p)
	touched := map[string]struct{}{}
	for k := range p.keys {
		if k.kind == "" {
			touched[k.parent] = struct{}{}
		}
	}
	return Effects{Changed: s.show(touched)}
}

// Hello begins a join; until Ready nothing of it is seen. Unless it resumes,
// the resume position is forgotten at once, the confirmed entities at Ready.
func (s *Store) Hello(h wire.Hello) Effects {
	s.hold = hold{active: true, fresh: !h.Resumed || !s.at.known, epoch: h.Epoch}
	if s.hold.fresh {
		s.at = resumePoint{}
	}
	if h.User == s.user {
		return Effects{}
	}
	s.user = h.User
	r := s.newRebase()
	for _, p := range s.pending {
		if !p.Hidden {
			r.dirty[p] = struct{}{}
		}
	}
	return Effects{Changed: r.finish()}
}

// Lag begins a time in which revs may skip; until Ready nothing of it is seen.
func (s *Store) Lag() { s.hold.active = true }

// Ready ends a join or a lag at rev.
func (s *Store) Ready(rev uint64) Effects {
	if s.hold.epoch != "" {
		s.at.epoch = s.hold.epoch
	}
	s.at.rev, s.at.known = rev, true
	s.hold.active = false
	return s.release()
}

// Disconnected drops what was received and not yet seen; the next join sends
// it again.
func (s *Store) Disconnected() { s.hold = hold{} }

// Sync takes a confirmed entity. With More set, and before Ready, it is held back.
func (s *Store) Sync(f wire.Sync) (Effects, error) {
	var e domain.Entity
	if err := json.Unmarshal(f.Entity, &e); err != nil {
		return Effects{}, fmt.Errorf("client: entity of a sync: %w", err)
	}
	s.hold.syncs = append(s.hold.syncs, &e)
	if s.hold.active || f.More {
		return Effects{}, nil
	}
	s.at.rev = max(s.at.rev, f.Rev)
	return s.release(), nil
}

// Ack drops a mutation: the syncs that carry it came before (law 2). The ack of
// an unknown mutation is harmless.
func (s *Store) Ack(f wire.Ack) Effects {
	if s.hold.active || len(s.hold.syncs) > 0 {
		s.hold.acks = append(s.hold.acks, f)
		return Effects{}
	}
	return s.conclude(ackVerdict(f))
}

// Nack drops exactly the mutation it names; the caller keeps retryable ones away.
func (s *Store) Nack(f wire.Nack) Effects {
	return s.conclude(Result{ID: f.ClientMutationID, Code: f.Code, Reason: f.Reason, Details: f.Details})
}

func ackVerdict(f wire.Ack) Result {
	return Result{ID: f.ClientMutationID, OK: true, Rev: f.Rev, Events: f.Events}
}

// Silence marks a mutation unconfirmed; with rollbackOnSilence the view drops
// it as well. It stays pending until its verdict.
func (s *Store) Silence(id string) Effects {
	p := s.byID[id]
	if p == nil || p.Unconfirmed {
		return Effects{}
	}
	p.Unconfirmed = true
	if !s.rollbackOnSilence {
		return Effects{}
	}
	p.Hidden = true
	r := s.newRebase()
	r.remove(p)
	return Effects{Changed: r.finish()}
}

func (s *Store) conclude(v Result) Effects {
	r := s.newRebase()
	return Effects{Verdicts: s.forget(v, r), Changed: r.finish()}
}

// forget ends a mutation. Nothing happens if it is not pending.
func (s *Store) forget(v Result, r *rebase) []Result {
	p := s.byID[v.ID]
	if p == nil {
		return nil
	}
	delete(s.byID, v.ID)
	i := slices.Index(s.pending, p)
	s.pending = slices.Delete(s.pending, i, i+1)
	if !p.Hidden {
		r.remove(p)
	}
	return []Result{v}
}

// release makes what was held back confirmed and shows the outcome in one go.
func (s *Store) release() Effects {
	held := s.hold
	s.hold = hold{}
	r := s.newRebase()
	if held.fresh {
		for _, e := range slices.Collect(maps.Values(s.confirmed)) {
			s.unconfirm(e, r)
		}
	}
	for _, e := range held.syncs {
		s.confirm(e, r)
	}
	var eff Effects
	for _, f := range held.acks {
		eff.Verdicts = append(eff.Verdicts, s.forget(ackVerdict(f), r)...)
	}
	eff.Changed = r.finish()
	return eff
}

// confirm takes one confirmed state, unless it is older than the one held.
func (s *Store) confirm(e *domain.Entity, r *rebase) {
	old := s.confirmed[e.ID]
	switch {
	case e.Deleted:
		if old != nil {
			s.unconfirm(old, r)
		}
		return
	case old == nil:
		s.siblings.add(e)
	case e.Rev < old.Rev:
		return
	case compareSiblings(old, e) == 0 && sameSeat(old, e):
		s.siblings.replace(old, e)
	default:
		s.siblings.remove(old)
		s.siblings.add(e)
	}
	s.confirmed[e.ID] = e
	r.shifted(e.ID, 0, state{entity: old}, state{entity: e})
}

// unconfirm takes an entity away, and with it what hangs on it.
func (s *Store) unconfirm(e *domain.Entity, r *rebase) {
	if s.confirmed[e.ID] != e {
		return
	}
	delete(s.confirmed, e.ID)
	s.siblings.remove(e)
	r.shifted(e.ID, 0, state{entity: e}, state{})
	for _, l := range hanging(e.ID) {
		for _, child := range slices.Clone(s.siblings[l]) {
			s.unconfirm(child, r)
		}
	}
}

// show brings the view of the touched entities up to date. An entity that
// comes out alike keeps the pointer it had.
func (s *Store) show(touched map[string]struct{}) []Change {
	var out []Change
	for id := range touched {
		before, after := s.shown[id], s.current(id)
		switch {
		case before == after || alike(before, after):
			continue
		case after == nil:
			delete(s.shown, id)
		default:
			s.shown[id] = after
		}
		out = append(out, Change{id, before, after})
	}
	slices.SortFunc(out, func(a, b Change) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// alike says whether a viewer sees no difference: fields compared as JSON
// values, and whether, when and by whom it was confirmed to be made.
func alike(a, b *domain.Entity) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && a.CreatedRev == b.CreatedRev && a.CreatedBy == b.CreatedBy &&
		a.CreatedAt.Equal(b.CreatedAt) && maps.EqualFunc(a.Fields, b.Fields, domain.EqualValues)
}
