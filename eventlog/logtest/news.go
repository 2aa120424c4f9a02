package logtest

import (
	"context"
	"time"

	"github.com/snapback-io/snapback/eventlog"
)

// subscription is one call of Subscribe.
type subscription struct {
	mailbox[eventlog.Announcement]
}

// Announce sends an announcement to the board's subscribers, some of it late,
// twice or never.
func (l *Log) Announce(board string, a eventlog.Announcement) error {
	l.mu.Lock()
	var subs []*subscription
	for s := range l.subs[board] {
		subs = append(subs, s)
	}
	l.mu.Unlock()
	for _, s := range subs {
		d := l.roll("news", board)
		copies := 1
		if d.chance(d.LoseNews) {
			copies = 0
		} else if d.chance(d.RepeatNews) {
			copies = 2
		}
		for range copies {
			after(d.upTo(d.NewsDelay), func() { s.put(a) })
		}
	}
	return nil
}

// WatchHead has f check the head of its board every 30 s.
func (l *Log) WatchHead(_ string, f eventlog.Follower) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var check func()
	check = func() {
		if ctx.Err() == nil {
			_ = f.CheckHead(ctx)
			time.AfterFunc(HeadEvery, check)
		}
	}
	time.AfterFunc(HeadEvery, check)
	return cancel
}

// HeadEvery is how often WatchHead checks.
const HeadEvery = 30 * time.Second

// Subscribe calls fn for every announcement of the board, one at a time.
func (l *Log) Subscribe(board string, fn func(eventlog.Announcement)) (stop func(), err error) {
	s := &subscription{}
	s.init()
	ctx, cancel := context.WithCancel(context.Background())
	l.mu.Lock()
	if l.subs[board] == nil {
		l.subs[board] = make(map[*subscription]bool)
	}
	l.subs[board][s] = true
	l.mu.Unlock()
	go func() {
		for {
			a, ok := s.take(ctx)
			if !ok {
				return
			}
			fn(a)
		}
	}()
	return func() {
		cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.subs[board], s)
	}, nil
}
