package plainjson

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// span reads a string without escapes and all in ASCII, and says whether it
// was one; if not it stands at the byte that says so.
func (c *Cursor) span() (text []byte, simple bool) {
	if c.Peek() != '"' {
		c.GiveUp()
		return nil, false
	}
	from := c.at + 1
	c.at = run(c.data, from)
	if c.at < len(c.data) && c.data[c.at] == '"' {
		c.at++
		return c.data[from : c.at-1], true
	}
	return c.data[from:c.at], false
}

// Text reads a string without escapes and all in ASCII, and gives up on
// another. The bytes are part of the input.
func (c *Cursor) Text() []byte {
	text, simple := c.span()
	if !simple {
		c.GiveUp()
		return nil
	}
	return text
}

// String reads a string.
func (c *Cursor) String() string { return c.Word(nil, "") }

// Words are strings that are often read, by themselves: reading one of them
// allocates nothing.
type Words map[string]string

// maxWord is how long one of Words may be.
const maxWord = 24

// Word reads a string that is likely one of words, or the one given.
func (c *Cursor) Word(words Words, likely string) string {
	text, simple := c.span()
	switch {
	case c.failed:
		return ""
	case !simple:
		return c.unescape(text)
	case string(text) == likely:
		return likely
	}
	return words.Of(text)
}

// Of is text as a string.
func (w Words) Of(text []byte) string {
	if len(w) > 0 && len(text) <= maxWord {
		if word, ok := w[string(text)]; ok {
			return word
		}
	}
	return string(text)
}

// unescape reads the rest of a string that began with text.
func (c *Cursor) unescape(text []byte) string {
	rest := c.data[c.at:]
	end := closing(rest)
	if end < 0 || !utf8.Valid(rest[:end]) {
		c.GiveUp()
		return ""
	}
	rest = rest[:end]
	c.at += end + 1
	var out strings.Builder
	out.Grow(len(text) + len(rest))
	out.Write(text)
	for len(rest) > 0 {
		n := run(rest, 0)
		for n < len(rest) && rest[n] >= utf8.RuneSelf {
			n++
		}
		out.Write(rest[:n])
		if rest = rest[n:]; len(rest) == 0 || verbatim[0][rest[0]] {
			continue
		}
		r, size := escaped(rest)
		if size == 0 {
			c.GiveUp()
			return ""
		}
		out.WriteRune(r)
		rest = rest[size:]
	}
	return out.String()
}

// closing is where in data the quote stands that ends a string, -1 if nowhere.
func closing(data []byte) int {
	for at := 0; ; at++ {
		n := bytes.IndexByte(data[at:], '"')
		if n < 0 {
			return -1
		}
		at += n
		slashes := 0
		for slashes < at && data[at-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return at
		}
	}
}

// escaped is what the escape at the start of data stands for, or the two that
// are a pair of surrogates, and how long it is; 0 if it is not good.
func escaped(data []byte) (r rune, size int) {
	if len(data) < 2 || data[0] != '\\' {
		return 0, 0
	}
	switch b := data[1]; b {
	case '"', '\\', '/':
		return rune(b), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	switch r = unicodeEscape(data); {
	case r < 0:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	if r = utf16.DecodeRune(r, unicodeEscape(data[6:])); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// unicodeEscape is the number in the escape at the start of data, -1 if it is
// none with a number.
func unicodeEscape(data []byte) rune {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return -1
	}
	var r rune
	for _, b := range data[2:6] {
		switch {
		case b >= '0' && b <= '9':
			b -= '0'
		case b >= 'a' && b <= 'f':
			b -= 'a' - 10
		case b >= 'A' && b <= 'F':
			b -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(b)
	}
	return r
}

func (c *Cursor) skipString() {
	if text, simple := c.span(); !simple && !c.failed {
		c.unescape(text)
	}
}
