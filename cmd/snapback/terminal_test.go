package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestShownWriter_ATerminalObeysNothing(t *testing.T) {
	t.Parallel()
	text := "a\x1b[2J\u009b31m\r\nb\tc\u202ed\rx\x7f\x00 «ü€😀» e\u200f\xffz\r\n"
	const want = "a\uFFFD[2J\uFFFD31m\nb\tc\uFFFDd\uFFFDx\uFFFD\uFFFD «ü€😀» e\u200f\uFFFDz\n"
	for size := 1; size <= len(text); size++ { // in pieces of every size
		var out bytes.Buffer
		w := &shownWriter{to: &out}
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			if m, err := w.Write([]byte(rest[:n])); m != n || err != nil {
				t.Fatal(m, err)
			}
			rest = rest[n:]
		}
		if out.String() != want {
			t.Fatalf("in pieces of %d: %q, want %q", size, out.String(), want)
		}
	}
}

func TestOneLine_ATerminalObeysNothing(t *testing.T) {
	t.Parallel()
	err := oneLine{errors.Join(errors.New("no board \x1b]0;x\a\u202e"), errors.New("b\rc"))}
	if got := err.Error(); strings.ContainsAny(got, "\x1b\a\r\n\u202e") || !strings.Contains(got, "; b") {
		t.Errorf("%q", got)
	}
}
