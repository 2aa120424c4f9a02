package client

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// The vectors are in gateway/wire/testdata; the TypeScript client reads the same.
func readVectors(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "wire", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(name, err)
	}
}

func jsonValue(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// madeHere is a mutation of the vectors.
type madeHere struct {
	ClientMutationID string          `json:"clientMutationId"`
	EntityID         string          `json:"entityId"`
	Patch            domain.Patch    `json:"patch"`
	Changes          []domain.Change `json:"changes"`
}

func (m madeHere) list() []domain.Change {
	if len(m.Changes) > 0 {
		return m.Changes
	}
	return []domain.Change{{EntityID: m.EntityID, Patch: m.Patch}}
}

type viewCase struct {
	Name      string
	User      string
	Confirmed []*domain.Entity
	Pending   []madeHere
	View      []map[string]any
	Order     []struct {
		Kind   domain.Kind
		Parent string
		IDs    []string
	}
}

func viewCases(t *testing.T) []viewCase {
	var all []viewCase
	for _, part := range []string{"fields", "life", "likes", "mutations", "places"} {
		var file struct{ Cases []viewCase }
		readVectors(t, "apply-"+part+".json", &file)
		all = append(all, file.Cases...)
	}
	if len(all) < 70 {
		t.Fatalf("only %d cases", len(all))
	}
	return all
}

func TestGolden_Apply(t *testing.T) {
	for _, tc := range viewCases(t) {
		t.Run(tc.Name, func(t *testing.T) {
			s := NewStore(tc.User, false)
			s.Hello(wire.Hello{User: tc.User, Epoch: "e"})
			for _, e := range tc.Confirmed {
				raw, _ := json.Marshal(e)
				if _, err := s.Sync(wire.Sync{Rev: 1, Entity: raw}); err != nil {
					t.Fatal(err)
				}
			}
			s.Ready(1)
			before := maps.Clone(s.shown)
			for _, m := range tc.Pending {
				s.Mutate(m.ClientMutationID, m.list())
			}
			want := map[string]any{}
			for _, e := range tc.View {
				want[e["id"].(string)] = e
			}
			if got := jsonValue(t, s.shown); !reflect.DeepEqual(got, any(want)) {
				t.Errorf("view\n%v\nwant\n%v", got, want)
			}
			for _, o := range tc.Order {
				var ids []string
				for _, e := range s.Children(o.Kind, o.Parent) {
					ids = append(ids, e.ID)
				}
				if !slices.Equal(ids, o.IDs) {
					t.Errorf("order under %q: %v, want %v", o.Parent, ids, o.IDs)
				}
			}
			for _, m := range tc.Pending {
				s.Nack(wire.Nack{ClientMutationID: m.ClientMutationID})
			}
			if !maps.EqualFunc(s.shown, before, alike) {
				t.Error("nacks of all did not bring back what was confirmed")
			}
		})
	}
}

// TestGolden_Merge holds the server's merge against the single changes that
// know their fields by themselves.
func TestGolden_Merge(t *testing.T) {
	ran := 0
	for _, tc := range viewCases(t) {
		if len(tc.Pending) != 1 || len(tc.Confirmed) != 1 || len(tc.View) != 1 || strings.Contains(tc.Name, "no effect") {
			continue
		}
		patch := tc.Pending[0].Patch
		if _, placed := patch["position"].(domain.Place); placed || patch == nil {
			continue
		}
		ran++
		got := jsonValue(t, domain.Merge(tc.Confirmed[0].Fields, patch, tc.User)).(map[string]any)
		for name, want := range tc.View[0] {
			if slices.Contains([]string{"id", "kind", "rev", "createdRev", "createdBy", "liked", "likes"}, name) {
				continue // not fields, or the reader's
			}
			if !reflect.DeepEqual(got[name], want) {
				t.Errorf("%s: %s is %v, want %v", tc.Name, name, got[name], want)
			}
		}
	}
	if ran < 20 {
		t.Fatalf("only %d cases", ran)
	}
}

func TestGolden_Positions(t *testing.T) {
	type pair struct{ A, B, Key string }
	var file struct{ Between, Refused []pair }
	readVectors(t, "positions.json", &file)
	if len(file.Between) < 400 || len(file.Refused) < 5 {
		t.Fatal("too few positions")
	}
	for _, p := range file.Between {
		if got, err := domain.KeyBetween(p.A, p.B); err != nil || got != p.Key {
			t.Errorf("between %q and %q: %q, %v; want %q", p.A, p.B, got, err, p.Key)
		}
	}
	for _, p := range file.Refused {
		if got, err := domain.KeyBetween(p.A, p.B); err == nil {
			t.Errorf("between %q and %q: %q, want an error", p.A, p.B, got)
		}
	}
}

func TestGolden_Frames(t *testing.T) {
	var file struct{ Client, Server []json.RawMessage }
	readVectors(t, "frames.json", &file)
	types := map[string]func() any{
		"mutate": func() any { return new(wire.Mutate) }, "cancel": func() any { return new(wire.Cancel) },
		"presence": func() any { return new(wire.Presence) }, "auth": func() any { return new(wire.Auth) },
		"hello": func() any { return new(wire.Hello) }, "sync": func() any { return new(wire.Sync) },
		"ready": func() any { return new(wire.Mark) }, "lag": func() any { return new(wire.Mark) },
		"ack": func() any { return new(wire.Ack) }, "nack": func() any { return new(wire.Nack) },
		"goaway": func() any { return new(wire.Goaway) }, "error": func() any { return new(wire.Error) },
		"pong": func() any { return new(wire.Pong) }, "ping": func() any { return new(struct{ Type string }) },
		"load": func() any { return new(wire.Load) }, "loaded": func() any { return new(wire.Loaded) },
	}
	seen := map[string]bool{}
	for _, raw := range slices.Concat(file.Client, file.Server) {
		var head struct{ Type string }
		if err := json.Unmarshal(raw, &head); err != nil || types[head.Type] == nil {
			t.Fatalf("%s: %v", raw, err)
		}
		seen[head.Type] = true
		frame := types[head.Type]()
		if err := json.Unmarshal(raw, frame); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if head.Type == "ping" {
			continue
		}
		if got, want := jsonValue(t, frame), jsonValue(t, raw); !reflect.DeepEqual(got, want) {
			t.Errorf("wrote %v, read %v", got, want)
		}
		if s, ok := frame.(*wire.Sync); ok {
			var e domain.Entity
			if err := json.Unmarshal(s.Entity, &e); err != nil || !reflect.DeepEqual(jsonValue(t, &e), jsonValue(t, s.Entity)) {
				t.Errorf("entity %s: %v", s.Entity, err)
			}
		}
	}
	if len(seen) != len(types) {
		t.Fatalf("vectors of %v only", seen)
	}
}

type script struct {
	Name              string
	RollbackOnSilence bool
	Steps             []struct {
		In           json.RawMessage
		Mutate       *madeHere
		Silence      string
		Disconnected bool
		Changed      []string
		Shows        map[string]map[string]any
	}
}

// TestGolden_Scripts runs the stories of laws 2, 10 and 11, of lag, resume and silence.
func TestGolden_Scripts(t *testing.T) {
	var file struct {
		User    string
		Scripts []script
	}
	readVectors(t, "scripts.json", &file)
	if len(file.Scripts) < 15 {
		t.Fatal("too few scripts")
	}
	for _, sc := range file.Scripts {
		t.Run(sc.Name, func(t *testing.T) {
			s := NewStore(file.User, sc.RollbackOnSilence)
			for i, step := range sc.Steps {
				before := maps.Clone(s.shown)
				var eff Effects
				switch {
				case step.In != nil:
					eff = feed(t, s, step.In)
				case step.Mutate != nil:
					eff = s.Mutate(step.Mutate.ClientMutationID, step.Mutate.list())
				case step.Silence != "":
					eff = s.Silence(step.Silence)
				case step.Disconnected:
					s.Disconnected()
				default:
					t.Fatalf("step %d does nothing", i)
				}
				var changed []string
				for _, c := range eff.Changed {
					changed = append(changed, c.ID)
				}
				if !slices.Equal(changed, step.Changed) {
					t.Errorf("step %d changed %v, want %v", i, changed, step.Changed)
				}
				for id, e := range before {
					if !slices.Contains(changed, id) && s.Get(id) != e {
						t.Errorf("step %d: %s lost its identity", i, id)
					}
				}
				for id, want := range step.Shows {
					checkShown(t, i, s.Get(id), id, want)
				}
			}
		})
	}
}

func checkShown(t *testing.T, step int, e *domain.Entity, id string, want map[string]any) {
	t.Helper()
	if (e == nil) != (want == nil) {
		t.Errorf("step %d: %s is %v, want %v", step, id, e, want)
		return
	}
	for name, v := range want {
		if !domain.EqualValues(e.Fields[name], v) {
			t.Errorf("step %d: %s of %s is %v, want %v", step, name, id, e.Fields[name], v)
		}
	}
}

func feed(t *testing.T, s *Store, raw json.RawMessage) Effects {
	t.Helper()
	var head struct{ Type string }
	read := func(into any) {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	read(&head)
	var mark wire.Mark
	switch head.Type {
	case "hello":
		var f wire.Hello
		read(&f)
		return s.Hello(f)
	case "sync":
		var f wire.Sync
		read(&f)
		eff, err := s.Sync(f)
		if err != nil {
			t.Fatal(err)
		}
		return eff
	case "ack":
		var f wire.Ack
		read(&f)
		return s.Ack(f)
	case "nack":
		var f wire.Nack
		read(&f)
		return s.Nack(f)
	case "ready":
		read(&mark)
		return s.Ready(mark.Rev)
	case "lag":
		s.Lag()
		return Effects{}
	}
	t.Fatalf("unknown frame %s", raw)
	return Effects{}
}
