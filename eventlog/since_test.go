package eventlog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/test/tamper"
)

// decided is a record that was decided so many seconds after an hour that is
// long past; void: and stored too late. Without a time it decides nothing.
type decided struct {
	at   int
	void bool
}

var longPast = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

func (d decided) append(t testing.TB, l *Log, board string, last uint64) uint64 {
	t.Helper()
	c := domain.Commit{V: domain.CommitVersion, Board: board, Prev: domain.Hash{byte(last), byte(last >> 8)}, At: longPast, Decisions: []domain.Decision{}}
	if d.at > 0 {
		at := longPast.Add(time.Duration(d.at) * time.Second)
		c.Decisions = []domain.Decision{{Command: domain.Command{ID: fmt.Sprint(last), Op: domain.OpMutate, User: "u"}, At: at}}
	}
	if d.void {
		c.NotAfter = longPast.AddDate(-1, 0, 0)
	}
	data, hash, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	seq, err := l.Append(t.Context(), board, data, hash, last)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// someDecided are records of a board: their times never fall, but those of void
// ones may be ahead of the next, and some have none.
func someDecided(rng *rand.Rand, n int) (list []decided) {
	for at := 1; len(list) < n; at += rng.IntN(3) * rng.IntN(20) {
		switch rng.IntN(8) {
		case 0:
			list = append(list, decided{at: at + rng.IntN(100), void: true})
		case 1:
			list = append(list, decided{})
		default:
			list = append(list, decided{at: at})
		}
	}
	return list
}

// Whatever servers stamped, a reading since a time has every decision taken from
// then on, and no more before it than void records make it have. Where the
// stamps are right it is known after three requests at most where to begin, and
// after one that there is nothing.
func TestReadSince_WhateverServersStamped(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 1))
	boards := map[string][]decided{"mixed": someDecided(rng, 80), "plain": nil}
	for i := range 80 {
		boards["plain"] = append(boards["plain"], decided{at: 1 + 10*i})
	}
	dir := t.TempDir()
	within := func(fn func(l *Log)) {
		t.Helper()
		server, err := natsd.Start(natsd.Config{StoreDir: dir, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Shutdown()
		l := openLog(t, Config{InProcess: server, Shards: 1})
		defer l.Close()
		fn(l)
	}
	seqs := map[string][]uint64{}
	var right []time.Time // by sequence, for the plain board
	within(func(l *Log) {
		last := map[string]uint64{}
		for i := range 80 {
			for _, board := range []string{"mixed", "plain"} {
				d := boards[board][i]
				last[board] = d.append(t, l, board, last[board])
				seqs[board] = append(seqs[board], last[board])
				right = append(right, longPast.Add(time.Duration(boards["plain"][i].at)*time.Second))
			}
		}
	})
	list, err := tamper.Read(dir, eventStream(0))
	if err != nil || len(list) != len(right) {
		t.Fatalf("%d records, %v", len(list), err)
	}
	half := func(i int) time.Duration { return time.Duration(2*i/len(right)) * time.Hour }
	for name, stamp := range map[string]func(i int) time.Time{
		"right":                  func(i int) time.Time { return right[i] },
		"of a copy":              func(i int) time.Time { return longPast.AddDate(1, 0, 0).Add(time.Duration(i)) },
		"the first half ahead":   func(i int) time.Time { return right[i].Add(-half(i)) },
		"the first half behind":  func(i int) time.Time { return right[i].Add(half(i)) },
		"ahead and behind":       func(i int) time.Time { return right[i].Add(time.Duration(rng.IntN(7200)-3600) * time.Second) },
		"one in three is behind": func(i int) time.Time { return right[i].Add(-time.Duration(i%3/2) * time.Hour) },
		"downwards":              func(i int) time.Time { return longPast.Add(-time.Duration(i) * time.Second) },
	} {
		for i := range list {
			list[i].Time, list[i].Sum = stamp(i), nil
		}
		if err := tamper.Write(dir, eventStream(0), list, false); err != nil {
			t.Fatal(err)
		}
		within(func(l *Log) {
			for board := range boards {
				for second := 0; second <= boards["plain"][79].at+4; second += 4 {
					l.since(t, name, board, boards[board], seqs[board], second, name == "right")
				}
			}
		})
	}
}

// since checks a reading since so many seconds after longPast.
func (l *Log) since(t *testing.T, name, board string, list []decided, seqs []uint64, second int, right bool) {
	t.Helper()
	start := longPast.Add(time.Duration(second) * time.Second)
	first := slices.IndexFunc(list, func(d decided) bool { return d.at >= second && !d.void })
	early := slices.IndexFunc(list, func(d decided) bool { return d.at >= second || d.at == 0 })
	got := seqsOf(t, l.ReadSince(t.Context(), board, start, 0))
	from := len(seqs) - len(got)
	if !slices.Equal(got, seqs[from:]) || first >= 0 && from > first || early >= 0 && from < early || early < 0 && from < len(seqs) {
		t.Fatalf("stamps %s: since second %d %s gives %d records, of %d the first is %d", name, second, board, len(got), len(seqs), first)
	}
	if board != "plain" || !right {
		return
	}
	asked := l.bulk.Stats().OutMsgs
	l.firstSince(t.Context(), board, l.home(board), start, seqs[len(seqs)-1])
	if n := l.bulk.Stats().OutMsgs - asked; n > 3 || first < 0 && n > 1 {
		t.Errorf("%d requests to find second %d", n, second)
	}
}

// A reading since a time ends where it is told to, and that there is no board is no error.
func TestReadSince_ToAndWithout(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		var seqs []uint64
		for i := range 6 {
			last := uint64(0)
			if i > 0 {
				last = seqs[i-1]
			}
			seqs = append(seqs, decided{at: 1 + i}.append(t, l, board, last))
		}
		since := func(second int, to uint64) []uint64 {
			return seqsOf(t, l.ReadSince(t.Context(), board, longPast.Add(time.Duration(second)*time.Second), to))
		}
		sameSeqs(t, "all", since(0, 0), seqs)
		sameSeqs(t, "since the third", since(3, 0), seqs[2:])
		sameSeqs(t, "since the third, to the fifth", since(3, seqs[4]), seqs[2:5])
		sameSeqs(t, "since the sixth, to the fifth", since(6, seqs[4]), nil)
		sameSeqs(t, "after the last", since(7, 0), nil)
		sameSeqs(t, "no such board", seqsOf(t, l.ReadSince(t.Context(), newBoard(), longPast, 0)), nil)
	})
}
