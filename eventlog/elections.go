package eventlog

import (
	"errors"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// When a stream or a consumer on several servers gets another leader, what was
// asked of the one before is lost, mostly without a word. The new one makes
// itself known: who waits for an answer then asks again at once, and not only
// after a silence.

// electedSubject is where servers say that a stream or a consumer has a new leader.
const electedSubject = "$JS.EVENT.ADVISORY.*.LEADER_ELECTED.>"

// errElected: the one who was asked leads no longer, and another one does. The
// outcome is as unknown as without an answer.
var errElected = errors.New("eventlog: a new leader was elected")

// elections tells who waits for an answer that there is a new leader to ask.
type elections struct {
	mu   sync.Mutex
	next map[string]chan struct{} // by stream, or stream and consumer with a dot between
}

// of gives what is closed at the next election of a leader of stream or
// consumer. Whoever asks takes it first, so that none is missed.
func (e *elections) of(name string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := e.next[name]
	if next == nil {
		if e.next == nil {
			e.next = make(map[string]chan struct{})
		}
		next = make(chan struct{})
		e.next[name] = next
	}
	return next
}

func (e *elections) held(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if next := e.next[name]; next != nil {
		close(next)
		delete(e.next, name)
	}
}

// watchElections has elections tell, where leaders change.
func (l *Log) watchElections() error {
	if !l.replicated() {
		return nil
	}
	_, err := l.write.Subscribe(electedSubject, func(msg *nats.Msg) {
		_, name, _ := strings.Cut(msg.Subject, ".LEADER_ELECTED.")
		l.elections.held(name)
		if kind, shard, found := strings.Cut(name, "_"); found && (kind == "EVT" || kind == "CMD") && !strings.Contains(shard, ".") {
			l.asks.lose(strings.ToLower(kind) + "." + shard + ".")
		}
	})
	return err
}
