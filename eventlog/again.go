package eventlog

import (
	"context"
	"time"
)

const (
	// firstSilence is after what time a question that a node may have taken with
	// it when it ceased to lead, or stopped, is asked again, and longestSilence
	// the most that the time between two askings grows to.
	firstSilence   = 300 * time.Millisecond
	longestSilence = time.Second
	// mostAskings of one question: the last one waits.
	mostAskings = 16
)

// again asks until an answer comes, an error too, or ctx ends. It asks once
// more when there is none for a while, and when there is another one to ask
// (elected), and goes on waiting for the earlier ones, for a large answer from a
// busy server takes its time.
func again[T any](ctx context.Context, elected func() <-chan struct{}, ask func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer, mostAskings)
	silence := firstSilence
	for n := 1; ; n++ {
		another := elected()
		go func() {
			value, err := ask(ctx)
			answers <- answer{value, err}
		}()
		var silent <-chan time.Time
		if n < mostAskings {
			silent = time.After(silence)
		} else {
			another = nil
		}
		select {
		case a := <-answers:
			return a.value, a.err
		case <-silent:
			silence = min(2*silence, longestSilence)
		case <-another:
		}
	}
}

// replicated says whether the leaders of streams may change.
func (l *Log) replicated() bool { return l.cfg.Replicas > 1 }

// repeated asks something of a stream, and asks again if its leader has, or may
// have, changed meanwhile.
func repeated[T any](ctx context.Context, l *Log, stream string, ask func(context.Context) (T, error)) (T, error) {
	if l.replicated() {
		return again(ctx, func() <-chan struct{} { return l.elections.of(stream) }, ask)
	}
	return ask(ctx)
}
