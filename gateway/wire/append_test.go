package wire

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/domain"
)

func TestAppended_FramesAreThoseOfEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.SampledFrom([]string{"", "ann", "<&>\u2028", "\xff\n\""}), rapid.String())
		rev, by, event, more := rapid.Uint64().Draw(t, "rev"), text.Draw(t, "by"), text.Draw(t, "event"), rapid.Bool().Draw(t, "more")
		var entity []byte
		if rapid.IntRange(0, 9).Draw(t, "entity") > 0 {
			e := &domain.Entity{ID: text.Draw(t, "id"), Kind: domain.KindCard, Rev: rev,
				Fields: domain.Fields{"title": text.Draw(t, "title"), "x-a": json.RawMessage(`{ "a": "<` + "\u2029" + `" }`)}}
			var err error
			if entity, err = e.AppendJSONFor(nil, more); err != nil {
				t.Fatal(err)
			}
		}
		want, err := json.Marshal(Sync{Type: TypeSync, Rev: rev, Entity: entity, By: by, Event: event, More: more})
		if got := "before" + string(want); err != nil || string(AppendSync([]byte("before"), rev, entity, by, event, more)) != got {
			t.Fatalf("is     %s\nshould %s %v", AppendSync(nil, rev, entity, by, event, more), want, err)
		}
		id, events := text.Draw(t, "mutation"), rapid.Int().Draw(t, "events")
		want, err = json.Marshal(Ack{Type: TypeAck, ClientMutationID: id, Rev: rev, Events: events})
		if got := AppendAck(nil, id, rev, events); err != nil || string(got) != string(want) {
			t.Fatalf("is     %s\nshould %s %v", got, want, err)
		}
		loaded := Loaded{Type: TypeLoaded, ID: rapid.Uint64().Draw(t, "load"), Rev: rev, Entities: []json.RawMessage{}}
		for range rapid.IntRange(0, 2).Draw(t, "entities") {
			if entity != nil {
				loaded.Entities = append(loaded.Entities, entity)
			}
		}
		var before Cursor
		if more {
			before = Cursor{Rev: max(rev, 1), ID: "say-1"}
			text := before.String()
			if again, ok := parseCursor(text); !ok || again != before {
				t.Fatalf("%q is read as %v", text, again)
			}
			loaded.Before = &text
		}
		var list [][]byte
		for _, e := range loaded.Entities {
			list = append(list, e)
		}
		want, err = json.Marshal(loaded)
		if got := AppendLoaded(nil, loaded.ID, rev, bytes.Join(list, []byte(",")), before); err != nil || string(got) != string(want) {
			t.Fatalf("is     %s\nshould %s %v", got, want, err)
		}
	})
}
