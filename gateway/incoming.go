package gateway

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// What clients send is read here and not by a library: most connections say
// nothing most of the time, and one that rests has no buffer and little stack.

const (
	restBuffer = 64      // bytes of a connection that rests: room for a ping
	talkBuffer = 4 << 10 // of one that talks; what is longer gets its own
	maxControl = 125     // bytes of a control frame's payload
)

var talkBuffers = sync.Pool{New: func() any { return new([talkBuffer]byte) }}

// errBadFrame: what came is no WebSocket frame of a client, or not in its turn.
var errBadFrame = errors.New("gateway: bad WebSocket frame")

// incoming reads the frames of one client. It belongs to the session's reader.
type incoming struct {
	conn    net.Conn
	talk    *[talkBuffer]byte // nil: at rest
	at, end int               // what lies between them was received and not taken yet
	left    int               // bytes of the frame at hand that are still to come
	mask    [4]byte           // its key, rotated by what was taken
	opcode  uint8             // of the message whose fragments are coming; 0: none is
	deaf    bool              // messages are thrown away
	err     error             // what ended it
	message []byte            // fragments so far, or what is longer than talk
	rest    [restBuffer]byte
}

func (in *incoming) buffer() []byte {
	if in.talk != nil {
		return in.talk[:]
	}
	return in.rest[:]
}

// need reads until n bytes lie there, at most talkBuffer.
func (in *incoming) need(n int) error {
	for in.end-in.at < n {
		buf := in.buffer()
		if in.at+n > len(buf) || in.at == in.end {
			unread := buf[in.at:in.end]
			if n > len(buf) {
				in.talk = talkBuffers.Get().(*[talkBuffer]byte)
				buf = in.talk[:]
			}
			in.at, in.end = 0, copy(buf, unread)
		}
		k, err := in.conn.Read(buf[in.end:])
		in.end += k
		if err != nil && in.end-in.at < n {
			return err
		}
	}
	return nil
}

// settle gives the buffer back, if nothing lies in it.
func (in *incoming) settle() {
	if in.talk != nil && in.at == in.end {
		talkBuffers.Put(in.talk)
		in.talk, in.at, in.end = nil, 0, 0
	}
}

// next gives the next control frame or whole message; payload is valid until
// the call after. Errors: errBadFrame, websocket.ErrReadLimit, the connection's.
func (in *incoming) next() (opcode int, payload []byte, err error) {
	if in.opcode == 0 {
		in.message = nil
	}
	for {
		for in.left > 0 { // given up before its end
			if err := in.need(1); err != nil {
				return 0, nil, err
			}
			in.take(min(in.left, in.end-in.at))
		}
		opcode, final, err := in.head()
		switch {
		case err != nil:
			return 0, nil, err
		case opcode >= websocket.CloseMessage:
			err = in.need(in.left)
			return opcode, in.take(min(in.left, in.end-in.at)), err
		case in.deaf:
			continue
		case len(in.message)+in.left > readLimit:
			return 0, nil, websocket.ErrReadLimit
		case final && in.opcode == 0 && in.left <= talkBuffer:
			err = in.need(in.left)
			return opcode, in.take(min(in.left, in.end-in.at)), err
		}
		if in.opcode == 0 {
			in.opcode = uint8(opcode)
		}
		if err := in.collect(); err != nil {
			return 0, nil, err
		}
		if final {
			opcode, in.opcode = int(in.opcode), 0
			return opcode, in.message, nil
		}
	}
}

// head reads a frame's header.
func (in *incoming) head() (opcode int, final bool, err error) {
	if err := in.need(2); err != nil {
		return 0, false, err
	}
	head := in.buffer()[in.at:]
	final, opcode = head[0]&0x80 != 0, int(head[0]&0x0f)
	size, length := 6, uint64(head[1]&0x7f)
	switch length {
	case 126:
		size = 8
	case 127:
		size = 14
	}
	switch {
	case head[0]&0x70 != 0 || head[1]&0x80 == 0: // reserved; every frame of a client is masked
		return 0, false, errBadFrame
	case opcode >= websocket.CloseMessage && (opcode > websocket.PongMessage || !final || length > maxControl):
		return 0, false, errBadFrame
	case opcode > websocket.BinaryMessage && opcode < websocket.CloseMessage:
		return 0, false, errBadFrame
	case opcode < websocket.CloseMessage && (opcode == 0) != (in.opcode != 0) && !in.deaf:
		return 0, false, errBadFrame
	}
	if err := in.need(size); err != nil {
		return 0, false, err
	}
	head = in.buffer()[in.at : in.at+size]
	switch length {
	case 126:
		length = uint64(binary.BigEndian.Uint16(head[2:]))
	case 127:
		length = binary.BigEndian.Uint64(head[2:])
	}
	if length > 1<<40 {
		return 0, false, websocket.ErrReadLimit
	}
	copy(in.mask[:], head[size-4:])
	in.at, in.left = in.at+size, int(length)
	return opcode, final, nil
}

// take gives the next n bytes of the frame, which lie there.
func (in *incoming) take(n int) []byte {
	p := in.buffer()[in.at : in.at+n]
	in.unmask(p)
	in.at += n
	return p
}

// collect adds the frame to the message.
func (in *incoming) collect() error {
	for in.left > 0 {
		if in.at < in.end {
			in.message = append(in.message, in.take(min(in.left, in.end-in.at))...)
			continue
		}
		// Room as it comes, not as it is said to come.
		in.message = slices.Grow(in.message, min(in.left, max(talkBuffer, len(in.message))))
		have := len(in.message)
		k, err := in.conn.Read(in.message[have:min(cap(in.message), have+in.left)])
		in.message = in.message[:have+k]
		in.unmask(in.message[have:])
		if err != nil && in.left > 0 {
			return err
		}
	}
	return nil
}

// unmask turns the next bytes of the frame into what was sent.
func (in *incoming) unmask(p []byte) {
	in.left -= len(p)
	key := uint64(binary.LittleEndian.Uint32(in.mask[:]))
	key |= key << 32
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^key)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= in.mask[i&3]
	}
	if n := len(p) & 3; n != 0 {
		m := in.mask
		for i := range in.mask {
			in.mask[i] = m[(i+n)&3]
		}
	}
}

// closeError is what a close frame says.
func closeError(payload []byte) error {
	code := websocket.CloseNoStatusReceived
	if len(payload) > 1 {
		code = int(binary.BigEndian.Uint16(payload))
		if code < 1000 || code > 1003 && code < 1007 || code > 1013 && code < 3000 || code > 4999 || !utf8.Valid(payload[2:]) {
			return errBadFrame
		}
	}
	return &websocket.CloseError{Code: code}
}
