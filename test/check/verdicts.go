package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/test/cutter"
)

// ofTheFrame are the final codes that need no record: a property of the frame alone.
var ofTheFrame = map[string]bool{"invalid": true, "too_large": true}

// verdicts judges laws 3 and 4 on one connection: the number of verdicts, and
// that each is what the log says.
func (j *Judge) verdicts(name string, t *trace) {
	sent, cancels, got := map[string]int{}, map[string]int{}, map[string]int{}
	waiting := map[string][]*sending{}
	for i := range t.frames {
		f := &t.frames[i]
		switch {
		case f.way == cutter.Up && f.Type == "mutate" && f.ID != "":
			sent[f.ID]++
			for _, s := range j.sendings[[2]string{t.user, f.ID}] {
				if s.trace == t && s.index == i {
					waiting[f.ID] = append(waiting[f.ID], s)
				}
			}
		case f.way == cutter.Up && f.Type == "cancel" && f.ID != "":
			cancels[f.ID]++
		case f.way == cutter.Down && (f.Type == "ack" || f.Type == "nack"):
			got[f.ID]++
			if list := waiting[f.ID]; len(list) > 0 {
				list[0].answer, waiting[f.ID] = f, list[1:]
				j.Slowest = max(j.Slowest, f.at.Sub(list[0].frame.at))
			}
			j.verdict(name, t.user, f)
		}
	}
	for id, n := range got {
		if n > sent[id]+cancels[id] {
			j.Fault("law 3", "%s: %d verdicts of %s, sent %d times and %d cancels", name, n, id, sent[id], cancels[id])
		}
	}
	if !t.alive() {
		return
	}
	for id, n := range sent {
		if got[id] < n {
			j.Fault("law 3", "%s: %d verdicts of %s, sent %d times", name, got[id], id, n)
		}
	}
	for id := range cancels {
		if got[id] == 0 {
			j.Fault("law 3", "%s: a cancel of %s without answer", name, id)
		}
	}
}

// verdict holds one verdict frame against the log.
func (j *Judge) verdict(name, user string, f *Frame) {
	key := [2]string{user, f.ID}
	d, logged := j.Log.By[key]
	several := len(j.contents[key]) > 1
	switch {
	case f.Type == "ack" && !logged:
		j.Fault("law 4", "%s: ack of %s, which is not in the log", name, f.ID)
	case f.Type == "ack" && (!d.Accepted() || d.Rev != f.Rev || len(d.Events) != f.Events):
		j.Fault("law 3", "%s: ack of %s with rev %d and %d events, the log has %v, rev %d, %d events", name, f.ID, f.Rev, f.Events, d.Rejection, d.Rev, len(d.Events))
	case f.Type == "ack":
		j.Counts["acked"]++
		j.heard(key, f)
	case f.Retryable:
		j.Counts["nack "+f.Code]++
	case f.Code == "id_reused":
		j.Counts["nack "+f.Code]++
		if !several {
			j.Fault("law 3", "%s: %s is said to be reused and is not", name, f.ID)
		}
	case !logged && !ofTheFrame[f.Code]:
		j.Fault("law 4", "%s: final nack %s of %s is not in the log", name, f.Code, f.ID)
	case logged && d.Accepted() && !(several && ofTheFrame[f.Code]), logged && !d.Accepted() && d.Rejection.Code != f.Code && !ofTheFrame[f.Code]:
		j.Fault("law 4", "%s: nack %s of %s, the log has %s", name, f.Code, f.ID, outcome(d.Accepted(), d.Rejection))
	default:
		j.Counts["nack "+f.Code]++
		if logged && !d.Accepted() && d.Rejection.Code == f.Code {
			j.heard(key, f)
		}
	}
}

func (j *Judge) heard(key [2]string, f *Frame) {
	if first := j.verdictOf[key]; first == nil || f.at.Before(first.at) {
		j.verdictOf[key] = f
	}
}

func outcome(accepted bool, rejection any) string {
	if accepted {
		return "accepted"
	}
	return fmt.Sprintf("%+v", rejection)
}

// refusals judges law 7 on one connection: after a retryable nack every later
// mutate is refused alike until that id is sent again or cancelled. What may be
// in the log already is never refused, so only what nobody had sent before counts.
func (j *Judge) refusals(name string, t *trace) {
	answers := map[int]*Frame{}
	for _, list := range j.sendings {
		for _, s := range list {
			if s.trace == t && s.answer != nil {
				answers[s.index] = s.answer
			}
		}
	}
	refused := ""
	for i := range t.frames {
		f := &t.frames[i]
		if f.way != cutter.Up || f.ID == "" || f.Type != "mutate" && f.Type != "cancel" {
			continue
		}
		if f.ID == refused {
			refused = ""
		}
		a := answers[i]
		if f.Type == "cancel" || a == nil {
			continue
		}
		switch {
		case refused == "" && a.Retryable:
			refused = f.ID
		case refused != "" && !a.Retryable && !ofTheFrame[a.Code] && j.isNew(t, i):
			j.Fault("law 7", "%s: %s got %s %s although %s had been refused before it", name, f.ID, a.Type, a.Code, refused)
		}
	}
}

// isNew says whether frame i is the first of its id anywhere, of an id that was
// made on this connection.
func (j *Judge) isNew(t *trace, i int) bool {
	f := &t.frames[i]
	for _, s := range j.ups[[2]string{t.user, f.ID}] {
		if s.trace == t && s.index < i || s.trace != t && !s.frame.at.After(f.at) {
			return false
		}
	}
	id, err := ulid.ParseStrict(f.ID)
	return err != nil || !ulid.Time(id.Time()).Before(t.conn.Opened.Add(-time.Millisecond))
}

// neverPublished judges the rest of law 7: what was only ever refused for now
// is not in the log.
func (j *Judge) neverPublished() {
	for key, list := range j.sendings {
		if _, logged := j.Log.By[key]; !logged {
			continue
		}
		all := true
		for _, s := range list {
			all = all && s.answer != nil && s.answer.Retryable
		}
		if all && !j.cancelled(key) {
			j.Fault("law 7", "%s of %s was only ever refused for now and is in the log", key[1], key[0])
		}
	}
}

func (j *Judge) cancelled(key [2]string) bool {
	return slices.ContainsFunc(j.ups[key], func(s *sending) bool { return s.frame.Type == "cancel" })
}

// errors judges law 8: a broken frame is answered with error and costs nothing else.
func (j *Judge) errors(name string, t *trace) {
	broken, answered := 0, 0
	for i := range t.frames {
		f := &t.frames[i]
		if f.way == cutter.Up && (f.bad || f.Type == "") {
			broken++
		}
		if f.way == cutter.Down && f.Type == "error" {
			answered++
		}
	}
	j.Counts["broken frames"] += broken
	if t.alive() && answered < broken {
		j.Fault("law 8", "%s: %d errors for %d broken frames", name, answered, broken)
	}
}

// law6 judges that what one connection sent first took effect in the order sent.
func (j *Judge) law6() {
	first := map[[2]string]*sending{}
	for key, list := range j.sendings {
		for _, s := range list {
			if first[key] == nil || s.frame.at.Before(first[key].frame.at) {
				first[key] = s
			}
		}
	}
	for n, t := range j.traces {
		last, lastID, repeats := -1, "", t.repeats()
		for i := range t.frames {
			f := &t.frames[i]
			if f.way != cutter.Up || f.Type != "mutate" {
				continue
			}
			key := [2]string{t.user, f.ID}
			s := first[key]
			d, logged := j.Log.By[key]
			if s == nil || s.trace != t || s.index != i || len(j.sendings[key]) != 1 || !logged || !d.Accepted() {
				continue
			}
			j.Counts["in order"]++
			if d.Order < last && repeats {
				j.Counts["out of order with repeats"]++
			} else if d.Order < last {
				j.Fault("law 6", "connection %d of %s: %s took effect before %s, which was sent earlier%s", n, t.user, f.ID, lastID, j.chain(key))
			}
			if d.Order > last {
				last, lastID = d.Order, f.ID
			}
		}
	}
}

// repeats says whether some id was sent twice on the connection. Such
// connections make circles of who comes after whom; an order that is broken
// there is counted ("out of order with repeats") and not yet a failure.
func (t *trace) repeats() bool {
	sent := map[string]bool{}
	for i := range t.frames {
		f := &t.frames[i]
		if f.way != cutter.Up || f.Type != "mutate" {
			continue
		}
		if sent[f.ID] {
			return true
		}
		sent[f.ID] = true
	}
	return false
}

// chain tells what a mutation was said to come after, and that in turn.
func (j *Judge) chain(key [2]string) string {
	text := ""
	for range 12 {
		d, ok := j.Log.By[key]
		if !ok {
			break
		}
		text += fmt.Sprintf("\n   %s decided %dth in record %d, %s, sent %d times, after %q", key[1], d.Order, d.Record.Seq, outcome(d.Accepted(), d.Rejection), len(j.sendings[key]), d.After)
		key[1] = d.After
	}
	return text
}

// deadlines judges law 5 for the clients' own deadlines.
func (j *Judge) deadlines() {
	for key, list := range j.sendings {
		d, logged := j.Log.By[key]
		if !logged || !d.Accepted() {
			continue
		}
		var latest time.Time
		for _, s := range list {
			if s.frame.ExpiresAt == nil {
				latest = time.Time{}
				break
			}
			if s.frame.ExpiresAt.After(latest) {
				latest = *s.frame.ExpiresAt
			}
		}
		if !latest.IsZero() {
			j.Counts["deadlines"]++
			if d.Record.Stored.After(latest) {
				j.Fault("law 5", "%s of %s took effect at %s, after %s", key[1], key[0], d.Record.Stored, latest)
			}
		}
	}
}
