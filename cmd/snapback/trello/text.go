package trello

import (
	"math"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/snapback-io/snapback/domain"
)

// Limits of DOMAIN.md, in code points where nothing else is said.
const (
	maxTitle       = 16_384
	maxDescription = 65_536
	maxName        = 255 // of labels and members
	maxColor       = 64
	maxURL         = 2_048
	maxWIPLimit    = 9_999
	maxFileName    = 255   // bytes
	maxExtra       = 4_096 // bytes of JSON
	maxExtras      = 32    // per card
)

// line makes s a text for a one-line field of at most limit code points. what
// names it in the report.
func (m *mapping) line(what, s string, limit int) string {
	return m.cleaned(domain.CleanLine, what, s, limit)
}

// lines is line for a field of several lines.
func (m *mapping) lines(what, s string, limit int) string {
	return m.cleaned(domain.CleanText, what, s, limit)
}

func (m *mapping) cleaned(clean func(string, int) string, what, s string, limit int) string {
	whole := clean(s, math.MaxInt)
	for _, r := range s {
		if isControl(r) && !strings.ContainsRune(whole, r) {
			m.report.changed("control characters removed from "+what, whole)
			break
		}
	}
	cut := clean(s, limit)
	if cut != whole {
		m.report.changed("cut "+what+" (longer than the limit)", whole)
	}
	return cut
}

// isControl says whether r is a character that a text may have to do without;
// line ends and tabs do not count.
func isControl(r rune) bool {
	switch r {
	case '\n', '\r', '\t':
		return false
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

// isLink says whether s is a URL that a link field takes.
func isLink(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && slices.Contains(schemes, strings.ToLower(u.Scheme)) &&
		!strings.ContainsFunc(s, isControl) && utf8.RuneCountInString(s) <= maxURL
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
	if utf8.RuneCountInString(s) > 40 {
		return string([]rune(s)[:40]) + "…"
	}
	return s
}
