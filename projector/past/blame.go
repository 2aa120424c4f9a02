package past

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// Blame says who set what an entity holds.
type Blame struct {
	Board  string      `json:"board"`
	Entity string      `json:"entity"`
	Kind   domain.Kind `json:"kind"`
	Point              // as of which this is so
	// Deleted is who deleted it, or what it hung on: the fields are what it held
	// until then. nil: it is there.
	Deleted *Set    `json:"deleted,omitempty"`
	Fields  []Field `json:"fields"` // by name
}

// Field is one field of an entity.
type Field struct {
	Name  string          `json:"field"`
	Value json.RawMessage `json:"value"` // null: it was asked for, and is absent
	Set   Set             `json:"set"`   // of a set field its last change
	// Elements are those of a set field, sorted.
	Elements []Element `json:"elements,omitempty"`
}

// Element is one element of a set field.
type Element struct {
	Element string `json:"element"`
	Set     Set    `json:"set"`
}

// Set is the mutation, and its event, that made something as it is.
type Set struct {
	Rev      uint64    `json:"rev"`
	At       time.Time `json:"at"`
	User     string    `json:"user"`
	Mutation string    `json:"mutation"`
	Event    string    `json:"event"` // its type; list.respaced gave another key to make room
	Entity   string    `json:"entity,omitempty"`
	// Origin is, of what came with an import, who made it and when where it comes from.
	Origin *domain.Origin `json:"origin,omitempty"`
}

// Question is what a blame is asked of.
type Question struct {
	Entity string
	Field  string // "": each that the entity holds
	Rev    uint64 // as of this rev (AtRev); 0: now
}

// Whose answers a question. It reads the log backwards from the entity's last
// change, in spans, and stops when all is explained, at the latest where the
// entity was made; of a deleted one the log from its end. Errors: those of
// AtRev, ErrNoEntity, ErrNoField, or the log's.
func Whose(ctx context.Context, src Source, board string, q Question) (*Blame, error) {
	return whose(ctx, src, board, q, firstSpan)
}

func whose(ctx context.Context, src Source, board string, q Question, span uint64) (*Blame, error) {
	var look Look
	var err error
	if q.Rev > 0 {
		look, err = AtRev(ctx, src, board, q.Rev)
	} else {
		look, err = Now(ctx, src, board)
	}
	if err != nil {
		return nil, err
	}
	s := &search{src: src, board: board, Question: q, span: span, rev: look.Rev, live: look.Board.Get(q.Entity)}
	if q.Field == objectField {
		return nil, fmt.Errorf("%w: %s", ErrNoField, q.Field)
	}
	if err := s.run(ctx, look); err != nil {
		return nil, err
	}
	b := &Blame{Board: board, Entity: q.Entity, Point: look.Point, Deleted: s.story.deleted}
	if s.live != nil {
		b.Kind = s.live.Kind
	} else {
		b.Kind = s.story.kind
	}
	if b.Fields, err = s.fields(); err != nil {
		return nil, err
	}
	if q.Field != "" && len(b.Fields) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNoField, q.Field)
	}
	return b, nil
}

// search is one that looks back.
type search struct {
	Question
	src   Source
	board string
	span  uint64         // sequences to be read next
	rev   uint64         // events beyond it do not count
	live  *domain.Entity // nil: it is deleted
	story story
}

// firstSpan is how many sequences of the stream the first span takes; each
// further one takes four times as many.
const firstSpan = 64

func (s *search) run(ctx context.Context, look Look) error {
	last, _, _ := look.Board.Head()
	first := eventlog.First(last)
	if s.live != nil {
		for _, end := range []struct {
			seq *uint64
			rev uint64
		}{{&first, s.live.CreatedRev}, {&last, s.live.Rev}} {
			r, err := find(ctx, s.src, s.board, last, func(d *domain.Decision) bool { return before(d) < end.rev })
			if err != nil {
				return err
			}
			if r != nil {
				*end.seq = r.Seq
			}
		}
	}
	for ; last >= first; s.span *= 4 {
		from := first
		if last-first >= s.span {
			from = last - s.span + 1
		}
		older, err := s.read(ctx, from, last)
		if err != nil {
			return err
		}
		if s.story.before(older); s.explained() {
			break
		}
		last = from - 1
	}
	switch {
	case s.live == nil && s.story.last.Rev == 0:
		return fmt.Errorf("%w: %s", ErrNoEntity, s.Entity)
	case s.live == nil && s.story.deleted == nil:
		return s.takenAlong(ctx, look)
	}
	return nil
}

// read gives what the records from one sequence to another tell of the entity.
func (s *search) read(ctx context.Context, from, to uint64) (*story, error) {
	var st story
	for r, err := range s.src.Read(ctx, s.board, from, to) {
		if err != nil {
			return nil, err
		}
		if r.Void() {
			continue
		}
		for i := range r.Commit.Decisions {
			d := &r.Commit.Decisions[i]
			for j := range d.Events {
				if ev := &d.Events[j]; ev.Rev <= s.rev {
					st.event(s.Entity, d, ev)
				}
			}
		}
	}
	return &st, nil
}

// explained says whether nothing older matters.
func (s *search) explained() bool {
	switch {
	case s.story.created:
		return true
	case s.live == nil:
		return false
	case s.Field != "":
		return s.story.explains(s.Field, s.live.Fields[s.Field])
	}
	for name, v := range s.live.Fields {
		if name != objectField && !s.story.explains(name, v) {
			return false
		}
	}
	return true
}

// fields are those asked for.
func (s *search) fields() ([]Field, error) {
	out := []Field{}
	for _, name := range slices.Sorted(maps.Keys(s.story.fields)) {
		f := s.story.fields[name]
		v := f.value
		if s.live != nil {
			v = s.live.Fields[name]
		} else if f.elements != nil {
			v = f.present()
		}
		if name == objectField || s.Field != name && (s.Field != "" || v == nil) {
			continue
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("past: field %s of %s: %w", name, s.Entity, err)
		}
		field := Field{Name: name, Value: raw, Set: f.set}
		if set, ok := v.([]string); ok && domain.IsSetField(name) {
			for _, element := range set {
				field.Elements = append(field.Elements, Element{element, f.elements[element].Set})
			}
		}
		out = append(out, field)
	}
	return out, nil
}

// takenAlong finds the event that deleted what the entity hung on. Once it is
// gone it stays so: of the past snapshots since its last change only some are
// looked at.
func (s *search) takenAlong(ctx context.Context, look Look) error {
	head, _, _ := look.Board.Head()
	r, err := find(ctx, s.src, s.board, head, func(d *domain.Decision) bool { return before(d) < s.story.last.Rev })
	if err != nil || r == nil {
		return err
	}
	pasts, err := s.src.Pasts(ctx, s.board)
	if err != nil {
		return err
	}
	pasts = slices.DeleteFunc(pasts, func(seq uint64) bool { return seq < r.Seq || seq >= head })
	b, err := eventlog.LoadBoardAt(ctx, s.src, s.board, r.Prev)
	for from, to := 0, len(pasts); err == nil && from < to; {
		middle := from + (to-from)/2
		var at *domain.Board
		if at, err = eventlog.LoadBoardAt(ctx, s.src, s.board, pasts[middle]); err == nil && at.Get(s.Entity) != nil {
			b, from = at, middle+1
		} else {
			to = middle
		}
	}
	if err != nil {
		return err
	}
	return s.follow(ctx, b, head)
}

// follow folds on until the entity is gone.
func (s *search) follow(ctx context.Context, b *domain.Board, head uint64) error {
	there := b.Get(s.Entity) != nil
	seq, _, _ := b.Head()
	for r, err := range s.src.Read(ctx, s.board, seq+1, head) {
		if err != nil {
			return err
		}
		err := b.Apply(r.Commit, r.Hash, r.Seq, r.Time, func(step domain.Step) {
			now := b.Get(s.Entity) != nil
			if there && !now && step.Event.Rev <= s.rev {
				set := setBy(step.Decision, step.Event)
				set.Entity = step.Event.EntityID
				s.story.deleted = &set
			}
			there = now
		})
		if err != nil {
			return fmt.Errorf("past: fold of board %s at %d: %w", s.board, r.Seq, err)
		}
		if s.story.deleted != nil {
			return nil
		}
	}
	return nil
}
