package eventlog

import (
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/test/cutter"
)

func rawSeqs(t testing.TB, l *Log, board string, from, to uint64) (seqs []uint64, all []Raw) {
	t.Helper()
	for r, err := range l.ReadRaw(t.Context(), board, from, to) {
		if err != nil {
			t.Fatal(err)
		}
		seqs, all = append(seqs, r.Seq), append(all, r)
	}
	return seqs, all
}

func TestReadRaw_GivesWhatReadGives(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		seqs := fill(t, l, board, 2*readBatch/3)
		fill(t, l, newBoardOf(l, l.Shard(board)), 3)
		more, last := []uint64{}, seqs[len(seqs)-1]
		for i := range readBatch {
			data, hash := commitOf(t, board, domain.Hash{}, "more "+strconv.Itoa(i))
			var err error
			if last, err = l.Append(t.Context(), board, data, hash, last); err != nil {
				t.Fatal(err)
			}
			more = append(more, last)
		}
		seqs = append(seqs, more...)
		got, all := rawSeqs(t, l, board, 0, 0)
		sameSeqs(t, "all", got, seqs)
		got, _ = rawSeqs(t, l, board, seqs[3], seqs[7])
		sameSeqs(t, "some", got, seqs[3:8])
		got, _ = rawSeqs(t, l, board, last+1, 0)
		sameSeqs(t, "beyond the head", got, nil)
		got, _ = rawSeqs(t, l, newBoard(), 0, 0)
		sameSeqs(t, "no such board", got, nil)
		i := 0
		for r, err := range l.Read(t.Context(), board, 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
			raw := all[i]
			if raw.Board != board || raw.MsgID != r.Hash.String() || raw.Expected != strconv.FormatUint(r.Prev, 10) ||
				!raw.Time.Equal(r.Time) || string(raw.Data) != string(r.Data) {
				t.Fatalf("raw %d is %+v, the record %+v", i, raw, r)
			}
			i++
		}
		for range l.ReadRaw(t.Context(), board, 0, 0) {
			break
		}
	})
}

// What is no record, or follows none, is given as it is, and what comes after.
func TestReadRaw_GivesWhatIsDamaged(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		seqs := fill(t, l, board, 2)
		for _, header := range []nats.Header{{headerMsgID: {"x" + board}}, {headerExpected: {"0"}}, nil} {
			if header.Get(headerExpected) != "" { // the server would refuse another number
				header[headerExpected] = []string{strconv.FormatUint(seqs[len(seqs)-1], 10)}
			}
			answer, err := l.asks.ask(t.Context(), &nats.Msg{Subject: l.home(board).subject, Data: []byte("no record"), Header: header})
			if err != nil {
				t.Fatal(err)
			}
			seq, err := parseAck(answer)
			if err != nil {
				t.Fatal(err)
			}
			seqs = append(seqs, seq)
		}
		got, all := rawSeqs(t, l, board, 0, 0)
		sameSeqs(t, "all", got, seqs)
		if all[2].MsgID != "x"+board || all[2].Expected != "" || all[3].MsgID != "" || string(all[4].Data) != "no record" {
			t.Errorf("they are %+v", all[2:])
		}
	})
}

func TestReadRaw_SaysWhenItDoesNotReachTheEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		l.patience = 2 * time.Second
		board := newBoard()
		seqs := fill(t, l, board, 3)
		var got []uint64
		var failed error
		for r, err := range l.ReadRaw(t.Context(), board, 0, seqs[2]+1_000_000) {
			if failed = err; err == nil {
				got = append(got, r.Seq)
			}
		}
		sameSeqs(t, "what there is", got, seqs)
		if failed == nil {
			t.Fatal("it ended without an error")
		}
	})
}

// What a replica lacks in the middle comes from the leader.
func TestReadRaw_AsksTheLeaderAboutAGap(t *testing.T) {
	t.Parallel()
	var inbox atomic.Pointer[string]
	var answers atomic.Int64
	l, _, _ := behindProxy(t, func(way cutter.Way, subject, _ string) cutter.Fate {
		if of := inbox.Load(); of != nil && way == cutter.Down && strings.HasPrefix(subject, *of) && answers.Add(1) == 3 {
			return cutter.Lose
		}
		return cutter.Pass
	})
	board := newBoard()
	seqs := fill(t, l, board, 10)
	rawSeqs(t, l, board, 0, 0)
	inbox.Store(&l.batches.inbox)
	got, _ := rawSeqs(t, l, board, 0, 0)
	sameSeqs(t, "all", got, seqs)
	if answers.Load() < 4 {
		t.Error("nothing was lost")
	}
}
