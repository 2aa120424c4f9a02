package domain

import (
	"strings"
	"time"
)

// MaxTTL is how far a mutation's deadline may lie ahead of its receipt. It is
// judged here and logged, because a gateway that refused it by its own clock
// could not answer the same frame alike a minute later.
const MaxTTL = 60 * time.Second

// MaxIDLead is how far a ULID's time may lie ahead of its receipt.
const MaxIDLead = 60 * time.Second

// IDTime gives the time a ULID carries; ok is false when id is none. Case does
// not matter.
func IDTime(id string) (at time.Time, ok bool) {
	if len(id) != 26 || id[0] > '7' {
		return time.Time{}, false
	}
	const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var ms int64
	for i := range len(id) {
		c := id[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		digit := strings.IndexByte(crockford, c)
		if digit < 0 {
			return time.Time{}, false
		}
		if i < 10 {
			ms = ms<<5 | int64(digit)
		}
	}
	return time.UnixMilli(ms).UTC(), true
}

// searchLead is how far before the time in its id the log is searched for a
// mutation (DESIGN.md "Identity"): more than the clocks of nodes may differ.
const searchLead = 5 * time.Minute

// DecidedWindow is where in the log a mutation with this id, sent now, may have
// been decided, as far as law 3 promises to know: a search begins at from, and
// is needed only if [Board.DecidedSince] is later than since.
func DecidedWindow(id string, now time.Time) (from, since time.Time) {
	if t, ok := IDTime(id); ok && !t.After(now.Add(MaxIDLead)) {
		return t.Add(-searchLead), t.Add(-MaxIDLead)
	}
	opaque := now.Add(-DecidedFor)
	return opaque, opaque
}

// ValidMutationID says whether id is 1 to 64 of A-Z a-z 0-9 _ -.
func ValidMutationID(id string) bool { return validID(id) && !strings.Contains(id, ":") }

// ValidID says whether id may name an entity other than a member, or a board:
// 1 to 64 of A-Z a-z 0-9 _ - : .
func ValidID(id string) bool { return validID(id) && !strings.HasPrefix(id, MemberPrefix) }

func validID(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '-', c == ':':
		default:
			return false
		}
	}
	return true
}
