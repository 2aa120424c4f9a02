package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// forPerson is where a command writes what it was asked for: a terminal is
// shown nothing that it would obey, whoever wrote that on a board. A file or a
// pipe gets every byte.
func forPerson(out io.Writer) io.Writer {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &shownWriter{to: out}
	}
	return out
}

// shownWriter writes text with [shown]; characters may come in pieces.
type shownWriter struct {
	to   io.Writer
	rest []byte // the beginning of a character, or a \r that may end a line
}

func (w *shownWriter) Write(p []byte) (int, error) {
	text := append(w.rest, p...)
	end := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if at := len(text) - back; utf8.RuneStart(text[at]) {
			if !utf8.FullRune(text[at:]) {
				end = at
			}
			break
		}
	}
	if end > 0 && text[end-1] == '\r' && end == len(text) {
		end--
	}
	w.rest = bytes.Clone(text[end:])
	if _, err := io.WriteString(w.to, shown(string(text[:end]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// shown is text with U+FFFD for what a terminal obeys or what turns the
// direction of writing, but for line ends and tabs, and for the marks of a
// single character's direction, which prose needs.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\t', '\u200e', '\u200f', '\u061c':
			return r
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return utf8.RuneError
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}
