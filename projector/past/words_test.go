package past

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector/wording"
)

// hostile is what a terminal obeys, and what turns or breaks a line.
const hostile = "a\x1b[2J\u009b31mb\x7f\r\nc\u202ed\u2066e\u2028f\x00g\u200fh\t\xffi"

func TestWords_ObeyedByNoTerminal(t *testing.T) {
	t.Parallel()
	d := Diff{Names: map[string]string{"l1": hostile}, Created: []*domain.Entity{{ID: "c1", Kind: domain.KindCard, Fields: domain.Fields{"title": hostile, "columnId": hostile}}}}
	d.Changed = []Change{{ID: "c2", Kind: domain.KindCard, Name: hostile, Moved: "from " + wording.Quoted(hostile) + " to " + wording.Quoted(hostile),
		Before: domain.Fields{hostile: hostile, "x-list": []string{hostile}}, After: domain.Fields{hostile: hostile, "x-list": []string{hostile}},
		Added: map[string][]string{"labels": {"l1"}, "assignees": {hostile}}}}
	lines := d.Words()
	if len(lines) != 2 {
		t.Fatal(lines)
	}
	for _, line := range lines {
		for _, r := range line {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' {
				t.Errorf("%q has %U", line, r)
			}
		}
		if !utf8.ValidString(line) {
			t.Errorf("%q is no UTF-8", line)
		}
	}
}
