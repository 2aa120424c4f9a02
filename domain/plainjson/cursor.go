package plainjson

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// Cursor reads JSON from front to back. What it gives is what encoding/json
// would; where it is not sure of that (names with escapes, numbers that are not
// whole or very large, text that is not UTF-8, deep nesting, JSON that is none)
// it gives up: all that follows is zero and [Cursor.Done] says no. Then the
// caller asks encoding/json about the whole input.
//
// A caller gives up itself, by [Cursor.GiveUp], on what encoding/json would
// treat in a way of its own: unknown names, names that stand twice, nulls.
type Cursor struct {
	data   []byte
	at     int
	first  bool // an object or a list was opened, nothing read of it yet
	failed bool
}

// New gives a cursor at the start of data.
func New(data []byte) Cursor { return Cursor{data: data} }

// maxDepth is how deep a value may be nested for Raw.
const maxDepth = 64

// GiveUp leaves the rest unread.
func (c *Cursor) GiveUp() { c.failed, c.at = true, len(c.data) }

// Done says whether the whole input was read as one value.
func (c *Cursor) Done() bool {
	return c.Peek() == 0 && !c.failed
}

// Peek is the first byte of what comes next, 0 at the end.
func (c *Cursor) Peek() byte {
	for c.at < len(c.data) {
		switch b := c.data[c.at]; b {
		case ' ', '\t', '\n', '\r':
			c.at++
		case 0:
			c.GiveUp()
		default:
			return b
		}
	}
	return 0
}

// Open enters an object or a list, by its bracket.
func (c *Cursor) Open(bracket byte) {
	if c.Peek() != bracket {
		c.GiveUp()
		return
	}
	c.at++
	c.first = true
}

// Next goes to the next member or element of what was opened last; false at
// the end of it, which it leaves by its bracket.
func (c *Cursor) Next(bracket byte) bool {
	first := c.first
	c.first = false
	switch b := c.Peek(); {
	case b == bracket:
		c.at++
		return false
	case b == ',' && !first:
		c.at++
	case !first || b == 0:
		c.GiveUp()
	}
	return !c.failed
}

// Name reads a member's name and the colon. The bytes are part of the input.
func (c *Cursor) Name() []byte {
	name, simple := c.span()
	if !simple || c.Peek() != ':' {
		c.GiveUp()
		return nil
	}
	c.at++
	return name
}

// Names is the set of the names of one object that were read, by numbers below
// 32 that their reader gives them.
type Names uint32

// Once notes that the name with this number was read, and gives up if it was
// before: encoding/json may then mix the two values. (In a map the last counts.)
func (c *Cursor) Once(names *Names, number uint) {
	if *names&(1<<number) != 0 {
		c.GiveUp()
	}
	*names |= 1 << number
}

// Has says whether the name with this number was read.
func (n Names) Has(number uint) bool { return n&(1<<number) != 0 }

// Null reads a null if one comes next, and says so.
func (c *Cursor) Null() bool { return c.Peek() == 'n' && c.word("null") }

// Bool reads true or false.
func (c *Cursor) Bool() bool {
	if c.Peek() == 't' {
		return c.word("true")
	}
	c.word("false")
	return false
}

func (c *Cursor) word(w string) bool {
	if c.Peek(); !bytes.HasPrefix(c.data[c.at:], []byte(w)) {
		c.GiveUp()
		return false
	}
	c.at += len(w)
	return true
}

// Int reads a whole number of at most 18 digits.
func (c *Cursor) Int() int64 {
	if c.Peek() != '-' {
		return int64(c.digits())
	}
	c.at++
	return -int64(c.digits())
}

// Uint reads a whole number of at most 18 digits that is not negative.
func (c *Cursor) Uint() uint64 {
	c.Peek()
	return c.digits()
}

func (c *Cursor) digits() uint64 {
	from := c.at
	var n uint64
	for c.at < len(c.data) && c.data[c.at]-'0' <= 9 {
		n = n*10 + uint64(c.data[c.at]-'0')
		c.at++
	}
	length := c.at - from
	padded := length > 1 && c.data[from] == '0'
	fraction := c.at < len(c.data) && strings.IndexByte(".eE", c.data[c.at]) >= 0
	if length == 0 || length > 18 || padded || fraction {
		c.GiveUp()
		return 0
	}
	return n
}

// Time reads a time as time.Time's UnmarshalJSON does.
func (c *Cursor) Time() (t time.Time) {
	text, simple := c.span()
	if !simple || t.UnmarshalText(text) != nil {
		c.GiveUp()
		return time.Time{}
	}
	return t
}

// Raw reads any value. The bytes are part of the input, with the spaces in it.
func (c *Cursor) Raw() []byte {
	c.Peek()
	from := c.at
	c.skip(maxDepth)
	if c.failed {
		return nil
	}
	return c.data[from:c.at]
}

func (c *Cursor) skip(depth int) {
	switch b := c.Peek(); {
	case depth == 0:
		c.GiveUp()
	case b == '{':
		for c.Open('{'); c.Next('}'); c.skip(depth - 1) {
			c.Name()
		}
	case b == '[':
		for c.Open('['); c.Next(']'); {
			c.skip(depth - 1)
		}
	case b == '"':
		c.skipString()
	case b == 'n':
		c.Null()
	case b == 't' || b == 'f':
		c.Bool()
	default:
		c.number()
	}
}

// number skips a number.
func (c *Cursor) number() {
	from := c.at
	for c.at < len(c.data) && strings.IndexByte("0123456789+-.eE", c.data[c.at]) >= 0 {
		c.at++
	}
	if !json.Valid(c.data[from:c.at]) {
		c.GiveUp()
	}
}
