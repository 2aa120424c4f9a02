// Package proof makes the log tamper-evident. The records of a shard are the
// leaves of a Merkle tree (RFC 6962, golang.org/x/mod/sumdb/tlog), whose root a
// checkpoint signs; a signed head says how far one board had come. Everything
// here is pure: whoever has the records, or only their entries, can make and
// check the same proofs without a server.
package proof

import (
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
)

// Leaf is what the tree of a shard says of one record. The one of the record
// at stream sequence n has index n-1: a stream of the log has no gaps.
type Leaf struct {
	Board string
	Seq   uint64
	Time  time.Time   // when it was stored, which says whether it is void
	Hash  domain.Hash // of the stored bytes, which name the hash before it
}

// leafTime is RFC 3339 in UTC with all nine digits.
const leafTime = "2006-01-02T15:04:05.000000000Z"

// Bytes is the leaf as it goes into the tree, four lines behind a name:
//
//	snapback record v1
//	demo
//	17
//	2026-03-01T10:04:12.031000000Z
//	9f2c…
func (l *Leaf) Bytes() []byte {
	return fmt.Appendf(nil, "snapback record v1\n%s\n%d\n%s\n%s\n", l.Board, l.Seq, l.Time.UTC().Format(leafTime), l.Hash)
}

// TreeHash is the leaf's hash in the tree: SHA-256 of a zero byte and Bytes.
func (l *Leaf) TreeHash() tlog.Hash { return tlog.RecordHash(l.Bytes()) }
