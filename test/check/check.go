package check

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/naive"
)

// Report is what came of checking a history.
type Report struct {
	Findings []string // of all boards, "board: what it breaks: how"
	Counts   map[string]int
	Slowest  time.Duration // verdict
	Pictures []string      // files
}

// Check holds a history against its log, board by board. Pictures of what is
// not linearizable go to dir, "" for none.
func Check(h *History, dir string) Report {
	out := Report{Counts: map[string]int{}}
	records, conns, requests := map[string][]naive.Record{}, map[string][]cutter.Conn{}, map[string][]Request{}
	for _, r := range h.Records {
		records[r.Board] = append(records[r.Board], r)
	}
	for _, c := range h.Conns {
		board := boardOf(c.URL.Path)
		conns[board] = append(conns[board], c)
	}
	for _, r := range h.Requests {
		requests[r.Board] = append(requests[r.Board], r)
	}
	boards := maps.Clone(records)
	for board := range conns {
		boards[board] = nil
	}
	for _, board := range slices.Sorted(maps.Keys(boards)) {
		j := NewJudge(records[board], conns[board], requests[board]...)
		j.Laws()
		j.clocks(h.Faults)
		j.strangers()
		j.amid(h.Faults)
		for _, v := range h.Views {
			if v.Board == board {
				j.View(v, true)
			}
		}
		for _, t := range h.Told {
			if t.Board == board {
				j.Told(t)
			}
		}
		out.add(board, j, dir)
	}
	return out
}

func (out *Report) add(board string, j *Judge, dir string) {
	for _, f := range j.Faults {
		out.Findings = append(out.Findings, board+": "+f)
	}
	for what, n := range j.Counts {
		out.Counts[what] += n
	}
	out.Counts["boards"]++
	out.Counts["records"] += len(j.Log.Records)
	out.Counts["void records"] += j.Log.Voids
	out.Counts["revs"] += int(j.Log.Rev)
	out.Slowest = max(out.Slowest, j.Slowest)
	if len(j.broken) > 0 && dir != "" {
		path := filepath.Join(dir, board+".html")
		if err := j.draw(path); err != nil {
			out.Findings = append(out.Findings, fmt.Sprintf("%s: picture: %v", board, err))
			return
		}
		out.Pictures = append(out.Pictures, path)
	}
}

func boardOf(path string) string {
	board, _, _ := strings.Cut(strings.TrimPrefix(path, "/v1/boards/"), "/")
	return board
}

// amid counts what clients were told while something was broken.
func (j *Judge) amid(faults []Fault) {
	for _, t := range j.traces {
		for i := range t.frames {
			f := &t.frames[i]
			if f.way == cutter.Up || f.Type != "ack" && f.Type != "nack" {
				continue
			}
			for _, x := range faults {
				if f.at.After(x.From) && f.at.Before(x.To) {
					j.Counts[f.Type+" amid "+x.Kind]++
				}
			}
		}
	}
}

// strangers judges that nothing is in the log that nobody sent; the making of
// the board is a request of its own kind.
func (j *Judge) strangers() {
	for key, d := range j.Log.By {
		if len(j.ups[key]) == 0 && !(d.Order == 0 && d.Accepted()) {
			j.Fault("log", "%s of %s is in record %d and nobody sent it", key[1], key[0], d.Record.Seq)
		}
	}
}
