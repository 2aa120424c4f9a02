package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far a run of several steps is.
type progress interface {
	at(step int)
	done()
}

// newProgress shows a bar on a terminal, and a line every tenth elsewhere.
func newProgress(w io.Writer, steps int) progress {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return barProgress{progressbar.NewOptions(steps,
			progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("importing"), progressbar.OptionShowCount(),
			progressbar.OptionThrottle(50*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))}
	}
	return &lineProgress{w: w, steps: steps}
}

type barProgress struct{ bar *progressbar.ProgressBar }

func (p barProgress) at(step int) { _ = p.bar.Set(step) }
func (p barProgress) done()       { _ = p.bar.Exit() }

type lineProgress struct {
	w            io.Writer
	steps, tenth int
}

func (p *lineProgress) at(step int) {
	if tenth := 10 * step / p.steps; tenth > p.tenth {
		p.tenth = tenth
		fmt.Fprintf(p.w, "importing: %d of %d parts\n", step, p.steps)
	}
}

func (p *lineProgress) done() {}
