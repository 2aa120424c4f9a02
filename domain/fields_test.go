package domain

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// fieldWorld has one entity of each kind and tries values on their fields.
type fieldWorld struct {
	*world
	t *testing.T
}

func newFieldWorld(t *testing.T) fieldWorld {
	w := newWorld(t).columns("c").cards("c", "k")
	w.must("ann", `{"entityId":"l","patch":{"kind":"checklist","cardId":"k"}}`, `{"entityId":"i","patch":{"kind":"item","checklistId":"l","text":"x"}}`,
		`{"entityId":"t","patch":{"kind":"comment","cardId":"k","text":"x"}}`, `{"entityId":"f","patch":{"kind":"file","name":"x","url":"http://example.org"}}`,
		`{"entityId":"red","patch":{"kind":"label"}}`, `{"entityId":"member:bob","patch":{"kind":"member","role":"viewer"}}`)
	return fieldWorld{w, t}
}

// good: the field takes the value, and holds what it becomes.
func (w fieldWorld) good(id, field string, value, becomes any) {
	w.t.Helper()
	w.must("ann", fmt.Sprintf(`{"entityId":%q,"patch":{%q:%s}}`, id, field, encoded(w.t, value)))
	if got := string(encoded(w.t, w.get(id).Fields[field])); got != string(encoded(w.t, becomes)) {
		w.t.Errorf("%s of %s: %.80s became %.80s", field, id, encoded(w.t, value), got)
	}
}

// bad: the field refuses each value, with the limit if there is one.
func (w fieldWorld) bad(id, field string, limit int, values ...any) {
	w.t.Helper()
	for _, v := range values {
		details := fmt.Sprintf(`"field":%q`, field)
		if limit > 0 {
			details += fmt.Sprintf(`,"limit":%d`, limit)
		}
		rest := w.refused(Invalid, details, "ann", fmt.Sprintf(`{"entityId":%q,"patch":{%q:%s}}`, id, field, encoded(w.t, v)))
		if len(rest) > 0 {
			w.t.Errorf("%s of %s: %.80v: more details %v", field, id, v, rest)
		}
	}
}

func TestFields_Text(t *testing.T) {
	t.Parallel()
	w := newFieldWorld(t)
	many := func(n int) string { return strings.Repeat("\u00e9", n) }
	for _, f := range []struct {
		id, field string
		limit     int
	}{{"b", "title", 16384}, {"c", "title", 16384}, {"k", "title", 16384}, {"i", "text", 16384}, {"t", "text", 16384}} {
		w.good(f.id, f.field, many(f.limit), many(f.limit))
		w.bad(f.id, f.field, f.limit, many(f.limit+1))
		w.bad(f.id, f.field, 0, nil, "", " ", 3, true, []string{"x"}, "a\u0000b", json.RawMessage(`{"add":"x"}`))
	}
	for _, f := range []struct {
		id, field string
		limit     int
	}{{"b", "description", 65536}, {"k", "description", 65536}, {"l", "title", 16384}, {"red", "name", 255}, {"member:bob", "name", 255}, {"k", "color", 64}} {
		w.good(f.id, f.field, many(f.limit), many(f.limit))
		w.bad(f.id, f.field, f.limit, many(f.limit+1))
		w.bad(f.id, f.field, 0, 3, false, "a\u001bb")
		w.good(f.id, f.field, "", "")
		w.good(f.id, f.field, nil, nil)
	}
	w.good("k", "title", " \tu\u0308ber\n", "\u00fcber")
	w.bad("k", "title", 0, "two\nlines", "a\u202eb", "a\u200fb", "a\u0085b", "a\u2028b")
	w.good("t", "text", "a\r\nb\rc\td\u200f", "a\nb\nc\td\u200f")
	w.bad("t", "text", 0, "a\u202eb", "a\u0007")
}

// TestFields_PlainTextIsJudgedAsAnyText: text all in ASCII takes a shorter way.
func TestFields_PlainTextIsJudgedAsAnyText(t *testing.T) {
	t.Parallel()
	for c := range rune(128) {
		s := "a" + string(c) + "b"
		_, bad := line(1, 3)(s)
		wantEqual(t, fmt.Sprintf("%q refused in a line", c), bad != nil, inLine(c))
		_, bad = text(1, 3)(s)
		wantEqual(t, fmt.Sprintf("%q refused in text", c), bad != nil, inText(c) && c != '\r')
	}
}

func TestFields_NumbersAndTimes(t *testing.T) {
	t.Parallel()
	w := newFieldWorld(t)
	w.good("c", "wipLimit", 9999, 9999)
	w.bad("c", "wipLimit", 9999, -1, 10000, 1.5, "3", true)
	w.good("c", "wipMode", "soft", "soft")
	w.bad("c", "wipMode", 0, "harder", 1)
	for _, field := range []string{"due", "start", "done"} {
		w.good("k", field, "2026-02-03T04:05:06Z", "2026-02-03T04:05:06Z")
		w.good("k", field, "2026-02-03T04:05:06.789Z", "2026-02-03T04:05:06.789Z")
		w.good("k", field, "2026-02-03T04:05:06.7891234+02:00", "2026-02-03T02:05:06.789Z")
		w.bad("k", field, 0, "yesterday", "2026-02-30T00:00:00Z", "2026-02-03T4:05:06Z", "2026-02-03T04:05:06,5Z", "2026-02-03 04:05:06Z", 3, true)
	}
	w.good("k", "due", "2028-02-29", "2028-02-29")
	w.bad("k", "due", 0, "2026-02-29", "2026-2-3")
	w.bad("k", "done", 0, "2026-02-03")
	w.good("i", "due", "2026-02-03", "2026-02-03")
	w.good("i", "done", "2026-02-03T04:05:06Z", "2026-02-03T04:05:06Z")
	w.good("i", "done", true, true)
	w.good("i", "assignee", "bob", "bob")
	w.bad("i", "assignee", 255, "", strings.Repeat("x", 256), 3)
	w.bad("k", "archived", 0, "yes", 1)
}

func TestFields_Others(t *testing.T) {
	t.Parallel()
	w := newFieldWorld(t)
	w.bad("k", "position", 0, "", "a", "a00", "b", "!", nil, 3, json.RawMessage(`{"after":3}`), json.RawMessage(`{"after":"k","before":"k"}`))
	w.bad("k", "labels", 0, "red", 3, []string{""}, []string{"a b"}, json.RawMessage(`{"add":[1]}`), json.RawMessage(`{"sub":"x"}`))
	w.bad("k", "columnId", 0, nil, "", 3, "a b")
	w.good("f", "url", "https://example.org/\u00fc?x=<1>", "https://example.org/\u00fc?x=<1>")
	w.bad("f", "url", 2048, "https://example.org/"+strings.Repeat("x", 2048))
	w.bad("f", "url", 0, nil, "", "ftp://example.org/", "javascript:alert(1)", "example.org", "https://")
	w.good("member:bob", "avatar", "https://example.org/a.png", "https://example.org/a.png")
	w.bad("member:bob", "avatar", 0, "http://example.org/a.png", "data:image/png;base64,")
	w.bad("member:bob", "role", 0, nil, "", "owner")
	w.bad("member:bob", "user", 0, "eve")
	w.bad("t", "cardId", 0, "k2", nil)
	for _, field := range []string{"size", "contentType", "sha256", "object", "position"} {
		w.bad("f", field, 0, "1")
	}
	for _, id := range []string{"b", "member:bob", "c", "k", "l", "i", "red", "t", "f"} {
		w.bad(id, "nonsense", 0, 1, nil)
	}
}

func TestExtraFieldsAreKeptAsTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k")
	w.must("ann", `{"entityId":"k","patch":{"x-a":{ "b" : [1.50, null, "<&>"] },"x-s":" u\u0308 ","x-n":12345678901234567890,"x-list":["b","a","b"],"x-no":false}}`)
	wantEqual(t, "kept", string(encoded(t, w.get("k").Fields["x-s"]))+string(encoded(t, w.get("k").Fields["x-list"]))+string(encoded(t, w.get("k").Fields["x-n"])),
		"\" u\u0308 \"[\"b\",\"a\",\"b\"]12345678901234567890")
	var a map[string]any
	if err := json.Unmarshal(encoded(t, w.get("k").Fields["x-a"]), &a); err != nil || len(a["b"].([]any)) != 3 || a["b"].([]any)[2] != "<&>" {
		t.Errorf("x-a is %v, %v", a, err)
	}
	w.must("ann", `{"entityId":"c","patch":{"x-`+strings.Repeat("y", 62)+`":1}}`, `{"entityId":"b","patch":{"x-_-9":1}}`)
	for _, name := range []string{"x-", "x-" + strings.Repeat("y", 63), "x-a b", "x-a:b", "X-a", "y-a"} {
		w.refused(Invalid, fmt.Sprintf(`"field":%q`, name), "ann", fmt.Sprintf(`{"entityId":"c","patch":{%q:1}}`, name))
	}
	w.must("ann", `{"entityId":"red","patch":{"kind":"label"}}`)
	w.refused(Invalid, `"field":"x-a"`, "ann", `{"entityId":"red","patch":{"x-a":1}}`)
	w.must("ann", `{"entityId":"k","patch":{"x-a":"`+strings.Repeat("z", 4094)+`"}}`)
	w.refused(Invalid, `"field":"x-a","limit":4096`, "ann", `{"entityId":"k","patch":{"x-a":"`+strings.Repeat("z", 4095)+`"}}`)
	for i := range 31 { // x-_-9 is on the board
		w.must("ann", fmt.Sprintf(`{"entityId":"b","patch":{"x-%d":%d}}`, i, i))
	}
	w.refused(Invalid, `"field":"x-33","limit":32`, "ann", `{"entityId":"b","patch":{"x-33":1}}`)
	w.must("ann", `{"entityId":"b","patch":{"x-33":1,"x-0":null}}`)
}

func TestIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"A", "a:b_c-9", strings.Repeat("x", 64)} {
		w.must("ann", fmt.Sprintf(`{"entityId":%q,"patch":{"kind":"column","title":"x"}}`, id))
	}
	for _, id := range []string{"", "a b", "\u00fc", "a.b", strings.Repeat("x", 65), "member:bob", "member:"} {
		w.refused(Invalid, `"field":"entityId"`, "ann", fmt.Sprintf(`{"entityId":%q,"patch":{"kind":"column","title":"x"}}`, id))
	}
	wide := "j\u00fcrgen@example.org/" + strings.Repeat("w", 230)
	w.must("ann", fmt.Sprintf(`{"entityId":"member:%s","patch":{"kind":"member","role":"viewer","user":%q}}`, wide, wide))
	w.refused(Invalid, `"field":"user"`, "ann", `{"entityId":"member:x","patch":{"kind":"member","role":"viewer","user":"y"}}`)
	w.refused(Invalid, `"field":"user"`, "ann", `{"entityId":"x","patch":{"kind":"member","role":"viewer","user":"x"}}`)
	w.refused(Invalid, `"field":"kind"`, "ann", `{"entityId":"b2","patch":{"kind":"board","title":"x"}}`)
	w.refused(Invalid, `"field":"kind"`, "ann", `{"entityId":"A","patch":{"kind":"card","title":"x"}}`)
	w.refused(Invalid, `"field":"kind"`, "ann", `{"entityId":"z","patch":{"kind":"thing"}}`)
	w.refused(NotFound, `"entityId":"z"`, "ann", `{"entityId":"z","patch":{"title":"x"}}`)
	w.refused(NotFound, `"entityId":"z"`, "ann", `{"entityId":"z","patch":null}`)
	w.refused(Invalid, `"field":"title"`, "ann", `{"entityId":"z","patch":{"kind":"column"}}`)
}

func TestCleanGivesWhatAFieldTakes(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", " a\n\tb\u2028c ", "\u202ea\u0000b\x7f", "u\u0308\r\nx\ry", "\xff\xfe", strings.Repeat("\u00e9 ", 40), "\u0085"} {
		if got, bad := line(0, 20)(CleanLine(s, 20)); bad != nil || got != CleanLine(s, 20) {
			t.Errorf("line %q became %q, then %q: %v", s, CleanLine(s, 20), got, bad)
		}
		if got, bad := text(0, 20)(CleanText(s, 20)); bad != nil || got != CleanText(s, 20) {
			t.Errorf("text %q became %q, then %q: %v", s, CleanText(s, 20), got, bad)
		}
	}
	wantEqual(t, "line", CleanLine(" a\n\tb\u2028c\u202e ", 20), "a b c")
	wantEqual(t, "text", CleanText("a\r\nb\u0007", 20), "a\nb")
}
