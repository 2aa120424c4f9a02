package domain

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestKeyBetweenGolden holds KeyBetween against the outputs that the tests of
// the npm package fractional-indexing list.
func TestKeyBetweenGolden(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"", "", "a0"},
		{"", "a0", "Zz"},
		{"", "Zz", "Zy"},
		{"a0", "", "a1"},
		{"a1", "", "a2"},
		{"a0", "a1", "a0V"},
		{"a1", "a2", "a1V"},
		{"a0V", "a1", "a0l"},
		{"Zz", "a0", "ZzV"},
		{"Zz", "a1", "a0"},
		{"", "Y00", "Xzzz"},
		{"bzz", "", "c000"},
		{"a0", "a0V", "a0G"},
		{"a0", "a0G", "a08"},
		{"b125", "b129", "b127"},
		{"a0", "a1V", "a1"},
		{"Zz", "a01", "a0"},
		{"", "a0V", "a0"},
		{"", "b999", "b99"},
		{"", "A000000000000000000000000001", "A000000000000000000000000000V"},
		{"zzzzzzzzzzzzzzzzzzzzzzzzzzy", "", "zzzzzzzzzzzzzzzzzzzzzzzzzzz"},
		{"zzzzzzzzzzzzzzzzzzzzzzzzzzz", "", "zzzzzzzzzzzzzzzzzzzzzzzzzzzV"},
		{"", "A00000000000000000000000000", "!"},
		{"a00", "", "!"},
		{"a00", "a1", "!"},
		{"0", "1", "!"},
		{"a1", "a0", "!"},
		{"a0", "a0", "!"},
	} {
		got, err := KeyBetween(c[0], c[1])
		if err != nil {
			got = "!"
		}
		if got != c[2] {
			t.Errorf("between %q and %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestKeyBetweenIsStrictlyBetween(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := newDice(rapid.Uint64().Draw(t, "seed"))
		var keys []string
		for range rapid.IntRange(1, 300).Draw(t, "inserts") {
			i := r.IntN(len(keys) + 1)
			if r.IntN(3) > 0 { // often the same place, so that keys grow
				i = len(keys) / 2
			}
			low, high := "", ""
			if i > 0 {
				low = keys[i-1]
			}
			if i < len(keys) {
				high = keys[i]
			}
			key, err := KeyBetween(low, high)
			if err != nil || key <= low || high != "" && key >= high {
				t.Fatalf("between %q and %q: %q, %v", low, high, key, err)
			}
			if len(key) <= MaxPosition && !ValidPosition(key) {
				t.Fatalf("%q is not valid", key)
			}
			keys = slices.Insert(keys, i, key)
		}
	})
}

func TestKeysEvenlyAscend(t *testing.T) {
	t.Parallel()
	keys := KeysEvenly(5000)
	if !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != len(keys) {
		t.Error("not ascending")
	}
	for _, key := range keys {
		if !ValidPosition(key) || len(key) > 4 {
			t.Fatalf("key %q", key)
		}
	}
	wantEqual(t, "none", len(KeysEvenly(0)), 0)
}

func TestValidPosition(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"a0": true, "Zz": true, "a0V": true, "b00": true, "A000000000000000000000000001": true, "": false, "a": false, "a00": false, "b0": false,
		"A00000000000000000000000000": false, "0": false, "a-": false, "a0\u00e9": false, "~": false, "a0 ": false,
		"a0" + strings.Repeat("0", 197) + "1": true, "a0" + strings.Repeat("0", 198) + "1": false,
	} {
		wantEqual(t, key, ValidPosition(key), want)
	}
}
