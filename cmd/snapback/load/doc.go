// Package load puts load on a board server and measures what its clients see.
//
// A [Target] is a server under load, a [Dialect] how it is spoken to; the
// measurements (Moves, Steady, Fanout, ...) know neither. One Go process must
// play thousands of clients on one core, and what it spends there is not the
// server's: so a client here is one goroutine on a [Socket] that reads many
// frames per system call, and looks at a frame no longer than it takes to tell
// what it is. Every result carries the CPU share of its own generator; one
// above [MaxLoad] is not to be quoted.
package load
