package gateway

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/text/unicode/norm"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

// createBoard is POST /v1/boards.
func (s *Server) createBoard(w http.ResponseWriter, r *http.Request, id identity) error {
	var body struct{ ID, Title string }
	if err := readJSON(w, r, wire.FrameBytes, &body); err != nil {
		return err
	}
	key, err := headerID(r, "Idempotency-Key")
	if err != nil {
		return err
	}
	board := body.ID
	switch {
	case board == "" && key != "":
		board = boardOfKey(id.user, key)
	case board == "":
		board = newID()
	case !id.open && !s.cfg.BoardIDs:
		return invalid("id", "this server chooses the ids of boards")
	case !domain.ValidID(board):
		return invalid("id", "1 to 64 of A-Z a-z 0-9 _ - :")
	}
	st, err := s.seatAt(r.Context(), id, board)
	if err != nil {
		return err
	}
	defer st.release()
	made := false
	entity, err := st.boardAgain(body.Title)
	if errors.Is(err, errNoBoard) {
		made, entity, err = s.makeBoard(r.Context(), st, body.Title, r.Header.Get(traceparent))
	}
	if err != nil {
		return err
	}
	raw, err := entityJSON(entity, id.user)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	w.Header().Set("Location", "/v1/boards/"+url.PathEscape(board))
	writeJSON(w, status, json.RawMessage(raw))
	return nil
}

// boardOfKey gives a board its id by the Idempotency-Key, so that a request
// sent twice makes one board.
func boardOfKey(user, key string) string {
	sum := sha256.Sum256([]byte(user + "\x00" + key))
	var id ulid.ULID
	copy(id[:], sum[:])
	id[0] &= 0x7f
	return id.String()
}

// taken answers for an id that another board has.
func taken(board string) problem {
	return problem{code: domain.Conflict, reason: "the id is taken", details: domain.Details{"entityId": board}}
}

// errNoBoard: nothing is there yet, the board can be made.
var errNoBoard = errors.New("gateway: no such board")

// boardAgain gives the board if this user has made it with this title, which
// answers a request sent twice. Errors: errNoBoard, or a conflict, which is
// the same for every board that is in the way, seen or not.
func (st *seat) boardAgain(title string) (entity *domain.Entity, err error) {
	err = errNoBoard
	st.read(func(v *projector.View) {
		b := v.Board()
		if b.Rev() == 0 { // at most refusals are in its log
			return
		}
		err = taken(st.board)
		e := b.Get(st.board)
		if st.roleIn(v) == domain.NoRole || e == nil || e.CreatedBy != st.id.user {
			return
		}
		if e.Fields.String("title") == norm.NFC.String(strings.TrimSpace(title)) {
			entity, err = e, nil
		}
	})
	return entity, err
}

// makeBoard has the board created. When somebody was faster, so that the
// rules found a board there, it answers as boardAgain does.
func (s *Server) makeBoard(ctx context.Context, st *seat, title, parent string) (made bool, entity *domain.Entity, err error) {
	fresh := uint64(0)
	cmd := st.command(newID(), domain.Change{
		EntityID: st.board, Patch: domain.Patch{"kind": string(domain.KindBoard), "title": title}, IfRev: &fresh,
	})
	cmd.Trace = parent
	_, entities, err := s.decide(ctx, st, cmd, wire.DefaultTTLMs*time.Millisecond)
	if err != nil {
		entity, again := st.boardAgain(title)
		if errors.Is(again, errNoBoard) {
			return false, nil, err
		}
		return false, entity, again
	}
	for _, e := range entities {
		if e.ID == st.board {
			return true, e, nil
		}
	}
	return false, nil, fmt.Errorf("gateway: board %s was made and is not there", st.board)
}

const (
	defaultPage = 100
	maxPage     = 1000
)

// listedBoard is one of the boards that GET /v1/boards lists.
type listedBoard struct {
	Board    string      `json:"board"`
	Title    string      `json:"title"`
	Archived bool        `json:"archived,omitempty"`
	Role     domain.Role `json:"role"`
}

// listBoards is GET /v1/boards?after=ID&limit=N: in order of id, with `next` to
// go on after when there is more.
func (s *Server) listBoards(w http.ResponseWriter, r *http.Request, id identity) error {
	query := r.URL.Query()
	limit := defaultPage
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return invalid("limit", "1 to 1000")
		}
		limit = min(n, maxPage)
	}
	after := query.Get("after")
	if after != "" && !domain.ValidID(after) {
		return invalid("after", "not the id of a board")
	}
	match := func(board string) bool { return id.grant(board) != "" }
	listings, err := s.store.Listings(r.Context(), id.user, match, after, limit+1)
	if err != nil {
		return err
	}
	answer := struct {
		Boards []listedBoard `json:"boards"`
		Next   string        `json:"next,omitempty"`
	}{Boards: []listedBoard{}}
	for i, l := range listings {
		if i == limit {
			answer.Next = listings[i-1].Board
			break
		}
		answer.Boards = append(answer.Boards, listedBoard{l.Board, l.Title, l.Archived, listedRole(l, id)})
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// listedRole is the user's role as far as the directory knows.
func listedRole(l eventlog.Listing, id identity) domain.Role {
	member, granted := l.Members[id.user], domain.Role(id.grant(l.Board))
	switch {
	case id.open && len(l.Members) == 0:
		return domain.Admin
	case id.open && member == domain.NoRole:
		return domain.Editor
	case id.open || member.Includes(granted):
		return member
	}
	return granted
}

// getBoard is GET /v1/boards/{board}: the board as it is, or was.
func (s *Server) getBoard(w http.ResponseWriter, r *http.Request, id identity) error {
	query := r.URL.Query()
	if query.Has("rev") || query.Has("at") {
		return s.getPast(w, r, id)
	}
	open, bad := partOpen(query)
	if bad != nil {
		return *bad
	}
	st, err := s.sit(r.Context(), id, r.PathValue("board"))
	if err != nil {
		return err
	}
	defer st.release()
	if text := query.Get("minRev"); text != "" {
		if err := waitFor(r.Context(), st, text); err != nil {
			return err
		}
	}
	var entities []*domain.Entity
	var rev uint64
	role := domain.NoRole
	st.read(func(v *projector.View) {
		role, rev = st.roleIn(v), v.Rev()
		entities = partOf(v.Board(), open)
	})
	if role == domain.NoRole { // lost while waiting
		return notFound()
	}
	s.writeBoard(w, r, st, rev, entities)
	return nil
}

// maxRevWait is how long ?minRev waits.
const maxRevWait = 5 * time.Second

func waitFor(ctx context.Context, st *seat, text string) error {
	rev, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return invalid("minRev", "not a rev")
	}
	ctx, cancel := context.WithTimeout(ctx, maxRevWait)
	defer cancel()
	if err := st.waitRev(ctx, rev); err != nil {
		return unavailable("the board has not reached this rev")
	}
	return nil
}

// writeBoard streams the entities as the user sees them. A reader that goes
// away or stands still ends it.
func (s *Server) writeBoard(w http.ResponseWriter, r *http.Request, st *seat, rev uint64, entities []*domain.Entity) {
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodHead {
		return
	}
	steady := newSteadyWriter(w)
	defer steady.done()
	out := bufio.NewWriterSize(steady, 64<<10)
	board, _ := json.Marshal(st.board)
	epoch, _ := json.Marshal(s.store.Epoch())
	_, _ = out.WriteString(`{"board":` + string(board) + `,"epoch":` + string(epoch) + `,"rev":` + strconv.FormatUint(rev, 10) + `,"entities":[`)
	for i, e := range entities {
		raw, err := entityJSON(e, st.id.user)
		if err != nil {
			s.log.Error("entity cannot be encoded", "board", st.board, "entity", e.ID, "error", err)
			panic(http.ErrAbortHandler) // half an answer must not look whole
		}
		if i > 0 {
			_ = out.WriteByte(',')
		}
		if _, err := out.Write(raw); err != nil {
			return
		}
	}
	_, _ = out.WriteString("]}\n")
	_ = out.Flush()
}
