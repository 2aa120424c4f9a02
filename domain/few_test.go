package domain

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestFewIsAMapThatKeepsItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f few[int, int]
		model, order := map[int]int{}, []int(nil)
		for _, k := range rapid.SliceOfN(rapid.IntRange(0, 3*fewMost), 0, 6*fewMost).Draw(t, "keys") {
			if _, ok := model[k]; !ok {
				order = append(order, k)
			}
			wantEqual(t, "before", f.get(k), model[k])
			*f.at(k) += k
			model[k] += k
		}
		for i, k := range f.keys {
			wantEqual(t, "value", f.values[i], model[k])
			wantEqual(t, "value by key", f.get(k), model[k])
		}
		if !slices.Equal(f.keys, order) {
			t.Fatalf("keys are %v, should be %v", f.keys, order)
		}
	})
}

// TestASetChangeIsUnionThenDifference holds the shortcuts for sets that are
// sorted, as they are in an entity, against the plain rule.
func TestASetChangeIsUnionThenDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "c", "d", "\xff", "é", "ab"}), 0, 12)
		set, c := some.Draw(t, "set"), SetChange{Add: some.Draw(t, "add"), Remove: some.Draw(t, "remove")}
		if rapid.Bool().Draw(t, "sorted") {
			set = sortedSet(set)
		}
		before := slices.Clone(set)
		left := map[string]bool{}
		for _, s := range slices.Concat(set, c.Add) {
			left[s] = true
		}
		for _, s := range c.Remove {
			delete(left, s)
		}
		got := c.apply(set)
		if !slices.Equal(got, slices.Sorted(maps.Keys(left))) || got == nil || !slices.Equal(set, before) {
			t.Fatalf("%q with %+v is %q", before, c, got)
		}
		was := sortedSet(before)
		added := minus(got, was)
		for _, s := range got {
			if slices.Contains(added, s) == slices.Contains(was, s) {
				t.Fatalf("%q without %q is %q", got, was, added)
			}
		}
	})
}

func TestSettingAFieldDoesNotMakeAFullMapLarger(t *testing.T) {
	f := Fields{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		f.put(name, name)
	}
	value := any("another")
	copied := testing.AllocsPerRun(100, func() { _ = maps.Clone(f) })
	n := testing.AllocsPerRun(100, func() {
		g := maps.Clone(f)
		g.put("c", value)
		if len(g) != 8 || g["c"] != value {
			t.Fatal(g)
		}
	})
	wantEqual(t, "allocations", n, copied)
	f.put("i", value)
	wantEqual(t, "fields", len(f), 9)
}
