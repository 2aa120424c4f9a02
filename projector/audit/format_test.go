package audit

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

// story is a short history with something of everything.
func story(t *testing.T) *history {
	h := newHistory(t)
	say := func(user, id, entity string, patch domain.Patch) {
		h.at = h.at.Add(time.Second)
		h.store(false, h.decide(user, id, map[string]domain.Patch{entity: patch}, entity))
	}
	say("ann", "m1", "doing", domain.Patch{"kind": "column", "title": "Doing", "wipLimit": int64(1)})
	say("ann", "m2", "done", domain.Patch{"kind": "column", "title": "=Done()"})
	say("ann", "m3", "c1", domain.Patch{"kind": "card", "title": "Fix \"login\", now", "columnId": "doing", "description": "two\nlines", "labels": []string{}})
	say("@bob", "m4", "c2", domain.Patch{"kind": "card", "title": "Pay", "columnId": "doing"})
	say("@bob", "m5", "c1", domain.Patch{"columnId": "done", "title": "Fixed"})
	say("ann", "m6", "c1", domain.Patch{"liked": true})
	say("ann", "m7", "c1", domain.Patch{"title": "Fixed"})
	h.at = h.at.Add(time.Second)
	h.store(true, h.decide("ann", "m8", map[string]domain.Patch{"c1": {"columnId": "doing"}}, "c1"))
	say("ann", "m8", "c1", domain.Patch{"columnId": "doing"})
	return h
}

// read gives what is told in a format.
func (h *history) read(query string) string {
	h.t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		h.t.Fatal(err)
	}
	q, err := ParseQuery(v)
	if err != nil {
		h.t.Fatal(err)
	}
	var out strings.Builder
	r := NewReader(Config{Query: q, Board: "b", Source: h, Out: func(lines []byte) error { out.Write(lines); return nil }})
	if err := r.Read(h.t.Context(), h.head()); err != nil {
		h.t.Fatal(err)
	}
	return out.String()
}

func TestFormats(t *testing.T) {
	t.Parallel()
	h := story(t)
	for _, format := range []string{Text, CSV, CloudEvents} {
		got := h.read("format="+format) + h.read("outcome=void&format="+format)
		file := filepath.Join("testdata", "story."+format)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || got != string(want) {
			t.Errorf("%s (%v):\n%s", format, err, got)
		}
	}
}

func TestCSV_IsReadAsItWasMeant(t *testing.T) {
	t.Parallel()
	text := story(t).read("format=csv")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) < 10 || strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Errorf("row %d: a spreadsheet computes %q", i, cell)
			}
		}
	}
	for cell, want := range map[string]string{
		"": "", "a": "a", "a,b": `"a,b"`, `a"b`: `"a""b"`, "a\nb": "\"a\nb\"", "=1+1": `"'=1+1"`, "-x": `"'-x"`, "＝1": `"'＝1"`, "\tx": "\"'\tx\"", " x": `" x"`, "\xff": "\xff", "世": "世",
	} {
		if got := string(appendCell(nil, cell)); got != want {
			t.Errorf("%q is %s, want %s", cell, got, want)
		}
	}
}

// TestCloudEvents_SayWhatTheirSchemaSays: each has what the specification asks
// for, an id of its own, and data as its dataschema describes.
func TestCloudEvents_SayWhatTheirSchemaSays(t *testing.T) {
	t.Parallel()
	file, err := schema.Read(schema.File())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(schema.ID(), doc); err != nil {
		t.Fatal(err)
	}
	h := story(t)
	ids := map[string]bool{}
	for line := range strings.Lines(h.read("format=cloudevents") + h.read("outcome=void&format=cloudevents")) {
		var c struct {
			SpecVersion, ID, Source, Type, Subject, DataContentType, DataSchema string
			Time                                                                time.Time
			Data                                                                json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		if c.SpecVersion != "1.0" || c.Source != "/v1/boards/b" || c.DataContentType != "application/json" || c.Time.IsZero() || c.Subject == "" || ids[c.ID] {
			t.Errorf("not a CloudEvent: %s", line)
		}
		ids[c.ID] = true
		data, err := jsonschema.UnmarshalJSON(bytes.NewReader(c.Data))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.MustCompile(c.DataSchema).Validate(data); err != nil {
			t.Errorf("%s: %v", c.Type, err)
		}
	}
	if len(ids) < 10 {
		t.Errorf("%d events", len(ids))
	}
}

func TestParseQuery_NamesFieldAndLimit(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"since=x": "since: not a rev", "until=-1": "until: not a rev", "since=5&until=5": "until: not above since",
		"from=yesterday": "from: not a time as RFC 3339 has it, like 2026-03-01T10:04:12Z", "to=2026-03-01": "to: not a time as RFC 3339 has it, like 2026-03-01T10:04:12Z",
		"from=2026-03-01T10:00:00Z&to=2026-03-01T11:00:00%2B01:00": "to: not after from",
		"last=0": "last: 1 to 1000 (limit 1000)", "last=1001": "last: 1 to 1000 (limit 1000)", "follow=yes": "follow: 0 or 1 (limit 1)", "until=0": "until: not a rev from 1",
		"entity=a%20b": "entity: not the id of an entity (limit 64)", "actor=" + strings.Repeat("x", 256): "actor: not the name of a user (limit 255)",
		"id=a:b": "id: not the id of a mutation (limit 64)", "kind=cards": "kind: not a kind of entity, as card, or a type of event, as card.moved",
		"kind=card.flown": "kind: not a kind of entity, as card, or a type of event, as card.moved", "outcome=maybe": "outcome: not accepted, refused, void or the code of a refusal",
		"format=xml": "format: ndjson, csv, cloudevents or text", "with=all": "with: any of words, asked and record", "with=words&format=csv": "with: only the format ndjson has more",
	} {
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ParseQuery(v)
		var bad *FieldError
		if !errors.As(err, &bad) || err.Error() != want {
			t.Errorf("%s: %v, want %s", query, err, want)
		}
	}
	v, _ := url.ParseQuery("since=1&until=2&from=2026-03-01T10:00:00Z&to=2026-03-01T10:00:00.5Z&actor=ann&entity=member:x%20y&kind=card.moved&outcome=wip_limit&id=m1&last=7&follow=1&format=&with=words,record,asked")
	q, err := ParseQuery(v)
	if want := (Query{Since: 1, Until: 2, From: q.From, To: q.To, Actor: "ann", Entity: "member:x y", Kind: "card.moved", Outcome: "wip_limit", ID: "m1", Last: 7, Follow: true, Words: true, Asked: true, Record: true}); err != nil || q != want || q.To.Sub(q.From) != time.Second/2 {
		t.Errorf("%+v %v", q, err)
	}
}
