package gateway

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

// demoBoard is the board of a like that names none.
const demoBoard = "demo"

// liking is the answer of the like button.
type liking struct {
	Liked bool `json:"liked"`
	Likes int  `json:"likes"`
}

// like is POST /api/posts/{card}/like: it toggles, in log order, and answers
// what its own decision made of the card, also when it is asked again.
func (s *Server) like(w http.ResponseWriter, r *http.Request, id identity) error {
	mutation, err := headerID(r, "Idempotency-Key")
	if err != nil {
		return err
	}
	if mutation == "" {
		mutation = newID()
	}
	board := demoBoard
	if query := r.URL.Query(); query.Has("board") {
		board = query.Get("board")
	}
	card := r.PathValue("card")
	st, err := s.sit(r.Context(), id, board)
	if err != nil {
		return err
	}
	defer st.release()
	if !domain.ValidID(card) {
		return notFound()
	}
	cmd := st.command(mutation, domain.Change{EntityID: card, Patch: domain.Patch{}, Toggle: true})
	cmd.Trace = r.Header.Get(traceparent)
	v, _, err := s.decide(r.Context(), st, cmd, wire.DefaultTTLMs*time.Millisecond)
	if err != nil {
		return err
	}
	likedBy, err := s.likedByAt(r.Context(), st, card, v)
	if err != nil {
		return err
	}
	w.Header().Set("Mutation-Id", mutation)
	writeJSON(w, http.StatusOK, liking{slices.Contains(likedBy, id.user), len(likedBy)})
	return nil
}

// likedByAt gives who liked the card as of the decision v: the present set,
// with what came later taken back. A card that is gone by now is folded from
// the log's beginning.
func (s *Server) likedByAt(ctx context.Context, st *seat, card string, v domain.Verdict) ([]string, error) {
	var now *domain.Entity
	var head uint64
	st.read(func(view *projector.View) { now, head = view.Board().Get(card), view.Seq() })
	if now == nil {
		var set []string
		err := s.likeEvents(ctx, st.board, card, 1, v.Seq, func(e *domain.Event) {
			if e.Rev <= v.Rev {
				set = append(set, e.After.Set("likedBy")...) // of a card liked when it was made
				set = moved(set, e.Added["likedBy"], e.Removed["likedBy"])
			}
		})
		return set, err
	}
	set := now.Fields.Set("likedBy")
	if now.Rev <= v.Rev {
		return set, nil
	}
	var later []*domain.Event
	err := s.likeEvents(ctx, st.board, card, v.Seq, head, func(e *domain.Event) {
		if e.Rev > v.Rev && e.Rev <= now.Rev {
			later = append(later, e)
		}
	})
	for _, e := range slices.Backward(later) {
		set = moved(set, e.Removed["likedBy"], e.Added["likedBy"])
	}
	return set, err
}

// likeEvents calls fn for each event on the card in the records from to to.
func (s *Server) likeEvents(ctx context.Context, board, card string, from, to uint64, fn func(*domain.Event)) error {
	for rec, err := range s.store.Read(ctx, board, from, to) {
		if err != nil {
			return err
		}
		if rec.Void() {
			continue
		}
		for i := range rec.Commit.Decisions {
			for j := range rec.Commit.Decisions[i].Events {
				if e := &rec.Commit.Decisions[i].Events[j]; e.EntityID == card {
					fn(e)
				}
			}
		}
	}
	return nil
}

// moved is set with added put in and removed taken out; set is kept.
func moved(set, added, removed []string) []string {
	out := slices.DeleteFunc(slices.Clone(set), func(s string) bool {
		return slices.Contains(removed, s) || slices.Contains(added, s)
	})
	return append(out, added...)
}
