// Package wording is how names and texts of a board stand in a sentence for
// people, whoever wrote them.
package wording

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/snapback-io/snapback/domain"
)

// Longest is how long a name or value is in a sentence, code points.
const Longest = 60

// Short is s on one line, without what a terminal would obey or what turns the
// direction of writing, cut if it is long.
func Short(s string) string {
	if len(s) <= Longest && isPlain(s) {
		return s
	}
	if len(s) > 8*Longest { // enough for what is shown; a cut rune is cleaned away
		s = s[:8*Longest]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r) || unicode.Is(unicode.Bidi_Control, r):
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if s = strings.TrimSpace(s); utf8.RuneCountInString(s) <= Longest {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:Longest-1])) + "…"
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Quoted is Short of s in quotes.
func Quoted(s string) string { return "«" + Short(s) + "»" }

// NameField is the field that a kind's entities are called by, "" for one that
// has none.
func NameField(kind domain.Kind) string {
	switch kind {
	case domain.KindBoard, domain.KindColumn, domain.KindCard, domain.KindChecklist:
		return "title"
	case domain.KindItem:
		return "text"
	case domain.KindLabel, domain.KindFile:
		return "name"
	}
	return ""
}

// Name is what people tell an entity by, "" if by nothing: of a member the user,
// of a comment what it says. e may be nil.
func Name(e *domain.Entity) string {
	switch {
	case e == nil:
		return ""
	case e.Kind == domain.KindMember:
		return e.Fields.String("user")
	case e.Kind == domain.KindComment:
		return e.Fields.String("text")
	}
	return e.Fields.String(NameField(e.Kind))
}
