// Package gateway is the edge: HTTP and WebSocket, who somebody is and how
// much he may send, and the ownership of every mutation until its verdict. It
// knows no rule of a board.
package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/snapback-io/snapback/eventlog"
)

// Config of a Server. Zero values are the defaults named.
type Config struct {
	Log    *eventlog.Log
	Logger *slog.Logger

	// Auth checks tokens; nil is open mode: whoever connects is who he says.
	Auth *Auth
	// Origins allowed besides the page's own, exact ("https://app.example"); "*" allows all.
	Origins []string
	// MaxContent is how large a file may be, bytes. Default 100 MiB.
	MaxContent int64
	// BoardIDs lets clients choose ids of new boards with auth on.
	BoardIDs bool

	// QueueBytes is how much may wait for one slow connection. Default 1 MiB.
	QueueBytes int
	// PongTimeout is for how long a silent connection lives. Default 15 s.
	PongTimeout time.Duration
	// IdleBoard is for how long a board that nobody watches stays in memory. Default 1 min.
	IdleBoard time.Duration
}

// Server serves one node's clients. Safe for concurrent use.
type Server struct {
	cfg     Config
	log     *slog.Logger
	origins origins
}

// New makes a Server; it opens nothing yet.
func New(cfg Config) (*Server, error) { panic("todo") }

// Handler serves everything of the public listener: /v1, /api, the page at /.
func (s *Server) Handler() http.Handler { panic("todo") }

// AdminHandler serves /healthz, /readyz and /metrics.
func (s *Server) AdminHandler() http.Handler { panic("todo") }

// Drain ends service in order: not ready, goaway to every connection with
// reconnect times spread over spread, mutations in flight get their verdicts,
// connections close 1012. It returns when none is left or ctx ends.
func (s *Server) Drain(ctx context.Context, spread time.Duration) error { panic("todo") }
