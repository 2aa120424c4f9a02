package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/snapback-io/snapback/cmd/snapback/load"
)

// dialect is a peer's protocol on one connection.
type dialect interface {
	load.Dialect
	// url is where a client of the board connects.
	url(addr string) string
	// join opens the session and returns when the client will hear every change.
	join(s *load.Socket) error
	// create appends to dst the message that makes a card in the first column;
	// n comes back in its verdict, as with Move.
	create(dst []byte, n uint64, card int) []byte
}

// target is a peer that runs at addr.
type target struct {
	addr  string
	speak func(board string) dialect
}

// answerWithin is how long making a board, and joining one, may take: with a
// thousand viewers some servers are busy for long.
const answerWithin = time.Minute

// Make is of [load.Target].
func (t target) Make(ctx context.Context, board string, cards int) error {
	c, err := t.open(ctx, board)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, c.Close)()
	c.SetDeadline(time.Now().Add(answerWithin))
	d := c.Dialect.(dialect)
	for i := range cards {
		c.Append(d.create(nil, uint64(i+1), i))
	}
	if err := c.Flush(); err != nil {
		return err
	}
	for made := 0; made < cards; {
		err := c.Receive(func(e load.Event) error {
			switch e.Kind {
			case load.Ack:
				made++
			case load.Nack:
				return fmt.Errorf("board %s: a card was refused", board)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Open is of [load.Target].
func (t target) Open(ctx context.Context, board string, _ int) (*load.Client, error) {
	return t.open(ctx, board)
}

func (t target) open(ctx context.Context, board string) (*load.Client, error) {
	d := t.speak(board)
	s, err := load.Dial(ctx, d.url(t.addr), nil)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, s.Close)
	s.SetDeadline(time.Now().Add(answerWithin))
	err = d.join(s)
	s.SetDeadline(time.Time{})
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("join %s: %w", board, err)
	}
	return load.NewClient(s, d), nil
}

// await reads messages until fn says done.
func await(s *load.Socket, fn func(message []byte) (done bool, err error)) error {
	for done := false; !done; {
		err := s.Frames(func(message []byte) (err error) {
			if !done {
				done, err = fn(message)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// appendCard appends a card as every peer keeps and broadcasts it: about as
// long as what a sync of Snapback holds of a small card.
func appendCard(dst []byte, card, column int) []byte {
	dst = appendInt(dst, `{"id":"card-`, card)
	dst = appendInt(dst, `","kind":"card","columnId":"c`, column)
	dst = appendInt(dst, `","position":"`, position(card))
	dst = appendInt(dst, `","title":"Card `, card)
	return append(dst, `","createdAt":"2026-01-02T03:04:05.678Z","createdBy":"u0","updatedAt":"2026-01-02T03:04:05.678Z","updatedBy":"u0"}`...)
}

// position is where a card stands in its column.
func position(card int) int { return 100_000 + card }

func appendInt(dst []byte, before string, n int) []byte {
	return strconv.AppendInt(append(dst, before...), int64(n), 10)
}

func appendUint(dst []byte, before string, n uint64) []byte {
	return strconv.AppendUint(append(dst, before...), n, 10)
}

// leadingUint is the number that b begins with, and what follows it.
func leadingUint(b []byte) (n uint64, rest []byte) {
	i := 0
	for ; i < len(b) && '0' <= b[i] && b[i] <= '9'; i++ {
		n = 10*n + uint64(b[i]-'0')
	}
	return n, b[i:]
}
