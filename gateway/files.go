package gateway

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

const (
	maxContentType = 255 // bytes
	anyContentType = "application/octet-stream"
	// verdictPatience is for how long an upload whose request has ended waits
	// for its verdict, to know what becomes of its bytes.
	verdictPatience = 2 * time.Minute
)

// putContent is PUT /v1/boards/{board}/files/{file}/content. The bytes are
// stored whole under an upload id of their own, then a mutation names them;
// renaming never touches them.
func (s *Server) putContent(w http.ResponseWriter, r *http.Request, id identity) error {
	up, err := newUpload(r, s.cfg.MaxContent)
	if err != nil {
		return err
	}
	st, err := s.sit(r.Context(), id, r.PathValue("board"))
	if err != nil {
		return err
	}
	handedOn := false
	defer func() {
		if !handedOn {
			st.release()
		}
	}()
	if err := up.admit(st); err != nil {
		return err
	}
	w.Header().Set("Mutation-Id", up.mutation)
	if err := s.receive(w, r, up); err != nil {
		return err
	}
	cmd := st.command(up.mutation, up.change)
	cmd.Trace = r.Header.Get(traceparent)
	ttl := schedule(&cmd, wire.ClientFrame{}, s.cfg.Now())
	v, entities, err := s.decide(r.Context(), st, cmd, ttl)
	if undecided(err) {
		// What has no verdict may still come true: its bytes stay until it is known.
		handedOn = s.settleLater(st, cmd)
		return err
	}
	s.settle(r.Context(), st, cmd, v)
	if err != nil {
		return err
	}
	return s.writeAccepted(w, st, up.mutation, v, entities)
}

// upload is one PUT on its way.
type upload struct {
	file, mutation string
	contentType    string
	limit          int64
	change         domain.Change // Content is set when the bytes are stored
}

// newUpload reads what a request says of its bytes; a fault costs no upload.
func newUpload(r *http.Request, limit int64) (*upload, error) {
	up := &upload{file: r.PathValue("file"), contentType: anyContentType, limit: limit}
	var err error
	if up.mutation, err = headerID(r, "Mutation-Id"); err != nil {
		return nil, err
	}
	if up.mutation == "" {
		up.mutation = newID()
	}
	if !domain.ValidID(up.file) {
		return nil, invalid("entityId", "1 to 64 of A-Z a-z 0-9 _ - :")
	}
	if r.Header.Get("Content-Range") != "" {
		return nil, invalid("Content-Range", "content is stored whole")
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return nil, problem{code: codeMediaType, reason: "content is stored as it is, without Content-Encoding"}
	}
	if ct := r.Header.Get("Content-Type"); ct != "" {
		_, _, err := mime.ParseMediaType(ct)
		if err != nil || len(ct) > maxContentType || strings.ContainsFunc(ct, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, invalid("contentType", "not a media type")
		}
		up.contentType = ct
	}
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("query", "malformed")
	}
	if !utf8.ValidString(query.Get("name")) {
		return nil, invalid("name", "not UTF-8")
	}
	patch := domain.Patch{}
	if query.Has("name") {
		patch["kind"], patch["name"] = string(domain.KindFile), query.Get("name")
		if query.Has("card") {
			patch["cardId"] = query.Get("card")
		}
	} else if query.Has("card") {
		return nil, invalid("name", "a new file needs a name")
	}
	up.change = domain.Change{EntityID: up.file, Patch: patch}
	return up, nil
}

func tooLarge(limit int64) problem {
	return problem{code: domain.TooLarge, reason: fmt.Sprintf("larger than %d bytes", limit), details: domain.Details{"limit": limit}}
}

// admit refuses before a byte is stored what the view already shows to be in
// vain. It is decided again, in log order, once the bytes are there.
func (up *upload) admit(st *seat) (err error) {
	st.read(func(v *projector.View) {
		e := v.Board().Get(up.file)
		switch {
		case !st.roleIn(v).Includes(domain.Editor):
			err = problem{code: domain.Forbidden, reason: "uploading needs the role editor", details: domain.Details{"needs": domain.Editor}}
		case e == nil && up.change.Patch["kind"] == nil:
			err = problem{code: domain.NotFound, reason: "no such file, and no name to create it", details: domain.Details{"entityId": up.file}}
		case e != nil && e.Kind != domain.KindFile:
			err = invalid("entityId", "not a file")
		}
	})
	return err
}

// receive stores the body as a new object and names it in the change. When it
// fails nothing is kept.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, up *upload) error {
	object := eventlog.ObjectName(r.PathValue("board"))
	body := newSteadyReader(w, r.Body)
	size, sum, err := s.store.PutContent(r.Context(), object, body, up.limit)
	body.done()
	if err != nil {
		s.discard(object)
	}
	switch {
	case errors.Is(err, eventlog.ErrTooLarge):
		return tooLarge(up.limit)
	case errors.Is(err, errBrokenOff):
		return problem{code: domain.Invalid, reason: plain(errBrokenOff)}
	case err != nil:
		return err
	}
	up.change.Content = &domain.Content{Object: object, Size: size, ContentType: up.contentType, SHA256: sum}
	return nil
}

// discard removes an object that no event names.
func (s *Server) discard(object string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.chores.life), bodyTimeout)
	defer cancel()
	if err := s.store.DeleteContent(ctx, object); err != nil {
		s.log.Warn("an upload without an event stays", "object", object, "error", err)
	}
}

func undecided(err error) bool {
	var p problem
	return err != nil && (!errors.As(err, &p) || p.code == wire.Undecided)
}

// settle keeps the command's object if the decision v made an event that names
// it, and else removes it: the mutation was refused, changed nothing, or is a
// repeat of one that stored its bytes under another object.
func (s *Server) settle(ctx context.Context, st *seat, cmd domain.Command, v domain.Verdict) {
	object := cmd.Changes[0].Content.Object
	if v.Rejection == nil && v.Events > 0 {
		named, err := s.names(ctx, st.board, v, object)
		if err != nil {
			s.log.Warn("an upload was not looked up and stays", "object", object, "error", err)
			return
		}
		if named {
			return
		}
	}
	s.discard(object)
}

// names says whether an event in the record of verdict v names object.
func (s *Server) names(ctx context.Context, board string, v domain.Verdict, object string) (bool, error) {
	rec, err := s.store.Get(ctx, board, v.Seq)
	if err != nil {
		return false, err
	}
	d := rec.Decision(v.User, v.ID)
	return d != nil && slices.ContainsFunc(d.Events, func(e domain.Event) bool {
		return e.After.String("object") == object
	}), nil
}

// settleLater waits for the verdict of an upload beyond its request; it takes
// over st. False: the server is stopping, and the object stays.
func (s *Server) settleLater(st *seat, cmd domain.Command) bool {
	return s.chores.start(func(life context.Context) {
		defer st.release()
		ctx, cancel := context.WithTimeout(life, verdictPatience)
		defer cancel()
		v, _, err := st.submit(ctx, cmd, max(time.Millisecond, cmd.Deadline.Sub(s.cfg.Now())))
		if err == nil {
			s.settle(ctx, st, cmd, v)
		}
	})
}

// getContent is GET /v1/boards/{board}/files/{file}/content, ranges included.
func (s *Server) getContent(w http.ResponseWriter, r *http.Request, id identity) error {
	st, err := s.sit(r.Context(), id, r.PathValue("board"))
	if err != nil {
		return err
	}
	defer st.release()
	var file *domain.Entity
	st.read(func(v *projector.View) { file = v.Board().Get(r.PathValue("file")) })
	// A restored bundle may name any object: none but the board's own is given out.
	if file == nil || file.Kind != domain.KindFile || !strings.HasPrefix(file.Fields.String("object"), st.board+".") {
		return notFound()
	}
	content := &contentReader{ctx: r.Context(), store: s.store, object: file.Fields.String("object"), size: file.Fields.Int("size")}
	defer content.Close()
	h := w.Header()
	h.Set("Content-Type", contentTypeOf(file))
	h.Set("Content-Disposition", attachment(file.Fields.String("name")))
	h.Set("ETag", `"`+file.Fields.String("sha256")+`"`)
	h.Set("Cache-Control", "private, no-cache") // kept, but asked for each time: who may read can change
	if strings.Count(r.Header.Get("Range"), ",") >= maxRanges {
		r.Header.Del("Range")
	}
	steady := newSteadyWriter(w)
	http.ServeContent(steady, r, "", time.Time{}, content)
	if err := content.err(); err != nil && r.Context().Err() == nil {
		s.log.Warn("content cannot be read", "board", st.board, "file", file.ID, "error", err)
		if !steady.sent {
			return unavailable("the content cannot be read")
		}
		panic(http.ErrAbortHandler) // half an answer must not look whole
	}
	steady.done()
	return nil
}

// maxRanges is how many ranges one request may name; with more it gets the whole.
const maxRanges = 8

func contentTypeOf(file *domain.Entity) string {
	if ct := file.Fields.String("contentType"); ct != "" {
		return ct
	}
	return anyContentType
}

// attachment is the Content-Disposition of a file to be saved under name (RFC
// 6266): a plain name for old readers, the true one after RFC 5987.
func attachment(name string) string {
	var plain, exact strings.Builder
	for _, r := range name {
		if r < ' ' || r > '~' || strings.ContainsRune("\"\\/%;:*?<>|", r) {
			plain.WriteByte('_')
		} else {
			plain.WriteRune(r)
		}
		if hidden(r) || r == '/' || r == '\\' {
			r = '_'
		}
		for _, b := range []byte(string(r)) {
			if attrChar(b) {
				exact.WriteByte(b)
			} else {
				fmt.Fprintf(&exact, "%%%02X", b)
			}
		}
	}
	return `attachment; filename="` + plain.String() + `"; filename*=UTF-8''` + exact.String()
}

// attrChar is attr-char of RFC 5987.
func attrChar(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("!#$&+-.^_`|~", b) >= 0
}
