package gateway

import (
	"context"
	"net/http"
	"sync"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector"
	"github.com/snapback-io/snapback/projector/rebuild"
)

// rebuild is POST /rebuild?check&board=ID&after=ID of the admin listener: every
// read model is compared with the log and put right, what this node holds in
// memory too. It answers with a stream of lines and ends with its reader.
func (s *Server) rebuild(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	opt := rebuild.Options{Check: query.Has("check"), Board: query.Get("board"), After: query.Get("after"),
		Memories: map[string]rebuild.Memory{"view": s.hubs}}
	if s.cfg.Workers != nil {
		opt.Memories["worker"] = s.cfg.Workers
	}
	switch {
	case opt.Board != "" && !domain.ValidID(opt.Board):
		writeProblem(w, invalid("board", "not the id of a board"))
		return
	case opt.After != "" && !domain.ValidID(opt.After):
		writeProblem(w, invalid("after", "not the id of a board"))
		return
	case !s.rebuilding.CompareAndSwap(false, true):
		writeProblem(w, problem{code: domain.Conflict, reason: "this node is rebuilding already"})
		return
	}
	done := sync.OnceFunc(func() { s.rebuilding.Store(false) })
	defer done()
	ctx, tell, ended := s.lines(w, r)
	defer ended()
	opt.Found = func(d rebuild.Difference) {
		s.log.Warn("not what the log gives", "board", d.Board, "in", d.In, "seq", d.Seq, "what", d.What, "fixed", d.Fixed)
		tell(rebuild.Line{Type: "difference", Difference: &d})
	}
	opt.Progress = func(p rebuild.Progress) { tell(rebuild.Line{Type: "progress", Progress: &p}) }
	p, err := rebuild.Run(ctx, s.cfg.Rebuild, opt)
	done() // who reads the last line may ask again
	if err != nil {
		tell(rebuild.Line{Type: "failed", Progress: &p, Error: err.Error()})
		return
	}
	tell(rebuild.Line{Type: "end", Progress: &p})
}

// Still gives the board of a room as its viewers have it, nil if there is none.
func (hs *hubs) Still(_ context.Context, board string) (still *domain.Still, err error) {
	h, release := hs.room(board)
	if h == nil {
		return nil, nil
	}
	defer release()
	h.read(func(v *projector.View) { still, err = v.Board().Still() })
	return still, err
}

// Forget has a room loaded again, and everybody in it told all of the board.
func (hs *hubs) Forget(ctx context.Context, board string) error {
	h, release := hs.room(board)
	if h == nil {
		return nil
	}
	defer release()
	h.mu.Lock()
	h.afresh = true
	h.mu.Unlock()
	return h.feed.Reload(ctx)
}

// room gives the room of a board if there is one and it is loaded, held until
// release.
func (hs *hubs) room(board string) (h *hub, release func()) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h = hs.rooms[board]
	if h == nil {
		return nil, nil
	}
	select {
	case <-h.started:
	default: // it is being loaded
		return nil, nil
	}
	if h.err != nil {
		return nil, nil
	}
	h.refs++
	if h.idle != nil {
		h.idle.Stop()
		h.idle = nil
	}
	return h, h.release
}
