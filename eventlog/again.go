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
// more when there is none for a while, and goes on waiting for the earlier
// ones, for a large answer from a busy server takes its time.
func again[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer, mostAskings)
	silence := firstSilence
	for n := 1; ; n++ {
		go func() {
			value, err := ask(ctx)
			answers <- answer{value, err}
		}()
		var silent <-chan time.Time
		if n < mostAskings {
			silent = time.After(silence)
			silence = min(2*silence, longestSilence)
		}
		select {
		case a := <-answers:
			return a.value, a.err
		case <-silent:
		}
	}
}

// replicated says whether the leaders of streams may change.
func (l *Log) replicated() bool { return l.cfg.Replicas > 1 }

// repeated asks, and asks again if the leader may have changed meanwhile.
func repeated[T any](ctx context.Context, l *Log, ask func(context.Context) (T, error)) (T, error) {
	if l.replicated() {
		return again(ctx, ask)
	}
	return ask(ctx)
}
