// Package wire holds the frames of protocol version 1, as PROTOCOL.md has
// them, and nothing that moves. Go server and clients use these types; the
// golden vectors in testdata are read by every implementation.
package wire

import "github.com/snapback-io/snapback/domain"

// Subprotocol is what client and server agree on; a bearer token may ride
// beside it in the client's offer as BearerPrefix + token.
const (
	Subprotocol  = "snapback.v1"
	BearerPrefix = "snapback.bearer."
)

// Codes that are answered by a gateway and never decided (append-only list;
// the decided ones are domain's).
const (
	RateLimited domain.Code = "rate_limited" // retryable; details: retryAfterMs
	Unavailable domain.Code = "unavailable"  // retryable; details: retryAfterMs
	Lab         domain.Code = "lab"          // final; rollback lab only
	Undecided   domain.Code = "undecided"    // HTTP only: no verdict yet, ask again under the same id
)

// Retryable says whether a nack with this code leaves the id free.
func Retryable(c domain.Code) bool { return c == RateLimited || c == Unavailable }

// Close codes of the socket. Below 4500 a client reconnects with backoff.
const (
	CloseRestart      = 1012
	CloseOverloaded   = 1013
	CloseTooBig       = 1009
	CloseTokenExpired = 4001
	CloseTooSlow      = 4002
	CloseNoPong       = 4004
	CloseAbuse        = 4005
	CloseBadToken     = 4500
	CloseProtocol     = 4501
	CloseNoMember     = 4502
	CloseVersion      = 4504
)

// Limits of protocol version 1.
const (
	FrameBytes     = 262_144
	InFlight       = 256
	AckTimeoutMs   = 5_000
	DefaultTTLMs   = 4_000
	MinTTLMs       = 1_000
	MaxTTLMs       = 60_000
	MaxChanges     = 100
	MaxPresence    = 1_024 // bytes of presence data
	PresencePerSec = 10
	MaxMutationID  = 64
)
