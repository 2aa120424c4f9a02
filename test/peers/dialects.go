package main

import (
	"bytes"
	"fmt"

	"github.com/snapback-io/snapback/cmd/snapback/load"
)

// hubDialect speaks to hub (./hub).
type hubDialect struct{ board string }

func speakHub(board string) dialect { return hubDialect{board} }

func (d hubDialect) url(addr string) string { return "ws://" + addr + "/" + d.board }

func (d hubDialect) join(s *load.Socket) error {
	return await(s, func(message []byte) (bool, error) {
		return bytes.HasPrefix(message, []byte(`{"type":"ready"`)), nil
	})
}

func (d hubDialect) create(dst []byte, n uint64, card int) []byte { return d.Move(dst, n, card, 0) }

func (hubDialect) Move(dst []byte, n uint64, card, column int) []byte {
	dst = appendUint(dst, `{"type":"mutate","id":"`, n)
	dst = appendCard(append(dst, `","entity":`...), card, column)
	return append(dst, '}')
}

func (hubDialect) Read(message, reply []byte) (load.Event, []byte) {
	if rest, ok := bytes.CutPrefix(message, []byte(`{"type":"sync","rev":`)); ok {
		rev, _ := leadingUint(rest)
		return load.Event{Kind: load.Sync, Rev: rev}, reply
	}
	if rest, ok := bytes.CutPrefix(message, []byte(`{"type":"ack","id":"`)); ok {
		n, rest := leadingUint(rest)
		rev, _ := leadingUint(bytes.TrimPrefix(rest, []byte(`","rev":`)))
		return load.Event{Kind: load.Ack, N: n, Rev: rev}, reply
	}
	return load.Event{}, reply
}

// socketIODialect speaks to socketio/server.js: the Socket.IO protocol 5 on
// the Engine.IO protocol 4, WebSocket from the start.
//
//	40{"board":"b"}                join, answered with 40 and the board's cards
//	427["mutate",{card}]           event with acknowledgement 7
//	42["sync",{"rev":3,"entity":{card}}]
//	437[{"rev":3}]                 acknowledgement 7
//	2, 3                           heartbeat and its answer
type socketIODialect struct{ board string }

func speakSocketIO(board string) dialect { return socketIODialect{board} }

func (d socketIODialect) url(addr string) string {
	return "ws://" + addr + "/socket.io/?EIO=4&transport=websocket"
}

func (d socketIODialect) join(s *load.Socket) error {
	return await(s, func(message []byte) (bool, error) {
		switch {
		case bytes.HasPrefix(message, []byte("0")):
			s.Append(fmt.Appendf(nil, `40{"board":%q}`, d.board))
			return false, s.Flush()
		case bytes.HasPrefix(message, []byte("44")):
			return false, fmt.Errorf("%s", message)
		}
		return bytes.HasPrefix(message, []byte(`42["board"`)), nil
	})
}

func (d socketIODialect) create(dst []byte, n uint64, card int) []byte {
	return d.Move(dst, n, card, 0)
}

func (socketIODialect) Move(dst []byte, n uint64, card, column int) []byte {
	dst = appendUint(dst, "42", n)
	dst = appendCard(append(dst, `["mutate",`...), card, column)
	return append(dst, ']')
}

func (socketIODialect) Read(message, reply []byte) (load.Event, []byte) {
	if rest, ok := bytes.CutPrefix(message, []byte(`42["sync",{"rev":`)); ok {
		rev, _ := leadingUint(rest)
		return load.Event{Kind: load.Sync, Rev: rev}, reply
	}
	if rest, ok := bytes.CutPrefix(message, []byte("43")); ok {
		n, rest := leadingUint(rest)
		rest, ok := bytes.CutPrefix(rest, []byte(`[{"rev":`))
		if !ok {
			return load.Event{Kind: load.Nack, N: n}, reply
		}
		rev, _ := leadingUint(rest)
		return load.Event{Kind: load.Ack, N: n, Rev: rev}, reply
	}
	if string(message) == "2" {
		reply = append(reply, '3')
	}
	return load.Event{}, reply
}
