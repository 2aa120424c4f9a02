package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/snapback-io/snapback/projector/rebuild"
)

// rebuildShow shows how far a rebuild is: a bar with the rate on a terminal, a
// line every tenth elsewhere; and each difference on a line of the output.
type rebuildShow struct {
	streams
	bar   *progressbar.ProgressBar // nil: no terminal
	tenth uint64
}

func newRebuildShow(s streams) *rebuildShow {
	show := &rebuildShow{streams: s}
	if f, ok := s.Err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		show.bar = progressbar.NewOptions64(1, progressbar.OptionSetWriter(s.Err), progressbar.OptionSetDescription("rebuilding"),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("records"),
			progressbar.OptionThrottle(50*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
	}
	return show
}

func (r *rebuildShow) progress(p rebuild.Progress) {
	of := max(p.OfRecords, p.Records, 1) // records come in meanwhile
	if r.bar != nil {
		r.bar.ChangeMax64(int64(of))
		r.bar.Describe(fmt.Sprintf("rebuilding, %d of %d boards", p.Boards, p.OfBoards))
		_ = r.bar.Set64(int64(min(p.Records, of-1)))
		return
	}
	if tenth := 10 * p.Records / of; tenth > r.tenth {
		r.tenth = tenth
		fmt.Fprintf(r.Err, "rebuilding: %d of %d boards, %d of %d records, %.0f records/s\n", p.Boards, p.OfBoards, p.Records, of, float64(p.Records)/max(p.Seconds, 0.001))
	}
}

func (r *rebuildShow) found(d rebuild.Difference) {
	if r.bar != nil {
		_ = r.bar.Clear()
	}
	printDifference(r.Out, d)
}

func printDifference(w io.Writer, d rebuild.Difference) {
	at, fixed := "", ""
	if d.Seq > 0 {
		at = fmt.Sprintf(" at record %d", d.Seq)
	}
	if d.Fixed {
		fixed = " (put right)"
	}
	fmt.Fprintf(w, "board %s, %s%s: %s%s\n", d.Board, d.In, at, d.What, fixed)
}

func (r *rebuildShow) done() {
	if r.bar != nil {
		_ = r.bar.Exit()
	}
}
