package gateway

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// accepted is the answer to a mutation that is in the log.
type accepted struct {
	ClientMutationID string            `json:"clientMutationId"`
	Rev              uint64            `json:"rev"`
	Events           int               `json:"events"`
	Entities         []json.RawMessage `json:"entities"` // as the user sees them now
}

// mutate is POST /v1/boards/{board}/mutations.
func (s *Server) mutate(w http.ResponseWriter, r *http.Request, id identity) error {
	body, err := readBody(w, r, wire.FrameBytes)
	if err != nil {
		return err
	}
	st, err := s.sit(r.Context(), id, r.PathValue("board"))
	if err != nil {
		return err
	}
	defer st.release()
	frame, bad := wire.ParseMutation(body)
	if bad != nil {
		return rejected(frame.ID, bad)
	}
	cmd := st.command(frame.ID, frame.Changes...)
	cmd.Trace = r.Header.Get(traceparent)
	ttl := schedule(&cmd, frame, s.cfg.Now())
	v, entities, err := s.decide(r.Context(), st, cmd, ttl)
	if err != nil {
		return err
	}
	return s.writeAccepted(w, st, cmd.ID, v, entities)
}

// schedule sets receipt and deadline of cmd by what its frame asks for, and
// gives the time to live that is left; a time of the frame counts before a
// span. Whether it is too far ahead is for the decision.
func schedule(cmd *domain.Command, f wire.ClientFrame, now time.Time) time.Duration {
	ttl := f.TTL
	if ttl == 0 {
		ttl = wire.DefaultTTLMs * time.Millisecond
	}
	deadline := now.Add(ttl)
	if !f.ExpiresAt.IsZero() {
		deadline, ttl = f.ExpiresAt, f.ExpiresAt.Sub(now)
	}
	cmd.ReceivedAt, cmd.Deadline = stamp(now), stamp(deadline)
	return ttl
}

func (s *Server) writeAccepted(w http.ResponseWriter, st *seat, id string, v domain.Verdict, entities []*domain.Entity) error {
	answer := accepted{id, v.Rev, v.Events, make([]json.RawMessage, 0, len(entities))}
	if st.role() == domain.NoRole {
		entities = nil // by now the user may not see them
	}
	for _, e := range entities {
		raw, err := entityJSON(e, st.id.user)
		if err != nil {
			return err
		}
		answer.Entities = append(answer.Entities, raw)
	}
	w.Header().Set("Mutation-Id", id)
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// getMutation is GET /v1/boards/{board}/mutations/{mutation}.
func (s *Server) getMutation(w http.ResponseWriter, r *http.Request, id identity) error {
	st, err := s.sit(r.Context(), id, r.PathValue("board"))
	if err != nil {
		return err
	}
	defer st.release()
	mutation := r.PathValue("mutation")
	if !domain.ValidMutationID(mutation) {
		return invalid("clientMutationId", "1 to 64 of A-Z a-z 0-9 _ -")
	}
	select {
	case s.lookups <- struct{}{}:
		defer func() { <-s.lookups }()
	case <-r.Context().Done():
		return r.Context().Err()
	}
	v, ok, err := st.lookup(r.Context(), id.user, mutation)
	if err != nil {
		return pushedBack(err)
	}
	if !ok {
		return problem{status: http.StatusNotFound, code: wire.Undecided, reason: "no verdict in the log now", mutationID: mutation}
	}
	writeJSON(w, http.StatusOK, verdictFrame(v))
	return nil
}
