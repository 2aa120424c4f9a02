// Package client speaks protocol version 1 to a Snapback server.
//
// [Store] is the pure half: what is confirmed, which mutations are pending,
// and the view derived from both. It has no clock, does no IO and starts no
// goroutine; what follows from an input is its return value. [Client] is the
// half that moves: it dials, resumes, resends, asks and reconnects, and keeps
// one Store.
//
// A change shows at once and is taken back alone when the server refuses it:
// the view is confirmed + pending replayed in the order made (PROTOCOL.md,
// law 10), so dropping one mutation never disturbs another.
package client
