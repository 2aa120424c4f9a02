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
