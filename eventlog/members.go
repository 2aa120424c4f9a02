package eventlog

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"
)

// Bus carries beats between nodes, each at most once. eventlog/logtest has one
// that misbehaves.
type Bus interface {
	// Beat sends to every node that listens, this one perhaps included.
	Beat(data []byte) error
	// Listen calls heard for each beat and lost with the name of a node under
	// which a probe has found nobody, one at a time, until stop is called. The
	// own node is found under its name as long.
	Listen(node string, heard func(data []byte), lost func(node string)) (stop func(), err error)
	// Probe asks whether anybody listens under a name.
	Probe(node string) error
}

// MembersConfig is that of Members.
type MembersConfig struct {
	Bus   Bus    // required; [Log.Bus] is one
	Node  string // required: a name of its own, the same after a restart
	Epoch string // nodes of another life of the log are no members
	// Decides says that the node has a domain service, which may own shards.
	Decides bool
	Logger  *slog.Logger // default slog.Default()
	// Now is the node's wall clock, as others and its server see it. Default time.Now.
	Now func() time.Time
}

const (
	// beatEvery is how often a node says that it is there; it says so at once
	// when something about it changes. A new node listens for so long before it
	// believes that it knows everybody: each answers its first beat at once.
	beatEvery = 250 * time.Millisecond
	// goneAfter is how long a node may be silent: longer than a busy machine or
	// a garbage collection keeps it from its turn.
	goneAfter = 1500 * time.Millisecond
	// peekEvery is how often a node looks whether its wall clock was set: if so it
	// says so at once, for its server's stamps are wrong from then on.
	peekEvery = 50 * time.Millisecond
	// jump is how far the wall clock goes astray from the monotonic one between
	// two beats to count as set.
	jump = 500 * time.Millisecond
)

// Beat is what a node says of itself.
type Beat struct {
	Node    string        `json:"node"`
	Run     string        `json:"run"` // another one after each restart
	Epoch   string        `json:"epoch"`
	N       uint64        `json:"n"`      // counts this run's beats from 1
	At      time.Time     `json:"at"`     // its wall clock
	Steady  time.Duration `json:"steady"` // for how long that was not set
	Decides bool          `json:"decides,omitempty"`
	Leaving bool          `json:"leaving,omitempty"` // it is stopping and gives its shards away
	Astray  bool          `json:"astray,omitempty"`  // its clock differs from the others'
	Gone    bool          `json:"gone,omitempty"`    // its last beat
	Takes   []int         `json:"takes,omitempty"`   // shards whose commands it asks for
	// Echoes tell the others when their beats arrived, so that they can compare clocks.
	Echoes map[string]Echo `json:"echoes,omitempty"`
}

// Echo answers the last beat heard of a node.
type Echo struct {
	Run  string        `json:"run"`
	N    uint64        `json:"n"`
	Held time.Duration `json:"held"` // from its arrival to the answer
}

// Member is a node that is there.
type Member struct {
	Node    string        `json:"node"`
	Run     string        `json:"run"`
	Self    bool          `json:"self,omitempty"`
	Decides bool          `json:"decides"`
	Leaving bool          `json:"leaving,omitempty"`
	Astray  bool          `json:"astray,omitempty"`
	Takes   []int         `json:"takes"`
	Silent  time.Duration `json:"silent"` // since it was last heard
	// Offset is by how much its clock is ahead of this node's, Error by how much
	// that may be wrong; Compared is false as long as nothing is known of it.
	Offset   time.Duration `json:"offset"`
	Error    time.Duration `json:"error"`
	Compared bool          `json:"compared"`
}

// Able says whether it may own shards.
func (m *Member) Able() bool { return m.Decides && !m.Leaving && !m.Astray }

// Members knows which nodes are there, from what they say of themselves, and
// compares their clocks. It decides nothing: two nodes may for a while believe
// in different members. Safe for concurrent use.
type Members struct {
	cfg MembersConfig
	run string
	say chan struct{} // holds a token when there is something new to say

	astray atomic.Bool  // clock.astray, for who asks with every mutation
	ahead  atomic.Int64 // clock.ahead
	time   atomic.Pointer[steady]
	doubt  atomic.Bool // a clock is wrong, this node's or another's, or not compared

	mu      sync.Mutex
	roster  roster
	clock   clock
	takes   []int
	leaving bool
	settled bool // it has listened long enough
	n       uint64
	changed chan struct{} // closed at the next change
}

// NewMembers makes a Members; nothing is said or heard before Run.
func NewMembers(cfg MembersConfig) (*Members, error) {
	if cfg.Bus == nil || cfg.Node == "" {
		return nil, errors.New("eventlog: members need a bus and a name of this node")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	m := &Members{cfg: cfg, run: ulid.Make().String(), say: make(chan struct{}, 1),
		roster: roster{}, changed: make(chan struct{})}
	m.time.Store(&steady{since: time.Now(), at: cfg.Now().Round(0)})
	return m, nil
}

// Run says and hears until ctx ends, and then goodbye.
func (m *Members) Run(ctx context.Context) {
	stop, err := m.cfg.Bus.Listen(m.cfg.Node, m.heard, m.lost)
	for err != nil {
		m.cfg.Logger.Warn("other nodes cannot be heard, trying again", "error", err)
		if sleep(ctx, longestPause) != nil {
			return
		}
		stop, err = m.cfg.Bus.Listen(m.cfg.Node, m.heard, m.lost)
	}
	defer stop()
	m.mu.Lock()
	m.clock.begin(time.Now(), m.cfg.Now())
	m.mu.Unlock()
	tick := time.NewTicker(peekEvery)
	defer tick.Stop()
	for last := time.Now(); ; {
		m.beat(false)
		for due := false; !due; {
			select {
			case <-m.say:
				due = true
			case <-tick.C:
				now := time.Now()
				if due = now.Sub(last) > beatEvery-peekEvery/2 || m.set() && !m.astray.Load(); due {
					m.look(now, now.Sub(last))
					last = now
					m.probe()
				}
			case <-ctx.Done():
				m.beat(true)
				return
			}
		}
	}
}

// look is done once in beatEvery: who is silent is gone, and clocks are judged.
// A node that was itself away for a while (frozen, starved) has heard nobody
// meanwhile, and lets everybody begin anew.
func (m *Members) look(now time.Time, since time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if since > goneAfter/2 {
		m.roster.heardAll(now)
	}
	for _, node := range m.roster.silent(now) {
		m.gone(node, "it is silent")
	}
	was := m.clock.astray
	wall := m.cfg.Now()
	ahead := m.clock.judge(now, wall, m.roster, m.cfg.Node)
	m.adjust(now, wall, was && !m.clock.astray)
	m.astray.Store(m.clock.astray)
	m.ahead.Store(int64(ahead))
	if m.clock.astray != was {
		if m.clock.astray {
			m.cfg.Logger.Error("this node's clock differs from the others': it decides nothing until it agrees", "ahead", ahead)
		} else {
			m.cfg.Logger.Info("this node's clock agrees with the others' again", "ahead", ahead)
		}
		m.change()
	}
	if !m.settled {
		m.settled = true
		m.change()
	}
}

// beat tells the others.
func (m *Members) beat(last bool) {
	m.mu.Lock()
	now, wall := time.Now(), m.cfg.Now()
	m.n++
	b := Beat{Node: m.cfg.Node, Run: m.run, Epoch: m.cfg.Epoch, N: m.n, At: wall, Steady: m.clock.steady(now),
		Decides: m.cfg.Decides, Leaving: m.leaving, Astray: m.clock.astray, Gone: last, Takes: m.takes, Echoes: m.roster.echoes(now)}
	m.clock.sent(m.n, now)
	m.mu.Unlock()
	data, err := json.Marshal(&b)
	if err == nil {
		err = m.cfg.Bus.Beat(data)
	}
	if err != nil {
		m.cfg.Logger.Debug("beat not sent", "error", err)
	}
}

// heard takes in what another node says.
func (m *Members) heard(data []byte) {
	var b Beat
	if err := json.Unmarshal(data, &b); err != nil || b.Node == "" || b.Epoch != m.cfg.Epoch || b.Run == m.run {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if b.Node == m.cfg.Node {
		m.cfg.Logger.Error("another node has this one's name", "node", b.Node, "run", b.Run)
		return
	}
	if b.Gone {
		if p := m.roster[b.Node]; p != nil && p.Run == b.Run {
			m.gone(b.Node, "it has stopped")
		}
		return
	}
	now := time.Now()
	fresh, news := m.roster.heard(b, now)
	if echo, ok := b.Echoes[m.cfg.Node]; ok && echo.Run == m.run {
		m.roster[b.Node].compare(m.clock.sample(&b, echo, now, m.cfg.Now()))
	}
	if b.Astray { // else after the next look
		m.doubt.Store(true)
	}
	if fresh {
		m.cfg.Logger.Info("a node is there", "node", b.Node, "run", b.Run, "decides", b.Decides)
		m.rouse()
	}
	if news {
		m.change()
	}
}

// lost is called when nobody listens under a name.
func (m *Members) lost(node string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.roster[node] != nil {
		m.gone(node, "it cannot be reached")
	}
}

// gone drops a node. Call it with m.mu held.
func (m *Members) gone(node, why string) {
	m.cfg.Logger.Info("a node is gone", "node", node, "run", m.roster[node].Run, "why", why)
	delete(m.roster, node)
	m.change()
}

// change wakes who waits for one. Call it with m.mu held.
func (m *Members) change() {
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *Members) rouse() {
	select {
	case m.say <- struct{}{}:
	default:
	}
}

func (m *Members) probe() {
	m.mu.Lock()
	nodes := slices.Collect(maps.Keys(m.roster))
	m.mu.Unlock()
	for _, node := range nodes {
		if err := m.cfg.Bus.Probe(node); err != nil {
			m.cfg.Logger.Debug("probe not sent", "node", node, "error", err)
		}
	}
}

// Take says which shards' commands this node asks for from now on.
func (m *Members) Take(shards []int) {
	m.mu.Lock()
	m.takes = slices.Clone(shards)
	m.mu.Unlock()
	m.rouse()
}

// Leave says that this node is stopping: others are to take its shards.
func (m *Members) Leave() {
	m.mu.Lock()
	m.leaving = true
	m.change()
	m.mu.Unlock()
	m.rouse()
}

// Present gives the nodes that are there, this one included, by name. settled
// is false as long as this node has not listened enough to know them. next is
// closed when something has changed: who is there, or what one of them takes.
func (m *Members) Present() (list []Member, settled bool, next <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	list = append(m.roster.list(now), Member{Node: m.cfg.Node, Run: m.run, Self: true, Decides: m.cfg.Decides,
		Leaving: m.leaving, Astray: m.clock.astray, Takes: m.takes, Compared: true})
	slices.SortFunc(list, func(a, b Member) int { return cmp.Compare(a.Node, b.Node) })
	return list, m.settled, m.changed
}

// Astray says whether this node's clock is more than a second off the others',
// and how far it is ahead of their median. It costs nothing.
func (m *Members) Astray() (astray bool, ahead time.Duration) {
	return m.astray.Load(), time.Duration(m.ahead.Load())
}
