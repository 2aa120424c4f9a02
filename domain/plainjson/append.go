package plainjson

import (
	"time"
	"unicode/utf8"
)

// Escape says what is escaped in a string beyond what JSON demands.
type Escape bool

// The two ways of encoding/json.
const (
	Plain Escape = false // json.Encoder with SetEscapeHTML(false)
	HTML  Escape = true  // <, > and & too: json.Marshal
)

const hex = "0123456789abcdef"

// verbatim says which ASCII characters stand for themselves in a string, by Escape.
var verbatim [2][256]bool

func init() {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		plain := c != '"' && c != '\\'
		verbatim[0][c] = plain
		verbatim[1][c] = plain && c != '<' && c != '>' && c != '&'
	}
}

// AppendString appends s in quotes. What is not UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string, esc Escape) []byte {
	dst = append(dst, '"')
	from := 0 // s[:from] is written
	for i := runString(s, 0, esc); i < len(s); i = runString(s, i, esc) {
		if c := s[i]; c < utf8.RuneSelf {
			dst = appendEscaped(append(dst, s[from:i]...), c)
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, s[from:i]...), `\ufffd`...)
			from = i + size
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[from:i]...), '\\', 'u', '2', '0', '2', hex[r&0xF])
			from = i + size
		}
		i += size
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '\\', '"':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
}

// AppendStrings appends a list of strings.
func AppendStrings(dst []byte, list []string, esc Escape) []byte {
	if list == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, s, esc)
	}
	return append(dst, ']')
}

// AppendTime appends t in quotes. It fails where time.Time's MarshalJSON does:
// on a year or an offset that RFC 3339 cannot say.
func AppendTime(dst []byte, t time.Time) ([]byte, error) {
	dst, err := t.AppendText(append(dst, '"'))
	return append(dst, '"'), err
}
