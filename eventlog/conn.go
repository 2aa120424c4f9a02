package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// InProcess is a server in this process (natsd.Server). If it also has a
// method Sync() string, that tells when appends are on disk (see [Info]); if it
// has a method Interest(subject string) int, that tells how many subscriptions
// match, those known of other servers included, and nothing is sent to nobody;
// if it has a method Full() error, that tells when its disk is full (see [Log.Full]).
type InProcess interface {
	nats.InProcessConnProvider
}

const (
	askTimeout      = 2 * time.Second // of one try of a request
	defaultPatience = 15 * time.Second
	firstPause      = 5 * time.Millisecond
	longestPause    = 500 * time.Millisecond
)

// link is the life of one connection to a server: it ends when that is lost.
type link struct {
	ctx context.Context
	cut context.CancelFunc
}

func newLink() *link {
	ctx, cut := context.WithCancel(context.Background())
	return &link{ctx, cut}
}

// connect opens the three connections. It tries until ctx ends, so that nodes
// and servers may start in any order.
func (l *Log) connect(ctx context.Context) error {
	access, err := l.cfg.Access.options()
	if err != nil {
		return err
	}
	l.link.Store(newLink())
	for _, c := range []struct {
		name string
		conn **nats.Conn
		more []nats.Option
	}{
		{"write", &l.write, []nats.Option{nats.DisconnectErrHandler(l.cutLink), nats.ClosedHandler(func(nc *nats.Conn) { l.cutLink(nc, nil) })}},
		{"live", &l.live, []nats.Option{nats.NoEcho()}},
		{"bulk", &l.bulk, nil},
	} {
		err := retry(ctx, 0, func(context.Context) (err error) {
			*c.conn, err = nats.Connect(l.cfg.URL, slices.Concat(l.options(c.name), access, c.more)...)
			if errors.Is(err, nats.ErrAuthorization) {
				err = fmt.Errorf("%w: %w", ErrRefused, err)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("eventlog: connect: %w", err)
		}
	}
	if err := l.asks.listen(l.write); err != nil {
		return fmt.Errorf("eventlog: connect: %w", err)
	}
	l.js, err = jetstream.New(l.bulk)
	return err
}

func (l *Log) options(name string) []nats.Option {
	options := []nats.Option{
		nats.Name(l.cfg.Name + " " + name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		nats.ReconnectBufSize(-1), // what is asked while disconnected fails at once and is never sent later
		nats.PingInterval(10 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			l.log.Warn("nats", "connection", name, "subject", subject, "error", err)
		}),
	}
	if l.cfg.InProcess != nil {
		options = append(options, nats.InProcessServer(l.cfg.InProcess))
	}
	return options
}

// cutLink tells everybody that no answer to what was sent before will come.
func (l *Log) cutLink(*nats.Conn, error) {
	l.link.Swap(newLink()).cut()
	l.asks.cut()
}

// apiError is the error of a JetStream answer, matched by its err_code.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

func (e *apiError) Error() string { return fmt.Sprintf("nats %d: %s", e.ErrCode, e.Description) }

// The err_codes of nats-server that mean something here.
const (
	codeNoMessage         = 10037
	codeStreamNotFound    = 10059
	codeConsumerNotFound  = 10014
	codeNameInUse         = 10058
	codeWrongSequence     = 10071 // the board's last sequence is another
	codeSequenceInProcess = 10164 // R3: an append to the subject is under way
	codeMessageInProcess  = 10158 // R3: this very message is under way
	codeMessageTooLarge   = 10054
	codeStoreFailed       = 10077
	codeNoResources       = 10023
	codeNoMemory          = 10028
	codeNoStorage         = 10047
	codeReplicasAlone     = 10074
	codeNoPeers           = 10005 // fewer servers are there than copies are asked for
	codeBadStream         = 10052
)

// errorCode is the err_code in err, 0 if there is none.
func errorCode(err error) int {
	var own *apiError
	if errors.As(err, &own) {
		return own.ErrCode
	}
	var theirs *jetstream.APIError
	if errors.As(err, &theirs) {
		return int(theirs.ErrorCode)
	}
	return 0
}

// answer is the part that every answer of the JetStream API has.
type answer struct {
	Error *apiError `json:"error"`
}

func (a *answer) failure() *apiError { return a.Error }

// api sends one request of the JetStream API and reads the answer into resp, a
// pointer to a struct with an embedded answer. It waits for askTimeout.
func (l *Log) api(ctx context.Context, subject string, req any, resp interface{ failure() *apiError }) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return l.apiWithin(ctx, subject, req, resp)
}

// apiWithin is api that waits until ctx ends.
func (l *Log) apiWithin(ctx context.Context, subject string, req any, resp interface{ failure() *apiError }) error {
	data, err := json.Marshal(req)
	if err != nil {
		return err
	}
	msg, err := l.bulk.RequestWithContext(ctx, "$JS.API."+subject, data)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(msg.Data, resp); err != nil {
		return err
	}
	if failed := resp.failure(); failed != nil {
		return failed
	}
	return nil
}

// retry calls do until it succeeds, fails for good ([permanent]), ctx ends, or
// nothing has come of it for the given patience (0: only ctx counts).
func retry(ctx context.Context, patience time.Duration, do func(context.Context) error) error {
	start := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := do(ctx)
		if err == nil || permanent(err) {
			return err
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		if patience > 0 && time.Since(start) > patience {
			return err
		}
		if sleep(ctx, pause) != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
}

// permanent says whether trying again is no use.
func permanent(err error) bool {
	for _, known := range []error{ErrNotFound, ErrUnreadable, ErrShards, ErrClosed, ErrTooLarge, ErrConflict, nats.ErrConnectionClosed, nats.ErrAuthorization, nats.ErrBadSubject} {
		if errors.Is(err, known) {
			return true
		}
	}
	switch errorCode(err) {
	case codeReplicasAlone, codeBadStream:
		return true
	}
	return false
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
