package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
	"github.com/snapback-io/snapback/projector/notary"
)

// freshEvery is how often a checkpoint of a shard is signed on demand.
const freshEvery = time.Second

// freshness bounds how often the checkpoints of each shard are asked for afresh.
type freshness struct {
	mu   sync.Mutex
	last map[int]time.Time
}

// take says whether it may be now, or how long to wait.
func (f *freshness) take(shard int, now time.Time) (wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if wait = freshEvery - now.Sub(f.last[shard]); wait > 0 && !f.last[shard].IsZero() {
		return wait
	}
	if f.last == nil {
		f.last = make(map[int]time.Time)
	}
	f.last[shard] = now
	return 0
}

// checkpointList is the answer of GET /v1/checkpoints.
type checkpointList struct {
	Epoch       string            `json:"epoch"`
	Shards      int               `json:"shards"`
	Key         string            `json:"key"` // what the notes are checked with
	Checkpoints []checkpointEntry `json:"checkpoints"`
}

// checkpointEntry is the newest checkpoint of a shard.
type checkpointEntry struct {
	Shard int    `json:"shard"`
	Size  int64  `json:"size"` // records
	Note  string `json:"note"`
}

// getCheckpoints is GET /v1/checkpoints: the newest checkpoint of every shard
// that has one.
func (s *Server) getCheckpoints(w http.ResponseWriter, r *http.Request, _ identity) error {
	n := s.cfg.Notary
	if n == nil {
		return noNotary()
	}
	list := checkpointList{Epoch: n.Epoch(), Shards: n.Shards(), Key: n.Public(), Checkpoints: []checkpointEntry{}}
	for shard := range n.Shards() {
		c, err := n.Latest(r.Context(), shard)
		if errors.Is(err, notary.ErrNone) {
			continue
		}
		if err != nil {
			return notarized(err)
		}
		list.Checkpoints = append(list.Checkpoints, checkpointEntry{shard, c.Size, string(c.Note)})
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// getCheckpoint is GET /v1/checkpoints/{shard}: its newest checkpoint, with
// ?fresh=1 one that covers all there is.
func (s *Server) getCheckpoint(w http.ResponseWriter, r *http.Request, _ identity) error {
	shard, err := s.shardOf(r)
	if err != nil {
		return err
	}
	var c notary.Signed
	switch r.URL.Query().Get("fresh") {
	case "", "0":
		c, err = s.cfg.Notary.Latest(r.Context(), shard)
	case "1":
		if wait := s.fresh.take(shard, time.Now()); wait > 0 {
			return pushedBack(&retryError{wire.RateLimited, wait.Round(time.Millisecond)})
		}
		c, err = s.cfg.Notary.Checkpoint(r.Context(), shard)
	default:
		return invalid("fresh", "0 or 1")
	}
	if err != nil {
		return notarized(err)
	}
	writeNote(w, c.Note)
	return nil
}

// getTile is GET /v1/checkpoints/{shard}/tile/{path}: hashes of its tree, as
// C2SP tlog-tiles has them.
func (s *Server) getTile(w http.ResponseWriter, r *http.Request, _ identity) error {
	shard, err := s.shardOf(r)
	if err != nil {
		return err
	}
	tile, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", proof.TileHeight, r.PathValue("path")))
	if err != nil {
		return notFound()
	}
	data, err := s.cfg.Notary.Tile(r.Context(), shard, tile)
	if err != nil {
		return notarized(err)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
	return nil
}

// getHead is GET /v1/boards/{board}/head: how far the board is, signed now.
func (s *Server) getHead(w http.ResponseWriter, r *http.Request, id identity) error {
	st, leave, err := s.sitToRead(r, id)
	if err != nil {
		return err
	}
	defer leave()
	head, err := s.signedHead(r.Context(), st)
	if err != nil {
		return err
	}
	writeNote(w, head)
	return nil
}

// signedHead is the head of what everybody is shown of the board, which has all
// that the log had at the call. The user must be allowed to see it.
func (s *Server) signedHead(ctx context.Context, st *seat) ([]byte, error) {
	if s.cfg.Notary == nil {
		return nil, noNotary()
	}
	if err := st.current(ctx); err != nil {
		return nil, err
	}
	var still *domain.Still
	var err error
	role := domain.NoRole
	st.read(func(v *projector.View) {
		role = st.roleIn(v)
		still, err = v.Board().Still()
	})
	switch {
	case role == domain.NoRole: // lost while waiting
		return nil, notFound()
	case err != nil:
		return nil, err
	}
	head, err := s.cfg.Notary.Head(still.Board())
	if err != nil {
		return nil, notarized(err)
	}
	return head, nil
}

// shardOf is the shard a request names.
func (s *Server) shardOf(r *http.Request) (int, error) {
	if s.cfg.Notary == nil {
		return 0, noNotary()
	}
	shard, err := strconv.Atoi(r.PathValue("shard"))
	if err != nil || shard < 0 || shard >= s.cfg.Notary.Shards() {
		return 0, notFound()
	}
	return shard, nil
}

func noNotary() problem {
	return problem{code: domain.NotFound, reason: "this server signs no checkpoints (serve --checkpoint-key)"}
}

// notarized words an error of the notary's.
func notarized(err error) error {
	switch {
	case errors.Is(err, notary.ErrNone), errors.Is(err, eventlog.ErrNotFound):
		return problem{code: domain.NotFound, reason: "there is none yet"}
	case errors.Is(err, proof.ErrContradiction):
		return problem{code: codeInternal, reason: err.Error()}
	}
	return err
}

func writeNote(w http.ResponseWriter, note []byte) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(note)))
	_, _ = w.Write(note)
}

const noneSigned = "none are signed"

// notaryState is "ok", what contradicts what was signed, or that nothing is signed.
func (s *Server) notaryState() string {
	if s.cfg.Notary == nil {
		return noneSigned
	}
	if err := s.cfg.Notary.Fault(); err != nil {
		return err.Error()
	}
	return "ok"
}

// newContradicted is the metric of what notaryState says.
func newContradicted(n *notary.Notary) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "snapback_checkpoints_contradicted", Help: "1 when the log contradicts a checkpoint that was signed: somebody has changed it.",
	}, func() float64 {
		if n.Fault() != nil {
			return 1
		}
		return 0
	})
}

// newUnreadable is the metric of what stood where a checkpoint should.
func newUnreadable(n *notary.Notary) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "snapback_checkpoints_unreadable_total", Help: "How often something that is no checkpoint stood as the newest one of a shard: somebody has written there.",
	}, func() float64 { return float64(n.Unreadable()) })
}

// newCheckpointAge is the metric of how long ago everything was signed.
func newCheckpointAge(n *notary.Notary) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "snapback_checkpoints_age_seconds", Help: "Time since a checkpoint covered every record, of the shard where that is longest ago.",
	}, func() float64 { return n.Age(time.Now()).Seconds() })
}
