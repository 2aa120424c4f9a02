package gateway

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
)

// Codes of answers that exist over HTTP only, beside those of a nack.
const (
	codeUnauthorized domain.Code = "unauthorized"
	codeMethod       domain.Code = "method_not_allowed"
	codeMediaType    domain.Code = "unsupported_media_type"
	codeInternal     domain.Code = "internal"
)

// statusOf is PROTOCOL.md's table of codes and statuses.
func statusOf(code domain.Code) int {
	switch code {
	case domain.Invalid:
		return http.StatusBadRequest
	case codeUnauthorized:
		return http.StatusUnauthorized
	case domain.Forbidden:
		return http.StatusForbidden
	case domain.NotFound:
		return http.StatusNotFound
	case codeMethod:
		return http.StatusMethodNotAllowed
	case domain.Conflict, domain.NameTaken, domain.WIPLimit, domain.NotEmpty, domain.Archived, domain.Withdrawn, domain.IDReused, wire.Lab:
		return http.StatusConflict
	case domain.TooLarge:
		return http.StatusRequestEntityTooLarge
	case codeMediaType:
		return http.StatusUnsupportedMediaType
	case domain.Limit, domain.Expired:
		return http.StatusUnprocessableEntity
	case wire.RateLimited:
		return http.StatusTooManyRequests
	case wire.Unavailable:
		return http.StatusServiceUnavailable
	case wire.Undecided:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// problem is an answer that is an error (RFC 9457).
type problem struct {
	status     int // 0: that of the code
	code       domain.Code
	reason     string // English, for logs
	details    domain.Details
	mutationID string
}

func (p problem) Error() string { return string(p.code) + ": " + p.reason }

// notFound answers for what is not there and for what the user may not see:
// one answer, so that nobody learns which.
func notFound() problem { return problem{code: domain.NotFound, reason: "not found"} }

func invalid(field, reason string) problem {
	return problem{code: domain.Invalid, reason: reason, details: domain.Details{"field": field}}
}

// rejected is the problem that a refused mutation is.
func rejected(id string, r *domain.Rejection) problem {
	return problem{code: r.Code, reason: r.Reason, details: r.Details, mutationID: id}
}

// writeProblem answers with p.
func writeProblem(w http.ResponseWriter, p problem) {
	status := p.status
	if status == 0 {
		status = statusOf(p.code)
	}
	h := w.Header()
	if ms, ok := p.details["retryAfterMs"]; ok {
		h.Set("Retry-After", retryAfter(ms))
	}
	for _, name := range []string{"ETag", "Content-Disposition", "Content-Length", "Content-Range", "Accept-Ranges"} {
		h.Del(name)
	}
	writeJSONAs(w, "application/problem+json", status, struct {
		Type             string         `json:"type"`
		Title            string         `json:"title"`
		Status           int            `json:"status"`
		Detail           string         `json:"detail"`
		Code             domain.Code    `json:"code"`
		ClientMutationID string         `json:"clientMutationId,omitempty"`
		Retryable        bool           `json:"retryable,omitempty"`
		Details          domain.Details `json:"details,omitempty"`
	}{"about:blank", http.StatusText(status), status, p.reason, p.code, p.mutationID, wire.Retryable(p.code), p.details})
}

// retryAfter is milliseconds as the header has it: seconds, rounded up.
func retryAfter(ms any) string {
	var n int64
	switch v := ms.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	}
	return strconv.FormatInt((n+999)/1000, 10)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	writeJSONAs(w, "application/json", status, v)
}

func writeJSONAs(w http.ResponseWriter, contentType string, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // cannot happen: every answer is made of encodable parts
		status, body = http.StatusInternalServerError, []byte(`{"code":"internal"}`)
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the reader is gone: nobody to tell
}

// fail answers with the error of a handler: a problem as it is, a fault of the
// credentials as 401, anything else as 503, since it is the log that failed.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var p problem
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &p):
	case errors.As(err, &tooLong):
		p = problem{code: domain.TooLarge, reason: "body too large", details: domain.Details{"limit": tooLong.Limit}}
	case errors.Is(err, errNoToken):
		w.Header().Set("WWW-Authenticate", `Bearer realm="snapback"`)
		p = problem{code: codeUnauthorized, reason: plain(err)}
	case errors.Is(err, errBadToken), errors.Is(err, errTokenExpired):
		w.Header().Set("WWW-Authenticate", `Bearer realm="snapback", error="invalid_token"`)
		p = problem{code: codeUnauthorized, reason: plain(err)}
	case errors.Is(err, errUser):
		p = invalid("user", plain(err))
	case r.Context().Err() != nil:
		return
	case errors.Is(err, eventlog.ErrFull):
		p = unavailable(reasonFull)
	default:
		s.log.Warn("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		p = unavailable("the log does not answer")
	}
	writeProblem(w, p)
}

// plain is err for somebody who does not know this package.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "gateway: ") }

// retryAfterMs is what a client is told to wait when the log does not answer.
const retryAfterMs = 1000

func unavailable(reason string) problem {
	return problem{code: wire.Unavailable, reason: reason, details: domain.Details{"retryAfterMs": int64(retryAfterMs)}}
}
