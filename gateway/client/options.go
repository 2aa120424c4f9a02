package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// Options of a Client. URL or URLs, and Board, must be set; zero values are the defaults named.
type Options struct {
	URL   string // of the server: http, https, ws or wss
	Board string
	// URLs, instead of URL, are of the nodes of a cluster, any of which serves
	// the board. They are tried in an order of the Client's own, the first at
	// random; after a failure, or when a node is to stop, the next one is.
	URLs []string

	// User names you in open mode; with auth on the token does.
	User string
	// Token gives the bearer token and is asked before every dial; nil sends none.
	Token func(context.Context) (string, error)

	// Part is PartOpen for the board without archived columns and cards, what
	// hangs on them, and comments, which [Client.LoadCard] and
	// [Client.LoadArchive] fetch. Default all of it.
	Part string

	// RollbackOnSilence takes a change back as soon as its verdict is overdue
	// instead of marking it unconfirmed (law 5).
	RollbackOnSilence bool
	// TTL of a mutation from its first sending, 1 s to 60 s. Default 4 s.
	TTL time.Duration

	// MinBackoff and MaxBackoff bound the pause before a reconnect; it doubles
	// whenever every URL has failed once more and is drawn from its upper half.
	// Default 250 ms and 10 s.
	MinBackoff, MaxBackoff time.Duration
	// Quiet is after how long without a frame one way a ping is sent. Default 5 s.
	Quiet time.Duration
	// PongTimeout is for how long a ping may stay without any frame. Default 3 s.
	PongTimeout time.Duration

	// Dialer opens connections. Default [WebSocket].
	Dialer Dialer
	// Trace sees every frame and connection, one call at a time and in order.
	// It must return soon and not call the Client.
	Trace func(Trace)
	// NewID mints mutation and entity ids from the server's time. Default ULIDs.
	NewID func(serverNow time.Time) string
	// Jitter draws from [0,1). Default the global random source.
	Jitter func() float64
	// Logger hears of failures. Default none.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if (o.URL == "") == (len(o.URLs) == 0) || o.Board == "" {
		return o, errors.New("client: Board and either URL or URLs must be set")
	}
	if o.Part != "" && o.Part != PartOpen {
		return o, fmt.Errorf("client: Part is %q, not open", o.Part)
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.TTL, wire.DefaultTTLMs*time.Millisecond)
	def(&o.MinBackoff, 250*time.Millisecond)
	def(&o.MaxBackoff, 10*time.Second)
	def(&o.Quiet, 5*time.Second)
	def(&o.PongTimeout, 3*time.Second)
	if o.TTL < wire.MinTTLMs*time.Millisecond || o.TTL > wire.MaxTTLMs*time.Millisecond {
		return o, errors.New("client: TTL must be 1 s to 60 s")
	}
	if o.Dialer == nil {
		o.Dialer = WebSocket{}
	}
	if o.Trace == nil {
		o.Trace = func(Trace) {}
	}
	if o.NewID == nil {
		o.NewID = newULID
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// shuffled are the servers in the order in which they are tried.
func (o Options) shuffled() []string {
	if o.URL != "" {
		return []string{o.URL}
	}
	list := slices.Clone(o.URLs)
	for i := len(list) - 1; i > 0; i-- {
		j := int(o.Jitter() * float64(i+1))
		list[i], list[j] = list[j], list[i]
	}
	return list
}

// TraceKind is what a [Trace] tells.
type TraceKind string

// The kinds of trace.
const (
	TraceOpened   TraceKind = "opened"
	TraceSent     TraceKind = "sent" // handed to the connection; it may be lost there
	TraceReceived TraceKind = "received"
	TraceClosed   TraceKind = "closed"
)

// Trace is one thing that happened on a connection.
type Trace struct {
	Kind  TraceKind
	Link  int    // counts connections from 1
	Frame []byte // sent or received; must not be changed
	Err   error  // why it closed
}

// State is how the Client stands to the server.
type State string

// The states.
const (
	Connecting State = "connecting" // dialling, or waiting for the next attempt
	Joining    State = "joining"    // connected, not ready yet
	Live       State = "live"
	Stopped    State = "stopped" // closed, or refused for good: see [Client.Err]
)

// Status is how a mutation stands.
type Status string

// The statuses.
const (
	StatusPending     Status = "pending"
	StatusUnconfirmed Status = "unconfirmed" // the verdict is overdue and asked for
	StatusAcked       Status = "acked"
	StatusRejected    Status = "rejected"
)

// Silence is the code of a rollback without a verdict (RollbackOnSilence); it
// is never on the wire.
const Silence domain.Code = "silence"

// ErrClosed is returned for what was still without an answer at [Client.Close].
// A pending mutation may or may not take effect.
var ErrClosed = errors.New("client: closed")
