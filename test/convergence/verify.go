package convergence

import (
	"github.com/snapback-io/snapback/projector/verify"
	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/naive"
)

// verifyAll has every decision of the log taken again: whatever was done to the
// servers, each is what the rules make of its command. (What headers say of the
// records is not read here.)
func verifyAll(j *check.Judge, records []naive.Record) {
	v := verify.New(verify.Config{Board: board, Report: func(f verify.Finding) { j.Fault("verify", "%v", f) }})
	prev := uint64(0)
	for _, r := range records {
		v.Record(verify.Record{Seq: r.Seq, Prev: prev, Time: r.Stored, Hash: r.Hash(), Data: r.Data})
		prev = r.Seq
	}
	sum := v.Finish()
	j.Counts["decided again"] += int(sum.Decisions - sum.Unjudged)
	j.Counts["refusals trusted"] += int(sum.Trusted)
}
