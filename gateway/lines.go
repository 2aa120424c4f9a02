package gateway

import (
	"context"
	"encoding/json"
	"net/http"
)

// lines begins an answer that is a stream of JSON lines while something runs
// long. ctx ends when nobody reads any more, or the server is closed. Call done
// when the answer is whole.
func (s *Server) lines(w http.ResponseWriter, r *http.Request) (ctx context.Context, tell func(line any), done func()) {
	ctx, cancel := context.WithCancel(r.Context())
	closed := context.AfterFunc(s.chores.life, cancel)
	w.Header().Set("Content-Type", "application/x-ndjson")
	steady := newSteadyWriter(w)
	out, flush := json.NewEncoder(steady), http.NewResponseController(w).Flush
	tell = func(line any) {
		if out.Encode(line) != nil || flush() != nil {
			cancel()
		}
	}
	return ctx, tell, func() { steady.done(); closed(); cancel() }
}
