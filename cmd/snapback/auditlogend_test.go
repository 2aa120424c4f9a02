package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestAuditLog_SaysWhenItIsNotAll: a log that is followed until the server
// stops, and one that the person stopped in the middle, do not look whole.
func TestAuditLog_SaysWhenItIsNotAll(t *testing.T) {
	t.Parallel()
	const line = `{"outcome":"accepted","id":"m1","op":"mutate","user":"ann","at":"2026-03-01T10:04:12Z","rev":1,"words":["did"]}` + "\n"
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, line)
		if r.URL.Query().Get("actor") == "slow" {
			_ = http.NewResponseController(w).Flush()
			<-hold
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hold) })
	for _, format := range []string{"table", "csv"} {
		for _, c := range []struct {
			flags []string
			stop  bool // by the person, once there is something
			want  error
		}{
			{nil, false, nil},
			{[]string{"--follow"}, false, errEnded},
			{[]string{"--follow", "--until=1"}, false, nil},
			{[]string{"--follow", "--actor=slow"}, true, nil},
			{[]string{"--actor=slow"}, true, errStopped},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			out := newOutput()
			if c.stop {
				go func() { <-out.new; cancel() }()
			}
			err := run(ctx, append([]string{"audit", "log", "demo", "--format=" + format, "--server=" + server.URL}, c.flags...), out, io.Discard)
			if cancel(); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%s %v: %v, want %v", format, c.flags, err, c.want)
			}
		}
	}
}
