package check

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/naive"
)

// sending is one mutate (or cancel) frame, or one over HTTP.
type sending struct {
	trace *trace // nil: over HTTP
	index int    // of the frame in the trace
	frame *Frame
	// answer is the verdict frame it got, nil if none.
	answer *Frame
}

// Judge holds what was recorded of one board against its log.
type Judge struct {
	Log     naive.Log
	Faults  []string // "what it breaks: how"
	Counts  map[string]int
	Slowest time.Duration // from a sending to its verdict, on one connection
	// Virtual: times are of a bubble, in which much happens at once. What porcupine
	// would have to guess then is held against the log's order only.
	Virtual bool

	history   *naive.History
	traces    []*trace
	requests  []Request
	contents  map[[2]string]map[string]bool // by user and id
	sendings  map[[2]string][]*sending      // of mutates
	ups       map[[2]string][]*sending      // of cancels, too
	verdictOf map[[2]string]*Frame          // the first that anybody was told, as it is in the log
	broken    []op                          // what is worth a picture
	told      map[string]int                // faults by law
}

// NewJudge gives the judge of one board: its records, the connections to it and
// the requests about it.
func NewJudge(records []naive.Record, conns []cutter.Conn, requests ...Request) *Judge {
	log, faults := naive.Check(records)
	j := &Judge{
		Log: log, history: naive.NewHistory(records), traces: decode(conns), requests: requests, Counts: map[string]int{},
		contents: map[[2]string]map[string]bool{}, sendings: map[[2]string][]*sending{}, ups: map[[2]string][]*sending{}, verdictOf: map[[2]string]*Frame{}, told: map[string]int{},
	}
	for _, err := range faults {
		j.Fault("log", "%v", err)
	}
	for _, t := range j.traces {
		for i := range t.frames {
			if f := &t.frames[i]; f.way == cutter.Up && f.ID != "" {
				j.sent(t.user, f, &sending{trace: t, index: i, frame: f})
			}
		}
	}
	j.posts()
	return j
}

func (j *Judge) sent(user string, f *Frame, s *sending) {
	key := [2]string{user, f.ID}
	switch f.Type {
	case "mutate", "": // over HTTP the type may be missing
		if j.contents[key] == nil {
			j.contents[key] = map[string]bool{}
		}
		j.contents[key][f.content()] = true
		j.sendings[key] = append(j.sendings[key], s)
		j.ups[key] = append(j.ups[key], s)
	case "cancel":
		j.ups[key] = append(j.ups[key], s)
	}
}

const mostFaults = 10 // of a kind that are told

// Fault notes a breach of a law, or of what else is held.
func (j *Judge) Fault(law, format string, args ...any) {
	j.told[law]++
	if j.told[law] <= mostFaults {
		j.Faults = append(j.Faults, law+": "+fmt.Sprintf(format, args...))
	}
}

// Laws judges every trace.
func (j *Judge) Laws() {
	for n, t := range j.traces {
		name := fmt.Sprintf("connection %d of %s", n, t.user)
		j.joins(name, t)
		j.verdicts(name, t)
		j.refusals(name, t)
		j.errors(name, t)
	}
	j.http()
	j.law6()
	j.deadlines()
	j.neverPublished()
	j.linear()
}

// joins judges laws 1, 2 and 9 on one connection: what a reader of it holds.
func (j *Judge) joins(name string, t *trace) {
	var (
		held     = map[string]uint64{} // entity -> rev, of this connection
		complete uint64                // everything up to here has been sent
		joining  bool
		fresh    bool
		since    uint64
		newest   uint64 // of what was sent while joining
		last     *Frame // the live sync before
	)
	if n, err := strconv.ParseUint(t.since, 10, 64); err == nil {
		since = n
	}
	for i := range t.frames {
		f := &t.frames[i]
		if f.way == cutter.Up {
			continue
		}
		j.Counts[f.Type]++
		switch f.Type {
		case "hello":
			joining, fresh = true, !f.Resumed
			if f.Resumed {
				j.Counts["resumed"]++
				complete = since
				if t.since == "" {
					j.Fault("law 9", "%s: resumed without asking", name)
				}
			}
			if t.since != "" && !f.Resumed {
				j.Counts["resume refused"]++
				if f.Epoch == t.conn.URL.Query().Get("epoch") && f.Rev < since {
					j.Fault("reads", "%s was told rev %d before and is taken back to %d", name, since, f.Rev)
				}
			}
		case "lag":
			joining, fresh, since = true, false, complete
			if f.Rev != complete {
				j.Fault("law 1", "%s: lag says rev %d, sent was %d", name, f.Rev, complete)
			}
		case "sync":
			j.entity(name, t, f)
			o, err := naive.ToObject(f.Entity)
			if err != nil {
				j.Fault("law 1", "%s: entity %s", name, f.Entity)
				continue
			}
			id, rev := fmt.Sprint(o["id"]), RevOf(o)
			held[id] = rev
			if joining {
				newest = max(newest, rev)
				if !fresh && rev <= since {
					j.Fault("law 9", "%s: %s of rev %d was sent again to a client that had rev %d", name, id, rev, since)
				}
				continue
			}
			respaced := last != nil && f.Rev == last.Rev && f.Event == "list.respaced" && last.Event == f.Event
			if f.Rev != complete+1 && !respaced {
				j.Fault("law 1", "%s: sync of rev %d after %d", name, f.Rev, complete)
			}
			complete, last = f.Rev, f
			j.live(name, f, id)
		case "ready":
			if !joining {
				j.Fault("law 1", "%s: ready out of turn", name)
			}
			if f.Rev < complete {
				j.Fault("law 1", "%s: ready at rev %d after %d", name, f.Rev, complete)
			}
			if newest > f.Rev {
				j.Fault("reads", "%s: ready at rev %d after an entity of rev %d", name, f.Rev, newest)
			}
			j.missing(name, held, fresh, since, f.Rev)
			joining, complete, last = false, f.Rev, nil
		case "ack":
			if f.Rev > complete {
				j.Fault("law 2", "%s: ack of %s at rev %d, sent was %d", name, f.ID, f.Rev, complete)
			}
			if last != nil && last.Rev == f.Rev && last.More {
				j.Fault("law 2", "%s: ack of %s amid its syncs", name, f.ID)
			}
		}
	}
}

func RevOf(o naive.Object) uint64 { return Number(o, "rev") }

func Number(o naive.Object, field string) uint64 {
	n, _ := strconv.ParseUint(fmt.Sprint(o[field]), 10, 64)
	return n
}

// entity judges that an entity sent is one that the log has, for this reader.
func (j *Judge) entity(name string, t *trace, f *Frame) {
	o, err := naive.ToObject(f.Entity)
	if err != nil {
		return
	}
	id, rev := fmt.Sprint(o["id"]), RevOf(o)
	want, changed := j.history.At(id, rev)
	if changed != rev {
		j.Fault("law 4", "%s: %s of rev %d is not in the log", name, id, rev)
		return
	}
	if o["deleted"] == true {
		if want != nil {
			j.Fault("law 1", "%s: %s is sent as deleted at rev %d and is not", name, id, rev)
		}
		return
	}
	for _, d := range naive.Differences(map[string]naive.Object{id: o}, map[string]naive.Object{id: naive.For(want, t.user)}) {
		j.Fault("law 1", "%s: rev %d: %s", name, rev, d)
	}
}

// live judges a sync after ready against the event it stands for.
func (j *Judge) live(name string, f *Frame, id string) {
	fact, ok := j.history.Facts[f.Rev]
	switch {
	case !ok:
		j.Fault("law 4", "%s: sync of rev %d, which the log does not have", name, f.Rev)
	case fact.Type != f.Event || fact.By != f.By || !slices.Contains(fact.Touched, id):
		j.Fault("law 1", "%s: sync of rev %d is %s of %s by %s, the log has %s of %v by %s", name, f.Rev, f.Event, id, f.By, fact.Type, fact.Touched, fact.By)
	}
}

// missing judges a ready: what the connection was sent is all there is, or all
// that changed after since.
func (j *Judge) missing(name string, held map[string]uint64, fresh bool, since, rev uint64) {
	for _, id := range j.history.IDs() {
		entity, changed := j.history.At(id, rev)
		got, sent := held[id]
		switch {
		case entity != nil && (fresh || changed > since) && (!sent || got < changed):
			j.Fault("law 9", "%s: ready at %d without %s of rev %d (sent %v of rev %d)", name, rev, id, changed, sent, got)
		case entity == nil && sent && got < changed && !j.parentGone(id, rev):
			j.Fault("law 9", "%s: ready at %d, %s was not said to be gone", name, rev, id)
		case entity == nil && !sent && !fresh && changed > since && !j.parentGone(id, rev):
			if before, _ := j.history.At(id, since); before != nil {
				j.Fault("law 9", "%s: resumed from %d to %d, %s was not said to be gone", name, since, rev, id)
			}
		}
	}
}

// parentGone says whether id went with what it hung on: then its own end needs no frame.
func (j *Judge) parentGone(id string, rev uint64) bool {
	_, gone := j.history.At(id, rev)
	fact := j.history.Facts[gone]
	return !slices.Contains(fact.Touched, id)
}
