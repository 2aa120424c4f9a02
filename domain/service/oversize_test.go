package service

import (
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// What was too large is refused as that only as long as it is: others may have
// been decided since.
func TestTooLargeIsLookedAtAgain(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	w := newWorker(&Service{Config: Config{Log: logtest.New(logtest.Config{MaxRecord: 8 << 10}), Now: func() time.Time { return now }}}, "b")
	w.state = domain.NewBoard("b")
	for _, test := range []struct {
		title, oversize int
		want            domain.Code
		kept            bool
	}{{9000, 0, "", true}, {9000, 1, domain.TooLarge, true}, {9000, 2, domain.TooLarge, false}, {9, 1, "", true}} {
		cmd := domain.Command{ID: "m", Op: domain.OpMutate, User: "ann", ReceivedAt: now, Deadline: now.Add(time.Second),
			Changes: []domain.Change{create("b", domain.Patch{"kind": "board", "title": strings.Repeat("x", test.title)})}}
		d := w.decide(&entry{cmd: cmd, oversize: test.oversize})
		code := domain.Code("")
		if d.Rejection != nil {
			code = d.Rejection.Code
		}
		if again := domain.Redecide(w.state, &d); code != test.want || (len(d.Changes) > 0) != test.kept || (again.Rejection == nil) != (code == "") {
			t.Errorf("%+v: %q, %d changes, again %v", test, code, len(d.Changes), again.Rejection)
		}
	}
}
