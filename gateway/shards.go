package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/mover"
)

// Shards is what an operator needs of an [eventlog.Log] to add shards and to
// move boards; the methods are documented there.
type Shards interface {
	mover.Log
	AddShards(ctx context.Context, n int) (gen int, err error)
}

// maxAdded is how many shards one call may add.
const maxAdded = 1023

// generations is GET /shards of the admin listener: how many each generation has.
func (s *Server) generations(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string][]int{"generations": s.cfg.Shards.Generations()})
}

// addShards is POST /shards?add=N: a generation of N shards more. The nodes take
// it in when they start again.
func (s *Server) addShards(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Query().Get("add"))
	if err != nil || n < 1 || n > maxAdded {
		p := invalid("add", "how many shards to add, 1 to "+strconv.Itoa(maxAdded))
		p.details["limit"] = maxAdded
		writeProblem(w, p)
		return
	}
	gen, err := s.cfg.Shards.AddShards(r.Context(), n)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.log.Info("shards were added, to be worked on when the nodes have started again", "generation", gen, "shards", n)
	writeJSON(w, http.StatusOK, map[string]int{"generation": gen, "shards": n})
}

// move is POST /move?board=ID&to=GENERATION&after=ID of the admin listener. It
// answers with a stream of lines and ends with its reader.
func (s *Server) move(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	opt := mover.Options{Board: query.Get("board"), After: query.Get("after")}
	to, err := strconv.Atoi(query.Get("to"))
	opt.To = to
	switch {
	case query.Has("to") && (err != nil || to < 1):
		writeProblem(w, invalid("to", "the number of a generation of shards, 1 or more"))
		return
	case query.Has("board") && !domain.ValidID(opt.Board):
		writeProblem(w, invalid("board", "not the id of a board"))
		return
	case query.Has("after") && !domain.ValidID(opt.After):
		writeProblem(w, invalid("after", "not the id of a board"))
		return
	}
	ctx, tell, ended := s.lines(w, r)
	defer ended()
	opt.Told = func(l mover.Line) {
		s.log.Info("a board was moved", "board", l.Board, "generation", l.Generation, "shard", l.Shard, "seconds", l.Seconds)
		tell(l)
	}
	last, err := mover.Run(ctx, s.cfg.Shards, opt)
	if err != nil {
		last.Type, last.Error = "failed", err.Error()
		if errors.Is(err, eventlog.ErrNotFound) {
			last.Error = "there is no board " + opt.Board
		}
	}
	tell(last)
}
