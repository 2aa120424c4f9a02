package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/snapback-io/snapback/domain"
)

// readyTimeout is how long /readyz waits for the log.
const readyTimeout = 2 * time.Second

// AdminHandler serves /healthz, /readyz, /metrics, /restore and /rebuild.
func (s *Server) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/healthz", apiHeaders(methods{"GET": func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	}}))
	mux.Handle("/readyz", apiHeaders(methods{"GET": s.readyz}))
	mux.Handle("/restore", apiHeaders(methods{"POST": operator(s.restoreBoard)}))
	mux.Handle("/metrics", methods{"GET": promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP})
	if s.cfg.Shards != nil {
		mux.Handle("/shards", apiHeaders(methods{"GET": s.generations, "POST": operator(s.addShards)}))
		mux.Handle("/move", apiHeaders(methods{"POST": operator(s.move)}))
	}
	if s.cfg.Rebuild != nil {
		mux.Handle("/rebuild", apiHeaders(methods{"POST": operator(s.rebuild)}))
	}
	mux.Handle("/", apiHeaders(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeProblem(w, notFound()) })))
	return mux
}

// operator keeps browsers out: the page of any site may post to this machine's
// loopback interface, and whoever opened it has no business here. Every browser
// says with a POST where the page is from.
func operator(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			writeProblem(w, problem{code: domain.Forbidden, reason: "not for browsers"})
			return
		}
		h(w, r)
	}
}

// readiness is the answer of /readyz; `sync` says how durable an ack is.
type readiness struct {
	Ready    bool   `json:"ready"`
	Draining bool   `json:"draining"`
	Log      string `json:"log"`   // "ok" or what is wrong
	Rooms    string `json:"rooms"` // "ok" or what is wrong
	// Writes is "ok", or why the log cannot be written to here or anywhere. A node
	// is ready all the same: people read on, and are told to try again.
	Writes string `json:"writes"`
	Sync   string `json:"sync"`
	Epoch  string `json:"epoch"`
	// Checkpoints is "ok", or what the log contradicts: people go on working, but
	// nothing of that shard is signed any more.
	Checkpoints string `json:"checkpoints"`
	together
	Reasons  []string `json:"reasons"`  // why it is not ready
	Warnings []string `json:"warnings"` // what else is to be looked after
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	a := readiness{Draining: s.draining.Load(), Log: "ok", Rooms: "ok", Writes: "ok", Sync: s.cfg.Sync, Epoch: s.store.Epoch(), Checkpoints: s.notaryState()}
	if err := s.store.Healthy(ctx); err != nil {
		a.Log = err.Error()
	}
	if s.hubs != nil && !a.Draining {
		if err := s.hubs.ready(); err != nil {
			a.Rooms = err.Error()
		}
	}
	if l, ok := s.store.(interface{ Writes() error }); ok {
		if err := l.Writes(); err != nil {
			a.Writes = err.Error()
		}
	}
	a.together = among(s.cfg.Members, s.shards())
	a.Reasons, a.Warnings = a.explain()
	a.Ready = len(a.Reasons) == 0
	status := http.StatusOK
	if !a.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, a)
}
