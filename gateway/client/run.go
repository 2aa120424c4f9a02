package client

import (
	"context"
	"errors"
	"time"

	"github.com/snapback-io/snapback/gateway/wire"
)

// run keeps a connection until the Client is closed or refused for good.
//
//	dial -> serve (link: reader and writer goroutines) -> pause -> dial the next server ...
//
// A server that said goaway is left at its time, and the next dialled at once.
func (c *Client) run(ctx context.Context) {
	failures, hurried := 0, false
	for at := 0; ; at++ {
		c.setState(Connecting)
		dialled := time.Now()
		was, err := c.connect(ctx, c.servers[at%len(c.servers)], failures)
		if ctx.Err() != nil {
			err = ErrClosed
		}
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
		if errors.Is(err, ErrClosed) || final(err) {
			break
		}
		c.opts.Logger.Info("connection lost", "board", c.opts.Board, "error", err)
		if was != nil && was.ready {
			failures = 0
		}
		pause := c.backoff(failures / len(c.servers))
		sentOn := was != nil && was.ready && !was.leaveAt.IsZero()
		soon := sentOn && was.leaveAt.Sub(dialled) < soonSentOn
		if sentOn && !(soon && hurried) {
			pause = min(time.Until(was.leaveAt), longestRest)
		} else {
			failures++
		}
		hurried = soon
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	c.setState(Stopped)
	c.listeners.close()
	close(c.stopped)
}

const (
	// soonSentOn is how soon after its dial a goaway may send a client on, twice in
	// a row, and not count as a failure.
	soonSentOn = time.Second
	// longestRest is how much of the time that a goaway gave is waited for when the
	// server has closed before.
	longestRest = 5 * time.Second
)

func final(err error) bool {
	var f interface{ Final() bool }
	return errors.As(err, &f) && f.Final()
}

// backoff doubles with every failure and is drawn from its upper half.
func (c *Client) backoff(failures int) time.Duration {
	d := c.opts.MinBackoff << min(failures, 20)
	if d > c.opts.MaxBackoff || d <= 0 {
		d = c.opts.MaxBackoff
	}
	return d/2 + time.Duration(c.opts.Jitter()*float64(d/2))
}

func (c *Client) setState(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == s {
		return
	}
	c.state = s
	c.tell(func() { each(&c.listeners, c.listeners.onState, everybody, func(fn func(State)) { fn(s) }) })
}

// dialTimeout is for how long one attempt may take, token included;
// firstDialTimeout while there are other servers that have not been tried.
const (
	dialTimeout      = 15 * time.Second
	firstDialTimeout = 4 * time.Second
)

// connect serves one connection to its end and says why it ended.
func (c *Client) connect(ctx context.Context, server string, failures int) (*link, error) {
	c.mu.Lock()
	epoch, rev, known := c.store.Resume()
	c.mu.Unlock()
	url, err := socketURL(c.opts, server, epoch, rev, known)
	if err != nil {
		return nil, err
	}
	patience := dialTimeout
	if failures < len(c.servers)-1 {
		patience = firstDialTimeout
	}
	dialling, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	token := ""
	if c.opts.Token != nil {
		if token, err = c.opts.Token(dialling); err != nil {
			return nil, err
		}
	}
	t, err := c.opts.Dialer.Dial(dialling, url, token)
	if err != nil {
		return nil, err
	}
	c.links++
	c.opts.Trace(Trace{Kind: TraceOpened, Link: c.links})
	l := newLink(c, t, c.links)
	err = l.serve(ctx)
	c.opts.Trace(Trace{Kind: TraceClosed, Link: l.number, Err: err})
	return l, err
}

// attach makes l the connection that mutations are sent on.
func (c *Client) attach(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = l
}

// detach forgets what was sent on l and has no verdict: it is sent again on
// the next connection.
func (c *Client) detach() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.link.loads {
		c.link.answer(id, loadAnswer{err: ErrNotLive})
	}
	c.link = nil
	c.store.Disconnected()
	for _, m := range c.mutations {
		m.link, m.owed = nil, 0
	}
	c.setPeers(map[string]Peer{})
}

// Authenticate sends a fresh token on the live connection; without one it does
// nothing, as the next dial asks Options.Token anyway.
func (c *Client) Authenticate(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		c.link.send(wire.Auth{Type: wire.TypeAuth, Token: token})
	}
}
