package wire

import (
	"encoding/json"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// Outcome of a decision, as a line of a board's log tells it.
type Outcome string

// The outcomes. What is void was stored too late to take effect, and decided again.
const (
	Accepted Outcome = "accepted"
	Refused  Outcome = "refused"
	Void     Outcome = "void"
)

// Logged is a line of GET .../log: the decision as the log stores it, but for
// what is nobody's business but the server's ([domain.Decision.Told]).
type Logged struct {
	Outcome Outcome       `json:"outcome"`
	Record  *LoggedRecord `json:"record,omitempty"` // asked for by with=record
	Words   []string      `json:"words,omitempty"`  // asked for by with=words: one per event, or one of a decision without
	Asked   string        `json:"asked,omitempty"`  // asked for by with=asked: what the mutation wanted, in words
	domain.Decision
}

// LoggedRecord says where in the log a decision stands.
type LoggedRecord struct {
	Seq    uint64      `json:"seq"`
	Hash   domain.Hash `json:"hash"`   // of the record's stored bytes
	Stored time.Time   `json:"stored"` // by the stream's clock
	Index  int         `json:"index"`  // of the decision in the record, from 0
}

// NewLogged is the line that tells d. It shares what it can with d.
func NewLogged(d *domain.Decision) Logged {
	l := Logged{Outcome: Accepted, Decision: d.Told()}
	if d.Rejection != nil {
		l.Outcome = Refused
	}
	return l
}

// AppendLogged appends l as json.Marshal writes it, and a line feed.
func AppendLogged(dst []byte, l *Logged) ([]byte, error) {
	const open = `{"outcome":"`
	dst = append(append(append(dst, open...), l.Outcome...), '"')
	var err error
	if l.Record != nil {
		if dst, err = appendMember(dst, `,"record":`, l.Record); err != nil {
			return dst, err
		}
	}
	if len(l.Words) > 0 {
		if dst, err = appendMember(dst, `,"words":`, l.Words); err != nil {
			return dst, err
		}
	}
	if l.Asked != "" {
		if dst, err = appendMember(dst, `,"asked":`, l.Asked); err != nil {
			return dst, err
		}
	}
	at := len(dst)
	if dst, err = l.Decision.AppendJSON(dst); err != nil {
		return dst, err
	}
	dst[at] = ',' // and not another object
	return append(dst, '\n'), nil
}

func appendMember(dst []byte, name string, v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	return append(append(dst, name...), raw...), err
}
