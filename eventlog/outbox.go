package eventlog

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// A message of a command queue holds commands of one shard, one a line: the
// time to live it had left when it was published, in milliseconds, if it is
// traced a comma and its traceparent, a space, and the command as JSON, which has
// no line breaks.

// batchBytes is when the next command begins another message.
const batchBytes = 256 << 10

// outbox hands the commands of one shard to its queue, in order. What comes
// before its goroutine gets its turn goes into one message: none waits for
// another, and the busier the process is, the more go together.
type outbox struct {
	log     *Log
	subject string
	unsure  atomic.Int32 // messages that were sent and are not acknowledged

	mu    sync.Mutex
	full  [][]byte // messages that are due
	open  []byte   // the one being filled
	spare []byte   // to be filled next
	busy  bool     // the goroutine is there
}

func (o *outbox) put(cmd *domain.Command, ttl time.Duration) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	start := len(o.open)
	line, err := appendCommand(o.open, cmd, ttl)
	switch {
	case err != nil:
		return fmt.Errorf("eventlog: command %s: %w", cmd.ID, err)
	case len(line)-start+headerSpace > int(o.log.write.MaxPayload()):
		return fmt.Errorf("%w: a command of %d bytes", ErrTooLarge, len(line)-start)
	case start > 0 && len(line) > batchBytes:
		o.full = append(o.full, line[:start:start])
		line = append([]byte(nil), line[start:]...)
	}
	o.open = line
	if !o.busy {
		o.busy = true
		go o.send()
	}
	return nil
}

func (o *outbox) send() {
	for {
		runtime.Gosched() // to whoever has more
		due, last := o.take()
		if last == nil {
			return
		}
		for _, data := range append(due, last) {
			if o.log.replicated() {
				o.sendSurely(data)
			} else {
				o.sendOnce(data)
			}
		}
		if cap(last) <= 2*batchBytes && !o.log.replicated() {
			o.mu.Lock()
			o.spare = last[:0]
			o.mu.Unlock()
		}
	}
}

// take gives the messages that are due; none: the goroutine is no longer there.
func (o *outbox) take() (due [][]byte, last []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.open) == 0 {
		o.busy = false
		return nil, nil
	}
	due, last = o.full, o.open
	o.full, o.open, o.spare = nil, o.spare, nil
	return due, last
}

func appendCommand(dst []byte, cmd *domain.Command, ttl time.Duration) ([]byte, error) {
	dst = strconv.AppendInt(dst, ttl.Milliseconds(), 10)
	if cmd.Trace != "" {
		dst = append(append(dst, ','), cmd.Trace...)
	}
	dst, err := cmd.AppendJSON(append(dst, ' '))
	return append(dst, '\n'), err
}

// cutCommand gives the first line of a message, what it says, and the rest.
func cutCommand(data []byte) (cmd domain.Command, ttl time.Duration, rest []byte, err error) {
	line, rest, _ := bytes.Cut(data, []byte{'\n'})
	left, text, _ := bytes.Cut(line, []byte{' '})
	left, parent, traced := bytes.Cut(left, []byte{','})
	ms, err := strconv.ParseInt(string(left), 10, 64)
	if err == nil {
		cmd, err = domain.DecodeCommand(text)
	}
	if traced {
		cmd.Trace = string(parent)
	}
	return cmd, time.Duration(ms) * time.Millisecond, rest, err
}
