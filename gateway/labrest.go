package gateway

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/snapback-io/snapback/domain"
)

// labBody is how long the body of a setting may be, bytes.
const labBody = 16 << 10

// getLab is GET /v1/boards/{board}/lab?session=S.
func (s *Server) getLab(w http.ResponseWriter, r *http.Request, id identity) error {
	return s.answerLab(w, r, id, func(*session) {})
}

// putLab is PUT /v1/boards/{board}/lab?session=S.
func (s *Server) putLab(w http.ResponseWriter, r *http.Request, id identity) error {
	var fields map[string]json.RawMessage
	if err := readJSON(w, r, labBody, &fields); err != nil {
		return err
	}
	set, err := parseLabSetting(fields)
	if err != nil {
		return err
	}
	return s.answerLab(w, r, id, func(ses *session) { ses.change(set) })
}

// answerLab calls fn with the session the request names, under its hub's lock,
// and answers with what is set then.
func (s *Server) answerLab(w http.ResponseWriter, r *http.Request, id identity, fn func(*session)) error {
	var set labSetting
	ok := s.hubs.withSession(r.PathValue("board"), r.URL.Query().Get("session"), id.user, func(ses *session) {
		fn(ses)
		if ses.trial != nil {
			set = ses.trial.set
		}
	})
	if !ok {
		return notFound()
	}
	if set.Plan == nil {
		set.Plan = []fate{}
	}
	writeJSON(w, http.StatusOK, set)
	return nil
}

// withSession calls fn under the hub's lock with the user's session of that
// key; it says no if there is none on this board and node.
func (hs *hubs) withSession(board, key, user string, fn func(*session)) bool {
	hs.mu.Lock()
	h := hs.rooms[board]
	hs.mu.Unlock()
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sessions {
		if s.key == key && s.id.user == user {
			fn(s)
			return true
		}
	}
	return false
}

// parseLabSetting reads a setting strictly: a misspelt one must not look set.
func parseLabSetting(fields map[string]json.RawMessage) (set labSetting, err error) {
	if fields == nil {
		return set, problem{code: domain.Invalid, reason: "not a JSON object"}
	}
	for name, raw := range fields {
		var ok bool
		var limit any
		switch name {
		case "delayMs":
			limit, ok = maxLabDelay, number(raw, &set.DelayMs, maxLabDelay)
		case "jitterMs":
			limit, ok = maxLabDelay, number(raw, &set.JitterMs, maxLabDelay)
		case "refuse":
			limit, ok = 1, number(raw, &set.Refuse, 1)
		case "swallow":
			limit, ok = 1, number(raw, &set.Swallow, 1)
		case "plan":
			limit, ok = maxLabPlan, set.plan(raw)
		default:
			return set, badSetting(name, "delayMs, jitterMs, refuse, swallow, plan", "no such setting")
		}
		if !ok {
			return set, badSetting(name, limit, "a number from 0 to the limit; of plan: at most so many of pass, refuse, swallow")
		}
	}
	if set.Refuse+set.Swallow > 1+1e-9 { // a sum of two such shares may be a hair above 1
		return set, badSetting("swallow", 1, "refuse and swallow are together at most 1")
	}
	return set, nil
}

func badSetting(field string, limit any, reason string) problem {
	return problem{code: domain.Invalid, reason: reason, details: domain.Details{"field": field, "limit": limit}}
}

// number reads a number from 0 to most.
func number[N int | float64](raw json.RawMessage, to *N, most N) bool {
	return string(raw) != "null" && json.Unmarshal(raw, to) == nil && *to >= 0 && *to <= most
}

func (set *labSetting) plan(raw json.RawMessage) bool {
	if string(raw) == "null" || json.Unmarshal(raw, &set.Plan) != nil || len(set.Plan) > maxLabPlan {
		return false
	}
	return !slices.ContainsFunc(set.Plan, func(f fate) bool { return f != fatePass && f != fateRefuse && f != fateSwallow })
}
