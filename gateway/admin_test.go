package gateway

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
)

func (s *site) admin(path string) reply {
	w := httptest.NewRecorder()
	s.s.AdminHandler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return reply{w.Code, w.Header(), w.Body.String()}
}

func TestAdmin_ReadyzSaysWhatAnAckIsWorth(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{Sync: "interval"})
	var a readiness
	r := s.admin("/readyz")
	r.json(t, &a)
	if r.status != 200 || !a.Ready || a.Sync != "interval" || a.Log != "ok" {
		t.Errorf("%d %s", r.status, r.body)
	}
	s.m.down = errors.New("no leader")
	r = s.admin("/readyz")
	r.json(t, &a)
	if r.status != 503 || a.Ready || a.Log != "no leader" {
		t.Errorf("%d %s", r.status, r.body)
	}
	s.m.down = nil
	s.s.draining.Store(true)
	r = s.admin("/readyz")
	r.json(t, &a)
	if r.status != 503 || a.Ready || !a.Draining {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := s.admin("/healthz"); r.status != 200 {
		t.Errorf("a draining server is alive: %d", r.status)
	}
}

func TestAdmin_MetricsCountOutcomes(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	s.must(409, "POST", "/v1/boards/demo/mutations", `{"clientMutationId":"m1","entityId":"c1","patch":{"columnId":"full"}}`)
	s.s.metrics.registry.MustRegister(newTotals(func() counters { return counters{Boards: 3, Lags: 7} }))
	r := s.admin("/metrics")
	for _, want := range []string{
		`snapback_verdicts_total{outcome="ack",via="http"} 2`, `snapback_verdicts_total{outcome="wip_limit",via="http"} 1`,
		`snapback_verdict_seconds_count{via="http"} 3`, "snapback_boards_watched 3", "snapback_lags_total 7",
	} {
		if !strings.Contains(r.body, want+"\n") {
			t.Errorf("no %s in\n%s", want, r.body)
		}
	}
	if s.admin("/nothing").status != 404 {
		t.Error("unknown admin path")
	}
}
