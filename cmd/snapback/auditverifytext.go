package main

import (
	"fmt"
	"time"

	"github.com/snapback-io/snapback/projector/verify"
)

// tellBoard writes what came of a board.
func (v *verification) tellBoard(s *verify.Verified) {
	fmt.Fprintf(v.Out, "board %s: %s (%d void), %s (%d refused), %s; rev %d; %.0f records/s\n", s.Board, several(int(s.Records), "record"), s.Void,
		several(int(s.Decisions), "decision"), s.Refused, several(int(s.Events), "event"), s.Rev, float64(s.Records)/s.Took.Seconds())
	if s.Head && s.Checkpoint {
		fmt.Fprintf(v.Out, "  its head was signed at %s; %d of its records are proven to be in the tree of a signed checkpoint\n", s.Signed.Format(time.RFC3339), s.Proven)
	}
	if s.Held > 0 {
		fmt.Fprintf(v.Out, "  that tree was held against %s kept elsewhere\n", several(s.Held, "checkpoint"))
	}
}

// tellShard writes what came of a shard.
func (v *verification) tellShard(s *verify.ShardSummary) {
	fmt.Fprintf(v.Out, "shard %d: %s of %s; they have the roots of %s\n", s.Shard,
		several(int(s.Records), "record"), several(len(s.Boards), "board"), several(s.Checkpoints, "checkpoint"))
}

// tell writes the end of the report.
func (v *verification) tell() {
	fmt.Fprintf(v.Out, "\n%s: %s, %s in %.1f s (%.0f/s).\n", v.Source, several(len(v.Boards), "board"), several(int(v.Records), "record"), v.Seconds, float64(v.Records)/v.Seconds)
	if len(v.Boards) > 0 {
		fmt.Fprintln(v.Out, "Checked: the bytes of every record, the chain, that no rev is missing, and every decision once more by the rules.")
	}
	for _, k := range v.Keys {
		fmt.Fprintf(v.Out, "Signatures: by key %s, which %s.\n", k.Key, k.From)
		if !k.Given {
			fmt.Fprintln(v.Out, "  Give the key that you were told by other means with --key.")
		}
	}
	for _, what := range v.NotChecked {
		fmt.Fprintf(v.Out, "Not checked: %s\n", what)
	}
	for _, what := range v.Lacking {
		fmt.Fprintf(v.Out, "COULD NOT BE CHECKED: %s\n", what)
	}
	if more := v.Count - len(v.Findings); more > 0 {
		fmt.Fprintf(v.Out, "%d more findings are not shown.\n", more)
	}
	switch {
	case v.Count > 0:
		fmt.Fprintf(v.Out, "%s.\n", several(v.Count, "finding"))
	case len(v.Lacking) > 0:
		fmt.Fprintf(v.Out, "No findings in what could be checked; %s could not be.\n", several(len(v.Lacking), "thing"))
	default:
		fmt.Fprintln(v.Out, "No findings.")
	}
}

// where is a finding with the place it is at.
func where(f *verify.Finding) string {
	place := ""
	switch {
	case f.Kind == kindBundle, f.Kind == kindContent, f.Kind == kindKey:
	case f.Board == "":
		place = fmt.Sprintf("shard %d, ", f.Shard)
	}
	if f.Board != "" {
		place = "board " + f.Board + ", "
	}
	if f.Seq > 0 {
		place += fmt.Sprint("record ", f.Seq, ", ")
	}
	if f.Rev > 0 {
		place += fmt.Sprint("rev ", f.Rev, ", ")
	}
	return shown(fmt.Sprintf("%s%s: %s", place, f.Kind, f.Words))
}
