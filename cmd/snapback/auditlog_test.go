package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/snapback-io/snapback/gateway/wire"
)

// logged makes a small history on board demo of a server that has none.
func (s *server) logged(t *testing.T) {
	t.Helper()
	do := func(user, id, entity, patch string) {
		t.Helper()
		s.call(http.MethodPost, "/v1/boards/demo/mutations?user="+user, "", `{"clientMutationId":"`+id+`","entityId":"`+entity+`","patch":`+patch+`}`, nil)
	}
	if code := s.call(http.MethodPost, "/v1/boards?user=ann", "", `{"id":"demo","title":"Demo"}`, nil); code != http.StatusCreated {
		t.Fatal(code)
	}
	do("ann", "m1", "doing", `{"kind":"column","title":"Doing","wipLimit":1}`)
	do("ann", "m2", "done", `{"kind":"column","title":"Done"}`)
	do("ann", "m3", "c1", `{"kind":"card","title":"Fix login","columnId":"doing"}`)
	do("bob", "m4", "c2", `{"kind":"card","title":"Pay","columnId":"doing"}`)
	do("bob", "m5", "c1", `{"columnId":"done"}`)
}

// TestAudit_AsksTheServerWhereOneIsSetUp by the environment, and not its log; a
// directory or a NATS server without a log stays as it is.
func TestAudit_AsksTheServerWhereOneIsSetUp(t *testing.T) {
	data := t.TempDir()
	s := serve(t, "--data="+data, "--demo=false")
	s.logged(t)
	t.Setenv("SNAPBACK_DATA", data)
	t.Setenv("SNAPBACK_SERVER", s.url)
	if out, err := snapback(t, "audit", "log", "demo"); err != nil || !strings.Contains(out, "Fix login") {
		t.Errorf("%v\n%s", err, out)
	}
	t.Setenv("SNAPBACK_OPEN_DATA", data)
	if _, err := snapback(t, "audit", "log", "demo"); err == nil || !strings.Contains(err.Error(), "a server is running on this directory") {
		t.Error(err)
	}
	empty := t.TempDir()
	if err := os.Mkdir(filepath.Join(empty, "nats"), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := snapback(t, "audit", "log", "demo", "--data="+empty); err == nil || !strings.Contains(err.Error(), "there is no log") {
			t.Error(err)
		}
	}
}

// TestAuditLog_TellsTheSameOfAServerAndOfTheLog, in every format.
func TestAuditLog_TellsTheSameOfAServerAndOfTheLog(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := serve(t, "--data="+data, "--demo=false")
	s.logged(t)
	questions := [][]string{
		{"--utc"}, {"--utc", "--last=2"}, {"--utc", "--since=4", "--until=5"}, {"--utc", "--actor=bob"}, {"--utc", "--outcome=refused"}, {"--utc", "--kind=card.moved"},
		{"--utc", "--entity=c1"}, {"--utc", "--id=m3"}, {"--utc", "--from=2020-01-01T00:00:00Z", "--to=2020-01-02T00:00:00Z"}, {"--utc", "--outcome=void"},
		{"--format=ndjson"}, {"--format=csv"}, {"--format=cloudevents", "--last=1"},
	}
	var told []string
	for _, flags := range questions {
		out, err := snapback(t, append([]string{"audit", "log", "demo", "--server=" + s.url}, flags...)...)
		if err != nil {
			t.Fatal(flags, err)
		}
		told = append(told, out)
	}
	row := func(rev, who, what string) string {
		return `\d\d:\d\d:\d\d       ` + rev + `  ` + who + strings.Repeat(" ", 14-len(who)) + ` ` + regexp.QuoteMeta(what) + "\n"
	}
	want := `^\d{4}-\d\d-\d\d \w+ UTC\n` + row("1", "ann", "created the board «Demo»") + row("2", "ann", "added ann as admin") + row("3", "ann", "added the column Doing") +
		row("4", "ann", "added the column Done") + row("5", "ann", "created «Fix login» in Doing") +
		row("5", "bob", "was refused: create the card «Pay» in Doing: Doing is full (1 of 1)") + row("6", "bob", "moved «Fix login» from Doing to Done") + `$`
	if !regexp.MustCompile(want).MatchString(told[0]) {
		t.Errorf("the table is\n%s", told[0])
	}
	for i, want := range map[int]string{1: "was refused", 2: "created «Fix login» in Doing", 3: "moved «Fix login» from Doing to Done", 4: "is full (1 of 1)", 5: "moved «Fix login»", 6: "created «Fix login»", 7: "created «Fix login»", 11: "wip_limit", 12: "io.snapback.card.moved"} {
		if !strings.Contains(told[i], want) {
			t.Errorf("%v:\n%s", questions[i], told[i])
		}
	}
	if told[8] != "" || told[9] != "" {
		t.Errorf("told though nothing was asked for: %q %q", told[8], told[9])
	}
	verdict := []string{"audit", "verdict", "demo", "m4", "--utc"}
	asked, err := snapback(t, append(verdict, "--server="+s.url)...)
	if err != nil || !regexp.MustCompile(`(?s)^mutation  m4\nasked by  bob\nasked to  create the card «Pay» in Doing\nreceived  .*\ndecided   .*\nstored    .* UTC\nverdict   refused \(wip_limit\) at rev 5\n`+
		`          bob was refused: create the card «Pay» in Doing: Doing is full \(1 of 1\)\nchanges   \[.*\]\nrecord    \d+, decision 0, sha256 [0-9a-f]{64}\n$`).MatchString(asked) {
		t.Errorf("%v\n%s", err, asked)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for i, flags := range questions {
		if out, err := snapback(t, append([]string{"audit", "log", "demo", "--data=" + data}, flags...)...); err != nil || out != told[i] {
			t.Errorf("%v of the log itself: %v\n%s\nthe server told\n%s", flags, err, out, told[i])
		}
	}
	if out, err := snapback(t, append(verdict, "--data="+data)...); err != nil || out != asked {
		t.Errorf("%v\n%s", err, out)
	}
	for _, args := range [][]string{{"audit", "verdict", "demo", "m9", "--data=" + data}, {"audit", "verdict", "demo", "m4", "--actor=ann", "--data=" + data}} {
		if _, err := snapback(t, args...); !errors.Is(err, errNoDecision) || exitCode(err) != 1 {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := snapback(t, "audit", "log", "nothing", "--data="+data); err == nil || !strings.Contains(err.Error(), "no board nothing") {
		t.Error(err)
	}
}

func TestAuditLog_SaysWhichFlagCannotBe(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"--since=x: not a rev":          {"audit", "log", "demo", "--since=x"},
		"--last=0: 1 to 1000":           {"audit", "log", "demo", "--last=0"},
		"--from=now: not a time":        {"audit", "log", "demo", "--from=now"},
		"--kind=cards: not a kind":      {"audit", "log", "demo", "--kind=cards"},
		"--format must be one of":       {"audit", "log", "demo", "--format=xml"},
		"a:b: not the id of a mutation": {"audit", "verdict", "demo", "a:b"},
		"--follow: nobody writes":       {"audit", "log", "demo", "--follow", "--data=" + t.TempDir()},
	} {
		if _, err := snapback(t, args...); err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != 2 {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// TestAuditLog_Follows until it is stopped, and ends quietly when its reader
// has gone.
func TestAuditLog_Follows(t *testing.T) {
	t.Parallel()
	s := serve(t, "--data="+t.TempDir(), "--demo=false")
	s.logged(t)
	for format, last := range map[string]string{"table": "ogin", "ndjson": "c1"} {
		ctx, cancel := context.WithCancel(t.Context())
		out := newOutput()
		ended := make(chan error, 1)
		go func() {
			ended <- run(ctx, []string{"audit", "log", "demo", "--follow", "--last=1", "--format=" + format, "--server=" + s.url}, out, io.Discard)
		}()
		wait := func(what string) {
			t.Helper()
			for deadline := time.After(patience); !strings.Contains(out.String(), what); {
				select {
				case <-out.new:
				case <-deadline:
					t.Fatalf("%q does not come:\n%s", what, out.String())
				}
			}
		}
		wait(last)
		s.call(http.MethodPost, "/v1/boards/demo/mutations?user=eve", "", `{"clientMutationId":"f-`+format+`","entityId":"c1","patch":{"title":"Login `+format+`"}}`, nil)
		wait("Login " + format)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	for _, format := range []string{"table", "csv"} {
		err := run(t.Context(), []string{"audit", "log", "demo", "--format=" + format, "--server=" + s.url}, gone{}, io.Discard)
		if err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// gone is an output whose reader has gone.
type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestAuditTable_HasRowsOfVoidOnes(t *testing.T) {
	t.Parallel()
	var l wire.Logged
	if err := json.Unmarshal([]byte(`{"outcome":"void","words":["asked to x"],"user":"a very long user name","at":"2026-03-01T10:04:12Z","rev":9,"events":[{"rev":9}]}`), &l); err != nil {
		t.Fatal(err)
	}
	table := &logTable{zone: time.UTC}
	if got := string(table.append(table.append(nil, &l), &l)); got != "2026-03-01 Sunday UTC\n"+strings.Repeat("10:04:12       8  a very long user name asked to x\n", 2) {
		t.Errorf("%q", got)
	}
}
