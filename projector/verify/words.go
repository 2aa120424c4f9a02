package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/snapback-io/snapback/domain"
)

// outcome says what a decision is, in short.
func outcome(d *domain.Decision) string {
	switch {
	case d.Rejection != nil:
		return "refused: " + d.Rejection.Error()
	case len(d.Events) == 0:
		return "accepted, without a change"
	}
	text := "accepted:"
	for i := range d.Events {
		text += fmt.Sprintf(" %s of %s", d.Events[i].Type, d.Events[i].EntityID)
	}
	return cut(text)
}

// contrast says how a recorded decision differs from what the rules say: by
// the outcome, or else by the first member that is another.
func contrast(recorded, again *domain.Decision, raw, enc []byte) string {
	if is, by := outcome(recorded), outcome(again); is != by {
		return fmt.Sprintf("it says %s; by the rules it is %s", is, by)
	}
	var is, by any
	if decode(raw, &is) != nil || decode(enc, &by) != nil {
		return "it is not what the rules say"
	}
	path, a, b := difference("", is, by)
	return fmt.Sprintf("its %s is %s; by the rules it is %s", path, cut(a), cut(b))
}

// difference is the first place where two JSON values differ.
func difference(path string, a, b any) (string, string, string) {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			for _, name := range names(x, y) {
				if text(x[name]) != text(y[name]) {
					return difference(join(path, name), x[name], y[name])
				}
			}
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			for i := range x {
				if text(x[i]) != text(y[i]) {
					return difference(fmt.Sprintf("%s[%d]", path, i), x[i], y[i])
				}
			}
		}
	}
	return path, text(a), text(b)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func text(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

func decode(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return dec.Decode(v)
}

// canonical is JSON with sorted names.
func canonical(data []byte) string {
	var v any
	if decode(data, &v) != nil {
		return string(data)
	}
	return text(v)
}

const maxWords = 300 // bytes of a value in a finding

func cut(s string) string {
	if len(s) > maxWords {
		return s[:maxWords] + "…"
	}
	return s
}

// names are those of both, in order.
func names(a, b map[string]any) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}
