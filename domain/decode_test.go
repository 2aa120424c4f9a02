package domain

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/domain/plainjson"
)

// sameRead fails unless what was read without encoding/json is what
// encoding/json reads into want. It says whether anything was.
func sameRead(t tester, data []byte, got any, ok bool, want any) bool {
	t.Helper()
	if err := json.Unmarshal(data, want); ok && err != nil {
		t.Fatalf("%q is read, but %v", data, err)
	}
	if ok && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q\nis read as   %s\nand should be %s\n%#v\n%#v", data, encoded(t, got), encoded(t, want), got, want)
	}
	return ok
}

func sameCommit(t tester, data []byte) bool {
	t.Helper()
	input := bytes.Clone(data)
	got, ok := readCommit(input)
	clear(input) // nothing of it is kept
	return sameRead(t, data, got, ok, &Commit{})
}

func sameCommand(t tester, data []byte) bool {
	t.Helper()
	input := bytes.Clone(data)
	got, ok := readCommand(input)
	clear(input)
	return sameRead(t, data, &got, ok, &Command{})
}

func sameEntity(t tester, data []byte) bool {
	t.Helper()
	input := bytes.Clone(data)
	got, ok := readEntity(input)
	clear(input)
	if !ok {
		return false
	}
	var want Entity
	if err := want.unmarshal(data); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%q\nis read as   %#v\nand should be %#v %v", data, got, want, err)
	}
	return true
}

// spoil changes something in JSON that is still some, or nearly.
func spoil(t *rapid.T, data []byte) []byte {
	data = bytes.Clone(data)
	at := rapid.IntRange(0, len(data)).Draw(t, "at")
	switch rapid.IntRange(0, 9).Draw(t, "how") {
	case 0: // another case of a name
		if i := bytes.IndexByte(data[at:], ':'); i > 1 {
			data[at+i-2] ^= 0x20
		}
	case 1: // a null
		if i := bytes.IndexByte(data[at:], ':'); i >= 0 {
			return append(append(data[:at+i+1:at+i+1], `null,"x":`...), data[at+i+1:]...)
		}
	case 2: // something twice
		if i := bytes.IndexByte(data[at:], ','); i > 0 {
			return append(append(data[:at+i:at+i], data[at:at+i]...), data[at+i:]...)
		}
	case 3: // a space
		return append(append(data[:at:at], rapid.SampledFrom([]string{" ", "\n", "\t\r", "\v"}).Draw(t, "space")...), data[at:]...)
	case 4: // the end too early
		return data[:at]
	case 5: // more at the end
		return append(data, rapid.SampledFrom([]string{" ", "}", "0", "\x00"}).Draw(t, "more")...)
	case 6: // another byte
		if at < len(data) {
			data[at] = rapid.Byte().Draw(t, "byte")
		}
	case 7: // another value
		if i := bytes.IndexByte(data[at:], ':'); i >= 0 {
			value := rapid.SampledFrom([]string{"null", "1", "-0", "01", "1.5", "1e3", "true", `"\ud83d\ude00\ud800"`, `"\u00e9\/"`, "{}", "[]", "[null]", `{"a":[1]}`, "123456789012345678901"}).Draw(t, "value")
			return append(append(data[:at+i+1:at+i+1], value+`,"x":`...), data[at+i+1:]...)
		}
	}
	return data
}

func TestRecordsAreReadAsByEncodingJSON(t *testing.T) {
	read := 0
	rapid.Check(t, func(t *rapid.T) {
		c, cmd := oddCommit(t), oddCommand(t)
		if data, _, err := c.Encode(); err == nil {
			if sameCommit(t, data) {
				read++
			}
			sameCommit(t, spoil(t, data))
		}
		if data, err := cmd.AppendJSON(nil); err == nil {
			if sameCommand(t, data) {
				read++
			}
			sameCommand(t, spoil(t, data))
		}
	})
	if read == 0 {
		t.Error("no record was read without encoding/json")
	}
}

// TestEachMemberInEveryForm takes a record with all that there is, and puts
// something else in place of each member, or beside it.
func TestEachMemberInEveryForm(t *testing.T) {
	t.Parallel()
	at := "2026-03-01T09:00:00.001Z"
	command := `"id":"m","board":"b","op":"mutate","user":"ann","name":"n","picture":"p","session":"s","grant":"open","receivedAt":"` + at + `","deadline":"` + at + `","after":"a","also":["x"],` +
		`"changes":[{"entityId":"k","patch":{"title":"x","labels":{"add":["a"],"remove":["b"]}},"if":{"title":"y"},"ifRev":3,"toggle":true,"content":{"object":"o","size":1,"contentType":"t","sha256":"s"}},` +
		`{"entityId":"l","patch":{"position":{"after":"k"}}}],"import":{"source":"s","part":1,"entities":[{"id":"e","kind":"card"}]}`
	commit := `{"v":1,"board":"b","prev":"` + strings.Repeat("0a", 32) + `","at":"` + at + `","notAfter":"` + at + `","decisions":[{` + command + `,"at":"` + at + `","clock":"` + at + `","rev":7,` +
		`"events":[{"type":"card.moved","v":1,"rev":7,"entityId":"k","kind":"card","before":{"a":null},"after":{"b":[]},"added":{"labels":["a"]},"removed":{"labels":["b"]},"gone":{"item":2},` +
		`"positions":{"k":["a0","a1"]},"origin":{"createdAt":"` + at + `","createdBy":"ann","updatedAt":"` + at + `","updatedBy":"bob"}}],"rejection":{"code":"conflict","reason":"r","details":{"entity":{"id":"k"},"fields":["a"],"n":3}}}]}`
	for what, c := range map[string]struct {
		whole string
		same  func(tester, []byte) bool
	}{"commit": {commit, sameCommit}, "command": {"{" + command + "}", sameCommand},
		"entity": {`{"id":"k","kind":"card","rev":7,"createdRev":2,"createdAt":"` + at + `","createdBy":"ann","updatedAt":"` + at + `","updatedBy":"bob","deleted":true,"title":"x","labels":["a"],"number":3}`, sameEntity}} {
		if !c.same(t, []byte(c.whole)) {
			t.Errorf("the whole %s is left to encoding/json", what)
		}
		members := regexp.MustCompile(`"[A-Za-z]+":`).FindAllStringIndex(c.whole, -1)
		for _, m := range members {
			before, name, rest := c.whole[:m[0]], c.whole[m[0]:m[1]], c.whole[m[1]:]
			var value json.RawMessage
			if err := json.NewDecoder(strings.NewReader(rest)).Decode(&value); err != nil {
				t.Fatal(err)
			}
			rest = rest[len(value):]
			for _, other := range []string{string(value), "null", "true", "0", "-0", "-3", "1.5", "99999999999999999999", `""`, `"x"`, "[]", "[null]", `["x"]`, `["x","y","z"]`, "[{}]", "{}", `{"x":null}`, `{"labels":["c"]}`, `[{"entityId":"z"}]`} {
				c.same(t, []byte(before+name+other+rest))
				c.same(t, []byte(before+name+string(value)+","+name+other+rest))
				c.same(t, []byte(before+`"other":`+other+","+name+string(value)+rest))
			}
			c.same(t, []byte(before+strings.ToUpper(name)+string(value)+rest))
			c.same(t, []byte(strings.TrimSuffix(before, ",")+rest))
		}
		if len(members) < 10 {
			t.Errorf("only %d members of a %s", len(members), what)
		}
	}
}

func TestEntitiesAreReadAsByEncodingJSON(t *testing.T) {
	read := 0
	rapid.Check(t, func(t *rapid.T) {
		e := &Entity{ID: oddString().Draw(t, "id"), Kind: KindCard, Rev: oddUint().Draw(t, "rev"), CreatedAt: oddTime().Draw(t, "at"),
			UpdatedBy: oddString().Draw(t, "by"), Deleted: rapid.Bool().Draw(t, "deleted"), Fields: oddFields[Fields](t, "fields")}
		if data, err := e.JSONFor(true); err == nil {
			if sameEntity(t, data) {
				read++
			}
			sameEntity(t, spoil(t, data))
		}
	})
	if read == 0 {
		t.Error("no entity was read without encoding/json")
	}
}

// TestWhatIsOrdinaryIsReadWithoutEncodingJSON: else the fast way is no way.
func TestWhatIsOrdinaryIsReadWithoutEncodingJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withUsers().columns("column0", "column1").cards("column0", "card0", "card1")
	w.must("ann", `{"entityId":"card0","patch":{"description":"Two\nlines, \"quoted\" <b>\ud83d\ude00</b> \u00fc ü","x-a":{"b":[1.5,null]},"x-n":-3.5}}`)
	w.refused(Conflict, "", "ann", `{"entityId":"card0","patch":{"title":"x"},"if":{"title":"y"},"ifRev":1}`)
	r := newDice(1)
	for range 300 {
		cmd := w.aCommand(r)
		data, err := cmd.AppendJSON(nil)
		if err != nil || !sameCommand(t, data) {
			t.Fatalf("%s is left to encoding/json %v", data, err)
		}
		w.run(cmd)
	}
	for _, data := range w.log {
		if !sameCommit(t, data) {
			t.Fatalf("%s is left to encoding/json", data)
		}
	}
	for e := range w.board.All() {
		data, err := e.JSONFor(true)
		if err != nil || !sameEntity(t, data) {
			t.Fatalf("%s is left to encoding/json %v", data, err)
		}
	}
}

func TestPatchesAreReadAsByEncodingJSON(t *testing.T) {
	t.Parallel()
	taken := 0
	for name, values := range map[string]string{
		"position": `"a0" {"after":null} {"before":null} {"after":"x"} {"before":"x"} {"after":""} {"after":1} {"after":"x","before":"y"} {"after":"x","after":"y"} {} {"After":"x"} {"after":["x"]} null 7`,
		"labels":   `[] ["a"] ["a","b"] [null] [1] ["a",{}] {"add":"x"} {"add":["x"],"remove":"y"} {"add":[]} {"add":null} {"add":[1]} {} {"add":"x","add":"y"} {"add":"x","other":"y"} {"Add":"x"} "a"`,
		"title":    `"" "x" "\ud800" "\ud83d\ude00" "\ud83dx" "\u12" "a\qb" true false null nul 0 -0 -1 00 1. 1.5 1e2 999999999999999999 9999999999999999999 {} {"add":["x"]} [ "a" , "b" ] [[]]`,
	} {
		for value := range strings.SplitSeq(values, " ") {
			data := []byte(`{"` + name + `":` + value + `}`)
			c := plainjson.New(data)
			got := ReadPatch(&c)
			if sameRead(t, data, &got, c.Done(), &Patch{}) {
				taken++
			}
			c = plainjson.New(data)
			fields := ReadFields(&c)
			sameRead(t, data, &fields, c.Done(), &Fields{})
		}
	}
	if taken < 30 {
		t.Errorf("only %d were taken", taken)
	}
}

func FuzzDecodeCommit(f *testing.F) {
	w := newWorld(f).withUsers().columns("column0").cards("column0", "card0")
	w.refused(Conflict, "", "ann", `{"entityId":"card0","patch":{"title":"x"},"if":{"title":"y"}}`)
	r := newDice(2)
	for range 40 {
		w.run(w.aCommand(r))
	}
	for _, data := range w.log {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { sameCommit(t, data) })
}

func FuzzDecodeCommand(f *testing.F) {
	w := newWorld(f).withUsers().columns("column0").cards("column0", "card0")
	r := newDice(3)
	for range 40 {
		f.Add(encoded(f, w.aCommand(r)))
	}
	f.Fuzz(func(t *testing.T, data []byte) { sameCommand(t, data) })
}

func FuzzDecodeEntity(f *testing.F) {
	w := newWorld(f).withUsers().columns("column0").cards("column0", "card0")
	for e := range w.board.All() {
		f.Add(encoded(f, e))
	}
	f.Add([]byte(`{"id":"k","kind":"card","rev":7,"deleted":true,"x-a":[1,{"b":"\u00fc"}],"labels":["a"],"number":3,"due":null}`))
	f.Fuzz(func(t *testing.T, data []byte) { sameEntity(t, data) })
}
