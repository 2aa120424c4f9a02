package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/snapback-io/snapback/cmd/snapback/load"
)

// shareDBDialect speaks ShareDB's JSON protocol 1.2. A board is a collection, a
// card a json0 document, and a move an op on two of its fields:
//
//	{"a":"op","c":"b","d":"card-1","v":3,"seq":7,"op":[{"p":["columnId"],"od":"c0","oi":"c1"},...]}
//
// Who sent an op is not sent it back: the acknowledgement, which has no op,
// stands for it. A board has no number of its own, so the changes are counted
// here: a board's rev is the sum of its documents' versions.
type shareDBDialect struct {
	board  string
	opHead []byte // what an op of another client begins with

	mu       sync.Mutex        // one goroutine may send while another reads
	versions map[uint64]uint64 // of each card: the version to come
	rev      uint64
}

func speakShareDB(board string) dialect {
	return &shareDBDialect{
		board:    board,
		opHead:   fmt.Appendf(nil, `{"a":"op","c":%q,"d":"card-`, board),
		versions: map[uint64]uint64{},
	}
}

func (d *shareDBDialect) url(addr string) string { return "ws://" + addr }

// join shakes hands, asks which documents there are and subscribes to them all
// from the versions it was told.
func (d *shareDBDialect) join(s *load.Socket) error {
	send := func(format string, args ...any) error {
		s.Append(fmt.Appendf(nil, format, args...))
		return s.Flush()
	}
	if err := send(`{"a":"hs","id":null,"protocol":1,"protocolMinor":2}`); err != nil {
		return err
	}
	return await(s, func(message []byte) (bool, error) {
		var m struct {
			A     string
			Data  json.RawMessage
			Error json.RawMessage
		}
		if err := json.Unmarshal(message, &m); err != nil {
			return false, err
		}
		switch {
		case m.Error != nil:
			return false, fmt.Errorf("%s", m.Error)
		case m.A == "hs":
			return false, send(`{"a":"qf","id":1,"c":%q,"q":{}}`, d.board)
		case m.A == "qf":
			versions, err := d.found(m.Data)
			if err != nil {
				return false, err
			}
			return false, send(`{"a":"bs","c":%q,"b":%s}`, d.board, versions)
		case m.A == "op":
			d.Read(message, nil)
		}
		return m.A == "bs", nil
	})
}

// found notes the documents of a query's answer and gives their versions by id.
func (d *shareDBDialect) found(data json.RawMessage) ([]byte, error) {
	var docs []struct {
		D string
		V uint64
	}
	if err := json.Unmarshal(data, &docs); err != nil {
		return nil, err
	}
	byID := map[string]uint64{}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, doc := range docs {
		byID[doc.D] = doc.V
		card, _ := leadingUint(bytes.TrimPrefix([]byte(doc.D), []byte("card-")))
		d.versions[card] = doc.V
		d.rev += doc.V
	}
	return json.Marshal(byID)
}

// head appends the beginning of a message about a card. An error comes back as
// the message itself with an error, so it begins as no other message does.
func (d *shareDBDialect) head(dst []byte, n uint64, card int) []byte {
	dst = appendUint(dst, `{"seq":`, n)
	dst = append(append(append(dst, `,"a":"op","c":"`...), d.board...), '"')
	dst = appendInt(dst, `,"d":"card-`, card)
	d.mu.Lock()
	defer d.mu.Unlock()
	return appendUint(dst, `","v":`, d.versions[uint64(card)])
}

func (d *shareDBDialect) create(dst []byte, n uint64, card int) []byte {
	dst = append(d.head(dst, n, card), `,"create":{"type":"http://sharejs.org/types/JSONv0","data":`...)
	return append(appendCard(dst, card, 0), "}}"...)
}

func (d *shareDBDialect) Move(dst []byte, n uint64, card, column int) []byte {
	dst = appendInt(d.head(dst, n, card), `,"op":[{"p":["columnId"],"od":"c`, 1-column)
	dst = appendInt(dst, `","oi":"c`, column)
	dst = appendInt(dst, `"},{"p":["position"],"od":"`, position(card))
	dst = appendInt(dst, `","oi":"`, position(card))
	return append(dst, `"}]}`...)
}

func (d *shareDBDialect) Read(message, reply []byte) (load.Event, []byte) {
	if rest, ok := bytes.CutPrefix(message, d.opHead); ok { // 1","v":3,...
		card, rest := leadingUint(rest)
		v, _ := leadingUint(bytes.TrimPrefix(rest, []byte(`","v":`)))
		if rev, first := d.count(card, v); first {
			return load.Event{Kind: load.Sync, Rev: rev}, reply
		}
		return load.Event{}, reply
	}
	if bytes.HasPrefix(message, []byte(`{"src":`)) { // {"src":"..","seq":7,"v":3,"a":"op","c":"b","d":"card-1"}
		rev, _ := d.count(number(message, `"d":"card-`), number(message, `"v":`))
		return load.Event{Kind: load.Ack, N: number(message, `"seq":`), Rev: rev}, reply
	}
	if rest, ok := bytes.CutPrefix(message, []byte(`{"seq":`)); ok {
		n, _ := leadingUint(rest)
		return load.Event{Kind: load.Nack, N: n}, reply
	}
	return load.Event{}, reply
}

// count notes version v of a card and gives the board's rev with it. An op may
// come twice: subscribed, and with the acknowledgement of one that it was
// transformed against.
func (d *shareDBDialect) count(card, v uint64) (rev uint64, first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := d.versions[card]
	if v < next {
		return d.rev, false
	}
	d.rev += v + 1 - next
	d.versions[card] = v + 1
	return d.rev, true
}

// number is the number after name.
func number(message []byte, name string) uint64 {
	_, rest, _ := bytes.Cut(message, []byte(name))
	n, _ := leadingUint(rest)
	return n
}
