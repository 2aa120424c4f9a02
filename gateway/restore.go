package gateway

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"

	"golang.org/x/mod/sumdb/note"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
	"github.com/snapback-io/snapback/projector/restore"
)

// restoreBoard is POST /restore of the admin listener: the body is the bundle
// of one board, ?key= a key that must have signed it, as often as there are
// keys. It is stored whole in a temporary file, verified, and then restored.
func (s *Server) restoreBoard(w http.ResponseWriter, r *http.Request) {
	done, err := s.restore(w, r)
	if err != nil {
		s.fail(w, r, restoreProblem(err, done))
		return
	}
	s.log.Info("a board was restored", "board", done.Board, "records", done.Records, "stored", done.Stored, "contents", done.Contents, "missing", done.Missing)
	writeJSON(w, http.StatusOK, done)
}

func (s *Server) restore(w http.ResponseWriter, r *http.Request) (done restore.Restored, err error) {
	if s.cfg.Archive == nil {
		return done, problem{code: domain.NotFound, reason: "this server restores no bundles"}
	}
	var keys []note.Verifier
	for _, text := range r.URL.Query()["key"] {
		key, err := proof.ParseVerifier(text)
		if err != nil {
			return done, invalid("key", err.Error())
		}
		keys = append(keys, key)
	}
	ctx, cancel := s.readingTime(r.Context(), identity{})
	defer cancel()
	spool, err := os.CreateTemp("", "snapback-restore-*")
	if err != nil {
		return done, unspooled(err)
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	body := newSteadyReader(w, r.Body)
	_, err = io.Copy(spool, body)
	body.done()
	if err != nil {
		return done, unspooled(err)
	}
	return restore.Board(ctx, s.cfg.Archive, func() (*bundle.Reader, io.Closer, error) {
		in, err := bundle.NewReader(io.NewSectionReader(spool, 0, 1<<62))
		return in, io.NopCloser(nil), err
	}, keys)
}

// unspooled words why a body could not be kept: the disk is full, as a rule.
func unspooled(err error) error {
	if errors.Is(err, errBrokenOff) {
		return err
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return unavailable("the bundle cannot be kept in " + os.TempDir() + " until it is verified: " + err.Error())
}

// restoreProblem words why a bundle was not restored.
func restoreProblem(err error, done restore.Restored) error {
	var refused *restore.Refused
	switch {
	case errors.As(err, &refused):
		return problem{code: domain.Invalid, reason: refused.Error(), details: domain.Details{"board": refused.Board, "findings": refused.Findings, "count": refused.Count}}
	case errors.Is(err, restore.ErrBundle), errors.Is(err, bundle.ErrForm), errors.Is(err, bundle.ErrCutOff), errors.Is(err, errBrokenOff):
		return problem{code: domain.Invalid, reason: err.Error(), details: domain.Details{"board": done.Board}}
	case errors.Is(err, eventlog.ErrExists):
		return problem{code: domain.Conflict, reason: err.Error(), details: domain.Details{"board": done.Board}}
	case done.Stored > 0:
		return fmt.Errorf("restore of board %s, %d of %d records are stored: %w", done.Board, done.Stored, done.Records, err)
	}
	return err
}
