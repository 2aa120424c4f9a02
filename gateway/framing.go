package gateway

import (
	"encoding/binary"

	"github.com/gorilla/websocket"
)

// What is sent to clients is made ready once, as whole WebSocket frames (a
// server masks nothing), and then written as it is to however many connections.

// frameRoom is the length of the header of a frame of 126 to 65535 bytes, as
// most are.
const frameRoom = 4

// openFrame begins a frame at the end of dst: append its payload, then call
// closeFrame with what len(dst) was before.
func openFrame(dst []byte) []byte { return append(dst, make([]byte, frameRoom)...) }

// closeFrame writes the header of the frame begun at start.
func closeFrame(dst []byte, start, opcode int) []byte {
	payload := dst[start+frameRoom:]
	var header [10]byte
	header[0] = 1<<7 | byte(opcode) // whole, not fragmented
	length := 2
	switch n := len(payload); {
	case n < 126:
		header[1] = byte(n)
	case n < 1<<16:
		header[1] = 126
		binary.BigEndian.PutUint16(header[2:], uint16(n))
		length = 4
	default:
		header[1] = 127
		binary.BigEndian.PutUint64(header[2:], uint64(n))
		length = 10
	}
	n := len(payload)
	if length > frameRoom {
		dst = append(dst, header[frameRoom:length]...)
	}
	copy(dst[start+length:], dst[start+frameRoom:start+frameRoom+n])
	copy(dst[start:], header[:length])
	return dst[:start+length+n]
}

// makeFrame is one frame by itself.
func makeFrame(opcode int, payload []byte) []byte {
	dst := make([]byte, frameRoom, frameRoom+len(payload)+10)
	return closeFrame(append(dst, payload...), 0, opcode)
}

func textFrame(payload []byte) []byte { return makeFrame(websocket.TextMessage, payload) }
