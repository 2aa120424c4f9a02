package verify

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/snapback-io/snapback/eventlog"
)

// rawLog gives messages, and then fails unless err is nil.
type rawLog struct {
	list []eventlog.Raw
	err  error
}

func (l rawLog) ReadRaw(_ context.Context, _ string, _, _ uint64) iter.Seq2[eventlog.Raw, error] {
	return func(yield func(eventlog.Raw, error) bool) {
		for _, r := range l.list {
			if !yield(r, nil) {
				return
			}
		}
		if l.err != nil {
			yield(eventlog.Raw{}, l.err)
		}
	}
}

func TestBoardReadsALog(t *testing.T) {
	t.Parallel()
	var whole []eventlog.Raw
	for _, r := range records(wrote(5)) {
		whole = append(whole, eventlog.Raw{Board: "b", Seq: r.Seq, Time: r.Time, MsgID: r.Hash, Expected: fmt.Sprint(r.Prev), Data: r.Data})
	}
	odd := append([]eventlog.Raw(nil), whole...)
	odd[3].Expected = ""
	cut := errors.New("cut")
	for _, test := range []struct {
		log     rawLog
		records int
		want    string
	}{
		{rawLog{whole, nil}, len(whole), ""}, {rawLog{whole[:4], cut}, 4, ""}, {rawLog{odd, nil}, len(whole), fmt.Sprintf("order@%d", odd[3].Seq)}, {rawLog{}, 0, "count@0"},
	} {
		var found []Finding
		sum, err := Board(t.Context(), test.log, 0, Config{Board: "b", Report: func(f Finding) { found = append(found, f) }})
		if !errors.Is(err, test.log.err) || sum.Records != uint64(test.records) || kindsAt(found) != test.want {
			t.Errorf("%v, %+v, found %v, want %q", err, sum, found, test.want)
		}
	}
}
