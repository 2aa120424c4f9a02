package domain

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
)

// StateHash is the SHA-256 of the board as text: a name, the board's id, its
// rev, and a line for each entity in the order of ids (compared as bytes), as
// [Entity.MarshalJSON] writes it.
//
//	snapback state v1
//	demo
//	46
//	{"id":"card-1","kind":"card","rev":46,…}
//
// Equal boards have equal hashes however they were made: folded, loaded from a
// snapshot, or kept by a view. It sorts and encodes all there is, so it is for
// audits and not for every record. Where the log stands (sequence, hash of the
// last record) is no part of it, nor what was deleted.
func (b *Board) StateHash() Hash {
	h := sha256.New()
	fmt.Fprintf(h, "snapback state v1\n%s\n%d\n", b.id, b.rev)
	var line []byte
	for _, id := range slices.Sorted(maps.Keys(b.entities)) {
		e := b.entities[id]
		text, err := e.AppendJSON(line[:0], e.Fields)
		if err != nil { // cannot happen: every value came from JSON
			text = fmt.Appendf(line[:0], "%q: %v", id, err)
		}
		line = append(text, '\n')
		h.Write(line)
	}
	return Hash(h.Sum(nil))
}
