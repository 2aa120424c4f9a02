// Package plainjson writes and reads JSON without reflection, for the frames
// and records of which there are many.
//
// The append functions write byte for byte what encoding/json writes.
package plainjson
