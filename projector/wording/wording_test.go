package wording

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/snapback-io/snapback/domain"
)

func TestShort_OneLineThatNothingObeys(t *testing.T) {
	t.Parallel()
	const hostile = "a\x1b[2J\u009b31mb\x7f\r\nc\u202ed\u2066e\u2028f\x00g\u200fh\t\xffi"
	for _, text := range []string{hostile, strings.Repeat(hostile, 100), strings.Repeat("ä", 1000), strings.Repeat("x", 61)} {
		got := Short(text)
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' {
				t.Errorf("%q has %U", got, r)
			}
		}
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > Longest || Short(got) != got {
			t.Errorf("%q became %q", text, got)
		}
	}
	for text, want := range map[string]string{"": "", " Fix\nlogin ": "Fix login", strings.Repeat("x", 60): strings.Repeat("x", 60), strings.Repeat("x", 61): strings.Repeat("x", 59) + "…"} {
		if got := Short(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestName_EachKindHasTheFieldItIsCalledBy, or none.
func TestName_EachKindHasTheFieldItIsCalledBy(t *testing.T) {
	t.Parallel()
	for _, shape := range domain.Shapes() {
		e := &domain.Entity{Kind: shape.Kind, Fields: domain.Fields{"title": "title", "name": "name", "text": "text", "user": "user"}}
		field := NameField(shape.Kind)
		if got := Name(e); got == "" || field != "" && got != field {
			t.Errorf("%s is called %q, its field is %q", shape.Kind, got, field)
		}
	}
	if Name(nil) != "" {
		t.Error("nobody has a name")
	}
}
