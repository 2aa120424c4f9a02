package domain

import (
	"bytes"
	"encoding/json"
	"testing"
)

// TestMergeIsTheTableOfTheProtocol walks PROTOCOL.md's "Applying a patch".
func TestMergeIsTheTableOfTheProtocol(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, fields, patch, want string }{
		{"a value replaces", `{"title":"a","due":"x"}`, `{"title":"b"}`, `{"due":"x","title":"b"}`},
		{"null takes away", `{"title":"a","due":"x"}`, `{"due":null,"start":null}`, `{"title":"a"}`},
		{"a set is changed", `{"labels":["b","d"]}`, `{"labels":{"add":["c","b","a"],"remove":"d"}}`, `{"labels":["a","b","c"]}`},
		{"union, then difference", `{"labels":["b"]}`, `{"labels":{"add":"a","remove":["a","b"]}}`, `{"labels":[]}`},
		{"a plain array replaces, sorted", `{"labels":["b"]}`, `{"labels":["z","a","z"]}`, `{"labels":["a","z"]}`},
		{"liked is oneself", `{"likedBy":["ann"]}`, `{"liked":true}`, `{"likedBy":["ann","me"]}`},
		{"not liked", `{"likedBy":["ann","me"]}`, `{"liked":false}`, `{"likedBy":["ann"]}`},
		{"what the server owns is ignored", `{"number":3}`, `{"id":"x","rev":1,"number":9,"likes":7,"createdBy":"y","updatedAt":"z","kind":"card"}`, `{"number":3}`},
		{"a place is the caller's", `{"position":"a0"}`, `{"position":{"after":null}}`, `{"position":"a0"}`},
		{"a key is taken", `{"position":"a0"}`, `{"position":"a1"}`, `{"position":"a1"}`},
		{"other JSON", `{}`, `{"x-a":{"b":[1,2.5]}}`, `{"x-a":{"b":[1,2.5]}}`},
	} {
		var fields Fields
		var patch Patch
		if err := json.Unmarshal([]byte(c.fields), &fields); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(c.patch), &patch); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, c.name, string(encoded(t, Merge(fields, patch, "me"))), c.want)
		wantEqual(t, c.name+": fields unchanged", canon(fields), canon(json.RawMessage(c.fields)))
	}
}

// FuzzPatch: whatever a client sends as a patch can be decoded, logged as it
// was asked, merged and decided, and is the same after a way through the log.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`null`, `{}`, `{"title":"x"}`, `{"labels":{"add":"a","remove":["b"]},"position":{"after":null}}`, `{"position":{"before":"k"},"liked":true}`,
		`{"kind":"card","title":"x","columnId":"c"}`, `{"x-a":[null,1e400,{"b":"\ud800"}]}`, `{"labels":{"add":1}}`, `{"position":{"after":""}}`,
		`{"title":"\u0000","due":"2026-01-01T00:00:00+01:00"}`, `{"wipLimit":-0}`, `{"done":12345678901234567890}`, `{"archived":true,"columnId":"d"}`,
	} {
		f.Add([]byte(seed))
	}
	w := newWorld(f).columns("c", "d").cards("c", "k", "k2")
	f.Fuzz(func(t *testing.T, data []byte) {
		var patch, again Patch
		if json.Unmarshal(data, &patch) != nil {
			return
		}
		once, err := json.Marshal(patch)
		if err != nil {
			t.Fatalf("%q cannot be logged: %v", data, err)
		}
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatalf("%q was logged as %q: %v", data, once, err)
		}
		if twice := encoded(t, again); !bytes.Equal(once, twice) {
			t.Fatalf("%q was logged as %q, then as %q", data, once, twice)
		}
		Merge(w.board.Get("k").Fields, patch, "ann")
		for _, id := range []string{"k", "c", "b", "new", "member:ann"} {
			cmd := &Command{ID: "m", Op: OpMutate, User: "ann", ReceivedAt: w.now, Changes: []Change{{EntityID: id, Patch: patch}}}
			d := Decide(w.board, cmd, w.now)
			cmd.Changes[0].Patch = again
			if a, b := encoded(t, d), encoded(t, Decide(w.board, cmd, w.now)); !bytes.Equal(a, b) {
				t.Fatalf("%q on %s is decided otherwise after the log:\n%s\n%s", data, id, a, b)
			}
			for _, ev := range d.Events {
				for name, v := range ev.After {
					if v != nil && !EqualValues(v, DecodeValue(encoded(t, v))) {
						t.Fatalf("%q: %s is %v, after the log %v", data, name, v, DecodeValue(encoded(t, v)))
					}
				}
			}
		}
	})
}
