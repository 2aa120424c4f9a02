package main

import (
	"fmt"
	"strings"
	"testing"
)

// change sends a mutation of board b as a user, which must be accepted.
func (s *server) change(user, id, entity, patch string) {
	s.t.Helper()
	var answer map[string]any
	if status := s.call("POST", "/v1/boards/b/mutations?user="+user, "", fmt.Sprintf(`{"clientMutationId":%q,"entityId":%q,"patch":%s}`, id, entity, patch), &answer); status != 200 {
		s.t.Fatalf("%s: %d %v", id, status, answer)
	}
}

// TestAuditPast_AsksTheServerOrTheLog: both say the same, in words and in JSON.
func TestAuditPast_AsksTheServerOrTheLog(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := serve(t, "--data="+data, "--demo=false")
	var made map[string]any
	if status := s.call("POST", "/v1/boards?user=ann", "", `{"id":"b","title":"Board"}`, &made); status != 201 {
		t.Fatal(status, made)
	}
	s.change("ann", "m1", "todo", `{"kind":"column","title":"To do"}`)
	s.change("ann", "m2", "done", `{"kind":"column","title":"Done"}`)
	s.change("ann", "m3", "urgent", `{"kind":"label","name":"urgent"}`)
	s.change("bob", "m4", "c1", `{"kind":"card","title":"Fix login","columnId":"todo","labels":["urgent"]}`)
	s.change("eve", "m5", "c1", `{"columnId":"done","assignees":{"add":["bob"]}}`)
	s.change("eve", "m6", "c1", `{"title":"Fix the login"}`)

	questions := []struct {
		args []string
		want []string // lines, their spaces folded
	}{
		{[]string{"show", "b"}, []string{"Board at rev 9,", "To do (0)", "Done (1)", "#1 Fix the login [urgent] @bob"}},
		{[]string{"show", "b", "--rev=6"}, []string{"Board at rev 6,", "To do (1)", "#1 Fix login [urgent]"}},
		{[]string{"show", "b", "--rev=6", "--json"}, []string{`"rev":6,`, `"title":"Fix login"`}},
		{[]string{"diff", "b", "--from=6"}, []string{"~ card «Fix login»: moved from «To do» to «Done», title «Fix login» → «Fix the login», assignees +bob"}},
		{[]string{"diff", "b", "--from=5", "--to=6"}, []string{"+ card «Fix login» in «To do»"}},
		{[]string{"diff", "b", "--from=6", "--json"}, []string{`"before":{"columnId":"todo"`}},
		{[]string{"blame", "b", "c1"}, []string{"card c1 as of rev 9,", "title Fix the login 9", "eve m6 card.renamed", "assignees + bob", "eve m5 card.assigned"}},
		{[]string{"blame", "b", "c1", "title", "--rev=6"}, []string{"title Fix login 6", "bob m4 card.created"}},
		{[]string{"blame", "b", "c1", "title", "--json"}, []string{`"value":"Fix the login"`, `"mutation":"m6"`}},
	}
	ask := func(where string) (answers []string) {
		t.Helper()
		for _, q := range questions {
			out, err := snapback(t, append(append([]string{"audit"}, q.args...), where)...)
			if err != nil {
				t.Fatalf("%v %s: %v\n%s", q.args, where, err, out)
			}
			folded := strings.Join(strings.Fields(out), " ")
			for _, want := range q.want {
				if !strings.Contains(folded, want) {
					t.Errorf("%v: no %q in\n%s", q.args, want, out)
				}
			}
			answers = append(answers, out)
		}
		return answers
	}
	served := ask("--server=" + s.url)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"show", "b", "--rev=99"}, "the board is at rev 9"}, {[]string{"show", "b", "--rev=x"}, "--rev=x: not a rev from 1"},
		{[]string{"show", "b", "--at=noon"}, "--at=noon: not a time"}, {[]string{"show", "b", "--rev=1", "--at=2026-03-01T10:04:12Z"}, "beside --rev"},
		{[]string{"diff", "b", "--from=noon"}, "--from=noon: not a rev"}, {[]string{"diff", "b", "--from=6", "--to=2"}, "before from"},
		{[]string{"blame", "b", "nobody"}, "no such entity"}, {[]string{"show", "nothing"}, "not_found"},
	} {
		if _, err := snapback(t, append(append([]string{"audit"}, tt.args...), "--server="+s.url)...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %s", tt.args, err, tt.want)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for i, got := range ask("--data=" + data) {
		if got != served[i] {
			t.Errorf("%v: the log says\n%s\nthe server said\n%s", questions[i].args, got, served[i])
		}
	}
	for _, args := range [][]string{{"show", "b", "--rev=99"}, {"show", "nothing"}, {"blame", "b", "nobody"}} {
		if _, err := snapback(t, append(append([]string{"audit"}, args...), "--data="+data)...); err == nil || !strings.Contains(err.Error(), "past: ") {
			t.Errorf("%v: %v", args, err)
		}
	}
}
