package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// steps shows what a long run is doing: a bar on a terminal, elsewhere a line
// for each thing it begins.
type steps struct {
	w    io.Writer
	bar  *progressbar.ProgressBar // nil: no terminal
	mu   sync.Mutex
	last string
}

func newSteps(w io.Writer) *steps {
	s := &steps{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.bar = progressbar.NewOptions(100, progressbar.OptionSetWriter(w), progressbar.OptionThrottle(50*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false))
	}
	return s
}

// of gives the report function of one run: what it does and how far it is, of
// 1. Safe for concurrent use.
func (s *steps) of(run string) func(what string, done float64) {
	return func(what string, done float64) {
		s.mu.Lock()
		defer s.mu.Unlock()
		line := run + ": " + what
		if s.bar != nil {
			if line != s.last {
				s.bar.Describe(line)
			}
			_ = s.bar.Set(max(0, min(99, int(100*done))))
		} else if line != s.last {
			fmt.Fprintln(s.w, line)
		}
		s.last = line
	}
}

func (s *steps) done() {
	if s.bar != nil {
		_ = s.bar.Exit()
	}
}
