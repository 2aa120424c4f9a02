package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/browser"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

// methods is what one path answers, by method. GET serves HEAD too.
type methods map[string]http.HandlerFunc

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h, ok := m[method]; ok {
		h(w, r)
		return
	}
	allow := []string{http.MethodOptions}
	for name := range m {
		allow = append(allow, name)
		if name == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	slices.Sort(allow)
	w.Header().Set("Allow", strings.Join(allow, ", "))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeProblem(w, problem{code: codeMethod, reason: "allowed: " + strings.Join(allow, ", ")})
}

// routes are the paths of PROTOCOL.md, "HTTP".
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for path, m := range map[string]methods{
		"/v1/boards":                              {"GET": s.as(s.listBoards), "POST": s.as(s.createBoard)},
		"/v1/boards/{board}":                      {"GET": s.as(s.getBoard)},
		"/v1/boards/{board}/ws":                   {"GET": s.socket},
		"/v1/boards/{board}/log":                  {"GET": s.as(s.getLog)},
		"/v1/schema/{file}":                       {"GET": s.getSchema},
		"/v1/boards/{board}/diff":                 {"GET": s.as(s.getDiff)},
		"/v1/boards/{board}/blame":                {"GET": s.as(s.getBlame)},
		"/v1/boards/{board}/bundle":               {"GET": s.as(s.getBundle)},
		"/v1/boards/{board}/head":                 {"GET": s.as(s.getHead)},
		"/v1/checkpoints":                         {"GET": s.as(s.getCheckpoints)},
		"/v1/checkpoints/{shard}":                 {"GET": s.as(s.getCheckpoint)},
		"/v1/checkpoints/{shard}/tile/{path...}":  {"GET": s.as(s.getTile)},
		"/v1/boards/{board}/mutations":            {"POST": s.as(s.mutate)},
		"/v1/boards/{board}/mutations/{mutation}": {"GET": s.as(s.getMutation)},
		"/v1/boards/{board}/import":               {"POST": s.as(s.importPart)},
		"/v1/boards/{board}/files/{file}/content": {"GET": s.as(s.getContent), "PUT": s.as(s.putContent)},
		"/api/posts/{card}/like":                  {"POST": s.as(s.like)},
	} {
		mux.Handle(path, apiHeaders(m))
	}
	if s.cfg.Lab {
		mux.Handle("/v1/boards/{board}/lab", apiHeaders(methods{"GET": s.as(s.getLab), "PUT": s.as(s.putLab)}))
	}
	unknown := apiHeaders(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeProblem(w, notFound()) }))
	mux.Handle("/v1/", unknown)
	mux.Handle("/api/", unknown)
	mux.Handle("/client.js", newModule(browser.Client))
	mux.Handle("/", s.page)
	return mux
}

// apiHeaders are on every answer that is no page: nothing of it is kept,
// guessed at, framed or loaded by another site.
func apiHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// as runs h for whoever the request's credentials name and answers its error.
func (s *Server) as(h func(http.ResponseWriter, *http.Request, identity) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := s.identify(r)
		if err == nil {
			err = h(w, r, id)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	}
}

// socket hands an upgrade to the hubs. Credentials that no header has may be
// in the offered subprotocols or come as the first frame.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	if !isUpgrade(r) {
		w.Header().Set("Upgrade", "websocket")
		writeProblem(w, problem{status: http.StatusUpgradeRequired, code: domain.Invalid, reason: "this is a WebSocket"})
		return
	}
	id, err := s.identify(r)
	if err != nil && !errors.Is(err, errNoToken) {
		s.fail(w, r, err)
		return
	}
	var authenticate func(string) (identity, error)
	if s.cfg.Auth != nil {
		authenticate = s.cfg.Auth.check
	}
	s.hubs.serve(w, r, r.PathValue("board"), id, authenticate)
}

// seat is a user at a board for the length of one request. Leave it once.
type seat struct {
	room
	board string
	id    identity
}

// sit opens the board for the user. A board that does not exist, that nobody
// may see yet, or that this user may not see is the same notFound.
func (s *Server) sit(ctx context.Context, id identity, board string) (*seat, error) {
	if !domain.ValidID(board) {
		return nil, notFound()
	}
	start := time.Now()
	st, err := s.seatAt(ctx, id, board)
	if err != nil {
		return nil, err
	}
	if st.role() == domain.NoRole {
		st.release()
		if !id.open { // in open mode there is no board that somebody may not see
			veil(ctx, start)
		}
		return nil, notFound()
	}
	return st, nil
}

// veilStep is what the time of a notFound is rounded up to.
const veilStep = 50 * time.Millisecond

// veil waits until a whole number of steps since start has passed, so that the
// time it takes to find nothing does not tell what is there.
func veil(ctx context.Context, start time.Time) {
	timer := time.NewTimer(veilStep - time.Since(start)%veilStep)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// seatAt is sit without a look at what is there.
func (s *Server) seatAt(ctx context.Context, id identity, board string) (*seat, error) {
	rm, err := s.open(ctx, board)
	if err != nil {
		return nil, pushedBack(err)
	}
	return &seat{room: rm, board: board, id: id}, nil
}

// role is what the user may do by the view as it is now; NoRole too if the
// board does not exist. What is done is judged again by the log's order.
func (st *seat) role() (role domain.Role) {
	st.read(func(v *projector.View) { role = st.roleIn(v) })
	return role
}

func (st *seat) roleIn(v *projector.View) domain.Role {
	if !v.Board().Exists() {
		return domain.NoRole
	}
	return v.Board().RoleOf(st.id.user, st.id.grant(st.board))
}

// command is a mutation of the user's on the board.
func (st *seat) command(id string, changes ...domain.Change) domain.Command {
	return domain.Command{
		ID: id, Board: st.board, Op: domain.OpMutate, User: st.id.user, Name: st.id.name, Picture: st.id.picture,
		Grant: st.id.grant(st.board), Changes: changes,
	}
}

// verdictMargin is for how long beyond a mutation's deadline a request waits:
// its gateway asks once more then, so that `expired` is logged.
const verdictMargin = 3 * time.Second

// decide submits cmd and waits for its verdict. A refusal is a problem; no
// verdict in time is the problem undecided.
func (s *Server) decide(ctx context.Context, st *seat, cmd domain.Command, ttl time.Duration) (domain.Verdict, []*domain.Entity, error) {
	start := time.Now()
	v, entities, err := s.submit(ctx, st, cmd, ttl)
	s.metrics.decided(v, err, time.Since(start))
	if err == nil && v.Rejection != nil {
		err = rejected(cmd.ID, v.Rejection)
	}
	return v, entities, pushedBack(err)
}

func (s *Server) submit(ctx context.Context, st *seat, cmd domain.Command, ttl time.Duration) (domain.Verdict, []*domain.Entity, error) {
	if !s.flights.enter(st.id.user) {
		return domain.Verdict{}, nil, &retryError{wire.RateLimited, retryAfter1}
	}
	defer s.flights.leave(st.id.user)
	patience := min(max(ttl, 0), wire.MaxTTLMs*time.Millisecond) + verdictMargin
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	v, entities, err := st.submit(ctx, cmd, ttl)
	if err != nil && ctx.Err() != nil {
		err = problem{code: wire.Undecided, reason: "no verdict yet, ask again under the same id", mutationID: cmd.ID}
	}
	return v, entities, err
}

// flights bounds what each user may have under way over HTTP, as a connection
// is bounded.
type flights struct {
	most int
	mu   sync.Mutex
	by   map[string]int // users with none are not in it
}

func (f *flights) enter(user string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by[user] >= f.most {
		return false
	}
	if f.by == nil {
		f.by = make(map[string]int)
	}
	f.by[user]++
	return true
}

func (f *flights) leave(user string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by[user]--; f.by[user] == 0 {
		delete(f.by, user)
	}
}

// pushedBack words back-pressure as a problem and leaves other errors alone.
func pushedBack(err error) error {
	var retry *retryError
	if errors.As(err, &retry) {
		return problem{code: retry.code, reason: plain(err), details: domain.Details{"retryAfterMs": retry.after.Milliseconds()}}
	}
	return err
}

// readBody reads a JSON body of at most limit bytes, whatever type it is said
// to be: plain curl calls it a form, and other sites' pages are kept out by
// their Origin.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return nil, problem{code: codeMediaType, reason: "the body has no Content-Encoding"}
	}
	if r.ContentLength > limit {
		return nil, problem{code: domain.TooLarge, reason: "body too large", details: domain.Details{"limit": limit}}
	}
	patient := http.NewResponseController(w)
	_ = patient.SetReadDeadline(time.Now().Add(bodyTimeout)) // a recorder has none
	defer func() { _ = patient.SetReadDeadline(time.Time{}) }()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, err
	case err != nil:
		return nil, problem{code: domain.Invalid, reason: "the body broke off"}
	case !utf8.Valid(body): // a decoder would make something else of it
		return nil, problem{code: domain.Invalid, reason: "the body is not UTF-8"}
	}
	return body, nil
}

// bodyTimeout is how long a JSON body may take to arrive, and how long an
// upload or download may stand still.
const bodyTimeout = 30 * time.Second

// readJSON is readBody into v.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	body, err := readBody(w, r, limit)
	if err != nil {
		return err
	}
	if domain.TooDeep(body) {
		return problem{code: domain.Invalid, reason: "nested too deep", details: domain.Details{"limit": domain.MaxDepth}}
	}
	if err := json.Unmarshal(body, v); err != nil {
		return problem{code: domain.Invalid, reason: "not the JSON expected: " + strings.TrimPrefix(err.Error(), "json: ")}
	}
	return nil
}

// headerID is the mutation id a header brings, "" if it has none. Quotes, as a
// structured field has them, are no part of it.
func headerID(r *http.Request, header string) (string, error) {
	values := r.Header.Values(header)
	if len(values) == 0 {
		return "", nil
	}
	id := values[0]
	if n := len(id); n >= 2 && id[0] == '"' && id[n-1] == '"' {
		id = id[1 : n-1]
	}
	if len(values) > 1 || !domain.ValidMutationID(id) {
		return "", invalid(header, "one id of 1 to 64 of A-Z a-z 0-9 _ -")
	}
	return id, nil
}

func newID() string { return ulid.Make().String() }
