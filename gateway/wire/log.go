package wire

import (
	"maps"
	"slices"

	"github.com/snapback-io/snapback/domain"
)

// Outcome of a decision, as a line of a board's log tells it.
type Outcome string

// The outcomes.
const (
	Accepted Outcome = "accepted"
	Refused  Outcome = "refused"
)

// Logged is a line of GET .../log: the decision as the log stores it, but for
// what is nobody's business but the server's (session, grant, what it waited
// for, where uploads lie).
type Logged struct {
	Outcome Outcome `json:"outcome"`
	domain.Decision
}

// NewLogged is the line that tells d. It shares what it can with d.
func NewLogged(d *domain.Decision) Logged {
	l := Logged{Accepted, *d}
	if d.Rejection != nil {
		l.Outcome = Refused
	}
	l.Session, l.Grant, l.After = "", "", ""
	if slices.ContainsFunc(d.Changes, func(c domain.Change) bool { return c.Content != nil }) {
		l.Changes = slices.Clone(d.Changes)
		for i := range l.Changes {
			if content := l.Changes[i].Content; content != nil {
				told := *content
				told.Object = ""
				l.Changes[i].Content = &told
			}
		}
	}
	if slices.ContainsFunc(d.Events, namesObject) {
		l.Events = slices.Clone(d.Events)
		for i := range l.Events {
			ev := &l.Events[i]
			ev.Before, ev.After = withoutObject(ev.Before), withoutObject(ev.After)
		}
	}
	return l
}

// objectField of a file says where its upload lies.
const objectField = "object"

func namesObject(ev domain.Event) bool {
	return ev.Before[objectField] != nil || ev.After[objectField] != nil
}

func withoutObject(f domain.Fields) domain.Fields {
	if _, has := f[objectField]; has {
		f = maps.Clone(f)
		delete(f, objectField)
	}
	return f
}

// AppendLogged appends l as json.Marshal writes it, and a line feed.
func AppendLogged(dst []byte, l *Logged) ([]byte, error) {
	const open = `{"outcome":"`
	dst = append(append(append(dst, open...), l.Outcome...), '"')
	at := len(dst)
	dst, err := l.Decision.AppendJSON(dst)
	if err != nil {
		return dst, err
	}
	dst[at] = ',' // and not another object
	return append(dst, '\n'), nil
}
