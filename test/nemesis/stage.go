package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
)

// stage is a testing.TB for a command: an error is a finding, and whatever
// would end a test ends the run.
type stage struct {
	testing.TB // nil: what is not here is not called
	ctx        context.Context
	dir        string

	mu       sync.Mutex
	failures []string
	ends     []func()
}

// perform runs fn and then its cleanups, and gives what failed. fn is to end
// when ctx does.
func perform(ctx context.Context, dir string, fn func(tb testing.TB)) []string {
	s := &stage{ctx: ctx, dir: dir}
	done := make(chan struct{})
	go func() { // of its own, so that Fatal can end it
		defer close(done)
		defer s.clean()
		fn(s)
	}()
	<-done
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failures
}

func (s *stage) clean() {
	for {
		s.mu.Lock()
		n := len(s.ends)
		if n == 0 {
			s.mu.Unlock()
			return
		}
		end := s.ends[n-1]
		s.ends = s.ends[:n-1]
		s.mu.Unlock()
		end()
	}
}

func (s *stage) Helper()                  {}
func (s *stage) Name() string             { return "nemesis" }
func (s *stage) Context() context.Context { return s.ctx }

func (s *stage) TempDir() string {
	dir, err := os.MkdirTemp(s.dir, "run")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (s *stage) Cleanup(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = append(s.ends, fn)
}

func (s *stage) Failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.failures) > 0
}

func (s *stage) fail(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, text)
}

func (s *stage) Error(args ...any)                 { s.fail(fmt.Sprint(args...)) }
func (s *stage) Errorf(format string, args ...any) { s.fail(fmt.Sprintf(format, args...)) }
func (s *stage) Log(args ...any)                   { fmt.Fprintln(os.Stderr, args...) }
func (s *stage) Logf(format string, args ...any)   { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (s *stage) Fatal(args ...any) {
	s.Error(args...)
	runtime.Goexit()
}

func (s *stage) Fatalf(format string, args ...any) {
	s.Errorf(format, args...)
	runtime.Goexit()
}

// Skip is for what this machine cannot do: asked for, it is a failure.
func (s *stage) Skip(args ...any)                 { s.Fatal(args...) }
func (s *stage) Skipf(format string, args ...any) { s.Fatalf(format, args...) }
