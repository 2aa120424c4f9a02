package domain

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

type check = func(any) (any, *flaw)

// line is text of one line: NFC, trimmed, no control and no bidi-control characters.
func line(least, most int) check {
	return func(v any) (any, *flaw) {
		s, ok := v.(string)
		if !ok {
			return nil, &flaw{reason: "not a string"}
		}
		if plain(s, "") {
			return measured(v, strings.Trim(s, " "), least, most)
		}
		if s = strings.TrimSpace(norm.NFC.String(s)); strings.ContainsFunc(s, inLine) || !utf8.ValidString(s) {
			return nil, &flaw{reason: "holds control characters"}
		}
		return measured(v, s, least, most)
	}
}

// text may have several lines. Line ends become \n.
func text(least, most int) check {
	return func(v any) (any, *flaw) {
		s, ok := v.(string)
		if !ok {
			return nil, &flaw{reason: "not a string"}
		}
		if plain(s, "\n\t") {
			if least > 0 && strings.Trim(s, " \n\t") == "" {
				return nil, &flaw{reason: "empty"}
			}
			return measured(v, s, least, most)
		}
		s = norm.NFC.String(s)
		if strings.Contains(s, "\r") {
			s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
		}
		if strings.ContainsFunc(s, inText) || !utf8.ValidString(s) {
			return nil, &flaw{reason: "holds control characters"}
		}
		if least > 0 && strings.TrimSpace(s) == "" {
			return nil, &flaw{reason: "empty"}
		}
		return measured(v, s, least, most)
	}
}

// plain says whether s is all printing ASCII, apart from what is in also:
// there is nothing to normalise in it and nothing to refuse.
func plain(s, also string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c > '~') && strings.IndexByte(also, c) < 0 {
			return false
		}
	}
	return true
}

// measured gives s, which v was made into, if it is as long as it may be.
func measured(v any, s string, least, most int) (any, *flaw) {
	if len(s) > most && utf8.RuneCountInString(s) > most {
		return nil, &flaw{"too long", most}
	}
	if len(s) < least {
		return nil, &flaw{reason: "empty"}
	}
	if v == s {
		return v, nil
	}
	return s, nil
}

// inLine are the characters refused in text of one line: control and
// bidi-control characters, and Unicode's own line ends.
func inLine(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// inText are those refused in text of several lines: the marks that state a
// single character's direction are harmless and needed in mixed prose.
func inText(r rune) bool {
	switch r {
	case '\n', '\t', '\u2028', '\u2029', '\u200e', '\u200f', '\u061c':
		return false
	}
	return inLine(r)
}

// CleanLine gives s as a one-line field takes it: what the rules refuse is left
// out, line breaks and tabs become spaces, NFC, trimmed, cut to most code points.
func CleanLine(s string, most int) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("\n\r\t\u2028\u2029", r) })
	return clean(strings.Join(lines, " "), inLine, most)
}

// CleanText is CleanLine for a field of several lines.
func CleanText(s string, most int) string {
	return clean(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), inText, most)
}

func clean(s string, refused func(rune) bool, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if refused(r) {
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(norm.NFC.String(s))
	if utf8.RuneCountInString(s) > most {
		s = strings.TrimSpace(string([]rune(s)[:most]))
	}
	return s
}

func boolean(v any) (any, *flaw) {
	if _, ok := v.(bool); !ok {
		return nil, &flaw{reason: "not true or false"}
	}
	return v, nil
}

func number(least, most int64) check {
	return func(v any) (any, *flaw) {
		if i, ok := v.(int); ok {
			v = int64(i)
		}
		n, ok := v.(int64)
		if !ok || n < least || n > most {
			return nil, &flaw{"not a whole number in range", int(most)}
		}
		return n, nil
	}
}

func oneOf(values ...string) check {
	return func(v any) (any, *flaw) {
		if s, ok := v.(string); !ok || !slices.Contains(values, s) {
			return nil, &flaw{reason: "not one of " + strings.Join(values, ", ")}
		}
		return v, nil
	}
}

func validUser(s string) bool { return len(s) > 0 && len(s) <= maxUser && utf8.ValidString(s) }

func user(v any) (any, *flaw) {
	if s, ok := v.(string); !ok || !validUser(s) {
		return nil, &flaw{"not the name of a user", maxUser}
	}
	return v, nil
}

func reference(v any) (any, *flaw) {
	if s, ok := v.(string); !ok || !validID(s) {
		return nil, &flaw{reason: "not an id"}
	}
	return v, nil
}

// position checks a key; a [Place] is for who knows the siblings.
func position(v any) (any, *flaw) {
	switch x := v.(type) {
	case Place:
		return v, nil
	case string:
		if len(x) > MaxPosition {
			return nil, &flaw{"too long", MaxPosition}
		}
		if ValidPosition(x) {
			return v, nil
		}
	}
	return nil, &flaw{reason: "not a position"}
}

// set takes a plain list or a change. most is 0 for no limit of its own.
func set(valid func(string) bool, most int) check {
	return func(v any) (any, *flaw) {
		var all []string
		switch x := v.(type) {
		case []string:
			v, all = sortedSet(x), x
		case SetChange:
			all = slices.Concat(x.Add, x.Remove)
		default:
			return nil, &flaw{reason: "not a list of strings"}
		}
		for _, s := range all {
			if !valid(s) {
				return nil, &flaw{reason: "an element is not valid"}
			}
		}
		if most > 0 && len(all) > 2*most {
			return nil, &flaw{"too many elements", most}
		}
		return v, nil
	}
}

// instant is a time as RFC 3339; what is not in UTC is put there.
func instant(v any) (any, *flaw) {
	s, _ := v.(string)
	t, err := time.Parse(time.RFC3339Nano, s) // takes more than RFC 3339: 1-digit hours, commas
	if err != nil || s[13] != ':' || strings.Contains(s, ",") || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return nil, &flaw{reason: "not a time as RFC 3339 has it"}
	}
	if strings.HasSuffix(s, "Z") && len(s) <= len("2006-01-02T15:04:05.000Z") {
		return s, nil
	}
	return t.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano), nil
}

// timeOrDate is an instant, or a whole day as 2006-01-02.
func timeOrDate(v any) (any, *flaw) {
	if s, ok := v.(string); ok && len(s) == len(time.DateOnly) {
		if _, err := time.Parse(time.DateOnly, s); err == nil {
			return s, nil
		}
	}
	return instant(v)
}

func instantOrBool(v any) (any, *flaw) {
	if _, ok := v.(bool); ok {
		return v, nil
	}
	return instant(v)
}

func link(schemes ...string) check {
	return func(v any) (any, *flaw) {
		s, ok := v.(string)
		if s = strings.TrimSpace(s); !ok || strings.ContainsFunc(s, inLine) {
			return nil, &flaw{reason: "not a URL"}
		}
		if utf8.RuneCountInString(s) > maxURL {
			return nil, &flaw{"too long", maxURL}
		}
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || !slices.Contains(schemes, strings.ToLower(u.Scheme)) {
			return nil, &flaw{reason: "not a URL that begins with " + strings.Join(schemes, " or ")}
		}
		return s, nil
	}
}

func fileName(v any) (any, *flaw) {
	name, bad := line(1, maxFileName)(v)
	if bad != nil {
		return nil, bad
	}
	s := name.(string)
	switch {
	case len(s) > maxFileName:
		return nil, &flaw{"too long", maxFileName}
	case s == "." || s == ".." || strings.ContainsAny(s, `/\`):
		return nil, &flaw{reason: "not a file name"}
	}
	return s, nil
}

// anyJSON keeps an x- field as it is.
func anyJSON(v any) (any, *flaw) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil || !utf8.Valid(buf.Bytes()) {
		return nil, &flaw{reason: "not JSON"}
	}
	if buf.Len()-1 > maxExtraValue {
		return nil, &flaw{"too long", maxExtraValue}
	}
	return v, nil
}
