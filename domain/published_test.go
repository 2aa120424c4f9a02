package domain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	published "github.com/snapback-io/snapback/eventlog/schema"
)

// validator checks stored records by the published schema.
func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := published.Read(published.File())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(published.ID(), doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile(published.ID())
}

// tally is what the records of a run hold.
type tally struct {
	t         *testing.T
	schema    *jsonschema.Schema
	decisions int
	types     map[string]int
	codes     map[Code]int
}

// check validates the records of w and counts what is in them.
func (y *tally) check(w *world) {
	y.t.Helper()
	for i, data := range w.log {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err == nil {
			err = y.schema.Validate(doc)
		}
		if err != nil {
			y.t.Fatalf("record %d: %v\n%s", i, err, data)
		}
		c, _, err := DecodeCommit(data)
		if err != nil {
			y.t.Fatal(err)
		}
		for _, d := range c.Decisions {
			y.decisions++
			if d.Rejection != nil {
				y.codes[d.Rejection.Code]++
			}
			for _, ev := range d.Events {
				y.types[ev.Type]++
			}
		}
	}
	w.log, w.stored = nil, nil
}

// TestSchema_EveryRecordOfARandomRun is valid, whatever happens in it, and
// every type of event and every code of a refusal does.
func TestSchema_EveryRecordOfARandomRun(t *testing.T) {
	t.Parallel()
	const want = 20_000
	y := &tally{t: t, schema: validator(t), types: map[string]int{}, codes: map[Code]int{}}
	for seed := uint64(1); y.decisions < want; seed++ {
		w := newWorld(t).withUsers().columns("column0", "column1")
		r := newDice(seed)
		for range 1000 {
			cmd := w.aCommand(r)
			w.store(Decide(w.board, cmd, w.now))
		}
		y.check(w)
	}
	seldom(t, y)
	for _, name := range EventTypes() {
		if y.types[name] == 0 {
			t.Errorf("no %s in %d decisions", name, y.decisions)
		}
	}
	for _, code := range Codes() {
		if y.codes[code] == 0 {
			t.Errorf("nothing was refused %s in %d decisions", code, y.decisions)
		}
	}
	if n := len(slices.Collect(maps.Keys(y.types))); n != len(EventTypes()) {
		t.Errorf("%d types of events, want %d", n, len(EventTypes()))
	}
	t.Logf("%d decisions, %v %v", y.decisions, y.types, y.codes)
}

// seldom does what chance does not come to.
func seldom(t *testing.T, y *tally) {
	w := newWorld(t).columns("c").cards("c", "k")
	for i := range maxChecklists + 1 {
		w.do("ann", fmt.Sprintf(`{"entityId":"l%d","patch":{"kind":"checklist","cardId":"k"}}`, i))
	}
	w.must("ann", `{"entityId":"i","patch":{"kind":"item","checklistId":"l0","text":"x"}}`)
	for _, done := range []string{`true`, `false`, `"2026-01-01T00:00:00Z"`, `null`} {
		w.must("ann", `{"entityId":"i","patch":{"done":`+done+`}}`)
	}
	cmd := w.command("ann", `{"entityId":"k","patch":{"description":"x"}}`)
	w.store(Refuse(w.board, cmd, w.now, reject(TooLarge, "no record could hold it", "limit", 4<<20)))
	y.check(w)
	im := &world{t: t, board: NewBoard("b"), now: start}
	for part, entities := range []string{
		`[{"id":"b","kind":"board","title":"B"},{"id":"c","kind":"column","title":"C","createdAt":"2020-01-01T00:00:00Z","createdBy":"eve"}]`,
		`[{"id":"k","kind":"card","title":"K","columnId":"c","likedBy":["eve"],"x-a":{"n":[1.5,null]}}]`,
	} {
		cmd := im.command("ann")
		cmd.Op, cmd.Import = OpImport, &Import{Source: "test:1", Part: part, Done: part == 1, Provenance: json.RawMessage(`[{"any":null}]`)}
		if err := json.Unmarshal([]byte(entities), &cmd.Import.Entities); err != nil {
			t.Fatal(err)
		}
		if d := im.store(Decide(im.board, cmd, im.now)); d.Rejection != nil {
			t.Fatal(d.Rejection)
		}
	}
	y.check(im)
}

// TestSchema_FindsWhatIsWrong: it is no schema that takes anything.
func TestSchema_FindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t).columns("c").cards("c", "k")
	w.must("ann", `{"entityId":"k","patch":{"title":"other"}}`)
	data := string(w.log[len(w.log)-1])
	sch := validator(t)
	for was, is := range map[string]string{
		`"v":1,"board"`: `"v":2,"board"`, `"type":"card.renamed"`: `"type":"card.named"`, `"before":{"title":"k"}`: `"before":{"title":7}`,
		`"after":{"title":"other"}`: `"after":{"columnId":"c"}`, `"op":"mutate"`: `"op":"mutation"`, `"user":"ann",`: ``, `"prev":"`: `"prev":"x`,
		`"entityId":"k","before"`: `"before"`, `"rev":5,"entityId"`: `"rev":"5","entityId"`, `"at":"2026`: `"at":"20266`,
	} {
		bad := strings.Replace(data, was, is, 1)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil || bad == data {
			t.Fatalf("%s: %v in %s", was, err, data)
		}
		if sch.Validate(doc) == nil {
			t.Errorf("%s for %s is valid", is, was)
		}
	}
}
