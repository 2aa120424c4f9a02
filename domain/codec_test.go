package domain

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Draws of all that a record can hold, odd strings and values first.

func oddString() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", "plain", "a <b> & c", "\u2028\u2029", "line\nbreak\ttab\r\b\f\x00\x1f\x7f", `quote " back \ slash /`, "\xff\xc3(", "\u00fc\U0001F600\ufffd", "\xed\xa0\x80"}),
		rapid.String(),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 12), func(b []byte) string { return string(b) }))
}

func oddUint() *rapid.Generator[uint64] {
	small := rapid.Uint64Range(0, 1<<20)
	return rapid.OneOf(small, small, small, small, rapid.Uint64())
}

func oddStrings() *rapid.Generator[[]string] {
	return rapid.OneOf(rapid.SliceOfN(oddString(), 0, 4), rapid.Just[[]string](nil))
}

func oddTime() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		at := time.Unix(rapid.Int64Range(-1<<35, 1<<37).Draw(t, "s"), rapid.SampledFrom([]int64{0, 1e6, 12e7, 123456789}).Draw(t, "ns"))
		switch zone := rapid.IntRange(0, 99).Draw(t, "zone"); {
		case zone < 8:
			return time.Time{}
		case zone < 16:
			return at.In(time.FixedZone("", 3600))
		case zone == 16:
			return at.In(time.FixedZone("", 30*3600)) // no JSON holds it
		}
		return at.UTC()
	})
}

// oddValue draws what a patch or a field may hold, and now and then what it must not.
func oddValue() *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		s := oddString()
		switch sort := rapid.IntRange(0, 99).Draw(t, "sort"); sort % 16 {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return rapid.Int64().Draw(t, "int64")
		case 3:
			return oddStrings().Draw(t, "list")
		case 4:
			return SetChange{Add: oddStrings().Draw(t, "add"), Remove: oddStrings().Draw(t, "remove")}
		case 5:
			return Place{HasAfter: true, After: s.Draw(t, "after")}
		case 6:
			return Place{HasBefore: true, Before: s.Draw(t, "before")}
		case 7:
			return json.RawMessage(rapid.SampledFrom([]string{"1.5", `{"a":[1,"<&\u003c` + "\u2028" + `"],"b":null}`, ` [ 1 , { } ] `, `[null]`, `"x"`, "-0", "1e999", "null"}).Draw(t, "raw"))
		case 8:
			if sort != 8 {
				break
			}
			return json.RawMessage(rapid.SampledFrom([]string{"", "{", "nul"}).Draw(t, "broken"))
		case 9:
			return rapid.Int().Draw(t, "int")
		case 10:
			return rapid.SampledFrom([]any{1.5, json.RawMessage(nil), map[string]any{"a": []any{"<"}}, (*Entity)(nil),
				&Entity{ID: "<", Kind: KindCard, Fields: Fields{"title": "&"}}}).Draw(t, "other")
		}
		return s.Draw(t, "string")
	})
}

func oddFields[M ~map[string]any](t *rapid.T, label string) M {
	usual := rapid.SampledFrom([]string{"title", "position", "labels", "x-a", "entity", "limit", "Title"})
	name := rapid.OneOf(usual, usual, usual, usual, oddString())
	m := rapid.MapOfN(name, oddValue(), 0, 4).Draw(t, label)
	if len(m) == 0 && rapid.Bool().Draw(t, "nil") {
		return nil
	}
	return m
}

func oddChange(t *rapid.T) Change {
	c := Change{EntityID: oddString().Draw(t, "entityId"), Patch: oddFields[Patch](t, "patch"), If: oddFields[Fields](t, "if"), Toggle: rapid.Bool().Draw(t, "toggle")}
	if rapid.Bool().Draw(t, "hasIfRev") {
		rev := oddUint().Draw(t, "ifRev")
		c.IfRev = &rev
	}
	if rapid.IntRange(0, 3).Draw(t, "content") == 0 {
		c.Content = &Content{Object: oddString().Draw(t, "object"), Size: rapid.Int64().Draw(t, "size"), ContentType: oddString().Draw(t, "type"), SHA256: "ab"}
	}
	return c
}

func oddCommand(t *rapid.T) Command {
	s := oddString()
	c := Command{ID: s.Draw(t, "id"), Board: s.Draw(t, "board"), Op: rapid.SampledFrom([]Op{OpMutate, OpCancel, OpImport, "<"}).Draw(t, "op"), User: s.Draw(t, "user"),
		Name: s.Draw(t, "name"), Picture: s.Draw(t, "picture"), Session: s.Draw(t, "session"), Grant: Grant(s.Draw(t, "grant")),
		ReceivedAt: oddTime().Draw(t, "receivedAt"), Deadline: oddTime().Draw(t, "deadline"), After: s.Draw(t, "after"), Also: oddStrings().Draw(t, "also")}
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		c.Changes = append(c.Changes, oddChange(t))
	}
	if rapid.IntRange(0, 9).Draw(t, "import") == 0 {
		c.Import = &Import{Source: s.Draw(t, "source"), Part: 3, Provenance: json.RawMessage(`{"<": 1}`),
			Entities: []*Entity{{ID: s.Draw(t, "imported"), Kind: KindLabel, Fields: oddFields[Fields](t, "fields")}, nil}}
	}
	return c
}

func oddEvent(t *rapid.T) Event {
	e := Event{Type: rapid.OneOf(rapid.SampledFrom([]string{"card.moved", "list.respaced"}), oddString()).Draw(t, "eventType"), V: rapid.IntRange(-1, 2).Draw(t, "v"),
		Rev: oddUint().Draw(t, "rev"), EntityID: oddString().Draw(t, "entityId"), Kind: Kind(oddString().Draw(t, "kind")),
		Before: oddFields[Fields](t, "before"), After: oddFields[Fields](t, "after")}
	few := rapid.IntRange(0, 3)
	if few.Draw(t, "sets") == 0 {
		sets := rapid.MapOfN(oddString(), oddStrings(), 0, 3)
		e.Added, e.Removed = sets.Draw(t, "added"), sets.Draw(t, "removed")
	}
	if few.Draw(t, "gone") == 0 {
		e.Gone = rapid.MapOfN(rapid.SampledFrom(append(slices.Clone(allKinds), "<")), rapid.Int(), 0, 3).Draw(t, "counts")
	}
	if few.Draw(t, "positions") == 0 {
		pair := rapid.Custom(func(t *rapid.T) [2]string {
			return [2]string{oddString().Draw(t, "old"), oddString().Draw(t, "new")}
		})
		e.Positions = rapid.MapOfN(oddString(), pair, 0, 3).Draw(t, "keys")
	}
	if few.Draw(t, "origin") == 0 {
		e.Origin = &Origin{oddTime().Draw(t, "at"), oddString().Draw(t, "by"), oddTime().Draw(t, "updatedAt"), oddString().Draw(t, "updatedBy")}
	}
	return e
}

func oddDecision(t *rapid.T) Decision {
	d := Decision{Command: oddCommand(t), At: oddTime().Draw(t, "at"), Clock: oddTime().Draw(t, "clock"), Rev: oddUint().Draw(t, "rev")}
	for range rapid.IntRange(0, 3).Draw(t, "events") {
		d.Events = append(d.Events, oddEvent(t))
	}
	if rapid.IntRange(0, 3).Draw(t, "rejected") == 0 {
		d.Rejection = &Rejection{Code: Code(oddString().Draw(t, "code")), Reason: oddString().Draw(t, "reason"), Details: oddFields[Details](t, "details")}
	}
	return d
}

func oddCommit(t *rapid.T) *Commit {
	c := &Commit{V: rapid.IntRange(-1, 2).Draw(t, "version"), Board: oddString().Draw(t, "board"), Prev: sha256.Sum256([]byte(oddString().Draw(t, "prev"))),
		At: oddTime().Draw(t, "at"), NotAfter: oddTime().Draw(t, "notAfter")}
	for range rapid.IntRange(0, 3).Draw(t, "decisions") {
		c.Decisions = append(c.Decisions, oddDecision(t))
	}
	return c
}

// sameBytes fails unless got is want, and an error one with the same text.
func sameBytes(t *rapid.T, got []byte, err error, want []byte, wantErr error) {
	t.Helper()
	if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Fatalf("error %v, should be %v", err, wantErr)
	}
	if err == nil && !bytes.Equal(got, want) {
		t.Fatalf("is     %q\nshould %q", got, want)
	}
}

func TestCommandsAndDecisionsAreEncodedAsByEncodingJSON(t *testing.T) {
	encoded := 0
	rapid.Check(t, func(t *rapid.T) {
		c, d := oddCommand(t), oddDecision(t)
		got, err := c.AppendJSON([]byte("before"))
		want, wantErr := json.Marshal(&c)
		sameBytes(t, bytes.TrimPrefix(got, []byte("before")), err, want, wantErr)
		if err == nil {
			encoded++
		}
		got, err = d.AppendJSON(nil)
		want, wantErr = json.Marshal(&d)
		sameBytes(t, got, err, want, wantErr)
	})
	if encoded == 0 {
		t.Error("no command was encoded")
	}
}

func TestCommitsAreEncodedAsByEncodingJSON(t *testing.T) {
	encoded := 0
	rapid.Check(t, func(t *rapid.T) {
		c := oddCommit(t)
		got, hash, err := c.Encode()
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if want := enc.Encode(c); want != nil {
			if err == nil || err.Error() != "domain: encode commit: "+want.Error() {
				t.Fatalf("error %v, should be %v", err, want)
			}
			return
		}
		want := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
		sameBytes(t, got, err, want, nil)
		wantEqual(t, "hash", hash, sha256.Sum256(want))
		encoded++
	})
	if encoded == 0 {
		t.Error("no commit was encoded")
	}
}

// TestContentHashIsThatOfTheFirstVersion: hashes lie in verdicts that nodes of
// several versions exchange.
func TestContentHashIsThatOfTheFirstVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := oddCommand(t)
		want := ""
		if c.Op != OpCancel && (len(c.Changes) > 0 || c.Import != nil) {
			changes := slices.Clone(c.Changes)
			for i := range changes {
				if content := changes[i].Content; content != nil {
					stored := *content
					stored.Object = "none" // the first version wrote the empty one, too
					changes[i].Content = &stored
				}
			}
			raw, err := json.Marshal(struct {
				Op      Op       `json:"op"`
				Changes []Change `json:"changes"`
				Import  *Import  `json:"import"`
			}{c.Op, changes, c.Import})
			sum := sha256.Sum256(bytes.ReplaceAll(raw, []byte(`"object":"none"`), []byte(`"object":""`)))
			if want = hex.EncodeToString(sum[:]); err != nil {
				want = "unencodable"
			}
		}
		wantEqual(t, "content hash", c.ContentHash(), want)
	})
}

func TestEntityForAReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &Entity{ID: "e", Kind: rapid.SampledFrom([]Kind{KindCard, KindFile, KindLabel}).Draw(t, "kind"), Deleted: rapid.Bool().Draw(t, "deleted"), Fields: oddFields[Fields](t, "fields")}
		for _, name := range []string{"object", "liked", "likes", "likedBy"} {
			if e.Fields != nil && rapid.Bool().Draw(t, name) {
				e.Fields[name] = oddValue().Draw(t, "value")
			}
		}
		shown := Fields{}
		for name, v := range e.Fields {
			shown[name] = v
		}
		liked := rapid.Bool().Draw(t, "likes")
		switch {
		case e.Kind == KindCard && !e.Deleted:
			shown["liked"], shown["likes"] = liked, int64(len(e.Fields.Set("likedBy")))
		case e.Kind == KindFile:
			if e.Fields["object"] != nil {
				delete(shown, "object")
			}
		}
		got, err := e.AppendJSONFor([]byte("before"), liked)
		want, wantErr := e.AppendJSON(nil, shown)
		sameBytes(t, bytes.TrimPrefix(got, []byte("before")), err, want, wantErr)
	})
}
