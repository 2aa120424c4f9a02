package gateway

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/gateway/wire"
)

func TestLog_Formats(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testLogFormats)
}

func testLogFormats(t *testing.T, s *site) {
	s.demo()
	s.mutate("ann", "move", "c1", `{"columnId":"full","title":"Uno"}`)
	s.mutate("bob", "crowd", "c2", `{"columnId":"nowhere"}`)
	for _, tt := range []struct{ query, accept, contentType, has string }{
		{"", "", "application/x-ndjson", `{"outcome":"refused","id":"crowd",`},
		{"", "text/html, */*;q=0.8", "application/x-ndjson", `{"outcome":"refused","id":"crowd",`},
		{"?format=text", "", "text/plain; charset=utf-8", " bob was refused: move «Two» to nowhere: nowhere is not there\n"},
		{"", "text/plain", "text/plain; charset=utf-8", " bob was refused: move «Two» to nowhere: nowhere is not there\n"},
		{"?last=1", "Text/CSV; header=present, */*", "text/csv; charset=utf-8; header=present", ",bob,refused,,c2,"},
		{"?format=csv&since=99", "", "text/csv; charset=utf-8; header=present", "at,rev,user,outcome,type,entity,words,code,before,after,added,removed,asked,mutation,received,stored,seq,hash\r\n"},
		{"", "application/cloudevents+json", "application/x-ndjson", `"type":"io.snapback.mutation.refused","subject":"c2",`},
		{"?format=ndjson", "text/csv", "application/x-ndjson", `{"outcome":"refused","id":"crowd",`},
		{"?with=words", "text/csv", "application/x-ndjson", `{"outcome":"refused","words":["was refused: move «Two» to nowhere: nowhere is not there"],"id":"crowd",`},
	} {
		r := s.must(200, "GET", "/v1/boards/demo/log"+tt.query, "", "Accept", tt.accept)
		if got := r.header.Get("Content-Type"); got != tt.contentType || !strings.Contains(r.body, tt.has) {
			t.Errorf("%s %s: %s\n%s", tt.query, tt.accept, got, r.body)
		}
	}
}

func TestLog_Filters(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testLogFilters)
}

func testLogFilters(t *testing.T, s *site) {
	s.demo()
	s.mutate("ann", "one", "c1", `{"title":"1"}`)
	s.mutate("bob", "full", "c1", `{"columnId":"nowhere"}`)
	s.mutate("bob", "two", "todo", `{"title":"2"}`)
	s.mutate("ann", "three", "c2", `{"columnId":"todo"}`)
	all := s.log("?with=record,words")
	at := func(id string) time.Time {
		for _, l := range all {
			if l.ID == id {
				return l.At
			}
		}
		t.Fatal(id)
		return time.Time{}
	}
	for query, want := range map[string]string{
		"actor=bob": "full two", "actor=bob&outcome=accepted": "two", "outcome=refused": "full", "outcome=not_found": "full", "outcome=wip_limit": "",
		"kind=column": "demo two", "kind=card.moved": "three", "kind=card&since=6": "one full three", "id=two": "two", "id=none": "",
		"since=6&until=8": "one full two", "outcome=void": "", "kind=card&last=1": "three", "entity=c1&outcome=refused": "full",
		"from=" + at("two").Add(time.Millisecond).Format(time.RFC3339Nano) + "&actor=bob": "", "to=" + at("one").Format(time.RFC3339Nano) + "&actor=bob": "",
	} {
		got := strings.TrimSpace(strings.Replace(idsOf(s.log("?"+query)), all[0].ID+" demo", "demo", 1))
		if strings.TrimPrefix(got, "demo ") != strings.TrimPrefix(want, "demo ") {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, l := range all {
		if l.Record == nil || l.Record.Seq == 0 || l.Record.Stored.IsZero() || len(l.Words) == 0 {
			t.Errorf("%s: record %+v, words %v", l.ID, l.Record, l.Words)
		}
	}
	f := s.follow("&until=9&actor=ann&since=6")
	f.next("one")
	f.next("three")
	s.mutate("ann", "four", "c1", `{"title":"4"}`)
	f.next("") // all that was asked for has been told
}

func TestLog_WhatIsVoidIsToldWhenAskedFor(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	s.m.room("demo").void(t, "a2")
	s.mutate("ann", "a2", "c1", `{"title":"2"}`)
	lines := s.log("?outcome=void&with=words")
	if len(lines) != 1 || lines[0].Outcome != wire.Void || lines[0].ID != "a2" || !strings.Contains(fmt.Sprint(lines[0].Words), "stored too late") {
		t.Errorf("%+v", lines)
	}
}
