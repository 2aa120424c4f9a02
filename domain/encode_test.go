package domain

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestEntityJSONIsThatOfEncodingJSON holds the hand-written encoder against
// the library's.
func TestEntityJSONIsThatOfEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		e := &Entity{ID: text.Draw(t, "id"), Kind: KindCard, Rev: rapid.Uint64().Draw(t, "rev"), CreatedRev: 1,
			CreatedAt: time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "at")).UTC(), CreatedBy: text.Draw(t, "by"),
			Fields: Fields{"title": text.Draw(t, "title"), "n": rapid.Int64().Draw(t, "n"), "yes": rapid.Bool().Draw(t, "yes"),
				"labels": rapid.SliceOf(text).Draw(t, "labels"), "x-raw": json.RawMessage(`{"a":[1,"<"]}`)}}
		got, err := e.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"id": e.ID, "kind": e.Kind, "createdRev": e.CreatedRev, "createdAt": e.CreatedAt}
		if e.Rev > 0 {
			want["rev"] = e.Rev
		}
		if e.CreatedBy != "" {
			want["createdBy"] = e.CreatedBy
		}
		for name, v := range e.Fields {
			want[name] = v
		}
		if a, z := canon(json.RawMessage(got)), canon(want); a != z {
			t.Fatalf("is     %s\nshould %s", a, z)
		}
		if whole, _ := json.Marshal(e); string(whole) != string(got) {
			t.Fatalf("%s is not %s", got, whole)
		}
		var back Entity
		if err := json.Unmarshal(got, &back); err != nil || canon(&back) != canon(e) {
			t.Fatalf("read as %s, %v", canon(&back), err)
		}
	})
}

func TestEntityJSONHasTheProtocolsOrder(t *testing.T) {
	t.Parallel()
	e := &Entity{ID: "k", Kind: KindCard, Rev: 7, CreatedRev: 2, CreatedAt: start, CreatedBy: "ann", UpdatedAt: start.Add(1500 * time.Millisecond), UpdatedBy: "bob",
		Fields: Fields{"title": "a <b> \u00fc", "archived": true, "likedBy": []string{"bob"}}}
	got, err := e.JSONFor(true)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "card", string(got), `{"id":"k","kind":"card","rev":7,"createdRev":2,"createdAt":"2026-03-01T09:00:00Z","createdBy":"ann",`+
		`"updatedAt":"2026-03-01T09:00:01.5Z","updatedBy":"bob","archived":true,"liked":true,"likedBy":["bob"],"likes":1,"title":"a \u003cb\u003e `+"\u00fc"+`"}`)
	gone, _ := e.tombstone(9).MarshalJSON()
	wantEqual(t, "tombstone", string(gone), `{"id":"k","kind":"card","rev":9,"deleted":true}`)
}
