package client

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

var update = flag.Bool("update", false, "write gateway/wire/testdata/rebase.json anew")

const aboutRebase = "Three mutations in flight and all that may become of them, as a graph for each shape: every path from state 0 is a " +
	"story. Steps: mN mutation N is made; sN syncs of what it did (the entities of the third element, all but the last with more; " +
	"revs count up from 2), aN its ack, nN its nack, wN withdrawn, qN silence; b the sync of a neighbour's change. A state shows exactly " +
	"these entities, rev left out; changed by a step is what is shown otherwise before and after it. Numbers are of entities. " +
	"Made by TestGolden_Rebase -update from a view that replays everything."

// rebaseShape is one set of three mutations with its graph.
type rebaseShape struct {
	Name              string            `json:"name"`
	RollbackOnSilence bool              `json:"rollbackOnSilence"`
	Confirmed         []int             `json:"confirmed"`
	Mutations         [3]rebaseMutation `json:"mutations"`
	Entities          []json.RawMessage `json:"entities"`
	States            []rebaseState     `json:"states"`

	neighbour domain.Change
	start     []string
}

type rebaseMutation struct {
	ClientMutationID string          `json:"clientMutationId"`
	Changes          []domain.Change `json:"changes"`
}

type rebaseState struct {
	Shows []int        `json:"shows"`
	Steps []rebaseStep `json:"steps"`
}

// rebaseStep is [name, state it leads to, entities of its syncs].
type rebaseStep struct {
	Name  string
	To    int
	Syncs []int
}

func (s rebaseStep) MarshalJSON() ([]byte, error) {
	if len(s.Syncs) == 0 {
		return json.Marshal([]any{s.Name, s.To})
	}
	return json.Marshal([]any{s.Name, s.To, s.Syncs})
}

func (s *rebaseStep) UnmarshalJSON(raw []byte) error {
	parts := []any{&s.Name, &s.To, &s.Syncs}
	return json.Unmarshal(raw, &parts)
}

func rebaseShapes() []*rebaseShape {
	shape := func(name string, rollback bool, neighbour string, mutations [3]string, start ...string) *rebaseShape {
		s := &rebaseShape{Name: name, RollbackOnSilence: rollback, start: start}
		for i, m := range mutations {
			s.Mutations[i].ClientMutationID = fmt.Sprint("m", i+1)
			mustRead(m, &s.Mutations[i].Changes)
		}
		mustRead(neighbour, &s.neighbour)
		return s
	}
	card := func(id, column, position string) string {
		return fmt.Sprintf(`{"id":%q,"kind":"card","createdRev":1,"createdBy":"bob","columnId":%q,"position":%q,"title":"old","liked":false,"likes":0}`, id, column, position)
	}
	column := func(id, position string) string {
		return fmt.Sprintf(`{"id":%q,"kind":"column","createdRev":1,"createdBy":"bob","position":%q,"title":%q}`, id, position, id)
	}
	sameField := [3]string{
		`[{"entityId":"c1","patch":{"title":"one"}}]`, `[{"entityId":"c1","patch":{"title":" two "}}]`, `[{"entityId":"c1","patch":{"title":"one","due":"2026-01-01"}}]`,
	}
	theirs := `{"entityId":"c1","patch":{"title":"theirs"}}`
	anchors := [3]string{
		`[{"entityId":"c3","patch":{"position":{"after":null}}}]`, `[{"entityId":"c2","patch":{"position":{"before":"c3"}}}]`,
		`[{"entityId":"c1","patch":{"position":{"after":"c2"}}}]`,
	}
	away := `{"entityId":"c3","patch":{"columnId":"k2"}}`
	list := []string{column("k1", "a0"), column("k2", "a1"), card("c1", "k1", "a0"), card("c2", "k1", "a1"), card("c3", "k1", "a2")}
	return []*rebaseShape{
		shape("one field", false, theirs, sameField, card("c1", "k1", "a0")),
		shape("one field, back on silence", true, theirs, sameField, card("c1", "k1", "a0")),
		shape("fields and sets of one card", true, `{"entityId":"c1","patch":{"description":"d","labels":{"add":"b3","remove":"b1"}}}`, [3]string{
			`[{"entityId":"c1","patch":{"title":"one","liked":true}}]`, `[{"entityId":"c1","patch":{"labels":{"add":["b2","b1"]}}}]`,
			`[{"entityId":"c1","patch":{"labels":{"remove":"b2"},"liked":false,"description":null}}]`,
		}, card("c1", "k1", "a0")),
		shape("places next to each other", false, away, anchors, list...),
		shape("places next to each other, back on silence", true, away, anchors, list...),
		shape("made, changed, and another beside it", true, `{"entityId":"c1","patch":{"position":{"before":null}}}`, [3]string{
			`[{"entityId":"n1","patch":{"kind":"card","title":"new","columnId":"k1","position":{"after":"c1"}}}]`,
			`[{"entityId":"n1","patch":{"title":"newer","assignees":{"add":"ann"}}}]`,
			`[{"entityId":"n2","patch":{"kind":"card","title":"second","columnId":"k1","position":{"after":"n1"}}}]`,
		}, list...),
		shape("changed, deleted, and what hung on it", true, `{"entityId":"o1","patch":{"text":"theirs"}}`, [3]string{
			`[{"entityId":"c1","patch":{"title":"one"}}]`, `[{"entityId":"c1","patch":null}]`, `[{"entityId":"o1","patch":{"text":"mine"}},{"entityId":"c2","patch":{"liked":true}}]`,
		}, card("c1", "k1", "a0"), card("c2", "k1", "a1"), `{"id":"o1","kind":"comment","createdRev":2,"createdBy":"bob","cardId":"c1","text":"old"}`),
		shape("several changes at once", true, `{"entityId":"c2","patch":{"archived":true}}`, [3]string{
			`[{"entityId":"c1","patch":{"columnId":"k2"}},{"entityId":"c3","patch":{"position":{"after":null}}}]`,
			`[{"entityId":"c2","patch":{"columnId":"k2","position":{"after":"c1"}}}]`,
			`[{"entityId":"k3","patch":{"kind":"column","title":"new"}},{"entityId":"c1","patch":{"columnId":"k3"}}]`,
		}, list...),
	}
}

func mustRead(raw string, into any) {
	if err := json.Unmarshal([]byte(raw), into); err != nil {
		panic(err)
	}
}

// rebaseMaker writes the graph of a shape.
type rebaseMaker struct {
	*rebaseShape
	numbers map[string]int // of entities
	states  map[string]int // by moment
}

// moment is a state of the wire and of both ends. of says of each mutation:
// '-' not made, 'P' pending, 'Q' after silence, 'S' and 'T' the same with its
// syncs there, 'A' acked, 'N' refused.
type moment struct {
	of        [3]byte
	neighbour bool
	confirmed map[string]*domain.Entity
}

func (m *rebaseMaker) number(e *domain.Entity) int {
	face := *e
	face.Rev = 0
	raw, err := json.Marshal(&face)
	if err != nil {
		panic(err)
	}
	n, known := m.numbers[string(raw)]
	if !known {
		n = len(m.Entities)
		m.numbers[string(raw)] = n
		m.Entities = append(m.Entities, raw)
	}
	return n
}

func (m *rebaseMaker) sorted(entities map[string]*domain.Entity) []int {
	out := []int{}
	for _, id := range slices.Sorted(maps.Keys(entities)) {
		out = append(out, m.number(entities[id]))
	}
	return out
}

func (m *rebaseMaker) state(at moment) int {
	confirmed := m.sorted(at.confirmed)
	key := fmt.Sprintf("%s %v %v", at.of[:], at.neighbour, confirmed)
	if n, known := m.states[key]; known {
		return n
	}
	var pending []*Pending
	for i, of := range at.of {
		if strings.IndexByte("PQST", of) >= 0 {
			hidden := m.RollbackOnSilence && (of == 'Q' || of == 'T')
			pending = append(pending, &Pending{Changes: m.Mutations[i].Changes, Hidden: hidden})
		}
	}
	n := len(m.States)
	m.states[key] = n
	m.States = append(m.States, rebaseState{Shows: m.sorted(naiveView(at.confirmed, pending, "ann"))})
	steps := m.steps(at)
	m.States[n].Steps = steps
	return n
}

func (m *rebaseMaker) steps(at moment) []rebaseStep {
	out := []rebaseStep{}
	step := func(name string, i int, of byte) {
		next := at
		next.of[i] = of
		out = append(out, rebaseStep{Name: fmt.Sprint(name, i+1), To: m.state(next)})
	}
	for i, of := range at.of {
		before, after := string(at.of[:i]), string(at.of[i+1:])
		switch of {
		case '-':
			if !strings.Contains(before, "-") {
				step("m", i, 'P')
				return out // all are made before the first verdict
			}
		case 'P', 'Q':
			if of == 'P' {
				step("q", i, 'Q')
			}
			step("n", i, 'N')
			if i == 1 {
				step("w", i, 'N')
			}
			if !strings.ContainsAny(after, "STA") { // law 6: they take effect in the order sent
				out = append(out, m.decided(at, i)...)
			}
		case 'S', 'T':
			if !strings.ContainsAny(before, "ST") {
				step("a", i, 'A')
			}
		}
	}
	if !at.neighbour {
		next := at
		next.neighbour = true
		confirmed, syncs, ok := m.fold(at.confirmed, []domain.Change{m.neighbour})
		if next.confirmed = confirmed; ok {
			out = append(out, rebaseStep{"b", m.state(next), syncs})
		}
	}
	return out
}

// decided is the mutation's taking effect, if what it changes is there.
func (m *rebaseMaker) decided(at moment, i int) []rebaseStep {
	confirmed, syncs, ok := m.fold(at.confirmed, m.Mutations[i].Changes)
	if !ok {
		return nil
	}
	next := at
	next.confirmed = confirmed
	next.of[i] = 'S'
	if at.of[i] == 'Q' {
		next.of[i] = 'T'
	}
	return []rebaseStep{{fmt.Sprint("s", i+1), m.state(next), syncs}}
}

// fold is a server that decides nothing: it applies the changes and trims titles.
func (m *rebaseMaker) fold(confirmed map[string]*domain.Entity, changes []domain.Change) (after map[string]*domain.Entity, syncs []int, ok bool) {
	for _, c := range changes {
		if confirmed[c.EntityID] == nil && c.Patch["kind"] == nil {
			return nil, nil, false
		}
	}
	after = naiveView(confirmed, []*Pending{{Changes: changes}}, "ann")
	for _, id := range slices.Sorted(maps.Keys(after)) {
		if after[id] == confirmed[id] {
			continue
		}
		e := *after[id]
		e.Fields = maps.Clone(e.Fields)
		if title, is := e.Fields["title"].(string); is {
			e.Fields["title"] = strings.TrimSpace(title)
		}
		if e.CreatedRev == 0 {
			e.CreatedRev = 9
		}
		after[id] = &e
		syncs = append(syncs, m.number(&e))
	}
	for _, c := range changes {
		if e := confirmed[c.EntityID]; e != nil && after[c.EntityID] == nil {
			syncs = append(syncs, m.number(&domain.Entity{ID: e.ID, Kind: e.Kind, Deleted: true}))
		}
	}
	return after, syncs, true
}

func makeRebase(t *testing.T) []byte {
	var b bytes.Buffer
	about, _ := json.Marshal(aboutRebase)
	fmt.Fprintf(&b, `{"about":%s,"user":"ann","shapes":[`, about)
	for i, s := range rebaseShapes() {
		m := rebaseMaker{rebaseShape: s, numbers: map[string]int{}, states: map[string]int{}}
		confirmed := map[string]*domain.Entity{}
		for _, raw := range s.start {
			e := new(domain.Entity)
			mustRead(raw, e)
			confirmed[e.ID] = e
		}
		s.Confirmed = m.sorted(confirmed)
		m.state(moment{of: [3]byte{'-', '-', '-'}, confirmed: confirmed})
		if i > 0 {
			b.WriteByte(',')
		}
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
		raw = bytes.ReplaceAll(raw, []byte(`,{"shows"`), []byte(",\n"+`{"shows"`))
		b.Write(bytes.ReplaceAll(raw, []byte(`,{"id"`), []byte(",\n"+`{"id"`)))
	}
	b.WriteString("\n]}\n")
	return b.Bytes()
}

// TestGolden_Rebase walks the graphs of three mutations in flight: every path
// on which nobody falls silent and no neighbour comes between, and every step
// of the others.
func TestGolden_Rebase(t *testing.T) {
	path, made := filepath.Join("..", "wire", "testdata", "rebase.json"), makeRebase(t)
	if *update {
		if err := os.WriteFile(path, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, made) {
		t.Errorf("rebase.json is not what -update makes (%v)", err)
	}
	var file struct{ Shapes []*rebaseShape }
	readVectors(t, "rebase.json", &file)
	if len(file.Shapes) < 8 {
		t.Fatalf("only %d shapes", len(file.Shapes))
	}
	for _, s := range file.Shapes {
		t.Run(s.Name, func(t *testing.T) {
			w := rebaseWalk{t: t, shape: s, seen: map[string]bool{}}
			for _, raw := range s.Entities {
				e := new(domain.Entity)
				mustRead(string(raw), e)
				w.entities = append(w.entities, e)
			}
			w.walk(0, nil, true)
			if w.paths < 100 {
				t.Errorf("only %d paths", w.paths)
			}
		})
	}
}

type rebaseWalk struct {
	t        *testing.T
	shape    *rebaseShape
	entities []*domain.Entity
	seen     map[string]bool
	paths    int
}

func (w *rebaseWalk) walk(at int, path []rebaseStep, plain bool) {
	end := true
	for i, step := range w.shape.States[at].Steps {
		plain := plain && step.Name[0] != 'q' && step.Name[0] != 'b'
		key := fmt.Sprint(at, ".", i)
		if !plain && w.seen[key] {
			continue
		}
		w.seen[key] = true
		end = false
		w.walk(step.To, append(slices.Clone(path), step), plain)
	}
	if end {
		w.paths++
		w.run(path)
	}
}

func (w *rebaseWalk) run(path []rebaseStep) {
	s := NewStore("ann", w.shape.RollbackOnSilence)
	var rev uint64 = 1
	sync := func(n int, more bool) Effects {
		e := *w.entities[n]
		e.Rev = rev
		raw, _ := json.Marshal(&e)
		eff, err := s.Sync(wire.Sync{Rev: rev, Entity: raw, More: more})
		if err != nil {
			w.t.Fatal(err)
		}
		return eff
	}
	s.Hello(wire.Hello{User: "ann", Epoch: "e"})
	for _, n := range w.shape.Confirmed {
		sync(n, false)
	}
	s.Ready(rev)
	at, told := 0, ""
	for _, step := range path {
		told += " " + step.Name
		var eff Effects
		id := "m" + step.Name[1:]
		switch step.Name[0] {
		case 'm':
			eff = s.Mutate(id, w.shape.Mutations[step.Name[1]-'1'].Changes)
		case 's', 'b':
			for i, n := range step.Syncs {
				rev++
				eff = sync(n, i < len(step.Syncs)-1)
			}
		case 'a':
			eff = s.Ack(wire.Ack{ClientMutationID: id, Rev: rev, Events: 1})
		case 'n':
			eff = s.Nack(wire.Nack{ClientMutationID: id, Code: domain.WIPLimit})
		case 'w':
			eff = s.Nack(wire.Nack{ClientMutationID: id, Code: domain.Withdrawn})
		case 'q':
			eff = s.Silence(id)
		}
		w.check(s, at, step.To, eff, told)
		at = step.To
	}
}

func (w *rebaseWalk) check(s *Store, from, to int, eff Effects, told string) {
	before, after := w.shows(from), w.shows(to)
	var want, got []string
	either := maps.Clone(before)
	maps.Copy(either, after)
	for _, id := range slices.Sorted(maps.Keys(either)) {
		if before[id] != after[id] {
			want = append(want, id)
		}
	}
	for _, c := range eff.Changed {
		got = append(got, c.ID)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("%s: changed %v, want %v", told, got, want)
	}
	if !maps.EqualFunc(s.shown, after, alike) {
		w.t.Errorf("%s: shown\n%swant\n%s", told, dump(s.shown), dump(after))
	}
}

func (w *rebaseWalk) shows(state int) map[string]*domain.Entity {
	out := map[string]*domain.Entity{}
	for _, n := range w.shape.States[state].Shows {
		out[w.entities[n].ID] = w.entities[n]
	}
	return out
}
