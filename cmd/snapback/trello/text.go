package trello

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits of DOMAIN.md, in code points where nothing else is said.
const (
	maxTitle       = 16_384
	maxDescription = 65_536
	maxLabelName   = 255
	maxMemberName  = 255
	maxURL         = 2_048
	maxWIPLimit    = 9_999
	maxFileName    = 255   // bytes
	maxExtra       = 4_096 // bytes of JSON
	maxExtras      = 32    // per card
)

// line makes s a one-line text of at most limit code points: NFC, trimmed,
// without control and bidi-control characters. what names it in the report.
func (m *mapping) line(what, s string, limit int) string {
	return m.text(what, strings.Join(strings.FieldsFunc(s, isLineBreak), " "), limit, false)
}

// lines is line for a text that may have line breaks and tabs.
func (m *mapping) lines(what, s string, limit int) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	return m.text(what, s, limit, true)
}

func (m *mapping) text(what, s string, limit int, breaks bool) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case breaks && (r == '\n' || r == '\t'):
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if clean != s {
		m.report.changed("control characters removed from "+what, s)
	}
	clean = norm.NFC.String(clean)
	if !breaks {
		clean = strings.TrimSpace(clean)
	}
	if cut, ok := cutRunes(clean, limit); ok {
		m.report.changed("cut "+what+" (longer than the limit)", s)
		clean = cut
		if !breaks {
			clean = strings.TrimSpace(clean)
		}
	}
	return clean
}

func isLineBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\t' || r == '\v' || r == '\f' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// cutRunes gives the first limit code points of s, and whether that is less.
func cutRunes(s string, limit int) (string, bool) {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s, false
	}
	n := 0
	for i := range s {
		if n == limit {
			return s[:i], true
		}
		n++
	}
	return s, false
}

// cutBytes gives the longest prefix of s of at most limit bytes that ends
// between code points.
func cutBytes(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// shorten makes s fit into a message.
func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if cut, ok := cutRunes(s, 40); ok {
		return cut + "…"
	}
	return s
}
