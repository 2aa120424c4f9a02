package naive

import (
	"fmt"
	"strings"
	"time"
)

// Decided is a decision and where it stands in the log.
type Decided struct {
	*Decision
	Record *Record
	Order  int // 0, 1, ... among the board's decisions that count
}

// Log is a board's log, checked and indexed.
type Log struct {
	Records []Record
	Order   []Decided
	By      map[[2]string]Decided // by user and mutation id
	Rev     uint64
	Voids   int
}

// Check reads a board's records and gives every breach of what the log promises
// by itself: the chain, rev without gaps, void commits that count for nothing,
// one decision per user and id, time that never runs backwards, and nothing
// that took effect later than its deadline.
func Check(records []Record) (Log, []error) {
	log := Log{Records: records, By: map[[2]string]Decided{}}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	prev := strings.Repeat("0", 64)
	var at time.Time
	for i := range records {
		r := &records[i]
		if r.Prev != prev {
			fault("record %d: prev is %.8s, the one before is %.8s", r.Seq, r.Prev, prev)
		}
		prev = r.Hash()
		if i > 0 && r.Seq <= records[i-1].Seq {
			fault("record %d comes after %d", r.Seq, records[i-1].Seq)
		}
		if r.Void() {
			log.Voids++
			continue
		}
		for n := range r.Decisions {
			d := &r.Decisions[n]
			if d.At().Before(at) {
				fault("record %d: decision %s at %s, before %s", r.Seq, d.ID, d.AtText, at.Format(time.RFC3339Nano))
			}
			at = d.At()
			log.decide(r, d, fault)
		}
	}
	return log, faults
}

func (log *Log) decide(r *Record, d *Decision, fault func(string, ...any)) {
	key := [2]string{d.User, d.ID}
	if first, ok := log.By[key]; ok {
		fault("record %d decides %s of %s again, first in record %d", r.Seq, d.ID, d.User, first.Record.Seq)
	}
	entry := Decided{Decision: d, Record: r, Order: len(log.Order)}
	log.By[key] = entry
	log.Order = append(log.Order, entry)
	for _, e := range d.Events {
		if e.Rev != log.Rev+1 {
			fault("record %d: %s of %s has rev %d after %d", r.Seq, e.Type, d.ID, e.Rev, log.Rev)
		}
		log.Rev = e.Rev
	}
	if d.Rev != log.Rev {
		fault("record %d: decision %s says rev %d, the board is at %d", r.Seq, d.ID, d.Rev, log.Rev)
	}
	if !d.Accepted() && len(d.Events) > 0 {
		fault("record %d: refused %s has events", r.Seq, d.ID)
	}
	if d.Accepted() && r.Stored.After(d.Deadline) {
		fault("record %d: %s took effect at %s, its deadline was %s", r.Seq, d.ID, r.Stored, d.Deadline)
	}
	if d.Rejection != nil && d.Rejection.Code == "id_reused" {
		fault("record %d: id_reused is logged for %s", r.Seq, d.ID)
	}
}
