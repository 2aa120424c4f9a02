package natsd

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// What nats-server 2.15 does when the disk is full: a stream that is alone
// answers no append any more, a node of a cluster ends its JetStream, and both
// stay so when there is room again, until the server is started again. So
// writers ask Full before they write, which it says while there is room for
// what the server writes of its own (elections, indexes); and a server that
// came to harm all the same, because somebody else was faster, is started again
// as soon as there is room.

const (
	// mostReserve is what is kept free of a large volume: more than the log writes in lookEvery.
	mostReserve = 256 << 20
	lookEvery   = 250 * time.Millisecond
	longestWait = time.Minute // between two tries to start the server again
)

// healthz is what the server's health is asked with: all of it.
var healthz = &url.URL{Path: "/healthz"}

// ErrFull: the volume of the store directory has less room left than is kept free.
var ErrFull = errors.New("natsd: the disk is full")

// Full is nil while the log may be written to, else ErrFull with figures. It
// costs nothing and is at most lookEvery old.
func (s *Server) Full() error {
	if why := s.full.Load(); why != nil {
		return *why
	}
	return nil
}

// watchSpace looks how much room is left until the server is shut down.
func (s *Server) watchSpace() {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	short := false // ... of room, since the server was started
	wait, next := lookEvery, time.Time{}
	for {
		select {
		case <-s.stopped:
			return
		case <-look.C:
		}
		if s.lookAtSpace(); s.Full() != nil {
			short = true
		}
		switch {
		case !short || !s.roomy() || time.Now().Before(next):
		case s.sound():
			short, wait = false, lookEvery
			s.admitWriters()
		default:
			wait = min(2*wait, longestWait)
			next = time.Now().Add(wait)
			if err := s.again(); err != nil {
				s.log().Error("the NATS server cannot be started again", "error", err, "next", wait)
			}
		}
	}
}

// lookAtSpace sets Full when there is too little room.
func (s *Server) lookAtSpace() {
	left, size, known := space(s.cfg.StoreDir)
	reserve := s.cfg.reserve(size)
	if !known || left >= reserve {
		return
	}
	err := fmt.Errorf("%w: %d MiB of %d MiB left, %d MiB are kept free", ErrFull, left>>20, size>>20, reserve>>20)
	if s.full.Swap(&err) == nil {
		s.log().Error("the disk is full, nothing is written to the log", "left", left, "kept free", reserve, "size", size)
	}
}

// roomy says whether there is room again, and some more: no turning back and
// forth at the mark.
func (s *Server) roomy() bool {
	left, size, known := space(s.cfg.StoreDir)
	reserve := s.cfg.reserve(size)
	return known && left >= reserve+reserve/4
}

func (s *Server) admitWriters() {
	if s.full.Swap(nil) != nil {
		s.log().Info("the disk has room again, the log is written to")
	}
}

func (cfg *Config) reserve(size int64) int64 {
	if cfg.Reserve > 0 {
		return cfg.Reserve
	}
	return min(mostReserve, size/20)
}

// sound says whether every stream can be written to, room provided.
func (s *Server) sound() bool {
	ns := s.nats.Load()
	if !ns.JetStreamEnabled() {
		return false
	}
	if s.cfg.Cluster != nil {
		return true // a write error ends the JetStream of a node
	}
	a := &answer{header: http.Header{}}
	ns.HandleHealthz(a, &http.Request{URL: healthz})
	return a.status < http.StatusBadRequest
}

// answer is an http.ResponseWriter that keeps the status only.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(p []byte) (int, error) { return len(p), nil }
func (a *answer) WriteHeader(status int)      { a.status = status }

// again replaces the server by a new one on the same files. Connections to it
// are lost and made again by those who have them.
func (s *Server) again() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	select {
	case <-s.stopped:
		return nil
	default:
	}
	s.log().Warn("the disk was full, the NATS server is started again")
	s.end()
	return s.boot()
}
