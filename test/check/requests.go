package check

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/naive"
)

// opaqueFor is how long the verdict of an id that is no ULID is asked for: less
// than the ten minutes the server has it.
const opaqueFor = 9 * time.Minute

// posts reads the mutations that came over HTTP: they are sendings like others.
func (j *Judge) posts() {
	for i := range j.requests {
		r := &j.requests[i]
		if r.Method != http.MethodPost || r.Path != "mutations" {
			continue
		}
		f := &Frame{at: r.Sent}
		if json.Unmarshal([]byte(r.Body), f) != nil || f.ID == "" {
			continue
		}
		j.sent(r.User, f, &sending{index: -1, frame: f, answer: answer(r, f.ID)})
	}
}

// answer is the verdict in the answer to a mutation over HTTP, nil: none.
func answer(r *Request, id string) *Frame {
	f := &Frame{at: r.Done}
	if json.Unmarshal([]byte(r.Answer), f) != nil {
		return nil
	}
	if f.ID = id; r.Status == http.StatusOK {
		var body struct{ Events int }
		_ = json.Unmarshal([]byte(r.Answer), &body)
		f.Type, f.Events = "ack", body.Events
		return f
	}
	if f.Code == "" || f.Code == "undecided" {
		return nil
	}
	f.Type, f.Retryable = "nack", f.Code == "rate_limited" || f.Code == "unavailable"
	return f
}

// http judges the answers to all requests.
func (j *Judge) http() {
	for i := range j.requests {
		r := &j.requests[i]
		id, asked := strings.CutPrefix(r.Path, "mutations/")
		switch {
		case r.Status == 0:
			j.Counts["requests without answer"]++
		case r.Method == http.MethodPost && r.Path == "mutations":
			f := &Frame{}
			if json.Unmarshal([]byte(r.Body), f) == nil && f.ID != "" {
				if a := answer(r, f.ID); a != nil {
					j.verdict(r.Node+" over HTTP", r.User, a)
				}
			}
		case r.Method == http.MethodGet && asked:
			j.inquiry(r, id)
		case r.Method == http.MethodGet && (r.Path == "" || r.Path[0] == '?'):
			j.seen(r)
		}
	}
}

// inquiry judges the answer of a node that was asked for a verdict.
func (j *Judge) inquiry(r *Request, id string) {
	key := [2]string{r.User, id}
	d, logged := j.Log.By[key]
	f := &Frame{at: r.Done}
	switch {
	case r.Status == http.StatusOK && json.Unmarshal([]byte(r.Answer), f) == nil && f.ID == id:
		j.Counts["verdicts asked for"]++
		j.verdict(r.Node+" asked", r.User, f)
	case r.Status == http.StatusNotFound && r.Quiet && logged && r.Sent.Sub(d.At()) < opaqueFor, r.Status == http.StatusNotFound && r.Quiet && logged && isULID(id):
		j.Fault("law 3", "%s knows no verdict of %s of %s, which is in record %d", r.Node, id, r.User, d.Record.Seq)
	case r.Status == http.StatusNotFound:
		j.Counts["verdicts asked for in vain"]++
	case r.Quiet:
		j.Fault("law 3", "%s asked for %s of %s: %d %.200s", r.Node, id, r.User, r.Status, r.Answer)
	}
}

func isULID(id string) bool {
	_, err := ulid.ParseStrict(id)
	return err == nil
}

// seen judges a board that was read over HTTP: it is the log up to its rev, and
// has what was asked for at the least.
func (j *Judge) seen(r *Request) {
	if r.Status != http.StatusOK {
		if r.Quiet {
			j.Fault("reads", "%s: GET board: %d %.200s", r.Node, r.Status, r.Answer)
		}
		return
	}
	o, err := naive.ToObject([]byte(r.Answer))
	if err != nil {
		j.Fault("reads", "%s: %v", r.Node, err)
		return
	}
	v := View{Who: r.Node + " over HTTP", User: r.User, Rev: RevOf(o), Entities: map[string]naive.Object{}}
	list, _ := o["entities"].([]any)
	for _, e := range list {
		if entity, ok := e.(naive.Object); ok {
			v.Entities[entity["id"].(string)] = entity
		}
	}
	j.Counts["boards read"]++
	q, _ := url.ParseQuery(strings.TrimPrefix(r.Path, "?"))
	if least, _ := strconv.ParseUint(q.Get("minRev"), 10, 64); v.Rev < least {
		j.Fault("reads", "%s was asked for rev %d or later and gave %d", r.Node, least, v.Rev)
	}
	j.View(v, r.Quiet)
}

// View judges what somebody holds: it is the log up to its rev, and all of the
// log if everything was quiet.
func (j *Judge) View(v View, quiet bool) {
	for _, d := range naive.Differences(v.Entities, j.history.View(v.Rev, v.User)) {
		j.Fault("convergence", "%s at rev %d: %s", v.Who, v.Rev, d)
	}
	if v.Rev > j.Log.Rev || quiet && v.Rev != j.Log.Rev {
		j.Fault("convergence", "%s is at rev %d, the log at %d", v.Who, v.Rev, j.Log.Rev)
	}
	j.Counts["views"]++
}

// Told judges what an application was told of its mutation.
func (j *Judge) Told(t Told) {
	d, logged := j.Log.By[[2]string{t.User, t.ID}]
	switch {
	case t.OK && (!logged || !d.Accepted() || d.Rev != t.Rev):
		j.Fault("law 4", "%s was told that %s is in the log at rev %d", t.User, t.ID, t.Rev)
	case !t.OK && logged && d.Accepted():
		j.Fault("law 4", "%s was told that %s is refused (%s), the log accepted it", t.User, t.ID, t.Code)
	}
}

// skew is how far apart the clocks of the recorder and of a stream may be.
const skew = 2 * time.Second

// clocks judges the stream's own time by the recorder's: nothing is stored
// before it was sent or after its verdict was heard, unless a clock was set
// meanwhile, and nothing that was sent after its deadline took effect.
func (j *Judge) clocks(faults []Fault) {
	for key, d := range j.Log.By {
		list := j.ups[key]
		if len(list) == 0 {
			continue
		}
		first := slices.MinFunc(list, func(a, b *sending) int { return a.frame.at.Compare(b.frame.at) }).frame
		if end := first.ExpiresAt; d.Accepted() && end != nil && first.at.After(end.Add(skew)) {
			j.Fault("law 5", "%s of %s took effect, and was sent first at %s, after its deadline %s", key[1], key[0], first.at, end)
		}
		var heard time.Time
		if v := j.verdictOf[key]; v != nil {
			heard = v.at
		}
		if clockWasSet(faults, first.at, heard) {
			continue
		}
		if d.Record.Stored.Before(first.at.Add(-skew)) {
			j.Fault("clock", "%s of %s was stored at %s and sent first at %s", key[1], key[0], d.Record.Stored, first.at)
		}
		if !heard.IsZero() && d.Record.Stored.After(heard.Add(skew)) {
			j.Fault("clock", "%s of %s was stored at %s, its verdict was there at %s", key[1], key[0], d.Record.Stored, heard)
		}
	}
}

// clockWasSet says whether a node's clock was wrong between two times; the
// second may be zero: not known.
func clockWasSet(faults []Fault, from, to time.Time) bool {
	return slices.ContainsFunc(faults, func(f Fault) bool {
		return f.Kind == "jump" && from.Before(f.To.Add(skew)) && (to.IsZero() || to.After(f.From.Add(-skew)))
	})
}

// ID names a mutation.
type ID struct{ Board, User, ID string }

// Sent are the mutations that anybody sent or cancelled, each once.
func Sent(h *History) []ID {
	seen := map[ID]bool{}
	for _, t := range decode(h.Conns) {
		for i := range t.frames {
			if f := &t.frames[i]; f.way == cutter.Up && f.ID != "" {
				seen[ID{boardOf(t.conn.URL.Path), t.user, f.ID}] = true
			}
		}
	}
	for _, r := range h.Requests {
		f := &Frame{}
		if r.Method == http.MethodPost && r.Path == "mutations" && json.Unmarshal([]byte(r.Body), f) == nil {
			seen[ID{r.Board, r.User, f.ID}] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b ID) int {
		return cmp.Or(strings.Compare(a.Board, b.Board), strings.Compare(a.User, b.User), strings.Compare(a.ID, b.ID))
	})
}
