// Package plainjson writes and reads JSON without reflection, for the frames
// and records of which there are many.
//
// The append functions write byte for byte what encoding/json writes. The
// [Cursor] reads what such writers write and gives up on anything else, which
// encoding/json then decides: so what is read, and what is refused, is the same
// with and without it.
package plainjson
