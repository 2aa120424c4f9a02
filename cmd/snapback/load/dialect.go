package load

import (
	"context"
)

// Target is a server under load: where it is and how it is spoken to.
type Target interface {
	// Make makes a board with cards 0 to cards-1 in its first column. It is
	// called for different boards at the same time.
	Make(ctx context.Context, board string, cards int) error
	// Open connects a client of the board and returns when it is live: it has
	// what the board holds and will hear every change. user is a small number.
	Open(ctx context.Context, board string, user int) (*Client, error)
}

// Dialect is the state of one connection's protocol. Move is called by one
// goroutine and Read by one, which may be another.
type Dialect interface {
	// Move appends to dst the message that moves a card between the board's
	// two columns (column is 0 or 1). n numbers the mutations of this client
	// from 1 and comes back in its verdict.
	Move(dst []byte, n uint64, card, column int) []byte
	// Read tells what a message is. It may append an answer that is due to
	// reply (a heartbeat's), a whole message, and returns it.
	Read(message []byte, reply []byte) (Event, []byte)
}

// Kind is what a message from the server is.
type Kind uint8

// The kinds of messages.
const (
	Other Kind = iota
	Sync       // somebody's change
	Ack        // this client's mutation is stored, as far as this server stores
	Nack       // it is not
)

// Event is one message from the server.
type Event struct {
	Kind Kind
	N    uint64 // Ack, Nack: which mutation of this client
	// Rev is the board's number of the change, rising by one with each. Sync,
	// and Ack where the server tells.
	Rev uint64
}

// Client is one connection of one user, past its join.
type Client struct {
	*Socket
	Dialect
	n       uint64 // mutations sent
	message []byte
	reply   []byte
}

// NewClient puts a dialect on a socket.
func NewClient(s *Socket, d Dialect) *Client { return &Client{Socket: s, Dialect: d} }

// Send appends the next move to what the socket's Flush writes, and gives its number.
func (c *Client) Send(card, column int) uint64 {
	c.n++
	c.message = c.Move(c.message[:0], c.n, card, column)
	c.Append(c.message)
	return c.n
}

// Receive waits for messages and calls fn with each that means something.
func (c *Client) Receive(fn func(Event) error) error {
	return c.Frames(func(payload []byte) error {
		event, reply := c.Read(payload, c.reply[:0])
		c.reply = reply
		if len(reply) > 0 {
			c.Append(reply)
			if err := c.Flush(); err != nil {
				return err
			}
		}
		if event.Kind == Other {
			return nil
		}
		return fn(event)
	})
}
