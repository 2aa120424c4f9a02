package verify

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/projector/verify/verifytest"
)

// mangle changes one value somewhere in a JSON value.
func mangle(r *rand.Rand, v any) any {
	switch x := v.(type) {
	case map[string]any:
		if len(x) > 0 && r.IntN(6) > 0 {
			name := slices.Sorted(maps.Keys(x))[r.IntN(len(x))]
			if r.IntN(12) == 0 {
				delete(x, name)
			} else {
				x[name] = mangle(r, x[name])
			}
			return x
		}
	case []any:
		if len(x) > 0 && r.IntN(6) > 0 {
			i := r.IntN(len(x))
			if r.IntN(12) == 0 {
				return append(x, x[i])
			}
			x[i] = mangle(r, x[i])
			return x
		}
	}
	others := []any{nil, true, -1, 1e300, "", "b", "column0", "card1", "card.created", "board.created", "column.deleted", "list.respaced", "comment.deleted",
		"member.removed", "card.moved", "card", "column", []any{}, map[string]any{}, []any{"x", nil}, map[string]any{"card1": []any{"a0", "a1"}}, json.Number("99999999999999999999")}
	return others[r.IntN(len(others))]
}

// Whatever a bundle of a stranger holds, the verifier comes to its end.
func TestNothingInARecordStopsTheVerifier(t *testing.T) {
	s := verifytest.New("b", 9).Start().Run(40)
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		list := records(s)
		for range 1 + r.IntN(4) {
			i := r.IntN(len(list))
			var v any
			if decode(list[i].Data, &v) != nil {
				continue
			}
			for range 1 + r.IntN(3) {
				v = mangle(r, v)
			}
			list[i].Data, _ = json.Marshal(v)
			list[i].Hash = fmt.Sprintf("%x", sum(list[i].Data))
		}
		if sum, found := run(Config{Board: "b"}, list); sum.Records != uint64(len(list)) || sum.Findings != uint64(len(found)) {
			t.Fatalf("it came to %+v", sum)
		}
	})
}
