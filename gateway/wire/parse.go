package wire

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// ClientFrame is one frame of a client, its form checked; what is asked for is
// judged by nobody before the decision.
type ClientFrame struct {
	Type string
	ID   string // clientMutationId of a mutate or cancel

	Changes   []domain.Change // mutate; never with Toggle or Content
	ExpiresAt time.Time       // zero: none
	TTL       time.Duration   // 0: none; within MinTTLMs and MaxTTLMs
	Trace     string          // mutate: W3C traceparent, as it came; "": none, or none that can be one

	Data  json.RawMessage // presence, compact, at most MaxPresence bytes
	Token string          // auth
	Page  *Page           // load; nil: not even its id could be read
}

// ParseClient reads one text frame. On a form error it gives a rejection
// `invalid` with the field and its limit, and as much of the frame as could be
// read: with an ID the answer is a nack, without one an error frame. An unknown
// type is a form error too. Names are taken as they are written, case
// included; unknown ones are ignored, those of a patch are not. Nothing of the
// result is part of data.
func ParseClient(data []byte) (ClientFrame, *domain.Rejection) {
	if f, ok := readFrame(data, ""); ok {
		return f, nil
	}
	return parseClient(data)
}

// parseClient is ParseClient by encoding/json.
func parseClient(data []byte) (ClientFrame, *domain.Rejection) {
	var f ClientFrame
	o, ok := object(data)
	if !ok {
		return f, invalid("", "not a JSON object")
	}
	if f.Type, ok = str(o["type"]); !ok {
		return f, invalid("type", "no type")
	}
	switch f.Type {
	case TypeMutate:
		return f, f.mutate(o)
	case TypeCancel:
		return f, f.id(o)
	case TypePresence:
		return f, f.presence(o)
	case TypeAuth:
		if f.Token, ok = str(o["token"]); !ok {
			return f, invalid("token", "no token")
		}
		return f, nil
	case TypePing:
		return f, nil
	case TypeLoad:
		return f, f.load(o)
	}
	return f, invalid("type", "unknown type")
}

// ParseMutation reads the body of a mutation over HTTP: a mutate frame whose
// type may be missing. Rejections as ParseClient.
func ParseMutation(data []byte) (ClientFrame, *domain.Rejection) {
	if f, ok := readFrame(data, TypeMutate); ok {
		return f, nil
	}
	return parseMutation(data)
}

// parseMutation is ParseMutation by encoding/json.
func parseMutation(data []byte) (ClientFrame, *domain.Rejection) {
	f := ClientFrame{Type: TypeMutate}
	o, ok := object(data)
	if !ok {
		return f, invalid("", "not a JSON object")
	}
	if t, has := o["type"]; has {
		if s, _ := str(t); s != TypeMutate {
			return f, invalid("type", "not a mutate")
		}
	}
	return f, f.mutate(o)
}

// Peek reads type and clientMutationId of a frame that is too large to be
// taken; "" for what is not there.
func Peek(data []byte) (typ, id string) {
	o, ok := object(data)
	if !ok {
		return "", ""
	}
	typ, _ = str(o["type"])
	if id, _ = str(o["clientMutationId"]); !domain.ValidMutationID(id) {
		id = ""
	}
	return typ, id
}

func (f *ClientFrame) id(o map[string]json.RawMessage) *domain.Rejection {
	id, ok := str(o["clientMutationId"])
	if !ok || id == "" {
		return invalid("clientMutationId", "no clientMutationId")
	}
	if len(id) <= 4*MaxMutationID { // long enough to name what was sent, bounded
		f.ID = id
	}
	if !domain.ValidMutationID(id) {
		return limited("clientMutationId", MaxMutationID, "not 1 to 64 of A-Z a-z 0-9 _ -")
	}
	return nil
}

func (f *ClientFrame) mutate(o map[string]json.RawMessage) *domain.Rejection {
	if bad := f.id(o); bad != nil {
		return bad
	}
	if bad := f.deadline(o); bad != nil {
		return bad
	}
	if trace, ok := str(o["traceparent"]); ok {
		f.traced(trace)
	}
	for _, name := range []string{"patch", "if", "changes"} {
		if domain.TooDeep(o[name]) {
			return limited(name, domain.MaxDepth, "nested too deep")
		}
	}
	list, several := o["changes"]
	if !several {
		c, bad := change(o)
		f.Changes = []domain.Change{c}
		return bad
	}
	for _, name := range []string{"entityId", "patch", "if", "ifRev"} {
		if _, both := o[name]; both {
			return invalid(name, "beside changes")
		}
	}
	var elements []json.RawMessage
	if json.Unmarshal(list, &elements) != nil || len(elements) == 0 {
		return invalid("changes", "not a list of changes")
	}
	if len(elements) > MaxChanges {
		return limited("changes", MaxChanges, "too many changes")
	}
	for i, element := range elements {
		bad := invalid("changes", "not an object")
		var c domain.Change
		if eo, ok := object(element); ok {
			c, bad = change(eo)
		}
		if bad != nil {
			bad.Details["change"] = i
			return bad
		}
		f.Changes = append(f.Changes, c)
	}
	return nil
}

// traceparentBytes is how long a traceparent of version 00 is.
const traceparentBytes = 55

// traced takes a traceparent; what is none costs the trace and nothing else.
func (f *ClientFrame) traced(parent string) {
	if f.Trace = ""; len(parent) == traceparentBytes {
		f.Trace = parent
	}
}

func (f *ClientFrame) deadline(o map[string]json.RawMessage) *domain.Rejection {
	if raw, ok := o["expiresAt"]; ok && !null(raw) {
		s, _ := str(raw)
		t, ok := expiry(s)
		if !ok {
			return invalid("expiresAt", "not an RFC 3339 time of these ages")
		}
		f.ExpiresAt = t
	}
	if raw, ok := o["ttlMs"]; ok && !null(raw) {
		n, isInt := domain.DecodeValue(raw).(int64)
		if !isInt || n < MinTTLMs || n > MaxTTLMs {
			return limited("ttlMs", MaxTTLMs, "not 1000 to 60000")
		}
		f.TTL = time.Duration(n) * time.Millisecond
	}
	return nil
}

// expiry reads a deadline of these ages.
func expiry(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	t = t.UTC()
	return t, err == nil && t.Year() >= 1970 && t.Year() <= 9999
}

// change reads one change. An absent patch is an error, never a delete.
func change(o map[string]json.RawMessage) (c domain.Change, bad *domain.Rejection) {
	var ok bool
	if c.EntityID, ok = str(o["entityId"]); !ok || c.EntityID == "" {
		return c, invalid("entityId", "no entityId")
	}
	patch, ok := o["patch"]
	if !ok {
		return c, invalid("patch", "no patch")
	}
	if json.Unmarshal(patch, &c.Patch) != nil {
		return c, invalid("patch", "neither an object nor null")
	}
	if raw, ok := o["if"]; ok && !null(raw) {
		if json.Unmarshal(raw, &c.If) != nil {
			return c, invalid("if", "not an object")
		}
	}
	if raw, ok := o["ifRev"]; ok && !null(raw) {
		if json.Unmarshal(raw, &c.IfRev) != nil {
			return c, invalid("ifRev", "not a rev")
		}
	}
	return c, nil
}

func (f *ClientFrame) presence(o map[string]json.RawMessage) *domain.Rejection {
	raw, ok := o["data"]
	if !ok {
		return invalid("data", "no data")
	}
	if null(raw) {
		return nil // leaves
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil || b.Len() > MaxPresence {
		return limited("data", MaxPresence, "presence data too large")
	}
	f.Data = b.Bytes()
	return nil
}

// object reads a JSON object by exact member names; a name that stands twice
// has its last value.
func object(data []byte) (map[string]json.RawMessage, bool) {
	var o map[string]json.RawMessage
	if json.Unmarshal(data, &o) != nil || o == nil {
		return nil, false
	}
	return o, true
}

func str(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	return s, json.Unmarshal(raw, &s) == nil
}

func null(raw json.RawMessage) bool { return string(raw) == "null" }

func invalid(field, reason string) *domain.Rejection {
	r := &domain.Rejection{Code: domain.Invalid, Reason: reason, Details: domain.Details{}}
	if field != "" {
		r.Details["field"] = field
		r.Reason = field + ": " + reason
	}
	return r
}

func limited(field string, limit int, reason string) *domain.Rejection {
	r := invalid(field, reason)
	r.Details["limit"] = limit
	return r
}
