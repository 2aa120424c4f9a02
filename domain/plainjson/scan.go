package plainjson

import (
	"encoding/binary"
	"math/bits"
)

// Eight bytes of a string are looked at in one go. In the words below a byte's
// top bit is set where the byte ends a run of characters that stand for
// themselves; a borrow may set more of them, but only behind the first.

const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// ends marks quotes, backslashes, control characters and what is not ASCII.
func ends(x uint64) uint64 {
	return (x | (x - ' '*ones) | zero(x^'"'*ones) | zero(x^'\\'*ones)) & tops
}

// markup marks <, > and &; '<'|2 is '>'.
func markup(x uint64) uint64 {
	return (zero((x|2*ones)^'>'*ones) | zero(x^'&'*ones)) & tops
}

// zero marks the bytes that are 0.
func zero(x uint64) uint64 { return x - ones }

// run is how far data goes, from at, without any of what [ends] marks.
func run(data []byte, at int) int {
	for ; at+8 <= len(data); at += 8 {
		if m := ends(binary.LittleEndian.Uint64(data[at:])); m != 0 {
			return at + bits.TrailingZeros64(m)/8
		}
	}
	for at < len(data) && verbatim[0][data[at]] {
		at++
	}
	return at
}

// runString is run for a string to be written.
func runString(s string, at int, esc Escape) int {
	for ; at+8 <= len(s); at += 8 {
		b := s[at : at+8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		m := ends(x)
		if esc {
			m |= markup(x)
		}
		if m != 0 {
			return at + bits.TrailingZeros64(m)/8
		}
	}
	ok := &verbatim[0]
	if esc {
		ok = &verbatim[1]
	}
	for at < len(s) && ok[s[at]] {
		at++
	}
	return at
}
