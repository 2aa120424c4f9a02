package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector"
)

const (
	// maxImport is how large one part of an import may be, bytes of JSON.
	maxImport = 4 << 20
	// importTTL is how long a part may take to be decided: it may be as large
	// as a commit and wait behind others like it.
	importTTL = 30 * time.Second
)

// importPart is POST /v1/boards/{board}/import: one part of a board made
// elsewhere. The board need not be there; with auth on the caller then needs a
// grant of admin for it, unless clients may choose ids.
func (s *Server) importPart(w http.ResponseWriter, r *http.Request, id identity) error {
	board := r.PathValue("board")
	if !domain.ValidID(board) {
		return notFound()
	}
	if !id.open && !s.cfg.BoardIDs && !domain.Role(id.grant(board)).Includes(domain.Admin) {
		return problem{code: domain.Forbidden, reason: "importing under an id of one's own needs a grant", details: domain.Details{"needs": domain.Admin}}
	}
	mutation, err := headerID(r, "Mutation-Id")
	if err != nil {
		return err
	}
	if mutation == "" {
		mutation = newID()
	}
	var part domain.Import
	limit := min(maxImport, s.store.MaxRecord())
	if err := readJSON(w, r, int64(limit), &part); err != nil {
		return err
	}
	st, err := s.seatAt(r.Context(), id, board)
	if err != nil {
		return err
	}
	defer st.release()
	cmd := st.command(mutation)
	cmd.Op, cmd.Import = domain.OpImport, &part
	if raw, err := json.Marshal(&cmd); err != nil || len(raw) > limit { // more than its body: escapes, who and when
		return tooLarge(int64(limit))
	}
	cmd.Trace = r.Header.Get(traceparent)
	v, _, err := s.decide(r.Context(), st, cmd, importTTL)
	if st.inTheWay(err, v) {
		return taken(board)
	}
	if err != nil {
		return err
	}
	return s.writeAccepted(w, st, mutation, v, nil)
}

// inTheWay says whether an import met a board that its sender may not see: he
// hears that the id is taken, and nothing of what the rules found there.
func (st *seat) inTheWay(err error, v domain.Verdict) (is bool) {
	var p problem
	if refused := errors.As(err, &p) && p.code == domain.Conflict; !refused && (err != nil || v.Events > 0) {
		return false
	}
	st.read(func(view *projector.View) {
		is = view.Board().Exists() && st.roleIn(view) == domain.NoRole
	})
	return is
}
